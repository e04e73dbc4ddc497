-- name: list_counties
-- Every county with its boundary and the codes of its villages, in the order of the codes.
SELECT county.code, array_agg(village.code ORDER BY village.code) AS villages
     , ST_AsBinary(boundary.boundary) AS boundary
  FROM division_on(CAST(:day AS date)) AS village
  JOIN division_on(CAST(:day AS date)) AS township ON township.code = village.parent_code
  JOIN division_on(CAST(:day AS date)) AS county ON county.code = township.parent_code
  JOIN division_boundary AS boundary
    ON boundary.code = county.code AND boundary.valid_from <= :day
   AND (boundary.valid_to IS NULL OR boundary.valid_to > :day)
 WHERE village.level = 'village'
 GROUP BY county.code, boundary.boundary
 ORDER BY county.code
