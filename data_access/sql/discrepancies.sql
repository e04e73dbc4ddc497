-- name: list_discrepancies
-- Each once: the city's own row where the reader sees it, else what one of the counties is told.
SELECT DISTINCT ON (found.report_year, found.city_code, found.canonical_code)
       found.city_code, city.name AS city_name, found.division_code, found.report_year
     , found.canonical_code, found.city_value, found.counties_value, found.parts
     , found.parts_expected, found.found_at
  FROM indicator_discrepancy AS found
  JOIN division_on(current_date) AS city ON city.code = found.city_code
 WHERE (CAST(:year AS integer) IS NULL OR found.report_year = :year)
   AND (CAST(:division_code AS text) IS NULL OR found.division_code = :division_code)
 ORDER BY found.report_year DESC, found.city_code, found.canonical_code
     , found.division_code <> found.city_code, found.division_code

-- name: list_waiting
SELECT found.city_code, found.city_name, found.canonical_code, found.parts, found.parts_expected
  FROM discrepancies_waiting(:year, :canonical_code) AS found
  JOIN indicator_canonical AS canonical USING (canonical_code)
 ORDER BY found.city_code, canonical.canonical_order
