-- name: list_unit_reports
SELECT submission.submission_id, period.name AS period_name, period.starts_on
     , coalesce(version.no_change, false) AS no_change
     , CASE WHEN submission.filed_at <= :moment THEN submission.receipt_no END AS receipt_no
  FROM submission
  JOIN reporting_period AS period USING (period_id)
  JOIN LATERAL (
      SELECT version_no
        FROM review_event
       WHERE review_event.submission_id = submission.submission_id AND happened_at <= :moment
       ORDER BY happened_at DESC, review_event_id DESC
       LIMIT 1) AS last_event ON true
  LEFT JOIN submission_version AS version
    ON version.submission_id = submission.submission_id
   AND version.version_no = last_event.version_no
 WHERE submission.division_code = :division_code AND submission.form_code = :form_code
 ORDER BY period.starts_on DESC

-- name: list_unit_events
SELECT event.review_event_id, event.submission_id, event.version_no, event.round_no, event.step_no
     , coalesce(step.name, '填报单位') AS step_name, event.action, event.from_state, event.to_state
     , event.comment, account.display_name AS user_name, event.role, event.happened_at
     , event.bulk_decision_id
  FROM review_event AS event
  JOIN account ON account.user_id = event.user_id
  JOIN submission USING (submission_id)
  JOIN reporting_period AS period USING (period_id)
  LEFT JOIN workflow_step AS step
         ON step.form_code = submission.form_code AND step.version = period.workflow_version
        AND step.step_no = event.step_no
 WHERE event.division_code = :division_code
   AND event.happened_at <= :moment
 ORDER BY event.happened_at, event.review_event_id

-- name: list_unit_remarks
SELECT remark.review_remark_id, remark.field_path, remark.reason
     , CASE WHEN remark.replied_at <= :moment THEN remark.reply END AS reply
     , replier.display_name AS replied_by_name, remark.replied_at
     , event.happened_at, reviewer.display_name AS reviewer_name, event.comment, event.round_no
  FROM review_event AS event
  JOIN account AS reviewer ON reviewer.user_id = event.user_id
  JOIN review_remark AS remark USING (review_event_id)
  LEFT JOIN account AS replier ON replier.user_id = remark.replied_by
 WHERE event.division_code = :division_code
   AND event.happened_at <= :moment
 ORDER BY remark.review_remark_id
