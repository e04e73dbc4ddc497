-- name: lock_submission
SELECT submission.submission_id, submission.form_code, submission.division_code
     , division.level, division.prefix, period.form_version, period.workflow_version
     , period.starts_on, period.closed_at IS NOT NULL AS period_closed
     , submission.state, submission.step_no, submission.round_no, submission.version_no
     , submission.lock_version, submission.filer_id, submission.no_change
  FROM submission
  JOIN reporting_period AS period USING (period_id)
  JOIN admin_division AS division ON division.code = submission.division_code
 WHERE submission.submission_id = :submission_id
   FOR UPDATE OF submission

-- name: add_version
INSERT INTO submission_version (submission_id, version_no, division_code, round_no, form_version
     , rule_version, code_version, workflow_version, content, content_sha256, no_change, submitted_by)
SELECT :submission_id, :version_no, :division_code, :round_no, form.version
     , form.rule_version, form.code_version, :workflow_version, CAST(:content AS jsonb)
     , :content_sha256, :no_change, :user_id
  FROM form_version AS form
 WHERE form.form_code = :form_code AND form.version = :form_version

-- name: move_submission
-- The new state and its entry in the decisions, or neither.
WITH moved AS (
    UPDATE submission
       SET state = :state
         , step_no = :step_no
         , version_no = :version_no
         , round_no = round_no + CASE WHEN :new_round THEN 1 ELSE 0 END
         , lock_version = lock_version + 1
         , no_change = :no_change
         , filer_id = coalesce(CAST(:filer_id AS bigint), filer_id)
         , submitted_at = CASE WHEN :action = 'submit' THEN now() ELSE submitted_at END
         , first_submitted_at = CASE WHEN :action = 'submit' THEN coalesce(first_submitted_at, now())
                                     ELSE first_submitted_at END
         , filed_at = CASE WHEN :state = 'filed' THEN now() END
         , receipt_no = :receipt_no
         , receipt_hash = :receipt_hash
     WHERE submission_id = :submission_id
    RETURNING submission_id, division_code, state, step_no, lock_version, filed_at
), logged AS (
    INSERT INTO review_event (submission_id, division_code, version_no, round_no, step_no, action
         , from_state, to_state, to_step_no, comment, user_id, role)
    SELECT submission_id, division_code, :version_no, :round_no, :from_step_no, :action
         , :from_state, state, step_no, :comment, :user_id, :role
      FROM moved
    RETURNING review_event_id
)
SELECT moved.submission_id, moved.state, moved.lock_version, moved.filed_at, logged.review_event_id
  FROM moved, logged

-- name: add_remark
INSERT INTO review_remark (review_event_id, submission_id, division_code, field_path, reason)
VALUES (:review_event_id, :submission_id, :division_code, :field_path, :reason)

-- name: reply
UPDATE review_remark
   SET reply = :reply, replied_by = :user_id, replied_at = now()
 WHERE review_remark_id = :review_remark_id
RETURNING submission_id

-- name: add_outbox_event
INSERT INTO outbox_event (topic, subject, payload) VALUES (:topic, :subject, CAST(:payload AS jsonb))

-- name: transaction_time
SELECT now()
