-- name: list_rows
-- Every plan of a unit: how far the province accepted it, and whether it accepted a contract of it.
SELECT plan.plan_id, plan.plan_type, type.plan_type_name, plan.name, plan.is_headline
     , unit.code AS county_code, unit.name AS county_name, unit.level AS unit_level
     , reached.name AS progress_stage
     , EXISTS (SELECT FROM accepted_contract
                WHERE accepted_contract.plan_id = plan.plan_id) AS is_accepted
  FROM plan
  JOIN (SELECT DISTINCT plan_type, plan_type_name FROM plan_stage) AS type USING (plan_type)
  JOIN division_on(CAST(:day AS date)) AS unit ON unit.code = plan.division_code
  LEFT JOIN LATERAL (
      SELECT stage.name
        FROM plan_stage AS stage
        JOIN LATERAL (
            SELECT state FROM accepted_milestone
             WHERE accepted_milestone.plan_id = plan.plan_id
               AND accepted_milestone.stage_code = stage.stage_code
             ORDER BY accepted_at DESC, accepted_milestone_id DESC
             LIMIT 1) AS accepted ON accepted.state = 'completed'
       WHERE stage.plan_type = plan.plan_type
       ORDER BY stage.stage_order DESC
       LIMIT 1) AS reached ON true
 WHERE plan.division_code = :division_code
 ORDER BY plan.is_headline DESC, plan.plan_id

-- name: list_files
SELECT evidence_id, row_key, item, file_name, sha256
  FROM evidence
 WHERE division_code = :division_code AND form_code = :form_code AND removed_at IS NULL

-- name: current_contracts
-- What the province accepted last of each plan; a decimal is a text, as content has it.
SELECT DISTINCT ON (plan_id) plan_id
     , to_jsonb(accepted_contract)
       || jsonb_build_object('contract_amount', CAST(trim_scale(contract_amount) AS text)) AS fields
  FROM accepted_contract
 WHERE division_code = :division_code
 ORDER BY plan_id, accepted_at DESC, submission_id DESC, version_no DESC

-- name: write_filed
INSERT INTO filed_contract
SELECT filed.*
  FROM submission_version AS version
 CROSS JOIN LATERAL jsonb_array_elements(version.content -> 'contract') AS contract (fields)
 CROSS JOIN LATERAL jsonb_populate_record(
       CAST(NULL AS filed_contract)
     , contract.fields || jsonb_build_object(
           'submission_id', version.submission_id
         , 'version_no', version.version_no
         , 'division_code', version.division_code
         , 'evidence_ids', coalesce((
               SELECT jsonb_agg(CAST(file.value AS bigint) ORDER BY file.key)
                 FROM jsonb_each_text(nullif(contract.fields -> 'attachments', 'null')) AS file
                WHERE file.value IS NOT NULL), '[]'))) AS filed
 WHERE version.submission_id = :submission_id AND version.version_no = :version_no

-- name: know_units
-- Whom the accepted contracts name is known from now on, as named last.
INSERT INTO compile_unit (uscc, name, unit_type, grade, cert_no, cert_valid, province)
SELECT DISTINCT ON (party.uscc) party.*
  FROM unnest(CAST(:submission_ids AS bigint[]), CAST(:version_nos AS integer[]))
       WITH ORDINALITY AS accepted (submission_id, version_no, place)
  JOIN filed_contract AS filed
    ON filed.submission_id = accepted.submission_id AND filed.version_no = accepted.version_no
 CROSS JOIN LATERAL (VALUES
       (filed.unit1_uscc, filed.unit1_name, filed.unit1_type, filed.unit1_grade
      , filed.unit1_cert_no, filed.unit1_cert_valid, filed.unit1_province)
     , (filed.unit2_uscc, filed.unit2_name, filed.unit2_type, filed.unit2_grade
      , filed.unit2_cert_no, filed.unit2_cert_valid, filed.unit2_province))
       AS party (uscc, name, unit_type, grade, cert_no, cert_valid, province)
 WHERE party.uscc IS NOT NULL AND party.name IS NOT NULL
 ORDER BY party.uscc, accepted.place DESC, filed.plan_id
    ON CONFLICT (uscc) DO UPDATE
   SET name = excluded.name
     , unit_type = coalesce(excluded.unit_type, compile_unit.unit_type)
     , grade = coalesce(excluded.grade, compile_unit.grade)
     , cert_no = coalesce(excluded.cert_no, compile_unit.cert_no)
     , cert_valid = coalesce(excluded.cert_valid, compile_unit.cert_valid)
     , province = coalesce(excluded.province, compile_unit.province)
     , updated_at = now()
 WHERE (compile_unit.name, compile_unit.unit_type, compile_unit.grade, compile_unit.cert_no
       , compile_unit.cert_valid, compile_unit.province)
       IS DISTINCT FROM
       (excluded.name, coalesce(excluded.unit_type, compile_unit.unit_type)
       , coalesce(excluded.grade, compile_unit.grade)
       , coalesce(excluded.cert_no, compile_unit.cert_no)
       , coalesce(excluded.cert_valid, compile_unit.cert_valid)
       , coalesce(excluded.province, compile_unit.province))

-- name: accept_contracts
-- Only what differs becomes a new fact; the stage is Form A's and no news here.
INSERT INTO accepted_contract
SELECT filed.*, CAST(:user_id AS bigint)
  FROM unnest(CAST(:submission_ids AS bigint[]), CAST(:version_nos AS integer[]))
       AS accepted (submission_id, version_no)
  JOIN filed_contract AS filed
    ON filed.submission_id = accepted.submission_id AND filed.version_no = accepted.version_no
  LEFT JOIN LATERAL (
      SELECT to_jsonb(accepted_contract) - 'accepted_by' - 'accepted_at' AS fields
        FROM accepted_contract
       WHERE accepted_contract.plan_id = filed.plan_id
       ORDER BY accepted_at DESC, submission_id DESC, version_no DESC
       LIMIT 1) AS known ON true
 WHERE filed.contract_status IS NOT NULL
   AND to_jsonb(filed) - 'submission_id' - 'version_no' - 'progress_stage'
       IS DISTINCT FROM known.fields - 'submission_id' - 'version_no' - 'progress_stage'
