-- name: add_version
INSERT INTO submission_version (submission_id, version_no, division_code, round_no, form_version
     , rule_version, code_version, workflow_version, content, content_sha256, no_change, submitted_by)
SELECT :submission_id, :version_no, :division_code, :round_no, form.version
     , :rule_version, form.code_version, :workflow_version, CAST(:content AS jsonb)
     , :content_sha256, :no_change, :user_id
  FROM form_version AS form
 WHERE form.form_code = :form_code AND form.version = :form_version

-- name: is_unchanged
-- Whether the version that came back says the same, and nobody has answered why it did.
SELECT version.content_sha256 = :content_sha256
       AND NOT EXISTS (SELECT FROM review_remark AS remark
                         JOIN review_event AS event USING (review_event_id)
                        WHERE remark.submission_id = version.submission_id
                          AND event.version_no = version.version_no
                          AND remark.reply IS NOT NULL)
  FROM submission_version AS version
 WHERE version.submission_id = :submission_id AND version.version_no = :version_no

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
