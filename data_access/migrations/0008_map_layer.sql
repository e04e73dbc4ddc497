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

-- What the registry's boundary layers draw: the boundaries in force today, with their names.
CREATE VIEW division_drawn AS
SELECT division.code, division.name, division.level, division.kind, division.parent_code
     , boundary.drawn
  FROM division_on(current_date) AS division
  JOIN division_boundary AS boundary USING (code)
 WHERE boundary.valid_from <= current_date
   AND (boundary.valid_to IS NULL OR current_date < boundary.valid_to);
COMMENT ON VIEW division_drawn IS '现行行政区显示界线';

CREATE VIEW division_label AS
SELECT division.code, division.name, division.level, division.kind, division.parent_code
     , boundary.label_at, ST_Transform(boundary.label_at, 3857) AS label_at_3857
  FROM division_on(current_date) AS division
  JOIN division_boundary AS boundary USING (code)
 WHERE boundary.valid_from <= current_date
   AND (boundary.valid_to IS NULL OR current_date < boundary.valid_to);
COMMENT ON VIEW division_label IS '现行行政区注记点';
GRANT SELECT ON division_drawn, division_label TO portal_app;
