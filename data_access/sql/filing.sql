-- name: list_units
SELECT division.code, division.name, division.level, division.prefix
  FROM division_on(CAST(:day AS date)) AS division
  JOIN form_version
    ON form_version.form_code = :form_code AND form_version.version = :form_version
 WHERE (division.code = ANY (CAST(:codes AS text[]))
        OR division.code ^@ ANY (CAST(:prefixes AS text[])))
   AND division.level = ANY (unit_levels)
   AND (unit_kinds IS NULL OR division.kind = ANY (unit_kinds))
 ORDER BY division.code

-- name: review_due
-- The step that waits, whose it is, and the working day by which it should be decided.
SELECT step.name AS step_name, coalesce(reviewer.name, '') AS reviewer_name
     , add_working_days(CAST(last_event.happened_at AS date), step.working_days) AS due_on
  FROM submission
  JOIN reporting_period AS period USING (period_id)
  JOIN workflow_step AS step
    ON step.form_code = submission.form_code AND step.version = period.workflow_version
   AND step.step_no = submission.step_no
  JOIN admin_division AS unit ON unit.code = submission.division_code
  LEFT JOIN division_on(current_date) AS reviewer
         ON reviewer.level = step.scope_level AND starts_with(unit.prefix, reviewer.prefix)
  JOIN LATERAL (
      SELECT happened_at FROM review_event
       WHERE review_event.submission_id = submission.submission_id
       ORDER BY happened_at DESC
       LIMIT 1) AS last_event ON true
 WHERE submission.submission_id = :submission_id

-- name: get_form_of
SELECT submission.form_code, period.form_version, submission.division_code, period.starts_on
     , period.closed_at IS NOT NULL AND submission.state = 'draft' AS is_too_late
  FROM submission
  JOIN reporting_period AS period USING (period_id)
 WHERE submission.submission_id = :submission_id
