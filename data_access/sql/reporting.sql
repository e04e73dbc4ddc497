-- name: current_period
SELECT period_id, form_code, name, starts_on, ends_on, deadline_at, form_version, workflow_version
     , opened_at, closed_at
  FROM reporting_period
 WHERE form_code = :form_code AND closed_at IS NULL
 ORDER BY starts_on DESC
 LIMIT 1

-- name: list_periods
SELECT period_id, form_code, name, starts_on, ends_on, deadline_at, form_version, workflow_version
     , opened_at, closed_at
  FROM reporting_period
 WHERE form_code = :form_code
 ORDER BY starts_on DESC

-- name: list_workflow_steps
SELECT step_no, name, role, scope_level, skip_levels, working_days
  FROM workflow_step
 WHERE form_code = :form_code AND version = :version
 ORDER BY step_no

-- name: find_unit
-- A unit that must file this form on this day.
SELECT division.code, division.name, division.level, division.prefix
  FROM division_on(CAST(:day AS date)) AS division
  JOIN form_version ON form_version.form_code = :form_code AND form_version.version = :form_version
 WHERE division.code = :division_code AND division.level = ANY (unit_levels)
   AND (unit_kinds IS NULL OR division.kind = ANY (unit_kinds))

-- name: get_submission
SELECT submission.submission_id, submission.form_code, submission.period_id
     , period.name AS period_name, period.starts_on, period.ends_on
     , coalesce(extension.deadline_at, period.deadline_at) AS deadline_at
     , period.form_version, period.workflow_version
     , submission.division_code, division.name AS division_name, division.level, division.kind
     , division.prefix, coalesce(parent.name, '') AS parent_name
     , submission.state, submission.step_no, submission.round_no, submission.version_no
     , submission.lock_version, submission.no_change
     , submission.filer_id, filer.display_name AS filer_name
     , submission.submitted_at, submission.filed_at, submission.receipt_no, submission.receipt_hash
     , draft.content AS draft_content, draft.draft_version, draft.saved_at
     , draft.saved_by AS saved_by_id, saver.display_name AS saved_by_name
     , filed.content AS filed_content
  FROM submission
  JOIN reporting_period AS period USING (period_id)
  JOIN division_on(current_date) AS division ON division.code = submission.division_code
  LEFT JOIN division_on(current_date) AS parent ON parent.code = division.parent_code
  LEFT JOIN account AS filer ON filer.user_id = submission.filer_id
  LEFT JOIN submission_draft AS draft ON draft.submission_id = submission.submission_id
  LEFT JOIN account AS saver ON saver.user_id = draft.saved_by
  LEFT JOIN submission_version AS filed
         ON filed.submission_id = submission.submission_id AND filed.version_no = submission.version_no
  LEFT JOIN LATERAL (
      SELECT deadline_at
        FROM period_extension
       WHERE period_extension.period_id = submission.period_id
         AND period_extension.division_code = submission.division_code
       ORDER BY granted_at DESC
       LIMIT 1) AS extension ON true
 WHERE submission.submission_id = :submission_id

-- name: find_submission_id
SELECT submission_id FROM submission
 WHERE period_id = :period_id AND division_code = :division_code

-- name: create_submission
INSERT INTO submission (form_code, period_id, division_code)
VALUES (:form_code, :period_id, :division_code)
    ON CONFLICT ON CONSTRAINT submission_one_per_unit_and_period DO NOTHING
RETURNING submission_id

-- name: create_draft
INSERT INTO submission_draft (submission_id, division_code, content, saved_by)
VALUES (:submission_id, :division_code, CAST(:content AS jsonb), :user_id)
    ON CONFLICT (submission_id) DO NOTHING

-- name: save_draft
-- The draft moves only while the filer holds it, and only from the version he saw.
UPDATE submission_draft AS draft
   SET content = CAST(:content AS jsonb)
     , draft_version = draft.draft_version + 1
     , saved_at = clock_timestamp()
     , saved_by = :user_id
  FROM submission
 WHERE draft.submission_id = :submission_id AND draft.draft_version = :draft_version
   AND submission.submission_id = draft.submission_id
   AND submission.state IN ('draft', 'returned')
RETURNING draft.draft_version, draft.saved_at

-- name: get_draft
SELECT draft.content, draft.draft_version, draft.saved_at, draft.saved_by AS saved_by_id
     , account.display_name AS saved_by_name, submission.state
  FROM submission_draft AS draft
  JOIN submission USING (submission_id)
  JOIN account ON account.user_id = draft.saved_by
 WHERE draft.submission_id = :submission_id

-- name: lock_submission
SELECT submission.submission_id, submission.form_code, submission.division_code
     , division.level, division.prefix, period.form_version, period.workflow_version
     , period.starts_on, period.closed_at IS NOT NULL AS period_closed
     , submission.state, submission.step_no, submission.round_no, submission.version_no
     , submission.lock_version, submission.filer_id, submission.no_change
  FROM submission
  JOIN reporting_period AS period USING (period_id)
  JOIN admin_division AS division ON division.code = submission.division_code
 WHERE submission.submission_id = :submission_id
   FOR UPDATE OF submission

-- name: add_version
INSERT INTO submission_version (submission_id, version_no, division_code, round_no, form_version
     , rule_version, code_version, workflow_version, content, content_sha256, no_change, submitted_by)
SELECT :submission_id, :version_no, :division_code, :round_no, form.version
     , form.rule_version, form.code_version, :workflow_version, CAST(:content AS jsonb)
     , :content_sha256, :no_change, :user_id
  FROM form_version AS form
 WHERE form.form_code = :form_code AND form.version = :form_version

-- name: move_submission
-- The new state and its entry in the decisions, or neither.
WITH moved AS (
    UPDATE submission
       SET state = :state
         , step_no = :step_no
         , version_no = :version_no
         , round_no = round_no + CASE WHEN :new_round THEN 1 ELSE 0 END
         , lock_version = lock_version + 1
         , no_change = :no_change
         , filer_id = coalesce(CAST(:filer_id AS bigint), filer_id)
         , submitted_at = CASE WHEN :action = 'submit' THEN now() ELSE submitted_at END
         , first_submitted_at = CASE WHEN :action = 'submit' THEN coalesce(first_submitted_at, now())
                                     ELSE first_submitted_at END
         , filed_at = CASE WHEN :state = 'filed' THEN now() END
         , receipt_no = :receipt_no
         , receipt_hash = :receipt_hash
     WHERE submission_id = :submission_id
    RETURNING submission_id, division_code, state, step_no, lock_version, filed_at
), logged AS (
    INSERT INTO review_event (submission_id, division_code, version_no, round_no, step_no, action
         , from_state, to_state, to_step_no, comment, user_id, role)
    SELECT submission_id, division_code, :version_no, :round_no, :from_step_no, :action
         , :from_state, state, step_no, :comment, :user_id, :role
      FROM moved
    RETURNING review_event_id
)
SELECT moved.submission_id, moved.state, moved.lock_version, moved.filed_at, logged.review_event_id
  FROM moved, logged

-- name: add_remark
INSERT INTO review_remark (review_event_id, submission_id, division_code, field_path, reason)
VALUES (:review_event_id, :submission_id, :division_code, :field_path, :reason)

-- name: reply
UPDATE review_remark
   SET reply = :reply, replied_by = :user_id, replied_at = now()
 WHERE review_remark_id = :review_remark_id
RETURNING submission_id

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
  FROM review_event AS event
  JOIN account ON account.user_id = event.user_id
  JOIN submission USING (submission_id)
  JOIN reporting_period AS period USING (period_id)
  LEFT JOIN workflow_step AS step
         ON step.form_code = submission.form_code AND step.version = period.workflow_version
        AND step.step_no = event.step_no
 WHERE event.submission_id = :submission_id
 ORDER BY event.happened_at, event.review_event_id

-- name: list_submissions_of
SELECT submission.submission_id, period.name AS period_name, period.starts_on
     , submission.division_code, division.name AS division_name
     , submission.state, submission.step_no, submission.round_no, submission.version_no
     , submission.no_change, submission.submitted_at, submission.filed_at, submission.receipt_no
     , filer.display_name AS filer_name
  FROM submission
  JOIN reporting_period AS period USING (period_id)
  JOIN division_on(current_date) AS division ON division.code = submission.division_code
  LEFT JOIN account AS filer ON filer.user_id = submission.filer_id
 WHERE submission.division_code = :division_code AND submission.form_code = :form_code
   AND submission.version_no > 0
 ORDER BY period.starts_on DESC

-- name: get_version
SELECT submission_id, version_no, round_no, form_version, rule_version, code_version
     , workflow_version, content, content_sha256, no_change, submitted_at
     , account.display_name AS submitted_by_name
  FROM submission_version
  JOIN account ON account.user_id = submission_version.submitted_by
 WHERE submission_id = :submission_id AND version_no = :version_no

-- name: list_versions
SELECT submission_id, version_no, round_no, form_version, rule_version, code_version
     , workflow_version, content, content_sha256, no_change, submitted_at
     , account.display_name AS submitted_by_name
  FROM submission_version
  JOIN account ON account.user_id = submission_version.submitted_by
 WHERE submission_id = :submission_id
 ORDER BY version_no

-- name: list_queue
-- Oldest first: the order in which a reviewer works through the queue.
SELECT submission.submission_id, submission.lock_version, submission.form_code
     , period.name AS period_name, period.workflow_version
     , submission.division_code, division.name AS division_name, division.level, division.prefix
     , coalesce(parent.name, '') AS parent_name
     , submission.step_no, step.name AS step_name, step.role
     , submission.round_no, submission.version_no, submission.no_change, submission.filer_id
     , coalesce(filer.display_name, '') AS filer_name, submission.submitted_at
     , add_working_days(CAST(last_event.happened_at AS date), step.working_days) AS due_on
  FROM submission
  JOIN reporting_period AS period USING (period_id)
  JOIN workflow_step AS step
    ON step.form_code = submission.form_code AND step.version = period.workflow_version
   AND step.step_no = submission.step_no
  JOIN division_on(current_date) AS division ON division.code = submission.division_code
  LEFT JOIN division_on(current_date) AS parent ON parent.code = division.parent_code
  LEFT JOIN account AS filer ON filer.user_id = submission.filer_id
  JOIN LATERAL (
      SELECT happened_at FROM review_event
       WHERE review_event.submission_id = submission.submission_id
       ORDER BY happened_at DESC
       LIMIT 1) AS last_event ON true
 WHERE submission.state = 'submitted' AND submission.form_code = :form_code
   AND step.role = ANY ((SELECT actor_roles())::text[])
 ORDER BY submission.submitted_at, submission.submission_id

-- name: add_outbox_event
INSERT INTO outbox_event (topic, subject, payload) VALUES (:topic, :subject, CAST(:payload AS jsonb))

-- name: get_filing_unit
SELECT submission.form_code, submission.division_code, division.level, division.prefix
  FROM submission
  JOIN admin_division AS division ON division.code = submission.division_code
 WHERE submission.submission_id = :submission_id

-- name: transaction_time
SELECT now()

-- name: previous_content
-- What the province accepted before this report: the unit's last filed report of an earlier period.
SELECT version.content
  FROM submission AS this
  JOIN reporting_period AS period USING (period_id)
  JOIN submission AS earlier
    ON earlier.division_code = this.division_code AND earlier.form_code = this.form_code
   AND earlier.state = 'filed'
  JOIN reporting_period AS earlier_period ON earlier_period.period_id = earlier.period_id
   AND earlier_period.starts_on < period.starts_on
  JOIN submission_version AS version
    ON version.submission_id = earlier.submission_id AND version.version_no = earlier.version_no
 WHERE this.submission_id = :submission_id
 ORDER BY earlier_period.starts_on DESC
 LIMIT 1
