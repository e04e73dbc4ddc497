-- name: read_settings
SELECT name, value FROM portal_setting

-- name: read_settings_at
SELECT DISTINCT ON (name) name, value
  FROM portal_setting_history
 WHERE in_force_at <= :moment
 ORDER BY name, in_force_at DESC, portal_setting_history_id DESC

-- name: list_village_numbers
SELECT field_code AS code, label FROM form_field
 WHERE form_code = 'village_evaluation' AND group_code = 'form' AND data_type IN ('integer', 'decimal')
   AND version = (SELECT max(version) FROM form_field WHERE form_code = 'village_evaluation')
 ORDER BY field_order

-- name: list_settings
SELECT setting.name, setting.value, setting.description
     , CASE WHEN isfinite(history.in_force_at) THEN history.in_force_at END AS changed_at
  FROM portal_setting AS setting
  LEFT JOIN LATERAL (
      SELECT in_force_at FROM portal_setting_history
       WHERE portal_setting_history.name = setting.name
       ORDER BY in_force_at DESC, portal_setting_history_id DESC
       LIMIT 1) AS history ON true
 ORDER BY setting.name

-- name: change_setting
UPDATE portal_setting SET value = CAST(:value AS jsonb)
 WHERE name = :name AND value = CAST(:seen AS jsonb)
RETURNING name

-- name: find_setting
SELECT value FROM portal_setting WHERE name = :name
