-- What the province reads does not grow with its villages: sums by city and province too, and how
-- many villages are asked, kept by the days on which that changes.
--
-- Writers go on adding to townships and counties alone. A fold passes what a county has gained on to
-- its city and the province; until then village_sum adds it to them.
ALTER TABLE village_rollup DROP CONSTRAINT village_rollup_level_known;
ALTER TABLE village_rollup ADD CONSTRAINT village_rollup_level_known
    CHECK (level IN ('province', 'city', 'county', 'township'));
ALTER TABLE village_rollup ADD COLUMN passed_on boolean NOT NULL DEFAULT false;
COMMENT ON TABLE village_rollup IS '村庄评估汇总（省、市、县、乡镇每年每项为各行之和，由填报触发，定时逐级汇总）';
COMMENT ON COLUMN village_rollup.division_code IS '省、市、县或乡镇代码';
COMMENT ON COLUMN village_rollup.level IS '层级：province 省，city 设区市，county 县，township 乡镇';
COMMENT ON COLUMN village_rollup.passed_on IS '县级的行是否已计入市和省';
CREATE INDEX village_rollup_not_passed_on ON village_rollup
    (report_year, measure) INCLUDE (division_code, code, amount)
 WHERE level = 'county' AND NOT passed_on;

CREATE FUNCTION above_county(county text) RETURNS TABLE (division_code text, level text)
LANGUAGE sql IMMUTABLE AS $$
    VALUES (left(county, 4) || '00', 'city'), (left(county, 2) || '0000', 'province')
$$;

CREATE VIEW village_sum WITH (security_invoker = true) AS
SELECT division_code, level, report_year, measure, code, amount FROM village_rollup
 UNION ALL
SELECT left(division_code, 4) || '00', 'city', report_year, measure, code, amount
  FROM village_rollup WHERE level = 'county' AND NOT passed_on
 UNION ALL
SELECT left(division_code, 2) || '0000', 'province', report_year, measure, code, amount
  FROM village_rollup WHERE level = 'county' AND NOT passed_on;
COMMENT ON VIEW village_sum IS '村庄评估汇总，含尚未计入市和省的县级增减（同一项各行之和为总数）';
GRANT SELECT ON village_sum TO portal_app;

CREATE OR REPLACE VIEW village_recount AS
WITH town AS (
    SELECT left(fact.division_code, 9) AS town, fact.report_year, fact.measure, fact.code
         , sum(fact.amount) AS amount
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
     GROUP BY 1, 2, 3, 4
)
SELECT left(town, level.digits) || level.zeros AS division_code, level.name AS level
     , report_year, measure, code, sum(amount) AS amount
  FROM town
 CROSS JOIN (VALUES ('province', 2, '0000'), ('city', 4, '00'), ('county', 6, ''), ('township', 9, ''))
         AS level (name, digits, zeros)
 GROUP BY 1, 2, 3, 4, 5;

CREATE OR REPLACE FUNCTION recount_villages_in_time() RETURNS trigger
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
             WHERE measure = 'in_time' AND level IN ('county', 'township')
               AND rollup.division_code ^@ county
               AND report_year = (SELECT extract(year FROM starts_on) FROM reporting_period
                                   WHERE period_id = NEW.period_id)) AS both_counts
     GROUP BY 1, 2, 3
    HAVING sum(amount) <> 0;
    RETURN NULL;
END
$$;

-- The second of two folds at once finds the rows of the first gone: what it moves is what it deleted.
CREATE OR REPLACE FUNCTION fold_village_rollup() RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH gained AS (
        SELECT DISTINCT division_code, report_year, measure, code
          FROM village_rollup WHERE level = 'county' AND NOT passed_on
    ), due AS (
        SELECT report_year, level, division_code, measure, code
          FROM village_rollup
         GROUP BY report_year, level, division_code, measure, code
        HAVING count(*) > 1
         UNION
        SELECT report_year, 'county', division_code, measure, code FROM gained
         UNION
        SELECT report_year, above.level, above.division_code, measure, code
          FROM gained CROSS JOIN LATERAL above_county(gained.division_code) AS above
    ), gone AS (
        DELETE FROM village_rollup AS part USING due
         WHERE (part.report_year, part.level, part.division_code, part.measure, part.code)
             = (due.report_year, due.level, due.division_code, due.measure, due.code)
        RETURNING part.*
    ), moved AS (
        SELECT division_code, level, report_year, measure, code, amount FROM gone
         UNION ALL
        SELECT above.division_code, above.level, report_year, measure, code, amount
          FROM gone CROSS JOIN LATERAL above_county(gone.division_code) AS above
         WHERE gone.level = 'county' AND NOT gone.passed_on
    ), folded AS (
        INSERT INTO village_rollup (division_code, level, report_year, measure, code, amount, passed_on)
        SELECT division_code, level, report_year, measure, code, sum(amount), true
          FROM moved
         GROUP BY 1, 2, 3, 4, 5
        HAVING sum(amount) <> 0
    )
    SELECT count(*) FROM gone
$$;

-- ASKED. A village is asked while one of its versions is valid.
CREATE TABLE village_asked (
    division_code text NOT NULL REFERENCES admin_division,
    on_day        date NOT NULL,
    villages      integer NOT NULL,
    PRIMARY KEY (division_code, on_day)
);
COMMENT ON TABLE village_asked IS '应报行政村数的增减（省、市、县、乡镇，由区划变更触发）';
COMMENT ON COLUMN village_asked.division_code IS '省、市、县或乡镇代码';
COMMENT ON COLUMN village_asked.on_day IS '增减之日；某日的应报村数为该日及以前各行之和';
COMMENT ON COLUMN village_asked.villages IS '增减的行政村数';
ALTER TABLE village_asked ENABLE ROW LEVEL SECURITY;
CREATE POLICY village_asked_in_scope ON village_asked TO portal_app
    USING (division_code ^@ ANY ((SELECT actor_prefixes())::text[]));
GRANT SELECT ON village_asked TO portal_app;

CREATE VIEW village_asked_recount AS
WITH town AS (
    SELECT left(version.code, 9) AS town, moved.on_day, sum(moved.villages) AS villages
      FROM admin_division_version AS version
      JOIN admin_division AS division USING (code)
     CROSS JOIN LATERAL (VALUES (version.valid_from, 1), (version.valid_to, -1)) AS moved (on_day, villages)
     WHERE division.level = 'village' AND moved.on_day IS NOT NULL
     GROUP BY 1, 2
)
SELECT left(town, level.digits) || level.zeros AS division_code, on_day, sum(villages) AS villages
  FROM town
 CROSS JOIN (VALUES (2, '0000'), (4, '00'), (6, ''), (9, '')) AS level (digits, zeros)
 GROUP BY 1, 2
HAVING sum(villages) <> 0;
COMMENT ON VIEW village_asked_recount IS '应报行政村数增减的全量重算（供核对）';

-- Divisions change by imports, one at a time.
CREATE FUNCTION add_to_village_asked(villages text[], days date[], amounts integer[]) RETURNS void
LANGUAGE sql AS $$
    INSERT INTO village_asked AS kept (division_code, on_day, villages)
    SELECT left(moved.village, level.digits) || level.zeros, moved.on_day, sum(moved.amount)
      FROM unnest(villages, days, amounts) AS moved (village, on_day, amount)
      JOIN admin_division AS division ON division.code = moved.village AND division.level = 'village'
     CROSS JOIN (VALUES (2, '0000'), (4, '00'), (6, ''), (9, '')) AS level (digits, zeros)
     WHERE moved.on_day IS NOT NULL
     GROUP BY 1, 2
    HAVING sum(moved.amount) <> 0
        ON CONFLICT (division_code, on_day) DO UPDATE SET villages = kept.villages + excluded.villages
$$;

CREATE FUNCTION move_villages_asked() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF TG_OP <> 'DELETE' THEN
        PERFORM add_to_village_asked(array_agg(code) || array_agg(code)
                                   , array_agg(valid_from) || array_agg(valid_to)
                                   , array_agg(1) || array_agg(-1)) FROM added;
    END IF;
    IF TG_OP <> 'INSERT' THEN
        PERFORM add_to_village_asked(array_agg(code) || array_agg(code)
                                   , array_agg(valid_from) || array_agg(valid_to)
                                   , array_agg(-1) || array_agg(1)) FROM removed;
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER admin_division_version_asked_new AFTER INSERT ON admin_division_version
    REFERENCING NEW TABLE AS added
   FOR EACH STATEMENT EXECUTE FUNCTION move_villages_asked();
CREATE TRIGGER admin_division_version_asked_changed AFTER UPDATE ON admin_division_version
    REFERENCING OLD TABLE AS removed NEW TABLE AS added
   FOR EACH STATEMENT EXECUTE FUNCTION move_villages_asked();
CREATE TRIGGER admin_division_version_asked_gone AFTER DELETE ON admin_division_version
    REFERENCING OLD TABLE AS removed
   FOR EACH STATEMENT EXECUTE FUNCTION move_villages_asked();

-- PROOF, REPAIR.
CREATE OR REPLACE FUNCTION village_rollup_differences()
RETURNS TABLE (division_code text, report_year integer, measure text, code text, kept numeric, counted numeric)
LANGUAGE sql STABLE AS $$
    SELECT division_code, report_year, measure, code, coalesce(kept.amount, 0), coalesce(counted.amount, 0)
      FROM (SELECT division_code, level, report_year, measure, code, sum(amount) AS amount
              FROM village_sum GROUP BY 1, 2, 3, 4, 5) AS kept
      FULL JOIN village_recount AS counted USING (division_code, level, report_year, measure, code)
     WHERE coalesce(kept.amount, 0) <> coalesce(counted.amount, 0)
     UNION ALL
    SELECT division_code, CAST(extract(year FROM on_day) AS integer), 'asked', CAST(on_day AS text)
         , coalesce(kept.villages, 0), coalesce(counted.villages, 0)
      FROM village_asked AS kept
      FULL JOIN village_asked_recount AS counted USING (division_code, on_day)
     WHERE coalesce(kept.villages, 0) <> coalesce(counted.villages, 0)
     ORDER BY 1, 2, 3, 4
$$;

CREATE OR REPLACE FUNCTION rebuild_village_rollup() RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    LOCK TABLE submission, accepted_village_evaluation, accepted_natural_village_evaluation
       , admin_division_version IN SHARE MODE;
    DELETE FROM village_rollup;
    INSERT INTO village_rollup (division_code, level, report_year, measure, code, amount, passed_on)
    SELECT division_code, level, report_year, measure, code, amount, true FROM village_recount;
    DELETE FROM village_asked;
    INSERT INTO village_asked (division_code, on_day, villages)
    SELECT division_code, on_day, villages FROM village_asked_recount;
END
$$;
REVOKE ALL ON FUNCTION add_to_village_asked(text[], date[], integer[]), move_villages_asked()
    , above_county(text) FROM PUBLIC;

-- WORKLIST. By the codes of one officer's villages, whatever the planner makes of a range of them: the
-- plan made for a county of 480 reads every name of the province, the plan made for none does not.
CREATE FUNCTION villages_held(prefixes text[], period bigint, day date)
RETURNS TABLE (code text, name text, town_code text, state text, submission_id bigint, lock_version integer)
LANGUAGE plpgsql STABLE ROWS 200 SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    held text;
BEGIN
    FOREACH held IN ARRAY prefixes LOOP
        RETURN QUERY
        SELECT village.code, version.name, version.parent_code, coalesce(report.state, '')
             , report.submission_id, report.lock_version
          FROM admin_division AS village
          JOIN admin_division_version AS version
            ON version.code = village.code AND version.valid_from <= day
           AND (version.valid_to IS NULL OR day < version.valid_to)
          LEFT JOIN submission AS report
                 ON report.division_code = village.code AND report.period_id = period
         WHERE village.code BETWEEN held AND rpad(held, 12, '9') AND village.level = 'village';
    END LOOP;
END
$$;

-- The few divisions above the villages, without looking through all of those.
CREATE INDEX admin_division_above_villages ON admin_division (level, code) WHERE level <> 'village';

-- What an earlier release filed.
SELECT rebuild_village_rollup();
