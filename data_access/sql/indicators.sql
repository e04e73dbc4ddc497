-- name: list_sets
SELECT set_code, title, standard, purpose, set_order, valid_from, valid_to, basis, basis_note
  FROM indicator_set
 ORDER BY set_order

-- name: list_indicators
SELECT indicator_code, set_code, seq, dimension, dimension_2, name, unit, tier, attribute, scope
     , definition, formula_text, direction, typical_min, typical_max, profile_code
     , data_departments, related_layers, canonical_code, is_applicable, basis, value_basis
     , basis_note
  FROM indicator
 WHERE (CAST(:set_code AS text) IS NULL OR set_code = :set_code)
   AND (CAST(:canonical_code AS text) IS NULL OR canonical_code = :canonical_code)
 ORDER BY set_code, seq

-- name: list_canonicals
SELECT canonical_code, name, canonical_order, dimension, value_kind, unit, decimals
     , numerator_name, numerator_unit, denominator_name, denominator_unit, scale, formula
     , formula_inputs, direction, attribute, profile_code, typical_min, typical_max
     , data_departments, related_layers, is_share, is_basic, is_applicable, basis, basis_note
  FROM indicator_canonical
 WHERE CAST(:canonical_code AS text) IS NULL OR canonical_code = :canonical_code
 ORDER BY canonical_order

-- name: list_departments
SELECT department, title, aliases
  FROM data_department
 ORDER BY department_order

-- name: list_targets
SELECT division_code, canonical_code, target_year, state, base_year, base_value, target_value
     , document_no, issued_on
  FROM indicator_target
 WHERE (CAST(:division_code AS text) IS NULL OR division_code = :division_code)
   AND (CAST(:canonical_code AS text) IS NULL OR canonical_code = :canonical_code)
 ORDER BY division_code, canonical_code, target_year

-- name: count_targets
SELECT canonical_code, count(*) AS targets, count(*) FILTER (WHERE state = 'issued') AS issued
  FROM indicator_target
 GROUP BY canonical_code

-- name: save_target
INSERT INTO indicator_target
       (division_code, canonical_code, target_year, state, base_year, base_value, target_value
      , document_no, issued_on)
VALUES (:division_code, :canonical_code, :target_year, :state, :base_year, :base_value
      , :target_value, :document_no, :issued_on)
    ON CONFLICT (division_code, canonical_code, target_year) DO UPDATE
   SET state = excluded.state, base_year = excluded.base_year, base_value = excluded.base_value
     , target_value = excluded.target_value, document_no = excluded.document_no
     , issued_on = excluded.issued_on

-- name: list_rules
SELECT rule_version, title, valid_from_year, yellow_years, basis, basis_note
  FROM assessment_rules
 ORDER BY rule_version

-- name: list_profiles
SELECT rule_version, profile_code, name, measure, expression, CAST(blue AS text) AS blue
     , CAST(yellow AS text) AS yellow, CAST(orange AS text) AS orange, CAST(red AS text) AS red
     , without_target, remark, basis, basis_note
  FROM warning_profile
 WHERE rule_version = :rule_version
 ORDER BY profile_code

-- name: list_levels
SELECT level, level_rank, name, meaning, working_days, responsible, escalation_role
  FROM warning_level
 ORDER BY level_rank
