-- name: describe_village
-- All that the portal knows of a village, in one question: whose it is, where it lies, the year that
-- is filed, its natural villages of a day (the codes from 000 to 999 are what the primary key
-- serves), and what is attached to it and to them.
SELECT to_json(village) AS village
     , (SELECT coalesce(json_agg(known ORDER BY known.natural_code), '[]')
          FROM (SELECT natural_village.code AS natural_code, natural_village.name AS natural_name
                     , CAST(trim_scale(round(CAST(ST_X(natural_village.location) AS numeric), 6)) AS text) AS longitude
                     , CAST(trim_scale(round(CAST(ST_Y(natural_village.location) AS numeric), 6)) AS text) AS latitude
                     , ST_Covers(boundary, natural_village.location) AS inside_county
                     , EXISTS (SELECT FROM accepted_natural_village_evaluation AS accepted
                                WHERE accepted.natural_code = natural_village.code) AS is_accepted
                  FROM natural_village_on(CAST(:day AS date)) AS natural_village
                 WHERE natural_village.code BETWEEN :division_code || '000' AND :division_code || '999')
               AS known) AS natural_villages
     , (SELECT coalesce(json_agg(file ORDER BY file.evidence_id), '[]')
          FROM (SELECT evidence_id, division_code, row_key, item, file_name, sha256
                  FROM evidence
                 WHERE division_code = :division_code AND form_code = :form_code
                   AND removed_at IS NULL) AS file) AS files
  FROM (SELECT village.code AS village_code, village.name AS village_name
             , left(village.code, 9) AS town_code, town.name AS town_name
             , county.code AS county_code, coalesce(county.parent_code, '') AS city_code
             , CAST(trim_scale(round(CAST(ST_X(place.location) AS numeric), 6)) AS text) AS longitude
             , CAST(trim_scale(round(CAST(ST_Y(place.location) AS numeric), 6)) AS text) AS latitude
             , ST_Covers(boundary.boundary, place.location) AS inside_county
             , (SELECT CAST(extract(year FROM max(starts_on)) AS integer)
                  FROM reporting_period
                 WHERE form_code = :form_code AND opened_at <= now()) AS report_year
             , EXISTS (SELECT FROM accepted_village_evaluation AS accepted
                        WHERE accepted.division_code = village.code) AS is_accepted
          FROM division_on(CAST(:day AS date)) AS village
          JOIN division_on(CAST(:day AS date)) AS town ON town.code = village.parent_code
          JOIN division_on(CAST(:day AS date)) AS county ON county.code = town.parent_code
          LEFT JOIN division_location AS place
                 ON place.division_code = village.code AND place.valid_from <= :day
                AND (place.valid_to IS NULL OR :day < place.valid_to)
          LEFT JOIN division_boundary AS boundary
                 ON boundary.code = county.code AND boundary.valid_from <= :day
                AND (boundary.valid_to IS NULL OR :day < boundary.valid_to)
         WHERE village.code = :division_code) AS village
  LEFT JOIN LATERAL (
      SELECT boundary FROM division_boundary
       WHERE code = village.county_code AND valid_from <= :day
         AND (valid_to IS NULL OR :day < valid_to)) AS county (boundary) ON true

-- name: list_villages
-- The same of many villages, in one question.
SELECT village.code AS village_code, village.name AS village_name
     , left(village.code, 9) AS town_code, town.name AS town_name
     , county.code AS county_code, coalesce(county.parent_code, '') AS city_code
     , CAST(trim_scale(round(CAST(ST_X(place.location) AS numeric), 6)) AS text) AS longitude
     , CAST(trim_scale(round(CAST(ST_Y(place.location) AS numeric), 6)) AS text) AS latitude
     , ST_Covers(boundary.boundary, place.location) AS inside_county
     , (SELECT CAST(extract(year FROM max(starts_on)) AS integer)
          FROM reporting_period
         WHERE form_code = :form_code AND opened_at <= now()) AS report_year
     , village.code IN (SELECT accepted.division_code
                          FROM accepted_village_evaluation AS accepted
                         WHERE accepted.division_code = ANY (CAST(:codes AS text[]))) AS is_accepted
  FROM division_on(CAST(:day AS date)) AS village
  JOIN division_on(CAST(:day AS date)) AS town ON town.code = village.parent_code
  JOIN division_on(CAST(:day AS date)) AS county ON county.code = town.parent_code
  LEFT JOIN division_location AS place
         ON place.division_code = village.code AND place.valid_from <= :day
        AND (place.valid_to IS NULL OR :day < place.valid_to)
  LEFT JOIN division_boundary AS boundary
         ON boundary.code = county.code AND boundary.valid_from <= :day
        AND (boundary.valid_to IS NULL OR :day < boundary.valid_to)
 WHERE village.code = ANY (CAST(:codes AS text[]))

-- name: list_natural_villages_of
-- Those of many villages; from the first code to the last one the primary key serves.
SELECT natural_village.code AS natural_code, natural_village.name AS natural_name
     , CAST(trim_scale(round(CAST(ST_X(natural_village.location) AS numeric), 6)) AS text) AS longitude
     , CAST(trim_scale(round(CAST(ST_Y(natural_village.location) AS numeric), 6)) AS text) AS latitude
     , ST_Covers(boundary.boundary, natural_village.location) AS inside_county
     , natural_village.code IN (SELECT accepted.natural_code
                                  FROM accepted_natural_village_evaluation AS accepted
                                 WHERE accepted.division_code = ANY (CAST(:codes AS text[])))
       AS is_accepted
  FROM unnest(CAST(:codes AS text[]), CAST(:county_codes AS text[])) AS wanted (code, county_code)
  JOIN natural_village_on(CAST(:day AS date)) AS natural_village
    ON natural_village.division_code = wanted.code
  LEFT JOIN division_boundary AS boundary
         ON boundary.code = wanted.county_code AND boundary.valid_from <= :day
        AND (boundary.valid_to IS NULL OR :day < boundary.valid_to)
 WHERE natural_village.code BETWEEN CAST(:first AS text) || '000' AND CAST(:last AS text) || '999'
 ORDER BY natural_village.code

-- name: last_villages
-- What was accepted last of each village and of its natural villages before a year, and the files that
-- it named, by the key of their row; a document is opened only for a village that has any files.
SELECT last.division_code, to_json(last) AS fields
     , (SELECT json_agg(row ORDER BY row.natural_code)
          FROM (SELECT DISTINCT ON (natural_code) *
                  FROM accepted_natural_village_evaluation AS accepted
                 WHERE accepted.division_code = last.division_code
                   AND (CAST(:before AS integer) IS NULL OR report_year < :before)
                 ORDER BY natural_code, report_year DESC) AS row) AS natural_villages
     , CASE WHEN EXISTS (SELECT FROM evidence
                          WHERE evidence.division_code = last.division_code
                            AND evidence.form_code = :form_code)
            THEN (SELECT jsonb_object_agg(coalesce(row.fields ->> 'key', ''), row.fields -> 'attachments')
                    FROM submission_version AS version
                   CROSS JOIN LATERAL (
                         SELECT version.content -> 'form' AS fields
                          UNION ALL
                         SELECT jsonb_array_elements(version.content -> 'natural_village')) AS row
                   WHERE version.submission_id = last.submission_id
                     AND version.version_no = last.version_no
                     AND jsonb_typeof(row.fields -> 'attachments') = 'object')
       END AS files
  FROM (SELECT DISTINCT ON (division_code) *
          FROM accepted_village_evaluation
         WHERE division_code = ANY (CAST(:codes AS text[]))
           AND (CAST(:before AS integer) IS NULL OR report_year < :before)
         ORDER BY division_code, report_year DESC) AS last

-- name: list_files
SELECT evidence_id, division_code, row_key, item, file_name, sha256
  FROM evidence
 WHERE division_code = ANY (CAST(:codes AS text[])) AND form_code = :form_code
   AND removed_at IS NULL
 ORDER BY evidence_id

-- name: write_filed
-- The typed rows of a version: the village's and its natural villages', read once and written at once.
WITH filed_version AS (
    SELECT version.content
         , jsonb_build_object(
               'submission_id', version.submission_id
             , 'version_no', version.version_no
             , 'division_code', version.division_code
             , 'report_year', extract(year FROM period.starts_on)) AS key
      FROM submission_version AS version
      JOIN submission USING (submission_id)
      JOIN reporting_period AS period USING (period_id)
     WHERE version.submission_id = :submission_id AND version.version_no = :version_no
), village AS (
    INSERT INTO filed_village_evaluation
    SELECT filed.*
      FROM filed_version
     CROSS JOIN LATERAL jsonb_populate_record(
           CAST(NULL AS filed_village_evaluation)
         , content -> 'form' || key || jsonb_build_object(
               'per_capita_construction'
             , round(CAST(content #>> '{form,construction_area}' AS numeric) * 10000
                     / greatest(CAST(content #>> '{form,hukou_pop}' AS integer), 1), 2))) AS filed
)
INSERT INTO filed_natural_village_evaluation
SELECT filed.*
  FROM filed_version
 CROSS JOIN LATERAL jsonb_array_elements(content -> 'natural_village') AS row (fields)
 CROSS JOIN LATERAL jsonb_populate_record(
       CAST(NULL AS filed_natural_village_evaluation), row.fields || key) AS filed

-- name: accept_villages
INSERT INTO accepted_village_evaluation
SELECT filed.*, CAST(:user_id AS bigint)
  FROM unnest(CAST(:submission_ids AS bigint[]), CAST(:version_nos AS integer[]))
       AS accepted (submission_id, version_no)
  JOIN filed_village_evaluation AS filed
    ON filed.submission_id = accepted.submission_id AND filed.version_no = accepted.version_no

-- name: accept_natural_villages
INSERT INTO accepted_natural_village_evaluation
SELECT filed.*, CAST(:user_id AS bigint)
  FROM unnest(CAST(:submission_ids AS bigint[]), CAST(:version_nos AS integer[]))
       AS accepted (submission_id, version_no)
  JOIN filed_natural_village_evaluation AS filed
    ON filed.submission_id = accepted.submission_id AND filed.version_no = accepted.version_no
