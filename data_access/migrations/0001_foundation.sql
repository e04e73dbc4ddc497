-- The ground the others stand on: extensions, the portal's role, the actor, divisions, calendar.
CREATE EXTENSION IF NOT EXISTS postgis;
CREATE EXTENSION IF NOT EXISTS btree_gist;
CREATE EXTENSION IF NOT EXISTS pg_trgm;

-- Roles belong to the cluster, not to this database, so another database may have made it.
DO $$
BEGIN
    CREATE ROLE portal_app NOLOGIN;
EXCEPTION WHEN duplicate_object OR unique_violation THEN
    NULL;
END
$$;
GRANT USAGE ON SCHEMA public TO portal_app;

-- A setting that was local to an earlier transaction reads as '' on a pooled connection;
-- nullif turns that into "no actor, no rows". Policies call these in a sub-select, so that
-- they run once a query and not once a row.
CREATE FUNCTION actor_user_id() RETURNS bigint
LANGUAGE sql STABLE AS $$ SELECT CAST(nullif(current_setting('app.user_id', true), '') AS bigint) $$;

CREATE FUNCTION actor_prefixes() RETURNS text[]
LANGUAGE sql STABLE AS $$
    SELECT CAST(coalesce(nullif(current_setting('app.prefixes', true), ''), '{}') AS text[])
$$;

CREATE FUNCTION actor_roles() RETURNS text[]
LANGUAGE sql STABLE AS $$
    SELECT CAST(coalesce(nullif(current_setting('app.roles', true), ''), '{}') AS text[])
$$;

-- A division's identity: a national code is given once and never to another division.
CREATE TABLE admin_division (
    code   text PRIMARY KEY,
    level  text NOT NULL,
    prefix text NOT NULL,
    CONSTRAINT admin_division_code_is_digits CHECK (code ~ '^[0-9]{6,15}$'),
    CONSTRAINT admin_division_prefix_begins_code CHECK (prefix <> '' AND starts_with(code, prefix)),
    CONSTRAINT admin_division_level_known
        CHECK (level IN ('province', 'city', 'county', 'township', 'village')),
    UNIQUE (code, prefix)
);
CREATE INDEX admin_division_prefix ON admin_division (prefix text_pattern_ops);
COMMENT ON TABLE admin_division IS '行政区划（身份）';
COMMENT ON COLUMN admin_division.code IS '区划代码';
COMMENT ON COLUMN admin_division.level IS '层级：province、city、county、township、village';
COMMENT ON COLUMN admin_division.prefix IS '代码前缀：本级及其下级代码均以此开头';

-- What a division was called and where it belonged, from one day to another.
CREATE TABLE admin_division_version (
    code        text NOT NULL REFERENCES admin_division,
    valid_from  date NOT NULL,
    valid_to    date,
    name        text NOT NULL,
    kind        text NOT NULL,
    parent_code text REFERENCES admin_division,
    PRIMARY KEY (code, valid_from),
    CONSTRAINT admin_division_version_named CHECK (btrim(name) <> ''),
    CONSTRAINT admin_division_version_ends_after_start CHECK (valid_to > valid_from),
    CONSTRAINT admin_division_version_one_at_a_time
        EXCLUDE USING gist (code WITH =, daterange(valid_from, valid_to) WITH &&)
);
CREATE INDEX admin_division_version_parent_code ON admin_division_version (parent_code);
CREATE INDEX admin_division_version_name ON admin_division_version USING gin (name gin_trgm_ops);
COMMENT ON TABLE admin_division_version IS '行政区划（各有效期的名称、类型与隶属）';
COMMENT ON COLUMN admin_division_version.code IS '区划代码';
COMMENT ON COLUMN admin_division_version.valid_from IS '生效日期（含）';
COMMENT ON COLUMN admin_division_version.valid_to IS '失效日期（不含），空为现行';
COMMENT ON COLUMN admin_division_version.name IS '名称';
COMMENT ON COLUMN admin_division_version.kind IS '类型：设区市、市辖区、县级市、县、镇、乡、行政村等';
COMMENT ON COLUMN admin_division_version.parent_code IS '上级区划代码';

CREATE FUNCTION division_on(day date)
RETURNS TABLE (code text, name text, level text, kind text, parent_code text, prefix text)
LANGUAGE sql STABLE AS $$
    SELECT division.code, version.name, division.level, version.kind, version.parent_code
         , division.prefix
      FROM admin_division AS division
      JOIN admin_division_version AS version USING (code)
     WHERE version.valid_from <= day AND (version.valid_to IS NULL OR day < version.valid_to)
$$;

-- No row policy here: identities and positions are visible to everyone signed in, and a policy
-- on a geometry table would disable its spatial index.
CREATE TABLE division_boundary (
    code       text NOT NULL REFERENCES admin_division,
    valid_from date NOT NULL,
    valid_to   date,
    boundary   geometry(MultiPolygon, 4490) NOT NULL,
    drawn      geometry(MultiPolygon, 4490) NOT NULL,
    label_at   geometry(Point, 4490) NOT NULL,
    PRIMARY KEY (code, valid_from),
    CONSTRAINT division_boundary_is_valid CHECK (ST_IsValid(boundary)),
    CONSTRAINT division_boundary_one_at_a_time
        EXCLUDE USING gist (code WITH =, daterange(valid_from, valid_to) WITH &&)
);
CREATE INDEX division_boundary_boundary ON division_boundary USING gist (boundary);
COMMENT ON TABLE division_boundary IS '行政区界线（仅供显示，不作划界依据）';
COMMENT ON COLUMN division_boundary.code IS '区划代码';
COMMENT ON COLUMN division_boundary.valid_from IS '生效日期（含）';
COMMENT ON COLUMN division_boundary.valid_to IS '失效日期（不含），空为现行';
COMMENT ON COLUMN division_boundary.boundary IS '界线，EPSG:4490；设区市界线由所辖县级界线合并';
COMMENT ON COLUMN division_boundary.drawn IS '化简后的显示界线，EPSG:4490，约 0.01 度';
COMMENT ON COLUMN division_boundary.label_at IS '注记位置，EPSG:4490';

CREATE TABLE calendar_day (
    day        date PRIMARY KEY,
    is_workday boolean NOT NULL,
    note       text NOT NULL DEFAULT '',
    basis      text NOT NULL
);
COMMENT ON TABLE calendar_day IS '工作日历（节假日与调休；未列出的日期按周一至周五为工作日）';
COMMENT ON COLUMN calendar_day.day IS '日期';
COMMENT ON COLUMN calendar_day.is_workday IS '是否工作日';
COMMENT ON COLUMN calendar_day.note IS '说明';
COMMENT ON COLUMN calendar_day.basis IS '依据：source、known、assumed';

-- The day on which `days` working days after `start` are over.
CREATE FUNCTION add_working_days(start date, days integer) RETURNS date
LANGUAGE sql STABLE AS $$
    SELECT coalesce(max(day), start)
      FROM (SELECT CAST(generated AS date) AS day
              FROM generate_series(start + 1, start + days * 2 + 30, interval '1 day') AS generated
              LEFT JOIN calendar_day ON calendar_day.day = CAST(generated AS date)
             WHERE coalesce(is_workday, extract(isodow FROM generated) < 6)
             ORDER BY generated
             LIMIT days) AS working
$$;

CREATE TABLE portal_setting (
    name        text PRIMARY KEY,
    value       jsonb NOT NULL,
    description text NOT NULL
);
COMMENT ON TABLE portal_setting IS '门户设置（随省、随年度变化的取值）';
COMMENT ON COLUMN portal_setting.name IS '设置名';
COMMENT ON COLUMN portal_setting.value IS '取值';
COMMENT ON COLUMN portal_setting.description IS '说明';

COMMENT ON TABLE schema_migration IS '已执行的结构升级';
COMMENT ON COLUMN schema_migration.name IS '文件名';
COMMENT ON COLUMN schema_migration.checksum IS '内容的 SHA-256';
COMMENT ON COLUMN schema_migration.applied_at IS '执行时间';

CREATE TABLE reference_file (
    name      text PRIMARY KEY,
    sha256    text NOT NULL,
    loaded_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE reference_file IS '已载入的基础数据文件';
COMMENT ON COLUMN reference_file.name IS '文件名';
COMMENT ON COLUMN reference_file.sha256 IS '内容的 SHA-256';
COMMENT ON COLUMN reference_file.loaded_at IS '载入时间';

GRANT SELECT ON admin_division, admin_division_version, division_boundary, calendar_day
    , portal_setting TO portal_app;
