-- name: list_held
-- '' is the state of a village that nobody has begun in this period.
SELECT held.code, held.name, coalesce(held.town_code, '') AS town_code
     , coalesce(held.town_name, '') AS town_name, held.state, held.submission_id
     , draft.draft_version, held.lock_version
  FROM villages_held(CAST(:prefixes AS text[]), :period_id, CAST(:day AS date)) AS held
  LEFT JOIN submission_draft AS draft
         ON draft.submission_id
            = CASE WHEN held.state IN ('draft', 'returned') THEN held.submission_id END
 ORDER BY held.code

-- name: find_village
SELECT village.code, village.name, coalesce(town.name, '') AS town_name
     , coalesce(submission.state, '') AS state
     , submission.submission_id, coalesce(town.code, '') AS town_code
     , CAST(NULL AS integer) AS draft_version, CAST(NULL AS integer) AS lock_version
  FROM unnest(CAST(:prefixes AS text[])) AS held (prefix)
  JOIN division_on(CAST(:day AS date)) AS village
    ON village.code BETWEEN held.prefix AND rpad(held.prefix, 12, '9')
  LEFT JOIN division_on(CAST(:day AS date)) AS town ON town.code = village.parent_code
  LEFT JOIN submission
         ON submission.division_code = village.code AND submission.period_id = :period_id
 WHERE village.level = 'village'
   AND village.code = :code

-- name: next_village
-- The next one in order whose report is still in the officer's hands; after the last the first.
SELECT held.code
  FROM villages_held(CAST(:prefixes AS text[]), :period_id, CAST(:day AS date)) AS held
 WHERE held.code <> :code AND held.state IN ('', 'draft', 'returned')
 ORDER BY held.code < :code, held.code
 LIMIT 1

-- name: list_returned
-- Reports of closed periods that are back in the hands of who files them.
SELECT village.code, village.name, coalesce(town.name, '') AS town_name
     , period.period_id, period.name AS period_name, submission.submission_id
  FROM unnest(CAST(:prefixes AS text[])) AS held (prefix)
  JOIN submission
    ON submission.division_code BETWEEN held.prefix AND rpad(held.prefix, 12, '9')
  JOIN reporting_period AS period USING (period_id)
  JOIN admin_division_version AS village
    ON village.code = submission.division_code AND village.valid_from <= CAST(:day AS date)
   AND (village.valid_to IS NULL OR CAST(:day AS date) < village.valid_to)
  LEFT JOIN admin_division_version AS town
         ON town.code = village.parent_code AND town.valid_from <= CAST(:day AS date)
        AND (town.valid_to IS NULL OR CAST(:day AS date) < town.valid_to)
 WHERE period.form_code = :form_code AND period.closed_at IS NOT NULL
   AND submission.form_code = :form_code AND submission.state = 'returned'
 ORDER BY period.starts_on DESC, village.code
