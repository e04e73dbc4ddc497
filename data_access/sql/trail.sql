-- name: trail_heads
SELECT chain_no, chain_seq, hash FROM trail_heads() WHERE chain_seq > 0 ORDER BY chain_no

-- name: note_trail_anchor
SELECT note_trail_anchor(:anchor_no, :digest)

-- name: find_trail_anchor
SELECT anchor_no, digest FROM trail_anchor

-- name: may_read_trail
-- Through a row policy the trail would look empty, and an empty trail looks tampered with.
SELECT NOT row_security_active('row_change') OR 'security_auditor' = ANY (actor_roles())

-- name: walk_in_order
-- By the index: sorting a million entries would write them all to disk once more.
SELECT set_config('enable_sort', 'off', true)

-- name: count_entries
SELECT CAST(sum(chain_seq) AS bigint) FROM trail_heads()

-- name: walk_trail
-- Each chain's head, then its entries: one statement, so one snapshot of both.
SELECT chain_no
     , CAST(0 AS bigint) AS chain_seq
     , chain_seq AS row_change_id
     , CAST(NULL AS text) AS table_name
     , CAST(NULL AS text) AS row_key
     , CAST(NULL AS text) AS operation
     , CAST(NULL AS text) AS before
     , CAST(NULL AS text) AS after
     , CAST(NULL AS bigint) AS user_id
     , CAST(NULL AS text) AS action
     , CAST(NULL AS text) AS division_code
     , CAST(NULL AS text) AS database_login
     , CAST(NULL AS text) AS transaction_id
     , CAST(NULL AS text) AS microseconds
     , CAST(NULL AS bytea) AS previous_hash
     , hash
     , true AS is_head
  FROM trail_heads()
 UNION ALL
SELECT chain_no
     , chain_seq
     , row_change_id
     , table_name
     , row_key
     , operation
     -- Text that only looks like JSON could shift its neighbours in the canonical array.
     , CAST(CAST(before AS jsonb) AS text)
     , CAST(CAST(after AS jsonb) AS text)
     , user_id
     , action
     , division_code
     , database_login
     , CAST(transaction_id AS text)
     , CASE WHEN isfinite(happened_at)
            THEN CAST(CAST(extract(epoch FROM happened_at) * 1000000 AS numeric(24)) AS text) END
     , previous_hash
     , hash
     , false
  FROM row_change
 ORDER BY chain_no, chain_seq

-- name: list_tables_off_trail
-- Tables that were put under the trail and of which an INSERT (4), DELETE (8) or UPDATE (16) is
-- recorded by no trigger, or by one that fires not always or not for every change.
SELECT table_name
  FROM audited_table
 WHERE (SELECT bit_or(tgtype & 28)
          FROM pg_trigger
         WHERE tgrelid = to_regclass(quote_ident(audited_table.table_name))
           AND (tgfoid = CAST('record_row_change' AS regproc) AND tgtype & 1 = 1
                OR tgfoid = CAST('record_added_rows' AS regproc) AND tgnewtable IS NOT NULL)
           AND tgenabled = 'A' AND tgqual IS NULL AND CAST(tgattr AS text) = '') IS DISTINCT FROM 28
 ORDER BY audited_table.table_name

-- name: list_trail_tables
SELECT audited_table.table_name AS name
     , coalesce(obj_description(to_regclass(quote_ident(audited_table.table_name)), 'pg_class')
              , audited_table.table_name) AS title
  FROM audited_table
 ORDER BY audited_table.table_name

-- name: list_trail_columns
SELECT CAST(attribute.attname AS text) AS name
     , coalesce(col_description(attribute.attrelid, attribute.attnum)
              , CAST(attribute.attname AS text)) AS title
  FROM pg_attribute AS attribute
 WHERE attribute.attrelid = to_regclass(quote_ident(:table_name))
   AND attribute.attnum > 0 AND NOT attribute.attisdropped
 ORDER BY attribute.attnum

-- name: list_trail_people
SELECT user_id, display_name, username FROM account ORDER BY display_name, username

-- name: search_trail
-- Newest first; `until_id` is where the page before ended.
SELECT entry.row_change_id
     , entry.happened_at
     , entry.table_name
     , coalesce(obj_description(to_regclass(quote_ident(entry.table_name)), 'pg_class')
              , entry.table_name) AS table_title
     , entry.row_key
     , entry.operation
     , entry.before
     , entry.after
     , entry.user_id
     , account.display_name AS user_name
     , entry.action
     , entry.division_code
     , (SELECT division.name FROM division_on(current_date) AS division
         WHERE division.code = entry.division_code) AS division_name
     , entry.database_login
     , entry.chain_no
     , entry.chain_seq
     , encode(entry.hash, 'hex') AS hash
  FROM row_change AS entry
  LEFT JOIN account USING (user_id)
 WHERE (CAST(:table_name AS text) IS NULL OR entry.table_name = :table_name)
   AND (CAST(:row_key AS text) IS NULL OR entry.row_key = :row_key)
   AND (CAST(:operation AS text) IS NULL OR entry.operation = :operation)
   AND (CAST(:user_id AS bigint) IS NULL OR entry.user_id = :user_id)
   AND (CAST(:division_prefix AS text) IS NULL
        OR starts_with(entry.division_code, :division_prefix))
   AND (CAST(:action AS text) IS NULL OR starts_with(entry.action, :action))
   AND (CAST(:since AS timestamptz) IS NULL OR entry.happened_at >= :since)
   AND (CAST(:until AS timestamptz) IS NULL OR entry.happened_at < :until)
   AND (CAST(:words AS text) IS NULL
        OR strpos(CAST(entry.before AS text), :words) > 0
        OR strpos(CAST(entry.after AS text), :words) > 0)
   AND (CAST(:until_id AS bigint) IS NULL OR entry.row_change_id < :until_id)
 ORDER BY entry.row_change_id DESC
 LIMIT :limit
