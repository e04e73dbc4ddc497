-- Spatial indicators: named measures over registered layers; what they give stands beside what is filed.
CREATE TABLE spatial_indicator (
    canonical_code   text PRIMARY KEY REFERENCES indicator_canonical,
    measure          text NOT NULL,
    layer_code       text NOT NULL,
    land_classes     text[] NOT NULL DEFAULT '{}',
    other_layer_code text,
    distance_m       numeric,
    scale            numeric NOT NULL,
    definition       text NOT NULL,
    basis            text NOT NULL,
    CONSTRAINT spatial_indicator_measure_known CHECK (measure IN ('area', 'overlap', 'service')),
    CONSTRAINT spatial_indicator_other_layer CHECK ((measure = 'area') = (other_layer_code IS NULL)),
    CONSTRAINT spatial_indicator_distance CHECK ((measure = 'service') = (coalesce(distance_m, 0) > 0)),
    CONSTRAINT spatial_indicator_scale_positive CHECK (scale > 0)
);
COMMENT ON TABLE spatial_indicator IS '空间指标的算法（基于已登记图层）';
COMMENT ON COLUMN spatial_indicator.canonical_code IS '归并代码';
COMMENT ON COLUMN spatial_indicator.measure IS
    '算法：area 地类面积、overlap 与另一图层重叠面积、service 设施一定距离内服务到的面积占比';
COMMENT ON COLUMN spatial_indicator.layer_code IS '图层';
COMMENT ON COLUMN spatial_indicator.land_classes IS '地类编码的前缀，空为全部';
COMMENT ON COLUMN spatial_indicator.other_layer_code IS '另一图层：重叠的管控线，或被服务的用地';
COMMENT ON COLUMN spatial_indicator.distance_m IS '服务距离（米）';
COMMENT ON COLUMN spatial_indicator.scale IS '由平方米换算的系数；比率为系数';
COMMENT ON COLUMN spatial_indicator.definition IS '说明';
COMMENT ON COLUMN spatial_indicator.basis IS '依据：source、known、assumed';

CREATE TABLE computed_indicator_value (
    division_code  text NOT NULL REFERENCES admin_division,
    report_year    integer NOT NULL,
    canonical_code text NOT NULL REFERENCES spatial_indicator,
    state          text NOT NULL,
    value          numeric,
    layer_versions jsonb NOT NULL DEFAULT '{}',
    computed_at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (division_code, report_year, canonical_code),
    CONSTRAINT computed_indicator_value_state_known CHECK (state IN ('computed', 'not_connected')),
    CONSTRAINT computed_indicator_value_of_layers CHECK ((state = 'computed') = (value IS NOT NULL))
);
CREATE INDEX computed_indicator_value_canonical_code ON computed_indicator_value (canonical_code, report_year);
COMMENT ON TABLE computed_indicator_value IS '由图层计算的指标值（与填报值并列，不代替填报）';
COMMENT ON COLUMN computed_indicator_value.division_code IS '单位';
COMMENT ON COLUMN computed_indicator_value.report_year IS '数据年度';
COMMENT ON COLUMN computed_indicator_value.canonical_code IS '归并代码';
COMMENT ON COLUMN computed_indicator_value.state IS '状态：computed 已计算、not_connected 图层未接入';
COMMENT ON COLUMN computed_indicator_value.value IS '计算值';
COMMENT ON COLUMN computed_indicator_value.layer_versions IS '所用图层及其版本';
COMMENT ON COLUMN computed_indicator_value.computed_at IS '计算时间';

SELECT audit_table('spatial_indicator'), audit_table('computed_indicator_value');
ALTER TABLE computed_indicator_value ENABLE ROW LEVEL SECURITY;
CREATE POLICY computed_indicator_value_in_scope ON computed_indicator_value TO portal_app
    USING (division_code ^@ ANY ((SELECT actor_prefixes())::text[])
           AND ((SELECT NOT actor_is_department())
                OR canonical_code = ANY ((SELECT actor_indicator_codes())::text[])));
GRANT SELECT ON spatial_indicator, computed_indicator_value TO portal_app;
GRANT INSERT (division_code, report_year, canonical_code, state, value, layer_versions)
    , UPDATE (state, value, layer_versions, computed_at) ON computed_indicator_value TO portal_app;

-- The shapes of a layer within a unit's boundary, clipped to it. EPSG:4490.
CREATE FUNCTION layer_within(wanted text, classes text[], unit text)
RETURNS TABLE (shape geometry)
LANGUAGE plpgsql STABLE AS $$
DECLARE
    layer map_layer;
    area geometry;
BEGIN
    SELECT * INTO STRICT layer FROM map_layer WHERE map_layer.layer_code = wanted;
    SELECT boundary INTO STRICT area
      FROM division_boundary
     WHERE code = unit AND valid_from <= picture_day()
       AND (valid_to IS NULL OR picture_day() < valid_to);
    RETURN QUERY EXECUTE format(
        'SELECT CASE WHEN ST_CoveredBy(source.shape, $1) THEN source.shape'
        '            ELSE ST_Intersection(source.shape, $1) END'
        '  FROM (%s) AS source'
        ' WHERE source.shape && $1 AND ST_Intersects(source.shape, $1)'
        '   AND ($2 = ''{}'' OR source.fields ->> ''DLBM'' ^@ ANY ($2))', map_layer_source(layer))
    USING area, classes;
END
$$;

-- Square metres on the ellipsoid; of a service the share that lies within the distance, 0 to 1.
CREATE FUNCTION spatial_measure(rule spatial_indicator, unit text) RETURNS numeric
LANGUAGE plpgsql STABLE AS $$
DECLARE
    result double precision;
BEGIN
    CASE rule.measure
    WHEN 'area' THEN
        SELECT coalesce(sum(ST_Area(CAST(shape AS geography))), 0) INTO result
          FROM layer_within(rule.layer_code, rule.land_classes, unit);
    WHEN 'overlap' THEN
        SELECT coalesce(sum(ST_Area(CAST(ST_Intersection(own.shape, other.shape) AS geography))), 0) INTO result
          FROM layer_within(rule.layer_code, rule.land_classes, unit) AS own
          JOIN (SELECT ST_Subdivide(ST_Union(shape), 128) AS shape
                  FROM layer_within(rule.other_layer_code, '{}', unit)) AS other
            ON own.shape && other.shape AND ST_Intersects(own.shape, other.shape);
    WHEN 'service' THEN
        WITH reached AS (
            SELECT ST_Union(CAST(ST_Buffer(CAST(shape AS geography), rule.distance_m) AS geometry)) AS shape
              FROM layer_within(rule.layer_code, rule.land_classes, unit)
        ), served AS (
            SELECT ST_Area(CAST(target.shape AS geography)) AS whole
                 , ST_Area(CAST(ST_Intersection(target.shape, ST_SetSRID(reached.shape, ST_SRID(target.shape)))
                                AS geography)) AS part
              FROM layer_within(rule.other_layer_code, '{}', unit) AS target
             CROSS JOIN reached
        )
        SELECT coalesce(sum(part), 0) / nullif(sum(whole), 0) INTO result FROM served;
    END CASE;
    RETURN CAST(result AS numeric);
END
$$;
