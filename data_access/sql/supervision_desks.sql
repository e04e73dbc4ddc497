-- name: list_recipients
SELECT code, name, level, prefix
  FROM division_on(current_date)
 WHERE code = ANY (CAST(:codes AS text[]))
   AND level IN ('city', 'county')
 ORDER BY code
