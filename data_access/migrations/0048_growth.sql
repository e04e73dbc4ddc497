-- What grows with the province no more than it must: levels of all units, the queue of one county;
-- and the proof of what the map shows.

-- VALUES IN FORCE, as indicator_value has them; whether a version was replaced is asked once a version
-- and not once a value.
CREATE FUNCTION indicator_values_in_force(years integer[], codes text[])
RETURNS TABLE (report_year integer, division_code text, canonical_code text, numerator numeric
             , denominator numeric, value numeric)
LANGUAGE sql STABLE ROWS 20000 AS $$
    WITH accepted AS MATERIALIZED (
        SELECT value.submission_id, value.version_no, value.report_year, value.division_code
             , value.canonical_code, value.numerator, value.denominator, value.value
          FROM accepted_indicator_value AS value
         WHERE value.report_year = ANY (years) AND value.canonical_code = ANY (codes)
    ), replaced AS MATERIALIZED (
        SELECT submission_id, version_no
          FROM (SELECT DISTINCT submission_id, version_no FROM accepted) AS version
         WHERE version_no < (SELECT max(newest.version_no) FROM accepted_indicator_value AS newest
                              WHERE newest.submission_id = version.submission_id)
    )
    SELECT report_year, division_code, canonical_code, numerator, denominator, value
      FROM accepted
     WHERE NOT EXISTS (SELECT FROM replaced
                        WHERE replaced.submission_id = accepted.submission_id
                          AND replaced.version_no = accepted.version_no)
$$;

-- LEVELS, as in 0033: what is joined is hashed, and only yellow years are put in their order, so that
-- ten times the units take ten times as long.
CREATE OR REPLACE FUNCTION assessed_levels(first_year integer, last_year integer, codes text[], rules integer)
RETURNS TABLE (rule_version integer, report_year integer, division_code text, canonical_code text
             , numerator numeric, denominator numeric, value numeric, parts integer
             , parts_expected integer, parts_value numeric, reference numeric, reference_kind text
             , measure numeric, base_level text, level text, reason text, is_breach boolean)
LANGUAGE sql STABLE ROWS 20000 SET enable_mergejoin = off SET work_mem = '256MB' AS $$
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
    ), judged AS MATERIALIZED (
        SELECT rule_version, report_year, division_code, canonical_code, numerator, denominator, value
             , parts, parts_expected, parts_value, reference, reference_kind, measure, kind, is_incomplete
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
    ), watched AS (
        -- Of years that follow each other, the year less its place among the yellow ones is the same.
        SELECT report_year, division_code, canonical_code
             , report_year - row_number() OVER (
                   PARTITION BY division_code, canonical_code ORDER BY report_year) AS spell
          FROM judged
         WHERE base_level = 'watch'
    ), yellow AS (
        SELECT report_year, division_code, canonical_code
             , row_number() OVER (
                   PARTITION BY division_code, canonical_code, spell ORDER BY report_year) AS years
          FROM watched
    )
    SELECT judged.rule_version, judged.report_year, judged.division_code, judged.canonical_code
         , judged.numerator, judged.denominator, judged.value, judged.parts, judged.parts_expected
         , judged.parts_value, judged.reference, judged.reference_kind, judged.measure
         , judged.base_level
         , CASE WHEN is_breach THEN 'severe'
                WHEN yellow.years >= rule.yellow_years THEN 'warn'
                ELSE base_level END
         , CASE WHEN value IS NULL THEN NULL
                WHEN is_incomplete THEN 'incomplete'
                WHEN kind = 'none' THEN 'display_only'
                WHEN kind = 'change' AND measure IS NULL THEN 'no_previous'
                WHEN measure IS NULL THEN 'no_target'
                WHEN is_breach THEN 'breach'
                WHEN yellow.years >= rule.yellow_years THEN 'consecutive' END
         , is_breach
      FROM judged
      JOIN assessment_rules AS rule USING (rule_version)
      LEFT JOIN yellow USING (report_year, division_code, canonical_code)
$$;

-- Assess years and codes anew, with all that depends on them; NULL is all of them. Only what is
-- different is written. With `raising`, levels of the newest year that changed make warning items, and
-- an item in hand says the year and the rules by which its unit was judged last, changed or not.
CREATE OR REPLACE FUNCTION assess(years integer[] DEFAULT NULL, codes text[] DEFAULT NULL
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
    ), judged AS (
        SELECT computed.division_code, computed.canonical_code, computed.report_year
             , computed.rule_version, computed.level, new.level_rank, new.name AS level_name, new.working_days
             , coalesce(old.level, earlier.level, 'normal') AS from_level
             , coalesce((SELECT name FROM warning_level WHERE warning_level.level
                          = coalesce(old.level, earlier.level)), '首次评估') AS from_name
             , computed.level <> coalesce(old.level, earlier.level, 'normal') AS is_changed
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
    ), moved AS (
        UPDATE indicator_warning AS item
           SET report_year = judged.report_year
             , rule_version = judged.rule_version
             , level = CASE WHEN is_changed AND level_rank > 0 THEN judged.level ELSE item.level END
             -- What a person answers to is the level: he need not look again at what stayed.
             , lock_version = item.lock_version + CAST(is_changed AS integer)
             , due_on = CASE WHEN is_changed AND level_rank > (SELECT level_rank FROM warning_level
                                                                WHERE warning_level.level = item.level)
                             THEN least(item.due_on, add_working_days(current_date, judged.working_days))
                             ELSE item.due_on END
          FROM judged
         WHERE item.division_code = judged.division_code AND item.canonical_code = judged.canonical_code
           AND item.state <> 'closed'
           AND (is_changed OR (item.report_year, item.rule_version)
                           <> (judged.report_year, judged.rule_version))
        RETURNING item.indicator_warning_id, item.division_code, is_changed
                , judged.from_name, judged.level_name
    ), raised AS (
        INSERT INTO indicator_warning
               (division_code, canonical_code, report_year, rule_version, from_level, level, due_on)
        SELECT changed.division_code, changed.canonical_code, changed.report_year
             , changed.rule_version, changed.from_level, changed.level
             , add_working_days(current_date, changed.working_days)
          FROM judged AS changed
         WHERE changed.is_changed AND changed.level_rank > 0
           AND NOT EXISTS (SELECT FROM indicator_warning AS item
                            WHERE item.division_code = changed.division_code
                              AND item.canonical_code = changed.canonical_code AND item.state <> 'closed')
        RETURNING indicator_warning_id, division_code, canonical_code
    ), noted AS (
        INSERT INTO indicator_warning_note (indicator_warning_id, division_code, kind, body)
        SELECT indicator_warning_id, division_code, 'level', from_name || ' → ' || level_name FROM moved
         WHERE is_changed
         UNION ALL
        SELECT raised.indicator_warning_id, raised.division_code, 'raised'
             , changed.from_name || ' → ' || changed.level_name
          FROM raised
          JOIN judged AS changed USING (division_code, canonical_code)
        RETURNING 1
    )
    SELECT count(*) INTO written FROM stored;
    PERFORM find_discrepancies(first_year, last_year, wanted);
    RETURN written;
END
$$;

-- WAITING. What waits for an actor is read from the index by step, period and his prefix, whatever
-- waits elsewhere: a county's queue does not grow with the province.
DROP INDEX submission_queue;
CREATE INDEX submission_queue ON submission (step_no, period_id, division_code) WHERE state = 'submitted';

CREATE OR REPLACE FUNCTION review_queue(
    held_roles text[], held_prefixes text[], actor_id bigint, own_units text[], day date
  , of_form text, of_period bigint, of_step integer, of_round integer, unit_prefixes text[]
  , is_warned boolean, is_overdue boolean, is_unchanged boolean
  , named_units text[], named_filers bigint[], sorted_by text, direction integer)
RETURNS TABLE (submission_id bigint, lock_version integer, overdue boolean, sort_key numeric)
LANGUAGE sql STABLE AS $$
    WITH held AS MATERIALIZED (
        SELECT DISTINCT role, prefix FROM unnest(held_roles, held_prefixes) AS held (role, prefix)
    ), turn AS MATERIALIZED (
        -- Where it is his turn. The end of the range is a column here: what is computed of one there
        -- the row policy lets no index hear. A prefix within another one of his adds nothing.
        SELECT period.period_id, step.step_no, held.prefix, rpad(held.prefix, 12, '9') AS last_code
          FROM held
          JOIN workflow_step AS step ON step.role = held.role
          JOIN reporting_period AS period
            ON period.form_code = step.form_code AND period.workflow_version = step.version
         WHERE (of_form IS NULL OR step.form_code = of_form)
           AND (of_period IS NULL OR period.period_id = of_period)
           AND (of_step IS NULL OR step.step_no = of_step)
           AND NOT EXISTS (SELECT FROM held AS wider
                            WHERE wider.role = held.role AND wider.prefix <> held.prefix
                              AND held.prefix ^@ wider.prefix)
    )
    SELECT submission.submission_id, submission.lock_version
         , coalesce(submission.due_on < day, false)
         , CASE sorted_by WHEN 'submitted' THEN extract(epoch FROM submission.submitted_at)
                          WHEN 'due' THEN submission.due_on - DATE '2000-01-01'
                          WHEN 'unit' THEN CAST(submission.division_code AS numeric)
                          WHEN 'round' THEN submission.round_no
                          WHEN 'changes' THEN known.changes
                          WHEN 'warnings' THEN known.warnings + known.errors
           END * direction
      FROM turn
     -- OFFSET keeps the planner to the index, turn by turn.
     CROSS JOIN LATERAL (
           SELECT * FROM submission AS waiting
            WHERE waiting.state = 'submitted' AND waiting.step_no = turn.step_no
              AND waiting.period_id = turn.period_id
              AND waiting.division_code BETWEEN turn.prefix AND turn.last_code
           OFFSET 0) AS submission
      LEFT JOIN submission_check AS known
             ON known.submission_id = submission.submission_id
            AND known.version_no = submission.version_no
     WHERE submission.filer_id IS DISTINCT FROM actor_id
       AND submission.division_code <> ALL (own_units)
       AND (of_round IS NULL OR submission.round_no = of_round)
       AND (unit_prefixes IS NULL OR submission.division_code ^@ ANY (unit_prefixes))
       AND (is_warned IS NULL OR (known.warnings + known.errors > 0) = is_warned)
       AND (is_overdue IS NULL OR coalesce(submission.due_on < day, false) = is_overdue)
       AND (is_unchanged IS NULL OR submission.no_change = is_unchanged)
       AND (named_units IS NULL OR submission.division_code = ANY (named_units)
            OR submission.filer_id = ANY (named_filers))
$$;

-- THE MAP is proved like the sums: what it says of each village, and where each point lies.
CREATE VIEW village_grid_recount AS
SELECT layer_code, division_code, x >> 18 AS cell_x, y >> 18 AS cell_y, CAST(count(*) AS integer) AS points
     , sum(ST_X(location_3857)) AS sum_x, sum(ST_Y(location_3857)) AS sum_y
     , array_agg(CAST(code AS bigint) ORDER BY code) AS ids, array_agg(name ORDER BY code) AS names
     , array_agg(x ORDER BY code) AS xs, array_agg(y ORDER BY code) AS ys
  FROM (SELECT 'natural_village' AS layer_code, code, name, division_code, location_3857
          FROM natural_village WHERE valid_to IS NULL
         UNION ALL
        SELECT 'village', code, name, division_code, location_3857 FROM village_point) AS point
 CROSS JOIN (VALUES (20037508.342789244, 2 * 20037508.342789244 / (1 << 30))) AS world (half, pixel)
 CROSS JOIN LATERAL (SELECT CAST(floor((ST_X(location_3857) + half) / pixel) AS integer) AS x
                          , CAST(floor((half - ST_Y(location_3857)) / pixel) AS integer) AS y) AS place
 GROUP BY 1, 2, 3, 4;
COMMENT ON VIEW village_grid_recount IS '村庄网格的全量重算（供核对）';

CREATE FUNCTION village_map_differences()
RETURNS TABLE (division_code text, shown text, kept text, counted text)
LANGUAGE sql STABLE SET enable_nestloop = off SET work_mem = '64MB' AS $$
    SELECT division_code, 'sign'
         , coalesce(CAST(jsonb_strip_nulls(to_jsonb(kept) - 'division_code') AS text), 'nothing')
         , coalesce(CAST(jsonb_strip_nulls(to_jsonb(counted) - 'division_code') AS text), 'nothing')
      FROM village_sign AS kept
      FULL JOIN village_sign_recount AS counted USING (division_code)
     WHERE (kept.starts_on, kept.submission_id, kept.state, kept.accepted_year, kept.village_class
          , kept.eval_conclusion, kept.geohazard_level)
        IS DISTINCT FROM
           (counted.starts_on, counted.submission_id, counted.state, counted.accepted_year
          , counted.village_class, counted.eval_conclusion, counted.geohazard_level)
     UNION ALL
    -- Names and places are too long to print: what differs there differs in its digest.
    SELECT division_code, layer_code || ' ' || cell_x || '/' || cell_y
         , coalesce(kept.points || ' points ' || left(md5(CAST(
               (kept.ids, kept.names, kept.xs, kept.ys) AS text)), 8), 'nothing')
         , coalesce(counted.points || ' points ' || left(md5(CAST(
               (counted.ids, counted.names, counted.xs, counted.ys) AS text)), 8), 'nothing')
      FROM village_grid AS kept
      FULL JOIN village_grid_recount AS counted USING (layer_code, division_code, cell_x, cell_y)
     WHERE (kept.points, kept.ids, kept.names, kept.xs, kept.ys)
           IS DISTINCT FROM (counted.points, counted.ids, counted.names, counted.xs, counted.ys)
        -- Metres; sums of floating numbers depend on their order.
        OR abs(kept.sum_x - counted.sum_x) > 0.01 OR abs(kept.sum_y - counted.sum_y) > 0.01
     ORDER BY 1, 2
$$;

CREATE FUNCTION rebuild_village_map() RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    LOCK TABLE submission, accepted_village_evaluation, admin_division_version, natural_village
       , division_location IN SHARE MODE;
    DELETE FROM village_sign;
    INSERT INTO village_sign SELECT * FROM village_sign_recount;
    DELETE FROM village_grid;
    PERFORM count_village_grid('natural_village', (SELECT array_agg(DISTINCT division_code) FROM natural_village))
          , count_village_grid('village', (SELECT array_agg(DISTINCT division_code) FROM division_location));
END
$$;
REVOKE ALL ON FUNCTION village_map_differences(), rebuild_village_map() FROM PUBLIC;
