-- name: count_filed
-- What was filed in the newest period of a form.
SELECT count(*)
  FROM submission
 WHERE form_code = :form_code AND state IN ('submitted', 'filed')
   AND period_id = (SELECT period_id FROM reporting_period
                     WHERE form_code = :form_code AND opened_at IS NOT NULL
                     ORDER BY starts_on DESC LIMIT 1)

-- name: sample_filed
-- Some of them, the same ones each time, with what the unit had filed for good before.
SELECT version.content - CAST(:left_out AS text[]) AS content
     , coalesce(before.content - CAST(:left_out AS text[]), '{}') AS last
     , version.submitted_at
  FROM (SELECT submission_id, version_no, division_code, period.starts_on
          FROM submission
          JOIN reporting_period AS period USING (period_id)
         WHERE submission.form_code = :form_code AND state IN ('submitted', 'filed')
           AND period_id = (SELECT period_id FROM reporting_period
                             WHERE form_code = :form_code AND opened_at IS NOT NULL
                             ORDER BY starts_on DESC LIMIT 1)
         ORDER BY hashint8(submission_id) LIMIT :most) AS filed
  JOIN submission_version AS version USING (submission_id, version_no)
  LEFT JOIN LATERAL (
      SELECT earlier_version.content
        FROM submission AS earlier
        JOIN reporting_period AS period USING (period_id)
        JOIN submission_version AS earlier_version USING (submission_id, version_no)
       WHERE :looks_back AND earlier.division_code = filed.division_code
         AND earlier.form_code = :form_code AND earlier.state = 'filed'
         AND period.starts_on < filed.starts_on
       ORDER BY period.starts_on DESC LIMIT 1) AS before ON true
