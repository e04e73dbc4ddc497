-- name: find_unit
SELECT code, name, level, kind FROM division_on(CAST(:day AS date)) WHERE code = :division_code

-- name: list_plans
SELECT plan_id, plan_type, type.plan_type_name, name, is_headline
  FROM plan
  JOIN (SELECT DISTINCT plan_type, plan_type_name FROM plan_stage) AS type USING (plan_type)
 WHERE division_code = :division_code
 ORDER BY is_headline DESC, plan_id

-- name: list_stages
-- Every stage of every plan of a unit, with what the province accepted of it last.
SELECT plan.plan_id, plan.name AS plan_name, stage.plan_type_name, plan.is_headline
     , stage.stage_code, stage.stage_order, stage.name AS stage_name
     , stage.definition, stage.responsible, stage.evidence_items, stage.minimum_days
     , accepted.state, accepted.baseline_on, accepted.accepted_at
  FROM plan
  JOIN plan_stage AS stage USING (plan_type)
  LEFT JOIN LATERAL (
      SELECT state, baseline_on, accepted_at FROM accepted_milestone
       WHERE accepted_milestone.plan_id = plan.plan_id
         AND accepted_milestone.stage_code = stage.stage_code
       ORDER BY accepted_at DESC, accepted_milestone_id DESC
       LIMIT 1) AS accepted ON true
 WHERE plan.division_code = :division_code
 ORDER BY plan.is_headline DESC, plan.plan_id, stage.stage_order

-- name: list_files
SELECT evidence_id, plan_id, stage_code, item, file_name, sha256
  FROM evidence
 WHERE division_code = :division_code AND stage_code IS NOT NULL AND removed_at IS NULL

-- name: list_plan_types
SELECT DISTINCT plan_type AS code, plan_type_name AS name FROM plan_stage ORDER BY plan_type

-- name: add_plan
INSERT INTO plan (division_code, plan_type, name, is_headline, declared_by)
VALUES (:division_code, :plan_type, :name, :is_headline, :declared_by)
RETURNING plan_id
