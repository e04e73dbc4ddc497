-- Sums of village evaluations by township, county and year, kept as the filing goes on.
--
-- What each filing changes is added as rows of its own, in its transaction: writers never wait for
-- each other on a sum, and the sum of the rows is true at every moment. The worker folds them.
CREATE TABLE village_rollup (
    village_rollup_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    division_code     text NOT NULL REFERENCES admin_division,
    level             text NOT NULL,
    report_year       integer NOT NULL,
    measure           text NOT NULL,
    code              text NOT NULL,
    amount            numeric NOT NULL,
    CONSTRAINT village_rollup_level_known CHECK (level IN ('county', 'township'))
);
CREATE INDEX village_rollup_sum ON village_rollup
    (report_year, level, division_code text_pattern_ops, measure, code) INCLUDE (amount);
COMMENT ON TABLE village_rollup IS '村庄评估汇总（各县、各乡镇每年每项为各行之和，由填报触发）';
COMMENT ON COLUMN village_rollup.village_rollup_id IS '汇总行';
COMMENT ON COLUMN village_rollup.division_code IS '县或乡镇代码';
COMMENT ON COLUMN village_rollup.level IS '层级：county 县，township 乡镇';
COMMENT ON COLUMN village_rollup.report_year IS '填报年度';
COMMENT ON COLUMN village_rollup.measure IS '汇总项，如 state 填报状态、village_class 村庄分类、sum 合计';
COMMENT ON COLUMN village_rollup.code IS '汇总项中的代码或字段，无则为空';
COMMENT ON COLUMN village_rollup.amount IS '增减的数量（村数，或合计的单位）';
ALTER TABLE village_rollup ENABLE ROW LEVEL SECURITY;
CREATE POLICY village_rollup_in_scope ON village_rollup TO portal_app
    USING (division_code ^@ ANY ((SELECT actor_prefixes())::text[]));
GRANT SELECT ON village_rollup TO portal_app;

-- WHAT IS COUNTED. What a village does not say is not counted, neither as yes nor as no.
CREATE FUNCTION village_facts(evaluation accepted_village_evaluation)
RETURNS TABLE (measure text, code text, amount numeric)
LANGUAGE sql IMMUTABLE AS $$
    SELECT fact.measure, fact.code, fact.amount
      FROM (VALUES
           ('accepted', '', CAST(1 AS numeric))
         , ('village_class', evaluation.village_class, 1)
         , ('plan_status', evaluation.plan_status, 1)
         , ('plan_type', evaluation.plan_type, 1)
         , ('eval_conclusion', evaluation.eval_conclusion, 1)
         , ('tap_water', evaluation.tap_water, 1)
         , ('sewage', evaluation.sewage, 1)
         , ('hazard', 'geohazard', CASE WHEN evaluation.geohazard_points > 0 THEN 1 END)
         , ('hazard', 'flood', CASE WHEN evaluation.flood_risk THEN 1 END)
         , ('hazard', 'any', CASE WHEN evaluation.geohazard_points > 0 OR evaluation.flood_risk THEN 1 END)
         , ('service', 'hard_road', CASE WHEN evaluation.hard_road THEN 1 END)
         , ('service', 'garbage_collected', CASE WHEN evaluation.garbage_collected THEN 1 END)
         , ('service', 'clinic', CASE WHEN evaluation.clinic THEN 1 END)
         , ('service', 'primary_school', CASE WHEN evaluation.primary_school THEN 1 END)
         , ('service', 'kindergarten', CASE WHEN evaluation.kindergarten THEN 1 END)
         , ('service', 'elder_care', CASE WHEN evaluation.elder_care THEN 1 END)
         , ('service', 'culture_square', CASE WHEN evaluation.culture_square THEN 1 END)
         , ('service', 'village_office', CASE WHEN evaluation.village_office THEN 1 END)
         , ('service', 'bus', CASE WHEN evaluation.bus THEN 1 END)
         , ('service', 'broadband', CASE WHEN evaluation.broadband THEN 1 END)
         , ('answered', 'hard_road', CASE WHEN evaluation.hard_road IS NOT NULL THEN 1 END)
         , ('answered', 'garbage_collected', CASE WHEN evaluation.garbage_collected IS NOT NULL THEN 1 END)
         , ('answered', 'clinic', CASE WHEN evaluation.clinic IS NOT NULL THEN 1 END)
         , ('answered', 'primary_school', CASE WHEN evaluation.primary_school IS NOT NULL THEN 1 END)
         , ('answered', 'kindergarten', CASE WHEN evaluation.kindergarten IS NOT NULL THEN 1 END)
         , ('answered', 'elder_care', CASE WHEN evaluation.elder_care IS NOT NULL THEN 1 END)
         , ('answered', 'culture_square', CASE WHEN evaluation.culture_square IS NOT NULL THEN 1 END)
         , ('answered', 'village_office', CASE WHEN evaluation.village_office IS NOT NULL THEN 1 END)
         , ('answered', 'bus', CASE WHEN evaluation.bus IS NOT NULL THEN 1 END)
         , ('answered', 'broadband', CASE WHEN evaluation.broadband IS NOT NULL THEN 1 END)
         , ('sum', 'natural_cnt', evaluation.natural_cnt)
         , ('sum', 'hukou_pop', evaluation.hukou_pop)
         , ('sum', 'resident_pop', evaluation.resident_pop)
         , ('sum', 'households', evaluation.households)
         , ('sum', 'construction_area', evaluation.construction_area)
         , ('sum', 'idle_homestead_cnt', evaluation.idle_homestead_cnt)
         , ('sum', 'geohazard_points', evaluation.geohazard_points))
           AS fact (measure, code, amount)
     WHERE fact.code IS NOT NULL AND fact.amount IS NOT NULL
$$;

CREATE FUNCTION natural_village_facts(evaluation accepted_natural_village_evaluation)
RETURNS TABLE (measure text, code text, amount numeric)
LANGUAGE sql IMMUTABLE AS $$
    SELECT fact.measure, fact.code, fact.amount
      FROM (VALUES
           ('natural', 'accepted', CAST(1 AS numeric))
         , ('natural', 'geohazard', CASE WHEN evaluation.geohazard_points > 0 THEN 1 END)
         , ('natural', 'flood', CASE WHEN evaluation.flood_risk THEN 1 END)
         , ('natural_class', evaluation.natural_class, 1)) AS fact (measure, code, amount)
     WHERE fact.code IS NOT NULL AND fact.amount IS NOT NULL
$$;

CREATE FUNCTION village_deadline(period bigint, village text) RETURNS timestamptz
LANGUAGE sql STABLE AS $$
    SELECT coalesce((SELECT deadline_at FROM period_extension
                      WHERE period_id = period AND division_code = village
                      ORDER BY granted_at DESC, period_extension_id DESC LIMIT 1)
                  , (SELECT deadline_at FROM reporting_period WHERE period_id = period))
$$;

-- The full count: the same facts, from the reports themselves.
CREATE VIEW village_in_time AS
SELECT report.division_code, period.period_id
     , CAST(extract(year FROM period.starts_on) AS integer) AS report_year
  FROM submission AS report
  JOIN reporting_period AS period USING (period_id)
 WHERE report.form_code = 'village_evaluation'
   AND (SELECT max(happened_at) FROM review_event AS event
         WHERE event.submission_id = report.submission_id
           AND event.action = 'submit' AND event.round_no = 1)
       <= village_deadline(period.period_id, report.division_code);
COMMENT ON VIEW village_in_time IS '按时报送的行政村评估（首轮最后一次报送不晚于截止时间）';

CREATE VIEW village_recount AS
SELECT left(fact.division_code, level.digits) AS division_code, level.name AS level
     , fact.report_year, fact.measure, fact.code, sum(fact.amount) AS amount
  FROM (SELECT report.division_code, CAST(extract(year FROM period.starts_on) AS integer) AS report_year
             , 'state' AS measure, report.state AS code, CAST(1 AS numeric) AS amount
          FROM submission AS report
          JOIN reporting_period AS period USING (period_id)
         WHERE report.form_code = 'village_evaluation'
         UNION ALL
        SELECT division_code, report_year, 'in_time', '', 1 FROM village_in_time
         UNION ALL
        SELECT evaluation.division_code, evaluation.report_year, fact.*
          FROM accepted_village_evaluation AS evaluation
         CROSS JOIN LATERAL village_facts(evaluation) AS fact
         UNION ALL
        SELECT evaluation.division_code, evaluation.report_year, fact.*
          FROM accepted_natural_village_evaluation AS evaluation
         CROSS JOIN LATERAL natural_village_facts(evaluation) AS fact) AS fact
 CROSS JOIN (VALUES ('county', 6), ('township', 9)) AS level (name, digits)
 GROUP BY 1, 2, 3, 4, 5;
COMMENT ON VIEW village_recount IS '村庄评估汇总的全量重算（供核对）';

-- WHAT MOVES. A deadline that moves has every other writer wait, so that no report is judged by two.
CREATE FUNCTION add_to_village_rollup(villages text[], years integer[], measures text[], codes text[]
                                    , amounts numeric[]) RETURNS void
LANGUAGE sql AS $$
    INSERT INTO village_rollup (division_code, level, report_year, measure, code, amount)
    SELECT left(fact.village, level.digits), level.name, fact.year, fact.measure, fact.code
         , sum(fact.amount)
      FROM unnest(villages, years, measures, codes, amounts) AS fact (village, year, measure, code, amount)
     CROSS JOIN (VALUES ('county', 6), ('township', 9)) AS level (name, digits)
     GROUP BY 1, 2, 3, 4, 5
    HAVING sum(fact.amount) <> 0
$$;

CREATE FUNCTION roll_up_submissions() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM added WHERE form_code = 'village_evaluation') THEN
        RETURN NULL;
    END IF;
    PERFORM pg_advisory_xact_lock_shared(hashtext('village_rollup'));
    IF TG_OP = 'INSERT' THEN
        PERFORM add_to_village_rollup(array_agg(division_code), array_agg(year), array_agg(measure)
                                    , array_agg(code), array_agg(amount))
           FROM (SELECT added.division_code, CAST(extract(year FROM starts_on) AS integer) AS year, fact.*
                   FROM added
                   JOIN reporting_period USING (period_id)
                  CROSS JOIN LATERAL (VALUES
                        ('state', added.state, CAST(1 AS numeric))
                      , ('in_time', '', CASE WHEN added.submitted_at <= village_deadline(
                            added.period_id, added.division_code) THEN 1 ELSE 0 END))
                        AS fact (measure, code, amount)
                  WHERE added.form_code = 'village_evaluation') AS moved;
    ELSE
        -- Later rounds do not change whether the first came in time.
        PERFORM add_to_village_rollup(array_agg(division_code), array_agg(year), array_agg(measure)
                                    , array_agg(code), array_agg(amount))
           FROM (SELECT added.division_code, CAST(extract(year FROM starts_on) AS integer) AS year, fact.*
                   FROM added
                   JOIN removed USING (submission_id)
                   JOIN reporting_period ON reporting_period.period_id = added.period_id
                  CROSS JOIN LATERAL (SELECT village_deadline(added.period_id, added.division_code)
                                             AS deadline_at) AS due
                  CROSS JOIN LATERAL (VALUES
                        ('state', removed.state, CAST(-1 AS numeric))
                      , ('state', added.state, 1)
                      , ('in_time', '', CASE WHEN removed.round_no > 1 THEN 0 ELSE
                            CASE WHEN added.submitted_at <= due.deadline_at THEN 1 ELSE 0 END
                            - CASE WHEN removed.submitted_at <= due.deadline_at THEN 1 ELSE 0 END END))
                        AS fact (measure, code, amount)
                  WHERE added.form_code = 'village_evaluation') AS moved;
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER submission_rolled_up_new AFTER INSERT ON submission
    REFERENCING NEW TABLE AS added
   FOR EACH STATEMENT EXECUTE FUNCTION roll_up_submissions();
CREATE TRIGGER submission_rolled_up_changed AFTER UPDATE ON submission
    REFERENCING OLD TABLE AS removed NEW TABLE AS added
   FOR EACH STATEMENT EXECUTE FUNCTION roll_up_submissions();

CREATE FUNCTION roll_up_villages() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO village_rollup (division_code, level, report_year, measure, code, amount)
    SELECT left(evaluation.division_code, level.digits), level.name, evaluation.report_year
         , fact.measure, fact.code, sum(fact.amount)
      FROM added
      JOIN accepted_village_evaluation AS evaluation USING (division_code, report_year)
     CROSS JOIN LATERAL village_facts(evaluation) AS fact
     CROSS JOIN (VALUES ('county', 6), ('township', 9)) AS level (name, digits)
     GROUP BY 1, 2, 3, 4, 5;
    RETURN NULL;
END
$$;
CREATE TRIGGER accepted_village_evaluation_rolled_up AFTER INSERT ON accepted_village_evaluation
    REFERENCING NEW TABLE AS added
   FOR EACH STATEMENT EXECUTE FUNCTION roll_up_villages();

CREATE FUNCTION roll_up_natural_villages() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO village_rollup (division_code, level, report_year, measure, code, amount)
    SELECT left(evaluation.division_code, level.digits), level.name, evaluation.report_year
         , fact.measure, fact.code, sum(fact.amount)
      FROM added
      JOIN accepted_natural_village_evaluation AS evaluation USING (natural_code, report_year)
     CROSS JOIN LATERAL natural_village_facts(evaluation) AS fact
     CROSS JOIN (VALUES ('county', 6), ('township', 9)) AS level (name, digits)
     GROUP BY 1, 2, 3, 4, 5;
    RETURN NULL;
END
$$;
CREATE TRIGGER accepted_natural_village_evaluation_rolled_up
 AFTER INSERT ON accepted_natural_village_evaluation
    REFERENCING NEW TABLE AS added
   FOR EACH STATEMENT EXECUTE FUNCTION roll_up_natural_villages();

-- A deadline moves seldom: what came in time is then counted anew, of one county or of all.
CREATE FUNCTION recount_villages_in_time() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    -- A period has no division: its deadline is everybody's.
    county text := coalesce(left(to_jsonb(NEW) ->> 'division_code', 6), '');
BEGIN
    IF NOT EXISTS (SELECT FROM reporting_period
                    WHERE period_id = NEW.period_id AND form_code = 'village_evaluation') THEN
        RETURN NULL;
    END IF;
    PERFORM pg_advisory_xact_lock(hashtext('village_rollup'));
    INSERT INTO village_rollup (division_code, level, report_year, measure, code, amount)
    SELECT division_code, level, report_year, 'in_time', '', sum(amount)
      FROM (SELECT left(report.division_code, level.digits) AS division_code, level.name AS level
                 , report_year, CAST(1 AS numeric) AS amount
              FROM village_in_time AS report
             CROSS JOIN (VALUES ('county', 6), ('township', 9)) AS level (name, digits)
             WHERE period_id = NEW.period_id AND report.division_code ^@ county
             UNION ALL
            SELECT rollup.division_code, level, report_year, -amount
              FROM village_rollup AS rollup
             WHERE measure = 'in_time' AND rollup.division_code ^@ county
               AND report_year = (SELECT extract(year FROM starts_on) FROM reporting_period
                                   WHERE period_id = NEW.period_id)) AS both_counts
     GROUP BY 1, 2, 3
    HAVING sum(amount) <> 0;
    RETURN NULL;
END
$$;
CREATE TRIGGER period_extension_rolled_up AFTER INSERT ON period_extension
   FOR EACH ROW EXECUTE FUNCTION recount_villages_in_time();
CREATE TRIGGER reporting_period_rolled_up AFTER UPDATE ON reporting_period
   FOR EACH ROW WHEN (NEW.deadline_at <> OLD.deadline_at) EXECUTE FUNCTION recount_villages_in_time();

-- FOLDING, PROOF, REPAIR.
CREATE FUNCTION fold_village_rollup() RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH many AS (
        SELECT report_year, level, division_code, measure, code
          FROM village_rollup
         GROUP BY report_year, level, division_code, measure, code
        HAVING count(*) > 1
    ), gone AS (
        DELETE FROM village_rollup AS part USING many
         WHERE (part.report_year, part.level, part.division_code, part.measure, part.code)
             = (many.report_year, many.level, many.division_code, many.measure, many.code)
        RETURNING part.*
    ), folded AS (
        INSERT INTO village_rollup (division_code, level, report_year, measure, code, amount)
        SELECT division_code, level, report_year, measure, code, sum(amount)
          FROM gone
         GROUP BY 1, 2, 3, 4, 5
        HAVING sum(amount) <> 0
        RETURNING 1
    )
    SELECT (SELECT count(*) FROM gone) - (SELECT count(*) FROM folded)
$$;

CREATE FUNCTION village_rollup_differences()
RETURNS TABLE (division_code text, report_year integer, measure text, code text, kept numeric, counted numeric)
LANGUAGE sql STABLE AS $$
    SELECT division_code, report_year, measure, code, coalesce(kept.amount, 0), coalesce(counted.amount, 0)
      FROM (SELECT division_code, level, report_year, measure, code, sum(amount) AS amount
              FROM village_rollup GROUP BY 1, 2, 3, 4, 5) AS kept
      FULL JOIN village_recount AS counted USING (division_code, level, report_year, measure, code)
     WHERE coalesce(kept.amount, 0) <> coalesce(counted.amount, 0)
     ORDER BY 1, 2, 3, 4
$$;

CREATE FUNCTION rebuild_village_rollup() RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    LOCK TABLE submission, accepted_village_evaluation, accepted_natural_village_evaluation IN SHARE MODE;
    DELETE FROM village_rollup;
    INSERT INTO village_rollup (division_code, level, report_year, measure, code, amount)
    SELECT division_code, level, report_year, measure, code, amount FROM village_recount;
END
$$;
REVOKE ALL ON FUNCTION add_to_village_rollup(text[], integer[], text[], text[], numeric[])
    , roll_up_submissions(), roll_up_villages(), roll_up_natural_villages(), recount_villages_in_time()
    , fold_village_rollup(), village_rollup_differences(), rebuild_village_rollup() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION fold_village_rollup() TO portal_app;

-- What an earlier release filed.
SELECT rebuild_village_rollup();
