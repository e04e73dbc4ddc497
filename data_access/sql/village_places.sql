-- name: list_places
SELECT village.code, village.name, true AS is_village
     , ST_X(place.location) AS longitude, ST_Y(place.location) AS latitude
  FROM division_on(CAST(:day AS date)) AS village
  JOIN division_location AS place
    ON place.division_code = village.code AND place.valid_from <= :day
   AND (place.valid_to IS NULL OR :day < place.valid_to)
 WHERE village.code = :village AND village.level = 'village'
 UNION ALL
SELECT code, name, false, ST_X(location), ST_Y(location)
  FROM natural_village_on(CAST(:day AS date))
 WHERE code BETWEEN :village || '000' AND :village || '999'
 ORDER BY code
