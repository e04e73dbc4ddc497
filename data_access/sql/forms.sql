-- name: get_form_version
SELECT form_code, version, title, code_version
  FROM form_version
 WHERE form_code = :form_code AND version = :version

-- name: list_fields
-- One order runs through the whole form, so groups come in the order of their first field.
SELECT group_code, field_code, section, label, data_type, length, unit, code_table, required_when
     , visible_when, help, sensitivity, column_name, read_only, lookup
  FROM form_field
 WHERE form_code = :form_code AND version = :version
 ORDER BY field_order, group_code

-- name: list_codes
SELECT table_code, code, name
  FROM code_item
 WHERE version = :code_version
 ORDER BY table_code, item_order, code

-- name: list_top_divisions
SELECT code FROM division_on(CAST(:day AS date)) WHERE parent_code IS NULL
