-- Settings keep what they were: the lateness limits of a past day are those it was shown with.
CREATE TABLE portal_setting_history (
    portal_setting_history_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name        text NOT NULL REFERENCES portal_setting,
    value       jsonb NOT NULL,
    in_force_at timestamptz NOT NULL
);
CREATE INDEX portal_setting_history_name ON portal_setting_history (name, in_force_at DESC);
COMMENT ON TABLE portal_setting_history IS '门户设置（历次取值）';
COMMENT ON COLUMN portal_setting_history.portal_setting_history_id IS '标识';
COMMENT ON COLUMN portal_setting_history.name IS '设置名';
COMMENT ON COLUMN portal_setting_history.value IS '取值';
COMMENT ON COLUMN portal_setting_history.in_force_at IS '生效时间';

-- What an installation starts with holds for all its past.
INSERT INTO portal_setting_history (name, value, in_force_at)
SELECT name, value, '-infinity' FROM portal_setting;

CREATE FUNCTION keep_setting_history() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
BEGIN
    INSERT INTO portal_setting_history (name, value, in_force_at)
    VALUES (NEW.name, NEW.value, CASE TG_OP WHEN 'INSERT' THEN '-infinity' ELSE now() END);
    INSERT INTO dashboard_change DEFAULT VALUES;
    RETURN NULL;
END
$$;
CREATE TRIGGER portal_setting_inserted AFTER INSERT ON portal_setting
   FOR EACH ROW EXECUTE FUNCTION keep_setting_history();
CREATE TRIGGER portal_setting_changed AFTER UPDATE OF value ON portal_setting
   FOR EACH ROW WHEN (OLD.value IS DISTINCT FROM NEW.value) EXECUTE FUNCTION keep_setting_history();

GRANT SELECT ON portal_setting_history TO portal_app;
