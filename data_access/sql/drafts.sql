-- name: find_unit
-- A unit that must file this form on this day.
SELECT division.code, division.name, division.level, division.prefix
  FROM division_on(CAST(:day AS date)) AS division
  JOIN form_version ON form_version.form_code = :form_code AND form_version.version = :form_version
 WHERE division.code = :division_code AND division.level = ANY (unit_levels)
   AND (unit_kinds IS NULL OR division.kind = ANY (unit_kinds))

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

-- name: begin_own_draft
SELECT begin_draft_of_department(:submission_id, CAST(:content AS jsonb))

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

-- name: save_own_rows
-- What a department fills, put between the rows of others by the database.
SELECT draft_version, saved_at
  FROM save_rows_of_department(:submission_id, CAST(:content AS jsonb), :draft_version)

-- name: get_draft
-- A function that cannot be inlined is planned at each call: nobody but a department pays for it.
SELECT draft.content, draft.draft_version, draft.saved_at, draft.saved_by AS saved_by_id
     , account.display_name AS saved_by_name, submission.state
  FROM submission
  JOIN (SELECT submission_id, content, draft_version, saved_at, saved_by
          FROM submission_draft
         WHERE submission_id = :submission_id
         UNION ALL
        SELECT :submission_id, content, draft_version, saved_at, saved_by
          FROM draft_of_department(:submission_id)
         WHERE (SELECT actor_is_department())) AS draft USING (submission_id)
  JOIN account ON account.user_id = draft.saved_by

-- name: get_filing_unit
SELECT submission.form_code, submission.division_code, division.level, division.prefix
  FROM submission
  JOIN admin_division AS division ON division.code = submission.division_code
 WHERE submission.submission_id = :submission_id
