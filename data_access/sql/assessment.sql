-- name: list_years
SELECT year FROM unnest(assessment_years()) AS year ORDER BY year

-- name: rules_of
SELECT assessment_rules_of(:year)

-- name: assess
SELECT assess(CAST(:years AS integer[]), CAST(:codes AS text[]), CAST(:rules AS integer), :raising)

-- name: matrix
-- The cells of one year, of the units alone; order and grouping are the reader's.
SELECT result.division_code, result.canonical_code, result.value, result.level, result.base_level
     , result.is_breach, result.reference, result.reference_kind, result.measure, result.reason
  FROM assessment_result AS result
  JOIN admin_division AS unit ON unit.code = result.division_code AND unit.level <> 'province'
 WHERE result.report_year = :year AND result.rule_version = :rule_version
   AND result.canonical_code = ANY (CAST(:codes AS text[]))

-- name: list_units
SELECT unit.code, unit.name, unit.level, unit.kind, unit.parent_code
     , coalesce(parent.name, '') AS parent_name
  FROM division_on(current_date) AS unit
  LEFT JOIN division_on(current_date) AS parent ON parent.code = unit.parent_code
 WHERE unit.level IN ('city', 'county')
   AND unit.code ^@ ANY ((SELECT actor_prefixes())::text[])
 ORDER BY unit.code

-- name: unit_levels
-- How a unit stands as a whole: the gravest of its levels, and how complete it is.
SELECT result.division_code
     , max(level.level_rank) AS worst_rank
     , count(*) FILTER (WHERE result.level = 'severe') AS severe
     , count(*) FILTER (WHERE result.level = 'warn') AS warn
     , count(*) FILTER (WHERE result.level = 'watch') AS watch
     , count(*) FILTER (WHERE result.level = 'hint') AS hint
     , count(*) FILTER (WHERE result.level = 'normal') AS normal
     , count(*) FILTER (WHERE result.level = 'unrated') AS unrated
     , count(*) FILTER (WHERE result.level = 'no_data') AS no_data
     , count(*) FILTER (WHERE result.is_breach) AS breaches
  FROM assessment_result AS result
  JOIN warning_level AS level USING (level)
  JOIN admin_division AS unit ON unit.code = result.division_code AND unit.level <> 'province'
 WHERE result.report_year = :year AND result.rule_version = :rule_version
   AND result.canonical_code = ANY (CAST(:codes AS text[]))
 GROUP BY result.division_code
 ORDER BY result.division_code

-- name: unit_results
-- A unit's year beside the year before; its place is shown where it may be seen (places_of).
SELECT result.canonical_code, result.numerator, result.denominator, result.value
     , result.parts, result.parts_expected, result.parts_value
     , result.reference, result.reference_kind, result.measure, result.base_level, result.level
     , result.reason, result.is_breach, earlier.value AS previous
     , target.state AS target_state, target.target_year, target.target_value
  FROM assessment_result AS result
  LEFT JOIN assessment_result AS earlier
         ON earlier.rule_version = assessment_rules_of(:year - 1)
        AND earlier.report_year = :year - 1
        AND earlier.division_code = result.division_code
        AND earlier.canonical_code = result.canonical_code
  LEFT JOIN LATERAL (
      SELECT state, target_year, target_value
        FROM indicator_target
       WHERE indicator_target.division_code = result.division_code
         AND indicator_target.canonical_code = result.canonical_code
       ORDER BY target_year < :year, abs(target_year - :year)
       LIMIT 1) AS target ON true
 WHERE result.division_code = :division_code AND result.report_year = :year
   AND result.rule_version = :rule_version

-- name: places
SELECT division_code, canonical_code, value, level, is_breach, reference, reference_kind, reason
     , place, places
  FROM assessment_places(:year, :rule_version, CAST(:codes AS text[]))
 ORDER BY canonical_code, place NULLS LAST, value IS NULL, division_code

-- name: list_series
SELECT result.division_code, result.canonical_code, result.report_year, result.value
     , result.reference, result.reference_kind, result.level, result.is_breach
  FROM assessment_result AS result
 WHERE result.division_code = ANY (CAST(:divisions AS text[]))
   AND result.canonical_code = ANY (CAST(:codes AS text[]))
   AND result.rule_version = assessment_rules_of(result.report_year)
 ORDER BY result.division_code, result.canonical_code, result.report_year

-- name: get_record
-- Where a figure comes from: the version in force, who filed and who accepted it.
SELECT result.division_code, result.report_year, result.canonical_code, result.rule_version
     , result.numerator, result.denominator, result.value, result.level, result.base_level
     , result.reason, result.is_breach, result.reference, result.reference_kind, result.measure
     , result.parts, result.parts_expected, result.parts_value
     , filed.source, filed.explanation, filed.submission_id, filed.version_no
     , filer.display_name AS filed_by_name, version.submitted_at
     , accepter.display_name AS accepted_by_name, filed.accepted_at
     , computed.value AS computed_value, computed.state AS computed_state, computed.computed_at
     , made.formula, made.version AS formula_version, made.valid_from_year AS formula_from_year
  FROM assessment_result AS result
  LEFT JOIN indicator_formulas_of(:year) AS made ON made.canonical_code = result.canonical_code
  LEFT JOIN indicator_value AS filed
         ON filed.division_code = result.division_code AND filed.report_year = result.report_year
        AND filed.canonical_code = result.canonical_code
  LEFT JOIN submission_version AS seen
         ON seen.submission_id = filed.submission_id AND seen.version_no = filed.version_no
  LEFT JOIN LATERAL (
      SELECT submitted_by, submitted_at FROM versions_of_department(filed.submission_id) AS own
       WHERE (SELECT actor_is_department()) AND own.version_no = filed.version_no) AS own ON true
 CROSS JOIN LATERAL (
      SELECT coalesce(seen.submitted_by, own.submitted_by) AS submitted_by
           , coalesce(seen.submitted_at, own.submitted_at) AS submitted_at) AS version
  LEFT JOIN account AS filer ON filer.user_id = version.submitted_by
  LEFT JOIN account AS accepter ON accepter.user_id = filed.accepted_by
  LEFT JOIN computed_indicator_value AS computed
         ON computed.division_code = result.division_code AND computed.report_year = result.report_year
        AND computed.canonical_code = result.canonical_code
 WHERE result.division_code = :division_code AND result.report_year = :year
   AND result.canonical_code = :canonical_code AND result.rule_version = :rule_version

-- name: list_versions
SELECT filed.submission_id, filed.version_no, filed.numerator, filed.denominator, filed.value
     , filed.source, filed.explanation, filer.display_name AS filed_by_name, version.submitted_at
     , accepted.accepted_at, accepter.display_name AS accepted_by_name
  FROM filed_indicator_value AS filed
  LEFT JOIN submission_version AS seen USING (submission_id, version_no)
  LEFT JOIN LATERAL (
      SELECT submitted_by, submitted_at FROM versions_of_department(filed.submission_id) AS own
       WHERE (SELECT actor_is_department()) AND own.version_no = filed.version_no) AS own ON true
 CROSS JOIN LATERAL (
      SELECT coalesce(seen.submitted_by, own.submitted_by) AS submitted_by
           , coalesce(seen.submitted_at, own.submitted_at) AS submitted_at) AS version
  JOIN account AS filer ON filer.user_id = version.submitted_by
  LEFT JOIN accepted_indicator_value AS accepted USING (submission_id, version_no, canonical_code)
  LEFT JOIN account AS accepter ON accepter.user_id = accepted.accepted_by
 WHERE filed.division_code = :division_code AND filed.report_year = :year
   AND filed.canonical_code = :canonical_code
 ORDER BY version.submitted_at, filed.version_no

-- name: inputs_of
SELECT canonical.canonical_code, canonical.name, canonical.unit, result.value
  FROM indicator_formulas_of(:year) AS derived
 CROSS JOIN unnest(derived.formula_inputs) AS input
  JOIN indicator_canonical AS canonical ON canonical.canonical_code = input
  LEFT JOIN assessment_result AS result
         ON result.canonical_code = input AND result.division_code = :division_code
        AND result.report_year = :year AND result.rule_version = :rule_version
 WHERE derived.canonical_code = :canonical_code
 ORDER BY canonical.canonical_order
