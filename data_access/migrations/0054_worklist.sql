-- An officer's villages are read in ranges of codes: as many rows are looked at with ten times the province around.

DROP FUNCTION villages_held(text[], bigint, date);
CREATE FUNCTION villages_held(prefixes text[], period bigint, day date)
RETURNS TABLE (code text, name text, town_code text, town_name text, state text, submission_id bigint
             , lock_version integer)
LANGUAGE plpgsql STABLE ROWS 200 SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    held text;
    last_code text;
BEGIN
    FOREACH held IN ARRAY prefixes LOOP
        last_code := rpad(held, 12, '9');
        RETURN QUERY
        WITH identity AS MATERIALIZED (
            SELECT division.code FROM admin_division AS division
             WHERE division.code BETWEEN held AND last_code AND division.level = 'village'
        ), version AS MATERIALIZED (
            SELECT known.code, known.name, known.parent_code FROM admin_division_version AS known
             WHERE known.code BETWEEN held AND last_code AND known.valid_from <= day
               AND (known.valid_to IS NULL OR day < known.valid_to)
        ), town AS MATERIALIZED (
            SELECT known.code, known.name
              FROM (SELECT DISTINCT parent_code FROM version) AS parent
              JOIN admin_division_version AS known ON known.code = parent.parent_code
             WHERE known.valid_from <= day AND (known.valid_to IS NULL OR day < known.valid_to)
        ), report AS MATERIALIZED (
            SELECT submission.division_code, submission.state, submission.submission_id
                 , submission.lock_version
              FROM submission
             WHERE submission.period_id = period
               AND submission.division_code BETWEEN held AND last_code
        )
        SELECT identity.code, version.name, version.parent_code, town.name
             , coalesce(report.state, ''), report.submission_id, report.lock_version
          FROM identity
          JOIN version ON version.code = identity.code
          LEFT JOIN town ON town.code = version.parent_code
          LEFT JOIN report ON report.division_code = identity.code;
    END LOOP;
END
$$;
