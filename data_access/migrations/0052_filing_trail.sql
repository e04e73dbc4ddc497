-- What the trail and the sums of a filing cost: the same entries, the same hashes, in less time.

-- The text that is hashed: a JSON array of the fields, as jsonb writes it. It is put together from
-- texts: a jsonb array would take every row apart first.
CREATE FUNCTION trail_text(
    entry_id bigint, chain_no integer, chain_seq bigint, table_name text, row_key text, operation text
  , before jsonb, after jsonb, actor_id bigint, action text, division_code text
  , transaction_text text, microseconds bigint
) RETURNS text
LANGUAGE sql STABLE AS $$
    SELECT '[' || concat_ws(', ', entry_id, chain_no, chain_seq, to_json(table_name), to_json(row_key)
         , to_json(operation), coalesce(CAST(before AS text), 'null'), coalesce(CAST(after AS text), 'null')
         , coalesce(CAST(actor_id AS text), 'null'), coalesce(CAST(to_json(action) AS text), 'null')
         , coalesce(CAST(to_json(division_code) AS text), 'null'), to_json(session_user)
         , to_json(transaction_text), microseconds) || ']'
$$;
REVOKE ALL ON FUNCTION trail_text(bigint, integer, bigint, text, text, text, jsonb, jsonb, bigint, text, text
    , text, bigint) FROM PUBLIC;

CREATE OR REPLACE FUNCTION append_row_change(
    table_name text, row_key text, operation text, before jsonb, after jsonb, division_code text,
    action text
) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    place record;
    new_id bigint := nextval('row_change_row_change_id_seq');
    actor_id bigint := CAST(nullif(current_setting('app.user_id', true), '') AS bigint);
    canonical text;
    last_entry text;
BEGIN
    place := trail_place();
    canonical := trail_text(
        new_id, place.chain_no, place.chain_seq + 1, table_name, row_key, operation, before, after
      , actor_id, action, division_code, CAST(pg_current_xact_id() AS text)
      , CAST(extract(epoch FROM now()) * 1000000 AS bigint));
    -- An assignment is evaluated in place; PERFORM would run a query.
    last_entry := set_config('app.trail_last_entry', CAST(new_id AS text), true);
    INSERT INTO row_change OVERRIDING SYSTEM VALUE
    VALUES (new_id, place.chain_no, place.chain_seq + 1, table_name, row_key, operation, before
          , after, actor_id, action, division_code, session_user
          , pg_current_xact_id(), now(), place.hash
          , sha256(place.hash || convert_to(canonical, 'UTF8')));
    RETURN new_id;
END
$$;

-- Arguments: the columns of the primary key. Entries are written a thousand at a time, so that a
-- statement of any length needs the memory of a thousand.
CREATE OR REPLACE FUNCTION record_added_rows() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    actor_id bigint := CAST(nullif(current_setting('app.user_id', true), '') AS bigint);
    action text := nullif(current_setting('app.action', true), '');
    transaction_text text := CAST(pg_current_xact_id() AS text);
    microseconds bigint := CAST(extract(epoch FROM now()) * 1000000 AS bigint);
    table_name text := TG_TABLE_NAME;
    place record;
    image jsonb;
    row_key text;
    ids bigint[];
    row_keys text[];
    images jsonb[];
    previous_hashes bytea[];
    hashes bytea[];
    count integer;
    last_entry text;
    rows CURSOR FOR SELECT to_jsonb(added) FROM added;
BEGIN
    IF coalesce(current_setting('app.bulk_load', true), '') = 'on' AND is_bulk_load(TG_RELID) THEN
        RETURN NULL;
    END IF;
    OPEN rows;
    LOOP
        count := 0; ids := '{}'; row_keys := '{}'; images := '{}'; previous_hashes := '{}'; hashes := '{}';
        LOOP
            FETCH rows INTO image;
            EXIT WHEN NOT FOUND;
            IF place IS NULL THEN
                place := trail_place();
            END IF;
            row_key := image ->> TG_ARGV[0];
            FOR i IN 1..TG_NARGS - 1 LOOP
                row_key := row_key || ',' || (image ->> TG_ARGV[i]);
            END LOOP;
            count := count + 1;
            ids[count] := nextval('row_change_row_change_id_seq');
            row_keys[count] := row_key;
            images[count] := image;
            previous_hashes[count] := place.hash;
            place.chain_seq := place.chain_seq + 1;
            place.hash := sha256(place.hash || convert_to(trail_text(
                ids[count], place.chain_no, place.chain_seq, table_name, row_key, TG_OP, NULL, image
              , actor_id, action, image ->> 'division_code', transaction_text, microseconds), 'UTF8'));
            hashes[count] := place.hash;
            EXIT WHEN count = 1000;
        END LOOP;
        EXIT WHEN count = 0;
        last_entry := set_config('app.trail_last_entry', CAST(ids[count] AS text), true);
        INSERT INTO row_change OVERRIDING SYSTEM VALUE
        SELECT entry.id, place.chain_no, place.chain_seq - count + entry.n, table_name, entry.row_key, TG_OP
             , NULL, entry.image, actor_id, action, entry.image ->> 'division_code', session_user
             , pg_current_xact_id(), now(), entry.previous_hash, entry.hash
          FROM unnest(ids, row_keys, images, previous_hashes, hashes)
               WITH ORDINALITY AS entry (id, row_key, image, previous_hash, hash, n);
    END LOOP;
    CLOSE rows;
    RETURN NULL;
END
$$;

-- The sums are made from reports whose divisions are held already. A key of their own would lock
-- county and township for every filing, and many that file at once would queue up in their rows.
ALTER TABLE village_rollup DROP CONSTRAINT village_rollup_division_code_fkey;
