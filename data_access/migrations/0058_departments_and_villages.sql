-- A department's grant is on its indicators. What villages answered is not among them, whichever way
-- it asks: pages were closed to it, tiles and sums were not.
CREATE POLICY filed_village_evaluation_not_for_departments ON filed_village_evaluation
    AS RESTRICTIVE TO portal_app USING ((SELECT NOT actor_is_department()));
CREATE POLICY filed_natural_village_evaluation_not_for_departments ON filed_natural_village_evaluation
    AS RESTRICTIVE TO portal_app USING ((SELECT NOT actor_is_department()));
CREATE POLICY accepted_village_evaluation_not_for_departments ON accepted_village_evaluation
    AS RESTRICTIVE TO portal_app USING ((SELECT NOT actor_is_department()));
CREATE POLICY accepted_natural_village_evaluation_not_for_departments ON accepted_natural_village_evaluation
    AS RESTRICTIVE TO portal_app USING ((SELECT NOT actor_is_department()));
CREATE POLICY village_sign_not_for_departments ON village_sign
    AS RESTRICTIVE TO portal_app USING ((SELECT NOT actor_is_department()));
CREATE POLICY village_rollup_not_for_departments ON village_rollup
    AS RESTRICTIVE TO portal_app USING ((SELECT NOT actor_is_department()));
