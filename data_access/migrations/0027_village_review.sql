-- The review of villages by township: how complete a report is, what stands out in it, and a random
-- sample that is looked at before a township is accepted in bulk.

-- COMPLETENESS: counted with the other findings, when a version is filed.
ALTER TABLE submission_check ADD COLUMN required integer, ADD COLUMN answered integer;
ALTER TABLE submission_check
      ADD CONSTRAINT submission_check_answers_required CHECK (0 <= answered AND answered <= required);
COMMENT ON COLUMN submission_check.required IS '应填的必填项数，未计算为空';
COMMENT ON COLUMN submission_check.answered IS '其中已填的项数，未计算为空';
GRANT INSERT (required, answered) ON submission_check TO portal_app;

-- HOW MANY are looked at is the period's; a period without a share asks for no sample.
ALTER TABLE reporting_period ADD COLUMN sample_percent integer, ADD COLUMN sample_least integer;
ALTER TABLE reporting_period
      ADD CONSTRAINT reporting_period_sample_whole
          CHECK ((sample_percent IS NULL) = (sample_least IS NULL))
    , ADD CONSTRAINT reporting_period_sample_in_range
          CHECK (sample_percent BETWEEN 1 AND 100 AND sample_least BETWEEN 1 AND 100);
COMMENT ON COLUMN reporting_period.sample_percent IS '批量通过前抽样查看的比例（%），空为不抽样';
COMMENT ON COLUMN reporting_period.sample_least IS '每个乡镇至少抽查的村数，空为不抽样';
GRANT INSERT (sample_percent, sample_least), UPDATE (sample_percent, sample_least)
   ON reporting_period TO portal_app;

-- A draw among the reports of one township that wait at one step. It stays; a new one instead of it
-- marks it as replaced.
CREATE TABLE review_sample (
    review_sample_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    period_id      bigint NOT NULL REFERENCES reporting_period,
    step_no        integer NOT NULL,
    division_code  text NOT NULL REFERENCES admin_division,
    draw_no        integer NOT NULL,
    role           text NOT NULL,
    seed           bigint NOT NULL,
    sample_percent integer NOT NULL,
    sample_least   integer NOT NULL,
    is_redraw      boolean NOT NULL,
    reason         text NOT NULL DEFAULT '',
    drawn_by       bigint NOT NULL REFERENCES account,
    drawn_at       timestamptz NOT NULL DEFAULT now(),
    replaced_at    timestamptz,
    CONSTRAINT review_sample_one_after_another UNIQUE (period_id, step_no, division_code, draw_no),
    CONSTRAINT review_sample_redraw_has_reason CHECK (NOT is_redraw OR btrim(reason) <> '')
);
COMMENT ON TABLE review_sample IS '审核抽样（每个乡镇每个审核步骤，可补抽、说明理由后重抽，只增不改）';
COMMENT ON COLUMN review_sample.review_sample_id IS '抽样标识';
COMMENT ON COLUMN review_sample.period_id IS '填报期';
COMMENT ON COLUMN review_sample.step_no IS '审核步骤';
COMMENT ON COLUMN review_sample.division_code IS '乡镇代码';
COMMENT ON COLUMN review_sample.draw_no IS '该乡镇该步骤的第几次抽样';
COMMENT ON COLUMN review_sample.role IS '审核角色，只有该角色看得到';
COMMENT ON COLUMN review_sample.seed IS '随机种子：按 SHA-256(种子:村代码) 排序取前若干个，可以复算';
COMMENT ON COLUMN review_sample.sample_percent IS '抽样时的比例（%）';
COMMENT ON COLUMN review_sample.sample_least IS '抽样时每个乡镇至少抽查的村数';
COMMENT ON COLUMN review_sample.is_redraw IS '是否重抽';
COMMENT ON COLUMN review_sample.reason IS '重抽的理由';
COMMENT ON COLUMN review_sample.drawn_by IS '抽样人';
COMMENT ON COLUMN review_sample.drawn_at IS '抽样时间';
COMMENT ON COLUMN review_sample.replaced_at IS '被重抽取代的时间，空为有效';

-- Every village that could have been drawn, with its place in the draw.
CREATE TABLE review_sample_village (
    review_sample_id bigint NOT NULL REFERENCES review_sample,
    submission_id    bigint NOT NULL,
    division_code    text NOT NULL,
    role             text NOT NULL,
    place            integer NOT NULL,
    is_sampled       boolean NOT NULL,
    PRIMARY KEY (review_sample_id, submission_id),
    FOREIGN KEY (submission_id, division_code) REFERENCES submission (submission_id, division_code)
);
CREATE INDEX review_sample_village_submission_id ON review_sample_village (submission_id);
COMMENT ON TABLE review_sample_village IS '审核抽样的各村（含未抽中的）';
COMMENT ON COLUMN review_sample_village.review_sample_id IS '抽样';
COMMENT ON COLUMN review_sample_village.submission_id IS '填报';
COMMENT ON COLUMN review_sample_village.division_code IS '村代码';
COMMENT ON COLUMN review_sample_village.role IS '审核角色';
COMMENT ON COLUMN review_sample_village.place IS '按种子排出的次序';
COMMENT ON COLUMN review_sample_village.is_sampled IS '是否抽中';

CREATE TABLE review_sample_look (
    submission_id bigint NOT NULL,
    version_no    integer NOT NULL,
    division_code text NOT NULL,
    role          text NOT NULL,
    user_id       bigint NOT NULL REFERENCES account,
    looked_at     timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (submission_id, version_no, user_id),
    FOREIGN KEY (submission_id, version_no, division_code)
        REFERENCES submission_version (submission_id, version_no, division_code)
);
COMMENT ON TABLE review_sample_look IS '抽中的村由谁打开看过哪一版';
COMMENT ON COLUMN review_sample_look.submission_id IS '填报';
COMMENT ON COLUMN review_sample_look.version_no IS '看的报送版本';
COMMENT ON COLUMN review_sample_look.division_code IS '村代码';
COMMENT ON COLUMN review_sample_look.role IS '审核角色';
COMMENT ON COLUMN review_sample_look.user_id IS '查看人';
COMMENT ON COLUMN review_sample_look.looked_at IS '第一次打开的时间';

SELECT audit_table('review_sample'), audit_table('review_sample_village')
     , audit_table('review_sample_look');
ALTER TABLE review_sample ENABLE ROW LEVEL SECURITY;
ALTER TABLE review_sample_village ENABLE ROW LEVEL SECURITY;
ALTER TABLE review_sample_look ENABLE ROW LEVEL SECURITY;
-- Who files does not learn which villages will be looked at.
CREATE POLICY review_sample_in_scope ON review_sample TO portal_app
    USING (division_code ^@ ANY ((SELECT actor_prefixes())::text[])
           AND role = ANY ((SELECT actor_roles())::text[]));
CREATE POLICY review_sample_village_in_scope ON review_sample_village TO portal_app
    USING (division_code ^@ ANY ((SELECT actor_prefixes())::text[])
           AND role = ANY ((SELECT actor_roles())::text[]));
CREATE POLICY review_sample_look_in_scope ON review_sample_look TO portal_app
    USING (division_code ^@ ANY ((SELECT actor_prefixes())::text[])
           AND role = ANY ((SELECT actor_roles())::text[]))
    WITH CHECK (user_id = (SELECT actor_user_id())
                AND division_code ^@ ANY ((SELECT actor_prefixes())::text[]));
GRANT SELECT ON review_sample, review_sample_village, review_sample_look TO portal_app;
GRANT INSERT (period_id, step_no, division_code, draw_no, role, seed, sample_percent, sample_least
            , is_redraw, reason, drawn_by), UPDATE (replaced_at) ON review_sample TO portal_app;
GRANT INSERT (review_sample_id, submission_id, division_code, role, place, is_sampled)
   ON review_sample_village TO portal_app;
GRANT INSERT (submission_id, version_no, division_code, role, user_id) ON review_sample_look TO portal_app;

-- What keeps these reports from being accepted in bulk by the reviewer: a report that was not in any
-- draw, and a sampled one of the same draw that he has neither looked at nor had decided. What he
-- filed himself is not his to look at.
CREATE FUNCTION review_sample_gaps(reports bigint[], reviewer bigint)
RETURNS TABLE (submission_id bigint, division_code text, is_drawn boolean)
LANGUAGE sql STABLE AS $$
    WITH asked AS (
        SELECT report.submission_id, report.division_code, report.period_id, report.step_no
             , drawn.review_sample_id
          FROM unnest(reports) AS chosen (submission_id)
          JOIN submission AS report USING (submission_id)
          JOIN reporting_period AS period USING (period_id)
          LEFT JOIN LATERAL (
               SELECT sample.review_sample_id
                 FROM review_sample_village AS village
                 JOIN review_sample AS sample USING (review_sample_id)
                WHERE village.submission_id = report.submission_id
                  AND sample.step_no = report.step_no AND sample.replaced_at IS NULL) AS drawn ON true
         WHERE report.state = 'submitted' AND period.sample_percent IS NOT NULL
    )
    SELECT asked.submission_id, asked.division_code, false
      FROM asked
     WHERE asked.review_sample_id IS NULL
     UNION ALL
    SELECT report.submission_id, report.division_code, true
      FROM (SELECT DISTINCT asked.review_sample_id, asked.step_no FROM asked) AS draw
      JOIN review_sample_village AS village USING (review_sample_id)
      JOIN submission AS report ON report.submission_id = village.submission_id
     WHERE village.is_sampled
       AND report.state = 'submitted' AND report.step_no = draw.step_no
       AND report.filer_id IS DISTINCT FROM reviewer
       AND NOT EXISTS (SELECT FROM review_sample_look AS look
                        WHERE look.submission_id = report.submission_id
                          AND look.version_no = report.version_no AND look.user_id = reviewer)
$$;
REVOKE ALL ON FUNCTION review_sample_gaps(bigint[], bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION review_sample_gaps(bigint[], bigint) TO portal_app;

CREATE FUNCTION require_sample_seen() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    batch record;
BEGIN
    FOR batch IN SELECT added.user_id, array_agg(added.submission_id) AS reports
                   FROM added
                   JOIN bulk_decision AS bulk USING (bulk_decision_id)
                  WHERE added.state = 'pending' AND bulk.action = 'approve'
                  GROUP BY added.user_id
    LOOP
        IF EXISTS (SELECT FROM review_sample_gaps(batch.reports, batch.user_id)) THEN
            RAISE check_violation USING CONSTRAINT = 'bulk_decision_item_sample_seen'
                , MESSAGE = 'the sample of these reports has not been looked at';
        END IF;
    END LOOP;
    RETURN NULL;
END
$$;
CREATE TRIGGER bulk_decision_item_sample_seen AFTER INSERT ON bulk_decision_item
    REFERENCING NEW TABLE AS added
   FOR EACH STATEMENT EXECUTE FUNCTION require_sample_seen();

-- WHAT STANDS OUT among the reports of a period: against the village's own value of last year, and
-- beyond the fences of its township's quartiles (of its county's where few have reported). Fields
-- and limits are settings. What nobody answered is neither a value nor a zero; where the middle half
-- is all one value there is no width to measure by.
CREATE FUNCTION village_outliers(of_period bigint, within text)
RETURNS TABLE (submission_id bigint, division_code text, field_code text, kind text, amount numeric
             , reference numeric, area text, villages bigint)
LANGUAGE plpgsql STABLE AS $$
DECLARE
    limits jsonb := (SELECT value FROM portal_setting WHERE name = 'village_outlier_limits');
    facts text;
    first text := rpad(left(within, 6), 12, '0');
    last text := rpad(left(within, 6), 12, '9');
BEGIN
    SELECT string_agg(format('(%L, CAST(latest.%I AS numeric), CAST(earlier.%I AS numeric))'
                           , attname, attname, attname), ', ')
      INTO facts
      FROM pg_attribute
      JOIN jsonb_array_elements_text((SELECT value FROM portal_setting
                                       WHERE name = 'village_outlier_fields')) AS asked (code)
        ON asked.code = attname
     WHERE attrelid = CAST('filed_village_evaluation' AS regclass) AND attnum > 3
       AND atttypid IN (CAST('integer' AS regtype), CAST('numeric' AS regtype));
    IF facts IS NULL OR limits IS NULL THEN
        RETURN;
    END IF;
    RETURN QUERY EXECUTE format($query$
        WITH reported AS MATERIALIZED (
            SELECT report.submission_id, report.division_code, fact.code, fact.amount, fact.earlier
              FROM submission AS report
              JOIN filed_village_evaluation AS latest USING (submission_id, version_no)
              LEFT JOIN accepted_village_evaluation AS earlier
                     ON earlier.division_code = report.division_code
                    AND earlier.report_year = latest.report_year - 1
             CROSS JOIN LATERAL (VALUES %s) AS fact (code, amount, earlier)
             WHERE report.period_id = $1 AND report.state IN ('submitted', 'filed')
               AND report.division_code BETWEEN $2 AND $3 AND fact.amount IS NOT NULL
        ), quartile AS MATERIALIZED (
            SELECT left(division_code, 6) AS county, left(division_code, 9) AS township, code
                 , grouping(left(division_code, 9)) = 0 AS is_township, count(*) AS villages
                 , percentile_cont(ARRAY[0.25, 0.75])
                       WITHIN GROUP (ORDER BY CAST(amount AS double precision)) AS cut
              FROM reported
             GROUP BY GROUPING SETS ((left(division_code, 6), left(division_code, 9), code)
                                   , (left(division_code, 6), code))
        ), judged AS (
            SELECT reported.*
                 , coalesce(town.township, whole.county) AS area
                 , coalesce(town.villages, whole.villages) AS villages
                 , coalesce(town.cut, whole.cut) AS cut
              FROM reported
              LEFT JOIN quartile AS town
                     ON town.is_township AND town.code = reported.code
                    AND town.township = left(reported.division_code, 9) AND town.villages >= $4
              LEFT JOIN quartile AS whole
                     ON NOT whole.is_township AND whole.code = reported.code
                    AND whole.county = left(reported.division_code, 6) AND whole.villages >= $4
             WHERE reported.division_code ^@ $5
        )
        SELECT submission_id, division_code, code, 'change', amount, earlier, '', CAST(0 AS bigint)
          FROM judged
         WHERE earlier <> 0 AND abs(amount - earlier) * 100 > abs(earlier) * $6
         UNION ALL
        SELECT submission_id, division_code, code
             , CASE WHEN amount > fence.high THEN 'high' ELSE 'low' END, amount
             , CAST(CASE WHEN amount > fence.high THEN fence.high ELSE fence.low END AS numeric)
             , area, villages
          FROM judged
         CROSS JOIN LATERAL (SELECT cut[1] - (cut[2] - cut[1]) * $7 / 100.0 AS low
                                  , cut[2] + (cut[2] - cut[1]) * $7 / 100.0 AS high) AS fence
         WHERE cut[2] > cut[1] AND NOT amount BETWEEN fence.low AND fence.high
        $query$, facts)
    USING of_period, first, last, CAST(limits ->> 'least_villages' AS bigint), within
        , CAST(limits ->> 'change_percent' AS numeric)
        , CAST(limits ->> 'quartile_percent' AS double precision);
END
$$;
REVOKE ALL ON FUNCTION village_outliers(bigint, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION village_outliers(bigint, text) TO portal_app;
