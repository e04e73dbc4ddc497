-- name: add_batch
INSERT INTO csv_batch (form_code, form_version, period_id, user_id, file_name, sha256)
VALUES (:form_code, :form_version, :period_id, :user_id, :file_name, :sha256)
RETURNING batch_id

-- name: list_batches
-- One of the actor's own, or the latest that were not thrown away.
SELECT batch.batch_id, batch.form_code, batch.form_version, batch.period_id, batch.export_id
     , batch.user_id, batch.file_name, batch.sha256, batch.state, batch.counts, batch.notes
     , batch.refusal, batch.job_id, batch.created_at, batch.checked_at, batch.judged_at, batch.applied_at
     , batch.expires_at, form_version.title AS form_title, period.name AS period_name
     , period.starts_on
  FROM csv_batch AS batch
  JOIN form_version
    ON form_version.form_code = batch.form_code AND form_version.version = batch.form_version
  JOIN reporting_period AS period USING (period_id)
 WHERE batch.expires_at > now()
   AND CASE WHEN CAST(:batch_id AS bigint) IS NULL THEN batch.state <> 'discarded'
            ELSE batch.batch_id = :batch_id END
 ORDER BY batch.batch_id DESC
 LIMIT 5

-- name: lock_batch
SELECT state FROM csv_batch WHERE batch_id = :batch_id FOR UPDATE

-- name: set_job
UPDATE csv_batch SET state = :state, job_id = :job_id WHERE batch_id = :batch_id

-- name: set_state
UPDATE csv_batch
   SET state = :state, applied_at = CASE :state WHEN 'applied' THEN now() END
 WHERE batch_id = :batch_id

-- name: set_refused
UPDATE csv_batch SET state = 'refused', refusal = :refusal WHERE batch_id = :batch_id

-- name: set_checked
UPDATE csv_batch
   SET state = 'open', export_id = :export_id, counts = CAST(:counts AS jsonb), notes = :notes
     , checked_at = now(), judged_at = NULL
 WHERE batch_id = :batch_id

-- name: forget_rows
DELETE FROM csv_batch_row WHERE batch_id = :batch_id

-- name: count_rows
SELECT count(*) FILTER (WHERE kind = 'new') AS new
     , count(*) FILTER (WHERE kind = 'changed') AS changed
     , count(*) FILTER (WHERE kind = 'conflicting') AS conflicting
     , count(*) FILTER (WHERE kind = 'conflicting' AND decision IS NULL) AS undecided
     , count(*) FILTER (WHERE kind = 'conflicting' AND decision = 'mine') AS mine
     , count(*) FILTER (WHERE kind = 'refused') AS refused
     , count(*) FILTER (WHERE kind <> 'refused' AND problem <> '') AS problems
  FROM csv_batch_row
 WHERE batch_id = :batch_id

-- name: list_rows
SELECT row.entry_no, row.file, row.row_no, row.group_code, row.division_code, row.row_key, row.kind
     , row.old_values, row.new_values, row.removed, row.conflicts, row.reason, row.problem
     , row.decision, coalesce(unit.name, '') AS unit_name, coalesce(village.name, '') AS row_name
  FROM csv_batch_row AS row
  LEFT JOIN division_on(CAST(:day AS date)) AS unit ON unit.code = row.division_code
  LEFT JOIN natural_village AS village ON village.code = row.row_key
 WHERE row.batch_id = :batch_id
   AND (CAST(:kind AS text) IS NULL OR row.kind = :kind)
   AND (NOT CAST(:with_problem AS boolean) OR (row.kind <> 'refused' AND row.problem <> ''))
 ORDER BY row.entry_no
 LIMIT :limit OFFSET :offset

-- name: list_bad_rows
-- What is not taken and what is left to correct, in the order of the files, behind one entry.
SELECT row.entry_no, row.file, row.row_no, row.group_code, row.division_code, row.row_key, row.kind
     , row.old_values, row.new_values, row.removed, row.conflicts, row.reason, row.problem
     , row.decision, coalesce(unit.name, '') AS unit_name, coalesce(village.name, '') AS row_name
  FROM (SELECT *
          FROM csv_batch_row
         WHERE batch_id = :batch_id AND entry_no > :after AND (kind = 'refused' OR problem <> '')
         ORDER BY entry_no
         LIMIT :limit) AS row
  LEFT JOIN division_on(CAST(:day AS date)) AS unit ON unit.code = row.division_code
  LEFT JOIN natural_village AS village ON village.code = row.row_key
 ORDER BY row.entry_no

-- name: list_offered_units
-- The units whose drafts a batch would change, with the entries of each.
SELECT division_code, array_agg(entry_no) AS entry_nos
  FROM csv_batch_row
 WHERE batch_id = :batch_id AND kind <> 'refused' AND division_code IS NOT NULL
 GROUP BY division_code
 ORDER BY division_code

-- name: list_offered
SELECT entry_no, division_code, group_code, row_key, new_values, removed, conflicts, decision, problem
  FROM csv_batch_row
 WHERE batch_id = :batch_id AND entry_no = ANY (CAST(:entry_nos AS integer[]))

-- name: set_problems
UPDATE csv_batch_row AS row
   SET problem = said.problem
  FROM unnest(CAST(:entry_nos AS integer[]), CAST(:problems AS text[])) AS said (entry_no, problem)
 WHERE row.batch_id = :batch_id AND row.entry_no = said.entry_no

-- name: set_judged
UPDATE csv_batch SET judged_at = now() WHERE batch_id = :batch_id AND state = 'open'

-- name: decide
UPDATE csv_batch_row SET decision = :decision
 WHERE batch_id = :batch_id AND kind = 'conflicting'
   AND (CAST(:entry_no AS integer) IS NULL OR entry_no = :entry_no)

-- name: allow_time
-- A province takes longer than a page may; memory for a join of its rows.
SELECT set_config('statement_timeout', '5min', true), set_config('work_mem', '64MB', true)

-- name: list_seen
-- The units whose drafts a batch writes, each with the version that it was compared with.
SELECT row.division_code, min(row.seen_version) AS seen_version
  FROM csv_batch_row AS row
 WHERE row.batch_id = :batch_id
   AND (row.kind IN ('new', 'changed')
        OR row.kind = 'conflicting'
           AND (row.decision = 'mine' OR cardinality(row.conflicts) < (
                SELECT count(*) FROM jsonb_object_keys(row.new_values)) + cardinality(row.removed)))
 GROUP BY row.division_code
 ORDER BY row.division_code

-- name: lock_drafts
-- In one order for everybody: from here to the end of the transaction nobody else saves or files
-- these. A report that is being filed is waited for, and its state read as it stands then.
SELECT submission.division_code, submission.state, draft.draft_version
  FROM submission_draft AS draft
  JOIN submission USING (submission_id)
 WHERE submission.period_id = :period_id
   AND submission.division_code = ANY (CAST(:codes AS text[]))
 ORDER BY draft.submission_id
   FOR SHARE OF submission
   FOR UPDATE OF draft

-- name: add_submissions
INSERT INTO submission (form_code, period_id, division_code)
SELECT :form_code, :period_id, code FROM unnest(CAST(:codes AS text[])) AS missing (code)
 ORDER BY code
    ON CONFLICT ON CONSTRAINT submission_one_per_unit_and_period DO NOTHING

-- name: log_changes
-- What is written, row by row: each of them has its entry in the trail.
INSERT INTO csv_change (batch_id, entry_no, division_code, group_code, row_key, row_no, old_values
     , new_values)
SELECT row.batch_id, row.entry_no, row.division_code, row.group_code, row.row_key, row.row_no
     , CASE WHEN row.decision = 'theirs' THEN row.old_values - row.conflicts ELSE row.old_values END
     , CASE WHEN row.decision = 'theirs' THEN row.new_values - row.conflicts ELSE row.new_values END
       || CASE WHEN row.removed = '{}' THEN '{}'
               ELSE (SELECT coalesce(jsonb_object_agg(gone, NULL), '{}')
                       FROM unnest(row.removed) AS gone
                      WHERE row.decision IS DISTINCT FROM 'theirs'
                         OR gone <> ALL (row.conflicts)) END
  FROM csv_batch_row AS row
 WHERE row.batch_id = :batch_id AND row.kind IN ('new', 'changed', 'conflicting')
   AND row.division_code = ANY (CAST(:codes AS text[]))
   AND (row.decision IS DISTINCT FROM 'theirs' OR cardinality(row.conflicts) < (
        SELECT count(*) FROM jsonb_object_keys(row.new_values)) + cardinality(row.removed))
