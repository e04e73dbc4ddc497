-- name: list_places
-- The points of a village; who moved one last and from where stands there for who may know it.
SELECT place.code, place.name, place.is_village
     , ST_X(place.location) AS longitude, ST_Y(place.location) AS latitude
     , ST_X(moved.former_location) AS former_longitude
     , ST_Y(moved.former_location) AS former_latitude
     , account.display_name AS moved_by, moved.corrected_at AS moved_at
     , coalesce(moved.reason, '') AS reason
  FROM (SELECT village.code, village.name, true AS is_village, point.location
          FROM division_on(CAST(:day AS date)) AS village
          JOIN division_location AS point
            ON point.division_code = village.code AND point.valid_from <= :day
           AND (point.valid_to IS NULL OR :day < point.valid_to)
         WHERE village.code = :village AND village.level = 'village'
         UNION ALL
        SELECT code, name, false, location
          FROM natural_village_on(CAST(:day AS date))
         WHERE code BETWEEN :village || '000' AND :village || '999') AS place
  LEFT JOIN LATERAL (
      SELECT former_location, user_id, corrected_at, reason
        FROM position_correction AS correction
       WHERE correction.division_code = :village AND correction.code = place.code
         AND restores IS NULL AND former_location IS NOT NULL
         AND ST_Equals(correction.location, place.location)
         AND NOT EXISTS (SELECT FROM position_correction AS later
                          WHERE later.restores = correction.correction_id)
       ORDER BY correction_id DESC
       LIMIT 1) AS moved ON true
  LEFT JOIN account USING (user_id)
 ORDER BY place.code
