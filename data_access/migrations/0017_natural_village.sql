-- Where villages lie, and the natural villages below them: identities and positions, with history.
--
-- No row policies: identities and positions are visible to everyone signed in, and a policy on a
-- geometry table would disable its spatial index. Answers about a village carry division_code,
-- which a composite foreign key to natural_village_within_division keeps true.
SELECT audit_table('admin_division');
SELECT audit_table('admin_division_version');

ALTER TABLE admin_division_version ADD COLUMN end_reason text;
COMMENT ON COLUMN admin_division_version.end_reason IS '失效原因：更名、合并、拆分、撤销等';

-- The first ST_Transform of a backend costs 150 ms, so what tiles read is stored beside.
CREATE TABLE division_location (
    division_code text NOT NULL REFERENCES admin_division,
    valid_from    date NOT NULL,
    valid_to      date,
    location      geometry(Point, 4490) NOT NULL,
    location_3857 geometry(Point, 3857) NOT NULL
        GENERATED ALWAYS AS (ST_Transform(location, 3857)) STORED,
    is_demo       boolean NOT NULL DEFAULT false,
    PRIMARY KEY (division_code, valid_from),
    CONSTRAINT division_location_ends_after_start CHECK (valid_to > valid_from),
    CONSTRAINT division_location_one_at_a_time
        EXCLUDE USING gist (division_code WITH =, daterange(valid_from, valid_to) WITH &&)
);
CREATE UNIQUE INDEX division_location_current ON division_location (division_code text_pattern_ops)
 WHERE valid_to IS NULL;
CREATE INDEX division_location_location_3857 ON division_location USING gist (location_3857)
 WHERE valid_to IS NULL;
COMMENT ON TABLE division_location IS '行政区划位置（行政村所在地，各有效期）';
COMMENT ON COLUMN division_location.division_code IS '区划代码';
COMMENT ON COLUMN division_location.valid_from IS '生效日期（含）';
COMMENT ON COLUMN division_location.valid_to IS '失效日期（不含），空为现行';
COMMENT ON COLUMN division_location.location IS '位置，EPSG:4490';
COMMENT ON COLUMN division_location.location_3857 IS '位置，EPSG:3857（供瓦片使用，由位置算得）';
COMMENT ON COLUMN division_location.is_demo IS '是否演示数据（虚构的位置）';

-- A natural village as it is now, or as it was when it ended. Its code begins with the code of its
-- village: one that moves to another village gets another code and leaves this one behind.
CREATE TABLE natural_village (
    code          text PRIMARY KEY,
    division_code text NOT NULL GENERATED ALWAYS AS (left(code, 12)) STORED
        REFERENCES admin_division,
    name          text NOT NULL,
    location      geometry(Point, 4490) NOT NULL,
    location_3857 geometry(Point, 3857) NOT NULL
        GENERATED ALWAYS AS (ST_Transform(location, 3857)) STORED,
    valid_from    date NOT NULL,
    valid_to      date,
    end_reason    text,
    is_demo       boolean NOT NULL DEFAULT false,
    CONSTRAINT natural_village_within_division UNIQUE (code, division_code),
    CONSTRAINT natural_village_code_is_15_digits CHECK (code ~ '^[0-9]{15}$'),
    CONSTRAINT natural_village_named CHECK (btrim(name) <> ''),
    CONSTRAINT natural_village_ends_after_start CHECK (valid_to > valid_from),
    CONSTRAINT natural_village_end_has_reason
        CHECK ((valid_to IS NULL) = (end_reason IS NULL) AND btrim(end_reason) <> '')
);
CREATE INDEX natural_village_current ON natural_village (code text_pattern_ops)
 WHERE valid_to IS NULL;
CREATE INDEX natural_village_location_3857 ON natural_village USING gist (location_3857)
 WHERE valid_to IS NULL;
COMMENT ON TABLE natural_village IS '自然村（现行或终止时的名称与位置）';
COMMENT ON COLUMN natural_village.code IS '自然村代码：12 位行政村代码加 3 位顺序码，终止后不再使用';
COMMENT ON COLUMN natural_village.division_code IS '所属行政村代码';
COMMENT ON COLUMN natural_village.name IS '名称';
COMMENT ON COLUMN natural_village.location IS '位置，EPSG:4490';
COMMENT ON COLUMN natural_village.location_3857 IS '位置，EPSG:3857（供瓦片使用，由位置算得）';
COMMENT ON COLUMN natural_village.valid_from IS '现名称与位置的生效日期（含）';
COMMENT ON COLUMN natural_village.valid_to IS '终止日期（不含），空为现行';
COMMENT ON COLUMN natural_village.end_reason IS '终止原因：并入、拆分、搬迁、撤销等';
COMMENT ON COLUMN natural_village.is_demo IS '是否演示数据（虚构的名称与位置）';

CREATE TABLE natural_village_former (
    code       text NOT NULL REFERENCES natural_village,
    valid_from date NOT NULL,
    valid_to   date NOT NULL,
    name       text NOT NULL,
    location   geometry(Point, 4490) NOT NULL,
    is_demo    boolean NOT NULL,
    PRIMARY KEY (code, valid_from),
    CONSTRAINT natural_village_former_ends_after_start CHECK (valid_to > valid_from),
    CONSTRAINT natural_village_former_one_at_a_time
        EXCLUDE USING gist (code WITH =, daterange(valid_from, valid_to) WITH &&)
);
COMMENT ON TABLE natural_village_former IS '自然村曾用名称与位置（由变更触发，只增不改）';
COMMENT ON COLUMN natural_village_former.code IS '自然村代码';
COMMENT ON COLUMN natural_village_former.valid_from IS '生效日期（含）';
COMMENT ON COLUMN natural_village_former.valid_to IS '失效日期（不含）';
COMMENT ON COLUMN natural_village_former.name IS '名称';
COMMENT ON COLUMN natural_village_former.location IS '位置，EPSG:4490';
COMMENT ON COLUMN natural_village_former.is_demo IS '是否演示数据（虚构的名称与位置）';

-- Merged: several codes with one successor. Split: one code with several.
CREATE TABLE natural_village_successor (
    code           text NOT NULL REFERENCES natural_village,
    successor_code text NOT NULL REFERENCES natural_village,
    since          date NOT NULL,
    PRIMARY KEY (code, successor_code),
    CONSTRAINT natural_village_successor_is_another CHECK (code <> successor_code)
);
CREATE INDEX natural_village_successor_successor_code
    ON natural_village_successor (successor_code);
COMMENT ON TABLE natural_village_successor IS '自然村承继关系（合并、拆分、改隶后的新代码）';
COMMENT ON COLUMN natural_village_successor.code IS '原代码';
COMMENT ON COLUMN natural_village_successor.successor_code IS '承继者代码';
COMMENT ON COLUMN natural_village_successor.since IS '承继日期';

CREATE TABLE admin_division_successor (
    code           text NOT NULL REFERENCES admin_division,
    successor_code text NOT NULL REFERENCES admin_division,
    since          date NOT NULL,
    PRIMARY KEY (code, successor_code),
    CONSTRAINT admin_division_successor_is_another CHECK (code <> successor_code)
);
CREATE INDEX admin_division_successor_successor_code
    ON admin_division_successor (successor_code);
COMMENT ON TABLE admin_division_successor IS '行政区划承继关系（合并、拆分、改隶后的新代码）';
COMMENT ON COLUMN admin_division_successor.code IS '原代码';
COMMENT ON COLUMN admin_division_successor.successor_code IS '承继者代码';
COMMENT ON COLUMN admin_division_successor.since IS '承继日期';

-- A later name or place sets the earlier one aside; the same day corrects it. What has ended stays
-- as it ended: to give it life again would be to give its code a second time.
CREATE FUNCTION keep_natural_village() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF TG_OP = 'DELETE' OR NEW.code <> OLD.code OR OLD.valid_to IS NOT NULL THEN
        RAISE EXCEPTION 'natural village % keeps its code and its end', OLD.code
            USING ERRCODE = 'check_violation', CONSTRAINT = 'natural_village_code_used_once';
    ELSIF NEW.valid_from < OLD.valid_from THEN
        RAISE EXCEPTION 'natural village % has a later state', OLD.code
            USING ERRCODE = 'check_violation', CONSTRAINT = 'natural_village_changes_in_order';
    ELSIF NEW.valid_from > OLD.valid_from THEN
        INSERT INTO natural_village_former
        VALUES (OLD.code, OLD.valid_from, NEW.valid_from, OLD.name, OLD.location, OLD.is_demo);
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER natural_village_kept BEFORE UPDATE OR DELETE ON natural_village
   FOR EACH ROW EXECUTE FUNCTION keep_natural_village();

CREATE FUNCTION natural_village_on(day date)
RETURNS TABLE (code text, division_code text, name text, location geometry, is_demo boolean)
LANGUAGE sql STABLE AS $$
    SELECT code, division_code, name, location, is_demo
      FROM natural_village
     WHERE valid_from <= day AND (valid_to IS NULL OR day < valid_to)
     UNION ALL
    SELECT code, left(code, 12), name, location, is_demo
      FROM natural_village_former
     WHERE valid_from <= day AND day < valid_to
$$;

SELECT audit_table('division_location');
SELECT audit_table('natural_village');
SELECT audit_table('natural_village_former');
SELECT audit_table('natural_village_successor');
SELECT audit_table('admin_division_successor');
GRANT SELECT ON division_location, natural_village, natural_village_former
    , natural_village_successor, admin_division_successor TO portal_app;
REVOKE ALL ON FUNCTION keep_natural_village() FROM PUBLIC;
