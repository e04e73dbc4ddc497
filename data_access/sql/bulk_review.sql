-- name: list_candidates
-- What the actor chose, as it stands now; what he cannot see is not there.
SELECT submission.submission_id, submission.form_code, submission.division_code
     , division.level, division.prefix, period.workflow_version, submission.state
     , submission.step_no, submission.lock_version, submission.filer_id
     , coalesce(known.errors, 0) AS errors
  FROM submission
  JOIN unnest(CAST(:submission_ids AS bigint[])) AS asked (submission_id) USING (submission_id)
  JOIN reporting_period AS period USING (period_id)
  JOIN admin_division AS division ON division.code = submission.division_code
  LEFT JOIN submission_check AS known
         ON known.submission_id = submission.submission_id
        AND known.version_no = submission.version_no

-- name: add_bulk_decision
INSERT INTO bulk_decision (user_id, action, comment, chosen, effect_at)
SELECT :user_id, :action, :comment, :chosen
     , now() + make_interval(secs => (SELECT CAST(value AS integer) FROM portal_setting
                                       WHERE name = 'bulk_undo_seconds'))
RETURNING bulk_decision_id, effect_at

-- name: add_items
-- A report that waits in another bulk decision is not taken into a second one.
INSERT INTO bulk_decision_item (bulk_decision_id, submission_id, division_code, lock_version
     , user_id, role, state, reason, settled_at)
SELECT :bulk_decision_id, submission_id, division_code, lock_version, :user_id, role
     , CASE WHEN reason IS NULL THEN 'pending' ELSE 'left_out' END, reason
     , CASE WHEN reason IS NOT NULL THEN now() END
  FROM unnest(CAST(:submission_ids AS bigint[]), CAST(:division_codes AS text[])
            , CAST(:lock_versions AS integer[]), CAST(:roles AS text[]), CAST(:reasons AS text[]))
       AS item (submission_id, division_code, lock_version, role, reason)
    ON CONFLICT DO NOTHING
RETURNING submission_id

-- name: get_bulk_decision
SELECT bulk.bulk_decision_id, bulk.user_id, account.display_name AS user_name, bulk.action
     , bulk.comment, bulk.chosen, bulk.decided_at, bulk.effect_at
     , counted.pending, counted.done, counted.left_out, counted.undone
  FROM bulk_decision AS bulk
  JOIN account USING (user_id)
 CROSS JOIN LATERAL (
       SELECT count(*) FILTER (WHERE state = 'pending') AS pending
            , count(*) FILTER (WHERE state = 'done') AS done
            , count(*) FILTER (WHERE state = 'left_out') AS left_out
            , count(*) FILTER (WHERE state = 'undone') AS undone
         FROM bulk_decision_item AS item
        WHERE item.bulk_decision_id = bulk.bulk_decision_id) AS counted
 WHERE bulk.bulk_decision_id = :bulk_decision_id

-- name: list_recent
-- The actor's own: what waits to take effect, and what did in the last day.
SELECT bulk_decision_id
  FROM bulk_decision
 WHERE user_id = :user_id
   AND (decided_at > now() - interval '1 day'
        OR EXISTS (SELECT FROM bulk_decision_item AS item
                    WHERE item.bulk_decision_id = bulk_decision.bulk_decision_id
                      AND item.state = 'pending'))
 ORDER BY bulk_decision_id DESC
 LIMIT 5

-- name: find_pending
SELECT bulk_decision_id FROM bulk_decision_item
 WHERE submission_id = :submission_id AND state = 'pending'

-- name: list_items
SELECT item.submission_id, item.division_code
     , coalesce(division.name, item.division_code) AS division_name
     , form.title AS form_title, period.name AS period_name, item.state, item.reason
  FROM bulk_decision_item AS item
  JOIN submission USING (submission_id)
  JOIN reporting_period AS period USING (period_id)
  JOIN form_version AS form
    ON form.form_code = submission.form_code AND form.version = period.form_version
  LEFT JOIN division_on(CAST(:today AS date)) AS division ON division.code = item.division_code
 WHERE item.bulk_decision_id = :bulk_decision_id AND item.state = :state
 ORDER BY item.division_code, item.submission_id
 LIMIT :most

-- name: undo
UPDATE bulk_decision_item
   SET state = 'undone', settled_at = now()
 WHERE bulk_decision_id = :bulk_decision_id AND user_id = :user_id AND state = 'pending'
   AND (CAST(:submission_ids AS bigint[]) IS NULL
        OR submission_id = ANY (CAST(:submission_ids AS bigint[])))
RETURNING submission_id

-- name: take_items
-- Whatever is being undone at this moment is left to who undoes it.
SELECT submission_id, lock_version
  FROM bulk_decision_item
 WHERE bulk_decision_id = :bulk_decision_id AND state = 'pending'
 ORDER BY submission_id
 LIMIT :most
   FOR UPDATE SKIP LOCKED

-- name: list_stopped
-- What an ended job left unfinished, if anything: only the reviewer sees what is pending.
SELECT DISTINCT CAST(args ->> 'bulk_decision_id' AS bigint) AS bulk_decision_id
     , CAST(args ->> 'user_id' AS bigint) AS user_id
  FROM job_queue.procrastinate_jobs
 WHERE task_name = :kind AND status IN ('failed', 'cancelled', 'aborted')

-- name: settle_stopped
UPDATE bulk_decision_item
   SET state = 'left_out', reason = :reason, settled_at = now()
 WHERE bulk_decision_id = :bulk_decision_id AND state = 'pending'
RETURNING role

-- name: settle
UPDATE bulk_decision_item AS item
   SET state = CASE WHEN settled.reason IS NULL THEN 'done' ELSE 'left_out' END
     , reason = settled.reason
     , settled_at = now()
  FROM unnest(CAST(:submission_ids AS bigint[]), CAST(:reasons AS text[]))
       AS settled (submission_id, reason)
 WHERE item.bulk_decision_id = :bulk_decision_id AND item.submission_id = settled.submission_id
