-- Form B, compile units: contracts as filed and as accepted, the units known; files of any form's row.

-- EVIDENCE: of a row of any form. A plan and a stage are named where the row has them.
ALTER TABLE evidence
      ADD COLUMN form_code text
    , ADD COLUMN group_code text
    , ADD COLUMN row_key text
    , ALTER COLUMN plan_id DROP NOT NULL
    , ALTER COLUMN stage_code DROP NOT NULL;
COMMENT ON COLUMN evidence.form_code IS '表单代码';
COMMENT ON COLUMN evidence.group_code IS '表单中的行组';
COMMENT ON COLUMN evidence.row_key IS '行组中的行';
COMMENT ON COLUMN evidence.plan_id IS '规划（该行属于一项规划时）';
COMMENT ON COLUMN evidence.stage_code IS '阶段（该行是一个编制阶段时）';
SET LOCAL app.bulk_load = 'on';
UPDATE evidence
   SET form_code = 'plan_progress', group_code = 'milestone', row_key = plan_id || '/' || stage_code;
SELECT log_bulk_load('evidence', count(*), 'form_code, group_code, row_key', 'migration.0012')
  FROM evidence
HAVING count(*) > 0;
SET LOCAL app.bulk_load = 'off';
ALTER TABLE evidence
      ALTER COLUMN form_code SET NOT NULL
    , ALTER COLUMN group_code SET NOT NULL
    , ALTER COLUMN row_key SET NOT NULL;
CREATE INDEX evidence_division_code ON evidence (division_code, form_code);
GRANT INSERT (form_code, group_code, row_key) ON evidence TO portal_app;

-- COMPILE UNITS: who they are is no secret, so every filer chooses from the same list.
CREATE TABLE compile_unit (
    uscc       text PRIMARY KEY,
    name       text NOT NULL,
    unit_type  text,
    grade      text,
    cert_no    text,
    cert_valid date,
    province   text,
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT compile_unit_uscc_shaped CHECK (uscc ~ '^[0-9A-HJ-NPQRTUWXY]{18}$'),
    CONSTRAINT compile_unit_named CHECK (btrim(name) <> '')
);
CREATE INDEX compile_unit_name ON compile_unit (name);
COMMENT ON TABLE compile_unit IS '编制单位名录（由省级认定的填报带入，供再次选用）';
COMMENT ON COLUMN compile_unit.uscc IS '统一社会信用代码';
COMMENT ON COLUMN compile_unit.name IS '名称';
COMMENT ON COLUMN compile_unit.unit_type IS '类型（代码表 BZDWLX）';
COMMENT ON COLUMN compile_unit.grade IS '资质等级（代码表 BZDWZZ）';
COMMENT ON COLUMN compile_unit.cert_no IS '资质证书编号';
COMMENT ON COLUMN compile_unit.cert_valid IS '资质有效期至';
COMMENT ON COLUMN compile_unit.province IS '注册地（省）';
COMMENT ON COLUMN compile_unit.updated_at IS '更新时间';

-- CONTRACTS: one row a plan and version; the columns that form_field names.
CREATE TABLE filed_contract (
    submission_id      bigint NOT NULL,
    version_no         integer NOT NULL,
    division_code      text NOT NULL,
    plan_id            bigint NOT NULL,
    progress_stage     text,
    contract_status    text,
    purchase_method    text,
    tender_date        date,
    bid_date           date,
    contract_no        text,
    contract_amount    numeric(12, 2),
    contract_sign_date date,
    contract_end_date  date,
    is_consortium      boolean,
    unit1_uscc         text,
    unit1_name         text,
    unit1_type         text,
    unit1_grade        text,
    unit1_cert_no      text,
    unit1_cert_valid   date,
    unit1_province     text,
    unit2_uscc         text,
    unit2_name         text,
    unit2_type         text,
    unit2_grade        text,
    unit2_cert_no      text,
    unit2_cert_valid   date,
    unit2_province     text,
    leader_name        text,
    leader_title       text,
    leader_reg_planner boolean,
    leader_phone       text,
    team_size          integer,
    reg_planner_cnt    integer,
    disciplines        text,
    site_staff         integer,
    owner_dept         text,
    owner_contact      text,
    owner_phone        text,
    performance_score  integer,
    evidence_ids       bigint[] NOT NULL DEFAULT '{}',
    remark             text,
    PRIMARY KEY (submission_id, version_no, plan_id),
    FOREIGN KEY (submission_id, version_no, division_code)
        REFERENCES submission_version (submission_id, version_no, division_code),
    FOREIGN KEY (plan_id, division_code) REFERENCES plan (plan_id, division_code),
    CONSTRAINT filed_contract_amount_positive CHECK (contract_amount > 0),
    CONSTRAINT filed_contract_dates_in_order
        CHECK (tender_date <= bid_date AND bid_date <= contract_sign_date
               AND contract_sign_date < contract_end_date),
    CONSTRAINT filed_contract_planners_in_team CHECK (reg_planner_cnt BETWEEN 0 AND team_size),
    CONSTRAINT filed_contract_score_0_to_100 CHECK (performance_score BETWEEN 0 AND 100)
);
CREATE INDEX filed_contract_plan_id ON filed_contract (plan_id);
COMMENT ON TABLE filed_contract IS '填报的编制合同（按报送版本，只增不改）';
COMMENT ON COLUMN filed_contract.submission_id IS '填报';
COMMENT ON COLUMN filed_contract.version_no IS '报送版本';
COMMENT ON COLUMN filed_contract.division_code IS '填报单位';
COMMENT ON COLUMN filed_contract.plan_id IS '规划';
COMMENT ON COLUMN filed_contract.progress_stage IS '当时的编制阶段（由编制进度带出）';
COMMENT ON COLUMN filed_contract.contract_status IS '合同状态（代码表 HTZT）';
COMMENT ON COLUMN filed_contract.purchase_method IS '采购方式（代码表 CGFS）';
COMMENT ON COLUMN filed_contract.tender_date IS '招标公告日期';
COMMENT ON COLUMN filed_contract.bid_date IS '中标（成交）日期';
COMMENT ON COLUMN filed_contract.contract_no IS '合同编号';
COMMENT ON COLUMN filed_contract.contract_amount IS '合同金额（万元）';
COMMENT ON COLUMN filed_contract.contract_sign_date IS '合同签订日期';
COMMENT ON COLUMN filed_contract.contract_end_date IS '合同约定完成日期';
COMMENT ON COLUMN filed_contract.is_consortium IS '是否联合体';
COMMENT ON COLUMN filed_contract.unit1_uscc IS '牵头单位统一社会信用代码';
COMMENT ON COLUMN filed_contract.unit1_name IS '牵头单位名称';
COMMENT ON COLUMN filed_contract.unit1_type IS '牵头单位类型（代码表 BZDWLX）';
COMMENT ON COLUMN filed_contract.unit1_grade IS '牵头单位资质等级（代码表 BZDWZZ）';
COMMENT ON COLUMN filed_contract.unit1_cert_no IS '牵头单位资质证书编号';
COMMENT ON COLUMN filed_contract.unit1_cert_valid IS '牵头单位资质有效期至';
COMMENT ON COLUMN filed_contract.unit1_province IS '牵头单位注册地（省）';
COMMENT ON COLUMN filed_contract.unit2_uscc IS '联合体成员统一社会信用代码';
COMMENT ON COLUMN filed_contract.unit2_name IS '联合体成员名称';
COMMENT ON COLUMN filed_contract.unit2_type IS '联合体成员类型（代码表 BZDWLX）';
COMMENT ON COLUMN filed_contract.unit2_grade IS '联合体成员资质等级（代码表 BZDWZZ）';
COMMENT ON COLUMN filed_contract.unit2_cert_no IS '联合体成员资质证书编号';
COMMENT ON COLUMN filed_contract.unit2_cert_valid IS '联合体成员资质有效期至';
COMMENT ON COLUMN filed_contract.unit2_province IS '联合体成员注册地（省）';
COMMENT ON COLUMN filed_contract.leader_name IS '项目负责人';
COMMENT ON COLUMN filed_contract.leader_title IS '项目负责人职称';
COMMENT ON COLUMN filed_contract.leader_reg_planner IS '项目负责人是否注册城乡规划师';
COMMENT ON COLUMN filed_contract.leader_phone IS '项目负责人电话';
COMMENT ON COLUMN filed_contract.team_size IS '项目组人数';
COMMENT ON COLUMN filed_contract.reg_planner_cnt IS '注册城乡规划师人数';
COMMENT ON COLUMN filed_contract.disciplines IS '专业构成';
COMMENT ON COLUMN filed_contract.site_staff IS '驻场人数';
COMMENT ON COLUMN filed_contract.owner_dept IS '委托部门';
COMMENT ON COLUMN filed_contract.owner_contact IS '委托方联系人';
COMMENT ON COLUMN filed_contract.owner_phone IS '委托方联系电话';
COMMENT ON COLUMN filed_contract.performance_score IS '履约评价（分，0—100）';
COMMENT ON COLUMN filed_contract.evidence_ids IS '附件';
COMMENT ON COLUMN filed_contract.remark IS '备注';

-- The newest row of a plan up to a moment is what was accepted at that moment.
CREATE TABLE accepted_contract (
    LIKE filed_contract INCLUDING COMMENTS INCLUDING DEFAULTS,
    accepted_by bigint NOT NULL REFERENCES account,
    accepted_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (submission_id, version_no, plan_id),
    FOREIGN KEY (submission_id, version_no, division_code)
        REFERENCES submission_version (submission_id, version_no, division_code),
    FOREIGN KEY (plan_id, division_code) REFERENCES plan (plan_id, division_code),
    FOREIGN KEY (unit1_uscc) REFERENCES compile_unit,
    FOREIGN KEY (unit2_uscc) REFERENCES compile_unit,
    CONSTRAINT accepted_contract_has_status CHECK (contract_status IS NOT NULL)
);
CREATE INDEX accepted_contract_plan_id ON accepted_contract (plan_id, accepted_at DESC);
CREATE INDEX accepted_contract_unit1_uscc ON accepted_contract (unit1_uscc);
CREATE INDEX accepted_contract_unit2_uscc ON accepted_contract (unit2_uscc);
COMMENT ON TABLE accepted_contract IS '省级认定的编制合同（按认定时间累积，只增不改）';
COMMENT ON COLUMN accepted_contract.accepted_by IS '认定人';
COMMENT ON COLUMN accepted_contract.accepted_at IS '认定时间';

SELECT audit_table('compile_unit'), audit_table('filed_contract'), audit_table('accepted_contract');

ALTER TABLE filed_contract ENABLE ROW LEVEL SECURITY;
ALTER TABLE accepted_contract ENABLE ROW LEVEL SECURITY;
CREATE POLICY filed_contract_in_scope ON filed_contract TO portal_app
    USING (division_code ^@ ANY ((SELECT actor_prefixes())::text[]));
CREATE POLICY accepted_contract_in_scope ON accepted_contract TO portal_app
    USING (division_code ^@ ANY ((SELECT actor_prefixes())::text[]));

GRANT SELECT ON compile_unit, filed_contract, accepted_contract TO portal_app;
GRANT INSERT ON filed_contract TO portal_app;
GRANT INSERT (uscc, name, unit_type, grade, cert_no, cert_valid, province)
    , UPDATE (name, unit_type, grade, cert_no, cert_valid, province, updated_at)
   ON compile_unit TO portal_app;
-- Everything but the time, which is the database's own.
DO $$
BEGIN
    EXECUTE (
        SELECT 'GRANT INSERT (' || string_agg(quote_ident(attname), ', ') || ') ON accepted_contract TO portal_app'
          FROM pg_attribute
         WHERE attrelid = CAST('accepted_contract' AS regclass) AND attnum > 0
           AND NOT attisdropped AND attname <> 'accepted_at');
END
$$;
