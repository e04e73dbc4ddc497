-- name: lock
-- One version after the other: each is made from the last.
SELECT pg_advisory_xact_lock(hashtext('assessment_rules'))
     , set_config('statement_timeout', '2min', true)

-- name: list_versions
SELECT rules.rule_version, rules.title, rules.valid_from_year, rules.yellow_years, rules.basis
     , rules.basis_note, maker.display_name AS made_by_name, rules.made_at
  FROM assessment_rules AS rules
  LEFT JOIN account AS maker ON maker.user_id = rules.made_by
 ORDER BY rules.rule_version DESC

-- name: add_rules
INSERT INTO assessment_rules
       (rule_version, title, valid_from_year, yellow_years, basis, basis_note, made_by)
VALUES (:rule_version, :title, :valid_from_year, :yellow_years, :basis, :basis_note, :user_id)

-- name: add_profile
-- Everything but the bands, and what they rest on, comes from the version before.
INSERT INTO warning_profile
       (rule_version, profile_code, name, measure, expression, blue, yellow, orange, red
      , without_target, remark, basis, basis_note)
SELECT :rule_version, profile_code, name, measure, expression, CAST(:blue AS numrange)
     , CAST(:yellow AS numrange), CAST(:orange AS numrange), CAST(:red AS numrange)
     , without_target, remark
     , CASE WHEN :is_changed THEN :basis ELSE basis END
     , CASE WHEN :is_changed THEN :basis_note ELSE basis_note END
  FROM warning_profile
 WHERE rule_version = :made_from AND profile_code = :profile_code

-- name: compare
SELECT from_level, level, results, units FROM compare_assessment_rules(:rule_version)

-- name: begin
SELECT begin_assessment_rules(:rule_version)

-- name: lock_level
SELECT working_days FROM warning_level WHERE level = :level FOR UPDATE

-- name: save_level
UPDATE warning_level SET working_days = :working_days WHERE level = :level
