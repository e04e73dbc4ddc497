-- name: add
INSERT INTO evidence (form_code, division_code, group_code, row_key, plan_id, stage_code, item
     , sha256, file_name, uploaded_by)
VALUES (:form_code, :division_code, :group_code, :row_key, CAST(:plan_id AS bigint)
     , CAST(:stage_code AS text), :item, :sha256, :file_name, :uploaded_by)
RETURNING evidence_id

-- name: find
SELECT evidence_id, form_code, group_code, row_key, plan_id, division_code, stage_code, item
     , sha256, file_name, size, media_type, uploaded_by, display_name AS uploaded_by_name, uploaded_at, removed_at
  FROM evidence
  JOIN stored_file USING (sha256)
  JOIN account ON account.user_id = uploaded_by
 WHERE evidence_id = :evidence_id

-- name: list_for_plan
SELECT evidence_id, form_code, group_code, row_key, plan_id, division_code, stage_code, item
     , sha256, file_name, size, media_type, uploaded_by, display_name AS uploaded_by_name, uploaded_at, removed_at
  FROM evidence
  JOIN stored_file USING (sha256)
  JOIN account ON account.user_id = uploaded_by
  JOIN plan_stage USING (stage_code)
 WHERE plan_id = :plan_id AND removed_at IS NULL
 ORDER BY stage_order, item, evidence_id

-- name: duplicates_of
-- The same content under another item, row, plan or unit, as far as the reader may see it.
SELECT other.evidence_id, form.title AS form_title
     , other.plan_id, coalesce(plan.name, '') AS plan_name, other.division_code
     , coalesce(division.name, other.division_code) AS division_name
     , other.stage_code, coalesce(stage.name, '') AS stage_name, other.item, other.file_name
     , other.uploaded_at
  FROM evidence AS this
  JOIN evidence AS other ON other.sha256 = this.sha256 AND other.evidence_id <> this.evidence_id
  JOIN LATERAL (
      SELECT title FROM form_version
       WHERE form_version.form_code = other.form_code
       ORDER BY version DESC
       LIMIT 1) AS form ON true
  LEFT JOIN plan ON plan.plan_id = other.plan_id
  LEFT JOIN plan_stage AS stage ON stage.stage_code = other.stage_code
  LEFT JOIN division_on(current_date) AS division ON division.code = other.division_code
 WHERE this.evidence_id = :evidence_id AND other.removed_at IS NULL
 ORDER BY other.evidence_id

-- name: is_relied_on
-- What stands in a report that is under review or was accepted stays where it is: the row of the
-- evidence, in the content of each such version, names the file under one of its fields.
SELECT EXISTS (
    SELECT
      FROM evidence
      JOIN submission
        ON submission.division_code = evidence.division_code
       AND submission.form_code = evidence.form_code
      JOIN submission_version AS version ON version.submission_id = submission.submission_id
      LEFT JOIN submission_receipt AS receipt
        ON receipt.submission_id = version.submission_id
       AND receipt.version_no = version.version_no
     WHERE evidence.evidence_id = :evidence_id
       AND (receipt.receipt_no IS NOT NULL
            OR (submission.state = 'submitted' AND version.version_no = submission.version_no))
       AND jsonb_path_exists(
               version.content
             , CASE WHEN evidence.row_key = '' THEN CAST('$.form.*.* ? (@ == $file)' AS jsonpath)
                    ELSE CAST('$.*[*] ? (@.key == $key).*.* ? (@ == $file)' AS jsonpath) END
             , jsonb_build_object('key', evidence.row_key, 'file', evidence.evidence_id)))

-- name: remove
UPDATE evidence SET removed_at = now() WHERE evidence_id = :evidence_id AND removed_at IS NULL
RETURNING evidence_id
