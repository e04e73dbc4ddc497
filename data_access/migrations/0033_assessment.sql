-- Assessment: warning rules as versions, results kept per rules, and the items that come of a change.
CREATE TABLE assessment_rules (
    rule_version    integer PRIMARY KEY,
    title           text NOT NULL,
    valid_from_year integer NOT NULL UNIQUE,
    yellow_years    integer NOT NULL,
    basis           text NOT NULL,
    basis_note      text NOT NULL,
    CONSTRAINT assessment_rules_yellow_years CHECK (yellow_years BETWEEN 2 AND 5)
);
COMMENT ON TABLE assessment_rules IS '预警规则版本';
COMMENT ON COLUMN assessment_rules.rule_version IS '规则版本';
COMMENT ON COLUMN assessment_rules.title IS '名称';
COMMENT ON COLUMN assessment_rules.valid_from_year IS '自哪一数据年度起采用';
COMMENT ON COLUMN assessment_rules.yellow_years IS '连续多少年黄升一级';
COMMENT ON COLUMN assessment_rules.basis IS '依据：source、known、assumed';
COMMENT ON COLUMN assessment_rules.basis_note IS '依据说明';

CREATE TABLE warning_profile (
    rule_version   integer NOT NULL REFERENCES assessment_rules,
    profile_code   text NOT NULL,
    name           text NOT NULL,
    measure        text NOT NULL,
    expression     text,
    blue           numrange NOT NULL,
    yellow         numrange NOT NULL,
    orange         numrange NOT NULL,
    red            numrange NOT NULL,
    without_target text NOT NULL,
    remark         text NOT NULL,
    basis          text NOT NULL,
    basis_note     text NOT NULL,
    PRIMARY KEY (rule_version, profile_code),
    CONSTRAINT warning_profile_measure_known CHECK (measure IN
        ('target_floor', 'target_ceiling', 'path_floor', 'path_ceiling', 'range', 'value', 'change', 'none')),
    CONSTRAINT warning_profile_without_target_known CHECK (without_target IN ('none', 'province')),
    CONSTRAINT warning_profile_levels_apart CHECK (NOT (blue && yellow OR blue && orange OR blue && red
        OR yellow && orange OR yellow && red OR orange && red))
);
COMMENT ON TABLE warning_profile IS '预警模型（各规则版本）';
COMMENT ON COLUMN warning_profile.rule_version IS '规则版本';
COMMENT ON COLUMN warning_profile.profile_code IS '模型代码';
COMMENT ON COLUMN warning_profile.name IS '名称';
COMMENT ON COLUMN warning_profile.measure IS
    '度量：target_floor/target_ceiling 与目标值之比、path_floor/path_ceiling 与当年应达值之比、range 偏离区间、value 数值、change 同比变动、none 不评级';
COMMENT ON COLUMN warning_profile.expression IS '度量的算式（说明）';
COMMENT ON COLUMN warning_profile.blue IS '蓝（提示）的度量区间';
COMMENT ON COLUMN warning_profile.yellow IS '黄（关注）的度量区间';
COMMENT ON COLUMN warning_profile.orange IS '橙（预警）的度量区间';
COMMENT ON COLUMN warning_profile.red IS '红（严重）的度量区间';
COMMENT ON COLUMN warning_profile.without_target IS '没有目标行时：none 不评级、province 与全省比率相比；目标未下达时一律不评级';
COMMENT ON COLUMN warning_profile.remark IS '说明';
COMMENT ON COLUMN warning_profile.basis IS '依据：source、known、assumed';
COMMENT ON COLUMN warning_profile.basis_note IS '依据说明';

CREATE TABLE warning_level (
    level           text PRIMARY KEY,
    level_rank      integer NOT NULL UNIQUE,
    name            text NOT NULL,
    meaning         text NOT NULL,
    working_days    integer,
    responsible     text,
    escalation_role text,
    basis           text NOT NULL,
    CONSTRAINT warning_level_known CHECK (level IN
        ('no_data', 'unrated', 'normal', 'hint', 'watch', 'warn', 'severe')),
    CONSTRAINT warning_level_limit_with_role CHECK ((working_days IS NULL) = (escalation_role IS NULL))
);
COMMENT ON TABLE warning_level IS '预警等级与处置时限';
COMMENT ON COLUMN warning_level.level IS '等级';
COMMENT ON COLUMN warning_level.level_rank IS '严重程度：-2 缺数、-1 不评级、0 正常、1 至 4 蓝黄橙红';
COMMENT ON COLUMN warning_level.name IS '名称';
COMMENT ON COLUMN warning_level.meaning IS '含义';
COMMENT ON COLUMN warning_level.working_days IS '处置时限（工作日）';
COMMENT ON COLUMN warning_level.responsible IS '处置责任';
COMMENT ON COLUMN warning_level.escalation_role IS '逾期升级至哪一角色';
COMMENT ON COLUMN warning_level.basis IS '依据：source、known、assumed';

-- RESULTS: computed from what was accepted, by assess() alone; new rules leave the old rows alone.
-- They are no work of anybody's hands: the trail has the values and rules they come from. Their keys
-- come out of those tables, so that no foreign key has to be asked 200,000 times.
CREATE TABLE assessment_result (
    rule_version   integer NOT NULL,
    report_year    integer NOT NULL,
    division_code  text NOT NULL,
    canonical_code text NOT NULL,
    numerator      numeric,
    denominator    numeric,
    value          numeric,
    parts          integer,
    parts_expected integer,
    parts_value    numeric,
    reference      numeric,
    reference_kind text,
    measure        numeric,
    base_level     text NOT NULL,
    level          text NOT NULL,
    reason         text,
    is_breach      boolean NOT NULL DEFAULT false,
    computed_at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (rule_version, report_year, division_code, canonical_code),
    CONSTRAINT assessment_result_missing_is_grey CHECK (value IS NOT NULL OR level = 'no_data'),
    CONSTRAINT assessment_result_breach_is_red CHECK (NOT is_breach OR level = 'severe'),
    CONSTRAINT assessment_result_level_known CHECK (level IN
        ('no_data', 'unrated', 'normal', 'hint', 'watch', 'warn', 'severe')),
    CONSTRAINT assessment_result_base_level_known CHECK (base_level IN
        ('no_data', 'unrated', 'normal', 'hint', 'watch', 'warn', 'severe')),
    CONSTRAINT assessment_result_reference_known CHECK (reference_kind IN ('target', 'province', 'previous'))
);
CREATE INDEX assessment_result_of_indicator ON assessment_result
    (canonical_code, rule_version, report_year);
COMMENT ON TABLE assessment_result IS '评估结果（每规则版本、年度、单位、指标一行，由认定值计算）';
COMMENT ON COLUMN assessment_result.rule_version IS '规则版本';
COMMENT ON COLUMN assessment_result.report_year IS '数据年度';
COMMENT ON COLUMN assessment_result.division_code IS '单位（市、县或省）';
COMMENT ON COLUMN assessment_result.canonical_code IS '归并代码';
COMMENT ON COLUMN assessment_result.numerator IS '分子';
COMMENT ON COLUMN assessment_result.denominator IS '分母';
COMMENT ON COLUMN assessment_result.value IS '值，缺数为空；省级为各县之和或按分子分母重算';
COMMENT ON COLUMN assessment_result.parts IS '已有数的所辖县数（市、省）';
COMMENT ON COLUMN assessment_result.parts_expected IS '所辖县数（市、省）';
COMMENT ON COLUMN assessment_result.parts_value IS '所辖各县之和，或按各县分子分母重算的比率';
COMMENT ON COLUMN assessment_result.reference IS '比较的对象：目标值、当年应达值、全省值或上年值';
COMMENT ON COLUMN assessment_result.reference_kind IS '比较对象的种类：target、province、previous';
COMMENT ON COLUMN assessment_result.measure IS '度量值';
COMMENT ON COLUMN assessment_result.base_level IS '本年单独评定的等级';
COMMENT ON COLUMN assessment_result.level IS '等级（含连续黄升级）';
COMMENT ON COLUMN assessment_result.reason IS
    '未评级或升级的原因：no_target、no_range、no_previous、display_only、incomplete、consecutive、breach';
COMMENT ON COLUMN assessment_result.is_breach IS '突破约束性指标';
COMMENT ON COLUMN assessment_result.computed_at IS '计算时间';

-- Where a city says another figure than its counties together: told to the city and to each county.
CREATE TABLE indicator_discrepancy (
    city_code      text NOT NULL REFERENCES admin_division,
    division_code  text NOT NULL REFERENCES admin_division,
    report_year    integer NOT NULL,
    canonical_code text NOT NULL REFERENCES indicator_canonical,
    city_value     numeric NOT NULL,
    counties_value numeric NOT NULL,
    found_at       timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (city_code, division_code, report_year, canonical_code)
);
CREATE INDEX indicator_discrepancy_division_code ON indicator_discrepancy (division_code, report_year);
CREATE INDEX indicator_discrepancy_canonical_code ON indicator_discrepancy (canonical_code);
COMMENT ON TABLE indicator_discrepancy IS '市级填报值与所辖各县合计不一致（市、县各见一行，不强制改）';
COMMENT ON COLUMN indicator_discrepancy.city_code IS '设区市';
COMMENT ON COLUMN indicator_discrepancy.division_code IS '须知悉的单位：该市及其各县';
COMMENT ON COLUMN indicator_discrepancy.report_year IS '数据年度';
COMMENT ON COLUMN indicator_discrepancy.canonical_code IS '归并代码';
COMMENT ON COLUMN indicator_discrepancy.city_value IS '市级填报值';
COMMENT ON COLUMN indicator_discrepancy.counties_value IS '各县合计（比率为重算值）';
COMMENT ON COLUMN indicator_discrepancy.found_at IS '发现时间';

-- ITEMS: a unit's level of an indicator became worse than normal, or changed while an item is open.
CREATE TABLE indicator_warning (
    indicator_warning_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    division_code  text NOT NULL REFERENCES admin_division,
    canonical_code text NOT NULL REFERENCES indicator_canonical,
    report_year    integer NOT NULL,
    rule_version   integer NOT NULL REFERENCES assessment_rules,
    from_level     text NOT NULL,
    level          text NOT NULL REFERENCES warning_level,
    state          text NOT NULL DEFAULT 'open',
    lock_version   integer NOT NULL DEFAULT 1,
    responsible    text NOT NULL DEFAULT '',
    raised_at      timestamptz NOT NULL DEFAULT now(),
    due_on         date NOT NULL,
    escalated_at   timestamptz,
    closed_by      bigint REFERENCES account,
    closed_at      timestamptz,
    UNIQUE (indicator_warning_id, division_code),
    CONSTRAINT indicator_warning_state_known CHECK (state IN ('open', 'answered', 'closed')),
    CONSTRAINT indicator_warning_closed_by_someone
        CHECK ((state = 'closed') = (closed_at IS NOT NULL AND closed_by IS NOT NULL)),
    CONSTRAINT indicator_warning_of_a_warning CHECK (level IN ('hint', 'watch', 'warn', 'severe'))
);
CREATE UNIQUE INDEX indicator_warning_one_in_hand
    ON indicator_warning (division_code, canonical_code) WHERE state <> 'closed';
CREATE INDEX indicator_warning_canonical_code ON indicator_warning (canonical_code, report_year);
CREATE INDEX indicator_warning_due_on ON indicator_warning (due_on) WHERE state <> 'closed' AND escalated_at IS NULL;
CREATE INDEX indicator_warning_rule_version ON indicator_warning (rule_version);
CREATE INDEX indicator_warning_level ON indicator_warning (level);
COMMENT ON TABLE indicator_warning IS '预警事项（等级变化生成）';
COMMENT ON COLUMN indicator_warning.indicator_warning_id IS '预警事项标识';
COMMENT ON COLUMN indicator_warning.division_code IS '单位';
COMMENT ON COLUMN indicator_warning.canonical_code IS '归并代码';
COMMENT ON COLUMN indicator_warning.report_year IS '数据年度';
COMMENT ON COLUMN indicator_warning.rule_version IS '所依规则版本';
COMMENT ON COLUMN indicator_warning.from_level IS '变化前的等级';
COMMENT ON COLUMN indicator_warning.level IS '现等级';
COMMENT ON COLUMN indicator_warning.state IS '状态：open 待回复、answered 已回复、closed 已销号';
COMMENT ON COLUMN indicator_warning.lock_version IS '并发版本号';
COMMENT ON COLUMN indicator_warning.responsible IS '责任人';
COMMENT ON COLUMN indicator_warning.raised_at IS '生成时间';
COMMENT ON COLUMN indicator_warning.due_on IS '处置期限（按等级的工作日）';
COMMENT ON COLUMN indicator_warning.escalated_at IS '逾期升级时间';
COMMENT ON COLUMN indicator_warning.closed_by IS '销号人';
COMMENT ON COLUMN indicator_warning.closed_at IS '销号时间';

CREATE TABLE indicator_warning_note (
    indicator_warning_note_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    indicator_warning_id bigint NOT NULL,
    division_code text NOT NULL,
    kind          text NOT NULL,
    body          text NOT NULL,
    written_by    bigint REFERENCES account,
    written_at    timestamptz NOT NULL DEFAULT now(),
    FOREIGN KEY (indicator_warning_id, division_code)
        REFERENCES indicator_warning (indicator_warning_id, division_code),
    CONSTRAINT indicator_warning_note_kind_known CHECK (kind IN
        ('raised', 'level', 'assign', 'feedback', 'comment', 'reopen', 'close', 'escalate')),
    CONSTRAINT indicator_warning_note_has_body CHECK (btrim(body) <> '')
);
CREATE INDEX indicator_warning_note_item ON indicator_warning_note (indicator_warning_id);
COMMENT ON TABLE indicator_warning_note IS '预警事项的办理过程（只增不改）';
COMMENT ON COLUMN indicator_warning_note.indicator_warning_note_id IS '记录标识';
COMMENT ON COLUMN indicator_warning_note.indicator_warning_id IS '预警事项';
COMMENT ON COLUMN indicator_warning_note.division_code IS '单位';
COMMENT ON COLUMN indicator_warning_note.kind IS
    '种类：raised 生成、level 等级变化、assign 指定责任人、feedback 回复、comment 意见、reopen 退回重办、close 销号、escalate 升级';
COMMENT ON COLUMN indicator_warning_note.body IS '内容';
COMMENT ON COLUMN indicator_warning_note.written_by IS '记录人，空为系统';
COMMENT ON COLUMN indicator_warning_note.written_at IS '记录时间';

SELECT audit_table('assessment_rules'), audit_table('warning_profile'), audit_table('warning_level')
     , audit_table('indicator_warning'), audit_table('indicator_warning_note');

ALTER TABLE assessment_result ENABLE ROW LEVEL SECURITY;
ALTER TABLE indicator_discrepancy ENABLE ROW LEVEL SECURITY;
ALTER TABLE indicator_warning ENABLE ROW LEVEL SECURITY;
ALTER TABLE indicator_warning_note ENABLE ROW LEVEL SECURITY;
CREATE POLICY assessment_result_in_scope ON assessment_result TO portal_app
    USING (division_code ^@ ANY ((SELECT actor_prefixes())::text[])
           AND ((SELECT NOT actor_is_department())
                OR canonical_code = ANY ((SELECT actor_indicator_codes())::text[])));
CREATE POLICY indicator_discrepancy_in_scope ON indicator_discrepancy TO portal_app
    USING (division_code ^@ ANY ((SELECT actor_prefixes())::text[])
           AND ((SELECT NOT actor_is_department())
                OR canonical_code = ANY ((SELECT actor_indicator_codes())::text[])));
CREATE POLICY indicator_warning_in_scope ON indicator_warning FOR SELECT TO portal_app
    USING (division_code ^@ ANY ((SELECT actor_prefixes())::text[])
           AND ((SELECT NOT actor_is_department())
                OR canonical_code = ANY ((SELECT actor_indicator_codes())::text[])));
CREATE POLICY indicator_warning_move ON indicator_warning FOR UPDATE TO portal_app
    USING (division_code ^@ ANY ((SELECT actor_prefixes())::text[])
           AND (SELECT NOT actor_is_department())
           AND (state <> 'closed' OR (SELECT actor_supervises())));
CREATE POLICY indicator_warning_note_in_scope ON indicator_warning_note TO portal_app
    USING (division_code ^@ ANY ((SELECT actor_prefixes())::text[])
           AND (SELECT NOT actor_is_department()));

GRANT SELECT ON assessment_rules, warning_profile, warning_level, assessment_result
    , indicator_discrepancy, indicator_warning, indicator_warning_note TO portal_app;
GRANT UPDATE (state, lock_version, responsible, escalated_at, closed_by, closed_at, due_on)
   ON indicator_warning TO portal_app;
GRANT INSERT (indicator_warning_id, division_code, kind, body, written_by)
   ON indicator_warning_note TO portal_app;

-- FORMULAS, over the values of one unit and year. Missing is missing, and so is division by zero.
CREATE FUNCTION formula_value(tree jsonb, named jsonb) RETURNS numeric
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    kind text := tree ->> 0;
    first numeric;
    second numeric;
BEGIN
    CASE kind
    WHEN 'const' THEN RETURN CAST(tree ->> 1 AS numeric);
    WHEN 'name' THEN RETURN CAST(named ->> (tree ->> 1) AS numeric);
    WHEN 'neg' THEN RETURN -formula_value(tree -> 1, named);
    WHEN 'compute' THEN
        first := formula_value(tree -> 2, named);
        second := formula_value(tree -> 3, named);
        RETURN CASE tree ->> 1
            WHEN '+' THEN first + second
            WHEN '-' THEN first - second
            WHEN '*' THEN first * second
            WHEN '/' THEN first / nullif(second, 0)
        END;
    ELSE
        RAISE EXCEPTION 'a formula has no %', kind;
    END CASE;
END
$$;

-- VALUES of units and of what they add up to. A city's own figure is never added to the counties'.
CREATE FUNCTION assessed_values(years integer[], codes text[])
RETURNS TABLE (report_year integer, division_code text, canonical_code text, numerator numeric
             , denominator numeric, value numeric, parts integer, parts_expected integer, parts_value numeric)
LANGUAGE sql STABLE AS $$
    WITH unit AS MATERIALIZED (
        SELECT code, level, parent_code FROM division_on(current_date)
         WHERE level IN ('province', 'city', 'county')
    ), above AS (
        SELECT county.code AS county, county.parent_code AS code FROM unit AS county WHERE level = 'county'
        UNION ALL
        SELECT county.code, city.parent_code
          FROM unit AS county
          JOIN unit AS city ON city.code = county.parent_code
         WHERE county.level = 'county'
    ), expected AS (
        SELECT code, CAST(count(*) AS integer) AS counties FROM above GROUP BY code
    ), needed AS (
        SELECT unnest(codes) AS canonical_code
         UNION
        SELECT unnest(formula_inputs) FROM indicator_canonical WHERE canonical_code = ANY (codes)
    ), filed AS MATERIALIZED (
        SELECT filed.report_year, filed.division_code, filed.canonical_code, filed.numerator
             , filed.denominator, filed.value
          FROM indicator_value AS filed
         WHERE filed.report_year = ANY (years)
           AND filed.canonical_code IN (SELECT needed.canonical_code FROM needed)
    ), summed AS (
        SELECT filed.report_year, above.code AS division_code, filed.canonical_code
             , sum(filed.numerator) AS numerator, sum(filed.denominator) AS denominator
             , CAST(count(*) AS integer) AS parts
             , CASE canonical.value_kind
                    WHEN 'quantity' THEN sum(filed.value)
                    WHEN 'ratio' THEN round(sum(filed.numerator) * canonical.scale
                                            / nullif(sum(filed.denominator), 0), 6)
               END AS value
          FROM filed
          JOIN above ON above.county = filed.division_code
          JOIN indicator_canonical AS canonical USING (canonical_code)
         GROUP BY filed.report_year, above.code, filed.canonical_code, canonical.value_kind, canonical.scale
    ), known AS MATERIALIZED (
        SELECT coalesce(filed.report_year, summed.report_year) AS report_year
             , coalesce(filed.division_code, summed.division_code) AS division_code
             , coalesce(filed.canonical_code, summed.canonical_code) AS canonical_code
             , CASE WHEN unit.level = 'province' THEN summed.numerator ELSE filed.numerator END AS numerator
             , CASE WHEN unit.level = 'province' THEN summed.denominator ELSE filed.denominator END AS denominator
             , CASE WHEN unit.level = 'province' THEN summed.value ELSE filed.value END AS value
             , summed.parts, summed.value AS parts_value
          FROM filed
          FULL JOIN summed USING (report_year, division_code, canonical_code)
          JOIN unit ON unit.code = coalesce(filed.division_code, summed.division_code)
    ), named AS (
        SELECT known.report_year, known.division_code
             , jsonb_object_agg(known.canonical_code, known.value) AS own
             , jsonb_object_agg(known.canonical_code, known.parts_value) AS together
             , jsonb_object_agg(known.canonical_code, coalesce(known.parts, 0)) AS parts
          FROM known
         WHERE known.canonical_code IN (SELECT unnest(formula_inputs) FROM indicator_canonical)
         GROUP BY known.report_year, known.division_code
    ), derived AS (
        SELECT named.report_year, named.division_code, canonical.canonical_code
             , round(formula_value(canonical.formula_tree, named.own), 6) AS value
             , CASE WHEN expected.counties IS NOT NULL
                    THEN round(formula_value(canonical.formula_tree, named.together), 6) END AS parts_value
             , expected.counties
             , (SELECT min(CAST(coalesce(named.parts ->> input, '0') AS integer))
                  FROM unnest(canonical.formula_inputs) AS input) AS parts
          FROM named
          JOIN indicator_canonical AS canonical
            ON canonical.value_kind = 'derived' AND canonical.canonical_code = ANY (codes)
           AND named.parts ?| canonical.formula_inputs
          LEFT JOIN expected ON expected.code = named.division_code
    )
    SELECT known.report_year, known.division_code, known.canonical_code, known.numerator
         , known.denominator, known.value
         , CASE WHEN expected.counties IS NOT NULL THEN coalesce(known.parts, 0) END
         , expected.counties, known.parts_value
      FROM known
      LEFT JOIN expected ON expected.code = known.division_code
     WHERE known.canonical_code = ANY (codes)
     UNION ALL
    SELECT derived.report_year, derived.division_code, derived.canonical_code, NULL, NULL
         , derived.value, CASE WHEN derived.counties IS NOT NULL THEN derived.parts END
         , derived.counties, derived.parts_value
      FROM derived
$$;

-- Every computation asks for the 112 divisions that are assessed, among 16,000.
CREATE INDEX admin_division_assessed ON admin_division (level) WHERE level IN ('province', 'city', 'county');

-- The rules under which a data year is assessed now; those of other versions stay beside it.
CREATE FUNCTION assessment_rules_of(year integer) RETURNS integer
LANGUAGE sql STABLE AS $$
    SELECT rule_version FROM assessment_rules
     WHERE valid_from_year <= year ORDER BY valid_from_year DESC, rule_version DESC LIMIT 1
$$;

-- A data year is the year before the period in which it is filed.
CREATE FUNCTION assessment_years() RETURNS integer[]
LANGUAGE sql STABLE AS $$
    SELECT coalesce(array_agg(DISTINCT CAST(extract(year FROM starts_on) AS integer) - 1), '{}')
      FROM reporting_period WHERE form_code = 'status_assessment'
$$;

-- LEVELS of every unit and year between two years, each year under its own rules or under one.
CREATE FUNCTION assessed_levels(first_year integer, last_year integer, codes text[], rules integer)
RETURNS TABLE (rule_version integer, report_year integer, division_code text, canonical_code text
             , numerator numeric, denominator numeric, value numeric, parts integer
             , parts_expected integer, parts_value numeric, reference numeric, reference_kind text
             , measure numeric, base_level text, level text, reason text, is_breach boolean)
LANGUAGE sql STABLE AS $$
    WITH valued AS MATERIALIZED (
        SELECT *
          FROM assessed_values((SELECT array_agg(year) FROM generate_series(first_year - 1, last_year) AS year), codes)
    ), unit AS MATERIALIZED (
        SELECT code, level FROM division_on(current_date) WHERE level IN ('province', 'city', 'county')
    ), year AS MATERIALIZED (
        SELECT number, coalesce(rules, assessment_rules_of(number)) AS rule_version
          FROM generate_series(first_year, last_year) AS number
    ), top AS (
        SELECT DISTINCT ON (valued.report_year, valued.canonical_code)
               valued.report_year, valued.canonical_code, valued.value
          FROM valued
          JOIN unit ON unit.code = valued.division_code AND unit.level = 'province'
    ), aimed AS MATERIALIZED (
        SELECT target.*
             , lag(target.target_year) OVER of_unit AS after_year
             , lead(target.target_year) OVER of_unit IS NULL AS is_last
          FROM indicator_target AS target
         WHERE target.canonical_code = ANY (codes)
        WINDOW of_unit AS (PARTITION BY target.division_code, target.canonical_code ORDER BY target.target_year)
    ), compared AS (
        SELECT year.rule_version, year.number AS report_year, unit.code AS division_code
             , unit.level AS unit_level, canonical.canonical_code, canonical.value_kind
             , canonical.direction, canonical.attribute, canonical.typical_min, canonical.typical_max
             , profile.measure AS kind, profile.blue, profile.yellow, profile.orange, profile.red
             , valued.numerator, valued.denominator, valued.value, valued.parts
             , valued.parts_expected, valued.parts_value
             , target.target_year, target.target_value
             , CASE WHEN profile.measure IN ('target_floor', 'target_ceiling') THEN target.target_value
                    WHEN profile.measure NOT IN ('path_floor', 'path_ceiling') THEN NULL
                    WHEN target.state IS NULL THEN
                        CASE WHEN profile.without_target = 'province' AND unit.level <> 'province'
                              AND canonical.value_kind IN ('ratio', 'derived') THEN top.value END
                    WHEN target.base_year IS NULL OR year.number >= target.target_year
                    THEN target.target_value
                    WHEN year.number <= target.base_year THEN target.base_value
                    ELSE round(target.base_value + (target.target_value - target.base_value)
                               * (year.number - target.base_year)
                               / (target.target_year - target.base_year), 6) END AS aim
             , target.state IS NULL AS is_without_target
             , earlier.value AS previous
          FROM year
         CROSS JOIN unit
         CROSS JOIN indicator_canonical AS canonical
          JOIN warning_profile AS profile
            ON profile.rule_version = year.rule_version AND profile.profile_code = canonical.profile_code
          LEFT JOIN valued
            ON valued.report_year = year.number AND valued.division_code = unit.code
           AND valued.canonical_code = canonical.canonical_code
          LEFT JOIN valued AS earlier
            ON earlier.report_year = year.number - 1 AND earlier.division_code = unit.code
           AND earlier.canonical_code = canonical.canonical_code
          LEFT JOIN top
            ON top.report_year = year.number AND top.canonical_code = canonical.canonical_code
          LEFT JOIN aimed AS target
            ON target.division_code = unit.code AND target.canonical_code = canonical.canonical_code
           AND (target.after_year IS NULL OR target.after_year < year.number)
           AND (year.number <= target.target_year OR target.is_last)
         WHERE canonical.canonical_code = ANY (codes) AND canonical.is_applicable
    ), measured AS (
        SELECT compared.*
             , CASE WHEN kind = 'change' THEN previous ELSE aim END AS reference
             , CASE WHEN kind = 'change' AND previous IS NOT NULL THEN 'previous'
                    WHEN aim IS NULL THEN NULL
                    WHEN is_without_target THEN 'province' ELSE 'target' END AS reference_kind
             , unit_level = 'province' AND value_kind <> 'ratio' AND parts < parts_expected AS is_incomplete
             , CASE kind
                    WHEN 'value' THEN value
                    -- greatest() passes over what is missing.
                    WHEN 'range' THEN CASE WHEN value IS NOT NULL THEN
                        round(greatest(typical_min - value, value - typical_max, 0)
                              / (typical_max - typical_min), 6) END
                    WHEN 'change' THEN round(abs(value - previous) / nullif(abs(previous), 0), 6)
                    WHEN 'target_floor' THEN CASE WHEN aim = 0 THEN 2 ELSE round(value / aim, 6) END
                    WHEN 'path_floor' THEN CASE WHEN aim = 0 THEN 2 ELSE round(value / aim, 6) END
                    WHEN 'target_ceiling' THEN
                        CASE WHEN aim <> 0 THEN round(value / aim, 6)
                             WHEN aim = 0 AND value > 0 THEN 1 + value
                             WHEN aim = 0 AND value <= 0 THEN 0 END
                    WHEN 'path_ceiling' THEN
                        CASE WHEN aim <> 0 THEN round(value / aim, 6)
                             WHEN aim = 0 AND value > 0 THEN 1 + value
                             WHEN aim = 0 AND value <= 0 THEN 0 END
               END AS measure
          FROM compared
    ), judged AS (
        SELECT measured.*
             , CASE WHEN value IS NULL THEN 'no_data'
                    WHEN is_incomplete OR measure IS NULL THEN 'unrated'
                    WHEN red @> measure THEN 'severe'
                    WHEN orange @> measure THEN 'warn'
                    WHEN yellow @> measure THEN 'watch'
                    WHEN blue @> measure THEN 'hint'
                    ELSE 'normal' END AS base_level
             , coalesce(value IS NOT NULL AND NOT is_incomplete AND measure IS NOT NULL AND (
                   direction IN ('binding_floor', 'binding_ceiling', 'zero_tolerance') AND red @> measure
                   OR attribute = 'binding' AND target_value IS NOT NULL AND report_year >= target_year
                      AND (kind = 'path_floor' AND value < target_value
                           OR kind = 'path_ceiling' AND value > target_value)), false) AS is_breach
          FROM measured
    ), island AS (
        SELECT judged.*
             , count(*) FILTER (WHERE base_level <> 'watch') OVER (
                   PARTITION BY division_code, canonical_code ORDER BY report_year) AS island
          FROM judged
    ), yellow AS (
        SELECT island.*
             , count(*) FILTER (WHERE base_level = 'watch') OVER (
                   PARTITION BY division_code, canonical_code, island ORDER BY report_year) AS years
          FROM island
    )
    SELECT yellow.rule_version, yellow.report_year, yellow.division_code, yellow.canonical_code
         , yellow.numerator, yellow.denominator, yellow.value, yellow.parts, yellow.parts_expected
         , yellow.parts_value, yellow.reference, yellow.reference_kind, yellow.measure
         , yellow.base_level
         , CASE WHEN is_breach THEN 'severe'
                WHEN base_level = 'watch' AND years >= rule.yellow_years THEN 'warn'
                ELSE base_level END
         , CASE WHEN value IS NULL THEN NULL
                WHEN is_incomplete THEN 'incomplete'
                WHEN kind = 'none' THEN 'display_only'
                WHEN kind = 'change' AND measure IS NULL THEN 'no_previous'
                WHEN measure IS NULL THEN 'no_target'
                WHEN is_breach THEN 'breach'
                WHEN base_level = 'watch' AND years >= rule.yellow_years THEN 'consecutive' END
         , is_breach
      FROM yellow
      JOIN assessment_rules AS rule USING (rule_version)
$$;

-- Assess years and codes anew, with all that depends on them; NULL is all of them. Only what is
-- different is written. With `raising`, levels of the newest year that changed make warning items.
CREATE FUNCTION assess(years integer[] DEFAULT NULL, codes text[] DEFAULT NULL
                     , rules integer DEFAULT NULL, raising boolean DEFAULT false)
RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
SET jit = off SET work_mem = '64MB' SET plan_cache_mode = force_custom_plan
SET enable_nestloop = on AS $$
DECLARE
    known integer[] := assessment_years();
    newest integer := (SELECT max(year) FROM unnest(known) AS year);
    longest integer := (SELECT max(yellow_years) FROM assessment_rules);
    first_year integer := (SELECT min(year) FROM unnest(coalesce(years, known)) AS year);
    last_year integer := (SELECT least(max(year) + longest, newest) FROM unnest(coalesce(years, known)) AS year);
    wanted text[] := (
        SELECT array_agg(canonical_code) FROM indicator_canonical
         WHERE codes IS NULL OR canonical_code = ANY (codes) OR formula_inputs && codes
            -- A year that begins: what nobody filed yet is grey from the start.
            OR EXISTS (SELECT FROM unnest(years) AS year
                        WHERE year = ANY (known)
                          AND NOT EXISTS (SELECT FROM assessment_result WHERE report_year = year
                                             AND rule_version = coalesce(rules, assessment_rules_of(year)))));
    written bigint;
BEGIN
    IF first_year IS NULL OR wanted IS NULL THEN
        RETURN 0;
    END IF;
    -- Of many codes the planner expects one row where there are thousands.
    IF cardinality(wanted) > 8 THEN
        PERFORM set_config('enable_nestloop', 'off', true);
    END IF;
    WITH computed AS MATERIALIZED (
        SELECT * FROM assessed_levels(
            greatest(first_year - longest, (SELECT min(year) FROM unnest(known) AS year)), last_year, wanted, rules)
         WHERE report_year = ANY (known)
    ), old AS (
        SELECT result.rule_version, result.report_year, result.division_code, result.canonical_code, result.level
          FROM assessment_result AS result
         WHERE raising AND result.report_year = newest AND result.canonical_code = ANY (wanted)
           AND result.rule_version = assessment_rules_of(newest)
    ), stored AS (
        INSERT INTO assessment_result
               (rule_version, report_year, division_code, canonical_code, numerator, denominator
              , value, parts, parts_expected, parts_value, reference, reference_kind, measure
              , base_level, level, reason, is_breach)
        SELECT rule_version, report_year, division_code, canonical_code, numerator, denominator
             , value, parts, parts_expected, parts_value, reference, reference_kind, measure
             , base_level, level, reason, is_breach
          FROM computed
         WHERE report_year >= first_year
            ON CONFLICT (rule_version, report_year, division_code, canonical_code) DO UPDATE
           SET numerator = excluded.numerator, denominator = excluded.denominator
             , value = excluded.value, parts = excluded.parts, parts_expected = excluded.parts_expected
             , parts_value = excluded.parts_value, reference = excluded.reference
             , reference_kind = excluded.reference_kind, measure = excluded.measure
             , base_level = excluded.base_level, level = excluded.level, reason = excluded.reason
             , is_breach = excluded.is_breach, computed_at = now()
         WHERE (assessment_result.numerator, assessment_result.denominator, assessment_result.value
              , assessment_result.parts, assessment_result.parts_expected, assessment_result.parts_value
              , assessment_result.reference, assessment_result.reference_kind, assessment_result.measure
              , assessment_result.base_level, assessment_result.level, assessment_result.reason
              , assessment_result.is_breach)
            IS DISTINCT FROM
               (excluded.numerator, excluded.denominator, excluded.value, excluded.parts
              , excluded.parts_expected, excluded.parts_value, excluded.reference
              , excluded.reference_kind, excluded.measure, excluded.base_level, excluded.level
              , excluded.reason, excluded.is_breach)
        RETURNING 1
    ), changed AS (
        SELECT computed.division_code, computed.canonical_code, computed.report_year
             , computed.rule_version, computed.level, new.level_rank, new.name AS level_name, new.working_days
             , coalesce(old.level, earlier.level, 'normal') AS from_level
             , coalesce((SELECT name FROM warning_level WHERE warning_level.level
                          = coalesce(old.level, earlier.level)), '首次评估') AS from_name
          FROM computed
          JOIN warning_level AS new ON new.level = computed.level
          JOIN admin_division AS unit ON unit.code = computed.division_code AND unit.level IN ('city', 'county')
          LEFT JOIN old
            ON old.division_code = computed.division_code AND old.canonical_code = computed.canonical_code
          LEFT JOIN computed AS earlier
            ON earlier.report_year = computed.report_year - 1
           AND earlier.division_code = computed.division_code
           AND earlier.canonical_code = computed.canonical_code
         WHERE raising AND computed.report_year = newest
           AND (rules IS NULL OR rules = assessment_rules_of(newest))
           AND computed.level <> coalesce(old.level, earlier.level, 'normal')
    ), moved AS (
        UPDATE indicator_warning AS item
           SET level = CASE WHEN changed.level_rank > 0 THEN changed.level ELSE item.level END
             , report_year = changed.report_year
             , lock_version = item.lock_version + 1
             , due_on = CASE WHEN changed.level_rank > (SELECT level_rank FROM warning_level
                                                         WHERE warning_level.level = item.level)
                             THEN least(item.due_on, add_working_days(current_date, changed.working_days))
                             ELSE item.due_on END
          FROM changed
         WHERE item.division_code = changed.division_code AND item.canonical_code = changed.canonical_code
           AND item.state <> 'closed'
        RETURNING item.indicator_warning_id, item.division_code, item.canonical_code
                , changed.from_name, changed.level_name
    ), raised AS (
        INSERT INTO indicator_warning
               (division_code, canonical_code, report_year, rule_version, from_level, level, due_on)
        SELECT changed.division_code, changed.canonical_code, changed.report_year
             , changed.rule_version, changed.from_level, changed.level
             , add_working_days(current_date, changed.working_days)
          FROM changed
         WHERE changed.level_rank > 0
           AND NOT EXISTS (SELECT FROM indicator_warning AS item
                            WHERE item.division_code = changed.division_code
                              AND item.canonical_code = changed.canonical_code AND item.state <> 'closed')
        RETURNING indicator_warning_id, division_code, canonical_code
    ), noted AS (
        INSERT INTO indicator_warning_note (indicator_warning_id, division_code, kind, body)
        SELECT indicator_warning_id, division_code, 'level', from_name || ' → ' || level_name FROM moved
         UNION ALL
        SELECT raised.indicator_warning_id, raised.division_code, 'raised'
             , changed.from_name || ' → ' || changed.level_name
          FROM raised
          JOIN changed USING (division_code, canonical_code)
        RETURNING 1
    )
    SELECT count(*) INTO written FROM stored;
    PERFORM find_discrepancies(first_year, last_year, wanted);
    RETURN written;
END
$$;

CREATE FUNCTION find_discrepancies(first_year integer, last_year integer, codes text[]) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH found AS MATERIALIZED (
        SELECT result.division_code AS city_code, result.report_year, result.canonical_code
             , result.value AS city_value, result.parts_value AS counties_value
          FROM assessment_result AS result
          JOIN admin_division AS city ON city.code = result.division_code AND city.level = 'city'
         WHERE result.report_year BETWEEN first_year AND last_year
           AND result.canonical_code = ANY (codes)
           AND result.rule_version = assessment_rules_of(result.report_year)
           AND result.parts = result.parts_expected
           AND abs(result.value - result.parts_value)
               > greatest(abs(result.parts_value), abs(result.value)) / 100
                 * coalesce((SELECT CAST(value ->> 'discrepancy_percent' AS numeric)
                               FROM portal_setting WHERE name = 'assessment_limits'), 0.5)
    ), told AS (
        SELECT found.city_code, unit.code AS division_code, found.report_year, found.canonical_code
             , found.city_value, found.counties_value
          FROM found
          JOIN division_on(current_date) AS unit
            ON unit.code = found.city_code
            OR unit.level = 'county' AND unit.parent_code = found.city_code
    ), settled AS (
        DELETE FROM indicator_discrepancy AS known
         WHERE known.report_year BETWEEN first_year AND last_year AND known.canonical_code = ANY (codes)
           AND NOT EXISTS (
               SELECT FROM told
                WHERE told.city_code = known.city_code AND told.division_code = known.division_code
                  AND told.report_year = known.report_year AND told.canonical_code = known.canonical_code)
    )
    INSERT INTO indicator_discrepancy
           (city_code, division_code, report_year, canonical_code, city_value, counties_value)
    SELECT city_code, division_code, report_year, canonical_code, city_value, counties_value FROM told
        ON CONFLICT (city_code, division_code, report_year, canonical_code) DO UPDATE
       SET city_value = excluded.city_value, counties_value = excluded.counties_value, found_at = now()
     WHERE (indicator_discrepancy.city_value, indicator_discrepancy.counties_value)
        IS DISTINCT FROM (excluded.city_value, excluded.counties_value)
$$;

REVOKE ALL ON FUNCTION assess(integer[], text[], integer, boolean)
    , find_discrepancies(integer, integer, text[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION assess(integer[], text[], integer, boolean) TO portal_app;

CREATE TRIGGER assessment_result_told AFTER INSERT OR UPDATE OR DELETE ON assessment_result
   FOR EACH STATEMENT EXECUTE FUNCTION tell_change('assessment');
CREATE TRIGGER indicator_warning_told AFTER INSERT OR UPDATE ON indicator_warning
   FOR EACH STATEMENT EXECUTE FUNCTION tell_change('assessment');
