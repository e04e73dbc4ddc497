-- name: get_layer
SELECT layer_code, title, format, min_zoom, max_zoom, scope_column IS NOT NULL AS is_scoped
     , data_version, answer_relation IS NOT NULL AS has_answers
  FROM map_layer
 WHERE layer_code = :layer_code

-- name: list_layers
SELECT layer_code, title, format, min_zoom, max_zoom, scope_column IS NOT NULL AS is_scoped
     , data_version, answer_relation IS NOT NULL AS has_answers
  FROM map_layer
 ORDER BY layer_code

-- name: list_cells
SELECT DISTINCT cell_x, cell_y, left(division_code, 6) AS county FROM village_grid

-- name: set_picture_day
-- The views of boundaries and labels read the day from the transaction.
SELECT set_config('app.picture_day', CAST(CAST(:day AS date) AS text), true)

-- name: list_features
SELECT key, fields, shape
  FROM map_layer_features(:layer_code, CAST(:keys AS text[]))

-- name: read_tiles
SELECT map_layer_tiles_for(:user_id, :roles, :prefixes, :layer_code, CAST(:zs AS integer[]), CAST(:xs AS integer[])
                         , CAST(:ys AS integer[]))

-- name: boundary_version
-- Moves when boundaries or divisions are imported.
SELECT coalesce(max(data_version), 0) FROM map_layer

-- name: list_labels
SELECT code, name, level, CAST(round(CAST(ST_X(label_at) AS numeric), 4) AS double precision) AS longitude
     , CAST(round(CAST(ST_Y(label_at) AS numeric), 4) AS double precision) AS latitude
     , CAST(ST_Distance(label_at, ST_Boundary(drawn)) AS double precision) AS room
  FROM division_label
  JOIN division_drawn USING (code, name, level)
 WHERE level = :level
 ORDER BY code

-- name: list_boundaries
-- On a grid, on which neighbours keep their common border, so that no import makes it endless.
SELECT ST_AsGeoJSON(ST_SnapToGrid(boundary.boundary, 0.0002), 4, 0) AS shape
  FROM division_drawn
  JOIN division_boundary AS boundary USING (code)
 WHERE level = :level AND boundary.valid_from <= picture_day()
   AND (boundary.valid_to IS NULL OR picture_day() < boundary.valid_to)
   AND NOT ST_IsEmpty(ST_SnapToGrid(boundary.boundary, 0.0002))
 ORDER BY code

-- name: list_hatches
-- Parallel lines across each division, cut to its shape; `spacing` in degrees.
WITH line AS (
    SELECT code, drawn
         , ST_SetSRID(ST_MakeLine(ST_MakePoint(west + step * :spacing, south)
                                , ST_MakePoint(west + step * :spacing + height, south + height)), 4490) AS stroke
      FROM (SELECT code, drawn, ST_XMin(drawn) - (ST_YMax(drawn) - ST_YMin(drawn)) AS west
                 , ST_XMax(drawn) AS east, ST_YMin(drawn) AS south
                 , ST_YMax(drawn) - ST_YMin(drawn) AS height
              FROM division_drawn
             WHERE level = :level) AS box
         , LATERAL generate_series(0, CAST((east - west) / :spacing AS integer)) AS step
)
SELECT code, ST_AsGeoJSON(ST_Collect(ST_Intersection(stroke, drawn)), 3, 0) AS shape
  FROM line
 WHERE ST_Intersects(stroke, drawn)
 GROUP BY code
 ORDER BY code

-- name: get_extent
-- West, south, east and north of a division, in degrees.
SELECT ST_XMin(box) AS west, ST_YMin(box) AS south, ST_XMax(box) AS east, ST_YMax(box) AS north
  FROM (SELECT ST_Extent(drawn) AS box FROM division_drawn
         WHERE CAST(:code AS text) IS NULL OR code = :code) AS extent
