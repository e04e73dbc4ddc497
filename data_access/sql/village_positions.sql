-- name: get_place
-- The village or natural village as it lies today, its county and township as far as drawn.
SELECT place.code, place.name, ST_X(place.location) AS longitude, ST_Y(place.location) AS latitude
  FROM (SELECT village.code, village.name, point.location
          FROM division_on(CAST(:day AS date)) AS village
          LEFT JOIN division_location AS point
                 ON point.division_code = village.code AND point.valid_to IS NULL
         WHERE village.code = :code AND village.level = 'village'
         UNION ALL
        SELECT code, name, location FROM natural_village
         WHERE code = :code AND valid_to IS NULL) AS place

-- name: lies_within
-- Whether a place lies in a division; NULL where nobody has drawn it.
SELECT ST_Covers(boundary, ST_SetSRID(ST_MakePoint(:longitude, :latitude), 4490))
  FROM division_boundary
 WHERE code = :code AND valid_from <= :day
   AND (valid_to IS NULL OR :day < valid_to)

-- name: correct
INSERT INTO position_correction (code, location, valid_from, reason, restores)
VALUES (:code, ST_SetSRID(ST_MakePoint(:longitude, :latitude), 4490), :day, :reason, :restores)
RETURNING ST_X(former_location) AS longitude, ST_Y(former_location) AS latitude

-- name: last_correction
-- The last one that is not taken back.
SELECT correction_id, ST_X(former_location) AS longitude, ST_Y(former_location) AS latitude
     , ST_X(location) AS to_longitude, ST_Y(location) AS to_latitude
  FROM position_correction AS correction
 WHERE code = :code AND restores IS NULL AND former_location IS NOT NULL
   AND NOT EXISTS (SELECT FROM position_correction AS later
                    WHERE later.restores = correction.correction_id)
 ORDER BY correction_id DESC
 LIMIT 1

-- name: count_corrections
SELECT count(*) FROM position_correction WHERE division_code = :village
