-- name: send
INSERT INTO inbox_message (role, division_code, title, body, link, source_table, source_id)
VALUES (:role, :division_code, :title, :body, :link, :source_table, :source_id)

-- name: list_messages
SELECT inbox_message_id, message.role, message.division_code
     , coalesce(division.name, message.division_code) AS division_name
     , message.title, message.body, message.link, message.sent_at, reading.read_at
  FROM inbox_message AS message
  LEFT JOIN division_on(current_date) AS division ON division.code = message.division_code
  LEFT JOIN inbox_reading AS reading USING (inbox_message_id)
 WHERE NOT CAST(:unread_only AS boolean) OR reading.read_at IS NULL
 ORDER BY message.sent_at DESC, inbox_message_id DESC
 LIMIT :limit

-- name: count_unread
-- The reader's own row alone is visible, so a missing one means unread.
SELECT count(*)
  FROM inbox_message
 WHERE NOT EXISTS (SELECT FROM inbox_reading
                    WHERE inbox_reading.inbox_message_id = inbox_message.inbox_message_id)

-- name: mark_read
INSERT INTO inbox_reading (inbox_message_id, user_id)
SELECT inbox_message_id, :user_id
  FROM inbox_message
 WHERE inbox_message_id = ANY (CAST(:message_ids AS bigint[]))
    ON CONFLICT (inbox_message_id, user_id) DO NOTHING
