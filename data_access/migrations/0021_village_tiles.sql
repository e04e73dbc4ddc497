-- Tiles of villages: points in EPSG:3857, counts at low zoom, answers within the actor's scope.

-- WHAT A LAYER MAY SAY MORE: where its counts stand and which answers belong to it.
ALTER TABLE map_layer
      ADD COLUMN tile_column text
    , ADD COLUMN detail_columns text[] NOT NULL DEFAULT '{}'
    , ADD COLUMN detail_zoom integer NOT NULL DEFAULT 0
    , ADD COLUMN grid_zoom integer NOT NULL DEFAULT -1
    , ADD COLUMN answer_relation text
    , ADD COLUMN answer_key text
    , ADD COLUMN answer_columns text[] NOT NULL DEFAULT '{}';
COMMENT ON COLUMN map_layer.tile_column IS '供瓦片使用的 EPSG:3857 几何列，空则即时换算';
COMMENT ON COLUMN map_layer.detail_columns IS '放大后才输出的属性列';
COMMENT ON COLUMN map_layer.detail_zoom IS '自该级别起输出放大后的属性列';
COMMENT ON COLUMN map_layer.grid_zoom IS '至该级别（含）为网格计数，-1 为不计数';
COMMENT ON COLUMN map_layer.answer_relation IS '填报内容的来源（division_code 为键，按数据范围可见）';
COMMENT ON COLUMN map_layer.answer_key IS '与填报内容对应的列';
COMMENT ON COLUMN map_layer.answer_columns IS '数据范围内才输出的填报内容列';

-- WHERE AN ADMINISTRATIVE VILLAGE LIES, as natural_village says it of a natural one.
CREATE VIEW village_point AS
SELECT place.division_code AS code, place.division_code, version.name, place.location
     , place.location_3857
  FROM division_location AS place
  JOIN admin_division AS division ON division.code = place.division_code
  JOIN admin_division_version AS version
    ON version.code = place.division_code AND version.valid_to IS NULL
 WHERE place.valid_to IS NULL AND division.level = 'village';
COMMENT ON VIEW village_point IS '行政村（现行名称与所在地）';
GRANT SELECT ON village_point TO portal_app;

-- WHERE A VILLAGE STANDS in the current period: read with the rights of whoever asks.
CREATE FUNCTION village_period_id() RETURNS bigint
LANGUAGE sql STABLE AS $$
    SELECT period_id FROM reporting_period
     WHERE form_code = 'village_evaluation' AND opened_at <= now()
     ORDER BY starts_on DESC LIMIT 1
$$;

CREATE VIEW village_standing WITH (security_invoker = true) AS
SELECT report.division_code, report.submission_id
     , report.state
     , accepted.village_class, accepted.eval_conclusion, accepted.geohazard_level
  FROM submission AS report
  JOIN reporting_period AS period USING (period_id)
  LEFT JOIN accepted_village_evaluation AS accepted
    ON accepted.division_code = report.division_code
   AND accepted.report_year = CAST(extract(year FROM period.starts_on) AS integer)
 WHERE report.period_id = (SELECT village_period_id());
COMMENT ON VIEW village_standing IS '行政村在本期的填报状态与认定内容（按数据范围可见）';
GRANT SELECT ON village_standing TO portal_app;

-- COUNTS AT LOW ZOOM: how many points of each village lie in each cell of zoom 12; coarser cells are
-- sums of these, so that the counts of every zoom add up to the same total.
CREATE TABLE village_grid (
    layer_code    text NOT NULL,
    division_code text NOT NULL REFERENCES admin_division,
    cell_x        integer NOT NULL,
    cell_y        integer NOT NULL,
    points        integer NOT NULL,
    sum_x         double precision NOT NULL,
    sum_y         double precision NOT NULL,
    PRIMARY KEY (layer_code, division_code, cell_x, cell_y),
    CONSTRAINT village_grid_counts_points CHECK (points > 0)
);
CREATE INDEX village_grid_cell ON village_grid (layer_code, cell_x, cell_y);
COMMENT ON TABLE village_grid IS '村庄网格计数（由位置变更触发，供低级别瓦片）';
COMMENT ON COLUMN village_grid.layer_code IS '图层代码';
COMMENT ON COLUMN village_grid.division_code IS '行政村代码';
COMMENT ON COLUMN village_grid.cell_x IS '网格列（12 级瓦片编号）';
COMMENT ON COLUMN village_grid.cell_y IS '网格行（12 级瓦片编号）';
COMMENT ON COLUMN village_grid.points IS '点数';
COMMENT ON COLUMN village_grid.sum_x IS '各点 EPSG:3857 横坐标之和';
COMMENT ON COLUMN village_grid.sum_y IS '各点 EPSG:3857 纵坐标之和';
GRANT SELECT ON village_grid TO portal_app;

CREATE FUNCTION count_village_grid(counted_layer text, villages text[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    half CONSTANT double precision := 20037508.342789244;
    cell CONSTANT double precision := 2 * 20037508.342789244 / 4096;
BEGIN
    DELETE FROM village_grid WHERE layer_code = counted_layer AND division_code = ANY (villages);
    INSERT INTO village_grid
    SELECT counted_layer, division_code
         , CAST(floor((ST_X(location_3857) + half) / cell) AS integer)
         , CAST(floor((half - ST_Y(location_3857)) / cell) AS integer)
         , count(*), sum(ST_X(location_3857)), sum(ST_Y(location_3857))
      FROM (SELECT division_code, location_3857 FROM natural_village
             WHERE counted_layer = 'natural_village' AND valid_to IS NULL
               AND division_code = ANY (villages)
             UNION ALL
            SELECT division_code, location_3857 FROM village_point
             WHERE counted_layer = 'village' AND division_code = ANY (villages)) AS point
     GROUP BY 1, 2, 3, 4;
    PERFORM pg_notify('portal_change', 'map');
END
$$;
REVOKE ALL ON FUNCTION count_village_grid(text, text[]) FROM PUBLIC;

CREATE FUNCTION recount_village_grid() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM count_village_grid(TG_ARGV[0], (SELECT array_agg(DISTINCT division_code) FROM changed));
    RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION recount_village_grid() FROM PUBLIC;
CREATE TRIGGER natural_village_counted_new AFTER INSERT ON natural_village
    REFERENCING NEW TABLE AS changed
   FOR EACH STATEMENT EXECUTE FUNCTION recount_village_grid('natural_village');
CREATE TRIGGER natural_village_counted_changed AFTER UPDATE ON natural_village
    REFERENCING NEW TABLE AS changed
   FOR EACH STATEMENT EXECUTE FUNCTION recount_village_grid('natural_village');
CREATE TRIGGER division_location_counted_new AFTER INSERT ON division_location
    REFERENCING NEW TABLE AS changed
   FOR EACH STATEMENT EXECUTE FUNCTION recount_village_grid('village');
CREATE TRIGGER division_location_counted_changed AFTER UPDATE ON division_location
    REFERENCING NEW TABLE AS changed
   FOR EACH STATEMENT EXECUTE FUNCTION recount_village_grid('village');
CREATE TRIGGER division_location_counted_gone AFTER DELETE ON division_location
    REFERENCING OLD TABLE AS changed
   FOR EACH STATEMENT EXECUTE FUNCTION recount_village_grid('village');
-- What an earlier release brought in.
SELECT count_village_grid('natural_village', (SELECT array_agg(DISTINCT division_code) FROM natural_village))
     , count_village_grid('village', (SELECT array_agg(DISTINCT division_code) FROM division_location));

-- WHICH COUNTY MOVED: a tile is read anew where a county it shows did.
CREATE FUNCTION tell_villages_changed() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('portal_change', 'village:' || county)
       FROM (SELECT DISTINCT left(division_code, 6) AS county FROM changed
              WHERE form_code = 'village_evaluation') AS moved;
    RETURN NULL;
END
$$;
CREATE TRIGGER submission_villages_told_new AFTER INSERT ON submission
    REFERENCING NEW TABLE AS changed
   FOR EACH STATEMENT EXECUTE FUNCTION tell_villages_changed();
CREATE TRIGGER submission_villages_told_changed AFTER UPDATE ON submission
    REFERENCING NEW TABLE AS changed
   FOR EACH STATEMENT EXECUTE FUNCTION tell_villages_changed();
CREATE TRIGGER reporting_period_told AFTER INSERT OR UPDATE OR DELETE ON reporting_period
   FOR EACH STATEMENT EXECUTE FUNCTION tell_change('map');

-- ONE TILE. Points are joined to their answers village by village, so that the index answers both
-- and the planner keeps what it looked up last; the policies of the answers decide who sees them.
CREATE FUNCTION map_layer_points(layer map_layer, z integer) RETURNS text
LANGUAGE sql STABLE AS $$
    SELECT format(
        'SELECT CAST(source.%1$I AS text) AS key%2$s%3$s'
        '     , ST_AsMVTGeom(%4$s, ST_TileEnvelope($1, $2, $3), 4096, 64, true) AS shape'
        '  FROM (SELECT * FROM %5$I WHERE (%6$s)%7$s AND %8$s) AS source%9$s'
      , layer.key_column
      , (SELECT string_agg(format(', source.%I', name), '')
           FROM unnest(layer.field_columns
                       || CASE WHEN z >= layer.detail_zoom THEN layer.detail_columns ELSE '{}' END) AS name)
      , (SELECT string_agg(format(', answer.%I', name), '') FROM unnest(layer.answer_columns) AS name)
      , CASE WHEN layer.tile_column IS NULL THEN format('ST_Transform(source.%I, 3857)', layer.geometry_column)
             ELSE format('source.%I', layer.tile_column) END
      , layer.relation_name, coalesce(layer.filter, 'true')
      , CASE WHEN layer.scope_column IS NOT NULL THEN
            format(' AND %I ^@ ANY ((SELECT actor_prefixes())::text[])', layer.scope_column) ELSE '' END
      , CASE WHEN layer.tile_column IS NULL THEN
            format('%1$I && ST_Transform(ST_TileEnvelope($1, $2, $3, margin => 0.02), ST_SRID(%1$I))'
                 , layer.geometry_column)
        ELSE format('%I && ST_TileEnvelope($1, $2, $3, margin => 0.015625)', layer.tile_column) END
      , CASE WHEN layer.answer_relation IS NULL THEN '' ELSE
            format(' LEFT JOIN LATERAL (SELECT * FROM %I AS said WHERE said.division_code = source.%I LIMIT 1)'
                   ' AS answer ON true', layer.answer_relation, layer.answer_key) END)
$$;

-- Counts of one tile: 16 cells a side, placed at the middle of their points; of what is in the
-- actor's scope also how many points stand in which state.
CREATE FUNCTION village_grid_tile(layer_code text, z integer, x integer, y integer) RETURNS bytea
LANGUAGE sql STABLE AS $$
    WITH cell AS (
        SELECT cell_x >> (8 - z) AS grid_x, cell_y >> (8 - z) AS grid_y, division_code, points, sum_x, sum_y
          FROM village_grid
         WHERE village_grid.layer_code = village_grid_tile.layer_code
           AND cell_x BETWEEN x << (12 - z) AND ((x + 1) << (12 - z)) - 1
           AND cell_y BETWEEN y << (12 - z) AND ((y + 1) << (12 - z)) - 1
    ), counted AS (
        SELECT grid_x, grid_y, sum(points) AS points, sum(sum_x) / sum(points) AS middle_x
             , sum(sum_y) / sum(points) AS middle_y
             , sum(points) FILTER (WHERE division_code ^@ ANY ((SELECT actor_prefixes())::text[])) AS in_scope
             , sum(points) FILTER (WHERE state = 'draft') AS draft
             , sum(points) FILTER (WHERE state = 'submitted') AS submitted
             , sum(points) FILTER (WHERE state = 'returned') AS returned
             , sum(points) FILTER (WHERE state = 'filed') AS filed
          FROM cell LEFT JOIN village_standing USING (division_code)
         GROUP BY grid_x, grid_y
    ), feature AS (
        SELECT grid_x || '/' || grid_y AS key, CAST(points AS text) AS name, points, in_scope, draft, submitted, returned, filed
             , ST_AsMVTGeom(ST_SetSRID(ST_MakePoint(middle_x, middle_y), 3857)
                          , ST_TileEnvelope(z, x, y), 4096, 64, true) AS shape
          FROM counted
    )
    SELECT ST_AsMVT(feature, village_grid_tile.layer_code, 4096, 'shape') FROM feature
$$;

CREATE OR REPLACE FUNCTION map_layer_tile(layer_code text, z integer, x integer, y integer) RETURNS bytea
LANGUAGE plpgsql STABLE AS $$
DECLARE
    layer map_layer;
    tile bytea;
BEGIN
    SELECT * INTO STRICT layer FROM map_layer WHERE map_layer.layer_code = map_layer_tile.layer_code;
    IF z <= layer.grid_zoom THEN
        RETURN village_grid_tile(layer_code, z, x, y);
    END IF;
    EXECUTE format('SELECT ST_AsMVT(feature, %L, 4096, ''shape'') FROM (%s) AS feature'
                 , layer.layer_code, map_layer_points(layer, z))
    INTO tile USING z, x, y;
    RETURN tile;
END
$$;

-- The same for whoever asks, in one statement: a tile is worth no round trip more.
CREATE FUNCTION map_layer_tile_for(user_id text, roles text, prefixes text
    , layer_code text, z integer, x integer, y integer) RETURNS bytea
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('app.user_id', user_id, true), set_config('app.roles', roles, true)
          , set_config('app.prefixes', prefixes, true);
    RETURN map_layer_tile(layer_code, z, x, y);
END
$$;
