-- name: take_waiting
-- Two workers take different events; the older ones go first.
SELECT event_id, topic, subject, payload, created_at
  FROM outbox_event
 WHERE delivered_at IS NULL
 ORDER BY created_at, event_id
 LIMIT :limit
   FOR UPDATE SKIP LOCKED

-- name: mark_delivered
UPDATE outbox_event SET delivered_at = clock_timestamp() WHERE event_id = :event_id
