-- A draft is a document of some kilobytes that the trail leaves out: whether it changed is told by
-- comparing it. As a function in SQL this was planned at each call, and wrote the document out as
-- a text: half of the time for which a file of thousands of villages holds their drafts.
CREATE OR REPLACE FUNCTION redact(image jsonb, other jsonb, secrets text[]) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    secret text;
    value jsonb;
    shown jsonb := image;
BEGIN
    FOREACH secret IN ARRAY secrets LOOP
        value := image -> secret;
        IF value <> 'null' THEN
            shown := shown || jsonb_build_object(secret, jsonb_build_object('redacted',
                CASE WHEN other -> secret = value THEN 'unchanged' ELSE 'changed' END));
        END IF;
    END LOOP;
    RETURN shown;
END
$$;
