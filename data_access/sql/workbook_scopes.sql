-- name: list_units
-- The units that must file the form, within the actor's scope.
SELECT division.code, division.name, division.prefix, coalesce(parent.name, '') AS parent_name
  FROM division_on(CAST(:day AS date)) AS division
  JOIN form_version ON form_version.form_code = :form_code AND form_version.version = :form_version
  LEFT JOIN division_on(CAST(:day AS date)) AS parent ON parent.code = division.parent_code
 WHERE division.level = ANY (unit_levels)
   AND (unit_kinds IS NULL OR division.kind = ANY (unit_kinds))
   AND division.code ^@ ANY ((SELECT actor_prefixes())::text[])
 ORDER BY division.code

-- name: list_areas
-- The divisions that hold units of the actor's scope: what may be asked for as a whole.
SELECT code, name, prefix
  FROM division_on(CAST(:day AS date)) AS division
 WHERE code ^@ ANY ((SELECT actor_prefixes())::text[])
 ORDER BY length(prefix), code

-- name: get_period
SELECT period.period_id, period.form_code, form_version.title AS form_title, period.name
     , period.starts_on, period.deadline_at, period.form_version, period.workflow_version, period.closed_at
  FROM reporting_period AS period
  JOIN form_version
    ON form_version.form_code = period.form_code AND form_version.version = period.form_version
 WHERE period.period_id = :period_id
