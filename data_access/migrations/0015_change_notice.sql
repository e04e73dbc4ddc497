-- Every process hears of a change when it commits: what it keeps in memory is then read anew.
-- The notice carries a topic and no data; equal notices of one transaction are one.
CREATE FUNCTION tell_change() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('portal_change', TG_ARGV[0]);
    RETURN NULL;
END
$$;

CREATE TRIGGER dashboard_change_told AFTER INSERT ON dashboard_change
   FOR EACH STATEMENT EXECUTE FUNCTION tell_change('dashboard');
CREATE TRIGGER portal_setting_told AFTER INSERT OR UPDATE OR DELETE ON portal_setting
   FOR EACH STATEMENT EXECUTE FUNCTION tell_change('settings');
CREATE TRIGGER plan_stage_told AFTER INSERT OR UPDATE OR DELETE ON plan_stage
   FOR EACH STATEMENT EXECUTE FUNCTION tell_change('settings');
CREATE TRIGGER map_layer_told AFTER INSERT OR UPDATE OR DELETE ON map_layer
   FOR EACH STATEMENT EXECUTE FUNCTION tell_change('map');
CREATE TRIGGER admin_division_version_told AFTER INSERT OR UPDATE OR DELETE ON admin_division_version
   FOR EACH STATEMENT EXECUTE FUNCTION tell_change('map');
CREATE TRIGGER form_version_told AFTER INSERT OR UPDATE OR DELETE ON form_version
   FOR EACH STATEMENT EXECUTE FUNCTION tell_change('forms');
CREATE TRIGGER form_field_told AFTER INSERT OR UPDATE OR DELETE ON form_field
   FOR EACH STATEMENT EXECUTE FUNCTION tell_change('forms');
CREATE TRIGGER code_item_told AFTER INSERT OR UPDATE OR DELETE ON code_item
   FOR EACH STATEMENT EXECUTE FUNCTION tell_change('forms');
CREATE TRIGGER inbox_message_told AFTER INSERT ON inbox_message
   FOR EACH STATEMENT EXECUTE FUNCTION tell_change('inbox');
CREATE TRIGGER inbox_reading_told AFTER INSERT ON inbox_reading
   FOR EACH STATEMENT EXECUTE FUNCTION tell_change('inbox');
