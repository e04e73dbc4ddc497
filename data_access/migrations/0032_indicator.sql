-- Indicators as data: sets side by side, one canonical code for what is filed once, values and targets.

-- WHO DELIVERS: a grant of the role department names one in its subject, by any of its names.
CREATE TABLE data_department (
    department       text PRIMARY KEY,
    title            text NOT NULL,
    aliases          text[] NOT NULL,
    department_order integer NOT NULL,
    basis            text NOT NULL
);
COMMENT ON TABLE data_department IS '指标数据提供部门';
COMMENT ON COLUMN data_department.department IS '部门（指标表中的简称）';
COMMENT ON COLUMN data_department.title IS '名称';
COMMENT ON COLUMN data_department.aliases IS '账号授权“专题”中可以写的名称';
COMMENT ON COLUMN data_department.department_order IS '次序';
COMMENT ON COLUMN data_department.basis IS '依据：source、known、assumed';

CREATE TABLE indicator_set (
    set_code   text PRIMARY KEY,
    title      text NOT NULL,
    standard   text NOT NULL,
    purpose    text NOT NULL,
    set_order  integer NOT NULL,
    valid_from date NOT NULL,
    valid_to   date,
    basis      text NOT NULL,
    basis_note text NOT NULL,
    CONSTRAINT indicator_set_purpose_known CHECK (purpose IN ('status', 'checkup', 'plan')),
    CONSTRAINT indicator_set_ends_after_start CHECK (valid_to > valid_from)
);
COMMENT ON TABLE indicator_set IS '指标集（各标准、各版本并存）';
COMMENT ON COLUMN indicator_set.set_code IS '指标集代码';
COMMENT ON COLUMN indicator_set.title IS '名称';
COMMENT ON COLUMN indicator_set.standard IS '所依标准';
COMMENT ON COLUMN indicator_set.purpose IS '用途：status 现状评估、checkup 城市体检、plan 规划指标';
COMMENT ON COLUMN indicator_set.set_order IS '次序';
COMMENT ON COLUMN indicator_set.valid_from IS '启用日期';
COMMENT ON COLUMN indicator_set.valid_to IS '停用日期（不含），空为仍在用';
COMMENT ON COLUMN indicator_set.basis IS '依据：source、known、assumed';
COMMENT ON COLUMN indicator_set.basis_note IS '依据说明';

-- What is filed once: whatever set shows it, the value is this one.
CREATE TABLE indicator_canonical (
    canonical_code   text PRIMARY KEY,
    name             text NOT NULL,
    canonical_order  integer NOT NULL,
    dimension        text NOT NULL,
    value_kind       text NOT NULL,
    unit             text NOT NULL,
    decimals         integer NOT NULL,
    numerator_name   text,
    numerator_unit   text,
    denominator_name text,
    denominator_unit text,
    scale            numeric,
    formula          text,
    formula_tree     jsonb,
    formula_inputs   text[] NOT NULL DEFAULT '{}',
    direction        text NOT NULL,
    attribute        text,
    profile_code     text NOT NULL,
    typical_min      numeric NOT NULL,
    typical_max      numeric NOT NULL,
    data_departments text[] NOT NULL,
    related_layers   text[] NOT NULL,
    is_basic         boolean NOT NULL,
    is_applicable    boolean NOT NULL,
    basis            text NOT NULL,
    basis_note       text NOT NULL,
    CONSTRAINT indicator_canonical_kind_known
        CHECK (value_kind IN ('quantity', 'ratio', 'reading', 'derived')),
    CONSTRAINT indicator_canonical_ratio_has_parts CHECK ((value_kind = 'ratio') =
        (numerator_name IS NOT NULL AND denominator_name IS NOT NULL AND coalesce(scale, 0) > 0)),
    CONSTRAINT indicator_canonical_derived_has_formula CHECK ((value_kind = 'derived') =
        (formula IS NOT NULL AND formula_tree IS NOT NULL AND formula_inputs <> '{}')),
    CONSTRAINT indicator_canonical_direction_known CHECK (direction IN
        ('higher_better', 'lower_better', 'binding_floor', 'binding_ceiling', 'range', 'monitor'
       , 'zero_tolerance')),
    CONSTRAINT indicator_canonical_attribute_known
        CHECK (attribute IN ('binding', 'expected', 'suggested')),
    CONSTRAINT indicator_canonical_range_in_order CHECK (typical_min < typical_max),
    CONSTRAINT indicator_canonical_code_is_a_name CHECK (canonical_code ~ '^[A-Z][A-Z0-9_]*$')
);
COMMENT ON TABLE indicator_canonical IS '指标归并目录：同一数据只填一次，各指标集共用';
COMMENT ON COLUMN indicator_canonical.canonical_code IS '归并代码';
COMMENT ON COLUMN indicator_canonical.name IS '名称';
COMMENT ON COLUMN indicator_canonical.canonical_order IS '次序';
COMMENT ON COLUMN indicator_canonical.dimension IS '填报表中所在维度';
COMMENT ON COLUMN indicator_canonical.value_kind IS
    '类型：quantity 总量（可相加）、ratio 比率（存分子分母，汇总时重算）、reading 读数（不汇总）、derived 由其他指标计算';
COMMENT ON COLUMN indicator_canonical.unit IS '计量单位';
COMMENT ON COLUMN indicator_canonical.decimals IS '显示的小数位数';
COMMENT ON COLUMN indicator_canonical.numerator_name IS '分子名称';
COMMENT ON COLUMN indicator_canonical.numerator_unit IS '分子单位';
COMMENT ON COLUMN indicator_canonical.denominator_name IS '分母名称';
COMMENT ON COLUMN indicator_canonical.denominator_unit IS '分母单位';
COMMENT ON COLUMN indicator_canonical.scale IS '比率 = 分子 × 本系数 ÷ 分母';
COMMENT ON COLUMN indicator_canonical.formula IS '计算式（以归并代码为变量），空为直接填报';
COMMENT ON COLUMN indicator_canonical.formula_tree IS '计算式的语法树，已展开到直接填报的指标';
COMMENT ON COLUMN indicator_canonical.formula_inputs IS '计算式最终用到的归并代码';
COMMENT ON COLUMN indicator_canonical.direction IS '优劣方向';
COMMENT ON COLUMN indicator_canonical.attribute IS '属性：binding 约束性、expected 预期性、suggested 建议性';
COMMENT ON COLUMN indicator_canonical.profile_code IS '预警模型';
COMMENT ON COLUMN indicator_canonical.typical_min IS '合理下限';
COMMENT ON COLUMN indicator_canonical.typical_max IS '合理上限';
COMMENT ON COLUMN indicator_canonical.data_departments IS '数据提供部门';
COMMENT ON COLUMN indicator_canonical.related_layers IS '相关图层';
COMMENT ON COLUMN indicator_canonical.is_basic IS '任一指标集的基本指标';
COMMENT ON COLUMN indicator_canonical.is_applicable IS '本省是否适用';
COMMENT ON COLUMN indicator_canonical.basis IS '依据：source、known、assumed';
COMMENT ON COLUMN indicator_canonical.basis_note IS '依据说明';

CREATE TABLE indicator (
    indicator_code   text PRIMARY KEY,
    set_code         text NOT NULL REFERENCES indicator_set,
    seq              integer NOT NULL,
    dimension        text NOT NULL,
    dimension_2      text,
    name             text NOT NULL,
    unit             text NOT NULL,
    tier             text NOT NULL,
    attribute        text,
    scope            text,
    definition       text,
    formula_text     text,
    direction        text NOT NULL,
    typical_min      numeric,
    typical_max      numeric,
    profile_code     text NOT NULL,
    data_departments text[] NOT NULL,
    related_layers   text[] NOT NULL,
    canonical_code   text NOT NULL REFERENCES indicator_canonical,
    is_applicable    boolean NOT NULL,
    basis            text NOT NULL,
    value_basis      text NOT NULL,
    basis_note       text NOT NULL,
    CONSTRAINT indicator_once_in_a_set UNIQUE (set_code, canonical_code),
    CONSTRAINT indicator_tier_known CHECK (tier IN ('basic', 'recommended', 'plan_target')),
    CONSTRAINT indicator_attribute_known CHECK (attribute IN ('binding', 'expected', 'suggested'))
);
CREATE INDEX indicator_canonical_code ON indicator (canonical_code);
COMMENT ON TABLE indicator IS '指标（各指标集中的定义）';
COMMENT ON COLUMN indicator.indicator_code IS '指标代码';
COMMENT ON COLUMN indicator.set_code IS '指标集';
COMMENT ON COLUMN indicator.seq IS '集内序号';
COMMENT ON COLUMN indicator.dimension IS '一级维度';
COMMENT ON COLUMN indicator.dimension_2 IS '二级维度';
COMMENT ON COLUMN indicator.name IS '名称';
COMMENT ON COLUMN indicator.unit IS '计量单位';
COMMENT ON COLUMN indicator.tier IS '层次：basic 基本、recommended 推荐、plan_target 规划指标';
COMMENT ON COLUMN indicator.attribute IS '属性：binding 约束性、expected 预期性、suggested 建议性';
COMMENT ON COLUMN indicator.scope IS '统计空间范围';
COMMENT ON COLUMN indicator.definition IS '内涵';
COMMENT ON COLUMN indicator.formula_text IS '标准中的算法说明';
COMMENT ON COLUMN indicator.direction IS '优劣方向';
COMMENT ON COLUMN indicator.typical_min IS '合理下限';
COMMENT ON COLUMN indicator.typical_max IS '合理上限';
COMMENT ON COLUMN indicator.profile_code IS '预警模型';
COMMENT ON COLUMN indicator.data_departments IS '数据提供部门';
COMMENT ON COLUMN indicator.related_layers IS '相关图层';
COMMENT ON COLUMN indicator.canonical_code IS '归并代码';
COMMENT ON COLUMN indicator.is_applicable IS '本省是否适用';
COMMENT ON COLUMN indicator.basis IS '名称与归类的依据：source、known、assumed';
COMMENT ON COLUMN indicator.value_basis IS '单位、公式、方向、区间、阈值的依据';
COMMENT ON COLUMN indicator.basis_note IS '依据说明';

-- VALUES. Missing is no row. A ratio is its two parts; its value is computed, never typed.
CREATE TABLE filed_indicator_value (
    submission_id  bigint NOT NULL,
    version_no     integer NOT NULL,
    division_code  text NOT NULL,
    report_year    integer NOT NULL,
    canonical_code text NOT NULL REFERENCES indicator_canonical,
    numerator      numeric,
    denominator    numeric,
    value          numeric NOT NULL,
    unit           text NOT NULL,
    source         text,
    explanation    text,
    PRIMARY KEY (submission_id, version_no, canonical_code),
    FOREIGN KEY (submission_id, version_no, division_code)
        REFERENCES submission_version (submission_id, version_no, division_code),
    CONSTRAINT filed_indicator_value_both_parts CHECK ((numerator IS NULL) = (denominator IS NULL)),
    CONSTRAINT filed_indicator_value_denominator_positive CHECK (denominator > 0)
);
CREATE INDEX filed_indicator_value_record
    ON filed_indicator_value (canonical_code, report_year, division_code);
COMMENT ON TABLE filed_indicator_value IS '填报的指标值（按报送版本，只增不改；未填为没有行）';
COMMENT ON COLUMN filed_indicator_value.submission_id IS '填报';
COMMENT ON COLUMN filed_indicator_value.version_no IS '报送版本';
COMMENT ON COLUMN filed_indicator_value.division_code IS '填报单位';
COMMENT ON COLUMN filed_indicator_value.report_year IS '数据年度';
COMMENT ON COLUMN filed_indicator_value.canonical_code IS '归并代码';
COMMENT ON COLUMN filed_indicator_value.numerator IS '分子（比率类）';
COMMENT ON COLUMN filed_indicator_value.denominator IS '分母（比率类）';
COMMENT ON COLUMN filed_indicator_value.value IS '指标值（比率类由分子分母算得）';
COMMENT ON COLUMN filed_indicator_value.unit IS '计量单位';
COMMENT ON COLUMN filed_indicator_value.source IS '数据来源';
COMMENT ON COLUMN filed_indicator_value.explanation IS '说明';

-- The newest version up to a moment is what was accepted at that moment.
CREATE TABLE accepted_indicator_value (
    LIKE filed_indicator_value INCLUDING COMMENTS,
    accepted_by bigint NOT NULL REFERENCES account,
    accepted_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (submission_id, version_no, canonical_code),
    FOREIGN KEY (submission_id, version_no, canonical_code) REFERENCES filed_indicator_value
);
CREATE INDEX accepted_indicator_value_newest ON accepted_indicator_value
    (canonical_code, report_year, division_code, version_no DESC);
COMMENT ON TABLE accepted_indicator_value IS '省级认定的指标值（按认定时间累积，只增不改）';
COMMENT ON COLUMN accepted_indicator_value.accepted_by IS '认定人';
COMMENT ON COLUMN accepted_indicator_value.accepted_at IS '认定时间';

-- In force is the version accepted last: what it leaves out is taken back.
CREATE VIEW indicator_value WITH (security_invoker = true) AS
SELECT accepted.division_code, accepted.report_year, accepted.canonical_code, accepted.numerator
     , accepted.denominator, accepted.value, accepted.unit, accepted.source, accepted.explanation
     , accepted.submission_id, accepted.version_no, accepted.accepted_by, accepted.accepted_at
  FROM accepted_indicator_value AS accepted
 WHERE accepted.version_no = (
       SELECT max(newest.version_no)
         FROM accepted_indicator_value AS newest
        WHERE newest.submission_id = accepted.submission_id);
COMMENT ON VIEW indicator_value IS '现行指标值（每单位、年度以最近认定的报送版本为准）';

-- TARGETS. A row that is not issued says that none is to be expected yet: no target, no warning.
CREATE TABLE indicator_target (
    division_code  text NOT NULL REFERENCES admin_division,
    canonical_code text NOT NULL REFERENCES indicator_canonical,
    target_year    integer NOT NULL,
    state          text NOT NULL,
    base_year      integer,
    base_value     numeric,
    target_value   numeric,
    document_no    text,
    issued_on      date,
    PRIMARY KEY (division_code, canonical_code, target_year),
    CONSTRAINT indicator_target_state_known CHECK (state IN ('issued', 'not_issued')),
    CONSTRAINT indicator_target_issued_has_value CHECK ((state = 'issued') = (target_value IS NOT NULL)),
    CONSTRAINT indicator_target_base_whole CHECK ((base_year IS NULL) = (base_value IS NULL)),
    CONSTRAINT indicator_target_base_before CHECK (base_year < target_year)
);
CREATE INDEX indicator_target_canonical_code ON indicator_target (canonical_code, division_code, target_year);
COMMENT ON TABLE indicator_target IS '指标目标（每单位、指标、目标年）';
COMMENT ON COLUMN indicator_target.division_code IS '单位';
COMMENT ON COLUMN indicator_target.canonical_code IS '归并代码';
COMMENT ON COLUMN indicator_target.target_year IS '目标年';
COMMENT ON COLUMN indicator_target.state IS '状态：issued 已下达、not_issued 未下达';
COMMENT ON COLUMN indicator_target.base_year IS '基期年';
COMMENT ON COLUMN indicator_target.base_value IS '基期值';
COMMENT ON COLUMN indicator_target.target_value IS '目标值';
COMMENT ON COLUMN indicator_target.document_no IS '下达文号';
COMMENT ON COLUMN indicator_target.issued_on IS '下达日期';

-- WHO SEES WHICH INDICATORS: a department sees its own of every unit it is granted, others see all.
CREATE FUNCTION actor_departments() RETURNS text[]
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT coalesce(array_agg(DISTINCT department), '{}')
      FROM account_grant
      JOIN data_department ON account_grant.subject = ANY (aliases)
     WHERE account_grant.user_id = actor_user_id() AND account_grant.role = 'department'
       AND account_grant.valid_from <= current_date
       AND (account_grant.valid_to IS NULL OR current_date < account_grant.valid_to)
$$;
CREATE FUNCTION actor_indicator_codes() RETURNS text[]
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT coalesce(array_agg(canonical_code), '{}')
      FROM indicator_canonical
     WHERE data_departments && actor_departments()
$$;
CREATE FUNCTION actor_is_department() RETURNS boolean
LANGUAGE sql STABLE AS $$
    SELECT 'department' = ANY (actor_roles())
       AND NOT actor_roles() && '{leader,plan_bureau,use_control,city,county,information_centre}'
$$;
REVOKE ALL ON FUNCTION actor_departments(), actor_indicator_codes() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION actor_departments(), actor_indicator_codes() TO portal_app;

-- WHO FILLS BESIDE THE FILER: not filing, and nothing but what is theirs.
ALTER TABLE form_version ADD COLUMN contributor_roles text[] NOT NULL DEFAULT '{}';
COMMENT ON COLUMN form_version.contributor_roles IS '可以协助填写（只填本部门的行、不能提交）的角色';

-- A department changes its own rows of the draft and nothing else, whoever asks for it.
CREATE FUNCTION keep_department_to_its_rows() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF NEW.content - 'indicator' IS DISTINCT FROM OLD.content - 'indicator' OR EXISTS (
        SELECT FROM jsonb_array_elements(OLD.content -> 'indicator') AS before (row)
          FULL JOIN jsonb_array_elements(NEW.content -> 'indicator') AS after (row)
            ON after.row -> 'key' = before.row -> 'key'
         WHERE after.row IS DISTINCT FROM before.row
           AND coalesce(after.row ->> 'key', before.row ->> 'key') <> ALL (actor_indicator_codes()))
    THEN
        RAISE EXCEPTION 'a department changes its own indicators' USING
            ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'submission_draft_own_indicators';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER submission_draft_own_indicators BEFORE UPDATE ON submission_draft
   FOR EACH ROW WHEN (actor_is_department()) EXECUTE FUNCTION keep_department_to_its_rows();

SELECT audit_table('data_department'), audit_table('indicator_set'), audit_table('indicator_canonical')
     , audit_table('indicator'), audit_table('filed_indicator_value')
     , audit_table('accepted_indicator_value'), audit_table('indicator_target');

ALTER TABLE filed_indicator_value ENABLE ROW LEVEL SECURITY;
ALTER TABLE accepted_indicator_value ENABLE ROW LEVEL SECURITY;
ALTER TABLE indicator_target ENABLE ROW LEVEL SECURITY;
CREATE POLICY filed_indicator_value_in_scope ON filed_indicator_value TO portal_app
    USING (division_code ^@ ANY ((SELECT actor_prefixes())::text[])
           AND ((SELECT NOT actor_is_department())
                OR canonical_code = ANY ((SELECT actor_indicator_codes())::text[])));
CREATE POLICY accepted_indicator_value_in_scope ON accepted_indicator_value TO portal_app
    USING (division_code ^@ ANY ((SELECT actor_prefixes())::text[])
           AND ((SELECT NOT actor_is_department())
                OR canonical_code = ANY ((SELECT actor_indicator_codes())::text[])));
CREATE POLICY indicator_target_in_scope ON indicator_target FOR SELECT TO portal_app
    USING (division_code ^@ ANY ((SELECT actor_prefixes())::text[])
           AND ((SELECT NOT actor_is_department())
                OR canonical_code = ANY ((SELECT actor_indicator_codes())::text[])));
CREATE POLICY indicator_target_issued ON indicator_target FOR INSERT TO portal_app
    WITH CHECK ((SELECT 'plan_bureau' = ANY (actor_roles()))
                AND division_code ^@ ANY ((SELECT actor_prefixes())::text[]));
CREATE POLICY indicator_target_changed ON indicator_target FOR UPDATE TO portal_app
    USING ((SELECT 'plan_bureau' = ANY (actor_roles()))
           AND division_code ^@ ANY ((SELECT actor_prefixes())::text[]));
-- Formulas are the bureau's; everything else of an indicator comes with its reference file.
ALTER TABLE indicator_canonical ENABLE ROW LEVEL SECURITY;
CREATE POLICY indicator_canonical_read ON indicator_canonical FOR SELECT TO portal_app USING (true);
CREATE POLICY indicator_canonical_changed ON indicator_canonical FOR UPDATE TO portal_app
    USING ((SELECT 'plan_bureau' = ANY (actor_roles())));

GRANT SELECT ON data_department, indicator_set, indicator_canonical, indicator
    , filed_indicator_value, accepted_indicator_value, indicator_value, indicator_target TO portal_app;
GRANT INSERT ON filed_indicator_value TO portal_app;
GRANT INSERT (submission_id, version_no, division_code, report_year, canonical_code, numerator
    , denominator, value, unit, source, explanation, accepted_by)
    ON accepted_indicator_value TO portal_app;
GRANT INSERT (division_code, canonical_code, target_year, state, base_year, base_value, target_value
    , document_no, issued_on)
    , UPDATE (state, base_year, base_value, target_value, document_no, issued_on)
   ON indicator_target TO portal_app;
GRANT UPDATE (value_kind, formula, formula_tree, formula_inputs) ON indicator_canonical TO portal_app;
