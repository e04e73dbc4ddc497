-- Of whose villages' reports have moved the processes hear by looking, not by NOTIFY: that makes all
-- commits that tell something go one after the other, and on the last evening every filing does.

-- Nothing of it is worth keeping: after a crash every process reads anew whatever it had in memory.
CREATE UNLOGGED TABLE village_moved (
    county_code    text,
    transaction_id xid8 NOT NULL DEFAULT pg_current_xact_id(),
    settled        xid8
);
COMMENT ON TABLE village_moved IS '村庄填报变动（供各进程得知哪些县的缓存已过时，看过即删）';
COMMENT ON COLUMN village_moved.county_code IS '村庄有变动的县，为空的行是清理记录';
COMMENT ON COLUMN village_moved.transaction_id IS '变动所在的事务，与快照比较即知是否已看过';
COMMENT ON COLUMN village_moved.settled IS '清理记录：此前的事务在清理时均已结束';
CREATE INDEX village_moved_transaction_id ON village_moved (transaction_id);
GRANT SELECT ON village_moved TO portal_app;

CREATE OR REPLACE FUNCTION tell_villages_changed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO village_moved (county_code)
    SELECT DISTINCT left(division_code, 6) FROM changed WHERE form_code = 'village_evaluation';
    RETURN NULL;
END
$$;

-- What had ended when this was called last has been seen by all since: they look every second.
CREATE FUNCTION forget_village_moves() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    DELETE FROM village_moved WHERE transaction_id < (SELECT max(settled) FROM village_moved);
    INSERT INTO village_moved (settled) VALUES (pg_snapshot_xmin(pg_current_snapshot()));
END
$$;
REVOKE ALL ON FUNCTION tell_villages_changed(), forget_village_moves() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION forget_village_moves() TO portal_app;
