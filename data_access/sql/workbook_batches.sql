-- name: export_exists
-- Also where its units are all of others.
SELECT workbook_export_exists(:export_id)

-- name: list_bases
SELECT division_code, content FROM workbook_export_unit
 WHERE export_id = :export_id AND division_code = ANY (CAST(:codes AS text[]))

-- name: name_units
SELECT code, name, prefix FROM division_on(CAST(:day AS date))
 WHERE code = ANY (CAST(:codes AS text[]))
 ORDER BY code

-- name: add_batch
INSERT INTO workbook_batch (export_id, user_id, file_name, sha256)
VALUES (:export_id, :user_id, :file_name, :sha256)
RETURNING batch_id

-- name: lock_batch
SELECT state FROM workbook_batch WHERE batch_id = :batch_id FOR UPDATE

-- name: list_batches
-- One of the actor's own, or the latest that were not thrown away.
SELECT batch.batch_id, batch.export_id, batch.user_id, batch.file_name, batch.sha256, batch.state
     , batch.unchanged_count, batch.notes, batch.created_at, batch.checked_at, batch.expires_at
     , batch.applied_at, batch.job_id
     , export.form_code, export.form_version, export.period_id, export.taken_at
     , form_version.title AS form_title, period.name AS period_name
  FROM workbook_batch AS batch
  JOIN workbook_export AS export USING (export_id)
  JOIN form_version
    ON form_version.form_code = export.form_code AND form_version.version = export.form_version
  JOIN reporting_period AS period USING (period_id)
 WHERE batch.expires_at > now()
   AND CASE WHEN CAST(:batch_id AS bigint) IS NULL THEN batch.state <> 'discarded'
            ELSE batch.batch_id = :batch_id END
 ORDER BY batch.batch_id DESC
 LIMIT 5

-- name: set_state
UPDATE workbook_batch
   SET state = :state, applied_at = CASE :state WHEN 'applied' THEN now() END
 WHERE batch_id = :batch_id

-- name: set_job
UPDATE workbook_batch SET state = 'applying', job_id = :job_id WHERE batch_id = :batch_id

-- name: set_checked
UPDATE workbook_batch
   SET unchanged_count = :unchanged_count, notes = :notes, checked_at = now()
 WHERE batch_id = :batch_id

-- name: forget_units
DELETE FROM workbook_batch_unit WHERE batch_id = :batch_id

-- name: forget_rows
DELETE FROM workbook_batch_row WHERE batch_id = :batch_id

-- name: add_unit
INSERT INTO workbook_batch_unit (batch_id, division_code, user_id, unit_name, is_open, submission_id
     , seen_sha256, error_count)
VALUES (:batch_id, :division_code, :user_id, :unit_name, :is_open, :submission_id, :seen_sha256
     , :error_count)

-- name: add_rows
-- One statement for all: a row policy keeps COPY away.
INSERT INTO workbook_batch_row (batch_id, user_id, entry_no, division_code, unit_name, sheet, row_no
     , group_code, row_key, field_code, label, kind, old_value, new_value, reason, problem, severity
     , decision)
SELECT :batch_id, :user_id, entry.no, entry.division_code, coalesce(entry.unit_name, '')
     , coalesce(entry.sheet, ''), entry.row_no, coalesce(entry.group_code, '')
     , coalesce(entry.row_key, ''), coalesce(entry.field_code, ''), coalesce(entry.label, '')
     , entry.kind
     , coalesce(entry.old_value, 'null'), coalesce(entry.new_value, 'null')
     , coalesce(entry.reason, ''), coalesce(entry.problem, ''), coalesce(entry.severity, '')
     , entry.decision
  FROM json_to_recordset(CAST(:lines AS json)) AS entry (
       no integer, division_code text, unit_name text, sheet text, row_no integer, group_code text
     , row_key text, field_code text, label text, kind text, old_value jsonb, new_value jsonb
     , reason text, problem text, severity text, decision text)

-- name: count_rows
SELECT count(*) FILTER (WHERE kind = 'new') AS new
     , count(*) FILTER (WHERE kind = 'changed') AS changed
     , count(*) FILTER (WHERE kind = 'conflicting') AS conflicting
     , count(*) FILTER (WHERE kind = 'conflicting' AND decision IS NULL) AS undecided
     , count(*) FILTER (WHERE kind = 'conflicting' AND decision = 'mine') AS mine
     , count(*) FILTER (WHERE kind = 'refused') AS refused
     , count(*) FILTER (WHERE severity = 'error') AS errors
  FROM workbook_batch_row
 WHERE batch_id = :batch_id

-- name: list_rows
SELECT entry_no, division_code, unit_name, sheet, row_no, group_code, row_key, field_code, label
     , kind, old_value, new_value, reason, problem, severity, decision
  FROM workbook_batch_row
 WHERE batch_id = :batch_id
   AND (CAST(:kind AS text) IS NULL OR kind = :kind)
   AND (NOT CAST(:with_problem AS boolean) OR severity = 'error')
   AND (CAST(:division_code AS text) IS NULL OR division_code = :division_code)
 ORDER BY entry_no
 LIMIT :limit OFFSET :offset

-- name: count_listed
SELECT count(*)
  FROM workbook_batch_row
 WHERE batch_id = :batch_id
   AND (CAST(:kind AS text) IS NULL OR kind = :kind)
   AND (NOT CAST(:with_problem AS boolean) OR severity = 'error')
   AND (CAST(:division_code AS text) IS NULL OR division_code = :division_code)

-- name: list_units
SELECT unit.division_code, unit.unit_name, unit.is_open, unit.submission_id, unit.seen_sha256
     , unit.error_count, unit.saved_version, submission.state, submission.lock_version
  FROM workbook_batch_unit AS unit
  LEFT JOIN submission USING (submission_id)
 WHERE unit.batch_id = :batch_id
 ORDER BY unit.division_code

-- name: list_chosen
-- What is to be written, unit by unit: all that is good, and the conflicts decided for the workbook.
SELECT division_code, group_code, row_key, field_code, new_value
  FROM workbook_batch_row
 WHERE batch_id = :batch_id
   AND (kind IN ('new', 'changed') OR kind = 'conflicting' AND decision = 'mine')
 ORDER BY entry_no

-- name: list_kept
-- What its uploader kept as it stood when this very file was written before.
SELECT row.division_code, row.group_code, row.row_key, row.field_code, row.old_value, row.decision
  FROM workbook_batch AS batch
  JOIN workbook_batch_row AS row USING (batch_id)
 WHERE batch.export_id = :export_id AND batch.sha256 = :sha256 AND batch.state = 'applied'
   AND row.decision = 'theirs'

-- name: decide
UPDATE workbook_batch_row SET decision = :decision
 WHERE batch_id = :batch_id AND kind = 'conflicting'
   AND (CAST(:entry_no AS integer) IS NULL OR entry_no = :entry_no)

-- name: lock_draft
-- From here to the end of the transaction nobody else saves this draft or files it. A report that
-- is being filed is waited for, and its state read as it stands then.
SELECT draft.submission_id, draft.draft_version, draft.content, submission.state
  FROM submission_draft AS draft
  JOIN submission USING (submission_id)
 WHERE draft.submission_id = :submission_id
   FOR SHARE OF submission
   FOR UPDATE OF draft

-- name: own_draft
SELECT submission.submission_id, draft.draft_version, draft.content, submission.state
  FROM submission
 CROSS JOIN draft_of_department(:submission_id) AS draft
 WHERE submission.submission_id = :submission_id

-- name: set_saved
UPDATE workbook_batch_unit SET saved_version = :saved_version, submission_id = :submission_id
 WHERE batch_id = :batch_id AND division_code = :division_code
