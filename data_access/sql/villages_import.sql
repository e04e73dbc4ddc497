-- name: lock_villages
-- Between the comparison and the last write nobody else changes what was compared.
LOCK TABLE natural_village, admin_division_version, division_location IN SHARE ROW EXCLUSIVE MODE

-- name: list_known_natural_villages
SELECT code, name, ST_X(location) AS longitude, ST_Y(location) AS latitude, valid_from, valid_to
  FROM natural_village

-- name: list_known_villages
-- The last state of each; with the day from which the younger of name and place holds.
SELECT division.code, version.name, ST_X(place.location) AS longitude
     , ST_Y(place.location) AS latitude
     , greatest(version.valid_from, place.valid_from) AS valid_from, version.valid_to
  FROM admin_division AS division
  JOIN LATERAL (SELECT name, valid_from, valid_to
                  FROM admin_division_version
                 WHERE code = division.code
                 ORDER BY valid_from DESC
                 LIMIT 1) AS version ON true
  LEFT JOIN division_location AS place
    ON place.division_code = division.code AND place.valid_to IS NULL
 WHERE division.level = 'village'

-- name: list_parents
SELECT code FROM division_on(CAST(:day AS date)) WHERE level = :level

-- name: list_counties
SELECT county.code, county.name, ST_AsBinary(boundary.boundary) AS boundary
  FROM division_on(CAST(:day AS date)) AS county
  JOIN division_boundary AS boundary
    ON boundary.code = county.code AND boundary.valid_from <= :day
   AND (boundary.valid_to IS NULL OR boundary.valid_to > :day)
 WHERE county.level = 'county'

-- name: list_inhabited
-- Villages that still have natural villages.
SELECT DISTINCT division_code
  FROM natural_village
 WHERE valid_to IS NULL AND division_code = ANY (CAST(:codes AS text[]))

-- name: change_natural_villages
-- The trigger sets the earlier state aside, or corrects it when it is of the same day.
UPDATE natural_village
   SET name = changed.name
     , location = ST_SetSRID(ST_MakePoint(changed.longitude, changed.latitude), 4490)
     , valid_from = :day
     , is_demo = false
  FROM unnest(CAST(:codes AS text[]), CAST(:names AS text[])
            , CAST(:longitudes AS double precision[]), CAST(:latitudes AS double precision[]))
       AS changed (code, name, longitude, latitude)
 WHERE natural_village.code = changed.code

-- name: end_natural_villages
UPDATE natural_village
   SET valid_to = :day, end_reason = ended.reason
  FROM unnest(CAST(:codes AS text[]), CAST(:reasons AS text[])) AS ended (code, reason)
 WHERE natural_village.code = ended.code

-- name: link_natural_villages
INSERT INTO natural_village_successor (code, successor_code, since)
SELECT code, successor_code, :day
  FROM unnest(CAST(:codes AS text[]), CAST(:successor_codes AS text[])) AS link (code, successor_code)
    ON CONFLICT DO NOTHING

-- name: add_villages
INSERT INTO admin_division (code, level, prefix)
SELECT code, 'village', code FROM unnest(CAST(:codes AS text[])) AS added (code)

-- name: end_village_versions
UPDATE admin_division_version
   SET valid_to = :day, end_reason = ended.reason
  FROM unnest(CAST(:codes AS text[]), CAST(:reasons AS text[])) AS ended (code, reason)
 WHERE admin_division_version.code = ended.code AND valid_to IS NULL AND valid_from < :day

-- name: put_village_versions
-- A version of the same day is corrected; a village without a kind of its own keeps the last one.
INSERT INTO admin_division_version (code, valid_from, name, kind, parent_code)
SELECT put.code, :day, put.name
     , coalesce(nullif(put.kind, ''), (SELECT kind FROM admin_division_version AS earlier
                                        WHERE earlier.code = put.code
                                        ORDER BY valid_from DESC LIMIT 1), :usual_kind)
     , left(put.code, 9)
  FROM unnest(CAST(:codes AS text[]), CAST(:names AS text[]), CAST(:kinds AS text[]))
       AS put (code, name, kind)
    ON CONFLICT (code, valid_from) DO UPDATE SET name = excluded.name, kind = excluded.kind

-- name: end_division_locations
UPDATE division_location
   SET valid_to = :day
 WHERE division_code = ANY (CAST(:codes AS text[])) AND valid_to IS NULL AND valid_from < :day

-- name: put_division_locations
INSERT INTO division_location (division_code, valid_from, location, is_demo)
SELECT code, :day, ST_SetSRID(ST_MakePoint(longitude, latitude), 4490), false
  FROM unnest(CAST(:codes AS text[]), CAST(:longitudes AS double precision[])
            , CAST(:latitudes AS double precision[])) AS put (code, longitude, latitude)
    ON CONFLICT (division_code, valid_from) DO UPDATE
   SET location = excluded.location, is_demo = false

-- name: link_villages
INSERT INTO admin_division_successor (code, successor_code, since)
SELECT code, successor_code, :day
  FROM unnest(CAST(:codes AS text[]), CAST(:successor_codes AS text[])) AS link (code, successor_code)
    ON CONFLICT DO NOTHING

-- name: get_prefix
SELECT prefix FROM admin_division WHERE code = :code
