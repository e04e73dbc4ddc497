-- name: list_asked
-- The units in the actor's scope that the form asks on a day.
SELECT unit.code, unit.name, unit.level, coalesce(unit.parent_code, '') AS parent_code
     , coalesce(parent.name, '') AS parent_name
  FROM (SELECT unit_levels, unit_kinds
          FROM form_version
         WHERE form_code = :form_code AND valid_from <= CAST(:day AS date)
         ORDER BY version DESC
         LIMIT 1) AS form
  JOIN division_on(CAST(:day AS date)) AS unit
    ON unit.level = ANY (form.unit_levels)
   AND (form.unit_kinds IS NULL OR unit.kind = ANY (form.unit_kinds))
   AND unit.code ^@ ANY ((SELECT actor_prefixes())::text[])
  LEFT JOIN division_on(CAST(:day AS date)) AS parent ON parent.code = unit.parent_code
 ORDER BY unit.code

-- name: list_contracts
-- Each plan's contract as accepted at a moment, with the plan's accepted progress at that moment.
-- Materialized: the planner expects one contract and would sum the stages anew for each.
WITH contract AS (
    SELECT DISTINCT ON (plan_id) *
      FROM accepted_contract
     WHERE accepted_at <= :moment
     ORDER BY plan_id, accepted_at DESC, submission_id DESC, version_no DESC
), milestone AS (
    SELECT DISTINCT ON (plan_id, stage_code) plan_id, stage_code, state
      FROM accepted_milestone
     WHERE accepted_at <= :moment
     ORDER BY plan_id, stage_code, accepted_at DESC, accepted_milestone_id DESC
), standing AS MATERIALIZED (
    SELECT plan_id, sum(weight.weight) / 100 AS ratio
         , (array_agg(stage.name ORDER BY stage.stage_order DESC))[1] AS stage_name
      FROM milestone
      JOIN plan_stage AS stage USING (stage_code)
      JOIN stage_weight AS weight
        ON weight.stage_code = milestone.stage_code
       AND weight.weight_version = (SELECT max(weight_version) FROM weight_version
                                     WHERE in_force_at <= :moment)
     WHERE milestone.state = 'completed'
     GROUP BY plan_id
)
SELECT contract.plan_id, plan.name AS plan_name, type.plan_type_name, plan.is_headline
     , unit.code, unit.name AS unit_name, unit.level, coalesce(unit.parent_code, '') AS parent_code
     , coalesce(parent.name, '') AS parent_name
     , contract.contract_status, contract.purchase_method, contract.contract_no
     , contract.contract_amount, contract.contract_sign_date, contract.contract_end_date
     , contract.is_consortium
     , contract.unit1_uscc, contract.unit1_name, contract.unit1_type, contract.unit1_grade
     , contract.unit1_cert_valid, contract.unit1_province
     , contract.unit2_uscc, contract.unit2_name, contract.unit2_type, contract.unit2_grade
     , contract.unit2_cert_valid, contract.unit2_province
     , contract.leader_name, contract.team_size, contract.performance_score
     , CAST(coalesce(standing.ratio, 0) AS double precision) AS progress_ratio
     , coalesce(standing.stage_name, '') AS progress_stage
     , contract.submission_id, contract.version_no, coalesce(receipt.receipt_no, '') AS receipt_no
     , filer.display_name AS filed_by, accepter.display_name AS accepted_by, contract.accepted_at
  FROM contract
  JOIN plan USING (plan_id)
  JOIN (SELECT DISTINCT plan_type, plan_type_name FROM plan_stage) AS type USING (plan_type)
  JOIN division_on(CAST(:day AS date)) AS unit ON unit.code = contract.division_code
  LEFT JOIN division_on(CAST(:day AS date)) AS parent ON parent.code = unit.parent_code
  LEFT JOIN standing ON standing.plan_id = contract.plan_id
  LEFT JOIN submission_receipt AS receipt
    ON receipt.submission_id = contract.submission_id AND receipt.version_no = contract.version_no
  JOIN submission_version AS version
    ON version.submission_id = contract.submission_id AND version.version_no = contract.version_no
  JOIN account AS filer ON filer.user_id = version.submitted_by
  JOIN account AS accepter ON accepter.user_id = contract.accepted_by
 ORDER BY unit.code, plan.is_headline DESC, contract.plan_id
