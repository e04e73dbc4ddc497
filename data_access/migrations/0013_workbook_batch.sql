-- Excel there and back: what each workbook was taken from, and what came back in it; history from
-- the sheets of before the portal.

-- What was handed out is kept here, so a workbook cannot lie about what it started from.
CREATE TABLE workbook_export (
    export_id    uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    form_code    text NOT NULL,
    form_version integer NOT NULL,
    period_id    bigint NOT NULL REFERENCES reporting_period,
    scope_name   text NOT NULL,
    unit_codes   text[] NOT NULL,
    taken_by     bigint NOT NULL REFERENCES account,
    taken_at     timestamptz NOT NULL DEFAULT now(),
    job_id       bigint,
    ready_at     timestamptz,
    FOREIGN KEY (form_code, form_version) REFERENCES form_version (form_code, version)
);
CREATE INDEX workbook_export_period_id ON workbook_export (period_id);
CREATE INDEX workbook_export_taken_by ON workbook_export (taken_by, taken_at DESC);
COMMENT ON TABLE workbook_export IS '下载的填报工作簿（一次下载一行）';
COMMENT ON COLUMN workbook_export.export_id IS '下载标识（写在工作簿中）';
COMMENT ON COLUMN workbook_export.form_code IS '表单代码';
COMMENT ON COLUMN workbook_export.form_version IS '表单版本';
COMMENT ON COLUMN workbook_export.period_id IS '填报期';
COMMENT ON COLUMN workbook_export.scope_name IS '范围名称';
COMMENT ON COLUMN workbook_export.unit_codes IS '所含填报单位';
COMMENT ON COLUMN workbook_export.taken_by IS '下载人';
COMMENT ON COLUMN workbook_export.taken_at IS '下载时间';
COMMENT ON COLUMN workbook_export.job_id IS '生成工作簿的后台任务，空为当时直接生成';
COMMENT ON COLUMN workbook_export.ready_at IS '后台生成完成的时间';

CREATE TABLE workbook_export_unit (
    export_id     uuid NOT NULL REFERENCES workbook_export ON DELETE CASCADE,
    division_code text NOT NULL REFERENCES admin_division,
    submission_id bigint,
    draft_version integer,
    content       jsonb NOT NULL,
    PRIMARY KEY (export_id, division_code),
    FOREIGN KEY (submission_id, division_code) REFERENCES submission (submission_id, division_code)
);
CREATE INDEX workbook_export_unit_division_code ON workbook_export_unit (division_code);
COMMENT ON TABLE workbook_export_unit IS '下载的填报工作簿中各单位的内容（比对的起点）';
COMMENT ON COLUMN workbook_export_unit.export_id IS '下载';
COMMENT ON COLUMN workbook_export_unit.division_code IS '填报单位';
COMMENT ON COLUMN workbook_export_unit.submission_id IS '填报，空为当时尚无草稿';
COMMENT ON COLUMN workbook_export_unit.draft_version IS '当时的草稿版本号，空为当时尚无草稿';
COMMENT ON COLUMN workbook_export_unit.content IS '当时写入工作簿的内容（无权查看者的联系方式已脱敏）';

-- What came back in one file, until it is applied, thrown away, or its time is over.
CREATE TABLE workbook_batch (
    batch_id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    export_id       uuid NOT NULL REFERENCES workbook_export,
    user_id         bigint NOT NULL REFERENCES account,
    file_name       text NOT NULL,
    sha256          text NOT NULL REFERENCES stored_file,
    state           text NOT NULL DEFAULT 'open',
    unchanged_count integer NOT NULL DEFAULT 0,
    notes           text[] NOT NULL DEFAULT '{}',
    created_at      timestamptz NOT NULL DEFAULT now(),
    checked_at      timestamptz NOT NULL DEFAULT now(),
    expires_at      timestamptz NOT NULL DEFAULT now() + interval '7 days',
    applied_at      timestamptz,
    job_id          bigint,
    CONSTRAINT workbook_batch_state_known CHECK (state IN ('open', 'applying', 'applied', 'discarded')),
    CONSTRAINT workbook_batch_applied_at_a_time CHECK ((state = 'applied') = (applied_at IS NOT NULL)),
    CONSTRAINT workbook_batch_named CHECK (btrim(file_name) <> '')
);
CREATE INDEX workbook_batch_user_id ON workbook_batch (user_id, created_at DESC);
CREATE INDEX workbook_batch_export_id ON workbook_batch (export_id);
COMMENT ON TABLE workbook_batch IS '上传的填报工作簿（一个文件一批，预览后写入草稿）';
COMMENT ON COLUMN workbook_batch.batch_id IS '批次标识';
COMMENT ON COLUMN workbook_batch.export_id IS '所依据的下载';
COMMENT ON COLUMN workbook_batch.user_id IS '上传人';
COMMENT ON COLUMN workbook_batch.file_name IS '文件名';
COMMENT ON COLUMN workbook_batch.sha256 IS '文件';
COMMENT ON COLUMN workbook_batch.state IS '状态：open 待确认、applying 正在写入、applied 已写入、discarded 已放弃';
COMMENT ON COLUMN workbook_batch.unchanged_count IS '没有变化的单元格数';
COMMENT ON COLUMN workbook_batch.notes IS '读取时的说明';
COMMENT ON COLUMN workbook_batch.created_at IS '上传时间';
COMMENT ON COLUMN workbook_batch.checked_at IS '最近一次比对的时间';
COMMENT ON COLUMN workbook_batch.expires_at IS '失效时间';
COMMENT ON COLUMN workbook_batch.applied_at IS '写入草稿的时间';
COMMENT ON COLUMN workbook_batch.job_id IS '写入所用的后台任务';

CREATE TABLE workbook_batch_unit (
    batch_id      bigint NOT NULL REFERENCES workbook_batch ON DELETE CASCADE,
    division_code text NOT NULL REFERENCES admin_division,
    user_id       bigint NOT NULL REFERENCES account,
    unit_name     text NOT NULL,
    is_open       boolean NOT NULL,
    submission_id bigint,
    seen_sha256   text NOT NULL,
    error_count   integer NOT NULL DEFAULT 0,
    saved_version integer,
    PRIMARY KEY (batch_id, division_code)
);
COMMENT ON TABLE workbook_batch_unit IS '批次中的填报单位';
COMMENT ON COLUMN workbook_batch_unit.batch_id IS '批次';
COMMENT ON COLUMN workbook_batch_unit.division_code IS '填报单位';
COMMENT ON COLUMN workbook_batch_unit.user_id IS '上传人';
COMMENT ON COLUMN workbook_batch_unit.unit_name IS '单位名称';
COMMENT ON COLUMN workbook_batch_unit.is_open IS '填报是否在填报人手中（可以写入）';
COMMENT ON COLUMN workbook_batch_unit.submission_id IS '填报，空为尚无草稿';
COMMENT ON COLUMN workbook_batch_unit.seen_sha256 IS '比对时草稿内容的校验值，写入前再核对';
COMMENT ON COLUMN workbook_batch_unit.error_count IS '写入后报送前还须改正的问题数';
COMMENT ON COLUMN workbook_batch_unit.saved_version IS '写入后的草稿版本号';

-- Tens of thousands of rows at once: the batch answers for user and units.
CREATE TABLE workbook_batch_row (
    batch_id      bigint NOT NULL REFERENCES workbook_batch ON DELETE CASCADE,
    entry_no      integer NOT NULL,
    user_id       bigint NOT NULL,
    division_code text,
    unit_name     text NOT NULL,
    sheet         text NOT NULL,
    row_no        integer,
    group_code    text NOT NULL,
    row_key       text NOT NULL,
    field_code    text NOT NULL,
    label         text NOT NULL,
    kind          text NOT NULL,
    old_value     jsonb NOT NULL,
    new_value     jsonb NOT NULL,
    reason        text NOT NULL DEFAULT '',
    problem       text NOT NULL DEFAULT '',
    severity      text NOT NULL DEFAULT '',
    decision      text,
    PRIMARY KEY (batch_id, entry_no),
    CONSTRAINT workbook_batch_row_kind_known
        CHECK (kind IN ('new', 'changed', 'unchanged', 'conflicting', 'refused')),
    CONSTRAINT workbook_batch_row_decision_known
        CHECK (decision IN ('mine', 'theirs') AND (decision IS NULL OR kind = 'conflicting'))
);
CREATE INDEX workbook_batch_row_kind ON workbook_batch_row (batch_id, kind, entry_no);
COMMENT ON TABLE workbook_batch_row IS '批次中的逐项比对结果（写入草稿时才留痕）';
COMMENT ON COLUMN workbook_batch_row.batch_id IS '批次';
COMMENT ON COLUMN workbook_batch_row.entry_no IS '次序';
COMMENT ON COLUMN workbook_batch_row.user_id IS '上传人';
COMMENT ON COLUMN workbook_batch_row.division_code IS '填报单位，空为不由上传人填报的单位或无法识别的行';
COMMENT ON COLUMN workbook_batch_row.unit_name IS '单位名称';
COMMENT ON COLUMN workbook_batch_row.sheet IS '工作表';
COMMENT ON COLUMN workbook_batch_row.row_no IS '行号';
COMMENT ON COLUMN workbook_batch_row.group_code IS '分组';
COMMENT ON COLUMN workbook_batch_row.row_key IS '行的标识';
COMMENT ON COLUMN workbook_batch_row.field_code IS '字段代码，空为整行';
COMMENT ON COLUMN workbook_batch_row.label IS '名称（行 · 字段）';
COMMENT ON COLUMN workbook_batch_row.kind IS '结果：new 新增、changed 修改、unchanged 未变、conflicting 冲突、refused 不采用';
COMMENT ON COLUMN workbook_batch_row.old_value IS '草稿中的现值';
COMMENT ON COLUMN workbook_batch_row.new_value IS '工作簿中的值';
COMMENT ON COLUMN workbook_batch_row.reason IS '不采用的原因';
COMMENT ON COLUMN workbook_batch_row.problem IS '写入后仍须改正或留意的问题';
COMMENT ON COLUMN workbook_batch_row.severity IS '问题的程度：error、warning、unchecked';
COMMENT ON COLUMN workbook_batch_row.decision IS '冲突的取舍：mine 采用工作簿的、theirs 保留现值，空为未定';

-- Before the portal the counties mailed their progress; a file of it becomes accepted facts once.
CREATE TABLE history_import (
    history_import_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    file_name   text NOT NULL,
    sha256      text NOT NULL,
    row_count   integer NOT NULL,
    imported_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT history_import_not_empty CHECK (row_count > 0)
);
COMMENT ON TABLE history_import IS '历史进度导入（门户启用前的进度表）';
COMMENT ON COLUMN history_import.history_import_id IS '导入标识';
COMMENT ON COLUMN history_import.file_name IS '文件名';
COMMENT ON COLUMN history_import.sha256 IS '文件的 SHA-256';
COMMENT ON COLUMN history_import.row_count IS '写入的行数';
COMMENT ON COLUMN history_import.imported_at IS '导入时间';

-- A fact comes from a report or from an import: one of the two, said in the row.
ALTER TABLE accepted_milestone
    ALTER COLUMN submission_id DROP NOT NULL
  , ALTER COLUMN version_no DROP NOT NULL
  , ADD COLUMN history_import_id bigint REFERENCES history_import
  , ADD COLUMN import_row integer
  , ADD CONSTRAINT accepted_milestone_has_one_source CHECK (
        (submission_id IS NULL) = (version_no IS NULL)
        AND (history_import_id IS NULL) = (import_row IS NULL)
        AND (submission_id IS NULL) <> (history_import_id IS NULL));
CREATE INDEX accepted_milestone_history_import_id ON accepted_milestone (history_import_id)
 WHERE history_import_id IS NOT NULL;
COMMENT ON COLUMN accepted_milestone.history_import_id IS '依据的历史进度导入，空为依据填报';
COMMENT ON COLUMN accepted_milestone.import_row IS '历史进度导入文件中的行号';

CREATE TRIGGER history_import_on_dashboard AFTER INSERT ON history_import
   FOR EACH STATEMENT EXECUTE FUNCTION note_dashboard_change();

INSERT INTO upload_use (use, title, roles, media_types, max_size, max_unpacked) VALUES
    ('workbook', 'Excel 填报工作簿', '{city,county}'
     , '{application/vnd.openxmlformats-officedocument.spreadsheetml.sheet}', 31457280, 209715200);

-- Nobody sees another's batch; the clock may still forget what nobody wants any more.
CREATE FUNCTION remove_old_workbooks(exports_older_than interval) RETURNS SETOF uuid
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    DELETE FROM workbook_batch WHERE expires_at < now() AND state <> 'applying';
    DELETE FROM workbook_export AS export
     WHERE taken_at < now() - greatest(exports_older_than, interval '30 days')
       AND NOT EXISTS (SELECT FROM workbook_batch WHERE workbook_batch.export_id = export.export_id)
    RETURNING export_id
$$;
REVOKE ALL ON FUNCTION remove_old_workbooks(interval) FROM PUBLIC;

-- The content of an export is that of the drafts, which have their own trail.
SELECT audit_table('workbook_export'), audit_table('workbook_export_unit', '{content}')
     , audit_table('workbook_batch'), audit_table('history_import');

ALTER TABLE workbook_export_unit ENABLE ROW LEVEL SECURITY;
ALTER TABLE workbook_batch ENABLE ROW LEVEL SECURITY;
ALTER TABLE workbook_batch_unit ENABLE ROW LEVEL SECURITY;
ALTER TABLE workbook_batch_row ENABLE ROW LEVEL SECURITY;
CREATE POLICY workbook_export_unit_in_scope ON workbook_export_unit TO portal_app
    USING (division_code ^@ ANY ((SELECT actor_prefixes())::text[]));
-- A batch is its uploader's, and of it only what is in his scope today.
CREATE POLICY workbook_batch_own ON workbook_batch TO portal_app
    USING (user_id = (SELECT actor_user_id()));
CREATE POLICY workbook_batch_unit_own ON workbook_batch_unit TO portal_app
    USING (user_id = (SELECT actor_user_id())
           AND division_code ^@ ANY ((SELECT actor_prefixes())::text[]));
CREATE POLICY workbook_batch_row_own ON workbook_batch_row TO portal_app
    USING (user_id = (SELECT actor_user_id())
           AND (division_code IS NULL OR division_code ^@ ANY ((SELECT actor_prefixes())::text[])));

GRANT SELECT, INSERT (export_id, form_code, form_version, period_id, scope_name, unit_codes, taken_by, job_id)
    , UPDATE (job_id, ready_at) ON workbook_export TO portal_app;
GRANT SELECT, INSERT ON workbook_export_unit TO portal_app;
GRANT SELECT, INSERT (export_id, user_id, file_name, sha256)
    , UPDATE (state, unchanged_count, notes, checked_at, applied_at, job_id) ON workbook_batch TO portal_app;
GRANT SELECT, DELETE, INSERT (batch_id, division_code, user_id, unit_name, is_open, submission_id, seen_sha256, error_count)
    , UPDATE (submission_id, saved_version) ON workbook_batch_unit TO portal_app;
GRANT SELECT, DELETE, INSERT (batch_id, entry_no, user_id, division_code, unit_name, sheet, row_no
            , group_code, row_key, field_code, label, kind, old_value, new_value, reason, problem, severity, decision)
    , UPDATE (decision) ON workbook_batch_row TO portal_app;
GRANT SELECT ON history_import TO portal_app;
GRANT EXECUTE ON FUNCTION remove_old_workbooks(interval) TO portal_app;
