-- name: report_year
-- The data year that is filed now: the year before the newest opened period.
SELECT coalesce((
    SELECT CAST(extract(year FROM max(starts_on)) AS integer) - 1
      FROM reporting_period
     WHERE form_code = :form_code AND opened_at <= now())
  , CAST(extract(year FROM CAST(:day AS date)) AS integer) - 1)

-- name: list_rows
-- What the actor may fill for a unit: of a department its own. Derived indicators are not filed.
SELECT canonical.canonical_code, canonical.name, canonical.dimension, canonical.value_kind
     , canonical.unit, canonical.numerator_name, canonical.numerator_unit
     , canonical.denominator_name, canonical.denominator_unit
     , coalesce(canonical.scale, 1) AS scale, canonical.typical_min, canonical.typical_max
     , canonical.data_departments, canonical.is_share, canonical.is_basic
     , CAST(trim_scale(round(last.value, 4)) AS text) AS last_value
     , EXISTS (SELECT FROM indicator_value AS this
                WHERE this.canonical_code = canonical.canonical_code
                  AND this.division_code = :division_code AND this.report_year = :year) AS is_accepted
  FROM indicator_canonical AS canonical
  LEFT JOIN indicator_value AS last
         ON last.canonical_code = canonical.canonical_code
        AND last.division_code = :division_code AND last.report_year = :year - 1
  LEFT JOIN LATERAL (
      SELECT min(indicator.seq) AS place
        FROM indicator
        JOIN indicator_set USING (set_code)
       WHERE indicator.dimension = canonical.dimension AND indicator_set.purpose = 'checkup') AS dimension ON true
 WHERE canonical.is_applicable AND canonical.value_kind <> 'derived'
   AND ((SELECT NOT actor_is_department())
        OR canonical.canonical_code = ANY ((SELECT actor_indicator_codes())::text[]))
 ORDER BY dimension.place, canonical.dimension, NOT canonical.is_basic, canonical.canonical_order

-- name: list_files
SELECT evidence_id, item, file_name, sha256
  FROM evidence
 WHERE division_code = :division_code AND form_code = :form_code AND removed_at IS NULL
 ORDER BY evidence_id

-- name: values_in_force
-- What the province accepted of the year; a decimal is a text, as content has it.
SELECT canonical_code, CAST(trim_scale(numerator) AS text) AS numerator
     , CAST(trim_scale(denominator) AS text) AS denominator
     , CASE WHEN numerator IS NULL THEN CAST(trim_scale(value) AS text) END AS value
     , source, explanation
  FROM indicator_value
 WHERE division_code = :division_code AND report_year = :year

-- name: last_sources
-- Where the figures came from last year: most come from there again.
SELECT canonical_code, NULL AS numerator, NULL AS denominator, NULL AS value, source
     , NULL AS explanation
  FROM indicator_value
 WHERE division_code = :division_code AND report_year = :year - 1 AND source IS NOT NULL

-- name: write_filed
-- A figure that is not there has no row; a ratio is computed from its parts.
INSERT INTO filed_indicator_value
       (submission_id, version_no, division_code, report_year, canonical_code, numerator, denominator
      , value, unit, source, explanation)
SELECT version.submission_id, version.version_no, version.division_code
     , CAST(extract(year FROM period.starts_on) AS integer) - 1, canonical.canonical_code
     , figure.numerator, figure.denominator, figure.value, canonical.unit
     , row.fields ->> 'source', row.fields ->> 'explanation'
  FROM submission_version AS version
  JOIN submission USING (submission_id)
  JOIN reporting_period AS period USING (period_id)
 CROSS JOIN LATERAL jsonb_array_elements(version.content -> 'indicator') AS row (fields)
  JOIN indicator_canonical AS canonical ON canonical.canonical_code = row.fields ->> 'key'
 CROSS JOIN LATERAL (
      SELECT CASE WHEN canonical.value_kind = 'ratio' THEN CAST(row.fields ->> 'numerator' AS numeric) END AS numerator
           , CASE WHEN canonical.value_kind = 'ratio' THEN CAST(row.fields ->> 'denominator' AS numeric) END AS denominator
           , CASE WHEN canonical.value_kind = 'ratio'
                  THEN round(CAST(row.fields ->> 'numerator' AS numeric) * canonical.scale
                             / nullif(CAST(row.fields ->> 'denominator' AS numeric), 0), 6)
                  ELSE CAST(row.fields ->> 'value' AS numeric) END AS value) AS figure
 WHERE version.submission_id = :submission_id AND version.version_no = :version_no
   AND figure.value IS NOT NULL

-- name: changed_codes
-- What acceptances change of a year: figures that are new, other than those in force, or left out.
SELECT DISTINCT CAST(extract(year FROM period.starts_on) AS integer) - 1 AS report_year, canonical_code
  FROM (SELECT filed.*
          FROM unnest(CAST(:submission_ids AS bigint[]), CAST(:version_nos AS integer[]))
               AS accepted (submission_id, version_no)
          JOIN filed_indicator_value AS filed USING (submission_id, version_no)) AS filed
  FULL JOIN (SELECT * FROM indicator_value
              WHERE submission_id = ANY (CAST(:submission_ids AS bigint[]))) AS known
 USING (submission_id, canonical_code)
  JOIN submission USING (submission_id)
  JOIN reporting_period AS period USING (period_id)
 WHERE (filed.numerator, filed.denominator, filed.value)
    IS DISTINCT FROM (known.numerator, known.denominator, known.value)
 ORDER BY report_year, canonical_code

-- name: accept
INSERT INTO accepted_indicator_value
       (submission_id, version_no, division_code, report_year, canonical_code, numerator, denominator
      , value, unit, source, explanation, accepted_by)
SELECT submission_id, version_no, division_code, report_year, canonical_code, numerator, denominator
     , value, unit, source, explanation, :user_id
  FROM unnest(CAST(:submission_ids AS bigint[]), CAST(:version_nos AS integer[]))
       AS accepted (submission_id, version_no)
  JOIN filed_indicator_value USING (submission_id, version_no)
