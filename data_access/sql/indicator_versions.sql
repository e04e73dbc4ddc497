-- name: list_formulas
SELECT made.canonical_code, made.version, made.valid_from_year, made.formula, made.reason
     , maker.display_name AS made_by_name, made.made_at
  FROM indicator_formula AS made
  LEFT JOIN account AS maker ON maker.user_id = made.made_by
 WHERE CAST(:canonical_code AS text) IS NULL OR made.canonical_code = :canonical_code
 ORDER BY made.canonical_code, made.version DESC

-- name: add_formula
INSERT INTO indicator_formula
       (canonical_code, version, valid_from_year, formula, formula_tree, formula_inputs, reason, made_by)
SELECT :canonical_code, coalesce(max(version), 0) + 1, :from_year, :formula, CAST(:tree AS jsonb)
     , CAST(:inputs AS text[]), :reason, :user_id
  FROM indicator_formula
 WHERE canonical_code = :canonical_code
