-- name: list_divisions
SELECT code, name, level, kind, prefix, coalesce(parent_code, '') AS parent_code
  FROM division_on(CAST(:day AS date))
 WHERE level <> 'village'
 ORDER BY code

-- name: list_stages
SELECT stage.plan_type, stage.stage_code, stage.name, stage.evidence_items, stage.minimum_days
     , CAST(weight.weight AS double precision) AS weight
  FROM plan_stage AS stage
  JOIN stage_weight AS weight USING (stage_code)
 WHERE weight.weight_version = (SELECT max(weight_version) FROM stage_weight)
 ORDER BY stage.plan_type, stage.stage_order

-- name: list_steps
SELECT step_no, name, role, scope_level, skip_levels, working_days
  FROM workflow_step
 WHERE form_code = :form_code AND version = :version
 ORDER BY step_no

-- name: get_form
SELECT form.version, form.rule_version, form.code_version
     , (SELECT max(step.version) FROM workflow_step AS step
         WHERE step.form_code = form.form_code) AS workflow_version
     , form.receipt_prefix, form.unit_levels, form.unit_kinds, form.period_months
  FROM form_version AS form
 WHERE form.form_code = :form_code
 ORDER BY form.version DESC
 LIMIT 1

-- name: list_calendar
SELECT day, is_workday FROM calendar_day

-- name: list_numbers
-- The settings whose value is a plain number.
SELECT name, CAST(CAST(value AS text) AS integer) AS value
  FROM portal_setting
 WHERE jsonb_typeof(value) = 'number'

-- name: mark_as_demo
UPDATE portal_setting SET value = 'true' WHERE name = 'is_demo'
