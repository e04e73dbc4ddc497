-- Officers correct where a village or a natural village lies; and they attach files to what they file.

-- POSITIONS: a correction is a row of its own, within the officer's scope; the trigger carries it
-- out. The tables of places stay without policies, which would disable their spatial indexes.
CREATE TABLE position_correction (
    correction_id   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    code            text NOT NULL,
    division_code   text NOT NULL GENERATED ALWAYS AS (left(code, 12)) STORED
        REFERENCES admin_division,
    location        geometry(Point, 4490) NOT NULL,
    former_location geometry(Point, 4490),
    valid_from      date NOT NULL,
    reason          text,
    restores        bigint REFERENCES position_correction,
    user_id         bigint NOT NULL DEFAULT actor_user_id() REFERENCES account,
    corrected_at    timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT position_correction_restored_once UNIQUE (restores),
    CONSTRAINT position_correction_reason_is_short CHECK (length(reason) <= 200),
    CONSTRAINT position_correction_reason_says_something CHECK (btrim(reason) <> '')
);
CREATE INDEX position_correction_division_code ON position_correction (division_code, code, correction_id);
CREATE INDEX position_correction_user_id ON position_correction (user_id);
COMMENT ON TABLE position_correction IS '位置更正（行政村、自然村，只增不改；由触发器落到现行位置）';
COMMENT ON COLUMN position_correction.correction_id IS '更正标识';
COMMENT ON COLUMN position_correction.code IS '行政村或自然村代码';
COMMENT ON COLUMN position_correction.division_code IS '所属行政村代码';
COMMENT ON COLUMN position_correction.location IS '更正后的位置，EPSG:4490';
COMMENT ON COLUMN position_correction.former_location IS '更正前的位置，EPSG:4490；空为原无位置';
COMMENT ON COLUMN position_correction.valid_from IS '生效日期（含）';
COMMENT ON COLUMN position_correction.reason IS '更正理由（移动较远或移出所属乡镇时必填）';
COMMENT ON COLUMN position_correction.restores IS '恢复的是哪一次更正前的位置';
COMMENT ON COLUMN position_correction.user_id IS '更正人';
COMMENT ON COLUMN position_correction.corrected_at IS '更正时间';

CREATE FUNCTION correct_position() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    invented boolean;
BEGIN
    IF EXISTS (SELECT FROM division_boundary
                WHERE code = left(NEW.code, 6) AND valid_from <= NEW.valid_from
                  AND (valid_to IS NULL OR NEW.valid_from < valid_to)
                  AND NOT ST_Covers(boundary, NEW.location)) THEN
        RAISE EXCEPTION '% would lie outside its county', NEW.code
            USING ERRCODE = 'check_violation', CONSTRAINT = 'position_correction_inside_county';
    END IF;
    IF length(NEW.code) = 15 THEN
        SELECT location INTO NEW.former_location
          FROM natural_village WHERE code = NEW.code AND valid_to IS NULL FOR UPDATE;
        UPDATE natural_village
           SET location = NEW.location, valid_from = NEW.valid_from
         WHERE code = NEW.code AND valid_to IS NULL;
    ELSE
        SELECT location, is_demo INTO NEW.former_location, invented
          FROM division_location WHERE division_code = NEW.code AND valid_to IS NULL FOR UPDATE;
        UPDATE division_location SET valid_to = NEW.valid_from
         WHERE division_code = NEW.code AND valid_to IS NULL AND valid_from < NEW.valid_from;
        INSERT INTO division_location (division_code, valid_from, location, is_demo)
        SELECT code, NEW.valid_from, NEW.location, coalesce(invented, false)
          FROM division_on(NEW.valid_from) WHERE code = NEW.code AND level = 'village'
            ON CONFLICT (division_code, valid_from) DO UPDATE SET location = excluded.location;
    END IF;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no village %', NEW.code
            USING ERRCODE = 'check_violation', CONSTRAINT = 'position_correction_of_village';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER position_correction_carried_out BEFORE INSERT ON position_correction
   FOR EACH ROW EXECUTE FUNCTION correct_position();
REVOKE ALL ON FUNCTION correct_position() FROM PUBLIC;

SELECT audit_table('position_correction');
ALTER TABLE position_correction ENABLE ROW LEVEL SECURITY;
CREATE POLICY position_correction_in_scope ON position_correction FOR SELECT TO portal_app
    USING (division_code ^@ ANY ((SELECT actor_prefixes())::text[]));
CREATE POLICY position_correction_by_officer ON position_correction FOR INSERT TO portal_app
    WITH CHECK (division_code ^@ ANY ((SELECT actor_prefixes())::text[])
                AND user_id = actor_user_id()
                AND actor_roles() && '{township,county}');
GRANT SELECT, INSERT (code, location, valid_from, reason, restores) ON position_correction TO portal_app;

-- FILES: the officers who file for villages upload what belongs to them.
UPDATE upload_use SET title = '佐证材料与附件', roles = '{city,county,township}' WHERE use = 'evidence';
