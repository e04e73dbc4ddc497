-- name: expect_many
-- What was written a moment ago has no statistics yet: a loop over it for each draft takes hours.
-- Thousands of drafts are packed in a third of the time by the other method, where there is one.
SELECT set_config('enable_nestloop', 'off', true), set_config('enable_mergejoin', 'off', true)
     , (SELECT set_config(name, 'lz4', true) FROM pg_settings
         WHERE name = 'default_toast_compression' AND 'lz4' = ANY (enumvals))

-- name: make_started
-- Where the reports start that nobody has opened.
CREATE TEMP TABLE csv_started (division_code text NOT NULL, content jsonb NOT NULL) ON COMMIT DROP

-- name: make_ready
-- What will stand in each draft: packed already, so that the drafts are locked for its copying alone.
CREATE TEMP TABLE csv_ready (division_code text NOT NULL, content jsonb NOT NULL) ON COMMIT DROP

-- name: add_started
INSERT INTO csv_started (division_code, content)
SELECT code, CAST(content AS jsonb)
  FROM unnest(CAST(:codes AS text[]), CAST(:contents AS text[])) AS started (code, content)

-- name: add_ready
-- Each draft once, whatever of its rows changed; rows that the draft did not have come behind.
-- Nothing is locked yet: a draft that moves meanwhile is seen by its version when it is.
WITH own AS (
    SELECT division_code, new_values
      FROM csv_change
     WHERE batch_id = :batch_id AND group_code = :form_group
), named AS (
    SELECT division_code, jsonb_object_agg(row_key, new_values) AS by_key
      FROM csv_change
     WHERE batch_id = :batch_id AND group_code = :row_group
     GROUP BY division_code
), standing AS (
    SELECT draft.division_code, draft.content
      FROM submission_draft AS draft
      JOIN submission USING (submission_id)
     WHERE submission.period_id = :period_id
       AND submission.division_code = ANY (CAST(:codes AS text[]))
     UNION ALL
    SELECT division_code, content FROM csv_started
)
INSERT INTO csv_ready (division_code, content)
SELECT standing.division_code
     , standing.content
       || CASE WHEN moved.new_values IS NULL THEN '{}'
               ELSE jsonb_build_object(CAST(:form_group AS text)
                  , coalesce(standing.content -> :form_group, '{}') || moved.new_values) END
       || CASE WHEN moved.by_key IS NULL THEN '{}'
               ELSE jsonb_build_object(CAST(:row_group AS text), coalesce(written.rows, '[]')
                  || coalesce(added.rows, '[]')) END
  FROM (SELECT division_code, own.new_values, named.by_key
          FROM own
          FULL JOIN named USING (division_code)) AS moved
  JOIN standing USING (division_code)
 CROSS JOIN LATERAL (
       SELECT jsonb_agg(row.fields || coalesce(moved.by_key -> (row.fields ->> 'key'), '{}')
                        ORDER BY row.place) AS rows
            , array_agg(row.fields ->> 'key') AS keys
         FROM jsonb_array_elements(standing.content -> :row_group)
              WITH ORDINALITY AS row (fields, place)) AS written
 CROSS JOIN LATERAL (
       SELECT jsonb_agg(jsonb_build_object('key', change.row_key) || change.new_values
                        ORDER BY change.row_key) AS rows
         FROM jsonb_each(moved.by_key) AS change (row_key, new_values)
        WHERE change.row_key <> ALL (coalesce(written.keys, '{}'))) AS added

-- name: add_drafts
INSERT INTO submission_draft (submission_id, division_code, content, saved_by)
SELECT submission.submission_id, submission.division_code, started.content, :user_id
  FROM csv_started AS started
  JOIN submission
    ON submission.period_id = :period_id AND submission.division_code = started.division_code
 ORDER BY submission.submission_id
    ON CONFLICT (submission_id) DO NOTHING
RETURNING division_code

-- name: forget_started
DELETE FROM csv_started

-- name: forget_ready
DELETE FROM csv_ready WHERE division_code = ANY (CAST(:codes AS text[]))

-- name: analyze_ready
ANALYZE csv_ready (division_code)

-- name: save_drafts
UPDATE submission_draft AS draft
   SET content = ready.content
     , draft_version = draft.draft_version + 1
     , saved_at = clock_timestamp()
     , saved_by = :user_id
  FROM csv_ready AS ready
  JOIN submission
    ON submission.period_id = :period_id AND submission.division_code = ready.division_code
 WHERE draft.submission_id = submission.submission_id
   AND submission.state IN ('draft', 'returned')
