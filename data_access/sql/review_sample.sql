-- name: list_undrawn
-- What waits and was not in a draw that stands, with how many of its area were drawn already.
SELECT waiting.submission_id, report.division_code
     , CAST(coalesce(before.sampled, 0) AS integer) AS sampled_before
  FROM review_queue(:held_roles, :held_prefixes, :user_id, :own_units, :today, :form, :period
                  , :step, NULL, CAST(ARRAY[:prefix] AS text[]), NULL, NULL, NULL, NULL, NULL
                  , 'submitted', 1) AS waiting
  JOIN submission AS report USING (submission_id)
  LEFT JOIN (SELECT sample.division_code, count(*) AS sampled
               FROM review_sample AS sample
               JOIN review_sample_village AS village USING (review_sample_id)
              WHERE sample.period_id = :period AND sample.step_no = :step
                AND sample.replaced_at IS NULL AND village.is_sampled
              GROUP BY sample.division_code) AS before
         ON before.division_code = left(report.division_code, :digits)
 WHERE NOT EXISTS (SELECT FROM review_sample_village AS village
                     JOIN review_sample AS sample USING (review_sample_id)
                    WHERE village.submission_id = waiting.submission_id
                      AND sample.step_no = :step AND sample.replaced_at IS NULL)
 ORDER BY report.division_code

-- name: add_draws
-- Two who draw at once ask for the same number: the later one finds the draw made.
INSERT INTO review_sample (period_id, step_no, division_code, draw_no, role, seed, sample_percent
     , sample_least, is_redraw, reason, drawn_by)
SELECT :period, :step, area
     , 1 + coalesce((SELECT max(draw_no) FROM review_sample
                      WHERE period_id = :period AND step_no = :step AND division_code = area), 0)
     , :role, :seed, :percent, :least, :is_redraw, :reason, :user_id
  FROM unnest(CAST(:areas AS text[])) AS area
    ON CONFLICT (period_id, step_no, division_code, draw_no) DO NOTHING
RETURNING review_sample_id, division_code

-- name: add_drawn
INSERT INTO review_sample_village (review_sample_id, submission_id, division_code, role, place
     , is_sampled)
SELECT review_sample_id, submission_id, division_code, :role, place, is_sampled
  FROM unnest(CAST(:samples AS bigint[]), CAST(:submissions AS bigint[]), CAST(:codes AS text[])
            , CAST(:places AS integer[]), CAST(:are_sampled AS boolean[]))
       AS drawn (review_sample_id, submission_id, division_code, place, is_sampled)

-- name: replace_draws
-- A county's own and those of its townships, which were drawn apart before.
UPDATE review_sample
   SET replaced_at = now()
 WHERE period_id = :period AND step_no = :step AND starts_with(division_code, :area)
   AND replaced_at IS NULL
RETURNING review_sample_id

-- name: list_draws
SELECT sample.review_sample_id, sample.draw_no, sample.seed, sample.is_redraw, sample.reason
     , account.display_name AS drawn_by_name, sample.drawn_at, sample.replaced_at
     , sample.sample_percent AS percent, sample.sample_least AS least
     , counted.villages, counted.sampled
  FROM review_sample AS sample
  JOIN account ON account.user_id = sample.drawn_by
 CROSS JOIN LATERAL (SELECT count(*) AS villages, count(*) FILTER (WHERE is_sampled) AS sampled
                       FROM review_sample_village AS village
                      WHERE village.review_sample_id = sample.review_sample_id) AS counted
 WHERE sample.period_id = :period AND sample.step_no = :step
   AND starts_with(sample.division_code, :area)
 ORDER BY sample.draw_no

-- name: list_sampled
-- The villages of the sample that stands, and what became of each since.
SELECT village.submission_id, village.division_code
     , coalesce(division.name, village.division_code) AS name
     , report.state, report.step_no, report.filer_id = :user_id AS is_own
     , coalesce((SELECT array_agg(account.display_name ORDER BY look.looked_at)
                   FROM review_sample_look AS look
                   JOIN account USING (user_id)
                  WHERE look.submission_id = report.submission_id
                    AND look.version_no = report.version_no), '{}') AS looked_by
     , EXISTS (SELECT FROM review_sample_look AS look
                WHERE look.submission_id = report.submission_id
                  AND look.version_no = report.version_no AND look.user_id = :user_id) AS is_seen
  FROM review_sample AS sample
  JOIN review_sample_village AS village USING (review_sample_id)
  JOIN submission AS report USING (submission_id)
  LEFT JOIN division_on(CAST(:today AS date)) AS division
         ON division.code = village.division_code
 WHERE sample.period_id = :period AND sample.step_no = :step AND sample.replaced_at IS NULL
   AND village.is_sampled
   AND village.division_code BETWEEN rpad(:prefix, 12, '0') AND rpad(:prefix, 12, '9')
 ORDER BY village.division_code

-- name: note_look
-- Of a sampled report that waits, in the version that is on the screen.
INSERT INTO review_sample_look (submission_id, version_no, division_code, role, user_id)
SELECT report.submission_id, report.version_no, report.division_code, sample.role, :user_id
  FROM submission AS report
  JOIN review_sample_village AS village USING (submission_id)
  JOIN review_sample AS sample USING (review_sample_id)
 WHERE report.submission_id = :submission_id AND report.version_no = :version_no
   AND report.state = 'submitted' AND sample.step_no = report.step_no
   AND sample.replaced_at IS NULL AND village.is_sampled
    ON CONFLICT DO NOTHING
RETURNING submission_id

-- name: list_gaps
SELECT gap.submission_id, gap.is_drawn, coalesce(division.name, gap.division_code) AS name
  FROM review_sample_gaps(CAST(:submission_ids AS bigint[]), :user_id) AS gap
  LEFT JOIN division_on(CAST(:today AS date)) AS division ON division.code = gap.division_code
 ORDER BY gap.division_code
