-- name: divisions
-- Every version of every division, as `import divisions` reads them.
SELECT division.code, version.name, division.level, version.kind, version.parent_code
     , division.prefix, version.valid_from, version.valid_to
  FROM admin_division AS division
  JOIN admin_division_version AS version USING (code)
 WHERE starts_with(division.code, :within)
 ORDER BY CASE division.level WHEN 'province' THEN 1 WHEN 'city' THEN 2 WHEN 'county' THEN 3
                              WHEN 'township' THEN 4 ELSE 5 END
        , division.code, version.valid_from

-- name: villages
-- The villages of a day, as `import villages` reads them.
SELECT village.code, village.name, town.name AS township, county.name AS county
     , trim_scale(round(CAST(ST_X(place.location) AS numeric), 8)) AS longitude
     , trim_scale(round(CAST(ST_Y(place.location) AS numeric), 8)) AS latitude
     , CASE WHEN place.is_demo THEN :demo END AS note
  FROM division_on(CAST(:day AS date)) AS village
  JOIN division_on(CAST(:day AS date)) AS town ON town.code = village.parent_code
  JOIN division_on(CAST(:day AS date)) AS county ON county.code = town.parent_code
  LEFT JOIN division_location AS place
         ON place.division_code = village.code AND place.valid_from <= CAST(:day AS date)
        AND (place.valid_to IS NULL OR CAST(:day AS date) < place.valid_to)
 WHERE village.level = 'village' AND starts_with(village.code, :within)
 ORDER BY village.code

-- name: natural_villages
-- The natural villages of a day, as `import natural-villages` reads them.
SELECT natural_village.code, natural_village.name, village.name AS village
     , trim_scale(round(CAST(ST_X(natural_village.location) AS numeric), 8)) AS longitude
     , trim_scale(round(CAST(ST_Y(natural_village.location) AS numeric), 8)) AS latitude
     , CASE WHEN natural_village.is_demo THEN :demo END AS note
  FROM natural_village
  JOIN division_on(CAST(:day AS date)) AS village ON village.code = natural_village.division_code
 WHERE natural_village.valid_from <= CAST(:day AS date)
   AND (natural_village.valid_to IS NULL OR CAST(:day AS date) < natural_village.valid_to)
   AND starts_with(natural_village.code, :within)
 ORDER BY natural_village.code
