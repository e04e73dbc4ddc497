-- What may exceed 100 %, formulas in versions, partial differences, and drafts a department reads.

-- A share of a whole cannot exceed it; a rate or a proportion of two other things can.
ALTER TABLE indicator_canonical ADD COLUMN is_share boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN indicator_canonical.is_share IS '是否为整体中的一部分所占的比例（不可能超过 100%）';

-- Targets of many years come back in one table.
INSERT INTO upload_use (use, title, roles, media_types, max_size, max_unpacked) VALUES
    ('target_workbook', '指标目标表', '{plan_bureau}'
     , '{application/vnd.openxmlformats-officedocument.spreadsheetml.sheet}', 10485760, 104857600);

-- FORMULAS IN VERSIONS: a year is computed by the version made last of those that reach it.
CREATE TABLE indicator_formula (
    canonical_code  text NOT NULL REFERENCES indicator_canonical,
    version         integer NOT NULL,
    valid_from_year integer NOT NULL,
    formula         text NOT NULL,
    formula_tree    jsonb NOT NULL,
    formula_inputs  text[] NOT NULL,
    reason          text NOT NULL,
    made_by         bigint REFERENCES account,
    made_at         timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (canonical_code, version),
    CONSTRAINT indicator_formula_has_inputs CHECK (formula_inputs <> '{}'),
    CONSTRAINT indicator_formula_has_reason CHECK (btrim(reason) <> '')
);
CREATE INDEX indicator_formula_made_by ON indicator_formula (made_by);
COMMENT ON TABLE indicator_formula IS '派生指标的算式版本（只增不改）';
COMMENT ON COLUMN indicator_formula.canonical_code IS '归并代码';
COMMENT ON COLUMN indicator_formula.version IS '版本';
COMMENT ON COLUMN indicator_formula.valid_from_year IS '自哪一数据年度起采用';
COMMENT ON COLUMN indicator_formula.formula IS '计算式（以归并代码为变量）';
COMMENT ON COLUMN indicator_formula.formula_tree IS '计算式的语法树，已展开到直接填报的指标';
COMMENT ON COLUMN indicator_formula.formula_inputs IS '计算式最终用到的归并代码';
COMMENT ON COLUMN indicator_formula.reason IS '修改说明';
COMMENT ON COLUMN indicator_formula.made_by IS '修改人，空为随系统发布';
COMMENT ON COLUMN indicator_formula.made_at IS '修改时间';
COMMENT ON COLUMN indicator_canonical.formula IS '最新版本的计算式（以归并代码为变量），空为直接填报';
COMMENT ON COLUMN indicator_canonical.formula_inputs IS '各版本计算式最终用到的归并代码';

CREATE FUNCTION indicator_formulas_of(year integer)
RETURNS TABLE (canonical_code text, version integer, valid_from_year integer, formula text
             , formula_tree jsonb, formula_inputs text[])
LANGUAGE sql STABLE AS $$
    SELECT DISTINCT ON (canonical_code)
           canonical_code, version, valid_from_year, formula, formula_tree, formula_inputs
      FROM indicator_formula
     WHERE valid_from_year <= year
     ORDER BY canonical_code, version DESC
$$;

-- The indicator itself shows its newest formula, and names every input of any year: what changes
-- there may change it.
CREATE FUNCTION show_newest_formulas(codes text[]) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    UPDATE indicator_canonical AS canonical
       SET value_kind = 'derived', formula = newest.formula, formula_tree = newest.formula_tree
         , formula_inputs = newest.all_inputs
      FROM (SELECT DISTINCT ON (canonical_code) canonical_code, formula, formula_tree
                 , ARRAY (SELECT DISTINCT input FROM indicator_formula AS any_version
                           CROSS JOIN unnest(any_version.formula_inputs) AS input
                           WHERE any_version.canonical_code = found.canonical_code
                           ORDER BY input) AS all_inputs
              FROM indicator_formula AS found
             WHERE canonical_code = ANY (codes)
             ORDER BY canonical_code, version DESC) AS newest
     WHERE newest.canonical_code = canonical.canonical_code
       AND (canonical.value_kind, canonical.formula, canonical.formula_tree, canonical.formula_inputs)
           IS DISTINCT FROM ('derived', newest.formula, newest.formula_tree, newest.all_inputs)
$$;
CREATE FUNCTION show_made_formula() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM show_newest_formulas(ARRAY[NEW.canonical_code]);
    RETURN NULL;
END
$$;
CREATE TRIGGER indicator_formula_shown AFTER INSERT ON indicator_formula
   FOR EACH ROW EXECUTE FUNCTION show_made_formula();

-- After a load of reference data: what the bureau changed stays, what it never touched follows the
-- file as a version of its own, from the newest data year on.
CREATE FUNCTION take_released_formulas() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO indicator_formula
           (canonical_code, version, valid_from_year, formula, formula_tree, formula_inputs, reason)
    SELECT canonical.canonical_code, coalesce(newest.version, 0) + 1
         , CASE WHEN newest.version IS NULL THEN 2000
                ELSE coalesce((SELECT max(year) FROM unnest(assessment_years()) AS year), 2000) END
         , canonical.formula, canonical.formula_tree, canonical.formula_inputs
         , CASE WHEN newest.version IS NULL THEN '随系统发布' ELSE '随系统升级更新' END
      FROM indicator_canonical AS canonical
      LEFT JOIN LATERAL (
           SELECT version, formula FROM indicator_formula AS found
            WHERE found.canonical_code = canonical.canonical_code
            ORDER BY version DESC LIMIT 1) AS newest ON true
     WHERE canonical.value_kind = 'derived' AND canonical.formula IS DISTINCT FROM newest.formula
       AND NOT EXISTS (SELECT FROM indicator_formula AS touched
                        WHERE touched.canonical_code = canonical.canonical_code
                          AND touched.made_by IS NOT NULL);
    PERFORM show_newest_formulas(ARRAY (
        SELECT canonical_code FROM indicator_canonical WHERE value_kind = 'derived'
         UNION
        SELECT canonical_code FROM indicator_formula WHERE made_by IS NOT NULL));
END
$$;
REVOKE ALL ON FUNCTION show_newest_formulas(text[]), take_released_formulas() FROM PUBLIC;

SELECT audit_table('indicator_formula');
ALTER TABLE indicator_formula ENABLE ROW LEVEL SECURITY;
CREATE POLICY indicator_formula_read ON indicator_formula FOR SELECT TO portal_app USING (true);
CREATE POLICY indicator_formula_made ON indicator_formula FOR INSERT TO portal_app
    WITH CHECK ((SELECT 'plan_bureau' = ANY (actor_roles())) AND made_by = (SELECT actor_user_id()));
GRANT SELECT, INSERT (canonical_code, version, valid_from_year, formula, formula_tree
    , formula_inputs, reason, made_by) ON indicator_formula TO portal_app;
REVOKE UPDATE (value_kind, formula, formula_tree, formula_inputs) ON indicator_canonical FROM portal_app;
DROP POLICY indicator_canonical_changed ON indicator_canonical;

-- What is there becomes the first version; who changed it before is in the trail.
SELECT set_config('app.action', 'migration.0050', true);
INSERT INTO indicator_formula
       (canonical_code, version, valid_from_year, formula, formula_tree, formula_inputs, reason, made_by)
SELECT canonical.canonical_code, 1, 2000, canonical.formula, canonical.formula_tree
     , canonical.formula_inputs
     , CASE WHEN changed.user_id IS NULL THEN '随系统发布' ELSE '启用算式版本以前修改，旧算式见审计日志' END
     , changed.user_id
  FROM indicator_canonical AS canonical
  LEFT JOIN LATERAL (
       SELECT account.user_id
         FROM row_change
         JOIN account ON account.user_id = row_change.user_id
        WHERE table_name = 'indicator_canonical' AND row_change.action = 'indicator_canonical.formula'
          AND after ->> 'canonical_code' = canonical.canonical_code
        ORDER BY row_change_id DESC LIMIT 1) AS changed ON true
 WHERE canonical.value_kind = 'derived';

-- VALUES, as in 0033, each year by its own formulas.
CREATE OR REPLACE FUNCTION assessed_values(years integer[], codes text[])
RETURNS TABLE (report_year integer, division_code text, canonical_code text, numerator numeric
             , denominator numeric, value numeric, parts integer, parts_expected integer, parts_value numeric)
LANGUAGE sql STABLE ROWS 20000 SET enable_mergejoin = off AS $$
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
    ), formula AS MATERIALIZED (
        SELECT of_year.report_year, found.canonical_code, found.formula_tree, found.formula_inputs
          FROM unnest(years) AS of_year (report_year)
         CROSS JOIN LATERAL indicator_formulas_of(of_year.report_year) AS found
         WHERE found.canonical_code = ANY (codes)
    ), needed AS (
        SELECT unnest(codes) AS canonical_code
         UNION
        SELECT unnest(formula_inputs) FROM formula
    ), filed AS MATERIALIZED (
        SELECT * FROM indicator_values_in_force(
            years, (SELECT array_agg(needed.canonical_code) FROM needed))
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
         WHERE known.canonical_code IN (SELECT unnest(formula_inputs) FROM formula)
         GROUP BY known.report_year, known.division_code
    ), derived AS (
        SELECT named.report_year, named.division_code, formula.canonical_code
             , round(formula_value(formula.formula_tree, named.own), 6) AS value
             , CASE WHEN expected.counties IS NOT NULL
                    THEN round(formula_value(formula.formula_tree, named.together), 6) END AS parts_value
             , expected.counties
             , (SELECT min(CAST(coalesce(named.parts ->> input, '0') AS integer))
                  FROM unnest(formula.formula_inputs) AS input) AS parts
          FROM named
          JOIN formula
            ON formula.report_year = named.report_year AND named.parts ?| formula.formula_inputs
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

-- DIFFERENCES between a city and its counties, also where the counties that filed have more already.
ALTER TABLE indicator_discrepancy
    ADD COLUMN parts integer
  , ADD COLUMN parts_expected integer;
UPDATE indicator_discrepancy AS found
   SET parts = counted.counties, parts_expected = counted.counties
  FROM (SELECT parent_code, CAST(count(*) AS integer) AS counties
          FROM division_on(current_date) WHERE level = 'county' GROUP BY parent_code) AS counted
 WHERE counted.parent_code = found.city_code;
ALTER TABLE indicator_discrepancy
    ALTER COLUMN parts SET NOT NULL
  , ALTER COLUMN parts_expected SET NOT NULL
  , ADD CONSTRAINT indicator_discrepancy_partial_is_more
        CHECK (parts = parts_expected OR parts < parts_expected AND counties_value > city_value);
COMMENT ON COLUMN indicator_discrepancy.parts IS '已有数的县数；少于所辖县数时，已报各县之和已超过市级值';
COMMENT ON COLUMN indicator_discrepancy.parts_expected IS '所辖县数';

CREATE OR REPLACE FUNCTION find_discrepancies(first_year integer, last_year integer, codes text[]) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH found AS MATERIALIZED (
        SELECT result.division_code AS city_code, result.report_year, result.canonical_code
             , result.value AS city_value, result.parts_value AS counties_value
             , result.parts, result.parts_expected
          FROM assessment_result AS result
          JOIN admin_division AS city ON city.code = result.division_code AND city.level = 'city'
          JOIN indicator_canonical AS canonical ON canonical.canonical_code = result.canonical_code
         WHERE result.report_year BETWEEN first_year AND last_year
           AND result.canonical_code = ANY (codes)
           AND result.rule_version = assessment_rules_of(result.report_year)
           -- Whoever is missing can only add to a sum of what is never negative.
           AND (result.parts = result.parts_expected
                OR canonical.value_kind = 'quantity' AND canonical.typical_min >= 0
                   AND result.parts_value > result.value)
           AND abs(result.value - result.parts_value)
               > greatest(abs(result.parts_value), abs(result.value)) / 100
                 * coalesce((SELECT CAST(value ->> 'discrepancy_percent' AS numeric)
                               FROM portal_setting WHERE name = 'assessment_limits'), 0.5)
    ), told AS (
        SELECT found.city_code, unit.code AS division_code, found.report_year, found.canonical_code
             , found.city_value, found.counties_value, found.parts, found.parts_expected
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
           (city_code, division_code, report_year, canonical_code, city_value, counties_value, parts
          , parts_expected)
    SELECT city_code, division_code, report_year, canonical_code, city_value, counties_value, parts
         , parts_expected
      FROM told
        ON CONFLICT (city_code, division_code, report_year, canonical_code) DO UPDATE
       SET city_value = excluded.city_value, counties_value = excluded.counties_value
         , parts = excluded.parts, parts_expected = excluded.parts_expected, found_at = now()
     WHERE (indicator_discrepancy.city_value, indicator_discrepancy.counties_value
          , indicator_discrepancy.parts, indicator_discrepancy.parts_expected)
        IS DISTINCT FROM (excluded.city_value, excluded.counties_value, excluded.parts
          , excluded.parts_expected)
$$;

-- Why no difference is told: counties of the city are missing. The city and its counties see how many
-- they are and no figure of each other.
CREATE FUNCTION discrepancies_waiting(of_year integer, of_code text DEFAULT NULL)
RETURNS TABLE (city_code text, city_name text, canonical_code text, parts integer, parts_expected integer)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT city.code, city.name, result.canonical_code, result.parts, result.parts_expected
      FROM division_on(current_date) AS city
      JOIN assessment_result AS result
        ON result.division_code = city.code AND result.report_year = of_year
       AND result.rule_version = assessment_rules_of(of_year)
      JOIN indicator_canonical AS canonical
        ON canonical.canonical_code = result.canonical_code AND canonical.value_kind <> 'reading'
     WHERE city.level = 'city' AND (of_code IS NULL OR result.canonical_code = of_code)
       AND result.value IS NOT NULL AND result.parts < result.parts_expected
       AND EXISTS (SELECT FROM unnest(actor_prefixes()) AS prefix
                    WHERE city.prefix ^@ prefix OR prefix ^@ city.prefix)
       AND ((SELECT NOT actor_is_department())
            OR result.canonical_code = ANY ((SELECT actor_indicator_codes())::text[]))
       AND NOT EXISTS (SELECT FROM indicator_discrepancy AS told
                        WHERE told.city_code = city.code AND told.report_year = of_year
                          AND told.canonical_code = result.canonical_code)
$$;
REVOKE ALL ON FUNCTION discrepancies_waiting(integer, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION discrepancies_waiting(integer, text) TO portal_app;

-- PLACES among all units of a kind, told of the units in the actor's scope: who sees a part of the
-- province learns his own place and nobody's figure, unless the bureau forbids it.
CREATE FUNCTION assessment_places(of_year integer, rules integer, codes text[])
RETURNS TABLE (division_code text, canonical_code text, value numeric, level text, is_breach boolean
             , reference numeric, reference_kind text, reason text, place bigint, places bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp ROWS 10000 AS $$
    WITH shown AS MATERIALIZED (
        SELECT coalesce((SELECT value = 'true' FROM portal_setting WHERE name = 'units_see_own_rank'), true)
               OR EXISTS (SELECT FROM admin_division AS top
                           WHERE top.level = 'province' AND top.prefix ^@ ANY (actor_prefixes())) AS is_told
    ), ranked AS (
        SELECT result.division_code, result.canonical_code, result.value, result.level, result.is_breach
             , result.reference, result.reference_kind, result.reason
             , CASE WHEN result.value IS NOT NULL THEN rank() OVER (
                   PARTITION BY result.canonical_code, unit.level, result.value IS NULL
                   ORDER BY CASE WHEN canonical.direction IN ('lower_better', 'binding_ceiling', 'zero_tolerance')
                                 THEN result.value ELSE -result.value END) END AS place
             , count(result.value) OVER (PARTITION BY result.canonical_code, unit.level) AS places
          FROM assessment_result AS result
          JOIN admin_division AS unit ON unit.code = result.division_code AND unit.level <> 'province'
          JOIN indicator_canonical AS canonical USING (canonical_code)
         WHERE result.report_year = of_year AND result.rule_version = rules
           AND result.canonical_code = ANY (codes)
    )
    SELECT ranked.division_code, ranked.canonical_code, ranked.value, ranked.level, ranked.is_breach
         , ranked.reference, ranked.reference_kind, ranked.reason
         , CASE WHEN shown.is_told THEN ranked.place END, CASE WHEN shown.is_told THEN ranked.places END
      FROM ranked
     CROSS JOIN shown
     WHERE ranked.division_code ^@ ANY ((SELECT actor_prefixes())::text[])
       AND ((SELECT NOT actor_is_department())
            OR ranked.canonical_code = ANY ((SELECT actor_indicator_codes())::text[]))
$$;
REVOKE ALL ON FUNCTION assessment_places(integer, integer, text[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION assessment_places(integer, integer, text[]) TO portal_app;

-- A DEPARTMENT READS ITS OWN ROWS of a unit's report, and the database holds it to that: the row with
-- everybody's figures and the unit's contacts is not its to read.
DROP POLICY submission_draft_in_scope ON submission_draft;
CREATE POLICY submission_draft_in_scope ON submission_draft TO portal_app
    USING (division_code ^@ ANY ((SELECT actor_prefixes())::text[])
           AND ((SELECT NOT actor_is_department()) OR NOT content ? 'indicator'))
    WITH CHECK (division_code ^@ ANY ((SELECT actor_prefixes())::text[]));
DROP POLICY submission_version_in_scope ON submission_version;
CREATE POLICY submission_version_in_scope ON submission_version TO portal_app
    USING (division_code ^@ ANY ((SELECT actor_prefixes())::text[])
           AND ((SELECT NOT actor_is_department()) OR NOT content ? 'indicator'))
    WITH CHECK (division_code ^@ ANY ((SELECT actor_prefixes())::text[]));

CREATE FUNCTION rows_of_department(content jsonb) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT jsonb_build_object('form', coalesce(content -> 'form', '{}') - ARRAY (
        SELECT field_code FROM form_field
         WHERE form_code = 'status_assessment' AND group_code = 'form' AND sensitivity = 'contact')
      , 'indicator', coalesce((
        SELECT jsonb_agg(own.row ORDER BY own.place)
          FROM jsonb_array_elements(content -> 'indicator') WITH ORDINALITY AS own (row, place)
         WHERE own.row ->> 'key' = ANY ((SELECT actor_indicator_codes())::text[])), '[]'))
$$;
CREATE FUNCTION draft_of_department(of_submission bigint)
RETURNS TABLE (content jsonb, draft_version integer, saved_at timestamptz, saved_by bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp ROWS 1 AS $$
    SELECT rows_of_department(draft.content), draft.draft_version, draft.saved_at, draft.saved_by
      FROM submission_draft AS draft
     WHERE draft.submission_id = of_submission AND actor_is_department() AND draft.content ? 'indicator'
       AND draft.division_code ^@ ANY (actor_prefixes())
$$;
CREATE FUNCTION versions_of_department(of_submission bigint)
RETURNS TABLE (version_no integer, round_no integer, form_version integer, rule_version integer
             , code_version text, workflow_version integer, content jsonb, content_sha256 text
             , no_change boolean, submitted_by bigint, submitted_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp ROWS 2 AS $$
    SELECT version.version_no, version.round_no, version.form_version, version.rule_version
         , version.code_version, version.workflow_version, rows_of_department(version.content)
         , version.content_sha256, version.no_change, version.submitted_by, version.submitted_at
      FROM submission_version AS version
     WHERE version.submission_id = of_submission AND actor_is_department() AND version.content ? 'indicator'
       AND version.division_code ^@ ANY (actor_prefixes())
$$;

-- A department that opens a report first begins the unit's draft; its contacts come from the last one.
CREATE FUNCTION begin_draft_of_department(of_submission bigint, content jsonb) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    INSERT INTO submission_draft (submission_id, division_code, content, saved_by)
    SELECT submission.submission_id, submission.division_code
         , jsonb_set(rows_of_department(begin_draft_of_department.content), '{form}', coalesce((
               SELECT jsonb_object_agg(field.field_code, version.content -> 'form' -> field.field_code)
                 FROM (SELECT last.content
                         FROM submission_version AS last
                         JOIN submission AS earlier USING (submission_id)
                        WHERE last.division_code = submission.division_code
                          AND earlier.form_code = submission.form_code
                        ORDER BY last.submitted_at DESC LIMIT 1) AS version
                CROSS JOIN form_field AS field
                WHERE field.form_code = submission.form_code AND field.group_code = 'form'
                  AND field.sensitivity = 'contact'), '{}'))
         , actor_user_id()
      FROM submission
     WHERE submission.submission_id = of_submission AND actor_is_department()
       AND submission.form_code = 'status_assessment'
       AND submission.division_code ^@ ANY (actor_prefixes())
        ON CONFLICT (submission_id) DO NOTHING
$$;

-- What a department fills goes between the rows of others, which stay as they are stored.
CREATE FUNCTION save_rows_of_department(of_submission bigint, own jsonb, seen integer)
RETURNS TABLE (draft_version integer, saved_at timestamptz)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    codes text[] := actor_indicator_codes();
BEGIN
    IF EXISTS (SELECT FROM jsonb_array_elements(own -> 'indicator') AS sent (row)
                WHERE sent.row ->> 'key' <> ALL (codes)) THEN
        RAISE EXCEPTION 'a department changes its own indicators' USING
            ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'submission_draft_own_indicators';
    END IF;
    RETURN QUERY
    UPDATE submission_draft AS draft
       SET content = jsonb_set(draft.content, '{indicator}', coalesce((
               SELECT jsonb_agg(coalesce(sent.row, kept.row) ORDER BY kept.place, sent.place)
                 FROM jsonb_array_elements(draft.content -> 'indicator') WITH ORDINALITY AS kept (row, place)
                 FULL JOIN jsonb_array_elements(own -> 'indicator') WITH ORDINALITY AS sent (row, place)
                   ON sent.row -> 'key' = kept.row -> 'key'), '[]'))
         , draft_version = draft.draft_version + 1
         , saved_at = clock_timestamp()
         , saved_by = actor_user_id()
      FROM submission
     WHERE draft.submission_id = of_submission AND draft.draft_version = seen
       AND actor_is_department() AND draft.content ? 'indicator'
       AND draft.division_code ^@ ANY (actor_prefixes())
       AND submission.submission_id = draft.submission_id
       AND submission.state IN ('draft', 'returned')
    RETURNING draft.draft_version, draft.saved_at;
END
$$;
REVOKE ALL ON FUNCTION draft_of_department(bigint), versions_of_department(bigint)
    , begin_draft_of_department(bigint, jsonb), save_rows_of_department(bigint, jsonb, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION draft_of_department(bigint), versions_of_department(bigint)
    , begin_draft_of_department(bigint, jsonb), save_rows_of_department(bigint, jsonb, integer) TO portal_app;
