-- Tiles of villages read from rows that lie in the order of the map, and from one row of answers a village.

-- THE NUMBER OF A CELL in z-order: a tile of a lower zoom is one range of them.
CREATE FUNCTION cell_number(cell_x integer, cell_y integer) RETURNS integer
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
BEGIN
    cell_x := (cell_x | (cell_x << 8)) & x'00FF00FF'::integer;
    cell_x := (cell_x | (cell_x << 4)) & x'0F0F0F0F'::integer;
    cell_x := (cell_x | (cell_x << 2)) & x'33333333'::integer;
    cell_x := (cell_x | (cell_x << 1)) & x'55555555'::integer;
    cell_y := (cell_y | (cell_y << 8)) & x'00FF00FF'::integer;
    cell_y := (cell_y | (cell_y << 4)) & x'0F0F0F0F'::integer;
    cell_y := (cell_y | (cell_y << 2)) & x'33333333'::integer;
    cell_y := (cell_y | (cell_y << 1)) & x'55555555'::integer;
    RETURN cell_x | (cell_y << 1);
END
$$;

-- WHERE A VILLAGE STANDS, one narrow row each, kept by what is filed and accepted.
CREATE TABLE village_sign (
    division_code   text PRIMARY KEY REFERENCES admin_division,
    starts_on       date,
    submission_id   bigint,
    state           text,
    accepted_year   integer,
    village_class   text,
    eval_conclusion text,
    geohazard_level text,
    CONSTRAINT village_sign_report_has_period CHECK ((starts_on IS NULL) = (submission_id IS NULL)),
    CONSTRAINT village_sign_report_has_state CHECK ((state IS NULL) = (submission_id IS NULL))
) WITH (fillfactor = 70);
COMMENT ON TABLE village_sign IS '行政村最近的填报状态与最近一次认定内容（由填报与认定触发，供地图）';
COMMENT ON COLUMN village_sign.division_code IS '行政村代码';
COMMENT ON COLUMN village_sign.starts_on IS '填报所属填报期的起始日期';
COMMENT ON COLUMN village_sign.submission_id IS '填报';
COMMENT ON COLUMN village_sign.state IS '填报状态';
COMMENT ON COLUMN village_sign.accepted_year IS '最近认定的年度';
COMMENT ON COLUMN village_sign.village_class IS '村庄分类代码';
COMMENT ON COLUMN village_sign.eval_conclusion IS '评估结论代码';
COMMENT ON COLUMN village_sign.geohazard_level IS '地质灾害等级代码';
ALTER TABLE village_sign ENABLE ROW LEVEL SECURITY;
CREATE POLICY village_sign_in_scope ON village_sign TO portal_app
    USING (division_code ^@ ANY ((SELECT actor_prefixes())::text[]));
GRANT SELECT ON village_sign TO portal_app;

-- What the signs must say; the proof and the repair read it.
CREATE VIEW village_sign_recount AS
SELECT division_code, report.starts_on, report.submission_id, report.state
     , accepted.report_year AS accepted_year, accepted.village_class, accepted.eval_conclusion
     , accepted.geohazard_level
  FROM (SELECT DISTINCT ON (division_code) division_code, starts_on, submission_id, state
          FROM submission
          JOIN reporting_period USING (period_id)
         WHERE submission.form_code = 'village_evaluation'
         ORDER BY division_code, starts_on DESC) AS report
  FULL JOIN (SELECT DISTINCT ON (division_code) division_code, report_year, village_class
                  , eval_conclusion, geohazard_level
               FROM accepted_village_evaluation
              ORDER BY division_code, report_year DESC) AS accepted USING (division_code);
COMMENT ON VIEW village_sign_recount IS '行政村填报状态与认定内容的全量重算（供核对）';

CREATE FUNCTION sign_submission() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO village_sign AS sign (division_code, starts_on, submission_id, state)
    SELECT NEW.division_code, starts_on, NEW.submission_id, NEW.state
      FROM reporting_period WHERE period_id = NEW.period_id
    ON CONFLICT (division_code) DO UPDATE
       SET starts_on = excluded.starts_on, submission_id = excluded.submission_id, state = excluded.state
     WHERE sign.starts_on IS NULL OR excluded.starts_on >= sign.starts_on;
    RETURN NULL;
END
$$;
CREATE TRIGGER submission_signed_new AFTER INSERT ON submission
   FOR EACH ROW WHEN (NEW.form_code = 'village_evaluation') EXECUTE FUNCTION sign_submission();
CREATE TRIGGER submission_signed_changed AFTER UPDATE ON submission
   FOR EACH ROW WHEN (NEW.form_code = 'village_evaluation' AND NEW.state <> OLD.state)
   EXECUTE FUNCTION sign_submission();

CREATE FUNCTION sign_accepted() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO village_sign AS sign (division_code, accepted_year, village_class, eval_conclusion, geohazard_level)
    VALUES (NEW.division_code, NEW.report_year, NEW.village_class, NEW.eval_conclusion, NEW.geohazard_level)
    ON CONFLICT (division_code) DO UPDATE
       SET accepted_year = excluded.accepted_year, village_class = excluded.village_class
         , eval_conclusion = excluded.eval_conclusion, geohazard_level = excluded.geohazard_level
     WHERE sign.accepted_year IS NULL OR excluded.accepted_year >= sign.accepted_year;
    RETURN NULL;
END
$$;
CREATE TRIGGER accepted_village_evaluation_signed AFTER INSERT ON accepted_village_evaluation
   FOR EACH ROW EXECUTE FUNCTION sign_accepted();
REVOKE ALL ON FUNCTION sign_submission(), sign_accepted() FROM PUBLIC;

-- What an earlier release filed.
INSERT INTO village_sign SELECT * FROM village_sign_recount;

-- The state belongs to the current period; class, conclusion and hazard to the last acceptance.
CREATE FUNCTION village_period_start() RETURNS date
LANGUAGE sql STABLE AS $$
    SELECT starts_on FROM reporting_period
     WHERE form_code = 'village_evaluation' AND opened_at <= now()
     ORDER BY starts_on DESC LIMIT 1
$$;
CREATE OR REPLACE VIEW village_standing WITH (security_invoker = true) AS
SELECT division_code
     , CASE WHEN starts_on = (SELECT village_period_start()) THEN submission_id END AS submission_id
     , CASE WHEN starts_on = (SELECT village_period_start()) THEN state END AS state
     , village_class, eval_conclusion, geohazard_level, accepted_year
  FROM village_sign;
COMMENT ON VIEW village_standing IS '行政村在本期的填报状态与最近一次认定内容（按数据范围可见）';

-- THE POINTS OF A CELL lie in its row: a tile reads a range of rows, and one sign for each.
ALTER TABLE village_grid
      ADD COLUMN cell integer GENERATED ALWAYS AS (cell_number(cell_x, cell_y)) STORED
    , ADD COLUMN ids bigint[] NOT NULL DEFAULT '{}'
    , ADD COLUMN names text[] NOT NULL DEFAULT '{}'
    , ADD COLUMN xs integer[] NOT NULL DEFAULT '{}'
    , ADD COLUMN ys integer[] NOT NULL DEFAULT '{}';
COMMENT ON TABLE village_grid IS '村庄网格（由位置或名称变更触发，供瓦片计数与绘点）';
COMMENT ON COLUMN village_grid.cell IS '网格编号（12 级瓦片的 Z 序编号）';
COMMENT ON COLUMN village_grid.ids IS '网格内各点的代码（数）';
COMMENT ON COLUMN village_grid.names IS '网格内各点的名称';
COMMENT ON COLUMN village_grid.xs IS '网格内各点的横坐标（30 级像素，自西向东）';
COMMENT ON COLUMN village_grid.ys IS '网格内各点的纵坐标（30 级像素，自北向南）';
DROP INDEX village_grid_cell;
CREATE INDEX village_grid_cell ON village_grid (layer_code, cell);

CREATE OR REPLACE FUNCTION count_village_grid(counted_layer text, villages text[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    half CONSTANT double precision := 20037508.342789244;
    pixel CONSTANT double precision := 2 * half / (1 << 30);
BEGIN
    DELETE FROM village_grid WHERE layer_code = counted_layer AND division_code = ANY (villages);
    INSERT INTO village_grid (layer_code, division_code, cell_x, cell_y, points, sum_x, sum_y
                            , ids, names, xs, ys)
    SELECT counted_layer, division_code, x >> 18, y >> 18
         , count(*), sum(ST_X(location_3857)), sum(ST_Y(location_3857))
         , array_agg(CAST(code AS bigint) ORDER BY code), array_agg(name ORDER BY code)
         , array_agg(x ORDER BY code), array_agg(y ORDER BY code)
      FROM (SELECT code, name, division_code, location_3857 FROM natural_village
             WHERE counted_layer = 'natural_village' AND valid_to IS NULL
               AND division_code = ANY (villages)
             UNION ALL
            SELECT code, name, division_code, location_3857 FROM village_point
             WHERE counted_layer = 'village' AND division_code = ANY (villages)) AS point
     CROSS JOIN LATERAL (SELECT CAST(floor((ST_X(location_3857) + half) / pixel) AS integer) AS x
                              , CAST(floor((half - ST_Y(location_3857)) / pixel) AS integer) AS y) AS place
     GROUP BY 1, 2, 3, 4
     ORDER BY cell_number(x >> 18, y >> 18);
    PERFORM pg_notify('portal_change', 'map');
END
$$;
SELECT count_village_grid('natural_village', (SELECT array_agg(DISTINCT division_code) FROM natural_village))
     , count_village_grid('village', (SELECT array_agg(DISTINCT division_code) FROM division_location));

-- A village that is renamed is written anew.
CREATE FUNCTION recount_renamed_villages() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    renamed text[] := (SELECT array_agg(changed.code)
                         FROM changed
                         JOIN village_grid ON layer_code = 'village' AND division_code = changed.code);
BEGIN
    IF renamed IS NOT NULL THEN
        PERFORM count_village_grid('village', renamed);
    END IF;
    RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION recount_renamed_villages() FROM PUBLIC;
CREATE TRIGGER admin_division_version_drawn_new AFTER INSERT ON admin_division_version
    REFERENCING NEW TABLE AS changed
   FOR EACH STATEMENT EXECUTE FUNCTION recount_renamed_villages();
CREATE TRIGGER admin_division_version_drawn_changed AFTER UPDATE ON admin_division_version
    REFERENCING NEW TABLE AS changed
   FOR EACH STATEMENT EXECUTE FUNCTION recount_renamed_villages();

-- POINTS OF ONE TILE: every point lies in one tile; the policy of the signs decides who sees answers.
-- The code is the feature's id: as a property each would be a string of its own.
CREATE FUNCTION village_points_tile(layer_code text, z integer, x integer, y integer, named boolean
    , period date) RETURNS bytea
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    above CONSTANT integer := greatest(z - 12, 0);
    below CONSTANT integer := 2 * greatest(12 - z, 0);
    first CONSTANT integer := cell_number(x >> above, y >> above) << below;
    tile bytea;
BEGIN
    SELECT ST_AsMVT(feature, village_points_tile.layer_code, 4096, 'shape', 'id') INTO tile
      FROM (SELECT point.id, point.name
                 , CASE WHEN sign.starts_on = period THEN sign.state END AS state
                 , sign.village_class, sign.eval_conclusion, sign.geohazard_level
                 , ST_MakePoint((point.x >> (18 - z)) & 4095, (point.y >> (18 - z)) & 4095) AS shape
              FROM village_grid AS grid
              LEFT JOIN village_sign AS sign USING (division_code)
             CROSS JOIN LATERAL unnest(grid.ids, CASE WHEN named THEN grid.names END, grid.xs, grid.ys)
                        AS point (id, name, x, y)
             WHERE grid.layer_code = village_points_tile.layer_code
               AND grid.cell BETWEEN first AND first + (1 << below) - 1
               AND (above = 0 OR (point.x >> (30 - z) = village_points_tile.x
                                  AND point.y >> (30 - z) = village_points_tile.y))) AS feature;
    RETURN tile;
END
$$;

-- COUNTS OF ONE TILE: 16 cells a side, placed at the middle of their points. Of each question that
-- colours the map: the answer given most often in the actor's scope, and the share of the circle's
-- radius that it fills. Where nobody answered yet counts as an answer only of the state.
CREATE OR REPLACE FUNCTION village_grid_tile(layer_code text, z integer, x integer, y integer) RETURNS bytea
LANGUAGE sql STABLE AS $$
    WITH grouped AS (
        SELECT cell >> (2 * (8 - z)) AS at, sign.division_code IS NOT NULL
               OR grid.division_code ^@ ANY ((SELECT actor_prefixes())::text[]) AS is_seen
             , CASE WHEN starts_on = (SELECT village_period_start()) THEN state END AS state
             , village_class, eval_conclusion, geohazard_level
             , CAST(sum(points) AS integer) AS points, sum(sum_x) AS sum_x, sum(sum_y) AS sum_y
          FROM village_grid AS grid
          LEFT JOIN village_sign AS sign USING (division_code)
         WHERE grid.layer_code = village_grid_tile.layer_code
           AND cell BETWEEN cell_number(x, y) << (2 * (12 - z)) AND ((cell_number(x, y) + 1) << (2 * (12 - z))) - 1
         GROUP BY 1, 2, 3, 4, 5, 6
    ), counted AS (
        SELECT at, sum(points) AS points, sum(sum_x) / sum(points) AS middle_x, sum(sum_y) / sum(points) AS middle_y
             , sum(points) FILTER (WHERE is_seen) AS in_scope
             , sum(points) FILTER (WHERE state = 'draft') AS draft
             , sum(points) FILTER (WHERE state = 'submitted') AS submitted
             , sum(points) FILTER (WHERE state = 'returned') AS returned
             , sum(points) FILTER (WHERE state = 'filed') AS filed
          FROM grouped
         GROUP BY at
    ), most AS (
        SELECT DISTINCT ON (at, question) at, question, answer, sum(points) AS points
          FROM grouped
         CROSS JOIN LATERAL (VALUES ('state', state), ('village_class', village_class)
                           , ('eval_conclusion', eval_conclusion), ('geohazard_level', geohazard_level))
                            AS said (question, answer)
         WHERE is_seen
         GROUP BY at, question, answer
         ORDER BY at, question, (answer IS NULL AND question <> 'state'), sum(points) DESC, answer
    ), told AS (
        SELECT at
             , max(answer) FILTER (WHERE question = 'state') AS state
             , max(answer) FILTER (WHERE question = 'village_class') AS village_class
             , max(answer) FILTER (WHERE question = 'eval_conclusion') AS eval_conclusion
             , max(answer) FILTER (WHERE question = 'geohazard_level') AS geohazard_level
             , max(points) FILTER (WHERE question = 'state') AS of_state
             , max(points) FILTER (WHERE question = 'village_class') AS of_village_class
             , max(points) FILTER (WHERE question = 'eval_conclusion') AS of_eval_conclusion
             , max(points) FILTER (WHERE question = 'geohazard_level') AS of_geohazard_level
          FROM most
         GROUP BY at
    ), feature AS (
        SELECT CAST(points AS text) AS name, points, in_scope, draft, submitted, returned, filed
             , state, village_class, eval_conclusion, geohazard_level
             , of_state, of_village_class, of_eval_conclusion, of_geohazard_level
             , ST_AsMVTGeom(ST_SetSRID(ST_MakePoint(middle_x, middle_y), 3857)
                          , ST_TileEnvelope(z, x, y), 4096, 64, true) AS shape
          FROM counted
          LEFT JOIN told USING (at)
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
    ELSIF layer.answer_relation IS NOT NULL THEN
        RETURN village_points_tile(layer_code, z, x, y, z >= layer.detail_zoom, village_period_start());
    END IF;
    EXECUTE format('SELECT ST_AsMVT(feature, %L, 4096, ''shape'') FROM (%s) AS feature'
                 , layer.layer_code, map_layer_points(layer, z))
    INTO tile USING z, x, y;
    RETURN tile;
END
$$;

-- TILES THAT ARE ASKED TOGETHER, for one who asks, in one statement; NULL where there is nothing.
CREATE FUNCTION map_layer_tiles_for(user_id text, roles text, prefixes text
    , layer_code text, zs integer[], xs integer[], ys integer[]) RETURNS bytea[]
LANGUAGE plpgsql AS $$
DECLARE
    layer map_layer;
    period date;
    tiles bytea[] := '{}';
BEGIN
    PERFORM set_config('app.user_id', user_id, true), set_config('app.roles', roles, true)
          , set_config('app.prefixes', prefixes, true);
    SELECT * INTO STRICT layer FROM map_layer WHERE map_layer.layer_code = map_layer_tiles_for.layer_code;
    period := village_period_start();
    FOR at IN 1 .. cardinality(zs) LOOP
        IF layer.answer_relation IS NOT NULL AND zs[at] > layer.grid_zoom THEN
            tiles[at] := village_points_tile(layer_code, zs[at], xs[at], ys[at]
                                           , zs[at] >= layer.detail_zoom, period);
        ELSE
            tiles[at] := map_layer_tile(layer_code, zs[at], xs[at], ys[at]);
        END IF;
    END LOOP;
    RETURN tiles;
END
$$;
