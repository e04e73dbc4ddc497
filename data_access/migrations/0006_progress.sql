-- Form A, plan preparation progress: plans, stages, weights, and the facts the province accepted.
CREATE TABLE plan_stage (
    stage_code        text PRIMARY KEY,
    plan_type         text NOT NULL,
    plan_type_name    text NOT NULL,
    stage_order       integer NOT NULL,
    name              text NOT NULL,
    definition        text NOT NULL,
    responsible       text NOT NULL,
    evidence_items    text[] NOT NULL,
    is_milestone      boolean NOT NULL,
    minimum_days      integer,
    basis             text NOT NULL,
    UNIQUE (plan_type, stage_order)
);
COMMENT ON TABLE plan_stage IS '编制阶段（里程碑节点）';
COMMENT ON COLUMN plan_stage.stage_code IS '阶段代码';
COMMENT ON COLUMN plan_stage.plan_type IS '规划类型';
COMMENT ON COLUMN plan_stage.plan_type_name IS '规划类型名称';
COMMENT ON COLUMN plan_stage.stage_order IS '阶段次序';
COMMENT ON COLUMN plan_stage.name IS '阶段名称';
COMMENT ON COLUMN plan_stage.definition IS '定义';
COMMENT ON COLUMN plan_stage.responsible IS '责任单位';
COMMENT ON COLUMN plan_stage.evidence_items IS '应附佐证材料，每项一个可打开的文件';
COMMENT ON COLUMN plan_stage.is_milestone IS '是否关键节点';
COMMENT ON COLUMN plan_stage.minimum_days IS '最短历时（天），如公示不少于 30 日';
COMMENT ON COLUMN plan_stage.basis IS '依据：source、known、assumed';

CREATE TABLE weight_version (
    weight_version integer PRIMARY KEY,
    note           text NOT NULL,
    basis          text NOT NULL,
    in_force_at    timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE weight_version IS '阶段权重（版本）';
COMMENT ON COLUMN weight_version.weight_version IS '版本';
COMMENT ON COLUMN weight_version.note IS '说明';
COMMENT ON COLUMN weight_version.basis IS '依据：source、known、assumed';
COMMENT ON COLUMN weight_version.in_force_at IS '启用时间';

CREATE TABLE stage_weight (
    weight_version integer NOT NULL REFERENCES weight_version,
    stage_code     text NOT NULL REFERENCES plan_stage,
    weight         numeric(5, 2) NOT NULL,
    PRIMARY KEY (weight_version, stage_code),
    CONSTRAINT stage_weight_between_0_and_100 CHECK (weight BETWEEN 0 AND 100)
);
COMMENT ON TABLE stage_weight IS '阶段权重（百分点，同一规划类型合计 100）';
COMMENT ON COLUMN stage_weight.weight_version IS '版本';
COMMENT ON COLUMN stage_weight.stage_code IS '阶段代码';
COMMENT ON COLUMN stage_weight.weight IS '权重（百分点）';

-- A percentage stays within 0 and 100 because the weights of a plan type add up to 100.
CREATE FUNCTION refuse_weights_not_100() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
BEGIN
    IF EXISTS (
        SELECT FROM stage_weight JOIN plan_stage USING (stage_code)
         WHERE weight_version = coalesce(NEW.weight_version, OLD.weight_version)
         GROUP BY plan_type HAVING sum(weight) <> 100)
    THEN
        RAISE EXCEPTION 'weights of a plan type do not add up to 100'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'stage_weight_sums_to_100';
    END IF;
    RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER stage_weight_sums_to_100 AFTER INSERT OR UPDATE OR DELETE ON stage_weight
   DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refuse_weights_not_100();

CREATE TABLE plan (
    plan_id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    division_code text NOT NULL REFERENCES admin_division,
    plan_type     text NOT NULL,
    name          text NOT NULL,
    is_headline   boolean NOT NULL DEFAULT false,
    declared_at   timestamptz NOT NULL DEFAULT now(),
    declared_by   bigint REFERENCES account,
    UNIQUE (plan_id, division_code),
    CONSTRAINT plan_named CHECK (btrim(name) <> ''),
    CONSTRAINT plan_once_by_name UNIQUE (division_code, plan_type, name)
);
CREATE UNIQUE INDEX plan_one_headline_per_unit ON plan (division_code) WHERE is_headline;
COMMENT ON TABLE plan IS '规划（编制对象）';
COMMENT ON COLUMN plan.plan_id IS '规划标识';
COMMENT ON COLUMN plan.division_code IS '编制单位所在区划';
COMMENT ON COLUMN plan.plan_type IS '规划类型';
COMMENT ON COLUMN plan.name IS '规划名称';
COMMENT ON COLUMN plan.is_headline IS '是否主报规划（总体规划）';
COMMENT ON COLUMN plan.declared_at IS '申报时间';
COMMENT ON COLUMN plan.declared_by IS '申报人';

CREATE TABLE evidence (
    evidence_id   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    plan_id       bigint NOT NULL,
    division_code text NOT NULL,
    stage_code    text NOT NULL REFERENCES plan_stage,
    item          text NOT NULL,
    sha256        text NOT NULL REFERENCES stored_file,
    file_name     text NOT NULL,
    uploaded_by   bigint NOT NULL REFERENCES account,
    uploaded_at   timestamptz NOT NULL DEFAULT now(),
    removed_at    timestamptz,
    UNIQUE (evidence_id, division_code),
    FOREIGN KEY (plan_id, division_code) REFERENCES plan (plan_id, division_code)
);
CREATE INDEX evidence_plan_id ON evidence (plan_id, stage_code);
CREATE INDEX evidence_sha256 ON evidence (sha256);
COMMENT ON TABLE evidence IS '佐证材料';
COMMENT ON COLUMN evidence.evidence_id IS '材料标识';
COMMENT ON COLUMN evidence.plan_id IS '规划';
COMMENT ON COLUMN evidence.division_code IS '填报单位';
COMMENT ON COLUMN evidence.stage_code IS '阶段';
COMMENT ON COLUMN evidence.item IS '材料名目';
COMMENT ON COLUMN evidence.sha256 IS '文件';
COMMENT ON COLUMN evidence.file_name IS '文件名';
COMMENT ON COLUMN evidence.uploaded_by IS '上传人';
COMMENT ON COLUMN evidence.uploaded_at IS '上传时间';
COMMENT ON COLUMN evidence.removed_at IS '移除时间';

-- What was filed, typed, one row a milestone and version: the columns that form_field names.
CREATE TABLE filed_milestone (
    submission_id bigint NOT NULL,
    version_no    integer NOT NULL,
    division_code text NOT NULL,
    plan_id       bigint NOT NULL,
    stage_code    text NOT NULL REFERENCES plan_stage,
    state         text NOT NULL,
    planned_on    date,
    replanned_on  date,
    replan_reason text,
    started_on    date,
    completed_on  date,
    skip_reason   text,
    late_reason   text,
    note          text,
    evidence_ids  bigint[] NOT NULL DEFAULT '{}',
    PRIMARY KEY (submission_id, version_no, plan_id, stage_code),
    FOREIGN KEY (submission_id, version_no, division_code)
        REFERENCES submission_version (submission_id, version_no, division_code),
    FOREIGN KEY (plan_id, division_code) REFERENCES plan (plan_id, division_code),
    CONSTRAINT filed_milestone_state_known
        CHECK (state IN ('not_started', 'running', 'completed', 'skipped')),
    CONSTRAINT filed_milestone_completed_has_date CHECK ((state = 'completed') = (completed_on IS NOT NULL)),
    CONSTRAINT filed_milestone_dates_in_order CHECK (completed_on >= started_on),
    CONSTRAINT filed_milestone_skipped_has_reason CHECK (state <> 'skipped' OR btrim(coalesce(skip_reason, '')) <> ''),
    CONSTRAINT filed_milestone_replanned_has_reason CHECK (replanned_on IS NULL OR btrim(coalesce(replan_reason, '')) <> '')
);
CREATE INDEX filed_milestone_plan_id ON filed_milestone (plan_id, stage_code);
COMMENT ON TABLE filed_milestone IS '填报的里程碑进度（按报送版本，只增不改）';
COMMENT ON COLUMN filed_milestone.submission_id IS '填报';
COMMENT ON COLUMN filed_milestone.version_no IS '报送版本';
COMMENT ON COLUMN filed_milestone.division_code IS '填报单位';
COMMENT ON COLUMN filed_milestone.plan_id IS '规划';
COMMENT ON COLUMN filed_milestone.stage_code IS '阶段';
COMMENT ON COLUMN filed_milestone.state IS '进展：not_started 未开始、running 进行中、completed 已完成、skipped 跳过';
COMMENT ON COLUMN filed_milestone.planned_on IS '计划完成日期';
COMMENT ON COLUMN filed_milestone.replanned_on IS '调整后计划完成日期';
COMMENT ON COLUMN filed_milestone.replan_reason IS '调整理由';
COMMENT ON COLUMN filed_milestone.started_on IS '实际开始日期';
COMMENT ON COLUMN filed_milestone.completed_on IS '实际完成日期';
COMMENT ON COLUMN filed_milestone.skip_reason IS '跳过理由';
COMMENT ON COLUMN filed_milestone.late_reason IS '滞后原因';
COMMENT ON COLUMN filed_milestone.note IS '进展说明';
COMMENT ON COLUMN filed_milestone.evidence_ids IS '佐证材料';

-- The facts the province accepted, in the order it accepted them; the newest row up to a moment
-- is the picture of that moment. Nothing here is ever changed or removed.
CREATE TABLE accepted_milestone (
    accepted_milestone_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    plan_id       bigint NOT NULL,
    division_code text NOT NULL,
    stage_code    text NOT NULL REFERENCES plan_stage,
    state         text NOT NULL,
    baseline_on   date,
    replanned_on  date,
    replan_reason text,
    started_on    date,
    completed_on  date,
    skip_reason   text,
    late_reason   text,
    evidence_ids  bigint[] NOT NULL DEFAULT '{}',
    submission_id bigint NOT NULL,
    version_no    integer NOT NULL,
    accepted_by   bigint NOT NULL REFERENCES account,
    accepted_at   timestamptz NOT NULL DEFAULT now(),
    FOREIGN KEY (plan_id, division_code) REFERENCES plan (plan_id, division_code),
    FOREIGN KEY (submission_id, version_no, division_code)
        REFERENCES submission_version (submission_id, version_no, division_code),
    CONSTRAINT accepted_milestone_state_known
        CHECK (state IN ('not_started', 'running', 'completed', 'skipped')),
    CONSTRAINT accepted_milestone_completed_has_date
        CHECK ((state = 'completed') = (completed_on IS NOT NULL))
);
CREATE INDEX accepted_milestone_plan_id ON accepted_milestone (plan_id, stage_code, accepted_at DESC);
CREATE INDEX accepted_milestone_accepted_at ON accepted_milestone (accepted_at);
CREATE INDEX accepted_milestone_submission_id ON accepted_milestone (submission_id, version_no);
COMMENT ON TABLE accepted_milestone IS '省级认定的里程碑（按认定时间累积，只增不改）';
COMMENT ON COLUMN accepted_milestone.accepted_milestone_id IS '标识';
COMMENT ON COLUMN accepted_milestone.plan_id IS '规划';
COMMENT ON COLUMN accepted_milestone.division_code IS '填报单位';
COMMENT ON COLUMN accepted_milestone.stage_code IS '阶段';
COMMENT ON COLUMN accepted_milestone.state IS '进展';
COMMENT ON COLUMN accepted_milestone.baseline_on IS '基准计划完成日期（首次认定后不变）';
COMMENT ON COLUMN accepted_milestone.replanned_on IS '认定的调整后计划完成日期';
COMMENT ON COLUMN accepted_milestone.replan_reason IS '调整理由';
COMMENT ON COLUMN accepted_milestone.started_on IS '实际开始日期';
COMMENT ON COLUMN accepted_milestone.completed_on IS '实际完成日期';
COMMENT ON COLUMN accepted_milestone.skip_reason IS '跳过理由';
COMMENT ON COLUMN accepted_milestone.late_reason IS '滞后原因';
COMMENT ON COLUMN accepted_milestone.evidence_ids IS '佐证材料';
COMMENT ON COLUMN accepted_milestone.submission_id IS '依据的填报';
COMMENT ON COLUMN accepted_milestone.version_no IS '依据的报送版本';
COMMENT ON COLUMN accepted_milestone.accepted_by IS '认定人';
COMMENT ON COLUMN accepted_milestone.accepted_at IS '认定时间';

-- The baseline is accepted once; what is re-planned later stands beside it.
CREATE FUNCTION keep_accepted_baseline() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
BEGIN
    IF EXISTS (
        SELECT FROM accepted_milestone AS earlier
         WHERE earlier.plan_id = NEW.plan_id AND earlier.stage_code = NEW.stage_code
           AND earlier.baseline_on IS NOT NULL
           AND earlier.baseline_on IS DISTINCT FROM NEW.baseline_on)
    THEN
        RAISE EXCEPTION 'an accepted baseline does not change' USING
            ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'accepted_milestone_baseline_stays';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER accepted_milestone_baseline_stays BEFORE INSERT ON accepted_milestone
   FOR EACH ROW EXECUTE FUNCTION keep_accepted_baseline();

-- Whether a plan is being compiled, or merged into the city's (并入市级), as the province accepted it.
CREATE TABLE accepted_disposition (
    accepted_disposition_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    plan_id       bigint NOT NULL,
    division_code text NOT NULL,
    disposition   text NOT NULL,
    reason        text NOT NULL,
    submission_id bigint NOT NULL,
    version_no    integer NOT NULL,
    accepted_by   bigint NOT NULL REFERENCES account,
    accepted_at   timestamptz NOT NULL DEFAULT now(),
    FOREIGN KEY (plan_id, division_code) REFERENCES plan (plan_id, division_code),
    FOREIGN KEY (submission_id, version_no, division_code)
        REFERENCES submission_version (submission_id, version_no, division_code),
    CONSTRAINT accepted_disposition_known CHECK (disposition IN ('compiling', 'merged')),
    CONSTRAINT accepted_disposition_merged_has_reason CHECK (disposition <> 'merged' OR btrim(reason) <> '')
);
CREATE INDEX accepted_disposition_plan_id ON accepted_disposition (plan_id, accepted_at DESC);
CREATE INDEX accepted_disposition_submission_id ON accepted_disposition (submission_id, version_no);
COMMENT ON TABLE accepted_disposition IS '省级认定的编制方式（按认定时间累积）';
COMMENT ON COLUMN accepted_disposition.accepted_disposition_id IS '标识';
COMMENT ON COLUMN accepted_disposition.plan_id IS '规划';
COMMENT ON COLUMN accepted_disposition.division_code IS '填报单位';
COMMENT ON COLUMN accepted_disposition.disposition IS '编制方式：compiling 单独编制、merged 并入市级';
COMMENT ON COLUMN accepted_disposition.reason IS '理由';
COMMENT ON COLUMN accepted_disposition.submission_id IS '依据的填报';
COMMENT ON COLUMN accepted_disposition.version_no IS '依据的报送版本';
COMMENT ON COLUMN accepted_disposition.accepted_by IS '认定人';
COMMENT ON COLUMN accepted_disposition.accepted_at IS '认定时间';

SELECT audit_table('plan_stage'), audit_table('weight_version'), audit_table('stage_weight')
     , audit_table('plan'), audit_table('evidence'), audit_table('filed_milestone')
     , audit_table('accepted_milestone'), audit_table('accepted_disposition');

ALTER TABLE plan ENABLE ROW LEVEL SECURITY;
ALTER TABLE evidence ENABLE ROW LEVEL SECURITY;
ALTER TABLE filed_milestone ENABLE ROW LEVEL SECURITY;
ALTER TABLE accepted_milestone ENABLE ROW LEVEL SECURITY;
ALTER TABLE accepted_disposition ENABLE ROW LEVEL SECURITY;
CREATE POLICY plan_in_scope ON plan TO portal_app
    USING (division_code ^@ ANY ((SELECT actor_prefixes())::text[]));
CREATE POLICY evidence_in_scope ON evidence TO portal_app
    USING (division_code ^@ ANY ((SELECT actor_prefixes())::text[]));
CREATE POLICY filed_milestone_in_scope ON filed_milestone TO portal_app
    USING (division_code ^@ ANY ((SELECT actor_prefixes())::text[]));
CREATE POLICY accepted_milestone_in_scope ON accepted_milestone TO portal_app
    USING (division_code ^@ ANY ((SELECT actor_prefixes())::text[]));
CREATE POLICY accepted_disposition_in_scope ON accepted_disposition TO portal_app
    USING (division_code ^@ ANY ((SELECT actor_prefixes())::text[]));

GRANT SELECT ON plan_stage, weight_version, stage_weight, plan, evidence, filed_milestone
    , accepted_milestone, accepted_disposition TO portal_app;
GRANT INSERT (division_code, plan_type, name, is_headline, declared_by) ON plan TO portal_app;
GRANT INSERT (plan_id, division_code, stage_code, item, sha256, file_name, uploaded_by)
    , UPDATE (removed_at) ON evidence TO portal_app;
GRANT INSERT ON filed_milestone TO portal_app;
GRANT INSERT (plan_id, division_code, stage_code, state, baseline_on, replanned_on, replan_reason
            , started_on, completed_on, skip_reason, late_reason, evidence_ids, submission_id
            , version_no, accepted_by) ON accepted_milestone TO portal_app;
GRANT INSERT (plan_id, division_code, disposition, reason, submission_id, version_no, accepted_by)
    ON accepted_disposition TO portal_app;

-- What every cache compares: a row for each committed change that a dashboard shows. A counter
-- in one row would queue its writers; a sequence moves before the change can be seen.
CREATE TABLE dashboard_change (
    dashboard_change_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    happened_at         timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE dashboard_change IS '看板数据变动（供缓存比较）';
COMMENT ON COLUMN dashboard_change.dashboard_change_id IS '变动标识';
COMMENT ON COLUMN dashboard_change.happened_at IS '时间';
GRANT SELECT ON dashboard_change TO portal_app;

CREATE FUNCTION note_dashboard_change() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
BEGIN
    INSERT INTO dashboard_change DEFAULT VALUES;
    RETURN NULL;
END
$$;
CREATE TRIGGER review_event_on_dashboard AFTER INSERT ON review_event
   FOR EACH STATEMENT EXECUTE FUNCTION note_dashboard_change();
CREATE TRIGGER period_extension_on_dashboard AFTER INSERT ON period_extension
   FOR EACH STATEMENT EXECUTE FUNCTION note_dashboard_change();
CREATE TRIGGER reporting_period_on_dashboard AFTER INSERT OR UPDATE ON reporting_period
   FOR EACH STATEMENT EXECUTE FUNCTION note_dashboard_change();
CREATE TRIGGER stage_weight_on_dashboard AFTER INSERT OR UPDATE OR DELETE ON stage_weight
   FOR EACH STATEMENT EXECUTE FUNCTION note_dashboard_change();
CREATE TRIGGER plan_on_dashboard AFTER INSERT ON plan
   FOR EACH STATEMENT EXECUTE FUNCTION note_dashboard_change();
