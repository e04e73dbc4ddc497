-- name: add_periods
INSERT INTO reporting_period (form_code, name, starts_on, ends_on, deadline_at, form_version
     , workflow_version, opened_at, opened_by, closed_at, sample_percent, sample_least)
SELECT form_code, year || '年', make_date(year, 1, 1), make_date(year, 12, 31)
     , timezone('Asia/Shanghai', make_date(year, 12, :deadline_day) + time '23:59:59')
     , form.version, (SELECT max(version) FROM workflow_step WHERE workflow_step.form_code = form.form_code)
     , pg_temp.office_time(make_date(year, 1, 5), 0)
     , (SELECT min(user_id) FROM account_grant WHERE role = 'plan_bureau')
     , CASE WHEN year < CAST(:year AS integer) THEN pg_temp.office_time(make_date(year, 12, 31), 1) END
     , CAST(sample.value ->> 'percent' AS integer), CAST(sample.value ->> 'least' AS integer)
  FROM form_version AS form
  LEFT JOIN portal_setting AS sample ON sample.name = 'village_sample'
 CROSS JOIN generate_series(CAST(:year AS integer) - 1, CAST(:year AS integer)) AS year
 WHERE form.form_code = 'village_evaluation'
   AND form.version = (SELECT max(version) FROM form_version WHERE form_code = 'village_evaluation')
 ORDER BY year

-- name: make_people
-- Who acts for each township: its own officer or the county's first clerk files, the second reviews.
CREATE TEMP TABLE demo_people ON COMMIT DROP AS
SELECT town.code AS town_code, county.code AS county_code, county.parent_code AS city_code
     , coalesce(officer.user_id, clerk.first_id) AS filer_id
     , CASE WHEN officer.user_id IS NULL THEN 'county' ELSE 'township' END AS filer_role
     , clerk.second_id AS county_reviewer, city.user_id AS city_reviewer
     , (SELECT min(user_id) FROM account_grant WHERE role = 'plan_bureau') AS bureau_reviewer
  FROM division_on(CAST(:day AS date)) AS town
  JOIN division_on(CAST(:day AS date)) AS county ON county.code = town.parent_code
  JOIN (SELECT division_code, min(user_id) AS first_id, max(user_id) AS second_id
          FROM account_grant WHERE role = 'county' GROUP BY division_code) AS clerk
    ON clerk.division_code = county.code
  JOIN (SELECT division_code, max(user_id) AS user_id
          FROM account_grant WHERE role = 'city' GROUP BY division_code) AS city
    ON city.division_code = county.parent_code
  LEFT JOIN (SELECT division_code, min(user_id) AS user_id
               FROM account_grant WHERE role = 'township' GROUP BY division_code) AS officer
         ON officer.division_code = town.code
 WHERE town.level = 'township'

-- name: make_villages
-- What stays the same over the years, and the chance of each village.
CREATE TEMP TABLE demo_place ON COMMIT DROP AS
SELECT village.code, village.name, town.name AS town_name, people.*
     , hashtextextended(village.code, :seed) AS hash
     , hashtextextended(people.county_code, :seed) AS county_hash
     , place.location
  FROM division_on(CAST(:day AS date)) AS village
  JOIN demo_people AS people ON people.town_code = village.parent_code
  JOIN division_on(CAST(:day AS date)) AS town ON town.code = village.parent_code
  JOIN division_location AS place ON place.division_code = village.code AND place.valid_to IS NULL
 WHERE village.level = 'village'

-- name: make_plan_states
-- The plan of each village in a year: some go on from one year to the next.
CREATE TEMP TABLE demo_plan ON COMMIT DROP AS
SELECT code AS division_code, year, status AS plan_status
     , status IN ('1', '2', '3') AS is_planned, status IN ('1', '2') AS is_compiled
  FROM (SELECT code, CAST(:year AS integer) - 1 AS year, first_status AS status FROM (
            SELECT code, hash, CASE WHEN pg_temp.chance(hash, 1) < 0.46 THEN '1'
                              WHEN pg_temp.chance(hash, 1) < 0.54 THEN '2'
                              WHEN pg_temp.chance(hash, 1) < 0.66 THEN '3'
                              WHEN pg_temp.chance(hash, 1) < 0.87 THEN '4' ELSE '5' END AS first_status
              FROM demo_place) AS before
         UNION ALL
        SELECT code, CAST(:year AS integer)
             , CASE WHEN first_status = '2' AND pg_temp.chance(hash, 2) < 0.6 THEN '1'
                    WHEN first_status = '3' AND pg_temp.chance(hash, 2) < 0.4 THEN '2'
                    WHEN first_status = '4' AND pg_temp.chance(hash, 2) < 0.15 THEN '3'
                    ELSE first_status END
          FROM (SELECT code, hash, CASE WHEN pg_temp.chance(hash, 1) < 0.46 THEN '1'
                              WHEN pg_temp.chance(hash, 1) < 0.54 THEN '2'
                              WHEN pg_temp.chance(hash, 1) < 0.66 THEN '3'
                              WHEN pg_temp.chance(hash, 1) < 0.87 THEN '4' ELSE '5' END AS first_status
                  FROM demo_place) AS before) AS both_years

-- name: make_natural_villages
-- Every natural village in both years; a share of them changes from one to the next.
CREATE TEMP TABLE demo_natural ON COMMIT DROP AS
SELECT natural_village.division_code, year, natural_village.code AS key
     , natural_village.code AS natural_code, natural_village.name AS natural_name
     , trim_scale(round(CAST(ST_X(natural_village.location) AS numeric), 6)) AS longitude
     , trim_scale(round(CAST(ST_Y(natural_village.location) AS numeric), 6)) AS latitude
     , people.hukou_pop
     , CAST(people.hukou_pop * (0.4 + 0.55 * pg_temp.chance(changing, 12)) AS integer) AS resident_pop
     , people.households
     , CAST(people.households * (0.45 + 0.5 * pg_temp.chance(changing, 13)) AS integer)
       AS resident_households
     , land.construction_area
     , trim_scale(round(land.construction_area
                        * CAST(0.5 + 0.3 * pg_temp.chance(hash, 15) AS numeric), 4)) AS homestead_area
     , CAST(floor(people.households * 0.15 * pg_temp.chance(changing, 16)) AS integer)
       AS idle_homestead_cnt
     , (ARRAY['1', '1', '1', '1', '1', '1', '3', '2', '5', '4', '9', '9'])
       [1 + CAST(floor(12 * pg_temp.chance(hash, 17)) AS integer)] AS leading_industry
     , CASE WHEN pg_temp.chance(hash, 18) < 0.33 + 0.04 * is_later THEN '1'
            WHEN pg_temp.chance(hash, 18) < 0.80 THEN '2' ELSE '3' END AS tap_water
     , CASE WHEN pg_temp.chance(hash, 19) < 0.08 THEN '1' WHEN pg_temp.chance(hash, 19) < 0.30 THEN '2'
            WHEN pg_temp.chance(hash, 19) < 0.68 + 0.05 * is_later THEN '3' ELSE '4' END AS sewage
     , pg_temp.chance(hash, 20) < 0.93 AS garbage_collected
     , pg_temp.chance(hash, 21) < 0.95 + 0.02 * is_later AS hard_road
     , hazard.points AS geohazard_points
     , CASE WHEN hazard.points > 0 THEN
            CASE WHEN pg_temp.chance(hash, 23) < 0.75 THEN '1'
                 WHEN pg_temp.chance(hash, 23) < 0.95 THEN '2' ELSE '3' END END AS geohazard_level
     , pg_temp.chance(hash, 24) < 0.07 AS flood_risk
     , heritage.level AS trad_village_level
     , CASE WHEN heritage.level <> '0' THEN '明清民居群与宗祠保存较完整。' END AS heritage_desc
     , class.code AS natural_class
     , natural_village.code LIKE '%001' AND pg_temp.chance(hash, 26) < 0.8 AS is_center
     , trim_scale(round(CAST(ST_DistanceSphere(natural_village.location, place.location) / 1000
                             AS numeric), 2)) AS dist_to_office
     , homes.house_cnt
     , CAST(floor(homes.house_cnt * 0.2 * pg_temp.chance(changing, 28)) AS integer) AS vacant_house_cnt
     , pg_temp.chance(hash, 29) < 0.05 AS in_erl
     , pg_temp.chance(hash, 30) < 0.3 AS in_pbf_buffer
     , pg_temp.chance(hash, 31) < 0.5 + 0.08 * is_later AS renovation_done
     , plan.is_planned AND pg_temp.chance(hash, 32) < 0.85 AS planned
     , CASE WHEN class.code = '4'
            THEN year + CAST(floor(5 * pg_temp.chance(hash, 33)) AS integer) END AS relocate_year
     , CASE WHEN class.code = '4' THEN
            (ARRAY['1', '1', '2', '4', '5'])[1 + CAST(floor(5 * pg_temp.chance(hash, 34)) AS integer)]
       END AS relocate_reason
  FROM natural_village
  JOIN (SELECT code, location FROM demo_place) AS place ON place.code = natural_village.division_code
 CROSS JOIN LATERAL (VALUES (0, CAST(:year AS integer) - 1), (1, CAST(:year AS integer)))
       AS both_years (is_later, year)
  JOIN demo_plan AS plan USING (division_code, year)
 CROSS JOIN LATERAL (SELECT hashtextextended(natural_village.code, :seed) AS hash OFFSET 0) AS own
 CROSS JOIN LATERAL (
       SELECT CASE WHEN pg_temp.chance(hash, 9) < 0.4 THEN hash + is_later ELSE hash END AS changing OFFSET 0) AS moved
 CROSS JOIN LATERAL (
       SELECT CAST(25 + 420 * pg_temp.chance(hash, 10) * pg_temp.chance(hash, 11)
                   + CASE WHEN changing <> hash THEN 12 * pg_temp.chance(changing, 10) ELSE 0 END
                   AS integer) AS hukou_pop OFFSET 0) AS size
 CROSS JOIN LATERAL (
       SELECT size.hukou_pop
            , CAST(ceil(size.hukou_pop / (3.1 + 1.4 * pg_temp.chance(hash, 12))) AS integer)
              AS households OFFSET 0) AS people
 CROSS JOIN LATERAL (
       SELECT trim_scale(round(CAST(people.hukou_pop * (85 + 85 * pg_temp.chance(hash, 14)) / 10000
                                    AS numeric), 4)) AS construction_area OFFSET 0) AS land
 CROSS JOIN LATERAL (
       SELECT CASE WHEN pg_temp.chance(hash, 22) < 0.05 THEN 1 + CAST(40 * pg_temp.chance(hash, 22) AS integer)
                   ELSE 0 END AS points) AS hazard
 CROSS JOIN LATERAL (
       SELECT CASE WHEN pg_temp.chance(hash, 25) < 0.003 THEN '1' WHEN pg_temp.chance(hash, 25) < 0.009 THEN '2'
                   WHEN pg_temp.chance(hash, 25) < 0.022 THEN '3' ELSE '0' END AS level) AS heritage
 CROSS JOIN LATERAL (
       SELECT CASE WHEN pg_temp.chance(hash, 27) < 0.45 THEN '1' WHEN pg_temp.chance(hash, 27) < 0.70 THEN '2'
                   WHEN pg_temp.chance(hash, 27) < 0.91 THEN '3' WHEN pg_temp.chance(hash, 27) < 0.94 THEN '4'
                   ELSE '5' END AS code) AS class
 CROSS JOIN LATERAL (
       SELECT CAST(people.households * (0.9 + 0.2 * pg_temp.chance(hash, 35)) AS integer) AS house_cnt) AS homes
 WHERE natural_village.valid_to IS NULL

-- name: make_village_evaluations
-- The villages in both years: no less than their natural villages together.
CREATE TEMP TABLE demo_village ON COMMIT DROP AS
SELECT place.code AS division_code, both_years.year, both_years.year AS report_year
     , place.city_code, place.county_code, left(place.code, 9) AS town_code, place.town_name
     , place.code AS village_code, place.name AS village_name
     , trim_scale(round(CAST(ST_X(place.location) AS numeric), 6)) AS longitude
     , trim_scale(round(CAST(ST_Y(place.location) AS numeric), 6)) AS latitude
     , class.code AS village_class
     , together.natural_cnt, together.natural_cnt + CAST(8 * chance.c1 AS integer) AS group_cnt
     , people.hukou_pop
     , CASE WHEN unusual.kind = 'residents' THEN CAST(people.hukou_pop * 1.7 AS integer)
            ELSE together.resident_pop + CAST(20 * chance.c2 AS integer) END AS resident_pop
     , together.households + CAST(8 * chance.c2 AS integer) AS households
     , together.resident_households + CAST(5 * chance.c2 AS integer) AS resident_households
     , land.construction_area
     , trim_scale(round(together.homestead_area * 1.01, 4)) AS homestead_area
     , together.idle_homestead_cnt
     , ground.total_area
     , farmed.cultivated_area
     , trim_scale(round(farmed.cultivated_area * CAST(0.72 + 0.22 * pg_temp.chance(hash, 55) AS numeric), 4))
       AS pbf_area
     , CASE WHEN pg_temp.chance(hash, 56) < 0.35
            THEN trim_scale(round(ground.total_area * CAST(0.4 * pg_temp.chance(hash, 57) AS numeric), 4))
            ELSE 0 END AS erl_area
     , trim_scale(round(ground.total_area * CAST(0.3 + 0.33 * pg_temp.chance(hash, 58) AS numeric), 4))
       AS forest_area
     , CASE WHEN class.code = '2' THEN trim_scale(round(CAST(100 * pg_temp.chance(hash, 59) AS numeric), 1))
            ELSE 0 END AS in_ugb_ratio
     , (ARRAY['1', '1', '1', '1', '1', '3', '2', '5', '4', '9'])
       [1 + CAST(floor(10 * pg_temp.chance(hash, 60)) AS integer)] AS leading_industry
     , together.tap_water, together.sewage, together.garbage_collected, together.hard_road
     , trim_scale(round(CAST(4 + 70 * pg_temp.chance(hash, 61) * pg_temp.chance(hash, 62)
                             + 2 * is_later AS numeric), 2)) AS collective_income
     , CAST(round(13500 + 13000 * pg_temp.chance(hash, 63) + 900 * is_later) AS numeric) AS farmer_income
     , pg_temp.chance(hash, 64) < 0.2 AS poverty_village
     , CASE WHEN pg_temp.chance(hash, 65) < 0.008 THEN '1' ELSE '0' END AS ethnic_village
     , pg_temp.chance(hash, 66) < 0.94 AS clinic
     , pg_temp.chance(hash, 67) < 0.55 - 0.02 * is_later AS primary_school
     , pg_temp.chance(hash, 68) < 0.42 AS kindergarten
     , pg_temp.chance(hash, 69) < 0.48 + 0.07 * is_later AS elder_care
     , pg_temp.chance(hash, 70) < 0.86 + 0.03 * is_later AS culture_square
     , pg_temp.chance(hash, 71) < 0.93 AS village_office
     , pg_temp.chance(hash, 72) < 0.81 AS bus, pg_temp.chance(hash, 73) < 0.97 AS broadband
     , together.geohazard_points, together.geohazard_level
     , together.flood_risk, together.trad_village_level
     , CASE WHEN together.trad_village_level <> '0' THEN '传统格局基本完整，有古民居、宗祠和古树名木。' END
       AS heritage_desc
     , plan.plan_status
     , CASE WHEN plan.is_planned THEN
            (ARRAY['1', '1', '1', '2', '3'])[1 + CAST(floor(5 * pg_temp.chance(hash, 74)) AS integer)]
       END AS plan_type
     , CASE WHEN plan.is_compiled THEN place.town_name || place.name || '村庄规划' END AS plan_name
     , CASE WHEN plan.is_compiled THEN compiled.year END AS plan_year
     , CASE WHEN plan.is_compiled THEN compiled.year + 14 END AS plan_end_year
     , CASE WHEN plan.plan_status = '1'
            THEN '政字〔' || compiled.year || '〕' || 1 + CAST(90 * pg_temp.chance(hash, 76) AS integer) || '号'
       END AS approve_no
     , CASE WHEN plan.plan_status = '1'
            THEN make_date(compiled.year, 3, 1) + CAST(180 * pg_temp.chance(hash, 77) AS integer)
       END AS approve_date
     , CASE WHEN plan.is_planned THEN
            institutes.names[1 + CAST(floor(cardinality(institutes.names)
                                            * pg_temp.chance(place.county_hash, 78)) AS integer)]
       END AS compile_unit
     , CASE WHEN plan.is_compiled THEN pg_temp.chance(hash, 79) < 0.8 END AS plan_has_gis
     , CASE WHEN plan.is_compiled THEN pg_temp.chance(hash, 80) < 0.86 END AS meet_land_plan
     , CASE WHEN plan.is_compiled THEN pg_temp.chance(hash, 81) < 0.74 END AS meet_need
     , CASE WHEN plan.is_compiled AND pg_temp.chance(hash, 82) < 0.7
            THEN trim_scale(round(CAST(15 + 75 * pg_temp.chance(hash, 83) + 5 * is_later AS numeric), 1))
       END AS implement_rate
     , concluded.code AS eval_conclusion
     , CASE concluded.code WHEN '2' THEN '部分项目选址与现行三条控制线不符，建议修改完善。'
                           WHEN '3' THEN '规划期内人口与产业变化较大，原方案难以指导建设。'
                           WHEN '5' THEN '村庄已整体纳入城镇开发边界，原规划不再适用。' END AS eval_reason
     , CASE WHEN plan.is_compiled THEN pg_temp.chance(hash, 85) < 0.95 END AS villager_meeting
     , upcoming.is_listed AS next_plan
     , CASE WHEN upcoming.is_listed THEN both_years.year + 1 + CAST(floor(3 * pg_temp.chance(hash, 87)) AS integer) END
       AS next_plan_year
     , CASE WHEN class.code = '4' THEN '列入易地搬迁安置计划，分批迁至集镇安置点。' END AS relocate_plan
     , CASE WHEN class.code = '4' THEN '1' END AS relocate_reason
     , '139' || lpad(CAST(CAST(99999999 * pg_temp.chance(hash, 88) AS integer) AS text), 8, '0')
       AS fill_phone
     , CASE unusual.kind
            WHEN 'residents' THEN '村内工业园区外来务工人员多，常住人口已与派出所登记核对。'
            WHEN 'people' THEN '相邻两个村民小组的户籍本年并入本村，已与公安户籍底册核对。'
            WHEN 'land' THEN '新建集中安置点和村级产业用房，面积依据年度国土变更调查更新。' END AS explanation
     , trim_scale(round(land.construction_area * 10000 / greatest(people.hukou_pop, 1), 2))
       AS per_capita_construction
  FROM demo_place AS place
 CROSS JOIN LATERAL (VALUES (0, CAST(:year AS integer) - 1), (1, CAST(:year AS integer)))
       AS both_years (is_later, year)
  JOIN demo_plan AS plan ON plan.division_code = place.code AND plan.year = both_years.year
  JOIN (SELECT division_code, year, CAST(count(*) AS integer) AS natural_cnt
             , CAST(sum(hukou_pop) AS integer) AS hukou_pop
             , CAST(sum(resident_pop) AS integer) AS resident_pop
             , CAST(sum(households) AS integer) AS households
             , CAST(sum(resident_households) AS integer) AS resident_households
             , sum(construction_area) AS construction_area, sum(homestead_area) AS homestead_area
             , CAST(sum(idle_homestead_cnt) AS integer) AS idle_homestead_cnt
             , CAST(sum(geohazard_points) AS integer) AS geohazard_points
             , max(geohazard_level) AS geohazard_level, bool_or(flood_risk) AS flood_risk
             , coalesce(min(nullif(trad_village_level, '0')), '0') AS trad_village_level
             , mode() WITHIN GROUP (ORDER BY tap_water) AS tap_water
             , mode() WITHIN GROUP (ORDER BY sewage) AS sewage
             , bool_and(garbage_collected) AS garbage_collected, bool_and(hard_road) AS hard_road
          FROM demo_natural GROUP BY division_code, year) AS together
    ON together.division_code = place.code AND together.year = both_years.year
 CROSS JOIN (SELECT array_agg(name ORDER BY uscc) AS names FROM compile_unit) AS institutes
 CROSS JOIN LATERAL (SELECT pg_temp.chance(hash, 40) AS c1, pg_temp.chance(hash, 41) AS c2) AS chance
 -- Some villages of this year are out of the ordinary: rules warn, and their officers explain why.
 CROSS JOIN LATERAL (
       SELECT CASE WHEN is_later = 0 OR together.hukou_pop < 250 OR together.construction_area < 5 THEN NULL
                   WHEN pg_temp.chance(hash, 89) < 0.008 THEN 'residents'
                   WHEN pg_temp.chance(hash, 89) < 0.014 THEN 'people'
                   WHEN pg_temp.chance(hash, 89) < 0.020 THEN 'land' END AS kind) AS unusual
 CROSS JOIN LATERAL (
       SELECT CAST((together.hukou_pop + CAST(30 * chance.c2 AS integer))
                   * CASE WHEN unusual.kind = 'people' THEN 1.7 ELSE 1 END AS integer) AS hukou_pop) AS people
 CROSS JOIN LATERAL (
       SELECT trim_scale(round(together.construction_area * CASE WHEN unusual.kind = 'land' THEN 1.7 ELSE 1 END
                  * CAST(CASE WHEN pg_temp.chance(hash, 42) < 0.03 THEN 1.8
                              ELSE 1.02 + 0.08 * pg_temp.chance(hash, 43) END AS numeric), 4))
              AS construction_area) AS land
 CROSS JOIN LATERAL (
       SELECT trim_scale(round(land.construction_area
                               + CAST(350 + 1300 * pg_temp.chance(hash, 44) AS numeric), 4)) AS total_area) AS ground
 CROSS JOIN LATERAL (
       SELECT trim_scale(round(ground.total_area * CAST(0.08 + 0.25 * pg_temp.chance(hash, 54) AS numeric), 4))
              AS cultivated_area) AS farmed
 CROSS JOIN LATERAL (
       SELECT CASE WHEN together.trad_village_level IN ('1', '2') THEN '3'
                   WHEN pg_temp.chance(hash, 45) < 0.31 THEN '1' WHEN pg_temp.chance(hash, 45) < 0.39 THEN '2'
                   WHEN pg_temp.chance(hash, 45) < 0.46 THEN '3' WHEN pg_temp.chance(hash, 45) < 0.49 THEN '4'
                   ELSE '5' END AS code) AS class
 CROSS JOIN LATERAL (
       SELECT CAST(:year AS integer) - 2 - CAST(4 * pg_temp.chance(hash, 75) AS integer) AS year) AS compiled
 CROSS JOIN LATERAL (
       SELECT CASE WHEN plan.is_compiled THEN
              CASE WHEN pg_temp.chance(hash, 84) < 0.48 THEN '1' WHEN pg_temp.chance(hash, 84) < 0.79 THEN '2'
                   WHEN pg_temp.chance(hash, 84) < 0.90 THEN '3' WHEN pg_temp.chance(hash, 84) < 0.97 THEN '4'
                   ELSE '5' END END AS code) AS concluded
 CROSS JOIN LATERAL (
       SELECT (plan.plan_status = '4' AND pg_temp.chance(hash, 86) < 0.6)
              OR coalesce(concluded.code IN ('2', '3') AND pg_temp.chance(hash, 86) < 0.5, false)
              AS is_listed) AS upcoming

-- name: make_stories
-- Where each village stands in each period: last year nearly all filed; this year each county at
-- its own pace. Steps is how many reviews have approved it; 9 is nothing, 8 a draft, 7 returned.
CREATE TEMP TABLE demo_story ON COMMIT DROP AS
SELECT nextval(pg_get_serial_sequence('submission', 'submission_id')) AS submission_id, told.*
     , CASE steps WHEN 0 THEN last_at WHEN 1 THEN last_at - interval '3 days'
                  WHEN 2 THEN last_at - interval '6 days' WHEN 3 THEN last_at - interval '11 days'
                  WHEN 7 THEN last_at - interval '2 days' END AS submitted_at
     , CASE steps WHEN 1 THEN last_at WHEN 2 THEN last_at - interval '3 days'
                  WHEN 3 THEN last_at - interval '8 days' END AS county_at
     , CASE steps WHEN 2 THEN last_at WHEN 3 THEN last_at - interval '4 days' END AS city_at
     , last_at - interval '14 days' AS created_at
  FROM (SELECT place.code AS division_code, period.period_id, period.starts_on
             , period.form_version, period.workflow_version
             , CAST(extract(year FROM period.starts_on) AS integer) AS year
             , place.hash, filer_id, filer_role, county_reviewer, city_reviewer, bureau_reviewer
             , fate.steps
             , pg_temp.office_time(last_day, pg_temp.chance(place.hash, 101)) AS last_at
          FROM demo_place AS place
          JOIN reporting_period AS period ON period.form_code = 'village_evaluation'
         CROSS JOIN LATERAL (
               SELECT pg_temp.chance(place.hash, 100)
                      - CASE WHEN period.closed_at IS NULL
                             THEN 0.35 * (pg_temp.chance(place.county_hash, 100) - 0.5) ELSE 0 END AS luck) AS dice
         CROSS JOIN LATERAL (
               SELECT CASE WHEN period.starts_on < make_date(CAST(:year AS integer), 1, 1)
                           THEN CASE WHEN dice.luck < 0.995 THEN 3 ELSE 9 END
                           WHEN dice.luck < 0.38 THEN 3 WHEN dice.luck < 0.47 THEN 2
                           WHEN dice.luck < 0.58 THEN 1 WHEN dice.luck < 0.72 THEN 0
                           WHEN dice.luck < 0.76 THEN 7 WHEN dice.luck < 0.88 THEN 8 ELSE 9 END
                      AS steps) AS fate
         CROSS JOIN LATERAL (
               SELECT CASE WHEN period.starts_on < make_date(CAST(:year AS integer), 1, 1)
                           THEN make_date(CAST(:year AS integer) - 1, 11, 1)
                                + CAST(40 * pg_temp.chance(place.hash, 102) AS integer)
                           WHEN fate.steps = 3 THEN CAST(:day AS date) - 3 - CAST(55 * pg_temp.chance(place.hash, 102) AS integer)
                           ELSE CAST(:day AS date) - 1 - CAST(5 * pg_temp.chance(place.hash, 102) AS integer)
                      END AS last_day) AS ended
         WHERE fate.steps < 9
           AND (period.starts_on < make_date(CAST(:year AS integer), 1, 1)
                OR CAST(:day AS date) - 75 > period.starts_on)
         ORDER BY period.period_id, place.code) AS told

-- name: make_content
-- The content of each report as canonical JSON: keys in order, nothing that is missing, decimals as
-- text. One expression over the columns is ten times as fast as taking jsonb apart.
DO $$
DECLARE
    fields text[];
    source text;
BEGIN
    FOREACH source IN ARRAY ARRAY['demo_village', 'demo_natural'] LOOP
        fields := fields || (
            SELECT 'concat(' || string_agg(format(
                       CASE WHEN atttypid = 'text'::regtype THEN $f$', "%1$s": ' || to_json(%1$I)$f$
                            WHEN atttypid IN ('numeric'::regtype, 'date'::regtype) THEN $f$', "%1$s": "' || %1$I || '"'$f$
                            ELSE $f$', "%1$s": ' || CAST(%1$I AS text)$f$ END, attname)
                     , ', ' ORDER BY attname COLLATE "C") || ')'
              FROM pg_attribute
             WHERE attrelid = CAST('pg_temp.' || source AS regclass) AND attnum > 0
               AND attname NOT IN ('division_code', 'year', 'per_capita_construction'));
    END LOOP;
    EXECUTE format($f$
        CREATE TEMP VIEW demo_content AS
        SELECT division_code, year
             , '{"form": {' || substr(%s, 3) || '}, "natural_village": [' || below.rows || ']}' AS text
          FROM demo_village
          JOIN (SELECT division_code, year
                     , string_agg('{' || substr(%s, 3) || '}', ', ' ORDER BY natural_code) AS rows
                  FROM demo_natural
                 GROUP BY division_code, year) AS below USING (division_code, year)
        $f$, fields[1], fields[2]);
END
$$

-- name: add_submissions
-- Content, checksum and state in one statement: a report that is filed carries its receipt.
WITH content AS MATERIALIZED (
    SELECT story.*, made.text AS content
         , encode(sha256(convert_to(made.text, 'UTF8')), 'hex') AS content_sha256
         , 'V' || to_char(story.starts_on, 'YYYYMM') || '-' || story.division_code || '-01' AS receipt_no
      FROM demo_story AS story
      JOIN demo_content AS made USING (division_code, year)
), reported AS (
    INSERT INTO submission (submission_id, form_code, period_id, division_code, state, step_no, round_no
         , version_no, lock_version, filer_id, submitted_at, first_submitted_at, filed_at
         , receipt_no, receipt_hash, created_at, waiting_since)
    OVERRIDING SYSTEM VALUE
    SELECT submission_id, 'village_evaluation', period_id, division_code
         , CASE WHEN steps = 8 THEN 'draft' WHEN steps = 7 THEN 'returned' WHEN steps = 3 THEN 'filed'
                ELSE 'submitted' END
         , CASE WHEN steps < 3 THEN steps + 1 ELSE 0 END
         , CASE WHEN steps = 7 THEN 2 ELSE 1 END
         , CASE WHEN steps = 8 THEN 0 ELSE 1 END
         , CASE WHEN steps = 8 THEN 1 WHEN steps = 7 THEN 3 ELSE steps + 2 END
         , CASE WHEN steps < 8 THEN filer_id END
         , submitted_at, submitted_at
         , CASE WHEN steps = 3 THEN last_at END
         , CASE WHEN steps = 3 THEN receipt_no END
         , CASE WHEN steps = 3 THEN encode(sha256(convert_to(
               receipt_no || '|' || content_sha256 || '|' || CAST(extract(epoch FROM last_at) AS bigint)
             , 'UTF8')), 'hex') END
         , created_at
         , CASE WHEN steps < 3 THEN last_at END
      FROM content
), drafted AS (
    INSERT INTO submission_draft (submission_id, division_code, content, draft_version, saved_at, saved_by)
    SELECT submission_id, division_code
         , CASE WHEN steps = 8 AND pg_temp.chance(hash, 110) < 0.6
                THEN CAST(content AS jsonb) #- '{form,resident_pop}' #- '{form,next_plan}'
                     #- '{form,fill_phone}' #- '{natural_village,0,hukou_pop}'
                ELSE CAST(content AS jsonb) END
         , 2, coalesce(submitted_at, last_at), filer_id
      FROM content
     WHERE steps <> 3
)
INSERT INTO submission_version (submission_id, version_no, division_code, round_no, form_version
     , rule_version, code_version, workflow_version, content, content_sha256, submitted_by, submitted_at)
SELECT submission_id, 1, division_code, 1, form.version, form.rule_version, form.code_version
     , content.workflow_version, CAST(content.content AS jsonb), content_sha256, filer_id, submitted_at
  FROM content
  JOIN form_version AS form
    ON form.form_code = 'village_evaluation' AND form.version = content.form_version
 WHERE steps <> 8

-- name: add_filed
-- The typed rows of what was filed, of the columns that both sides have.
DO $$
DECLARE
    source text;
    target text;
BEGIN
    FOR source, target IN VALUES ('demo_village', 'filed_village_evaluation')
                               , ('demo_natural', 'filed_natural_village_evaluation') LOOP
        EXECUTE (
            SELECT format('INSERT INTO %I (submission_id, version_no, division_code, report_year, %s)'
                          ' SELECT story.submission_id, 1, division_code, year, %s'
                          ' FROM %I JOIN demo_story AS story USING (division_code, year)'
                          ' WHERE story.steps <> 8 ORDER BY story.submission_id'
                        , target, string_agg(quote_ident(known.attname), ', ')
                        , string_agg(quote_ident(known.attname), ', '), source)
              FROM pg_attribute AS known
              JOIN pg_attribute AS own
                ON own.attrelid = CAST('pg_temp.' || source AS regclass) AND own.attname = known.attname
             WHERE known.attrelid = CAST(target AS regclass) AND known.attnum > 0
               AND known.attname NOT IN ('submission_id', 'version_no', 'division_code', 'report_year'));
    END LOOP;
END
$$

-- name: add_accepted_villages
INSERT INTO accepted_village_evaluation
SELECT filed.*, story.bureau_reviewer, story.last_at
  FROM filed_village_evaluation AS filed
  JOIN demo_story AS story USING (submission_id)
 WHERE story.steps = 3

-- name: add_accepted_natural_villages
INSERT INTO accepted_natural_village_evaluation
SELECT filed.*, story.bureau_reviewer, story.last_at
  FROM filed_natural_village_evaluation AS filed
  JOIN demo_story AS story USING (submission_id)
 WHERE story.steps = 3

-- name: add_events
INSERT INTO review_event (submission_id, division_code, version_no, round_no, step_no, action
     , from_state, to_state, to_step_no, comment, user_id, role, happened_at)
SELECT submission_id, division_code, 1, 1, event.step_no, event.action, event.from_state
     , event.to_state, event.to_step_no, event.comment, event.user_id, event.role, event.happened_at
  FROM demo_story AS story
 CROSS JOIN LATERAL (VALUES
       (0, 'submit', 'draft', 'submitted', 1, '', filer_id, filer_role, submitted_at, steps < 8)
     , (1, 'approve', 'submitted', 'submitted', 2, '', county_reviewer, 'county', county_at
      , steps BETWEEN 1 AND 3)
     , (2, 'approve', 'submitted', 'submitted', 3, '', city_reviewer, 'city', city_at
      , steps BETWEEN 2 AND 3)
     , (3, 'approve', 'submitted', 'filed', 0, '', bureau_reviewer, 'plan_bureau', last_at, steps = 3)
     , (1, 'return', 'submitted', 'returned', 0, '请核对人口和用地数据后重新报送。', county_reviewer
      , 'county', last_at, steps = 7))
       AS event (step_no, action, from_state, to_state, to_step_no, comment, user_id, role
               , happened_at, is_told)
 WHERE event.is_told
 ORDER BY event.happened_at, submission_id

-- name: add_remarks
INSERT INTO review_remark (review_event_id, submission_id, division_code, field_path, reason)
SELECT event.review_event_id, event.submission_id, event.division_code, remark.path, remark.reason
  FROM review_event AS event
  JOIN demo_story USING (submission_id)
 CROSS JOIN (VALUES ('', '请核对人口和用地数据后重新报送。')
                  , ('form.resident_pop', '常住人口与上年相比变化较大，请说明依据。'))
       AS remark (path, reason)
 WHERE event.action = 'return'
 ORDER BY event.review_event_id, remark.path

-- name: add_receipts
INSERT INTO submission_receipt (submission_id, version_no, division_code, receipt_no, receipt_hash, filed_at)
SELECT submission_id, 1, submission.division_code, receipt_no, receipt_hash, filed_at
  FROM submission
  JOIN demo_story USING (submission_id)
 WHERE submission.state = 'filed'

-- name: add_checks
-- What waits for a review, counted as review_summaries counts it.
WITH waiting AS MATERIALIZED (
    SELECT submission_id, division_code, year, submitted_at
      FROM demo_story WHERE steps < 3 AND year = :year
), changed AS (
    SELECT own.division_code
         , (SELECT count(*) FROM jsonb_each(own.fields) AS new
             WHERE new.value IS DISTINCT FROM before.fields -> new.key) AS changes
      FROM (SELECT division_code, year, natural_code AS code
                 , to_jsonb(demo_natural) - 'year' - 'division_code' - 'key' AS fields
              FROM demo_natural JOIN waiting USING (division_code, year)
             UNION ALL
            SELECT division_code, year, division_code
                 , to_jsonb(demo_village) - 'year' - 'report_year' - 'division_code'
                   - 'per_capita_construction'
              FROM demo_village JOIN waiting USING (division_code, year)) AS own
      JOIN (SELECT natural_code AS code, to_jsonb(demo_natural) AS fields
              FROM demo_natural WHERE year = CAST(:year AS integer) - 1
             UNION ALL
            SELECT division_code, to_jsonb(demo_village)
              FROM demo_village WHERE year = CAST(:year AS integer) - 1) AS before USING (code)
), counted AS (
    SELECT division_code, sum(changes) AS changes FROM changed GROUP BY division_code
), required AS (
    SELECT group_code, array_agg(field_code) AS fields
      FROM form_field
     WHERE form_code = 'village_evaluation' AND required_when <> ''
       AND version = (SELECT max(version) FROM form_field WHERE form_code = 'village_evaluation')
     GROUP BY group_code
), answers AS (
    -- What was made holds every required answer; null is none.
    SELECT waiting.submission_id, sum(own.answered) AS answered
      FROM waiting
      JOIN submission_version AS version USING (submission_id)
     CROSS JOIN LATERAL (
           SELECT count(*) AS answered
             FROM jsonb_each(version.content -> 'form') AS field
             JOIN required ON required.group_code = 'form' AND field.key = ANY (required.fields)
            WHERE field.value <> 'null'
            UNION ALL
           SELECT count(*)
             FROM jsonb_array_elements(version.content -> 'natural_village') AS row (fields)
            CROSS JOIN LATERAL jsonb_each(row.fields) AS field
             JOIN required ON required.group_code = 'natural_village'
                          AND field.key = ANY (required.fields)
            WHERE field.value <> 'null') AS own
     WHERE version.version_no = 1
     GROUP BY waiting.submission_id
)
INSERT INTO submission_check (submission_id, version_no, division_code, errors, warnings, changes
     , attachments, new_attachments, required, answered, checked_at)
SELECT waiting.submission_id, 1, waiting.division_code, 0
     , CASE WHEN village.per_capita_construction > :per_capita_hint THEN 1 ELSE 0 END
       + CASE WHEN village.explanation IS NOT NULL THEN 1 ELSE 0 END
     , counted.changes, 0, 0, answers.answered, answers.answered, waiting.submitted_at
  FROM waiting
  JOIN answers USING (submission_id)
  JOIN counted USING (division_code)
  JOIN demo_village AS village USING (division_code, year)

-- name: digest_versions
SELECT encode(sha256(convert_to(string_agg(content_sha256, '' ORDER BY submission_id), 'UTF8')), 'hex')
  FROM submission_version
  JOIN demo_story USING (submission_id)

-- name: count_rows
-- How many rows each table got.
SELECT 'submission' AS table_name, count(*) AS rows FROM submission JOIN demo_story USING (submission_id)
 UNION ALL
SELECT 'submission_draft' AS table_name, count(*) AS rows FROM submission_draft JOIN demo_story USING (submission_id)
 UNION ALL
SELECT 'submission_version' AS table_name, count(*) AS rows FROM submission_version JOIN demo_story USING (submission_id)
 UNION ALL
SELECT 'filed_village_evaluation' AS table_name, count(*) AS rows FROM filed_village_evaluation JOIN demo_story USING (submission_id)
 UNION ALL
SELECT 'filed_natural_village_evaluation' AS table_name, count(*) AS rows FROM filed_natural_village_evaluation JOIN demo_story USING (submission_id)
 UNION ALL
SELECT 'accepted_village_evaluation' AS table_name, count(*) AS rows FROM accepted_village_evaluation JOIN demo_story USING (submission_id)
 UNION ALL
SELECT 'accepted_natural_village_evaluation' AS table_name, count(*) AS rows FROM accepted_natural_village_evaluation JOIN demo_story USING (submission_id)
 UNION ALL
SELECT 'review_event' AS table_name, count(*) AS rows FROM review_event JOIN demo_story USING (submission_id)
 UNION ALL
SELECT 'review_remark' AS table_name, count(*) AS rows FROM review_remark JOIN demo_story USING (submission_id)
 UNION ALL
SELECT 'submission_receipt' AS table_name, count(*) AS rows FROM submission_receipt JOIN demo_story USING (submission_id)
 UNION ALL
SELECT 'submission_check' AS table_name, count(*) AS rows FROM submission_check JOIN demo_story USING (submission_id)

-- name: analyze_place
ANALYZE demo_place

-- name: analyze_natural
ANALYZE demo_natural

-- name: analyze_village
ANALYZE demo_village

-- name: analyze_story
ANALYZE demo_story
