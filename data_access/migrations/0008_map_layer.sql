-- The registry of map layers: what may be drawn, from which relation, for whom.
CREATE TABLE map_layer (
    layer_code    text PRIMARY KEY,
    title         text NOT NULL,
    relation_name text NOT NULL,
    geometry_column text NOT NULL,
    key_column    text NOT NULL,
    field_columns text[] NOT NULL,
    filter        text,
    format        text NOT NULL,
    min_zoom      integer NOT NULL,
    max_zoom      integer NOT NULL,
    scope_column  text,
    data_version  integer NOT NULL DEFAULT 1,
    CONSTRAINT map_layer_format_known CHECK (format IN ('geojson', 'tile')),
    CONSTRAINT map_layer_zoom_range CHECK (0 <= min_zoom AND min_zoom <= max_zoom AND max_zoom <= 22)
);
COMMENT ON TABLE map_layer IS '图层登记';
COMMENT ON COLUMN map_layer.layer_code IS '图层代码';
COMMENT ON COLUMN map_layer.title IS '图层名称';
COMMENT ON COLUMN map_layer.relation_name IS '来源表或视图';
COMMENT ON COLUMN map_layer.geometry_column IS '几何列';
COMMENT ON COLUMN map_layer.key_column IS '要素标识列';
COMMENT ON COLUMN map_layer.field_columns IS '随图输出的属性列';
COMMENT ON COLUMN map_layer.filter IS '筛选条件（由管理员维护的 SQL 片段）';
COMMENT ON COLUMN map_layer.format IS '输出方式：geojson 整层、tile 矢量瓦片';
COMMENT ON COLUMN map_layer.min_zoom IS '最小显示级别';
COMMENT ON COLUMN map_layer.max_zoom IS '最大显示级别';
COMMENT ON COLUMN map_layer.scope_column IS '数据范围列，空为登录即可见';
COMMENT ON COLUMN map_layer.data_version IS '数据版本，变化后浏览器重新取用';

SELECT audit_table('map_layer');
GRANT SELECT ON map_layer TO portal_app;

-- The day of the picture: an old day keeps its old divisions. Set for one transaction.
CREATE FUNCTION picture_day() RETURNS date
LANGUAGE sql STABLE AS $$
    SELECT coalesce(CAST(nullif(current_setting('app.picture_day', true), '') AS date), current_date)
$$;

CREATE VIEW division_drawn AS
SELECT division.code, division.name, division.level, division.kind, division.parent_code
     , boundary.drawn
  FROM division_on(picture_day()) AS division
  JOIN division_boundary AS boundary USING (code)
 WHERE boundary.valid_from <= picture_day()
   AND (boundary.valid_to IS NULL OR picture_day() < boundary.valid_to);
COMMENT ON VIEW division_drawn IS '行政区显示界线（现行或所看日期）';

CREATE VIEW division_label AS
SELECT division.code, division.name, division.level, division.kind, division.parent_code
     , boundary.label_at
  FROM division_on(picture_day()) AS division
  JOIN division_boundary AS boundary USING (code)
 WHERE boundary.valid_from <= picture_day()
   AND (boundary.valid_to IS NULL OR picture_day() < boundary.valid_to);
COMMENT ON VIEW division_label IS '行政区注记点（现行或所看日期）';
GRANT SELECT ON division_drawn, division_label TO portal_app;

-- New boundaries move the version of the layers that draw them, once a transaction.
CREATE FUNCTION move_boundary_layers() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
BEGIN
    IF current_setting('app.layers_moved', true)
       IS DISTINCT FROM CAST(pg_current_xact_id() AS text)
    THEN
        PERFORM set_config('app.layers_moved', CAST(pg_current_xact_id() AS text), true);
        UPDATE map_layer SET data_version = data_version + 1
         WHERE relation_name IN ('division_drawn', 'division_label');
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER division_boundary_moves_layers AFTER INSERT OR UPDATE OR DELETE ON division_boundary
   FOR EACH STATEMENT EXECUTE FUNCTION move_boundary_layers();
CREATE TRIGGER division_version_moves_layers AFTER INSERT OR UPDATE OR DELETE ON admin_division_version
   FOR EACH STATEMENT EXECUTE FUNCTION move_boundary_layers();

-- The relation of a layer as SELECT of its key, fields and geometry: registry rows are written
-- by the owner alone, so the filter is trusted; names are quoted all the same.
CREATE FUNCTION map_layer_source(layer map_layer) RETURNS text
LANGUAGE sql STABLE AS $$
    SELECT format(
        'SELECT CAST(%I AS text) AS key, jsonb_build_object(%s) AS fields, %I AS shape FROM %I WHERE (%s)%s'
      , layer.key_column
      , (SELECT string_agg(format('%L, %I', name, name), ', ') FROM unnest(layer.field_columns) AS name)
      , layer.geometry_column, layer.relation_name, coalesce(layer.filter, 'true')
      , CASE WHEN layer.scope_column IS NOT NULL THEN
            format(' AND %I ^@ ANY ((SELECT actor_prefixes())::text[])', layer.scope_column)
        ELSE '' END)
$$;

-- The features of a layer, all or those with the given keys. Rings run clockwise: WebGL does not
-- care, the chart that stands in without WebGL does.
CREATE FUNCTION map_layer_features(layer_code text, keys text[])
RETURNS TABLE (key text, fields jsonb, shape text)
LANGUAGE plpgsql STABLE AS $$
DECLARE
    layer map_layer;
BEGIN
    SELECT * INTO STRICT layer FROM map_layer WHERE map_layer.layer_code = map_layer_features.layer_code;
    RETURN QUERY EXECUTE format(
        'SELECT key, fields, ST_AsGeoJSON(ST_ForcePolygonCW(shape), 4, 0)'
        '  FROM (%s) AS feature WHERE $1 IS NULL OR key = ANY ($1) ORDER BY key'
      , map_layer_source(layer))
    USING keys;
END
$$;

-- One vector tile of a layer.
CREATE FUNCTION map_layer_tile(layer_code text, z integer, x integer, y integer) RETURNS bytea
LANGUAGE plpgsql STABLE AS $$
DECLARE
    layer map_layer;
    tile bytea;
BEGIN
    SELECT * INTO STRICT layer FROM map_layer WHERE map_layer.layer_code = map_layer_tile.layer_code;
    EXECUTE format(
        'SELECT ST_AsMVT(feature, %L, 4096, ''shape'') FROM ('
        'SELECT key, fields'
        '     , ST_AsMVTGeom(ST_Transform(shape, 3857), ST_TileEnvelope($1, $2, $3), 4096, 64, true) AS shape'
        '  FROM (%s) AS source'
        ' WHERE shape && ST_Transform(ST_TileEnvelope($1, $2, $3, margin => 0.02), ST_SRID(shape))) AS feature'
      , layer.layer_code, map_layer_source(layer))
    INTO tile USING z, x, y;
    RETURN tile;
END
$$;
