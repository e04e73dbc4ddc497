-- Fourteen thousand villages looked up by code, and filed by the thousand.

-- The index behind the exclusion constraint answers the same question ten to a hundred times as
-- slowly, and the planner takes it as readily; one that holds all that division_on() asks is
-- cheaper in its eyes too.
CREATE INDEX admin_division_version_by_code ON admin_division_version (code, valid_from, valid_to)
       INCLUDE (name, kind, parent_code);
CREATE INDEX division_location_by_code ON division_location (division_code, valid_from, valid_to)
       INCLUDE (location);

-- A decision on a village's report shows on no dashboard of cities and counties: it must not make
-- every cache of them read anew, twenty times a second before a deadline.
CREATE FUNCTION note_decisions_on_dashboard() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT
                 FROM added
                 JOIN submission USING (submission_id)
                 JOIN reporting_period AS period USING (period_id)
                 JOIN form_version AS form
                   ON form.form_code = period.form_code AND form.version = period.form_version
                WHERE NOT form.filed_from_above) THEN
        INSERT INTO dashboard_change DEFAULT VALUES;
    END IF;
    RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION note_decisions_on_dashboard() FROM PUBLIC;
DROP TRIGGER review_event_on_dashboard ON review_event;
CREATE TRIGGER review_event_on_dashboard AFTER INSERT ON review_event
       REFERENCING NEW TABLE AS added
       FOR EACH STATEMENT EXECUTE FUNCTION note_decisions_on_dashboard();
