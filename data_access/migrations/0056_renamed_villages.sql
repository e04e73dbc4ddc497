-- A village that is renamed stays on the map. Its old name ends first: then it has no name of today,
-- leaves the grid, and was not found there any more when its new name came. Its place tells.
CREATE OR REPLACE FUNCTION recount_renamed_villages() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    renamed text[] := (SELECT array_agg(DISTINCT changed.code)
                         FROM changed
                         JOIN division_location AS place
                           ON place.division_code = changed.code AND place.valid_to IS NULL);
BEGIN
    IF renamed IS NOT NULL THEN
        PERFORM count_village_grid('village', renamed);
    END IF;
    RETURN NULL;
END
$$;

-- What an earlier release lost.
SELECT count_village_grid('village', array_agg(point.code))
  FROM village_point AS point
 WHERE NOT EXISTS (SELECT FROM village_grid
                    WHERE layer_code = 'village' AND division_code = point.code)
HAVING count(*) > 0;
