-- name: lock
-- One change after the other: the second sees what the first one wrote.
SELECT pg_advisory_xact_lock(hashtext('indicator_changes'))
     , set_config('statement_timeout', '2min', true)

-- name: list_target_units
SELECT unit.code, unit.name, unit.level, unit.kind, coalesce(unit.parent_code, '') AS parent_code
     , coalesce(parent.name, '') AS parent_name
  FROM division_on(current_date) AS unit
  LEFT JOIN division_on(current_date) AS parent ON parent.code = unit.parent_code
 WHERE unit.level IN ('province', 'city', 'county')
   AND unit.code ^@ ANY ((SELECT actor_prefixes())::text[])
 ORDER BY unit.code
