-- name: begin_bulk_load
-- The triggers of the trail stand back for the owner; the load logs itself as one entry.
SELECT set_config('app.bulk_load', 'on', true)

-- name: end_bulk_load
SELECT set_config('app.bulk_load', 'off', true)

-- name: log_bulk_load
SELECT log_bulk_load(:table_name, :row_count, :digest, :action)
