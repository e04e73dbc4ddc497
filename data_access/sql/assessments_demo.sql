-- name: add_periods
-- Data of a year is filed in the next one: five data years, the last of them still being filed.
INSERT INTO reporting_period (form_code, name, starts_on, ends_on, deadline_at, form_version
     , workflow_version, opened_at, opened_by, closed_at)
SELECT form.form_code, year || '年', make_date(year, 1, 1), make_date(year, 12, 31)
     , timezone('Asia/Shanghai', make_date(year, 12, :deadline_day) + time '23:59:59')
     , form.version, (SELECT max(version) FROM workflow_step WHERE workflow_step.form_code = form.form_code)
     , pg_temp.office_time(make_date(year, 1, 5), 0)
     , (SELECT min(user_id) FROM account_grant WHERE role = 'plan_bureau')
     , CASE WHEN year < CAST(:year AS integer) THEN pg_temp.office_time(make_date(year, 12, 31), 1) END
  FROM form_version AS form
 CROSS JOIN generate_series(CAST(:year AS integer) - 4, CAST(:year AS integer)) AS year
 WHERE form.form_code = 'status_assessment'
   AND form.version = (SELECT max(version) FROM form_version WHERE form_code = 'status_assessment')
 ORDER BY year

-- name: make_units
-- Who files and reviews for each unit, and how big it is: 1 is the middle.
CREATE TEMP TABLE demo_unit ON COMMIT DROP AS
SELECT unit.code, unit.level, unit.parent_code, hashtextextended(unit.code, :seed) AS hash
     , 0.45 + 1.1 * pg_temp.chance(hashtextextended(unit.code, :seed), 1) AS size
     , desk.filer_id, CASE unit.level WHEN 'city' THEN NULL ELSE above.reviewer_id END AS city_reviewer
     , (SELECT min(user_id) FROM account_grant WHERE role = 'plan_bureau') AS bureau_reviewer
  FROM division_on(CAST(:day AS date)) AS unit
  JOIN (SELECT division_code, role, min(user_id) AS filer_id FROM account_grant
         WHERE role IN ('city', 'county') GROUP BY division_code, role) AS desk
    ON desk.division_code = unit.code AND desk.role = unit.level
  LEFT JOIN (SELECT division_code, max(user_id) AS reviewer_id FROM account_grant
              WHERE role = 'city' GROUP BY division_code) AS above ON above.division_code = unit.parent_code
 WHERE unit.level IN ('city', 'county')

-- name: make_kinds
-- What each indicator is like: where counties lie in its range, and how big its denominator is.
CREATE TEMP TABLE demo_kind ON COMMIT DROP AS
SELECT canonical.*, hashtextextended(canonical.canonical_code, :seed) AS code_hash
     , coalesce(typical_min + (typical_max - typical_min)
                * CASE WHEN value_kind = 'quantity' THEN 0.045
                       WHEN direction = 'lower_better' THEN 0.35 ELSE 0.62 END, 1) AS middle
     , CASE denominator_unit WHEN 'km2' THEN CASE WHEN denominator_name = '国土面积' THEN 1600 ELSE 30 END
            WHEN '百km2' THEN 16 WHEN '万人' THEN 42 WHEN '千人' THEN 90 WHEN '10万人' THEN 4.2
            WHEN '亿元' THEN 260 WHEN '亿m3' THEN 12 WHEN '公顷' THEN 800 WHEN '个' THEN 148
            WHEN 'km' THEN 220 WHEN '万吨' THEN 11 WHEN '万m3' THEN 900 WHEN '万亩' THEN 40
            WHEN '万人次' THEN 60 ELSE 120 END AS ground
     , CASE direction WHEN 'higher_better' THEN 0.012 WHEN 'lower_better' THEN -0.012
            WHEN 'binding_ceiling' THEN 0.004 ELSE 0.002 END AS trend
     , CASE WHEN numerator_unit IN ('个', '件', '张', '套', '班', '处') THEN 0 ELSE 4 END AS numerator_digits
     , CASE WHEN unit IN ('个', '处', '件', '幢', '所', '次', '套', '种', '天') THEN 0 ELSE 2 END AS digits
  FROM indicator_canonical AS canonical
 WHERE canonical.is_applicable AND canonical.value_kind <> 'derived'

-- name: make_figures
-- A county's own level, its way through the years, and now and then something out of the ordinary.
CREATE TEMP TABLE demo_county ON COMMIT DROP AS
SELECT unit.code AS division_code, year, kind.canonical_code, kind.unit, kind.value_kind
     , CASE WHEN kind.value_kind = 'ratio' THEN round(CAST(level.figure * below.amount / kind.scale AS numeric), kind.numerator_digits) END AS numerator
     , CASE WHEN kind.value_kind = 'ratio' THEN below.amount END AS denominator
     , CASE WHEN kind.value_kind <> 'ratio' THEN round(CAST(level.figure AS numeric), kind.digits) END AS figure
  FROM demo_unit AS unit
 CROSS JOIN demo_kind AS kind
 CROSS JOIN generate_series(CAST(:year AS integer) - 5, CAST(:year AS integer) - 1) AS year
 CROSS JOIN LATERAL (SELECT hashint8extended(unit.hash, kind.code_hash) AS hash) AS own
 CROSS JOIN LATERAL (
       SELECT pg_temp.chance(own.hash, 2) AS luck, pg_temp.chance(own.hash, 10 + year) AS noise
            , pg_temp.chance(own.hash, 3) AS presence) AS dice
 CROSS JOIN LATERAL (
       SELECT round(CAST(kind.ground * unit.size * (1 + 0.01 * (year - CAST(:year AS integer))) AS numeric)
                  , CASE WHEN kind.denominator_unit IN ('个', '套') THEN 0 ELSE 2 END) AS amount) AS below
 CROSS JOIN LATERAL (
       SELECT CASE WHEN kind.direction = 'zero_tolerance'
                   THEN CASE WHEN pg_temp.chance(own.hash, 40 + year) > 0.96 THEN 1 ELSE 0 END
                   ELSE least(kind.typical_max
                            * CASE WHEN kind.unit = '%' AND kind.typical_max >= 95 THEN 0.995 ELSE 1 END
                       , greatest(kind.typical_min, kind.middle
                       * CASE WHEN kind.value_kind = 'quantity' THEN unit.size * (0.6 + 0.8 * dice.luck)
                              WHEN dice.luck < 0.03 THEN CASE WHEN kind.direction = 'lower_better' THEN 1.28 ELSE 0.76 END
                              WHEN dice.luck < 0.09 THEN CASE WHEN kind.direction = 'lower_better' THEN 1.16 ELSE 0.86 END
                              ELSE 0.96 + 0.10 * dice.luck END
                       * (1 + kind.trend * (year - CAST(:year AS integer) + 5))
                       * (0.99 + 0.02 * dice.noise)
                       * CASE WHEN kind.direction = 'monitor' AND pg_temp.chance(own.hash, 60 + year) > 0.97
                              THEN 1.24 ELSE 1 END)) END AS figure) AS level
 WHERE unit.level = 'county'
   AND dice.presence > CASE WHEN kind.is_basic OR kind.canonical_code = 'GDP' THEN 0
                            WHEN year = CAST(:year AS integer) - 1 THEN 0.09 ELSE 0.05 END
   AND (year < CAST(:year AS integer) - 1 OR NOT kind.is_basic OR pg_temp.chance(own.hash, 4) > 0.012)

-- name: make_cities
-- A city says what its counties have together; now and then it does not.
CREATE TEMP TABLE demo_figure ON COMMIT DROP AS
SELECT division_code, year, canonical_code, unit, value_kind, numerator, denominator, figure FROM demo_county
 UNION ALL
SELECT county.parent_code, figure.year, figure.canonical_code, figure.unit, figure.value_kind
     , round(sum(figure.numerator) * slip.share, 4), sum(figure.denominator)
     , CASE WHEN figure.value_kind = 'quantity' THEN round(sum(figure.figure) * slip.share, 2)
            ELSE round(avg(figure.figure), 2) END
  FROM demo_county AS figure
  JOIN demo_unit AS county ON county.code = figure.division_code
  JOIN demo_unit AS city ON city.code = county.parent_code
 CROSS JOIN LATERAL (
       SELECT CASE WHEN pg_temp.chance(hashtextextended(figure.canonical_code, city.hash), figure.year) > 0.985
                   THEN 1.02 ELSE 1 END AS share) AS slip
 GROUP BY county.parent_code, figure.year, figure.canonical_code, figure.unit, figure.value_kind, slip.share

-- name: index_figures
CREATE INDEX ON demo_figure (division_code, year)

-- name: analyze_figures
ANALYZE demo_figure, demo_unit, demo_kind

-- name: add_targets
-- Plan targets of most units, in sight of what the last year has; of some nothing is issued yet.
INSERT INTO indicator_target (division_code, canonical_code, target_year, state, base_year, base_value
     , target_value, document_no, issued_on)
SELECT unit.code, kind.canonical_code, aim.year
     , CASE WHEN issued.yes THEN 'issued' ELSE 'not_issued' END
     , CASE WHEN issued.yes AND first.value IS NOT NULL THEN CAST(:year AS integer) - 6 END
     , CASE WHEN issued.yes AND first.value IS NOT NULL THEN round(least(first.value * CAST(1 - kind.trend AS numeric), possible.most), 4) END
     , CASE WHEN issued.yes THEN round(least(last.value / CAST(near.ratio * aim.far AS numeric), possible.most), 4) END
     , CASE WHEN issued.yes THEN '赣自然资发〔' || (CAST(:year AS integer) - 4) || '〕演示号' END
     , CASE WHEN issued.yes THEN make_date(CAST(:year AS integer) - 4, 6, 30) END
  FROM demo_unit AS unit
 CROSS JOIN (SELECT kind.* FROM demo_kind AS kind
              WHERE EXISTS (SELECT FROM indicator JOIN indicator_set USING (set_code)
                             WHERE indicator.canonical_code = kind.canonical_code AND purpose = 'plan')) AS kind
 CROSS JOIN LATERAL (SELECT hashint8extended(unit.hash, kind.code_hash) AS hash) AS own
 CROSS JOIN LATERAL (VALUES (CAST(:year AS integer) - 1, CAST(1 AS double precision))
                          , (CAST(:year AS integer) + 9
                           , CASE WHEN kind.trend > 0.01 THEN 0.92 WHEN kind.trend < 0 THEN 1.06 ELSE 1 END)) AS aim (year, far)
 CROSS JOIN LATERAL (SELECT pg_temp.chance(own.hash, 20) AS luck, pg_temp.chance(unit.hash, 21) AS office
                          , pg_temp.chance(own.hash, 22) AS spread) AS dice
 CROSS JOIN LATERAL (SELECT dice.office > CASE WHEN aim.far = 1 AND aim.year < CAST(:year AS integer) THEN 0.10 ELSE 0.35 END AS yes) AS wish
 CROSS JOIN LATERAL (
       SELECT CASE WHEN kind.direction IN ('binding_floor', 'higher_better') AND kind.profile_code = 'BIND_FLOOR' THEN
                       CASE WHEN dice.luck < 0.03 THEN 0.985 WHEN dice.luck < 0.06 THEN 1.003
                            WHEN dice.luck < 0.10 THEN 1.0075 WHEN dice.luck < 0.16 THEN 1.015
                            ELSE 1.03 + 0.15 * dice.spread END
                   WHEN kind.profile_code = 'BIND_CEIL' THEN
                       CASE WHEN dice.luck < 0.03 THEN 1.02 WHEN dice.luck < 0.07 THEN 0.99
                            WHEN dice.luck < 0.11 THEN 0.965 WHEN dice.luck < 0.18 THEN 0.93
                            ELSE 0.72 + 0.15 * dice.spread END
                   WHEN kind.profile_code = 'LOWER' THEN
                       CASE WHEN dice.luck < 0.03 THEN 1.26 WHEN dice.luck < 0.07 THEN 1.15
                            WHEN dice.luck < 0.12 THEN 1.07 WHEN dice.luck < 0.20 THEN 1.03
                            ELSE 0.85 + 0.14 * dice.spread END
                   ELSE CASE WHEN dice.luck < 0.03 THEN 0.76 WHEN dice.luck < 0.07 THEN 0.86
                             WHEN dice.luck < 0.12 THEN 0.93 WHEN dice.luck < 0.20 THEN 0.98
                             ELSE 1.01 + 0.14 * dice.spread END
              END AS ratio) AS near
  LEFT JOIN LATERAL (
       SELECT coalesce(figure.figure, figure.numerator * kind.scale / nullif(figure.denominator, 0)) AS value
         FROM demo_figure AS figure
        WHERE figure.division_code = unit.code AND figure.canonical_code = kind.canonical_code
          AND figure.year = CAST(:year AS integer) - 1) AS last ON true
  LEFT JOIN LATERAL (
       SELECT coalesce(figure.figure, figure.numerator * kind.scale / nullif(figure.denominator, 0)) AS value
         FROM demo_figure AS figure
        WHERE figure.division_code = unit.code AND figure.canonical_code = kind.canonical_code
          AND figure.year = CAST(:year AS integer) - 5) AS first ON true
 CROSS JOIN LATERAL (SELECT wish.yes AND last.value IS NOT NULL AS yes) AS issued
 CROSS JOIN LATERAL (SELECT CAST(CASE WHEN canonical.unit = '%' THEN '100' ELSE 'Infinity' END AS numeric) AS most
                       FROM indicator_canonical AS canonical
                      WHERE canonical.canonical_code = kind.canonical_code) AS possible

-- name: add_province_targets
-- The province's own, in sight of what its counties have together; some were missed, some are not issued.
INSERT INTO indicator_target (division_code, canonical_code, target_year, state, base_year, base_value
     , target_value, document_no, issued_on)
SELECT top.code, kind.canonical_code, CAST(:year AS integer) + 9
     , CASE WHEN issued.yes THEN 'issued' ELSE 'not_issued' END
     , CASE WHEN issued.yes THEN CAST(:year AS integer) - 6 END
     , CASE WHEN issued.yes THEN round(least(together.value * CAST(1 - kind.trend AS numeric), possible.most), 4) END
     , CASE WHEN issued.yes THEN round(least(together.value / CAST(near.ratio AS numeric), possible.most), 4) END
     , CASE WHEN issued.yes THEN '国函〔' || (CAST(:year AS integer) - 4) || '〕演示号' END
     , CASE WHEN issued.yes THEN make_date(CAST(:year AS integer) - 4, 3, 31) END
  FROM demo_kind AS kind
 CROSS JOIN (SELECT code, hashtextextended(code, :seed) AS hash
               FROM division_on(CAST(:day AS date)) WHERE level = 'province') AS top
  JOIN LATERAL (
       SELECT CASE kind.value_kind
                   WHEN 'quantity' THEN sum(figure.figure)
                   WHEN 'ratio' THEN sum(figure.numerator) * kind.scale / nullif(sum(figure.denominator), 0)
              END AS value
         FROM demo_county AS figure
        WHERE figure.canonical_code = kind.canonical_code AND figure.year = CAST(:year AS integer) - 1) AS together
    ON together.value IS NOT NULL
 CROSS JOIN LATERAL (SELECT pg_temp.chance(hashint8extended(top.hash, kind.code_hash), 20) AS luck) AS dice
 CROSS JOIN LATERAL (SELECT dice.luck < 0.92 AS yes) AS issued
 CROSS JOIN LATERAL (
       SELECT CASE WHEN kind.profile_code IN ('BIND_CEIL', 'LOWER') THEN
                       CASE WHEN dice.luck < 0.06 THEN 1.12 WHEN dice.luck < 0.20 THEN 0.985 ELSE 0.88 END
                   ELSE CASE WHEN dice.luck < 0.06 THEN 0.87 WHEN dice.luck < 0.20 THEN 1.008 ELSE 1.06 END
              END AS ratio) AS near
 CROSS JOIN LATERAL (SELECT CAST(CASE WHEN kind.is_share THEN '100' ELSE 'Infinity' END AS numeric) AS most) AS possible
 WHERE kind.profile_code IN ('BIND_FLOOR', 'BIND_CEIL', 'HIGHER', 'LOWER')

-- name: make_stories
-- Where each unit stands in each period. Steps is how many reviews it passed; 9 is nothing, 8 a draft.
CREATE TEMP TABLE demo_story ON COMMIT DROP AS
SELECT nextval(pg_get_serial_sequence('submission', 'submission_id')) AS submission_id, told.*
     , CASE WHEN steps < 8 THEN last_at - make_interval(days => 4 * least(steps, reviews)) END AS submitted_at
     , CASE WHEN level = 'county' AND steps >= 1 AND steps < 8
            THEN last_at - make_interval(days => 4 * (least(steps, reviews) - 1)) END AS city_at
     , last_at - interval '30 days' AS created_at
     , steps >= reviews AND steps < 8 AS is_filed
  FROM (SELECT unit.code AS division_code, unit.level, period.period_id, period.starts_on
             , period.form_version, period.workflow_version
             , CAST(extract(year FROM period.starts_on) AS integer) - 1 AS year
             , unit.hash, unit.filer_id, unit.city_reviewer, unit.bureau_reviewer
             , CASE unit.level WHEN 'city' THEN 1 ELSE 2 END AS reviews
             , CASE WHEN period.closed_at IS NOT NULL OR pg_temp.chance(unit.hash, 30) < 0.84 THEN 2
                    WHEN pg_temp.chance(unit.hash, 30) < 0.91 THEN CASE unit.level WHEN 'city' THEN 0 ELSE 1 END
                    WHEN pg_temp.chance(unit.hash, 30) < 0.96 THEN 0
                    WHEN pg_temp.chance(unit.hash, 30) < 0.985 THEN 8 ELSE 9 END AS steps
             , pg_temp.office_time(
                   CASE WHEN period.closed_at IS NOT NULL
                        THEN make_date(CAST(extract(year FROM period.starts_on) AS integer), 6, 1)
                             + CAST(120 * pg_temp.chance(unit.hash, 31) AS integer)
                        ELSE CAST(:day AS date) - 2
                             - CAST(least(60, CAST(:day AS date) - period.starts_on - 40)
                                    * pg_temp.chance(unit.hash, 31) AS integer) END
                 , pg_temp.chance(unit.hash, 32)) AS last_at
          FROM demo_unit AS unit
          JOIN reporting_period AS period ON period.form_code = 'status_assessment'
         WHERE period.closed_at IS NOT NULL OR CAST(:day AS date) - 75 > period.starts_on
         ORDER BY period.period_id, unit.code) AS told
 WHERE told.steps < 9

-- name: make_content
-- Canonical JSON: keys in order, nothing that is missing, decimals as texts without needless zeros.
CREATE TEMP TABLE demo_content ON COMMIT DROP AS
SELECT story.submission_id
     , '{"form": {"contact_name": ' || to_json(account.display_name) || ', "contact_phone": "'
       || coalesce(account.phone, '13800000000') || '"}, "indicator": [' || below.rows || ']}' AS text
  FROM demo_story AS story
  JOIN account ON account.user_id = story.filer_id
  JOIN LATERAL (
       SELECT string_agg(concat(
                  '{', '"denominator": "' || trim_scale(denominator) || '", '
                , '"key": "' || canonical_code || '"'
                , ', "numerator": "' || trim_scale(numerator) || '"'
                , ', "source": "演示数据", "unit": ' || to_json(unit)
                , ', "value": "' || trim_scale(figure) || '"', '}')
              , ', ' ORDER BY canonical_code) AS rows
         FROM demo_figure AS figure
        WHERE figure.division_code = story.division_code AND figure.year = story.year) AS below ON true

-- name: add_submissions
WITH content AS MATERIALIZED (
    SELECT story.*, made.text AS content
         , encode(sha256(convert_to(made.text, 'UTF8')), 'hex') AS content_sha256
         , 'P' || to_char(story.starts_on, 'YYYYMM') || '-' || story.division_code || '-01' AS receipt_no
      FROM demo_story AS story
      JOIN demo_content AS made USING (submission_id)
), reported AS (
    INSERT INTO submission (submission_id, form_code, period_id, division_code, state, step_no, round_no
         , version_no, lock_version, filer_id, submitted_at, first_submitted_at, filed_at
         , receipt_no, receipt_hash, created_at, waiting_since)
    OVERRIDING SYSTEM VALUE
    SELECT submission_id, 'status_assessment', period_id, division_code
         , CASE WHEN steps = 8 THEN 'draft' WHEN is_filed THEN 'filed' ELSE 'submitted' END
         , CASE WHEN steps = 8 OR is_filed THEN 0 WHEN level = 'city' THEN 2 ELSE steps + 1 END
         , 1, CASE WHEN steps = 8 THEN 0 ELSE 1 END, CASE WHEN steps = 8 THEN 1 ELSE steps + 2 END
         , CASE WHEN steps < 8 THEN filer_id END, submitted_at, submitted_at
         , CASE WHEN is_filed THEN last_at END, CASE WHEN is_filed THEN receipt_no END
         , CASE WHEN is_filed THEN encode(sha256(convert_to(
               receipt_no || '|' || content_sha256 || '|' || CAST(extract(epoch FROM last_at) AS bigint)
             , 'UTF8')), 'hex') END
         , created_at, CASE WHEN steps < 8 AND NOT is_filed THEN last_at END
      FROM content
), drafted AS (
    INSERT INTO submission_draft (submission_id, division_code, content, draft_version, saved_at, saved_by)
    SELECT submission_id, division_code, CAST(content AS jsonb), 2, coalesce(submitted_at, last_at), filer_id
      FROM content
     WHERE NOT is_filed
)
INSERT INTO submission_version (submission_id, version_no, division_code, round_no, form_version
     , rule_version, code_version, workflow_version, content, content_sha256, submitted_by, submitted_at)
SELECT submission_id, 1, division_code, 1, form.version, form.rule_version, form.code_version
     , content.workflow_version, CAST(content.content AS jsonb), content_sha256, filer_id, submitted_at
  FROM content
  JOIN form_version AS form
    ON form.form_code = 'status_assessment' AND form.version = content.form_version
 WHERE steps <> 8

-- name: add_filed
INSERT INTO filed_indicator_value (submission_id, version_no, division_code, report_year, canonical_code
     , numerator, denominator, value, unit, source)
SELECT story.submission_id, 1, figure.division_code, figure.year, figure.canonical_code
     , figure.numerator, figure.denominator
     , coalesce(figure.figure, round(figure.numerator * kind.scale / figure.denominator, 6))
     , figure.unit, '演示数据'
  FROM demo_figure AS figure
  JOIN demo_kind AS kind USING (canonical_code)
  JOIN demo_story AS story
    ON story.division_code = figure.division_code AND story.year = figure.year AND story.steps <> 8
 ORDER BY story.submission_id, figure.canonical_code

-- name: add_accepted
INSERT INTO accepted_indicator_value (submission_id, version_no, division_code, report_year
     , canonical_code, numerator, denominator, value, unit, source, accepted_by, accepted_at)
SELECT filed.submission_id, filed.version_no, filed.division_code, filed.report_year
     , filed.canonical_code, filed.numerator, filed.denominator, filed.value, filed.unit
     , filed.source, story.bureau_reviewer, story.last_at
  FROM filed_indicator_value AS filed
  JOIN demo_story AS story USING (submission_id)
 WHERE story.is_filed

-- name: add_events
INSERT INTO review_event (submission_id, division_code, version_no, round_no, step_no, action
     , from_state, to_state, to_step_no, comment, user_id, role, happened_at)
SELECT submission_id, division_code, 1, 1, event.step_no, event.action, event.from_state
     , event.to_state, event.to_step_no, '', event.user_id, event.role, event.happened_at
  FROM demo_story AS story
 CROSS JOIN LATERAL (VALUES
       (0, 'submit', 'draft', 'submitted', CASE level WHEN 'city' THEN 2 ELSE 1 END
      , filer_id, level, submitted_at, steps < 8)
     , (1, 'approve', 'submitted', 'submitted', 2, city_reviewer, 'city', city_at
      , level = 'county' AND steps BETWEEN 1 AND 2)
     , (2, 'approve', 'submitted', 'filed', 0, bureau_reviewer, 'plan_bureau', last_at, is_filed))
       AS event (step_no, action, from_state, to_state, to_step_no, user_id, role, happened_at, is_told)
 WHERE event.is_told
 ORDER BY event.happened_at, submission_id

-- name: add_receipts
INSERT INTO submission_receipt (submission_id, version_no, division_code, receipt_no, receipt_hash, filed_at)
SELECT submission_id, 1, submission.division_code, receipt_no, receipt_hash, filed_at
  FROM submission
  JOIN demo_story USING (submission_id)
 WHERE submission.state = 'filed'

-- name: analyze_values
ANALYZE accepted_indicator_value, indicator_target, reporting_period

-- name: assess_all
-- Every year but the newest by itself; the newest raises the items of what changed.
SELECT assess(raising => true)

-- name: digest_versions
SELECT encode(sha256(convert_to(string_agg(content_sha256, '' ORDER BY submission_id), 'UTF8')), 'hex')
  FROM submission_version
  JOIN demo_story USING (submission_id)

-- name: count_rows
SELECT 'submission' AS table_name, count(*) AS rows FROM submission JOIN demo_story USING (submission_id)
 UNION ALL
SELECT 'submission_version', count(*) FROM submission_version JOIN demo_story USING (submission_id)
 UNION ALL
SELECT 'submission_draft', count(*) FROM submission_draft JOIN demo_story USING (submission_id)
 UNION ALL
SELECT 'submission_receipt', count(*) FROM submission_receipt JOIN demo_story USING (submission_id)
 UNION ALL
SELECT 'review_event', count(*) FROM review_event JOIN demo_story USING (submission_id)
 UNION ALL
SELECT 'filed_indicator_value', count(*) FROM filed_indicator_value
 UNION ALL
SELECT 'accepted_indicator_value', count(*) FROM accepted_indicator_value
 UNION ALL
SELECT 'indicator_target', count(*) FROM indicator_target
 UNION ALL
SELECT 'indicator_warning', count(*) FROM indicator_warning
 UNION ALL
SELECT 'indicator_warning_note', count(*) FROM indicator_warning_note
