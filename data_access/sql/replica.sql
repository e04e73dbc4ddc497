-- name: position
-- How far a server has come in the write-ahead log, and whose log it is. Every commit that anyone
-- has seen is on the primary's disk, so it stands before the flushed position.
SELECT CAST(system_identifier AS text) AS cluster
     , pg_is_in_recovery() AS is_replica
     , CAST(CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn()
                 ELSE pg_current_wal_flush_lsn() END AS text) AS lsn
  FROM pg_control_system()

-- name: primary_lsn
SELECT CAST(pg_current_wal_flush_lsn() AS text)

-- name: has_replayed
-- Tell a replica alone: one that was promoted goes its own way.
SELECT pg_is_in_recovery() AND pg_last_wal_replay_lsn() >= CAST(:lsn AS pg_lsn)
