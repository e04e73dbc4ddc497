-- The villages of each grant come by a range of codes, which the primary key serves: a prefix among
-- several does not.
-- name: count_states
-- '' is a village that nobody has begun in this period.
SELECT coalesce(submission.state, '') AS state, count(*) AS villages
  FROM unnest(CAST(:prefixes AS text[])) AS held (prefix)
  JOIN division_on(CAST(:day AS date)) AS village
    ON village.code BETWEEN held.prefix AND rpad(held.prefix, 12, '9')
  LEFT JOIN submission
         ON submission.division_code = village.code AND submission.period_id = :period_id
 WHERE village.level = 'village'
   AND village.prefix ^@ :town
 GROUP BY 1

-- name: list_villages
SELECT village.code, village.name, coalesce(town.name, '') AS town_name
     , coalesce(submission.state, '') AS state, submission.submission_id
     , count(*) OVER () AS found
  FROM unnest(CAST(:prefixes AS text[])) AS held (prefix)
  JOIN division_on(CAST(:day AS date)) AS village
    ON village.code BETWEEN held.prefix AND rpad(held.prefix, 12, '9')
  LEFT JOIN division_on(CAST(:day AS date)) AS town ON town.code = village.parent_code
  LEFT JOIN submission
         ON submission.division_code = village.code AND submission.period_id = :period_id
 WHERE village.level = 'village'
   AND village.prefix ^@ :town
   AND (CAST(:state AS text) IS NULL OR coalesce(submission.state, '') = :state)
   AND (strpos(village.name, :words) > 0 OR village.code ^@ :words)
 ORDER BY village.code
 LIMIT :most OFFSET :skipped

-- name: find_village
SELECT village.code, village.name, coalesce(town.name, '') AS town_name
     , coalesce(submission.state, '') AS state, submission.submission_id, 1 AS found
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
SELECT village.code
  FROM unnest(CAST(:prefixes AS text[])) AS held (prefix)
  JOIN division_on(CAST(:day AS date)) AS village
    ON village.code BETWEEN held.prefix AND rpad(held.prefix, 12, '9')
  LEFT JOIN submission
         ON submission.division_code = village.code AND submission.period_id = :period_id
 WHERE village.level = 'village'
   AND village.code <> :code AND coalesce(submission.state, 'draft') IN ('draft', 'returned')
 ORDER BY village.code < :code, village.code
 LIMIT 1

-- name: list_townships
SELECT town.prefix, town.name, count(*) AS villages
     , count(*) FILTER (WHERE submission.state IN ('submitted', 'filed')) AS filed
  FROM unnest(CAST(:prefixes AS text[])) AS held (prefix)
  JOIN division_on(CAST(:day AS date)) AS village
    ON village.code BETWEEN held.prefix AND rpad(held.prefix, 12, '9')
  JOIN division_on(CAST(:day AS date)) AS town ON town.code = village.parent_code
  LEFT JOIN submission
         ON submission.division_code = village.code AND submission.period_id = :period_id
 WHERE village.level = 'village'
 GROUP BY town.prefix, town.name
 ORDER BY town.prefix

-- name: list_in_hand
SELECT village.code, village.name, submission.submission_id, draft.draft_version
     , submission.lock_version
  FROM unnest(CAST(:prefixes AS text[])) AS held (prefix)
  JOIN division_on(CAST(:day AS date)) AS village
    ON village.code BETWEEN held.prefix AND rpad(held.prefix, 12, '9')
  JOIN submission
    ON submission.division_code = village.code AND submission.period_id = :period_id
  JOIN submission_draft AS draft USING (submission_id)
 WHERE village.level = 'village'
   AND village.prefix ^@ :town AND submission.state IN ('draft', 'returned')
 ORDER BY village.code
