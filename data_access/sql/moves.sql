-- name: lock_submissions
-- In one order for everybody, so that two batches wait for each other instead of blocking.
SELECT submission.submission_id, submission.form_code, submission.division_code
     , division.level, division.prefix, period.form_version, period.workflow_version
     , period.starts_on, form.receipt_prefix, form.filed_from_above, period.closed_at IS NOT NULL AS period_closed
     , submission.state, submission.step_no, submission.round_no, submission.version_no
     , submission.lock_version, submission.filer_id, submission.no_change
     , coalesce((SELECT max(version_no) FROM submission_version AS version
                  WHERE version.submission_id = submission.submission_id), 0) AS newest_version_no
     , submission.state <> 'filed'
       AND EXISTS (SELECT FROM submission_receipt AS receipt
                    WHERE receipt.submission_id = submission.submission_id) AS is_change
  FROM submission
  JOIN reporting_period AS period USING (period_id)
  JOIN form_version AS form
    ON form.form_code = submission.form_code AND form.version = period.form_version
  JOIN admin_division AS division ON division.code = submission.division_code
 WHERE submission.submission_id = ANY (CAST(:submission_ids AS bigint[]))
 ORDER BY submission.submission_id
   FOR UPDATE OF submission

-- name: move_submissions
-- The new state of each report and its entry in the decisions, or neither.
WITH planned AS (
    SELECT *
      FROM json_to_recordset(CAST(:planned AS json))
           AS planned (submission_id bigint, state text, step_no integer, version_no integer
                     , new_round boolean, no_change boolean, from_round integer, from_step integer
                     , from_state text, role text, receipt_no text, receipt_hash text)
), moved AS (
    UPDATE submission
       SET state = planned.state
         , step_no = planned.step_no
         , version_no = planned.version_no
         , round_no = submission.round_no + CASE WHEN planned.new_round THEN 1 ELSE 0 END
         , lock_version = lock_version + 1
         , no_change = planned.no_change
         , filer_id = coalesce(CAST(:filer_id AS bigint), filer_id)
         , submitted_at = CASE WHEN :action = 'submit' THEN now() ELSE submitted_at END
         , first_submitted_at = CASE WHEN :action = 'submit' THEN coalesce(first_submitted_at, now())
                                     ELSE first_submitted_at END
         , filed_at = CASE WHEN planned.state = 'filed' THEN now() END
         , receipt_no = planned.receipt_no
         , receipt_hash = planned.receipt_hash
      FROM planned
     WHERE submission.submission_id = planned.submission_id
    RETURNING submission.submission_id, division_code, submission.state, submission.step_no
            , lock_version, filed_at
), logged AS (
    INSERT INTO review_event (submission_id, division_code, version_no, round_no, step_no, action
         , from_state, to_state, to_step_no, comment, user_id, role, bulk_decision_id)
    SELECT moved.submission_id, moved.division_code, planned.version_no, planned.from_round
         , planned.from_step, :action, planned.from_state, moved.state, moved.step_no, :comment
         , :user_id, planned.role, CAST(:bulk_decision_id AS bigint)
      FROM moved
      JOIN planned USING (submission_id)
     ORDER BY moved.submission_id
    RETURNING review_event_id, submission_id
), receipted AS (
    INSERT INTO submission_receipt (submission_id, version_no, division_code, receipt_no, receipt_hash)
    SELECT moved.submission_id, planned.version_no, moved.division_code, planned.receipt_no
         , planned.receipt_hash
      FROM moved
      JOIN planned USING (submission_id)
     WHERE planned.receipt_no IS NOT NULL
)
SELECT moved.submission_id, moved.state, moved.lock_version, moved.filed_at, logged.review_event_id
  FROM moved
  JOIN logged USING (submission_id)

-- name: list_content_sums
-- The sums that the versions were kept under, and the moment of this transaction.
SELECT version.submission_id, version.content_sha256, now() AS filed_at
  FROM submission_version AS version
  JOIN unnest(CAST(:submission_ids AS bigint[]), CAST(:version_nos AS integer[]))
       AS asked (submission_id, version_no) USING (submission_id, version_no)

-- name: add_outbox_event
INSERT INTO outbox_event (topic, subject, payload) VALUES (:topic, :subject, CAST(:payload AS jsonb))
