-- name: look_now
SELECT CAST(pg_current_snapshot() AS text)

-- name: list_moved
-- What was committed between two looks, and the look this is: a transaction counts when it ends, so
-- none is missed that began earlier than others and ended later.
SELECT CAST(pg_current_snapshot() AS text) AS seen
     , ARRAY(SELECT DISTINCT county_code FROM village_moved
              WHERE county_code IS NOT NULL
                AND transaction_id >= pg_snapshot_xmin(CAST(:seen AS pg_snapshot))
                AND NOT pg_visible_in_snapshot(transaction_id, CAST(:seen AS pg_snapshot))) AS counties
