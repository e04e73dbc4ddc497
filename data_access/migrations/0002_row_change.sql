-- The trail: every change of a row, by whom, in the same transaction, chained by hashes.
-- docs/trail.md describes the chains; domain/trail.py computes the same hash outside the database.

CREATE TABLE row_change (
    row_change_id  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    chain_no       integer NOT NULL,
    chain_seq      bigint NOT NULL,
    table_name     text NOT NULL,
    row_key        text NOT NULL,
    operation      text NOT NULL,
    before         jsonb,
    after          jsonb,
    user_id        bigint,
    action         text,
    division_code  text,
    database_login text NOT NULL,
    transaction_id xid8 NOT NULL,
    happened_at    timestamptz NOT NULL,
    previous_hash  bytea NOT NULL,
    hash           bytea NOT NULL,
    CONSTRAINT row_change_one_place_in_chain UNIQUE (chain_no, chain_seq),
    CONSTRAINT row_change_operation_known
        CHECK (operation IN ('INSERT', 'UPDATE', 'DELETE', 'BULK'))
);
-- Newest first comes from the primary key; these serve the auditor's usual questions.
CREATE INDEX row_change_row ON row_change (table_name, row_key);
CREATE INDEX row_change_user_id ON row_change (user_id, row_change_id);
CREATE INDEX row_change_division_code ON row_change (division_code text_pattern_ops);
CREATE INDEX row_change_happened_at ON row_change USING brin (happened_at);
COMMENT ON TABLE row_change IS '审计日志（每次变更的前后内容，哈希成链，只增不改）';
COMMENT ON COLUMN row_change.row_change_id IS '日志标识';
COMMENT ON COLUMN row_change.chain_no IS '链号（0 至 63）';
COMMENT ON COLUMN row_change.chain_seq IS '链内序号，自 1 起连续';
COMMENT ON COLUMN row_change.table_name IS '被变更的表';
COMMENT ON COLUMN row_change.row_key IS '被变更记录的主键值，多列以逗号相连';
COMMENT ON COLUMN row_change.operation IS '操作：INSERT 新增、UPDATE 修改、DELETE 删除、BULK 批量装载';
COMMENT ON COLUMN row_change.before IS '变更前内容（密钥类字段只记是否改动）';
COMMENT ON COLUMN row_change.after IS '变更后内容（密钥类字段只记是否改动）';
COMMENT ON COLUMN row_change.user_id IS '操作人账号，空为系统或数据库直接操作';
COMMENT ON COLUMN row_change.action IS '业务动作';
COMMENT ON COLUMN row_change.division_code IS '所涉区划代码';
COMMENT ON COLUMN row_change.database_login IS '数据库登录名';
COMMENT ON COLUMN row_change.transaction_id IS '数据库事务号';
COMMENT ON COLUMN row_change.happened_at IS '发生时间（事务开始时刻）';
COMMENT ON COLUMN row_change.previous_hash IS '同链上一条的哈希';
COMMENT ON COLUMN row_change.hash IS '本条哈希：SHA-256(上一条哈希 || 本条规范文本)';

-- A few rows that are updated all the time: room on the page keeps the updates off the index.
CREATE TABLE trail_head (
    chain_no  integer PRIMARY KEY,
    chain_seq bigint NOT NULL,
    hash      bytea NOT NULL
) WITH (fillfactor = 10);
COMMENT ON TABLE trail_head IS '审计日志各链的链头';
COMMENT ON COLUMN trail_head.chain_no IS '链号';
COMMENT ON COLUMN trail_head.chain_seq IS '最后一条的链内序号，0 为空链';
COMMENT ON COLUMN trail_head.hash IS '最后一条的哈希';
INSERT INTO trail_head SELECT no, 0, decode(repeat('00', 32), 'hex') FROM generate_series(0, 63) AS no;

-- What the database remembers of the anchor file, so that a shortened file is noticed.
CREATE TABLE trail_anchor (
    only_one  boolean PRIMARY KEY DEFAULT true,
    anchor_no bigint NOT NULL,
    digest    text NOT NULL,
    CONSTRAINT trail_anchor_only_one CHECK (only_one)
);
COMMENT ON TABLE trail_anchor IS '审计锚定文件的最后一行';
COMMENT ON COLUMN trail_anchor.only_one IS '恒为真：本表只有一行';
COMMENT ON COLUMN trail_anchor.anchor_no IS '最后一行的行号，0 为尚未锚定';
COMMENT ON COLUMN trail_anchor.digest IS '最后一行的 SHA-256';
INSERT INTO trail_anchor (anchor_no, digest) VALUES (0, '');

CREATE TABLE audited_table (
    table_name text PRIMARY KEY,
    redacted   text[] NOT NULL
);
COMMENT ON TABLE audited_table IS '留痕的表';
COMMENT ON COLUMN audited_table.table_name IS '表名';
COMMENT ON COLUMN audited_table.redacted IS '不留内容的字段（只记是否改动）';

-- The chain this transaction writes to. The lock on its head is the chain's: it lasts as long
-- as the transaction, and others take one of the other chains meanwhile. app.trail_chain only
-- remembers the choice; a false value costs a wait for that head and nothing else.
-- A session keeps the plan it made while the table was small: it has to be the index from the
-- first entry on, or a long load reads the whole trail for each row.
CREATE FUNCTION trail_place(OUT chain_no integer, OUT chain_seq bigint, OUT hash bytea)
LANGUAGE plpgsql SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off AS $$
DECLARE
    remembered text := current_setting('app.trail_chain', true);
    start integer := floor(random() * 64);
BEGIN
    IF remembered ~ '^[0-9]{1,2}$' THEN
        chain_no := CAST(remembered AS integer) % 64;
        SELECT last.chain_seq, last.hash INTO trail_place.chain_seq, trail_place.hash
          FROM (SELECT entry.chain_seq, entry.hash, entry.transaction_id
                  FROM row_change AS entry WHERE entry.chain_no = trail_place.chain_no
                 ORDER BY entry.chain_seq DESC LIMIT 1) AS last
         WHERE last.transaction_id = pg_current_xact_id();
        IF FOUND THEN
            RETURN;
        END IF;
    ELSE
        FOR attempt IN 0..63 LOOP
            chain_no := (start + attempt) % 64;
            SELECT head.chain_seq, head.hash INTO trail_place.chain_seq, trail_place.hash
              FROM trail_head AS head WHERE head.chain_no = trail_place.chain_no
               FOR UPDATE SKIP LOCKED;
            IF FOUND THEN
                PERFORM set_config('app.trail_chain', CAST(chain_no AS text), true);
                RETURN;
            END IF;
        END LOOP;
    END IF;
    SELECT head.chain_seq, head.hash INTO STRICT trail_place.chain_seq, trail_place.hash
      FROM trail_head AS head WHERE head.chain_no = trail_place.chain_no FOR UPDATE;
    PERFORM set_config('app.trail_chain', CAST(chain_no AS text), true);
END
$$;

CREATE FUNCTION append_row_change(
    table_name text, row_key text, operation text, before jsonb, after jsonb, division_code text,
    action text
) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    place record;
    new_id bigint := nextval('row_change_row_change_id_seq');
    actor_id bigint := CAST(nullif(current_setting('app.user_id', true), '') AS bigint);
    canonical text;
BEGIN
    place := trail_place();
    -- The canonical text is a JSON array: quotes keep each field within its bounds.
    canonical := CAST(jsonb_build_array(
        new_id, place.chain_no, place.chain_seq + 1, table_name, row_key, operation, before, after
      , actor_id, action, division_code, session_user, CAST(pg_current_xact_id() AS text)
      , CAST(extract(epoch FROM now()) * 1000000 AS bigint)) AS text);
    INSERT INTO row_change OVERRIDING SYSTEM VALUE
    VALUES (new_id, place.chain_no, place.chain_seq + 1, table_name, row_key, operation, before
          , after, actor_id, action, division_code, session_user
          , pg_current_xact_id(), now(), place.hash
          , sha256(place.hash || convert_to(canonical, 'UTF8')));
    RETURN new_id;
END
$$;

-- Fires at commit for each entry and lets the last one of the transaction move the head:
-- once a transaction, because updating one row a thousand times gets slower each time.
CREATE FUNCTION advance_trail_head() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_hashjoin = off AS $$
BEGIN
    UPDATE trail_head SET chain_seq = NEW.chain_seq, hash = NEW.hash
     WHERE chain_no = NEW.chain_no
       AND NOT EXISTS (SELECT FROM row_change AS later
                        WHERE later.chain_no = NEW.chain_no
                          AND later.chain_seq = NEW.chain_seq + 1);
    RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER row_change_advances_head AFTER INSERT ON row_change
   DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION advance_trail_head();

CREATE FUNCTION refuse_trail_change() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the trail is append-only: % of % refused', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege';
END
$$;
CREATE TRIGGER row_change_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON row_change
   FOR EACH STATEMENT EXECUTE FUNCTION refuse_trail_change();

-- Only who owns the table may load it silently, and not while standing in the portal's role.
CREATE FUNCTION is_bulk_load(audited oid) RETURNS boolean
LANGUAGE sql STABLE AS $$
    SELECT coalesce(current_setting('app.bulk_load', true) = 'on'
       AND pg_has_role(session_user, relowner, 'MEMBER')
       AND (current_setting('role') = 'none'
            OR pg_has_role(CAST(current_setting('role') AS name), relowner, 'MEMBER')), false)
      FROM pg_class WHERE oid = audited
$$;

CREATE FUNCTION redact(image jsonb, other jsonb, secrets text[]) RETURNS jsonb
LANGUAGE sql IMMUTABLE AS $$
    SELECT image || jsonb_object_agg(secret, jsonb_build_object('redacted',
               CASE WHEN other -> secret = image -> secret THEN 'unchanged' ELSE 'changed' END))
           FILTER (WHERE image ->> secret IS NOT NULL)
      FROM unnest(secrets) AS secret
$$;

-- Arguments: the redacted columns as an array, then the columns of the primary key.
CREATE FUNCTION record_row_change() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    before jsonb;
    after jsonb;
    image jsonb;
    secrets text[];
    row_key text;
    entry_id bigint;
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF OLD *= NEW THEN
            RETURN NULL;
        END IF;
    END IF;
    -- NULL would not stop the AND from asking the catalog for every row.
    IF coalesce(current_setting('app.bulk_load', true), '') = 'on' AND is_bulk_load(TG_RELID) THEN
        RETURN NULL;
    END IF;
    IF TG_OP <> 'INSERT' THEN
        before := to_jsonb(OLD);
    END IF;
    IF TG_OP <> 'DELETE' THEN
        after := to_jsonb(NEW);
    END IF;
    image := coalesce(after, before);
    row_key := image ->> TG_ARGV[1];
    FOR i IN 2..TG_NARGS - 1 LOOP
        row_key := row_key || ',' || (image ->> TG_ARGV[i]);
    END LOOP;
    IF TG_ARGV[0] <> '{}' THEN
        secrets := CAST(TG_ARGV[0] AS text[]);
        image := before;
        before := coalesce(redact(before, after, secrets), before);
        after := coalesce(redact(after, image, secrets), after);
    END IF;
    -- An assignment is evaluated in place; PERFORM would run a query.
    entry_id := append_row_change(
        TG_TABLE_NAME, row_key, TG_OP, before, after
      , coalesce(after ->> 'division_code', before ->> 'division_code')
      , nullif(current_setting('app.action', true), ''));
    RETURN NULL;
END
$$;

CREATE FUNCTION refuse_truncate() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT is_bulk_load(TG_RELID) THEN
        RAISE EXCEPTION 'TRUNCATE of % would leave no trail', TG_TABLE_NAME
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NULL;
END
$$;

-- Put a table under the trail. Of `redacted` columns (hashes of passwords, tokens) the trail
-- says only whether they changed.
CREATE FUNCTION audit_table(audited regclass, redacted text[] DEFAULT '{}') RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    plain_name text := (SELECT relname FROM pg_class WHERE oid = audited);
    keys text[] := (
        SELECT array_agg(CAST(attname AS text) ORDER BY array_position(indkey, attnum))
          FROM pg_index JOIN pg_attribute ON attrelid = indrelid AND attnum = ANY (indkey)
         WHERE indrelid = audited AND indisprimary);
BEGIN
    IF keys IS NULL OR keys && redacted THEN
        RAISE EXCEPTION '% needs a primary key that may be shown', audited;
    END IF;
    IF EXISTS (SELECT FROM unnest(redacted) AS name WHERE name NOT IN (
            SELECT attname FROM pg_attribute WHERE attrelid = audited)) THEN
        RAISE EXCEPTION '% has not all of the columns %', audited, redacted;
    END IF;
    EXECUTE format(
        'CREATE TRIGGER %I AFTER INSERT OR UPDATE OR DELETE ON %s'
        ' FOR EACH ROW EXECUTE FUNCTION record_row_change(%L, %s)',
        plain_name || '_row_change', audited, redacted,
        (SELECT string_agg(quote_literal(key), ', ') FROM unnest(keys) AS key));
    EXECUTE format(
        'CREATE TRIGGER %I BEFORE TRUNCATE ON %s'
        ' FOR EACH STATEMENT EXECUTE FUNCTION refuse_truncate()',
        plain_name || '_no_truncate', audited);
    -- ALWAYS: a session that calls itself a replica leaves a trail too.
    EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER %I', audited, plain_name || '_row_change');
    INSERT INTO audited_table VALUES (plain_name, redacted);
END
$$;

-- The one entry of a load that ran with app.bulk_load = 'on'.
CREATE FUNCTION log_bulk_load(table_name text, row_count bigint, digest text, action text)
RETURNS bigint
LANGUAGE sql AS $$
    SELECT append_row_change(
        table_name, '*', 'BULK', NULL
      , jsonb_build_object('row_count', row_count, 'digest', digest), NULL, action)
$$;

CREATE FUNCTION trail_heads() RETURNS TABLE (chain_no integer, chain_seq bigint, hash bytea)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT chain_no, chain_seq, hash FROM trail_head
$$;

CREATE FUNCTION note_trail_anchor(new_anchor_no bigint, new_digest text) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    UPDATE trail_anchor SET anchor_no = new_anchor_no, digest = new_digest
     WHERE anchor_no < new_anchor_no
$$;

REVOKE ALL ON FUNCTION trail_place(), append_row_change(text, text, text, jsonb, jsonb, text, text)
    , advance_trail_head(), record_row_change(), refuse_truncate(), audit_table(regclass, text[])
    , log_bulk_load(text, bigint, text, text), trail_heads(), note_trail_anchor(bigint, text)
  FROM PUBLIC;
GRANT EXECUTE ON FUNCTION trail_heads(), note_trail_anchor(bigint, text) TO portal_app;

-- The auditor reads; nobody who comes through the portal writes.
GRANT SELECT ON row_change, trail_anchor, audited_table TO portal_app;
ALTER TABLE row_change ENABLE ROW LEVEL SECURITY;
CREATE POLICY row_change_for_the_auditor ON row_change FOR SELECT TO portal_app
    USING ((SELECT 'security_auditor' = ANY (
        CAST(coalesce(nullif(current_setting('app.roles', true), ''), '{}') AS text[]))));
