-- name: lock
-- One change of rules after the other: each makes the next rule set.
SELECT pg_advisory_xact_lock(hashtext('check_rule'))

-- name: add_set
INSERT INTO check_rule_set (form_code, version, reason, made_by)
SELECT :form_code, coalesce(max(version), 0) + 1, :reason, :user_id
  FROM check_rule_set
 WHERE form_code = :form_code
RETURNING version

-- name: add_rule
INSERT INTO check_rule (form_code, rule_code, version, set_version, rule_order, group_code, field_code
     , expression, message, strength, is_enabled, thresholds, owner, basis, basis_note)
VALUES (:form_code, :rule_code, :version, :set_version, :rule_order, :group_code, :field_code
     , :expression, :message, :strength, :is_enabled, CAST(:thresholds AS jsonb), :owner, :basis
     , :basis_note)

-- name: any_unit
-- A unit that filed this form, so that the names of its facts are known.
SELECT division_code FROM submission WHERE form_code = :form_code ORDER BY submission_id DESC LIMIT 1
