-- name: add_units
-- What the rows are taken from, kept here: what its filer has in hand, else what was filed, else
-- what was accepted last.
INSERT INTO workbook_export_unit (export_id, division_code, submission_id, draft_version, content)
SELECT :export_id, submission.division_code, submission.submission_id, draft.draft_version
     , CASE WHEN submission.state IN ('draft', 'returned') THEN draft.content
            ELSE filed.content END
  FROM submission
  LEFT JOIN submission_draft AS draft USING (submission_id)
  LEFT JOIN submission_version AS filed
         ON filed.submission_id = submission.submission_id
        AND filed.version_no = submission.version_no
 WHERE submission.period_id = :period_id
   AND submission.division_code = ANY (CAST(:codes AS text[]))
   AND CASE WHEN submission.state IN ('draft', 'returned') THEN draft.content
            ELSE filed.content END IS NOT NULL
    ON CONFLICT DO NOTHING
RETURNING division_code

-- name: add_prefilled
INSERT INTO workbook_export_unit (export_id, division_code, content)
SELECT :export_id, code, CAST(content AS jsonb)
  FROM unnest(CAST(:codes AS text[]), CAST(:contents AS text[])) AS started (code, content)
    ON CONFLICT DO NOTHING

-- name: list_contents
SELECT division_code, content FROM workbook_export_unit
 WHERE export_id = :export_id AND division_code = ANY (CAST(:codes AS text[]))
