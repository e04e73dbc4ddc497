-- name: list_page
-- The page is chosen on the narrow tables; names and what is pending are read for its rows alone.
WITH page AS MATERIALIZED (
    SELECT submission_id, sort_key
      FROM review_queue(:held_roles, :held_prefixes, :user_id, :own_units, :today, :form, :period
                      , :step, :round, :unit_prefixes, :warned, :overdue, :unchanged
                      , :named_units, :named_filers, :sort, :direction)
     ORDER BY sort_key, submission_id
     LIMIT :page_size OFFSET :skipped
)
SELECT submission.submission_id, submission.lock_version, submission.form_code
     , form.title AS form_title, period.name AS period_name
     , submission.division_code, coalesce(division.name, submission.division_code) AS division_name
     , coalesce(parent.name, '') AS parent_name
     , step.name AS step_name, submission.round_no, submission.no_change
     , coalesce(filer.display_name, '') AS filer_name, submission.submitted_at, submission.due_on
     , known.errors, known.warnings, known.changes, known.attachments, known.new_attachments
     , pending.action AS pending_action, pending.effect_at AS pending_at
     , pending.display_name AS pending_by, pending.bulk_decision_id AS pending_id
     , coalesce(pending.user_id = CAST(:user_id AS bigint), false) AS is_own_pending
  FROM page
  JOIN submission USING (submission_id)
  JOIN reporting_period AS period USING (period_id)
  JOIN form_version AS form
    ON form.form_code = submission.form_code AND form.version = period.form_version
  JOIN workflow_step AS step
    ON step.form_code = submission.form_code AND step.version = period.workflow_version
   AND step.step_no = submission.step_no
  LEFT JOIN submission_check AS known
         ON known.submission_id = submission.submission_id
        AND known.version_no = submission.version_no
  LEFT JOIN account AS filer ON filer.user_id = submission.filer_id
  LEFT JOIN admin_division_version AS division
         ON division.code = submission.division_code AND division.valid_from <= :today
        AND (division.valid_to IS NULL OR :today < division.valid_to)
  LEFT JOIN admin_division_version AS parent
         ON parent.code = division.parent_code AND parent.valid_from <= :today
        AND (parent.valid_to IS NULL OR :today < parent.valid_to)
  LEFT JOIN LATERAL (
      SELECT bulk.bulk_decision_id, bulk.user_id, bulk.action, bulk.effect_at, account.display_name
        FROM bulk_decision_item AS item
        JOIN bulk_decision AS bulk USING (bulk_decision_id)
        JOIN account ON account.user_id = bulk.user_id
       WHERE item.submission_id = submission.submission_id AND item.state = 'pending') AS pending
       ON true
 ORDER BY page.sort_key, page.submission_id

-- name: count_queue
SELECT count(*) AS waiting, count(*) FILTER (WHERE overdue) AS overdue
  FROM review_queue(:held_roles, :held_prefixes, :user_id, :own_units, :today, :form, :period
                  , :step, :round, :unit_prefixes, :warned, :overdue, :unchanged
                  , :named_units, :named_filers, :sort, :direction)

-- name: list_seen
-- Every report of a choice, in the version that stands now.
SELECT submission_id, lock_version
  FROM review_queue(:held_roles, :held_prefixes, :user_id, :own_units, :today, :form, :period
                  , :step, :round, :unit_prefixes, :warned, :overdue, :unchanged
                  , :named_units, :named_filers, :sort, :direction)
 ORDER BY sort_key, submission_id
 LIMIT :most

-- name: find_neighbours
-- A report that is decided has left the queue: it has no neighbours any more.
SELECT place, waiting, previous_id, next_id
  FROM (SELECT submission_id
             , row_number() OVER ordered AS place, count(*) OVER () AS waiting
             , lag(submission_id) OVER ordered AS previous_id
             , lead(submission_id) OVER ordered AS next_id
          FROM review_queue(:held_roles, :held_prefixes, :user_id, :own_units, :today, :form, :period
                          , :step, :round, :unit_prefixes, :warned, :overdue, :unchanged
                          , :named_units, :named_filers, :sort, :direction)
        WINDOW ordered AS (ORDER BY sort_key, submission_id)) AS queue
 WHERE submission_id = :submission_id

-- name: list_steps
SELECT DISTINCT form_code, step_no, name FROM workflow_step
 WHERE role = ANY (CAST(:held_roles AS text[]))
 ORDER BY form_code, step_no

-- name: list_periods
-- The periods that a reviewer may choose from: those with something waiting, and the open ones.
SELECT period.period_id, period.form_code, form.title AS form_title, period.name
  FROM reporting_period AS period
  JOIN form_version AS form
    ON form.form_code = period.form_code AND form.version = period.form_version
 WHERE period.closed_at IS NULL
    OR EXISTS (SELECT FROM submission
                WHERE submission.period_id = period.period_id AND submission.state = 'submitted')
 ORDER BY form.form_code, period.starts_on DESC

-- name: find_units
-- Cities and counties of that name or code; the province is everything.
SELECT division.prefix
  FROM division_on(:today) AS division
 WHERE division.level IN ('city', 'county', 'township')
   AND (division.code = :text OR division.prefix = :text
        OR division.name ILIKE '%' || :pattern || '%')

-- name: find_named
-- Units of that name or code, and people of that name, who may have filed.
SELECT (SELECT coalesce(array_agg(version.code), '{}')
          FROM admin_division_version AS version
         WHERE version.name ILIKE '%' || :pattern || '%' OR version.code = :text) AS units
     , (SELECT coalesce(array_agg(account.user_id), '{}')
          FROM account
         WHERE account.display_name ILIKE '%' || :pattern || '%') AS filers

-- name: find_sampled
-- The villages of the sample that stands; `unseen` leaves those that the reviewer has still to open.
SELECT village.division_code
  FROM review_sample AS sample
  JOIN review_sample_village AS village USING (review_sample_id)
  JOIN submission AS report USING (submission_id)
 WHERE sample.period_id = :period AND sample.step_no = :step AND sample.replaced_at IS NULL
   AND village.is_sampled AND village.division_code ^@ :within
   AND NOT (:unseen AND EXISTS (SELECT FROM review_sample_look AS look
                                 WHERE look.submission_id = report.submission_id
                                   AND look.version_no = report.version_no
                                   AND look.user_id = :user_id))

-- name: find_odd
SELECT DISTINCT division_code FROM village_outliers(:period, :within)

-- name: list_saved_filters
SELECT saved_filter_id, name, query FROM saved_filter ORDER BY name

-- name: save_filter
INSERT INTO saved_filter (user_id, name, query) VALUES (:user_id, :name, :query)
    ON CONFLICT (user_id, name) DO UPDATE SET query = excluded.query
RETURNING saved_filter_id

-- name: remove_filter
DELETE FROM saved_filter WHERE saved_filter_id = :saved_filter_id RETURNING saved_filter_id
