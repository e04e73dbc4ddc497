-- name: list_years
-- The years that were opened, the newest first, and the day whose villages they ask.
SELECT CAST(extract(year FROM starts_on) AS integer) AS year, name, deadline_at
     , least(ends_on, CAST(timezone('Asia/Shanghai', now()) AS date)) AS day
  FROM reporting_period
 WHERE form_code = :form_code AND opened_at <= now()
 ORDER BY starts_on DESC

-- name: list_places
-- The tops of the actor's scope, and the way from there down to a division, its townships at most.
SELECT division.code, division.name, division.level, division.prefix
     , coalesce(division.parent_code, '') AS parent_code
  FROM division_on(CAST(:day AS date)) AS division
 WHERE division.prefix = ANY (ARRAY[left(:code, 2), left(:code, 4), left(:code, 6), left(:code, 9)]
                              || (SELECT actor_prefixes())::text[])
   AND division.level <> 'village'
   AND division.prefix ^@ ANY ((SELECT actor_prefixes())::text[])
 ORDER BY division.code

-- name: list_parts
-- The divisions of a level within another one.
SELECT division.code, division.name, division.level, division.prefix
     , coalesce(division.parent_code, '') AS parent_code
  FROM division_on(CAST(:day AS date)) AS division
 WHERE division.level = :level AND division.level <> 'village' AND division.prefix ^@ :prefix
   AND division.prefix ^@ ANY ((SELECT actor_prefixes())::text[])
 ORDER BY division.code

-- name: count_asked
-- How many villages divisions have to report of a year on its day; the whole of them of all years.
SELECT kept.division_code, asked.year AS report_year, 'asked' AS measure, '' AS code
     , CAST(sum(kept.villages) AS numeric) AS amount
  FROM unnest(CAST(:years AS integer[]), CAST(:days AS date[])) AS asked (year, day)
  JOIN village_asked AS kept ON kept.on_day <= asked.day
 WHERE kept.division_code = ANY (CAST(:codes AS text[]))
   AND (asked.year = :year OR kept.division_code = :whole)
 GROUP BY 1, 2

-- name: sum_all
-- Every sum of a division.
SELECT division_code, report_year, measure, code, sum(amount) AS amount
  FROM village_sum
 WHERE report_year = ANY (CAST(:years AS integer[])) AND level = :level AND division_code = :code
 GROUP BY division_code, report_year, measure, code

-- name: sum_parts
-- What the ranking shows of each part of a division. Nearly every sum is one row, and the reader adds
-- up the others: grouped here, a province of ten times the cities would sort them all.
SELECT division_code, report_year, measure, code, amount
  FROM village_sum
 WHERE report_year = :year AND level = :level AND division_code = ANY (CAST(:codes AS text[]))
   AND measure IN ('state', 'in_time', 'accepted', 'plan_status', 'hazard')

-- name: asked_villages
-- The villages that a year asks, or those of them of which nothing was submitted, in order.
SELECT division.code
  FROM admin_division AS division
 WHERE division.level = 'village' AND division.code ^@ :prefix
   AND division.code ^@ ANY ((SELECT actor_prefixes())::text[])
   AND EXISTS (SELECT FROM admin_division_version AS version
                WHERE version.code = division.code AND version.valid_from <= CAST(:day AS date)
                  AND (version.valid_to IS NULL OR version.valid_to > CAST(:day AS date)))
   AND (:measure = 'asked' OR NOT EXISTS (
           SELECT FROM submission AS report
            WHERE report.division_code = division.code AND report.state <> 'draft'
              AND report.period_id = (SELECT period_id FROM reporting_period
                                       WHERE form_code = :form_code
                                         AND extract(year FROM starts_on) = :year)))
 ORDER BY division.code
 LIMIT :most OFFSET :skipped

-- name: villages_in_state
-- The villages whose report stands in one of some states, in order: each state is read in its order,
-- as far as the page goes, however few are in it.
SELECT report.division_code
  FROM unnest(CAST(:codes AS text[])) AS wanted (state)
 CROSS JOIN LATERAL (
       SELECT division_code
         FROM submission
        WHERE period_id = (SELECT period_id FROM reporting_period
                            WHERE form_code = :form_code AND extract(year FROM starts_on) = :year)
          AND submission.state = wanted.state AND division_code ^@ :prefix
        ORDER BY division_code
        LIMIT CAST(:most AS integer) + CAST(:skipped AS integer)) AS report
 ORDER BY report.division_code
 LIMIT :most OFFSET :skipped

-- name: villages_in_time
-- The villages whose report came in time, in order.
SELECT report.division_code
  FROM submission AS report
  JOIN reporting_period AS period USING (period_id)
  LEFT JOIN LATERAL (
      SELECT deadline_at FROM period_extension AS extension
       WHERE extension.period_id = period.period_id
         AND extension.division_code = report.division_code
       ORDER BY granted_at DESC, period_extension_id DESC
       LIMIT 1) AS extension ON true
 WHERE report.period_id = (SELECT period_id FROM reporting_period
                            WHERE form_code = :form_code AND extract(year FROM starts_on) = :year)
   AND report.division_code ^@ :prefix
   AND CASE WHEN report.round_no = 1 THEN report.submitted_at ELSE
                (SELECT max(happened_at) FROM review_event AS event
                  WHERE event.submission_id = report.submission_id
                    AND event.action = 'submit' AND event.round_no = 1) END
       <= coalesce(extension.deadline_at, period.deadline_at)
 ORDER BY report.division_code
 LIMIT :most OFFSET :skipped

-- name: accepted_villages
-- The villages behind a figure of what was accepted, in order: each measure as village_facts counts.
SELECT accepted.division_code
  FROM accepted_village_evaluation AS accepted
 CROSS JOIN LATERAL (
       SELECT CASE (CAST(:codes AS text[]))[1]
              WHEN 'hard_road' THEN accepted.hard_road
              WHEN 'garbage_collected' THEN accepted.garbage_collected
              WHEN 'clinic' THEN accepted.clinic
              WHEN 'primary_school' THEN accepted.primary_school
              WHEN 'kindergarten' THEN accepted.kindergarten
              WHEN 'elder_care' THEN accepted.elder_care
              WHEN 'culture_square' THEN accepted.culture_square
              WHEN 'village_office' THEN accepted.village_office
              WHEN 'bus' THEN accepted.bus
              WHEN 'broadband' THEN accepted.broadband END AS service) AS own
 WHERE accepted.report_year = :year AND accepted.division_code ^@ :prefix
   AND CASE :measure
       WHEN 'accepted' THEN true
       WHEN 'village_class' THEN accepted.village_class = ANY (CAST(:codes AS text[]))
       WHEN 'plan_status' THEN accepted.plan_status = ANY (CAST(:codes AS text[]))
       WHEN 'plan_type' THEN accepted.plan_type = ANY (CAST(:codes AS text[]))
       WHEN 'eval_conclusion' THEN accepted.eval_conclusion = ANY (CAST(:codes AS text[]))
       WHEN 'tap_water' THEN accepted.tap_water = ANY (CAST(:codes AS text[]))
       WHEN 'sewage' THEN accepted.sewage = ANY (CAST(:codes AS text[]))
       WHEN 'hazard' THEN CASE (CAST(:codes AS text[]))[1]
            WHEN 'geohazard' THEN accepted.geohazard_points > 0
            WHEN 'flood' THEN accepted.flood_risk
            WHEN 'any' THEN accepted.geohazard_points > 0 OR accepted.flood_risk END
       WHEN 'service' THEN own.service
       WHEN 'answered' THEN own.service IS NOT NULL END
 ORDER BY accepted.division_code
 LIMIT :most OFFSET :skipped

-- name: list_villages
-- What a list shows of each village, under the names of the year's day.
SELECT village.code, coalesce(name.name, '') AS name, coalesce(town.name, '') AS town_name
     , coalesce(county.name, '') AS county_name
     , coalesce(report.state, '') AS state, report.submitted_at
     , accepted.village_class, accepted.plan_status, accepted.eval_conclusion
     , accepted.geohazard_points, accepted.flood_risk, accepted.natural_cnt
     , accepted.hukou_pop, accepted.resident_pop
     , report.submission_id, coalesce(report.receipt_no, '') AS receipt_no
  FROM unnest(CAST(:villages AS text[])) AS village (code)
  LEFT JOIN submission AS report
         ON report.division_code = village.code
        AND report.period_id = (SELECT period_id FROM reporting_period
                                 WHERE form_code = :form_code
                                   AND extract(year FROM starts_on) = :year)
  LEFT JOIN accepted_village_evaluation AS accepted
         ON accepted.division_code = village.code AND accepted.report_year = :year
  LEFT JOIN admin_division_version AS name
         ON name.code = village.code AND name.valid_from <= CAST(:day AS date)
        AND (name.valid_to IS NULL OR name.valid_to > CAST(:day AS date))
  LEFT JOIN admin_division_version AS town
         ON town.code = left(village.code, 9) AND town.valid_from <= CAST(:day AS date)
        AND (town.valid_to IS NULL OR town.valid_to > CAST(:day AS date))
  LEFT JOIN admin_division_version AS county
         ON county.code = left(village.code, 6) AND county.valid_from <= CAST(:day AS date)
        AND (county.valid_to IS NULL OR county.valid_to > CAST(:day AS date))
 ORDER BY village.code

-- name: get_record
-- What the year says of one village, under its name of the year's day; facts is what was accepted.
SELECT name.code, name.name, report.submission_id, coalesce(report.state, '') AS state
     , report.submitted_at, to_jsonb(accepted) AS facts
  FROM admin_division_version AS name
  JOIN admin_division AS division ON division.code = name.code AND division.level = 'village'
  LEFT JOIN submission AS report
         ON report.division_code = name.code
        AND report.period_id = (SELECT period_id FROM reporting_period
                                 WHERE form_code = :form_code
                                   AND extract(year FROM starts_on) = :year)
  LEFT JOIN accepted_village_evaluation AS accepted
         ON accepted.division_code = name.code AND accepted.report_year = :year
 WHERE name.code = :code AND name.code ^@ ANY ((SELECT actor_prefixes())::text[])
   AND name.valid_from <= CAST(:day AS date)
   AND (name.valid_to IS NULL OR name.valid_to > CAST(:day AS date))

-- name: list_natural_villages
-- The natural villages of a village on the year's day, each with what was accepted of it.
SELECT natural_village.code, natural_village.name, to_jsonb(accepted) AS facts
  FROM natural_village_on(CAST(:day AS date)) AS natural_village
  LEFT JOIN accepted_natural_village_evaluation AS accepted
         ON accepted.natural_code = natural_village.code AND accepted.report_year = :year
 WHERE natural_village.code ^@ CAST(:code AS text)
   AND natural_village.division_code ^@ ANY ((SELECT actor_prefixes())::text[])
 ORDER BY natural_village.code

-- name: fold
SELECT fold_village_rollup()

-- name: forget_moves
SELECT forget_village_moves()

-- name: list_differences
SELECT division_code, report_year, measure, code, kept, counted FROM village_rollup_differences()

-- name: count_sums
SELECT (SELECT count(*) FROM (SELECT DISTINCT division_code, report_year, measure, code FROM village_sum) AS sums)
     + (SELECT count(*) FROM village_asked)

-- name: rebuild
SELECT rebuild_village_rollup()

-- name: list_map_differences
SELECT division_code, shown, kept, counted FROM village_map_differences()

-- name: count_map_rows
SELECT (SELECT count(*) FROM village_sign) + (SELECT count(*) FROM village_grid)

-- name: rebuild_map
SELECT rebuild_village_map()
