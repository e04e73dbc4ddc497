-- name: lock_username
-- Attempts for one name come one after the other, whichever process takes them: otherwise a
-- hundred at once would all see four failures.
SELECT pg_advisory_xact_lock(hashtextextended(:username, 8501))

-- name: locked_until
-- Locked are 15 minutes from the fifth failure of 15 minutes; a locked name gathers no more.
SELECT max(happened_at) + interval '15 minutes' AS until
  FROM (SELECT happened_at FROM sign_in_failure
         WHERE username = :username AND cleared_at IS NULL
         ORDER BY happened_at DESC LIMIT 5) AS latest
HAVING count(*) = 5
   AND max(happened_at) - min(happened_at) <= interval '15 minutes'
   AND max(happened_at) + interval '15 minutes' > clock_timestamp()

-- name: address_failures
SELECT count(*) FROM sign_in_failure
 WHERE address = :address AND cleared_at IS NULL
   AND happened_at > clock_timestamp() - interval '15 minutes'

-- name: insert_failure
INSERT INTO sign_in_failure (username, address) VALUES (:username, :address)
RETURNING sign_in_failure_id

-- name: password_of
SELECT user_id, display_name, password_hash
  FROM account WHERE username = :username AND disabled_at IS NULL

-- name: clear_failures
UPDATE sign_in_failure SET cleared_at = clock_timestamp()
 WHERE username = :username AND cleared_at IS NULL

-- name: act_as
SELECT set_config('app.user_id', :user_id, true)

-- name: insert_event
INSERT INTO account_event (user_id, kind, address) VALUES (:user_id, :kind, :address)

-- name: insert_ticket
INSERT INTO sign_in_ticket (ticket_hash, user_id) VALUES (:ticket_hash, :user_id)

-- name: take_ticket
UPDATE sign_in_ticket SET used_at = clock_timestamp()
 WHERE ticket_hash = :ticket_hash AND used_at IS NULL
   AND created_at > clock_timestamp() - interval '60 seconds'
RETURNING user_id

-- name: insert_session
INSERT INTO portal_session (token_hash, user_id, expires_at, address, user_agent)
SELECT :token_hash, user_id
     , now() + make_interval(mins => CAST(60 * (
           SELECT CAST(value AS numeric) FROM portal_setting WHERE name = 'session_hours') AS integer))
     , :address, :user_agent
  FROM account WHERE user_id = :user_id AND disabled_at IS NULL
RETURNING session_id, CAST(extract(epoch FROM expires_at - now()) AS integer) AS seconds

-- name: find_actor
-- An object for each grant of today (one without a grant where there is none), in one value.
SELECT json_agg(found ORDER BY found.grant_id)
  FROM (SELECT account.user_id, account.display_name, account.must_change_password
             , portal_session.session_id
             , portal_session.last_seen_at < now() - interval '1 minute' AS seen_long_ago
             , post.grant_id, post.role, post.division_code, post.prefix, post.subject
          FROM portal_session
          JOIN account USING (user_id)
          LEFT JOIN account_grant AS post
            ON post.user_id = account.user_id
           AND post.valid_from <= :today AND (post.valid_to IS NULL OR :today < post.valid_to)
         WHERE portal_session.token_hash = :token_hash
           AND portal_session.revoked_at IS NULL
           AND portal_session.expires_at > now()
           AND portal_session.last_seen_at > now() - make_interval(mins => (
                   SELECT CAST(value AS integer) FROM portal_setting WHERE name = 'session_idle_minutes'))
           AND account.disabled_at IS NULL) AS found

-- name: actor_today
SELECT account.user_id, account.display_name, account.must_change_password
     , account_grant.role, account_grant.division_code, account_grant.prefix, account_grant.subject
  FROM account
  LEFT JOIN account_grant
    ON account_grant.user_id = account.user_id
   AND account.disabled_at IS NULL
   AND account_grant.valid_from <= :today
   AND (account_grant.valid_to IS NULL OR :today < account_grant.valid_to)
 WHERE account.user_id = :user_id
 ORDER BY account_grant.grant_id

-- name: touch_session
UPDATE portal_session SET last_seen_at = now() WHERE session_id = :session_id

-- name: alive_tokens
SELECT token_hash
  FROM portal_session JOIN account USING (user_id)
 WHERE token_hash = ANY (CAST(:token_hashes AS bytea[]))
   AND revoked_at IS NULL
   AND expires_at > now()
   AND last_seen_at > now() - make_interval(mins => (
           SELECT CAST(value AS integer) FROM portal_setting WHERE name = 'session_idle_minutes'))
   AND disabled_at IS NULL

-- name: end_session
UPDATE portal_session SET revoked_at = now()
 WHERE token_hash = :token_hash AND revoked_at IS NULL
RETURNING user_id

-- name: list_sessions
SELECT session_id, user_id, created_at, last_seen_at, expires_at, address, user_agent
  FROM portal_session
 WHERE user_id = :user_id AND revoked_at IS NULL AND expires_at > now()
   AND last_seen_at > now() - make_interval(mins => (
           SELECT CAST(value AS integer) FROM portal_setting WHERE name = 'session_idle_minutes'))
 ORDER BY last_seen_at DESC

-- name: revoke_sessions
-- Of all sessions of the account, or of the one given; the one to keep stays.
UPDATE portal_session SET revoked_at = now()
 WHERE user_id = :user_id AND revoked_at IS NULL
   AND (CAST(:session_id AS bigint) IS NULL OR session_id = :session_id)
   AND (CAST(:kept_token_hash AS bytea) IS NULL OR token_hash <> :kept_token_hash)
