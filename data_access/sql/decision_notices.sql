-- name: describe_reports
-- After the move: the step that waits now.
-- The division that reviews is the one of the step's level that the unit lies in.
SELECT submission.submission_id, submission.receipt_no, submission.form_code, form.filed_from_above
     , submission.division_code, submission.period_id
     , coalesce(division.name, submission.division_code) AS division_name
     , identity.level, period.name AS period_name, form.title AS form_title
     , step.name AS step_name, step.role AS step_role, reviewer.code AS reviewer_code
  FROM submission
  JOIN reporting_period AS period USING (period_id)
  JOIN form_version AS form
    ON form.form_code = submission.form_code AND form.version = period.form_version
  JOIN admin_division AS identity ON identity.code = submission.division_code
  LEFT JOIN division_on(CAST(timezone('Asia/Shanghai', now()) AS date)) AS division
    ON division.code = submission.division_code
  LEFT JOIN workflow_step AS step
    ON step.form_code = submission.form_code AND step.version = period.workflow_version
   AND step.step_no = submission.step_no
  LEFT JOIN admin_division AS reviewer
    ON reviewer.level = step.scope_level AND submission.division_code ^@ reviewer.prefix
 WHERE submission.submission_id = ANY (CAST(:submission_ids AS bigint[]))
