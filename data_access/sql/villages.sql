-- name: add_natural_villages
-- Arrays of equal length, one element a village; degrees of EPSG:4490.
INSERT INTO natural_village (code, name, location, valid_from, is_demo)
SELECT code, name, ST_SetSRID(ST_MakePoint(longitude, latitude), 4490), :valid_from, :is_demo
  FROM unnest(CAST(:codes AS text[]), CAST(:names AS text[])
            , CAST(:longitudes AS double precision[]), CAST(:latitudes AS double precision[]))
       AS added (code, name, longitude, latitude)

-- name: add_division_locations
INSERT INTO division_location (division_code, location, valid_from, is_demo)
SELECT code, ST_SetSRID(ST_MakePoint(longitude, latitude), 4490), :valid_from, :is_demo
  FROM unnest(CAST(:codes AS text[]), CAST(:longitudes AS double precision[])
            , CAST(:latitudes AS double precision[]))
       AS added (code, longitude, latitude)
