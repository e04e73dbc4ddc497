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

-- name: add_version
INSERT INTO submission_version (submission_id, version_no, division_code, round_no, form_version
     , rule_version, code_version, workflow_version, content, content_sha256, no_change, submitted_by)
SELECT :submission_id, :version_no, :division_code, :round_no, form.version
     , :rule_version, form.code_version, :workflow_version, CAST(:content AS jsonb)
     , :content_sha256, :no_change, :user_id
  FROM form_version AS form
 WHERE form.form_code = :form_code AND form.version = :form_version

-- name: move_submissions
-- The new state of each report and its entry in the decisions, or neither.
WITH planned AS (
    SELECT *
      FROM unnest(CAST(:submission_ids AS bigint[]), CAST(:states AS text[])
                , CAST(:step_nos AS integer[]), CAST(:version_nos AS integer[])
                , CAST(:new_rounds AS boolean[]), CAST(:no_changes AS boolean[])
                , CAST(:from_rounds AS integer[]), CAST(:from_steps AS integer[])
                , CAST(:from_states AS text[]), CAST(:roles AS text[])
                , CAST(:receipt_nos AS text[]), CAST(:receipt_hashes AS text[]))
           AS planned (submission_id, state, step_no, version_no, new_round, no_change, from_round
                     , from_step, from_state, role, receipt_no, receipt_hash)
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

-- name: abandon_change
-- The report stands again as it was filed last; what came after it is neither sent nor lost.
WITH standing AS (
    SELECT receipt.submission_id, receipt.version_no, receipt.receipt_no, receipt.receipt_hash
         , receipt.filed_at, version.no_change, version.submitted_by, version.submitted_at
      FROM submission_receipt AS receipt
      JOIN submission_version AS version USING (submission_id, version_no)
     WHERE receipt.submission_id = :submission_id
     ORDER BY receipt.version_no DESC
     LIMIT 1
), moved AS (
    UPDATE submission
       SET state = 'filed'
         , step_no = 0
         , version_no = standing.version_no
         , lock_version = lock_version + 1
         , no_change = standing.no_change
         , filer_id = standing.submitted_by
         , submitted_at = standing.submitted_at
         , filed_at = standing.filed_at
         , receipt_no = standing.receipt_no
         , receipt_hash = standing.receipt_hash
      FROM standing
     WHERE submission.submission_id = standing.submission_id
    RETURNING submission.submission_id, division_code, submission.state, lock_version
            , submission.filed_at, submission.version_no
), logged AS (
    INSERT INTO review_event (submission_id, division_code, version_no, round_no, step_no, action
         , from_state, to_state, to_step_no, comment, user_id, role)
    SELECT submission_id, division_code, version_no, :from_round, 0, 'abandon', :from_state, state, 0
         , '', :user_id, :role
      FROM moved
    RETURNING review_event_id, submission_id
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

-- name: renew_draft
-- The draft starts anew from the accepted values; who had it open is told of a conflict.
INSERT INTO submission_draft (submission_id, division_code, content, saved_by)
VALUES (:submission_id, :division_code, CAST(:content AS jsonb), :user_id)
    ON CONFLICT (submission_id) DO UPDATE
       SET content = excluded.content, draft_version = submission_draft.draft_version + 1
         , saved_at = now(), saved_by = excluded.saved_by

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
