-- name: list_rules
-- Each spatial indicator with the layers it lacks.
SELECT rule.canonical_code, rule.measure, rule.layer_code, rule.land_classes
     , rule.other_layer_code, rule.distance_m, rule.definition
     , ARRAY(SELECT wanted FROM unnest(ARRAY[rule.layer_code, rule.other_layer_code]) AS wanted
              WHERE wanted IS NOT NULL
                AND NOT EXISTS (SELECT FROM map_layer WHERE layer_code = wanted)) AS missing_layers
  FROM spatial_indicator AS rule
 ORDER BY rule.canonical_code

-- name: compute
-- One unit and indicator: its measure in the indicator's own unit, with the layers' versions.
INSERT INTO computed_indicator_value AS known
       (division_code, report_year, canonical_code, state, value, layer_versions)
SELECT :division_code, :year, rule.canonical_code
     , CASE WHEN measured.value IS NULL THEN 'not_connected' ELSE 'computed' END, measured.value
     , coalesce((SELECT jsonb_object_agg(layer_code, data_version) FROM map_layer
                  WHERE layer_code IN (rule.layer_code, rule.other_layer_code)), '{}')
  FROM spatial_indicator AS rule
 CROSS JOIN LATERAL (
       SELECT CASE WHEN CAST(:is_connected AS boolean)
                   THEN round(spatial_measure(rule, :division_code) * rule.scale, 6) END AS value) AS measured
 WHERE rule.canonical_code = :canonical_code
    ON CONFLICT (division_code, report_year, canonical_code) DO UPDATE
   SET state = excluded.state, value = excluded.value
     , layer_versions = excluded.layer_versions, computed_at = now()
 WHERE (known.state, known.value, known.layer_versions)
    IS DISTINCT FROM (excluded.state, excluded.value, excluded.layer_versions)
