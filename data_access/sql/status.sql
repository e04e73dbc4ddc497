-- name: count_everything
-- One row of counts; the reporting units are those that a form in force asks today.
WITH asked AS (
    SELECT form_version.form_code, division.code
      FROM form_version
      JOIN division_on(CURRENT_DATE) AS division
        ON division.level = ANY (form_version.unit_levels)
       AND (form_version.unit_kinds IS NULL OR division.kind = ANY (form_version.unit_kinds))
     WHERE form_version.version = (
               SELECT max(newest.version)
                 FROM form_version AS newest
                WHERE newest.form_code = form_version.form_code
                  AND newest.valid_from <= CURRENT_DATE)
)
SELECT (SELECT max(name) FROM schema_migration) AS schema_version
     , (SELECT count(*) FROM asked WHERE form_code = 'plan_progress') AS reporting_units
     , (SELECT count(*) FROM asked WHERE form_code = 'compile_unit') AS compile_units
     , (SELECT count(*) FROM division_on(CURRENT_DATE) WHERE level = 'village') AS administrative_villages
     , (SELECT count(*) FROM natural_village_on(CURRENT_DATE)) AS natural_villages
     , (SELECT count(*) FROM account WHERE disabled_at IS NULL) AS accounts
     , (SELECT count(*) FROM submission) AS submissions
     , (SELECT count(*) FROM row_change) AS trail_entries
     , (SELECT count(*) FROM job_queue.procrastinate_jobs WHERE status IN ('todo', 'doing')) AS jobs
     , (SELECT count(*) FROM job_queue.procrastinate_jobs WHERE status = 'failed') AS failed_jobs

-- name: archived_log
-- The newest piece of the log that is in the backup folder; a failure after it is not over yet.
SELECT last_archived_time AS archived_at
     , CASE WHEN current_setting('archive_mode') = 'off' THEN 'off'
            WHEN last_failed_time > coalesce(last_archived_time, '-infinity') THEN 'failing'
            ELSE 'ok' END AS verdict
  FROM pg_stat_archiver
