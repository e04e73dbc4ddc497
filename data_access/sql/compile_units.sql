-- name: list_known
SELECT uscc, name, unit_type, grade, cert_no, cert_valid, province
  FROM compile_unit
 ORDER BY name

-- name: search
-- Who has many contracts stands first; % and _ of the asked text mean themselves.
SELECT uscc, name, unit_type, grade, cert_no, cert_valid, province
  FROM compile_unit
 WHERE uscc LIKE :pattern ESCAPE '\' OR name LIKE :pattern ESCAPE '\'
 ORDER BY starts_with(uscc, :asked) OR starts_with(name, :asked) DESC, name
 LIMIT :limit
