-- The planning bureau makes versions of the warning rules and sets the limits of the levels itself.

-- A second version for the same year corrects the first one: the one made last is in force.
ALTER TABLE assessment_rules
    DROP CONSTRAINT assessment_rules_valid_from_year_key
  , ADD COLUMN made_by bigint REFERENCES account
  , ADD COLUMN made_at timestamptz NOT NULL DEFAULT now()
  , ADD CONSTRAINT assessment_rules_named CHECK (btrim(title) <> '');
COMMENT ON COLUMN assessment_rules.made_by IS '制定人，空为随系统发布';
COMMENT ON COLUMN assessment_rules.made_at IS '制定时间';
ALTER TABLE warning_level
  ADD CONSTRAINT warning_level_days_sensible CHECK (working_days BETWEEN 1 AND 250);

ALTER TABLE assessment_rules ENABLE ROW LEVEL SECURITY;
ALTER TABLE warning_profile ENABLE ROW LEVEL SECURITY;
ALTER TABLE warning_level ENABLE ROW LEVEL SECURITY;
CREATE POLICY assessment_rules_read ON assessment_rules FOR SELECT TO portal_app USING (true);
CREATE POLICY assessment_rules_made ON assessment_rules FOR INSERT TO portal_app
    WITH CHECK ((SELECT 'plan_bureau' = ANY (actor_roles())) AND made_by = (SELECT actor_user_id()));
CREATE POLICY warning_profile_read ON warning_profile FOR SELECT TO portal_app USING (true);
CREATE POLICY warning_profile_made ON warning_profile FOR INSERT TO portal_app
    WITH CHECK ((SELECT 'plan_bureau' = ANY (actor_roles())));
CREATE POLICY warning_level_read ON warning_level FOR SELECT TO portal_app USING (true);
CREATE POLICY warning_level_changed ON warning_level FOR UPDATE TO portal_app
    USING ((SELECT 'plan_bureau' = ANY (actor_roles())));
GRANT INSERT (rule_version, title, valid_from_year, yellow_years, basis, basis_note, made_by)
   ON assessment_rules TO portal_app;
GRANT INSERT (rule_version, profile_code, name, measure, expression, blue, yellow, orange, red
            , without_target, remark, basis, basis_note) ON warning_profile TO portal_app;
GRANT UPDATE (working_days) ON warning_level TO portal_app;

-- The rules that a year stood under before these were made.
CREATE FUNCTION assessment_rules_before(rules integer, year integer) RETURNS integer
LANGUAGE sql STABLE AS $$
    SELECT rule_version FROM assessment_rules
     WHERE rule_version < rules AND valid_from_year <= year
     ORDER BY valid_from_year DESC, rule_version DESC LIMIT 1
$$;

-- What new rules would make of the newest year: levels of cities and counties that change.
CREATE FUNCTION compare_assessment_rules(rules integer)
RETURNS TABLE (from_level text, level text, results bigint, units bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
SET jit = off SET work_mem = '64MB' SET enable_nestloop = off AS $$
    WITH newest AS (
        SELECT max(year) AS year, min(year) AS first FROM unnest(assessment_years()) AS year
    ), next AS (
        SELECT found.division_code, found.canonical_code, found.report_year, found.level
          FROM newest
         CROSS JOIN assessment_rules AS made
         CROSS JOIN LATERAL assessed_levels(
               greatest(newest.year - (SELECT max(yellow_years) FROM assessment_rules), newest.first)
             , newest.year
             , (SELECT array_agg(canonical_code) FROM indicator_canonical)
             -- As saving would judge: earlier years keep their own rules, unless these begin later.
             , CASE WHEN made.valid_from_year > newest.year THEN rules END) AS found
         WHERE made.rule_version = rules AND newest.year IS NOT NULL
           AND found.report_year = newest.year
    )
    SELECT coalesce(now.level, 'no_data'), next.level, count(*), count(DISTINCT next.division_code)
      FROM next
      JOIN admin_division AS unit ON unit.code = next.division_code AND unit.level IN ('city', 'county')
      LEFT JOIN assessment_result AS now
             ON now.rule_version = assessment_rules_before(rules, next.report_year)
            AND now.report_year = next.report_year AND now.division_code = next.division_code
            AND now.canonical_code = next.canonical_code
     WHERE coalesce(now.level, 'no_data') <> next.level
       AND (SELECT 'plan_bureau' = ANY (actor_roles()))
     GROUP BY 1, 2
$$;

-- New rules begin with the results of the rules before them: only what differs is a change of level.
CREATE FUNCTION begin_assessment_rules(rules integer) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT 'plan_bureau' = ANY (actor_roles()) THEN
        RAISE EXCEPTION 'rules are the planning bureau''s' USING ERRCODE = 'insufficient_privilege';
    END IF;
    INSERT INTO assessment_result
           (rule_version, report_year, division_code, canonical_code, numerator, denominator, value
          , parts, parts_expected, parts_value, reference, reference_kind, measure, base_level
          , level, reason, is_breach)
    SELECT made.rule_version, result.report_year, result.division_code, result.canonical_code
         , result.numerator, result.denominator, result.value, result.parts, result.parts_expected
         , result.parts_value, result.reference, result.reference_kind, result.measure
         , result.base_level, result.level, result.reason, result.is_breach
      FROM assessment_rules AS made
      JOIN assessment_result AS result
        ON result.report_year >= made.valid_from_year
       AND result.rule_version = assessment_rules_before(made.rule_version, result.report_year)
     WHERE made.rule_version = rules;
END
$$;
REVOKE ALL ON FUNCTION compare_assessment_rules(integer), begin_assessment_rules(integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION compare_assessment_rules(integer), begin_assessment_rules(integer) TO portal_app;
