-- Village evaluations: who files for units below his own, and evaluations as typed tables.

-- WHO FILES: of some forms the unit itself, of others whoever answers for the division it lies in.
ALTER TABLE form_version
      ADD COLUMN filer_roles text[] NOT NULL DEFAULT '{city,county}'
    , ADD COLUMN filed_from_above boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN form_version.filer_roles IS '可以填报的角色';
COMMENT ON COLUMN form_version.filed_from_above IS
    '由上级填报：授权覆盖该单位即可填报（如乡镇填报所辖各村）；否则须是对该单位本身的授权';

-- EVALUATIONS: one row a village, one row a natural village, of each version as it was filed. What
-- the bureau may change (limits, required fields) stands in form_field and settings, not here.
CREATE TABLE filed_village_evaluation (
    submission_id           bigint NOT NULL,
    version_no              integer NOT NULL,
    division_code           text NOT NULL,
    report_year             integer NOT NULL,
    longitude               numeric(9, 6),
    latitude                numeric(8, 6),
    village_class           text,
    natural_cnt             integer,
    group_cnt               integer,
    hukou_pop               integer,
    resident_pop            integer,
    households              integer,
    resident_households     integer,
    construction_area       numeric(12, 4),
    homestead_area          numeric(12, 4),
    idle_homestead_cnt      integer,
    total_area              numeric(12, 4),
    cultivated_area         numeric(12, 4),
    pbf_area                numeric(12, 4),
    erl_area                numeric(12, 4),
    forest_area             numeric(12, 4),
    in_ugb_ratio            numeric(5, 2),
    leading_industry        text,
    tap_water               text,
    sewage                  text,
    garbage_collected       boolean,
    hard_road               boolean,
    collective_income       numeric(12, 2),
    farmer_income           numeric(10, 0),
    industry_desc           text,
    poverty_village         boolean,
    ethnic_village          text,
    clinic                  boolean,
    primary_school          boolean,
    kindergarten            boolean,
    elder_care              boolean,
    culture_square          boolean,
    village_office          boolean,
    bus                     boolean,
    broadband               boolean,
    geohazard_points        integer,
    geohazard_level         text,
    flood_risk              boolean,
    trad_village_level      text,
    heritage_desc           text,
    plan_status             text,
    plan_type               text,
    plan_name               text,
    plan_year               integer,
    plan_end_year           integer,
    approve_no              text,
    approve_date            date,
    compile_unit            text,
    plan_has_gis            boolean,
    meet_land_plan          boolean,
    meet_need               boolean,
    implement_rate          numeric(5, 2),
    eval_conclusion         text,
    eval_reason             text,
    villager_meeting        boolean,
    next_plan               boolean,
    next_plan_year          integer,
    relocate_plan           text,
    relocate_reason         text,
    fill_phone              text,
    remark                  text,
    per_capita_construction numeric(12, 2),
    PRIMARY KEY (submission_id, version_no),
    FOREIGN KEY (submission_id, version_no, division_code)
        REFERENCES submission_version (submission_id, version_no, division_code)
);
CREATE INDEX filed_village_evaluation_division_code ON filed_village_evaluation (division_code, report_year);
COMMENT ON TABLE filed_village_evaluation IS '填报的行政村评估（按报送版本，只增不改）';
COMMENT ON COLUMN filed_village_evaluation.submission_id IS '填报';
COMMENT ON COLUMN filed_village_evaluation.version_no IS '报送版本';
COMMENT ON COLUMN filed_village_evaluation.division_code IS '行政村代码';
COMMENT ON COLUMN filed_village_evaluation.report_year IS '填报年度';
COMMENT ON COLUMN filed_village_evaluation.longitude IS '经度(CGCS2000)（°）';
COMMENT ON COLUMN filed_village_evaluation.latitude IS '纬度(CGCS2000)（°）';
COMMENT ON COLUMN filed_village_evaluation.village_class IS '村庄分类（代码表 CZFLDM）';
COMMENT ON COLUMN filed_village_evaluation.natural_cnt IS '自然村个数（个）';
COMMENT ON COLUMN filed_village_evaluation.group_cnt IS '村民小组数（个）';
COMMENT ON COLUMN filed_village_evaluation.hukou_pop IS '户籍人口（人）';
COMMENT ON COLUMN filed_village_evaluation.resident_pop IS '常住人口（人）';
COMMENT ON COLUMN filed_village_evaluation.households IS '户籍户数（户）';
COMMENT ON COLUMN filed_village_evaluation.resident_households IS '常住户数（户）';
COMMENT ON COLUMN filed_village_evaluation.construction_area IS '村庄建设用地面积（公顷）';
COMMENT ON COLUMN filed_village_evaluation.homestead_area IS '宅基地面积（公顷）';
COMMENT ON COLUMN filed_village_evaluation.idle_homestead_cnt IS '闲置宅基地(农房)数量（处）';
COMMENT ON COLUMN filed_village_evaluation.total_area IS '村域面积（公顷）';
COMMENT ON COLUMN filed_village_evaluation.cultivated_area IS '耕地面积（公顷）';
COMMENT ON COLUMN filed_village_evaluation.pbf_area IS '永久基本农田面积（公顷）';
COMMENT ON COLUMN filed_village_evaluation.erl_area IS '生态保护红线面积（公顷）';
COMMENT ON COLUMN filed_village_evaluation.forest_area IS '林地面积（公顷）';
COMMENT ON COLUMN filed_village_evaluation.in_ugb_ratio IS '位于城镇开发边界内面积比例（%）';
COMMENT ON COLUMN filed_village_evaluation.leading_industry IS '主导产业（代码表 CYLX）';
COMMENT ON COLUMN filed_village_evaluation.tap_water IS '饮水方式（代码表 RJLX）';
COMMENT ON COLUMN filed_village_evaluation.sewage IS '生活污水处理方式（代码表 WSLX）';
COMMENT ON COLUMN filed_village_evaluation.garbage_collected IS '生活垃圾是否收运处理';
COMMENT ON COLUMN filed_village_evaluation.hard_road IS '是否通硬化路';
COMMENT ON COLUMN filed_village_evaluation.collective_income IS '村集体经济年收入（万元）';
COMMENT ON COLUMN filed_village_evaluation.farmer_income IS '农民人均可支配收入（元）';
COMMENT ON COLUMN filed_village_evaluation.industry_desc IS '产业特色说明';
COMMENT ON COLUMN filed_village_evaluation.poverty_village IS '是否原建档立卡贫困村';
COMMENT ON COLUMN filed_village_evaluation.ethnic_village IS '民族村标识（代码表 MZZC）';
COMMENT ON COLUMN filed_village_evaluation.clinic IS '是否有村卫生室';
COMMENT ON COLUMN filed_village_evaluation.primary_school IS '是否有小学/教学点';
COMMENT ON COLUMN filed_village_evaluation.kindergarten IS '是否有幼儿园';
COMMENT ON COLUMN filed_village_evaluation.elder_care IS '是否有养老服务设施';
COMMENT ON COLUMN filed_village_evaluation.culture_square IS '是否有文体活动场所';
COMMENT ON COLUMN filed_village_evaluation.village_office IS '是否有综合服务中心';
COMMENT ON COLUMN filed_village_evaluation.bus IS '是否通公交/客运班线';
COMMENT ON COLUMN filed_village_evaluation.broadband IS '是否通宽带/4G';
COMMENT ON COLUMN filed_village_evaluation.geohazard_points IS '地质灾害隐患点数（处）';
COMMENT ON COLUMN filed_village_evaluation.geohazard_level IS '最高隐患等级（代码表 DZZHDJ）';
COMMENT ON COLUMN filed_village_evaluation.flood_risk IS '是否受洪涝威胁';
COMMENT ON COLUMN filed_village_evaluation.trad_village_level IS '传统村落级别（代码表 CTCLJB）';
COMMENT ON COLUMN filed_village_evaluation.heritage_desc IS '历史文化资源说明';
COMMENT ON COLUMN filed_village_evaluation.plan_status IS '村庄规划编制状态（代码表 CZGHZT）';
COMMENT ON COLUMN filed_village_evaluation.plan_type IS '村庄规划类型（代码表 CZGHLX）';
COMMENT ON COLUMN filed_village_evaluation.plan_name IS '规划名称';
COMMENT ON COLUMN filed_village_evaluation.plan_year IS '编制年份';
COMMENT ON COLUMN filed_village_evaluation.plan_end_year IS '规划期末年';
COMMENT ON COLUMN filed_village_evaluation.approve_no IS '批复文号';
COMMENT ON COLUMN filed_village_evaluation.approve_date IS '批复日期';
COMMENT ON COLUMN filed_village_evaluation.compile_unit IS '编制单位名称';
COMMENT ON COLUMN filed_village_evaluation.plan_has_gis IS '是否有 GIS 数据库';
COMMENT ON COLUMN filed_village_evaluation.meet_land_plan IS '是否符合土规/三线';
COMMENT ON COLUMN filed_village_evaluation.meet_need IS '是否满足建设需求';
COMMENT ON COLUMN filed_village_evaluation.implement_rate IS '近期项目实施率（%）';
COMMENT ON COLUMN filed_village_evaluation.eval_conclusion IS '评估结论（代码表 PGJL）';
COMMENT ON COLUMN filed_village_evaluation.eval_reason IS '评估理由';
COMMENT ON COLUMN filed_village_evaluation.villager_meeting IS '是否经村民会议同意';
COMMENT ON COLUMN filed_village_evaluation.next_plan IS '是否列入近期编制计划';
COMMENT ON COLUMN filed_village_evaluation.next_plan_year IS '计划编制年份';
COMMENT ON COLUMN filed_village_evaluation.relocate_plan IS '拟搬迁撤并说明';
COMMENT ON COLUMN filed_village_evaluation.relocate_reason IS '搬迁原因（代码表 BQYY）';
COMMENT ON COLUMN filed_village_evaluation.fill_phone IS '联系电话';
COMMENT ON COLUMN filed_village_evaluation.remark IS '备注';
COMMENT ON COLUMN filed_village_evaluation.per_capita_construction IS '人均村庄建设用地（平方米/人，由面积和户籍人口算得）';

CREATE TABLE filed_natural_village_evaluation (
    submission_id       bigint NOT NULL,
    version_no          integer NOT NULL,
    division_code       text NOT NULL,
    report_year         integer NOT NULL,
    natural_code        text NOT NULL,
    longitude           numeric(9, 6),
    latitude            numeric(8, 6),
    natural_class       text,
    is_center           boolean,
    dist_to_office      numeric(6, 2),
    house_cnt           integer,
    vacant_house_cnt    integer,
    in_erl              boolean,
    in_pbf_buffer       boolean,
    renovation_done     boolean,
    planned             boolean,
    hukou_pop           integer,
    resident_pop        integer,
    households          integer,
    resident_households integer,
    construction_area   numeric(12, 4),
    homestead_area      numeric(12, 4),
    idle_homestead_cnt  integer,
    leading_industry    text,
    tap_water           text,
    sewage              text,
    garbage_collected   boolean,
    hard_road           boolean,
    geohazard_points    integer,
    geohazard_level     text,
    flood_risk          boolean,
    trad_village_level  text,
    heritage_desc       text,
    relocate_year       integer,
    relocate_reason     text,
    remark              text,
    PRIMARY KEY (submission_id, version_no, natural_code),
    FOREIGN KEY (submission_id, version_no, division_code)
        REFERENCES submission_version (submission_id, version_no, division_code),
    FOREIGN KEY (natural_code, division_code) REFERENCES natural_village (code, division_code)
);
CREATE INDEX filed_natural_village_evaluation_division_code
    ON filed_natural_village_evaluation (division_code, report_year);
COMMENT ON TABLE filed_natural_village_evaluation IS '填报的自然村评估（按报送版本，只增不改）';
COMMENT ON COLUMN filed_natural_village_evaluation.submission_id IS '填报';
COMMENT ON COLUMN filed_natural_village_evaluation.version_no IS '报送版本';
COMMENT ON COLUMN filed_natural_village_evaluation.division_code IS '所属行政村代码';
COMMENT ON COLUMN filed_natural_village_evaluation.report_year IS '填报年度';
COMMENT ON COLUMN filed_natural_village_evaluation.natural_code IS '自然村代码';
COMMENT ON COLUMN filed_natural_village_evaluation.longitude IS '经度(CGCS2000)（°）';
COMMENT ON COLUMN filed_natural_village_evaluation.latitude IS '纬度(CGCS2000)（°）';
COMMENT ON COLUMN filed_natural_village_evaluation.natural_class IS '自然村分类（代码表 ZRCFL）';
COMMENT ON COLUMN filed_natural_village_evaluation.is_center IS '是否中心村(居民点)';
COMMENT ON COLUMN filed_natural_village_evaluation.dist_to_office IS '距村委会距离（km）';
COMMENT ON COLUMN filed_natural_village_evaluation.house_cnt IS '农房栋数（栋）';
COMMENT ON COLUMN filed_natural_village_evaluation.vacant_house_cnt IS '空置农房栋数（栋）';
COMMENT ON COLUMN filed_natural_village_evaluation.in_erl IS '是否位于生态保护红线内';
COMMENT ON COLUMN filed_natural_village_evaluation.in_pbf_buffer IS '是否紧邻永久基本农田';
COMMENT ON COLUMN filed_natural_village_evaluation.renovation_done IS '是否完成村庄整治';
COMMENT ON COLUMN filed_natural_village_evaluation.planned IS '是否已纳入村庄规划';
COMMENT ON COLUMN filed_natural_village_evaluation.hukou_pop IS '户籍人口（人）';
COMMENT ON COLUMN filed_natural_village_evaluation.resident_pop IS '常住人口（人）';
COMMENT ON COLUMN filed_natural_village_evaluation.households IS '户籍户数（户）';
COMMENT ON COLUMN filed_natural_village_evaluation.resident_households IS '常住户数（户）';
COMMENT ON COLUMN filed_natural_village_evaluation.construction_area IS '村庄建设用地面积（公顷）';
COMMENT ON COLUMN filed_natural_village_evaluation.homestead_area IS '宅基地面积（公顷）';
COMMENT ON COLUMN filed_natural_village_evaluation.idle_homestead_cnt IS '闲置宅基地(农房)数量（处）';
COMMENT ON COLUMN filed_natural_village_evaluation.leading_industry IS '主导产业（代码表 CYLX）';
COMMENT ON COLUMN filed_natural_village_evaluation.tap_water IS '饮水方式（代码表 RJLX）';
COMMENT ON COLUMN filed_natural_village_evaluation.sewage IS '生活污水处理方式（代码表 WSLX）';
COMMENT ON COLUMN filed_natural_village_evaluation.garbage_collected IS '生活垃圾是否收运处理';
COMMENT ON COLUMN filed_natural_village_evaluation.hard_road IS '是否通硬化路';
COMMENT ON COLUMN filed_natural_village_evaluation.geohazard_points IS '地质灾害隐患点数（处）';
COMMENT ON COLUMN filed_natural_village_evaluation.geohazard_level IS '最高隐患等级（代码表 DZZHDJ）';
COMMENT ON COLUMN filed_natural_village_evaluation.flood_risk IS '是否受洪涝威胁';
COMMENT ON COLUMN filed_natural_village_evaluation.trad_village_level IS '传统村落级别（代码表 CTCLJB）';
COMMENT ON COLUMN filed_natural_village_evaluation.heritage_desc IS '历史文化资源说明';
COMMENT ON COLUMN filed_natural_village_evaluation.relocate_year IS '拟搬迁年份';
COMMENT ON COLUMN filed_natural_village_evaluation.relocate_reason IS '搬迁原因（代码表 BQYY）';
COMMENT ON COLUMN filed_natural_village_evaluation.remark IS '备注';

-- What the province accepted of a year; read up to a moment by accepted_at.
CREATE TABLE accepted_village_evaluation (
    LIKE filed_village_evaluation INCLUDING COMMENTS,
    accepted_by bigint NOT NULL REFERENCES account,
    accepted_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (division_code, report_year),
    FOREIGN KEY (submission_id, version_no, division_code)
        REFERENCES submission_version (submission_id, version_no, division_code)
);
COMMENT ON TABLE accepted_village_evaluation IS '省级认定的行政村评估（每村每年一行，只增不改）';
COMMENT ON COLUMN accepted_village_evaluation.accepted_by IS '认定人';
COMMENT ON COLUMN accepted_village_evaluation.accepted_at IS '认定时间';

CREATE TABLE accepted_natural_village_evaluation (
    LIKE filed_natural_village_evaluation INCLUDING COMMENTS,
    accepted_by bigint NOT NULL REFERENCES account,
    accepted_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (natural_code, report_year),
    FOREIGN KEY (division_code, report_year) REFERENCES accepted_village_evaluation,
    FOREIGN KEY (submission_id, version_no, division_code)
        REFERENCES submission_version (submission_id, version_no, division_code),
    FOREIGN KEY (natural_code, division_code) REFERENCES natural_village (code, division_code)
);
CREATE INDEX accepted_natural_village_evaluation_division_code
    ON accepted_natural_village_evaluation (division_code, report_year);
COMMENT ON TABLE accepted_natural_village_evaluation IS '省级认定的自然村评估（每村每年一行，只增不改）';
COMMENT ON COLUMN accepted_natural_village_evaluation.accepted_by IS '认定人';
COMMENT ON COLUMN accepted_natural_village_evaluation.accepted_at IS '认定时间';

SELECT audit_table('filed_village_evaluation'), audit_table('filed_natural_village_evaluation')
     , audit_table('accepted_village_evaluation'), audit_table('accepted_natural_village_evaluation');

ALTER TABLE filed_village_evaluation ENABLE ROW LEVEL SECURITY;
ALTER TABLE filed_natural_village_evaluation ENABLE ROW LEVEL SECURITY;
ALTER TABLE accepted_village_evaluation ENABLE ROW LEVEL SECURITY;
ALTER TABLE accepted_natural_village_evaluation ENABLE ROW LEVEL SECURITY;
CREATE POLICY filed_village_evaluation_in_scope ON filed_village_evaluation TO portal_app
    USING (division_code ^@ ANY ((SELECT actor_prefixes())::text[]));
CREATE POLICY filed_natural_village_evaluation_in_scope ON filed_natural_village_evaluation TO portal_app
    USING (division_code ^@ ANY ((SELECT actor_prefixes())::text[]));
CREATE POLICY accepted_village_evaluation_in_scope ON accepted_village_evaluation TO portal_app
    USING (division_code ^@ ANY ((SELECT actor_prefixes())::text[]));
CREATE POLICY accepted_natural_village_evaluation_in_scope ON accepted_natural_village_evaluation TO portal_app
    USING (division_code ^@ ANY ((SELECT actor_prefixes())::text[]));

GRANT SELECT ON filed_village_evaluation, filed_natural_village_evaluation
    , accepted_village_evaluation, accepted_natural_village_evaluation TO portal_app;
GRANT INSERT ON filed_village_evaluation, filed_natural_village_evaluation TO portal_app;
-- Everything but the time, which is the database's own.
DO $$
DECLARE
    facts text;
BEGIN
    FOREACH facts IN ARRAY ARRAY['accepted_village_evaluation', 'accepted_natural_village_evaluation'] LOOP
        EXECUTE (
            SELECT format('GRANT INSERT (%s) ON %I TO portal_app'
                        , string_agg(quote_ident(attname), ', '), facts)
              FROM pg_attribute
             WHERE attrelid = CAST(facts AS regclass) AND attnum > 0
               AND NOT attisdropped AND attname <> 'accepted_at');
    END LOOP;
END
$$;
