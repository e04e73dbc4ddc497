-- name: defer
WITH queued AS (
    SELECT unnest(job_queue.procrastinate_defer_jobs_v1(ARRAY[CAST(ROW(
               CAST(:queue AS text), CAST(:kind AS text), 0, CAST(:lock AS text)
             , CAST(:queueing_lock AS text), CAST(:arguments AS jsonb)
             , CAST(:at AS timestamptz)
           ) AS job_queue.procrastinate_job_to_defer_v1)])) AS job_id
)
INSERT INTO job_progress (job_id, requested_by)
SELECT job_id, CAST(:requested_by AS bigint) FROM queued
RETURNING job_id

-- name: list_jobs
-- What runs by the clock shows when it fails, until it succeeds again; its thousand successes a
-- day are noise.
SELECT job.id AS job_id, job.task_name AS kind, CAST(job.status AS text) AS state, job.attempts
     , job.abort_requested AS is_stopping, event.deferred_at, progress.started_at, event.ended_at
     , coalesce(progress.done, 0) AS done, progress.total
     , coalesce(progress.message, '') AS message, progress.error
     , progress.requested_by, requester.display_name AS requested_by_name
     , stopper.display_name AS stopped_by_name
  FROM job_queue.procrastinate_jobs AS job
  LEFT JOIN job_progress AS progress ON progress.job_id = job.id
  LEFT JOIN account AS requester ON requester.user_id = progress.requested_by
  LEFT JOIN account AS stopper ON stopper.user_id = progress.stopped_by
 CROSS JOIN LATERAL (
       SELECT min(at) FILTER (WHERE type = 'deferred') AS deferred_at
            , max(at) FILTER (WHERE type IN ('succeeded', 'failed', 'cancelled', 'aborted'))
              AS ended_at
         FROM job_queue.procrastinate_events
        WHERE job_id = job.id) AS event
 WHERE (CAST(:job_id AS bigint) IS NULL OR job.id = :job_id)
   AND (CAST(:with_clock AS boolean) OR job.queue_name <> 'clock'
        OR job.status = 'failed' AND NOT EXISTS (
           SELECT FROM job_queue.procrastinate_jobs AS later
            WHERE later.task_name = job.task_name AND later.id > job.id
              AND later.status = 'succeeded'))
 ORDER BY job.status <> 'doing', job.status <> 'todo', job.id DESC
 LIMIT :limit

-- name: cancel
SELECT job_queue.procrastinate_cancel_job_v1(:job_id, true, false) AS job_id

-- name: note_stop
UPDATE job_progress SET stopped_by = :user_id, updated_at = now() WHERE job_id = :job_id

-- name: retry
-- It goes on from its checkpoint; a new attempt number keeps an older worker out.
WITH again AS (
    UPDATE job_queue.procrastinate_jobs
       SET status = 'todo', attempts = attempts + 1, abort_requested = false, scheduled_at = now()
         , worker_id = NULL
     WHERE id = :job_id AND status IN ('failed', 'cancelled', 'aborted')
    RETURNING id
)
UPDATE job_progress AS progress
   SET error = NULL, stopped_by = NULL, updated_at = now()
  FROM again
 WHERE progress.job_id = again.id
RETURNING progress.job_id

-- name: start_attempt
INSERT INTO job_progress (job_id, attempt, started_at)
VALUES (:job_id, :attempt, now())
    ON CONFLICT (job_id) DO UPDATE
       SET attempt = excluded.attempt, started_at = now(), updated_at = now(), error = NULL
     WHERE job_progress.attempt <= excluded.attempt
RETURNING checkpoint, requested_by

-- name: report
UPDATE job_progress
   SET done = :done
     , total = CAST(:total AS bigint)
     , message = :message
     , checkpoint = coalesce(CAST(:checkpoint AS jsonb), checkpoint)
     , updated_at = now()
 WHERE job_id = :job_id AND attempt = :attempt
RETURNING job_id

-- name: is_current
SELECT EXISTS (SELECT FROM job_progress WHERE job_id = :job_id AND attempt = :attempt)

-- name: note_failure
INSERT INTO job_progress (job_id, error)
VALUES (:job_id, CAST(:error AS jsonb))
    ON CONFLICT (job_id) DO UPDATE SET error = excluded.error, updated_at = now()

-- name: information_centres
-- Whom a failure is told to, unless a message of this kind of job came within a day.
SELECT division.code
  FROM admin_division AS division
 WHERE division.level = 'province'
   AND NOT EXISTS (
       SELECT FROM inbox_message AS message
        WHERE message.role = 'information_centre'
          AND message.division_code = division.code
          AND message.source_table = CAST(:source AS text)
          AND message.sent_at > now() - interval '1 day')

-- name: system_actor
SELECT account.user_id, account.display_name, division.code, division.prefix
  FROM account
  LEFT JOIN admin_division AS division ON division.level = 'province'
 WHERE account.username = 'system'

-- name: forget_jobs
DELETE FROM job_queue.procrastinate_jobs AS job
 WHERE job.status NOT IN ('todo', 'doing')
   AND (SELECT max(at) FROM job_queue.procrastinate_events WHERE job_id = job.id)
     < now() - CASE WHEN job.queue_name = 'clock' AND job.status = 'succeeded'
                    THEN interval '1 day' ELSE interval '180 days' END

-- name: expire_sessions
UPDATE portal_session SET revoked_at = now() WHERE revoked_at IS NULL AND expires_at < now()

-- name: forget_sign_ins
SELECT forget_sign_ins()
