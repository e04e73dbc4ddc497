-- name: list_missing
SELECT submission.submission_id, submission.version_no, submission.division_code
     , submission.form_code, version.form_version, version.rule_version
     , version.submitted_at, version.content
  FROM submission
  JOIN submission_version AS version USING (submission_id, version_no)
 WHERE submission.state = 'submitted'
   AND NOT EXISTS (SELECT FROM submission_check AS known
                    WHERE known.submission_id = submission.submission_id
                      AND known.version_no = submission.version_no)
 ORDER BY submission.submission_id
 LIMIT :limit

-- name: write
-- Two that count at once find the same.
INSERT INTO submission_check (submission_id, version_no, division_code, errors, warnings, changes
     , attachments, new_attachments, required, answered)
VALUES (:submission_id, :version_no, :division_code, :errors, :warnings, :changes, :attachments
     , :new_attachments, :required, :answered)
    ON CONFLICT (submission_id, version_no) DO NOTHING
