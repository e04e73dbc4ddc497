-- name: current_set
SELECT coalesce(max(version), 0) FROM check_rule_set WHERE form_code = :form_code

-- name: list_rules
-- Each rule as it stands in a rule set.
SELECT * FROM (
    SELECT DISTINCT ON (rule_code) form_code, rule_code, version, set_version, rule_order, group_code
         , field_code, expression, message, strength, is_enabled, thresholds, owner, basis, basis_note
      FROM check_rule
     WHERE form_code = :form_code AND set_version <= :set_version
     ORDER BY rule_code, set_version DESC) AS rule
 ORDER BY rule_order, rule_code

-- name: list_versions
-- Every version of a rule, the newest first, with who made it and why.
SELECT rule.version, rule.set_version, expression, message, strength, is_enabled, thresholds
     , rule_set.reason, rule_set.made_at, account.display_name AS made_by_name
     , (SELECT count(*) FROM submission_version AS filed
          JOIN submission USING (submission_id)
         WHERE submission.form_code = rule.form_code AND filed.rule_version >= rule.set_version
           AND filed.rule_version < coalesce((
               SELECT min(later.set_version) FROM check_rule AS later
                WHERE later.form_code = rule.form_code AND later.rule_code = rule.rule_code
                  AND later.set_version > rule.set_version), 2147483647)) AS judged
  FROM check_rule AS rule
  JOIN check_rule_set AS rule_set
    ON rule_set.form_code = rule.form_code AND rule_set.version = rule.set_version
  LEFT JOIN account ON account.user_id = rule_set.made_by
 WHERE rule.form_code = :form_code AND rule.rule_code = :rule_code
 ORDER BY rule.version DESC

-- name: list_forms
SELECT DISTINCT ON (form_code) form_code, version, title
  FROM form_version
 WHERE EXISTS (SELECT FROM check_rule WHERE check_rule.form_code = form_version.form_code)
 ORDER BY form_code, version DESC
