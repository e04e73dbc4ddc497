-- Fourteen thousand villages looked up by code, and filed by the thousand.

-- The index behind such a constraint also answers where code = …, ten to a hundred times as slowly as
-- the primary key, and the planner takes it as readily. Over an expression it serves the constraint
-- alone.
ALTER TABLE admin_division_version
      DROP CONSTRAINT admin_division_version_one_at_a_time
    , ADD CONSTRAINT admin_division_version_one_at_a_time
          EXCLUDE USING gist ((code || '') WITH =, daterange(valid_from, valid_to) WITH &&);
ALTER TABLE division_location
      DROP CONSTRAINT division_location_one_at_a_time
    , ADD CONSTRAINT division_location_one_at_a_time
          EXCLUDE USING gist ((division_code || '') WITH =, daterange(valid_from, valid_to) WITH &&);
ALTER TABLE natural_village_former
      DROP CONSTRAINT natural_village_former_one_at_a_time
    , ADD CONSTRAINT natural_village_former_one_at_a_time
          EXCLUDE USING gist ((code || '') WITH =, daterange(valid_from, valid_to) WITH &&);

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
