-- name: list_reports
-- The reports of a period among these units, with what is in the drafts and what was filed last.
SELECT submission.division_code, submission.submission_id, submission.state
     , coalesce(draft.draft_version, own_draft.draft_version) AS draft_version
     , coalesce(draft.content, own_draft.content) AS draft_content
     , coalesce(filed.content, own_filed.content) AS filed_content
  FROM submission
  LEFT JOIN submission_draft AS draft USING (submission_id)
  LEFT JOIN submission_version AS filed
         ON filed.submission_id = submission.submission_id
        AND filed.version_no = submission.version_no
  LEFT JOIN LATERAL (
      SELECT * FROM draft_of_department(submission.submission_id)
       WHERE (SELECT actor_is_department())) AS own_draft ON true
  LEFT JOIN LATERAL (
      SELECT content FROM versions_of_department(submission.submission_id) AS own
       WHERE (SELECT actor_is_department()) AND own.version_no = submission.version_no) AS own_filed ON true
 WHERE submission.period_id = :period_id
   AND submission.division_code = ANY (CAST(:codes AS text[]))

-- name: add_export
INSERT INTO workbook_export (form_code, form_version, period_id, scope_name, unit_codes, taken_by)
VALUES (:form_code, :form_version, :period_id, :scope_name, :unit_codes, :taken_by)
RETURNING export_id, taken_at

-- name: add_unit
INSERT INTO workbook_export_unit (export_id, division_code, submission_id, draft_version, content)
VALUES (:export_id, :division_code, :submission_id, :draft_version, CAST(:content AS jsonb))

-- name: set_job
UPDATE workbook_export SET job_id = :job_id WHERE export_id = :export_id

-- name: set_ready
UPDATE workbook_export SET ready_at = now() WHERE export_id = :export_id

-- name: find_export
SELECT export_id, form_code, form_version, period_id, scope_name, unit_codes, taken_by, taken_at
     , job_id, ready_at
  FROM workbook_export
 WHERE export_id = :export_id

-- name: list_made
-- The workbooks that a job makes or made for somebody, the newest first, while their files stay.
SELECT export_id, form_code, form_version, period_id, scope_name, unit_codes, taken_by, taken_at
     , job_id, ready_at
  FROM workbook_export
 WHERE taken_by = :user_id AND job_id IS NOT NULL AND taken_at > now() - interval '1 day'
 ORDER BY taken_at DESC
 LIMIT 3

-- name: remove_old
SELECT remove_old_workbooks(make_interval(days => :days))
