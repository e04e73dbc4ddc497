-- The reporting core: forms and workflows as versioned data, periods, submissions, rounds.
CREATE TABLE code_item (
    table_code text NOT NULL,
    version    text NOT NULL,
    code       text NOT NULL,
    name       text NOT NULL,
    item_order integer NOT NULL,
    basis      text NOT NULL,
    PRIMARY KEY (table_code, version, code)
);
COMMENT ON TABLE code_item IS '代码表';
COMMENT ON COLUMN code_item.table_code IS '代码表名';
COMMENT ON COLUMN code_item.version IS '版本';
COMMENT ON COLUMN code_item.code IS '代码';
COMMENT ON COLUMN code_item.name IS '名称';
COMMENT ON COLUMN code_item.item_order IS '次序';
COMMENT ON COLUMN code_item.basis IS '依据：source、known、assumed';

CREATE TABLE form_version (
    form_code         text NOT NULL,
    version           integer NOT NULL,
    title             text NOT NULL,
    unit_levels       text[] NOT NULL,
    unit_kinds        text[],
    code_version      text NOT NULL,
    rule_version      integer NOT NULL,
    valid_from        date NOT NULL,
    PRIMARY KEY (form_code, version)
);
COMMENT ON TABLE form_version IS '表单（各版本）';
COMMENT ON COLUMN form_version.form_code IS '表单代码';
COMMENT ON COLUMN form_version.version IS '版本';
COMMENT ON COLUMN form_version.title IS '表单名称';
COMMENT ON COLUMN form_version.unit_levels IS '须填报的区划层级';
COMMENT ON COLUMN form_version.unit_kinds IS '须填报的区划类型，空为不限';
COMMENT ON COLUMN form_version.code_version IS '所用代码表版本';
COMMENT ON COLUMN form_version.rule_version IS '所用校验规则版本';
COMMENT ON COLUMN form_version.valid_from IS '启用日期';

-- One row describes one field, once: the page, the check, the workbook and the column come from it.
CREATE TABLE form_field (
    form_code     text NOT NULL,
    version       integer NOT NULL,
    group_code    text NOT NULL,
    field_order   integer NOT NULL,
    field_code    text NOT NULL,
    section       text NOT NULL,
    label         text NOT NULL,
    data_type     text NOT NULL,
    length        text,
    unit          text,
    code_table    text,
    required_when text,
    visible_when  text,
    rule          text,
    rule_message  text,
    help          text,
    sensitivity   text NOT NULL DEFAULT 'open',
    column_name   text,
    read_only     boolean NOT NULL DEFAULT false,
    basis         text NOT NULL,
    PRIMARY KEY (form_code, version, group_code, field_code),
    FOREIGN KEY (form_code, version) REFERENCES form_version,
    CONSTRAINT form_field_type_known CHECK (data_type IN
        ('text', 'long_text', 'integer', 'decimal', 'date', 'code', 'boolean', 'evidence', 'phone')),
    CONSTRAINT form_field_sensitivity_known CHECK (sensitivity IN ('open', 'contact', 'internal'))
);
COMMENT ON TABLE form_field IS '表单字段';
COMMENT ON COLUMN form_field.form_code IS '表单代码';
COMMENT ON COLUMN form_field.version IS '表单版本';
COMMENT ON COLUMN form_field.group_code IS '分组：form 为整表一份，其余为逐行填写的行组';
COMMENT ON COLUMN form_field.field_order IS '次序';
COMMENT ON COLUMN form_field.field_code IS '字段代码';
COMMENT ON COLUMN form_field.section IS '所在分节';
COMMENT ON COLUMN form_field.label IS '字段名称';
COMMENT ON COLUMN form_field.data_type IS '数据类型';
COMMENT ON COLUMN form_field.length IS '长度或“总位数,小数位数”';
COMMENT ON COLUMN form_field.unit IS '计量单位';
COMMENT ON COLUMN form_field.code_table IS '代码表';
COMMENT ON COLUMN form_field.required_when IS '必填条件（表达式），空为选填';
COMMENT ON COLUMN form_field.visible_when IS '显示条件（表达式），空为总是显示';
COMMENT ON COLUMN form_field.rule IS '校验规则（表达式，须为真）';
COMMENT ON COLUMN form_field.rule_message IS '不符合规则时的提示';
COMMENT ON COLUMN form_field.help IS '填写说明';
COMMENT ON COLUMN form_field.sensitivity IS '敏感级：open 公开、contact 联系方式（脱敏）、internal 内部';
COMMENT ON COLUMN form_field.column_name IS '填报后存入的列';
COMMENT ON COLUMN form_field.read_only IS '只读（由系统带出）';
COMMENT ON COLUMN form_field.basis IS '依据：source、known、assumed';

CREATE TABLE workflow_step (
    form_code     text NOT NULL,
    version       integer NOT NULL,
    step_no       integer NOT NULL,
    name          text NOT NULL,
    role          text NOT NULL,
    scope_level   text NOT NULL,
    skip_levels   text[] NOT NULL DEFAULT '{}',
    guard         text,
    working_days  integer,
    basis         text NOT NULL,
    PRIMARY KEY (form_code, version, step_no),
    CONSTRAINT workflow_step_counts_from_one CHECK (step_no >= 1)
);
COMMENT ON TABLE workflow_step IS '审核流程步骤（各版本）';
COMMENT ON COLUMN workflow_step.form_code IS '表单代码';
COMMENT ON COLUMN workflow_step.version IS '流程版本';
COMMENT ON COLUMN workflow_step.step_no IS '步骤序号';
COMMENT ON COLUMN workflow_step.name IS '步骤名称';
COMMENT ON COLUMN workflow_step.role IS '审核角色';
COMMENT ON COLUMN workflow_step.scope_level IS '审核人所在层级';
COMMENT ON COLUMN workflow_step.skip_levels IS '哪些层级的填报单位跳过本步';
COMMENT ON COLUMN workflow_step.guard IS '通过本步的条件（表达式）';
COMMENT ON COLUMN workflow_step.working_days IS '办理时限（工作日）';
COMMENT ON COLUMN workflow_step.basis IS '依据：source、known、assumed';

CREATE TABLE reporting_period (
    period_id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    form_code        text NOT NULL,
    name             text NOT NULL,
    starts_on        date NOT NULL,
    ends_on          date NOT NULL,
    deadline_at      timestamptz NOT NULL,
    form_version     integer NOT NULL,
    workflow_version integer NOT NULL,
    opened_at        timestamptz NOT NULL DEFAULT now(),
    opened_by        bigint REFERENCES account,
    closed_at        timestamptz,
    FOREIGN KEY (form_code, form_version) REFERENCES form_version (form_code, version),
    CONSTRAINT reporting_period_once UNIQUE (form_code, starts_on),
    CONSTRAINT reporting_period_ends_after_start CHECK (ends_on >= starts_on),
    CONSTRAINT reporting_period_closes_after_opening CHECK (closed_at >= opened_at),
    CONSTRAINT reporting_period_no_overlap
        EXCLUDE USING gist (form_code WITH =, daterange(starts_on, ends_on, '[]') WITH &&)
);
COMMENT ON TABLE reporting_period IS '填报期';
COMMENT ON COLUMN reporting_period.period_id IS '填报期标识';
COMMENT ON COLUMN reporting_period.form_code IS '表单代码';
COMMENT ON COLUMN reporting_period.name IS '名称';
COMMENT ON COLUMN reporting_period.starts_on IS '起始日期（含）';
COMMENT ON COLUMN reporting_period.ends_on IS '结束日期（含）';
COMMENT ON COLUMN reporting_period.deadline_at IS '报送截止时间';
COMMENT ON COLUMN reporting_period.form_version IS '表单版本';
COMMENT ON COLUMN reporting_period.workflow_version IS '流程版本';
COMMENT ON COLUMN reporting_period.opened_at IS '开启时间';
COMMENT ON COLUMN reporting_period.opened_by IS '开启人';
COMMENT ON COLUMN reporting_period.closed_at IS '关闭时间';

CREATE TABLE period_extension (
    period_extension_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    period_id           bigint NOT NULL REFERENCES reporting_period,
    division_code       text NOT NULL REFERENCES admin_division,
    deadline_at         timestamptz NOT NULL,
    reason              text NOT NULL,
    granted_by          bigint REFERENCES account,
    granted_at          timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT period_extension_has_reason CHECK (btrim(reason) <> '')
);
CREATE INDEX period_extension_period_id ON period_extension (period_id, division_code);
COMMENT ON TABLE period_extension IS '延期';
COMMENT ON COLUMN period_extension.period_extension_id IS '延期标识';
COMMENT ON COLUMN period_extension.period_id IS '填报期';
COMMENT ON COLUMN period_extension.division_code IS '填报单位';
COMMENT ON COLUMN period_extension.deadline_at IS '延至';
COMMENT ON COLUMN period_extension.reason IS '理由';
COMMENT ON COLUMN period_extension.granted_by IS '批准人';
COMMENT ON COLUMN period_extension.granted_at IS '批准时间';

CREATE TABLE submission (
    submission_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    form_code     text NOT NULL,
    period_id     bigint NOT NULL REFERENCES reporting_period,
    division_code text NOT NULL REFERENCES admin_division,
    state         text NOT NULL DEFAULT 'draft',
    step_no       integer NOT NULL DEFAULT 0,
    round_no      integer NOT NULL DEFAULT 1,
    version_no    integer NOT NULL DEFAULT 0,
    lock_version  integer NOT NULL DEFAULT 1,
    no_change     boolean NOT NULL DEFAULT false,
    filer_id      bigint REFERENCES account,
    submitted_at  timestamptz,
    first_submitted_at timestamptz,
    filed_at      timestamptz,
    receipt_no    text,
    receipt_hash  text,
    created_at    timestamptz NOT NULL DEFAULT now(),
    UNIQUE (submission_id, division_code),
    CONSTRAINT submission_one_per_unit_and_period UNIQUE (period_id, division_code),
    CONSTRAINT submission_receipt_once UNIQUE (receipt_no),
    CONSTRAINT submission_state_known CHECK (state IN ('draft', 'submitted', 'returned', 'filed')),
    CONSTRAINT submission_step_when_submitted CHECK ((state = 'submitted') = (step_no > 0)),
    CONSTRAINT submission_filed_has_receipt
        CHECK ((state = 'filed') = (receipt_no IS NOT NULL AND receipt_hash IS NOT NULL AND filed_at IS NOT NULL))
);
CREATE INDEX submission_queue ON submission (form_code, step_no, submitted_at) WHERE state = 'submitted';
CREATE INDEX submission_division_code ON submission (division_code);
COMMENT ON TABLE submission IS '填报（一个单位一个填报期的一份表）';
COMMENT ON COLUMN submission.submission_id IS '填报标识';
COMMENT ON COLUMN submission.form_code IS '表单代码';
COMMENT ON COLUMN submission.period_id IS '填报期';
COMMENT ON COLUMN submission.division_code IS '填报单位';
COMMENT ON COLUMN submission.state IS '状态：draft 草稿、submitted 审核中、returned 退回、filed 已备案';
COMMENT ON COLUMN submission.step_no IS '当前审核步骤，0 为不在审核中';
COMMENT ON COLUMN submission.round_no IS '审核轮次';
COMMENT ON COLUMN submission.version_no IS '最近报送的版本号';
COMMENT ON COLUMN submission.lock_version IS '并发版本号';
COMMENT ON COLUMN submission.no_change IS '本期无变化';
COMMENT ON COLUMN submission.filer_id IS '填报人';
COMMENT ON COLUMN submission.submitted_at IS '最近报送时间';
COMMENT ON COLUMN submission.first_submitted_at IS '首次报送时间';
COMMENT ON COLUMN submission.filed_at IS '备案时间';
COMMENT ON COLUMN submission.receipt_no IS '备案回执编号';
COMMENT ON COLUMN submission.receipt_hash IS '备案回执校验值（SHA-256）';
COMMENT ON COLUMN submission.created_at IS '建立时间';

-- The draft stands apart from what was filed: saving it moves no state.
CREATE TABLE submission_draft (
    submission_id bigint PRIMARY KEY,
    division_code text NOT NULL,
    content       jsonb NOT NULL,
    draft_version integer NOT NULL DEFAULT 1,
    saved_at      timestamptz NOT NULL DEFAULT now(),
    saved_by      bigint NOT NULL REFERENCES account,
    FOREIGN KEY (submission_id, division_code) REFERENCES submission (submission_id, division_code)
);
COMMENT ON TABLE submission_draft IS '草稿（与正式值分开保存）';
COMMENT ON COLUMN submission_draft.submission_id IS '填报';
COMMENT ON COLUMN submission_draft.division_code IS '填报单位';
COMMENT ON COLUMN submission_draft.content IS '内容';
COMMENT ON COLUMN submission_draft.draft_version IS '草稿版本号';
COMMENT ON COLUMN submission_draft.saved_at IS '保存时间';
COMMENT ON COLUMN submission_draft.saved_by IS '保存人';

CREATE TABLE submission_version (
    submission_id    bigint NOT NULL,
    version_no       integer NOT NULL,
    division_code    text NOT NULL,
    round_no         integer NOT NULL,
    form_version     integer NOT NULL,
    rule_version     integer NOT NULL,
    code_version     text NOT NULL,
    workflow_version integer NOT NULL,
    content          jsonb NOT NULL,
    content_sha256   text NOT NULL,
    no_change        boolean NOT NULL DEFAULT false,
    submitted_by     bigint NOT NULL REFERENCES account,
    submitted_at     timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (submission_id, version_no),
    UNIQUE (submission_id, version_no, division_code),
    FOREIGN KEY (submission_id, division_code) REFERENCES submission (submission_id, division_code)
);
CREATE INDEX submission_version_division_code ON submission_version (division_code, submitted_at DESC);
COMMENT ON TABLE submission_version IS '报送版本（只增不改）';
COMMENT ON COLUMN submission_version.submission_id IS '填报';
COMMENT ON COLUMN submission_version.version_no IS '版本号';
COMMENT ON COLUMN submission_version.division_code IS '填报单位';
COMMENT ON COLUMN submission_version.round_no IS '审核轮次';
COMMENT ON COLUMN submission_version.form_version IS '表单版本';
COMMENT ON COLUMN submission_version.rule_version IS '校验规则版本';
COMMENT ON COLUMN submission_version.code_version IS '代码表版本';
COMMENT ON COLUMN submission_version.workflow_version IS '流程版本';
COMMENT ON COLUMN submission_version.content IS '报送内容';
COMMENT ON COLUMN submission_version.content_sha256 IS '内容校验值（SHA-256）';
COMMENT ON COLUMN submission_version.no_change IS '本期无变化';
COMMENT ON COLUMN submission_version.submitted_by IS '报送人';
COMMENT ON COLUMN submission_version.submitted_at IS '报送时间';

CREATE TABLE review_event (
    review_event_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    submission_id   bigint NOT NULL,
    division_code   text NOT NULL,
    version_no      integer NOT NULL,
    round_no        integer NOT NULL,
    step_no         integer NOT NULL,
    action          text NOT NULL,
    from_state      text NOT NULL,
    to_state        text NOT NULL,
    to_step_no      integer NOT NULL,
    comment         text NOT NULL DEFAULT '',
    user_id         bigint NOT NULL REFERENCES account,
    role            text NOT NULL,
    happened_at     timestamptz NOT NULL DEFAULT now(),
    FOREIGN KEY (submission_id, division_code) REFERENCES submission (submission_id, division_code),
    CONSTRAINT review_event_return_has_comment CHECK (action <> 'return' OR btrim(comment) <> ''),
    CONSTRAINT review_event_action_known CHECK (action IN ('submit', 'withdraw', 'approve', 'return'))
);
CREATE INDEX review_event_submission_id ON review_event (submission_id, happened_at);
CREATE INDEX review_event_happened_at ON review_event (happened_at);
COMMENT ON TABLE review_event IS '审核记录';
COMMENT ON COLUMN review_event.review_event_id IS '记录标识';
COMMENT ON COLUMN review_event.submission_id IS '填报';
COMMENT ON COLUMN review_event.division_code IS '填报单位';
COMMENT ON COLUMN review_event.version_no IS '所针对的报送版本';
COMMENT ON COLUMN review_event.round_no IS '审核轮次';
COMMENT ON COLUMN review_event.step_no IS '所在步骤，0 为填报人操作';
COMMENT ON COLUMN review_event.action IS '操作：submit 报送、withdraw 撤回、approve 通过、return 退回';
COMMENT ON COLUMN review_event.from_state IS '操作前状态';
COMMENT ON COLUMN review_event.to_state IS '操作后状态';
COMMENT ON COLUMN review_event.to_step_no IS '操作后步骤';
COMMENT ON COLUMN review_event.comment IS '意见';
COMMENT ON COLUMN review_event.user_id IS '操作人';
COMMENT ON COLUMN review_event.role IS '以何角色';
COMMENT ON COLUMN review_event.happened_at IS '时间';

CREATE TABLE review_remark (
    review_remark_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    review_event_id  bigint NOT NULL REFERENCES review_event,
    submission_id    bigint NOT NULL,
    division_code    text NOT NULL,
    field_path       text NOT NULL,
    reason           text NOT NULL,
    reply            text,
    replied_by       bigint REFERENCES account,
    replied_at       timestamptz,
    FOREIGN KEY (submission_id, division_code) REFERENCES submission (submission_id, division_code),
    CONSTRAINT review_remark_has_reason CHECK (btrim(reason) <> '')
);
CREATE INDEX review_remark_submission_id ON review_remark (submission_id);
CREATE INDEX review_remark_review_event_id ON review_remark (review_event_id);
COMMENT ON TABLE review_remark IS '逐项退回理由及答复';
COMMENT ON COLUMN review_remark.review_remark_id IS '标识';
COMMENT ON COLUMN review_remark.review_event_id IS '所属退回';
COMMENT ON COLUMN review_remark.submission_id IS '填报';
COMMENT ON COLUMN review_remark.division_code IS '填报单位';
COMMENT ON COLUMN review_remark.field_path IS '字段位置，空串为总体意见';
COMMENT ON COLUMN review_remark.reason IS '退回理由';
COMMENT ON COLUMN review_remark.reply IS '答复';
COMMENT ON COLUMN review_remark.replied_by IS '答复人';
COMMENT ON COLUMN review_remark.replied_at IS '答复时间';

CREATE TABLE outbox_event (
    event_id     uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    topic        text NOT NULL,
    subject      text NOT NULL,
    payload      jsonb NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now(),
    delivered_at timestamptz
);
CREATE INDEX outbox_event_waiting ON outbox_event (created_at) WHERE delivered_at IS NULL;
COMMENT ON TABLE outbox_event IS '对外事件（与业务同一事务写入，标识稳定）';
COMMENT ON COLUMN outbox_event.event_id IS '事件标识';
COMMENT ON COLUMN outbox_event.topic IS '主题';
COMMENT ON COLUMN outbox_event.subject IS '对象';
COMMENT ON COLUMN outbox_event.payload IS '内容';
COMMENT ON COLUMN outbox_event.created_at IS '产生时间';
COMMENT ON COLUMN outbox_event.delivered_at IS '送达时间';

SELECT audit_table('form_version'), audit_table('form_field'), audit_table('workflow_step')
     , audit_table('code_item'), audit_table('reporting_period'), audit_table('period_extension')
     , audit_table('submission'), audit_table('submission_version'), audit_table('review_event')
     , audit_table('review_remark'), audit_table('portal_setting')
     -- A draft is saved every few keystrokes: the trail says who and when, the draft says what.
     , audit_table('submission_draft', '{content}');

-- Work tables are seen through the actor's grants, by a column of the row itself.
ALTER TABLE submission ENABLE ROW LEVEL SECURITY;
ALTER TABLE submission_draft ENABLE ROW LEVEL SECURITY;
ALTER TABLE submission_version ENABLE ROW LEVEL SECURITY;
ALTER TABLE review_event ENABLE ROW LEVEL SECURITY;
ALTER TABLE review_remark ENABLE ROW LEVEL SECURITY;
ALTER TABLE period_extension ENABLE ROW LEVEL SECURITY;
CREATE POLICY submission_in_scope ON submission TO portal_app
    USING (division_code ^@ ANY ((SELECT actor_prefixes())::text[]));
CREATE POLICY submission_draft_in_scope ON submission_draft TO portal_app
    USING (division_code ^@ ANY ((SELECT actor_prefixes())::text[]));
CREATE POLICY submission_version_in_scope ON submission_version TO portal_app
    USING (division_code ^@ ANY ((SELECT actor_prefixes())::text[]));
CREATE POLICY review_event_in_scope ON review_event TO portal_app
    USING (division_code ^@ ANY ((SELECT actor_prefixes())::text[]));
CREATE POLICY review_remark_in_scope ON review_remark TO portal_app
    USING (division_code ^@ ANY ((SELECT actor_prefixes())::text[]));
CREATE POLICY period_extension_in_scope ON period_extension TO portal_app
    USING (division_code ^@ ANY ((SELECT actor_prefixes())::text[]));

-- What was filed and decided is only ever added to; the times are the database's own.
GRANT SELECT ON code_item, form_version, form_field, workflow_step TO portal_app;
GRANT SELECT, UPDATE (value) ON portal_setting TO portal_app;
GRANT SELECT ON reporting_period, period_extension, submission, submission_draft
    , submission_version, review_event, review_remark, outbox_event TO portal_app;
GRANT INSERT (form_code, name, starts_on, ends_on, deadline_at, form_version, workflow_version, opened_by)
    , UPDATE (name, deadline_at, closed_at) ON reporting_period TO portal_app;
GRANT INSERT (period_id, division_code, deadline_at, reason, granted_by) ON period_extension TO portal_app;
GRANT INSERT (form_code, period_id, division_code, filer_id)
    , UPDATE (state, step_no, round_no, version_no, lock_version, no_change, filer_id, submitted_at
            , first_submitted_at, filed_at, receipt_no, receipt_hash) ON submission TO portal_app;
GRANT INSERT, UPDATE, DELETE ON submission_draft TO portal_app;
GRANT INSERT (submission_id, version_no, division_code, round_no, form_version, rule_version
            , code_version, workflow_version, content, content_sha256, no_change, submitted_by)
    ON submission_version TO portal_app;
GRANT INSERT (submission_id, division_code, version_no, round_no, step_no, action, from_state
            , to_state, to_step_no, comment, user_id, role) ON review_event TO portal_app;
GRANT INSERT (review_event_id, submission_id, division_code, field_path, reason)
    , UPDATE (reply, replied_by, replied_at) ON review_remark TO portal_app;
GRANT INSERT (topic, subject, payload), UPDATE (delivered_at) ON outbox_event TO portal_app;
