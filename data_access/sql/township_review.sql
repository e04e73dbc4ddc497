-- name: plan_anew
-- What is asked of a township and of the province wants two plans: none is kept for both.
SELECT set_config('plan_cache_mode', 'force_custom_plan', true)

-- name: list_areas
-- Each part of an area, as the reviewer of one step sees it; :digits of a village's code name the
-- part. What waits is what the review queue holds; nothing is joined to it but by its number.
WITH waiting AS MATERIALIZED (
    SELECT submission_id, overdue
      FROM review_queue(:held_roles, :held_prefixes, :user_id, :own_units, :today, :form, :period
                      , :step, NULL, CAST(ARRAY[:prefix] AS text[]), NULL, NULL, NULL, NULL, NULL
                      , 'submitted', 1)
), odd AS MATERIALIZED (
    SELECT unnest(CAST(:odd AS bigint[])) AS submission_id
), drawn AS MATERIALIZED (
    SELECT village.submission_id, village.is_sampled
      FROM review_sample AS sample
      JOIN review_sample_village AS village USING (review_sample_id)
     WHERE sample.period_id = :period AND sample.step_no = :step AND sample.replaced_at IS NULL
       AND village.division_code BETWEEN rpad(:prefix, 12, '0') AND rpad(:prefix, 12, '9')
), reports AS (
    SELECT left(village.code, CAST(:digits AS integer)) AS area
         , count(*) AS villages
         , count(*) FILTER (WHERE report.state IN ('submitted', 'filed')) AS filed
         , count(waiting.submission_id) AS waiting
         , count(*) FILTER (WHERE waiting.overdue) AS overdue
         , sum(known.required) FILTER (WHERE waiting.submission_id IS NOT NULL) AS required
         , sum(known.answered) FILTER (WHERE waiting.submission_id IS NOT NULL) AS answered
         , count(*) FILTER (WHERE waiting.submission_id IS NOT NULL
                              AND known.warnings + known.errors > 0) AS warned
         , count(*) FILTER (WHERE waiting.submission_id IS NOT NULL
                              AND odd.submission_id IS NOT NULL) AS odd
         , count(*) FILTER (WHERE drawn.is_sampled) AS sampled
         , count(*) FILTER (WHERE drawn.is_sampled AND (
               report.state <> 'submitted' OR report.step_no <> :step
               OR report.filer_id = :user_id OR look.user_id IS NOT NULL)) AS looked
         , count(*) FILTER (WHERE waiting.submission_id IS NOT NULL
                              AND drawn.submission_id IS NULL) AS undrawn
         , min(report.due_on) FILTER (WHERE waiting.submission_id IS NOT NULL) AS due_on
      FROM division_on(CAST(:today AS date)) AS village
      LEFT JOIN submission AS report
             ON report.division_code = village.code AND report.period_id = :period
      LEFT JOIN submission_check AS known
             ON known.submission_id = report.submission_id
            AND known.version_no = report.version_no
      LEFT JOIN waiting ON waiting.submission_id = report.submission_id
      LEFT JOIN odd ON odd.submission_id = report.submission_id
      LEFT JOIN drawn ON drawn.submission_id = report.submission_id
      LEFT JOIN review_sample_look AS look
             ON look.submission_id = report.submission_id
            AND look.version_no = report.version_no AND look.user_id = :user_id
     WHERE village.level = 'village'
       AND village.code BETWEEN rpad(:prefix, 12, '0') AND rpad(:prefix, 12, '9')
     GROUP BY 1
)
SELECT reports.area AS prefix, division.name, reports.villages, reports.filed, reports.waiting
     , reports.overdue, reports.required, reports.answered, reports.warned, reports.odd
     , reports.sampled, reports.looked, reports.undrawn, reports.due_on
  FROM reports
  LEFT JOIN division_on(CAST(:today AS date)) AS division
         ON division.prefix = reports.area AND division.level = :level
 ORDER BY reports.waiting = 0, reports.area

-- name: list_odd
SELECT DISTINCT submission_id FROM village_outliers(:period, :prefix)

-- name: get_area
SELECT prefix, name, level FROM division_on(CAST(:today AS date))
 WHERE prefix = :prefix AND level <> 'village'

-- name: list_above
-- An area and what it lies in, the widest first.
SELECT prefix, name, level
  FROM division_on(CAST(:today AS date))
 WHERE prefix = ANY (CAST(:prefixes AS text[])) AND level <> 'village'
 ORDER BY length(prefix)

-- name: get_rule
SELECT sample_percent AS percent, sample_least AS least, sample_is_assumed AS is_assumed
  FROM reporting_period
 WHERE period_id = :period AND sample_percent IS NOT NULL

-- name: list_signs
-- What the list of villages says of each beside what every queue says.
SELECT report.submission_id, known.required, known.answered
     , coalesce(drawn.is_sampled, false) AS is_sampled
     , drawn.submission_id IS NOT NULL AS is_drawn
     , EXISTS (SELECT FROM review_sample_look AS look
                WHERE look.submission_id = report.submission_id
                  AND look.version_no = report.version_no AND look.user_id = :user_id) AS is_seen
  FROM submission AS report
  LEFT JOIN submission_check AS known USING (submission_id, version_no)
  LEFT JOIN LATERAL (
       SELECT village.submission_id, village.is_sampled
         FROM review_sample_village AS village
         JOIN review_sample AS sample USING (review_sample_id)
        WHERE village.submission_id = report.submission_id
          AND sample.step_no = report.step_no AND sample.replaced_at IS NULL) AS drawn ON true
 WHERE report.submission_id = ANY (CAST(:submission_ids AS bigint[]))

-- name: list_outliers
SELECT found.submission_id, found.field_code, found.kind, found.amount, found.reference
     , found.area, found.villages, field.label, field.unit
  FROM village_outliers(:period, :prefix) AS found
  JOIN reporting_period AS period ON period.period_id = :period
  LEFT JOIN form_field AS field
         ON field.form_code = period.form_code AND field.version = period.form_version
        AND field.group_code = 'form' AND field.field_code = found.field_code
 WHERE found.submission_id = ANY (CAST(:submission_ids AS bigint[]))
 ORDER BY found.submission_id, found.field_code, found.kind

-- name: set_rule
UPDATE reporting_period
   SET sample_percent = CAST(:percent AS integer), sample_least = CAST(:least AS integer)
     , sample_is_assumed = false
 WHERE period_id = :period AND closed_at IS NULL
