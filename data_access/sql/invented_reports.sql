-- name: set_up
-- Compressing with lz4 takes half the time of pglz.
SELECT set_config('default_toast_compression', 'lz4', true), set_config('work_mem', '64MB', true)
     , set_config('jit', 'off', true)

-- name: make_chance
-- A number from 0 to 1 that is the same for the same row, question and seed.
CREATE FUNCTION pg_temp.chance(row_hash bigint, question integer) RETURNS double precision
LANGUAGE sql IMMUTABLE AS $$
    SELECT (hashint8extended(row_hash, question) & 1048575) / 1048576.0
$$

-- name: make_office_time
-- A moment of a working day in an office: the Friday before instead of a Saturday or a Sunday.
CREATE FUNCTION pg_temp.office_time(day date, share double precision) RETURNS timestamptz
LANGUAGE sql IMMUTABLE AS $$
    SELECT timezone('Asia/Shanghai'
                  , day - CAST(greatest(extract(isodow FROM day) - 5, 0) AS integer)
                    + make_interval(secs => floor(31000 + share * 29000)))
$$
