-- The trail of statements that insert many rows: an entry for each row as before, byte for byte,
-- written together. A province's file has 150,000 rows, a village's filing a dozen, and place, head
-- and the insert itself are then paid once for many.

-- Only the last entry of a statement moves the head. Whoever appends names it right before: a value
-- that somebody set beforehand is overwritten.
DROP TRIGGER row_change_advances_head ON row_change;
CREATE CONSTRAINT TRIGGER row_change_advances_head AFTER INSERT ON row_change
   DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
   WHEN (CAST(NEW.row_change_id AS text) = current_setting('app.trail_last_entry', true))
   EXECUTE FUNCTION advance_trail_head();

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
    -- The canonical text is a JSON array: quotes keep each field within its bounds.
    canonical := CAST(jsonb_build_array(
        new_id, place.chain_no, place.chain_seq + 1, table_name, row_key, operation, before, after
      , actor_id, action, division_code, session_user, CAST(pg_current_xact_id() AS text)
      , CAST(extract(epoch FROM now()) * 1000000 AS bigint)) AS text);
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
CREATE FUNCTION record_added_rows() RETURNS trigger
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
            -- The same canonical text as that of append_row_change.
            place.hash := sha256(place.hash || convert_to(CAST(jsonb_build_array(
                ids[count], place.chain_no, place.chain_seq, table_name, row_key, TG_OP, NULL, image
              , actor_id, action, image ->> 'division_code', session_user, transaction_text
              , microseconds) AS text), 'UTF8'));
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

-- Have what is inserted into an audited table recorded by statement; changes stay recorded by row.
CREATE FUNCTION audit_inserts_by_statement(audited regclass) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    plain_name text := (SELECT relname FROM pg_class WHERE oid = audited);
    keys text := (
        SELECT string_agg(quote_literal(attname), ', ' ORDER BY array_position(indkey, attnum))
          FROM pg_index JOIN pg_attribute ON attrelid = indrelid AND attnum = ANY (indkey)
         WHERE indrelid = audited AND indisprimary);
BEGIN
    IF NOT EXISTS (SELECT FROM audited_table WHERE table_name = plain_name AND redacted = '{}') THEN
        RAISE EXCEPTION '% is not audited, or has columns the trail may not show', audited;
    END IF;
    EXECUTE format('DROP TRIGGER %I ON %s', plain_name || '_row_change', audited);
    EXECUTE format(
        'CREATE TRIGGER %I AFTER UPDATE OR DELETE ON %s'
        ' FOR EACH ROW EXECUTE FUNCTION record_row_change(%L, %s)',
        plain_name || '_row_change', audited, '{}', keys);
    EXECUTE format(
        'CREATE TRIGGER %I AFTER INSERT ON %s REFERENCING NEW TABLE AS added'
        ' FOR EACH STATEMENT EXECUTE FUNCTION record_added_rows(%s)',
        plain_name || '_rows_added', audited, keys);
    -- ALWAYS: a session that calls itself a replica leaves a trail too.
    EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER %I', audited, plain_name || '_row_change');
    EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER %I', audited, plain_name || '_rows_added');
END
$$;
REVOKE ALL ON FUNCTION record_added_rows(), audit_inserts_by_statement(regclass) FROM PUBLIC;

SELECT audit_inserts_by_statement('filed_natural_village_evaluation')
     , audit_inserts_by_statement('accepted_natural_village_evaluation')
     , audit_inserts_by_statement('csv_change');

-- What a filing calls once or twice: a function in SQL that cannot be inlined is parsed and planned
-- at each call, one in PL/pgSQL once a session.
CREATE OR REPLACE FUNCTION add_to_village_rollup(villages text[], years integer[], measures text[]
                                               , codes text[], amounts numeric[]) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO village_rollup (division_code, level, report_year, measure, code, amount)
    SELECT left(fact.village, level.digits), level.name, fact.year, fact.measure, fact.code
         , sum(fact.amount)
      FROM unnest(villages, years, measures, codes, amounts) AS fact (village, year, measure, code, amount)
     CROSS JOIN (VALUES ('county', 6), ('township', 9)) AS level (name, digits)
     GROUP BY 1, 2, 3, 4, 5
    HAVING sum(fact.amount) <> 0;
END
$$;

CREATE OR REPLACE FUNCTION village_deadline(period bigint, village text) RETURNS timestamptz
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN coalesce((SELECT deadline_at FROM period_extension
                      WHERE period_id = period AND division_code = village
                      ORDER BY granted_at DESC, period_extension_id DESC LIMIT 1)
                  , (SELECT deadline_at FROM reporting_period WHERE period_id = period));
END
$$;

CREATE OR REPLACE FUNCTION add_working_days(start date, days integer) RETURNS date
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (
        SELECT coalesce(max(working.day), start)
          FROM (SELECT CAST(generated AS date) AS day
                  FROM generate_series(start + 1, start + days * 2 + 30, interval '1 day') AS generated
                  LEFT JOIN calendar_day ON calendar_day.day = CAST(generated AS date)
                 WHERE coalesce(is_workday, extract(isodow FROM generated) < 6)
                 ORDER BY generated
                 LIMIT days) AS working);
END
$$;

CREATE OR REPLACE FUNCTION review_due_on(of_form text, of_period bigint, of_step integer
                                       , since timestamptz) RETURNS date
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (
        SELECT CASE WHEN step.working_days IS NOT NULL
                    THEN add_working_days(CAST(timezone('Asia/Shanghai', since) AS date), step.working_days)
               END
          FROM reporting_period AS period
          JOIN workflow_step AS step
            ON step.form_code = of_form AND step.version = period.workflow_version
           AND step.step_no = of_step
         WHERE period.period_id = of_period);
END
$$;
