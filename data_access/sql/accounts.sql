-- name: list_accounts
-- Locked as the sign-in reckons it: five uncleared failures within 15 minutes, 15 minutes ago.
SELECT account.user_id, account.username, account.display_name, account.organisation
     , account.phone, account.must_change_password, account.is_demo, account.created_at
     , account.disabled_at, lock.locked_until, entry.last_signed_in_at
     , coalesce(sessions.open_sessions, 0) AS open_sessions
  FROM account
  LEFT JOIN LATERAL (
      SELECT max(happened_at) + interval '15 minutes' AS locked_until
        FROM (SELECT happened_at FROM sign_in_failure
               WHERE sign_in_failure.username = account.username AND cleared_at IS NULL
                 AND happened_at > clock_timestamp() - interval '30 minutes'
               ORDER BY happened_at DESC LIMIT 5) AS latest
      HAVING count(*) = 5
         AND max(happened_at) - min(happened_at) <= interval '15 minutes'
         AND max(happened_at) + interval '15 minutes' > clock_timestamp()) AS lock ON true
  LEFT JOIN (
      SELECT user_id, max(created_at) AS last_signed_in_at
        FROM portal_session GROUP BY user_id) AS entry USING (user_id)
  LEFT JOIN (
      SELECT user_id, count(*) AS open_sessions
        FROM portal_session
       WHERE revoked_at IS NULL AND expires_at > now()
         AND last_seen_at > now() - make_interval(mins => (
                 SELECT CAST(value AS integer) FROM portal_setting
                  WHERE name = 'session_idle_minutes'))
       GROUP BY user_id) AS sessions USING (user_id)
 WHERE account.username <> 'system'
 ORDER BY account.disabled_at IS NOT NULL, account.username

-- name: list_grants
SELECT account_grant.grant_id, account_grant.user_id, account_grant.role
     , account_grant.division_code, coalesce(division.name, '') AS division_name
     , account_grant.subject, account_grant.valid_from, account_grant.valid_to
  FROM account_grant
  LEFT JOIN division_on(:today) AS division ON division.code = account_grant.division_code
 WHERE CAST(:user_id AS bigint) IS NULL OR account_grant.user_id = :user_id
 ORDER BY account_grant.user_id, account_grant.valid_from, account_grant.grant_id

-- name: grantable_divisions
SELECT code, name, level FROM division_on(:today) ORDER BY code

-- name: user_id_of
SELECT user_id FROM account WHERE username = :username AND username <> 'system'

-- name: username_of
SELECT username, password_hash FROM account WHERE user_id = :user_id AND username <> 'system'

-- name: insert_account
INSERT INTO account (username, display_name, organisation, phone, password_hash
                   , password_changed_at, must_change_password, is_demo)
VALUES (:username, :display_name, :organisation, :phone, :password_hash
      , now(), :must_change_password, :is_demo)
RETURNING user_id

-- name: insert_grant
INSERT INTO account_grant (user_id, role, division_code, prefix, subject, valid_from, valid_to
                         , granted_by)
SELECT :user_id, :role, code, prefix, :subject, :valid_from, :valid_to, :granted_by
  FROM admin_division WHERE code = :division_code
RETURNING grant_id

-- name: end_grant
-- A grant that has not begun yet ends on its first day: it never holds.
UPDATE account_grant SET valid_to = greatest(CAST(:today AS date), valid_from)
 WHERE grant_id = :grant_id AND (valid_to IS NULL OR valid_to > greatest(CAST(:today AS date), valid_from))
RETURNING user_id

-- name: set_password
UPDATE account
   SET password_hash = :password_hash, password_changed_at = now()
     , must_change_password = :must_change_password
 WHERE user_id = :user_id

-- name: set_disabled
UPDATE account
   SET disabled_at = CASE WHEN :disabled THEN coalesce(disabled_at, now()) END
 WHERE user_id = :user_id

-- name: clear_failures
UPDATE sign_in_failure SET cleared_at = clock_timestamp()
 WHERE username = :username AND cleared_at IS NULL

-- name: insert_event
INSERT INTO account_event (user_id, kind) VALUES (:user_id, :kind)

-- name: system_actor
-- The whole of the province: the divisions that nothing stands above today.
SELECT account.user_id, account.display_name, division.code, division.prefix
  FROM account
  LEFT JOIN division_on(:today) AS division ON division.parent_code IS NULL
 WHERE account.username = 'system'
