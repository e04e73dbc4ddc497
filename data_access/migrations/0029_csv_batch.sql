-- The villages of the province as CSV: what came back, row by row, and a ledger of what it wrote;
-- township officers bring workbooks of their villages.
UPDATE upload_use SET roles = '{city,county,township}' WHERE use = 'workbook';
INSERT INTO upload_use (use, title, roles, media_types, max_size, max_unpacked) VALUES
    ('csv', 'CSV 数据文件', '{plan_bureau,county,township}'
     , '{text/csv,application/zip}', 209715200, 629145600);

-- What came back in one file, until it is applied, thrown away, or its time is over.
CREATE TABLE csv_batch (
    batch_id     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    form_code    text NOT NULL,
    form_version integer NOT NULL,
    period_id    bigint NOT NULL REFERENCES reporting_period,
    export_id    uuid REFERENCES workbook_export,
    user_id      bigint NOT NULL REFERENCES account,
    file_name    text NOT NULL,
    sha256       text NOT NULL REFERENCES stored_file,
    state        text NOT NULL DEFAULT 'checking',
    counts       jsonb NOT NULL DEFAULT '{}',
    notes        text[] NOT NULL DEFAULT '{}',
    refusal      text,
    job_id       bigint,
    created_at   timestamptz NOT NULL DEFAULT now(),
    checked_at   timestamptz,
    applied_at   timestamptz,
    expires_at   timestamptz NOT NULL DEFAULT now() + interval '7 days',
    FOREIGN KEY (form_code, form_version) REFERENCES form_version (form_code, version),
    CONSTRAINT csv_batch_state_known
        CHECK (state IN ('checking', 'open', 'applying', 'applied', 'discarded', 'refused')),
    CONSTRAINT csv_batch_applied_at_a_time CHECK ((state = 'applied') = (applied_at IS NOT NULL)),
    CONSTRAINT csv_batch_refused_says_why CHECK ((state = 'refused') = (refusal IS NOT NULL)),
    CONSTRAINT csv_batch_named CHECK (btrim(file_name) <> '')
);
CREATE INDEX csv_batch_user_id ON csv_batch (user_id, created_at DESC);
CREATE INDEX csv_batch_period_id ON csv_batch (period_id);
CREATE INDEX csv_batch_export_id ON csv_batch (export_id);
COMMENT ON TABLE csv_batch IS '上传的 CSV 数据文件（一个文件一批，预览后写入草稿）';
COMMENT ON COLUMN csv_batch.batch_id IS '批次标识';
COMMENT ON COLUMN csv_batch.form_code IS '表单代码';
COMMENT ON COLUMN csv_batch.form_version IS '表单版本';
COMMENT ON COLUMN csv_batch.period_id IS '填报期';
COMMENT ON COLUMN csv_batch.export_id IS '所依据的下载，空为文件中没有下载编号';
COMMENT ON COLUMN csv_batch.user_id IS '上传人';
COMMENT ON COLUMN csv_batch.file_name IS '文件名';
COMMENT ON COLUMN csv_batch.sha256 IS '文件';
COMMENT ON COLUMN csv_batch.state IS
    '状态：checking 正在核对、open 待确认、applying 正在写入、applied 已写入、discarded 已放弃、refused 未采用';
COMMENT ON COLUMN csv_batch.counts IS '各种结果的行数和单元格数';
COMMENT ON COLUMN csv_batch.notes IS '读取时的说明';
COMMENT ON COLUMN csv_batch.refusal IS '整个文件未采用的原因';
COMMENT ON COLUMN csv_batch.job_id IS '核对或写入所用的后台任务';
COMMENT ON COLUMN csv_batch.created_at IS '上传时间';
COMMENT ON COLUMN csv_batch.checked_at IS '最近一次比对的时间';
COMMENT ON COLUMN csv_batch.applied_at IS '写入草稿的时间';
COMMENT ON COLUMN csv_batch.expires_at IS '失效时间';

-- Up to 153,196 rows at once: the batch answers for user, form and itself, and its rows are removed
-- before it. Rows that change nothing are only counted.
CREATE TABLE csv_batch_row (
    batch_id      bigint NOT NULL,
    entry_no      integer NOT NULL,
    user_id       bigint NOT NULL,
    file          text NOT NULL,
    row_no        integer NOT NULL,
    group_code    text NOT NULL,
    division_code text,
    row_key       text NOT NULL,
    kind          text NOT NULL,
    seen_version  integer,
    old_values    jsonb NOT NULL DEFAULT '{}',
    new_values    jsonb NOT NULL DEFAULT '{}',
    removed       text[] NOT NULL DEFAULT '{}',
    conflicts     text[] NOT NULL DEFAULT '{}',
    reason        text NOT NULL DEFAULT '',
    problem       text NOT NULL DEFAULT '',
    decision      text,
    PRIMARY KEY (batch_id, entry_no),
    CONSTRAINT csv_batch_row_kind_known CHECK (kind IN ('new', 'changed', 'conflicting', 'refused')),
    CONSTRAINT csv_batch_row_decision_known
        CHECK (decision IN ('mine', 'theirs') AND (decision IS NULL OR kind = 'conflicting'))
);
CREATE INDEX csv_batch_row_kind ON csv_batch_row (batch_id, kind, entry_no);
COMMENT ON TABLE csv_batch_row IS '批次中有内容的行的比对结果（写入草稿时才留痕）';
COMMENT ON COLUMN csv_batch_row.batch_id IS '批次';
COMMENT ON COLUMN csv_batch_row.entry_no IS '次序';
COMMENT ON COLUMN csv_batch_row.user_id IS '上传人';
COMMENT ON COLUMN csv_batch_row.file IS '文件（压缩包中的名称）';
COMMENT ON COLUMN csv_batch_row.row_no IS '行号（标题为第 1 行）';
COMMENT ON COLUMN csv_batch_row.group_code IS '分组';
COMMENT ON COLUMN csv_batch_row.division_code IS '填报单位，空为无法识别或不由上传人填报';
COMMENT ON COLUMN csv_batch_row.row_key IS '行的标识（如自然村代码），空串为单位本身';
COMMENT ON COLUMN csv_batch_row.kind IS '结果：new 新增、changed 修改、conflicting 冲突、refused 不采用';
COMMENT ON COLUMN csv_batch_row.seen_version IS '比对时的草稿版本号，0 为尚无草稿';
COMMENT ON COLUMN csv_batch_row.old_values IS '有变化的字段在草稿中的现值';
COMMENT ON COLUMN csv_batch_row.new_values IS '有变化的字段在文件中的值';
COMMENT ON COLUMN csv_batch_row.removed IS '在文件中被清空的字段';
COMMENT ON COLUMN csv_batch_row.conflicts IS '下载之后已被他人改过的字段';
COMMENT ON COLUMN csv_batch_row.reason IS '不采用的原因';
COMMENT ON COLUMN csv_batch_row.problem IS '不采用的具体问题，或写入后仍须改正的问题';
COMMENT ON COLUMN csv_batch_row.decision IS '冲突的取舍：mine 采用文件的、theirs 保留现值，空为未定';

-- A draft leaves its content out of the trail; what a file of thousands of rows wrote stands there.
-- The batch is locked by whoever writes them, and stays as long as they do.
CREATE TABLE csv_change (
    batch_id      bigint NOT NULL,
    entry_no      integer NOT NULL,
    division_code text NOT NULL,
    group_code    text NOT NULL,
    row_key       text NOT NULL,
    row_no        integer NOT NULL,
    old_values    jsonb NOT NULL,
    new_values    jsonb NOT NULL,
    PRIMARY KEY (batch_id, entry_no)
);
COMMENT ON TABLE csv_change IS 'CSV 数据文件写入草稿的逐行记录（只增不改）';
COMMENT ON COLUMN csv_change.batch_id IS '批次';
COMMENT ON COLUMN csv_change.entry_no IS '次序';
COMMENT ON COLUMN csv_change.division_code IS '填报单位';
COMMENT ON COLUMN csv_change.group_code IS '分组';
COMMENT ON COLUMN csv_change.row_key IS '行的标识，空串为单位本身';
COMMENT ON COLUMN csv_change.row_no IS '文件中的行号';
COMMENT ON COLUMN csv_change.old_values IS '写入前的值';
COMMENT ON COLUMN csv_change.new_values IS '写入的值，空值为清空';

SELECT audit_table('csv_batch'), audit_table('csv_change');

ALTER TABLE csv_batch ENABLE ROW LEVEL SECURITY;
ALTER TABLE csv_batch_row ENABLE ROW LEVEL SECURITY;
ALTER TABLE csv_change ENABLE ROW LEVEL SECURITY;
CREATE POLICY csv_batch_own ON csv_batch TO portal_app
    USING (user_id = (SELECT actor_user_id()));
CREATE POLICY csv_batch_row_own ON csv_batch_row TO portal_app
    USING (user_id = (SELECT actor_user_id())
           AND (division_code IS NULL OR division_code ^@ ANY ((SELECT actor_prefixes())::text[])));
CREATE POLICY csv_change_in_scope ON csv_change TO portal_app
    USING (division_code ^@ ANY ((SELECT actor_prefixes())::text[]));

GRANT SELECT, INSERT (form_code, form_version, period_id, user_id, file_name, sha256)
    , UPDATE (export_id, state, counts, notes, refusal, job_id, checked_at, applied_at)
    ON csv_batch TO portal_app;
GRANT SELECT, DELETE, INSERT (batch_id, entry_no, user_id, file, row_no, group_code, division_code
            , row_key, kind, seen_version, old_values, new_values, removed, conflicts, reason, problem)
    , UPDATE (decision) ON csv_batch_row TO portal_app;
GRANT SELECT, INSERT ON csv_change TO portal_app;

CREATE OR REPLACE FUNCTION remove_old_workbooks(exports_older_than interval) RETURNS SETOF uuid
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    DELETE FROM workbook_batch WHERE expires_at < now() AND state <> 'applying';
    -- What was written stands in csv_change, which keeps its batch.
    DELETE FROM csv_batch_row AS row
     USING csv_batch AS batch
     WHERE batch.batch_id = row.batch_id AND batch.expires_at < now()
       AND batch.state NOT IN ('checking', 'applying');
    DELETE FROM csv_batch
     WHERE expires_at < now() AND state NOT IN ('checking', 'applying', 'applied');
    DELETE FROM workbook_export AS export
     WHERE taken_at < now() - greatest(exports_older_than, interval '30 days')
       AND NOT EXISTS (SELECT FROM workbook_batch WHERE workbook_batch.export_id = export.export_id)
       AND NOT EXISTS (SELECT FROM csv_batch WHERE csv_batch.export_id = export.export_id)
    RETURNING export_id
$$;
