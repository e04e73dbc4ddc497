-- name: find_plan
SELECT plan_id, division_code, plan_type FROM plan WHERE plan_id = :plan_id

-- name: find_item
SELECT stage_code
  FROM plan_stage
 WHERE stage_code = :stage_code AND plan_type = :plan_type AND :item = ANY (evidence_items)

-- name: add
INSERT INTO evidence (plan_id, division_code, stage_code, item, sha256, file_name, uploaded_by)
VALUES (:plan_id, :division_code, :stage_code, :item, :sha256, :file_name, :uploaded_by)
RETURNING evidence_id

-- name: find
SELECT evidence_id, plan_id, division_code, stage_code, item, sha256, file_name, size
     , media_type, uploaded_by, display_name AS uploaded_by_name, uploaded_at, removed_at
  FROM evidence
  JOIN stored_file USING (sha256)
  JOIN account ON account.user_id = uploaded_by
 WHERE evidence_id = :evidence_id

-- name: list_for_plan
SELECT evidence_id, plan_id, division_code, stage_code, item, sha256, file_name, size
     , media_type, uploaded_by, display_name AS uploaded_by_name, uploaded_at, removed_at
  FROM evidence
  JOIN stored_file USING (sha256)
  JOIN account ON account.user_id = uploaded_by
  JOIN plan_stage USING (stage_code)
 WHERE plan_id = :plan_id AND removed_at IS NULL
 ORDER BY stage_order, item, evidence_id

-- name: duplicates_of
-- The same content under another item, stage, plan or unit, as far as the reader may see it.
SELECT other.evidence_id, other.plan_id, plan.name AS plan_name, other.division_code
     , coalesce(division.name, other.division_code) AS division_name
     , other.stage_code, stage.name AS stage_name, other.item, other.file_name, other.uploaded_at
  FROM evidence AS this
  JOIN evidence AS other ON other.sha256 = this.sha256 AND other.evidence_id <> this.evidence_id
  JOIN plan ON plan.plan_id = other.plan_id
  JOIN plan_stage AS stage ON stage.stage_code = other.stage_code
  LEFT JOIN division_on(current_date) AS division ON division.code = other.division_code
 WHERE this.evidence_id = :evidence_id AND other.removed_at IS NULL
 ORDER BY other.evidence_id

-- name: is_relied_on
-- What stands in a report that is under review or was accepted stays where it is.
SELECT EXISTS (
           SELECT FROM filed_milestone AS filed
             JOIN submission USING (submission_id, version_no)
            WHERE filed.plan_id = :plan_id AND :evidence_id = ANY (filed.evidence_ids)
              AND submission.state IN ('submitted', 'filed'))
    OR EXISTS (
           SELECT FROM accepted_milestone AS accepted
            WHERE accepted.plan_id = :plan_id AND :evidence_id = ANY (accepted.evidence_ids))

-- name: remove
UPDATE evidence SET removed_at = now() WHERE evidence_id = :evidence_id AND removed_at IS NULL
RETURNING evidence_id
