-- A list of the villages in a state is read in its order, also where few of a province are in it.
CREATE INDEX submission_state ON submission (period_id, state, division_code);
