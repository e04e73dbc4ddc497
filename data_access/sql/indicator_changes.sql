-- name: lock
-- One change after the other: the second sees what the first one wrote.
SELECT pg_advisory_xact_lock(hashtext('indicator_changes'))
     , set_config('statement_timeout', '2min', true)
