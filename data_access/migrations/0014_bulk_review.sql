-- Review in bulk: since when a report waits, a summary of each version, decisions that wait to take
-- effect, and the filters that a reviewer keeps.
ALTER TABLE submission ADD COLUMN waiting_since timestamptz, ADD COLUMN due_on date;
COMMENT ON COLUMN submission.waiting_since IS '进入当前审核步骤的时间，不在审核中为空';
COMMENT ON COLUMN submission.due_on IS '当前审核步骤应办结日期，不限时或不在审核中为空';

CREATE FUNCTION review_due_on(of_form text, of_period bigint, of_step integer, since timestamptz)
RETURNS date
LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN step.working_days IS NOT NULL
                THEN add_working_days(CAST(timezone('Asia/Shanghai', since) AS date), step.working_days)
           END
      FROM reporting_period AS period
      JOIN workflow_step AS step
        ON step.form_code = of_form AND step.version = period.workflow_version
       AND step.step_no = of_step
     WHERE period.period_id = of_period
$$;

UPDATE submission
   SET waiting_since = last_event.happened_at
     , due_on = review_due_on(form_code, period_id, step_no, last_event.happened_at)
  FROM (SELECT submission_id, max(happened_at) AS happened_at
          FROM review_event GROUP BY submission_id) AS last_event
 WHERE last_event.submission_id = submission.submission_id AND state = 'submitted';

-- Written once a step, so that a queue of thousands sorts by it; a calendar corrected later holds
-- from the next step on.
CREATE FUNCTION note_waiting() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.state <> 'submitted' THEN
        NEW.waiting_since := NULL;
        NEW.due_on := NULL;
        RETURN NEW;
    END IF;
    IF TG_OP = 'UPDATE' THEN
        IF OLD.state = 'submitted' AND OLD.step_no = NEW.step_no THEN
            RETURN NEW;
        END IF;
        NEW.waiting_since := now();
    END IF;
    NEW.waiting_since := coalesce(NEW.waiting_since, now());
    NEW.due_on := review_due_on(NEW.form_code, NEW.period_id, NEW.step_no, NEW.waiting_since);
    RETURN NEW;
END
$$;
CREATE TRIGGER submission_waiting BEFORE INSERT OR UPDATE ON submission
   FOR EACH ROW EXECUTE FUNCTION note_waiting();

-- What a reviewer reads before he opens a report, counted when it was filed.
CREATE TABLE submission_check (
    submission_id   bigint NOT NULL,
    version_no      integer NOT NULL,
    division_code   text NOT NULL,
    errors          integer NOT NULL,
    warnings        integer NOT NULL,
    changes         integer NOT NULL,
    attachments     integer NOT NULL,
    new_attachments integer NOT NULL,
    checked_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (submission_id, version_no),
    FOREIGN KEY (submission_id, version_no, division_code)
        REFERENCES submission_version (submission_id, version_no, division_code),
    CONSTRAINT submission_check_new_within_all CHECK (0 <= new_attachments AND new_attachments <= attachments)
);
COMMENT ON TABLE submission_check IS '报送版本的校验摘要（报送时计算，供审核队列使用）';
COMMENT ON COLUMN submission_check.submission_id IS '填报';
COMMENT ON COLUMN submission_check.version_no IS '报送版本';
COMMENT ON COLUMN submission_check.division_code IS '填报单位';
COMMENT ON COLUMN submission_check.errors IS '校验错误数';
COMMENT ON COLUMN submission_check.warnings IS '校验提示数（含未能校验的规则）';
COMMENT ON COLUMN submission_check.changes IS '与上次认定相比的变化项数';
COMMENT ON COLUMN submission_check.attachments IS '佐证材料数';
COMMENT ON COLUMN submission_check.new_attachments IS '其中上次认定时没有的材料数';
COMMENT ON COLUMN submission_check.checked_at IS '计算时间';

-- A decision on many reports. Nothing of it happens before effect_at: until then it can be undone.
CREATE TABLE bulk_decision (
    bulk_decision_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id    bigint NOT NULL REFERENCES account,
    action     text NOT NULL,
    comment    text NOT NULL DEFAULT '',
    chosen     integer NOT NULL,
    decided_at timestamptz NOT NULL DEFAULT now(),
    effect_at  timestamptz NOT NULL,
    CONSTRAINT bulk_decision_action_known CHECK (action IN ('approve', 'return')),
    CONSTRAINT bulk_decision_return_has_comment CHECK (action <> 'return' OR btrim(comment) <> '')
);
CREATE INDEX bulk_decision_user_id ON bulk_decision (user_id, bulk_decision_id);
COMMENT ON TABLE bulk_decision IS '批量办理';
COMMENT ON COLUMN bulk_decision.bulk_decision_id IS '批次标识';
COMMENT ON COLUMN bulk_decision.user_id IS '办理人';
COMMENT ON COLUMN bulk_decision.action IS '操作：approve 通过、return 退回';
COMMENT ON COLUMN bulk_decision.comment IS '意见';
COMMENT ON COLUMN bulk_decision.chosen IS '选定的份数';
COMMENT ON COLUMN bulk_decision.decided_at IS '办理时间';
COMMENT ON COLUMN bulk_decision.effect_at IS '生效时间，此前可以撤销';

-- Each report of it, in the version that the reviewer saw. `role` is the role he decides in.
CREATE TABLE bulk_decision_item (
    bulk_decision_id bigint NOT NULL REFERENCES bulk_decision,
    submission_id    bigint NOT NULL,
    division_code    text NOT NULL,
    lock_version     integer NOT NULL,
    user_id          bigint NOT NULL REFERENCES account,
    role             text NOT NULL,
    state            text NOT NULL,
    reason           text,
    settled_at       timestamptz,
    PRIMARY KEY (bulk_decision_id, submission_id),
    FOREIGN KEY (submission_id, division_code) REFERENCES submission (submission_id, division_code),
    CONSTRAINT bulk_decision_item_state_known
        CHECK (state IN ('pending', 'done', 'left_out', 'undone')),
    CONSTRAINT bulk_decision_item_left_out_has_reason
        CHECK ((state = 'left_out') = (reason IS NOT NULL)),
    CONSTRAINT bulk_decision_item_settled_once CHECK ((state = 'pending') = (settled_at IS NULL))
);
CREATE INDEX bulk_decision_item_submission_id ON bulk_decision_item (submission_id);
CREATE UNIQUE INDEX bulk_decision_item_one_pending
    ON bulk_decision_item (submission_id) WHERE state = 'pending';
COMMENT ON TABLE bulk_decision_item IS '批量办理的各份填报';
COMMENT ON COLUMN bulk_decision_item.bulk_decision_id IS '批次';
COMMENT ON COLUMN bulk_decision_item.submission_id IS '填报';
COMMENT ON COLUMN bulk_decision_item.division_code IS '填报单位';
COMMENT ON COLUMN bulk_decision_item.lock_version IS '办理人所见的并发版本号';
COMMENT ON COLUMN bulk_decision_item.user_id IS '办理人';
COMMENT ON COLUMN bulk_decision_item.role IS '以何角色办理';
COMMENT ON COLUMN bulk_decision_item.state IS '状态：pending 待生效、done 已生效、left_out 未办理、undone 已撤销';
COMMENT ON COLUMN bulk_decision_item.reason IS '未办理的原因';
COMMENT ON COLUMN bulk_decision_item.settled_at IS '了结时间';

ALTER TABLE review_event ADD COLUMN bulk_decision_id bigint REFERENCES bulk_decision;
CREATE INDEX review_event_bulk_decision_id
    ON review_event (bulk_decision_id) WHERE bulk_decision_id IS NOT NULL;
COMMENT ON COLUMN review_event.bulk_decision_id IS '所属批量办理，空为逐份办理';

CREATE TABLE saved_filter (
    saved_filter_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id    bigint NOT NULL REFERENCES account,
    name       text NOT NULL,
    query      text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT saved_filter_once_by_name UNIQUE (user_id, name),
    CONSTRAINT saved_filter_named CHECK (btrim(name) <> '' AND length(name) <= 30),
    CONSTRAINT saved_filter_query_short CHECK (length(query) <= 1000)
);
COMMENT ON TABLE saved_filter IS '审核队列的常用筛选（各人自己的）';
COMMENT ON COLUMN saved_filter.saved_filter_id IS '标识';
COMMENT ON COLUMN saved_filter.user_id IS '所有人';
COMMENT ON COLUMN saved_filter.name IS '名称';
COMMENT ON COLUMN saved_filter.query IS '筛选条件（网址参数）';
COMMENT ON COLUMN saved_filter.created_at IS '保存时间';

SELECT audit_table('submission_check'), audit_table('bulk_decision')
     , audit_table('bulk_decision_item'), audit_table('saved_filter');

ALTER TABLE submission_check ENABLE ROW LEVEL SECURITY;
ALTER TABLE bulk_decision ENABLE ROW LEVEL SECURITY;
ALTER TABLE bulk_decision_item ENABLE ROW LEVEL SECURITY;
ALTER TABLE saved_filter ENABLE ROW LEVEL SECURITY;
CREATE POLICY submission_check_in_scope ON submission_check TO portal_app
    USING (division_code ^@ ANY ((SELECT actor_prefixes())::text[]));
-- What waits to take effect is for those who review that step; the filer sees the decision itself.
CREATE POLICY bulk_decision_item_in_scope ON bulk_decision_item TO portal_app
    USING (user_id = (SELECT actor_user_id())
           OR (division_code ^@ ANY ((SELECT actor_prefixes())::text[])
               AND (state = 'done' OR role = ANY ((SELECT actor_roles())::text[]))));
CREATE POLICY bulk_decision_through_its_items ON bulk_decision TO portal_app
    USING (user_id = (SELECT actor_user_id())
           OR EXISTS (SELECT FROM bulk_decision_item AS item
                       WHERE item.bulk_decision_id = bulk_decision.bulk_decision_id));
CREATE POLICY saved_filter_own ON saved_filter TO portal_app
    USING (user_id = (SELECT actor_user_id()));

GRANT SELECT ON submission_check, bulk_decision, bulk_decision_item, saved_filter TO portal_app;
GRANT INSERT (submission_id, version_no, division_code, errors, warnings, changes, attachments
            , new_attachments) ON submission_check TO portal_app;
GRANT INSERT (user_id, action, comment, chosen, effect_at) ON bulk_decision TO portal_app;
GRANT INSERT (bulk_decision_id, submission_id, division_code, lock_version, user_id, role, state
            , reason, settled_at), UPDATE (state, reason, settled_at) ON bulk_decision_item TO portal_app;
GRANT INSERT (bulk_decision_id) ON review_event TO portal_app;
GRANT INSERT (user_id, name, query), UPDATE (query), DELETE ON saved_filter TO portal_app;

-- What waits for a reviewer, in one number for each order: a page, the count, the whole choice and a
-- report's neighbours read the same. Held are the roles he has and where; an argument that is NULL
-- asks for nothing.
CREATE FUNCTION review_queue(
    held_roles text[], held_prefixes text[], actor_id bigint, own_units text[], day date
  , of_form text, of_period bigint, of_step integer, of_round integer, unit_prefixes text[]
  , is_warned boolean, is_overdue boolean, is_unchanged boolean
  , named_units text[], named_filers bigint[], sorted_by text, direction integer)
RETURNS TABLE (submission_id bigint, lock_version integer, overdue boolean, sort_key numeric)
LANGUAGE sql STABLE AS $$
    SELECT submission.submission_id, submission.lock_version
         , coalesce(submission.due_on < day, false)
         , CASE sorted_by WHEN 'submitted' THEN extract(epoch FROM submission.submitted_at)
                          WHEN 'due' THEN submission.due_on - DATE '2000-01-01'
                          WHEN 'unit' THEN CAST(submission.division_code AS numeric)
                          WHEN 'round' THEN submission.round_no
                          WHEN 'changes' THEN known.changes
                          WHEN 'warnings' THEN known.warnings + known.errors
           END * direction
      FROM submission
      LEFT JOIN submission_check AS known
             ON known.submission_id = submission.submission_id
            AND known.version_no = submission.version_no
     WHERE submission.state = 'submitted'
       AND EXISTS (
           SELECT FROM reporting_period AS period
             JOIN workflow_step AS step
               ON step.form_code = period.form_code AND step.version = period.workflow_version
             JOIN unnest(held_roles, held_prefixes) AS held (role, prefix) ON held.role = step.role
            WHERE period.period_id = submission.period_id
              AND step.step_no = submission.step_no
              AND submission.division_code ^@ held.prefix)
       AND submission.filer_id IS DISTINCT FROM actor_id
       AND submission.division_code <> ALL (own_units)
       AND (of_form IS NULL OR submission.form_code = of_form)
       AND (of_period IS NULL OR submission.period_id = of_period)
       AND (of_step IS NULL OR submission.step_no = of_step)
       AND (of_round IS NULL OR submission.round_no = of_round)
       AND (unit_prefixes IS NULL OR submission.division_code ^@ ANY (unit_prefixes))
       AND (is_warned IS NULL OR (known.warnings + known.errors > 0) = is_warned)
       AND (is_overdue IS NULL OR coalesce(submission.due_on < day, false) = is_overdue)
       AND (is_unchanged IS NULL OR submission.no_change = is_unchanged)
       AND (named_units IS NULL OR submission.division_code = ANY (named_units)
            OR submission.filer_id = ANY (named_filers))
$$;
REVOKE ALL ON FUNCTION review_queue(text[], text[], bigint, text[], date, text, bigint, integer, integer
  , text[], boolean, boolean, boolean, text[], bigint[], text, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION review_queue(text[], text[], bigint, text[], date, text, bigint, integer
  , integer, text[], boolean, boolean, boolean, text[], bigint[], text, integer) TO portal_app;
