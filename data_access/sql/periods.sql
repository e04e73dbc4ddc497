-- name: deadline_day
SELECT coalesce((SELECT CAST(value AS integer) FROM portal_setting
                  WHERE name = 'period_deadline_day'), 25)

-- name: list_rhythms
SELECT DISTINCT ON (form_code) form_code, title, period_months, filed_from_above
  FROM form_version
 WHERE valid_from <= CAST(timezone('Asia/Shanghai', now()) AS date)
 ORDER BY form_code, version DESC

-- name: get_form_code
SELECT form_code FROM reporting_period WHERE period_id = :period_id

-- name: open_period
INSERT INTO reporting_period (form_code, name, starts_on, ends_on, deadline_at, form_version
     , workflow_version, opened_by, sample_percent, sample_least, sample_is_assumed)
SELECT :form_code, :name, CAST(:starts_on AS date)
     , CAST(CAST(:starts_on AS date) + make_interval(months => form.period_months) AS date) - 1
     , :deadline_at, form.version
     , (SELECT max(version) FROM workflow_step WHERE workflow_step.form_code = :form_code)
     , :opened_by
     , CASE WHEN form.filed_from_above THEN CAST(sample.value ->> 'percent' AS integer) END
     , CASE WHEN form.filed_from_above THEN CAST(sample.value ->> 'least' AS integer) END
     , form.filed_from_above AND sample.value IS NOT NULL
  FROM form_version AS form
  LEFT JOIN portal_setting AS sample ON sample.name = 'village_sample'
 WHERE form.form_code = :form_code AND form.valid_from <= CAST(:starts_on AS date)
 ORDER BY form.version DESC
 LIMIT 1
RETURNING period_id AS id

-- name: close_period
UPDATE reporting_period
   SET closed_at = now()
 WHERE period_id = :period_id
   AND closed_at IS NULL

-- name: extend
INSERT INTO period_extension (period_id, division_code, deadline_at, reason, granted_by)
SELECT period_id, code, :deadline_at, :reason, :granted_by
  FROM reporting_period
 CROSS JOIN unnest(CAST(:codes AS text[])) AS code
 WHERE period_id = :period_id
   AND closed_at IS NULL

-- name: list_filing
-- Who must file, by the form's own rule; a returned report is not filed until filed again, and
-- one that was opened again to report a change stays filed.
SELECT unit.code, unit.name, unit.level, unit.kind, unit.prefix
     , coalesce(unit.parent_code, '') AS parent_code, coalesce(parent.name, '') AS parent_name
     , submission.submission_id
     , CASE WHEN coalesce(submission.state, 'draft') <> 'draft' THEN submission.state
            WHEN EXISTS (SELECT FROM submission_receipt AS receipt
                          WHERE receipt.submission_id = submission.submission_id) THEN 'filed'
            ELSE 'not_filed' END AS period_state
     , coalesce(submission.no_change, false) AS no_change
     , first_round.submitted_at
     , coalesce(extension.deadline_at, period.deadline_at) AS deadline_at
     , extension.deadline_at IS NOT NULL AS is_extended
     , coalesce(first_round.submitted_at <= coalesce(extension.deadline_at, period.deadline_at)
              , false) AS on_time
     , reminded.sent_at AS reminded_at
  FROM reporting_period AS period
  JOIN form_version AS form
    ON form.form_code = period.form_code AND form.version = period.form_version
  JOIN division_on(least(period.ends_on, CAST(timezone('Asia/Shanghai', now()) AS date))) AS unit
    ON unit.level = ANY (form.unit_levels)
   AND (form.unit_kinds IS NULL OR unit.kind = ANY (form.unit_kinds))
   AND unit.code ^@ ANY ((SELECT actor_prefixes())::text[])
  LEFT JOIN admin_division_version AS parent
    ON parent.code = unit.parent_code AND parent.valid_from <= period.ends_on
   AND (parent.valid_to IS NULL OR parent.valid_to > period.ends_on)
  LEFT JOIN submission
    ON submission.period_id = period.period_id AND submission.division_code = unit.code
  LEFT JOIN LATERAL (
      SELECT max(happened_at) AS submitted_at
        FROM review_event
       WHERE review_event.submission_id = submission.submission_id
         AND action = 'submit' AND round_no = 1) AS first_round ON true
  LEFT JOIN LATERAL (
      SELECT deadline_at
        FROM period_extension
       WHERE period_extension.period_id = period.period_id
         AND period_extension.division_code = unit.code
       ORDER BY granted_at DESC, period_extension_id DESC
       LIMIT 1) AS extension ON true
  LEFT JOIN LATERAL (
      SELECT max(sent_at) AS sent_at
        FROM reminder
       WHERE reminder.division_code = unit.code AND reminder.form_code = period.form_code
         AND topic IN ('not_filed', 'returned')
         AND reminder.sent_at >= period.opened_at
         AND (period.closed_at IS NULL OR reminder.sent_at <= period.closed_at)) AS reminded ON true
 WHERE period.period_id = :period_id
 ORDER BY unit.code

-- name: list_filing_by_area
-- Units that are filed from above, counted by the county they lie in, with their townships.
SELECT county.code, county.name, coalesce(city.name, '') AS parent_name, count(*) AS units
     , count(*) FILTER (WHERE submission.state IN ('submitted', 'filed')) AS filed
     , count(*) FILTER (WHERE submission.state = 'returned') AS returned
     , array_agg(DISTINCT town.code) AS townships
  FROM reporting_period AS period
  JOIN form_version AS form
    ON form.form_code = period.form_code AND form.version = period.form_version
  JOIN division_on(least(period.ends_on, CAST(timezone('Asia/Shanghai', now()) AS date))) AS unit
    ON unit.level = ANY (form.unit_levels)
   AND (form.unit_kinds IS NULL OR unit.kind = ANY (form.unit_kinds))
   AND unit.code ^@ ANY ((SELECT actor_prefixes())::text[])
  JOIN division_on(least(period.ends_on, CAST(timezone('Asia/Shanghai', now()) AS date))) AS town
    ON town.code = unit.parent_code
  JOIN division_on(least(period.ends_on, CAST(timezone('Asia/Shanghai', now()) AS date))) AS county
    ON county.code = town.parent_code
  LEFT JOIN division_on(least(period.ends_on, CAST(timezone('Asia/Shanghai', now()) AS date))) AS city
         ON city.code = county.parent_code
  LEFT JOIN submission
         ON submission.period_id = period.period_id AND submission.division_code = unit.code
 WHERE period.period_id = :period_id
 GROUP BY county.code, county.name, city.name
 ORDER BY county.code

-- name: list_extensions
SELECT extension.period_extension_id, extension.period_id, period.name AS period_name
     , extension.division_code, coalesce(division.name, extension.division_code) AS division_name
     , extension.deadline_at, extension.reason
     , coalesce(account.display_name, '') AS granted_by_name, extension.granted_at
  FROM period_extension AS extension
  JOIN reporting_period AS period USING (period_id)
  LEFT JOIN division_on(current_date) AS division ON division.code = extension.division_code
  LEFT JOIN account ON account.user_id = extension.granted_by
 WHERE (CAST(:period_id AS bigint) IS NULL OR extension.period_id = :period_id)
   AND (CAST(:division_code AS text) IS NULL OR extension.division_code = :division_code)
   AND (CAST(:moment AS timestamptz) IS NULL OR extension.granted_at <= :moment)
 ORDER BY extension.granted_at DESC, extension.period_extension_id DESC
