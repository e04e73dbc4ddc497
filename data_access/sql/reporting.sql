-- name: current_period
SELECT period_id, form_code, form.title AS form_title, name, starts_on, ends_on, deadline_at
     , form_version, workflow_version, opened_at, closed_at
  FROM reporting_period
  JOIN form_version AS form USING (form_code)
 WHERE form_code = :form_code AND closed_at IS NULL AND form.version = form_version
 ORDER BY starts_on DESC
 LIMIT 1

-- name: list_periods
SELECT period_id, form_code, form.title AS form_title, name, starts_on, ends_on, deadline_at
     , form_version, workflow_version, opened_at, closed_at
  FROM reporting_period
  JOIN form_version AS form USING (form_code)
 WHERE form_code = :form_code AND form.version = form_version
 ORDER BY starts_on DESC

-- name: list_current_periods
SELECT DISTINCT ON (form.period_months, form_code)
       period_id, form_code, form.title AS form_title, name, starts_on, ends_on, deadline_at
     , form_version, workflow_version, opened_at, closed_at
  FROM reporting_period
  JOIN form_version AS form USING (form_code)
 WHERE closed_at IS NULL AND form.version = form_version
 ORDER BY form.period_months, form_code, starts_on DESC

-- name: get_filing_rules
SELECT by_change, filer_roles, filed_from_above, contributor_roles
  FROM form_version
 WHERE form_code = :form_code
 ORDER BY version DESC
 LIMIT 1

-- name: list_workflow_steps
SELECT step_no, name, role, scope_level, skip_levels, working_days
  FROM workflow_step
 WHERE form_code = :form_code AND version = :version
 ORDER BY step_no

-- name: get_submission
SELECT submission.submission_id, submission.form_code, form.title AS form_title
     , submission.period_id, period.name AS period_name, period.starts_on, period.ends_on
     , coalesce(extension.deadline_at, period.deadline_at) AS deadline_at
     , period.closed_at IS NOT NULL AS period_closed
     , period.form_version, period.workflow_version
     , submission.division_code, division.name AS division_name, division.level, division.kind
     , division.prefix, coalesce(parent.name, '') AS parent_name
     , submission.state, submission.step_no, submission.round_no, submission.version_no
     , submission.lock_version, submission.no_change
     , submission.filer_id, filer.display_name AS filer_name
     , submission.submitted_at, submission.filed_at, submission.receipt_no, submission.receipt_hash
     , standing.receipt_no AS standing_receipt_no
     , coalesce(draft.content, own_draft.content) AS draft_content
     , coalesce(draft.draft_version, own_draft.draft_version) AS draft_version
     , coalesce(draft.saved_at, own_draft.saved_at) AS saved_at
     , saver.user_id AS saved_by_id, saver.display_name AS saved_by_name
     , coalesce(filed.content, own_filed.content) AS filed_content
  FROM submission
  JOIN reporting_period AS period USING (period_id)
  JOIN form_version AS form
    ON form.form_code = submission.form_code AND form.version = period.form_version
  JOIN division_on(current_date) AS division ON division.code = submission.division_code
  LEFT JOIN division_on(current_date) AS parent ON parent.code = division.parent_code
  LEFT JOIN account AS filer ON filer.user_id = submission.filer_id
  LEFT JOIN submission_draft AS draft ON draft.submission_id = submission.submission_id
  LEFT JOIN LATERAL (
      SELECT * FROM draft_of_department(submission.submission_id)
       WHERE (SELECT actor_is_department())) AS own_draft ON true
  LEFT JOIN account AS saver ON saver.user_id = coalesce(draft.saved_by, own_draft.saved_by)
  LEFT JOIN submission_version AS filed
         ON filed.submission_id = submission.submission_id AND filed.version_no = submission.version_no
  LEFT JOIN LATERAL (
      SELECT content FROM versions_of_department(submission.submission_id) AS own
       WHERE (SELECT actor_is_department()) AND own.version_no = submission.version_no) AS own_filed ON true
  LEFT JOIN LATERAL (
      SELECT deadline_at
        FROM period_extension
       WHERE period_extension.period_id = submission.period_id
         AND period_extension.division_code = submission.division_code
       ORDER BY granted_at DESC
       LIMIT 1) AS extension ON true
  LEFT JOIN LATERAL (
      SELECT receipt_no
        FROM submission_receipt
       WHERE submission_receipt.submission_id = submission.submission_id
       ORDER BY version_no DESC
       LIMIT 1) AS standing ON true
 WHERE submission.submission_id = :submission_id

-- name: list_open_remarks
-- The reasons of the last return: what the filer answers before he files again.
SELECT remark.review_remark_id, remark.field_path, remark.reason, remark.reply
     , replier.display_name AS replied_by_name, remark.replied_at
     , event.happened_at, reviewer.display_name AS reviewer_name, event.comment, event.round_no
  FROM review_event AS event
  JOIN account AS reviewer ON reviewer.user_id = event.user_id
  JOIN review_remark AS remark USING (review_event_id)
  LEFT JOIN account AS replier ON replier.user_id = remark.replied_by
 WHERE event.review_event_id = (
       SELECT max(review_event_id) FROM review_event
        WHERE submission_id = :submission_id AND action = 'return')
 ORDER BY remark.review_remark_id

-- name: list_all_remarks
SELECT remark.review_remark_id, remark.field_path, remark.reason, remark.reply
     , replier.display_name AS replied_by_name, remark.replied_at
     , event.happened_at, reviewer.display_name AS reviewer_name, event.comment, event.round_no
  FROM review_event AS event
  JOIN account AS reviewer ON reviewer.user_id = event.user_id
  JOIN review_remark AS remark USING (review_event_id)
  LEFT JOIN account AS replier ON replier.user_id = remark.replied_by
 WHERE event.submission_id = :submission_id
 ORDER BY remark.review_remark_id

-- name: list_events
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
 WHERE event.submission_id = :submission_id
 ORDER BY event.happened_at, event.review_event_id

-- name: list_versions
SELECT submission_id, version_no, round_no, form_version, rule_version, code_version
     , workflow_version, content, content_sha256, no_change, submitted_at
  FROM submission_version
 WHERE submission_id = :submission_id
 UNION ALL
SELECT :submission_id, version_no, round_no, form_version, rule_version, code_version
     , workflow_version, content, content_sha256, no_change, submitted_at
  FROM versions_of_department(:submission_id)
 ORDER BY version_no

-- name: previous_content
-- What the province accepted before this report's newest version: an earlier version of it, where
-- the unit reports by change, or the last one of an earlier period.
SELECT version.content
  FROM submission AS this
  JOIN reporting_period AS period USING (period_id)
  JOIN submission AS earlier
    ON earlier.division_code = this.division_code AND earlier.form_code = this.form_code
  JOIN reporting_period AS earlier_period ON earlier_period.period_id = earlier.period_id
  JOIN submission_receipt AS receipt ON receipt.submission_id = earlier.submission_id
  JOIN submission_version AS version
    ON version.submission_id = receipt.submission_id AND version.version_no = receipt.version_no
 WHERE this.submission_id = :submission_id
   AND (earlier_period.starts_on < period.starts_on
        OR (earlier.submission_id = this.submission_id AND receipt.version_no < this.version_no))
 ORDER BY earlier_period.starts_on DESC, receipt.version_no DESC
 LIMIT 1
