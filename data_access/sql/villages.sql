-- name: begin_bulk_load
-- The triggers of the trail stand back for the owner; the load logs itself as one entry.
SELECT set_config('app.bulk_load', 'on', true)

-- name: end_bulk_load
SELECT set_config('app.bulk_load', 'off', true)

-- name: log_bulk_load
SELECT log_bulk_load(:table_name, :row_count, :digest, :action)

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
