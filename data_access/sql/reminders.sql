-- name: answer_due_on
SELECT add_working_days(CAST(:today AS date), coalesce(
           (SELECT CAST(value AS integer) FROM portal_setting
             WHERE name = 'reminder_answer_working_days'), 3))

-- name: insert_reminders
-- reminder_once_a_day decides, so that two senders at once remind a unit once.
INSERT INTO reminder (division_code, topic, form_code, message, sent_by, answer_due_on)
SELECT division_code, topic, form_code, btrim(message), :sent_by, :answer_due_on
  FROM unnest(CAST(:codes AS text[]), CAST(:topics AS text[]), CAST(:form_codes AS text[])
            , CAST(:messages AS text[]))
    AS chosen (division_code, topic, form_code, message)
    ON CONFLICT DO NOTHING
RETURNING reminder_id, division_code, topic

-- name: list_reminders
SELECT reminder.reminder_id, reminder.division_code
     , coalesce(division.name, reminder.division_code) AS division_name
     , coalesce(parent.name, '') AS parent_name
     , identity.prefix, reminder.topic, reminder.message
     , sender.display_name AS sent_by_name, reminder.sent_at, reminder.answer_due_on
     , CASE WHEN answered.yes THEN answerer.display_name END AS acknowledged_by_name
     , CASE WHEN answered.yes THEN reminder.acknowledged_at END AS acknowledged_at
     , CASE WHEN answered.yes THEN reminder.reply END AS reply
     , CASE WHEN CAST(:moment AS timestamptz) IS NULL OR reminder.escalated_at <= :moment
            THEN reminder.escalated_at END AS escalated_at
  FROM reminder
  JOIN admin_division AS identity ON identity.code = reminder.division_code
  LEFT JOIN division_on(current_date) AS division ON division.code = reminder.division_code
  LEFT JOIN division_on(current_date) AS parent ON parent.code = division.parent_code
  JOIN account AS sender ON sender.user_id = reminder.sent_by
  LEFT JOIN account AS answerer ON answerer.user_id = reminder.acknowledged_by
 CROSS JOIN LATERAL (
      SELECT CAST(:moment AS timestamptz) IS NULL OR reminder.acknowledged_at <= :moment AS yes
      ) AS answered
 WHERE (CAST(:division_code AS text) IS NULL OR reminder.division_code = :division_code)
   AND (CAST(:reminder_id AS bigint) IS NULL OR reminder.reminder_id = :reminder_id)
   AND (CAST(:moment AS timestamptz) IS NULL OR reminder.sent_at <= :moment)
 ORDER BY reminder.sent_at DESC, reminder.reminder_id DESC
 LIMIT :limit

-- name: acknowledge
UPDATE reminder
   SET acknowledged_by = :user_id
     , acknowledged_at = now()
     , reply = :reply
 WHERE reminder_id = :reminder_id
   AND acknowledged_at IS NULL

-- name: list_sender_desks
-- Grants that have ended count too: the message reaches whoever holds the desk today.
SELECT DISTINCT account_grant.role, account_grant.division_code
  FROM reminder
  JOIN account_grant ON account_grant.user_id = reminder.sent_by
   AND account_grant.role = ANY (CAST(:roles AS text[]))
   AND reminder.division_code ^@ account_grant.prefix
 WHERE reminder.reminder_id = :reminder_id

-- name: escalate_due
WITH escalated AS (
    UPDATE reminder
       SET escalated_at = now()
     WHERE acknowledged_at IS NULL
       AND escalated_at IS NULL
       AND answer_due_on < CAST(:today AS date)
    RETURNING reminder_id, division_code, answer_due_on
)
SELECT escalated.reminder_id, escalated.division_code, division.name AS division_name
     , escalated.answer_due_on, parent.code AS parent_code, parent.level AS parent_level
  FROM escalated
  JOIN division_on(CAST(:today AS date)) AS division ON division.code = escalated.division_code
  JOIN admin_division AS parent ON parent.code = division.parent_code
 ORDER BY escalated.reminder_id
