-- name: list_units
-- The units that file plan progress, with the type of their headline plan by level.
SELECT division.code, division.name, division.level, coalesce(parent.name, '') AS parent_name
  FROM division_on(CAST(:day AS date)) AS division
  JOIN (SELECT unit_levels, unit_kinds FROM form_version
         WHERE form_code = 'plan_progress' ORDER BY version DESC LIMIT 1) AS form
    ON division.level = ANY (form.unit_levels)
   AND (form.unit_kinds IS NULL OR division.kind = ANY (form.unit_kinds))
  LEFT JOIN division_on(CAST(:day AS date)) AS parent ON parent.code = division.parent_code
 ORDER BY division.code

-- name: list_plans
SELECT plan_id, division_code, plan_type, name, is_headline FROM plan ORDER BY plan_id

-- name: list_stages
SELECT stage_code, plan_type, plan_type_name, name FROM plan_stage ORDER BY stage_order

-- name: list_known
-- What is accepted of every stage of every plan by now.
SELECT DISTINCT ON (plan_id, stage_code) plan_id, stage_code, state, baseline_on, completed_on
  FROM accepted_milestone
 ORDER BY plan_id, stage_code, accepted_at DESC, accepted_milestone_id DESC

-- name: add_import
INSERT INTO history_import (file_name, sha256, row_count)
VALUES (:file_name, :sha256, :row_count)
RETURNING history_import_id

-- name: add_headline
INSERT INTO plan (division_code, plan_type, name, is_headline)
VALUES (:division_code, :plan_type, :name, true)
RETURNING plan_id

-- name: add_fact
-- What else is accepted of the stage stays as it is; the fact is the system's, its source the file.
INSERT INTO accepted_milestone (plan_id, division_code, stage_code, state, baseline_on, replanned_on
     , replan_reason, started_on, completed_on, skip_reason, late_reason, evidence_ids
     , history_import_id, import_row, accepted_by)
SELECT plan.plan_id, plan.division_code, CAST(:stage_code AS text), :state
     , CAST(:baseline_on AS date), known.replanned_on, known.replan_reason, known.started_on
     , CAST(:completed_on AS date), known.skip_reason, known.late_reason
     , coalesce(known.evidence_ids, '{}'), :history_import_id, :row_no
     , (SELECT user_id FROM account WHERE username = 'system')
  FROM plan
  LEFT JOIN LATERAL (
      SELECT * FROM accepted_milestone
       WHERE accepted_milestone.plan_id = plan.plan_id
         AND accepted_milestone.stage_code = :stage_code
       ORDER BY accepted_at DESC, accepted_milestone_id DESC
       LIMIT 1) AS known ON true
 WHERE plan.plan_id = :plan_id
