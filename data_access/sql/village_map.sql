-- name: count_standing
-- Points of a layer by what the map colours them with, in the actor's scope, below a prefix.
SELECT left(village_grid.division_code, 6) AS county
     , CASE :column WHEN 'state' THEN state WHEN 'village_class' THEN village_class
                    WHEN 'eval_conclusion' THEN eval_conclusion
                    WHEN 'geohazard_level' THEN geohazard_level END AS value
     , CAST(sum(points) AS bigint) AS points
  FROM village_grid
  LEFT JOIN village_standing USING (division_code)
 WHERE layer_code = :layer_code
   AND village_grid.division_code ^@ CAST(:prefix AS text)
   AND village_grid.division_code ^@ ANY ((SELECT actor_prefixes())::text[])
 GROUP BY 1, 2
 ORDER BY 1, 2

-- name: list_areas
-- Cities and counties that have villages, of today.
SELECT division.code, division.name, division.level, division.parent_code, division.prefix
  FROM division_on(CAST(:day AS date)) AS division
 WHERE level IN ('city', 'county')
 ORDER BY code

-- name: search_villages
-- Villages before natural villages; whose name begins with the words before the others.
WITH found AS (
    SELECT code, division_code, name, 'village' AS layer_code FROM village_point
     WHERE code ^@ :words OR strpos(name, :words) > 0
     UNION ALL
    SELECT code, division_code, name, 'natural_village' FROM natural_village
     WHERE valid_to IS NULL AND (code ^@ :words OR strpos(name, :words) > 0)
)
SELECT found.code, found.name, found.layer_code, village.name AS village_name
     , (SELECT string_agg(version.name, ' ' ORDER BY version.code)
          FROM admin_division_version AS version
         WHERE version.valid_to IS NULL
           AND version.code IN (left(found.division_code, 6), left(found.division_code, 9))) AS above
  FROM (SELECT * FROM found
         WHERE found.division_code ^@ CAST(:prefix AS text)
         ORDER BY layer_code DESC, strpos(name, :words), code LIMIT :most) AS found
  JOIN village_point AS village ON village.code = found.division_code
 ORDER BY layer_code DESC, strpos(found.name, :words), found.code

-- name: get_village
SELECT point.code, point.division_code, point.name, point.layer_code, village.name AS village_name
     , ST_X(point.location) AS longitude, ST_Y(point.location) AS latitude
     , (SELECT string_agg(version.name, ' · ' ORDER BY version.code)
          FROM admin_division_version AS version
         WHERE version.valid_to IS NULL
           AND version.code IN (left(point.division_code, 4) || '00', left(point.division_code, 6)
                              , left(point.division_code, 9))) AS above
     , (SELECT count(*) FROM natural_village
         WHERE natural_village.code ^@ point.division_code AND valid_to IS NULL) AS natural_villages
     , standing.submission_id, standing.state, standing.village_class, standing.eval_conclusion
     , standing.geohazard_level
  FROM (SELECT code, division_code, name, location, 'village' AS layer_code FROM village_point
         WHERE code = :code
         UNION ALL
        SELECT code, division_code, name, location, 'natural_village' FROM natural_village
         WHERE code = :code AND valid_to IS NULL) AS point
  JOIN village_point AS village ON village.code = point.division_code
  LEFT JOIN village_standing AS standing ON standing.division_code = point.division_code

-- name: list_words
SELECT table_code, code, name FROM code_item
 WHERE table_code IN ('CZFLDM', 'PGJL', 'DZZHDJ')
   AND version = (SELECT code_version FROM form_version
                   WHERE form_code = 'village_evaluation' ORDER BY version DESC LIMIT 1)
 ORDER BY table_code, item_order
