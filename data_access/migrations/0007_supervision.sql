-- What the province does about lateness: reminders, supervision items, and the inbox they reach.
CREATE TABLE reminder (
    reminder_id     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    division_code   text NOT NULL REFERENCES admin_division,
    topic           text NOT NULL,
    message         text NOT NULL,
    sent_by         bigint NOT NULL REFERENCES account,
    sent_at         timestamptz NOT NULL DEFAULT now(),
    answer_due_on   date NOT NULL,
    acknowledged_by bigint REFERENCES account,
    acknowledged_at timestamptz,
    reply           text,
    escalated_at    timestamptz,
    CONSTRAINT reminder_topic_known CHECK (topic IN ('late_milestone', 'not_filed', 'returned', 'other')),
    CONSTRAINT reminder_has_message CHECK (btrim(message) <> ''),
    CONSTRAINT reminder_acknowledged_by_someone
        CHECK ((acknowledged_at IS NULL) = (acknowledged_by IS NULL)),
    CONSTRAINT reminder_acknowledged_with_reply
        CHECK (acknowledged_at IS NULL OR btrim(coalesce(reply, '')) <> '')
);
-- Who was reminded this morning is not reminded of the same thing again this afternoon; the day
-- is Beijing's, whatever the server's zone.
CREATE UNIQUE INDEX reminder_once_a_day ON reminder
    (division_code, topic, (CAST(timezone('Asia/Shanghai', sent_at) AS date)));
CREATE INDEX reminder_division_code ON reminder (division_code, sent_at DESC);
CREATE INDEX reminder_waiting ON reminder (answer_due_on) WHERE acknowledged_at IS NULL AND escalated_at IS NULL;
COMMENT ON TABLE reminder IS '催办';
COMMENT ON COLUMN reminder.reminder_id IS '催办标识';
COMMENT ON COLUMN reminder.division_code IS '被催办单位';
COMMENT ON COLUMN reminder.topic IS '事由：late_milestone 进度滞后、not_filed 未报送、returned 退回未改、other 其他';
COMMENT ON COLUMN reminder.message IS '内容';
COMMENT ON COLUMN reminder.sent_by IS '发出人';
COMMENT ON COLUMN reminder.sent_at IS '发出时间';
COMMENT ON COLUMN reminder.answer_due_on IS '应回复日期';
COMMENT ON COLUMN reminder.acknowledged_by IS '签收人';
COMMENT ON COLUMN reminder.acknowledged_at IS '签收时间';
COMMENT ON COLUMN reminder.reply IS '回复';
COMMENT ON COLUMN reminder.escalated_at IS '升级至上级的时间';

CREATE TABLE supervision_item (
    supervision_item_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    division_code text NOT NULL REFERENCES admin_division,
    title         text NOT NULL,
    requirement   text NOT NULL,
    responsible   text NOT NULL,
    deadline_on   date NOT NULL,
    state         text NOT NULL DEFAULT 'open',
    lock_version  integer NOT NULL DEFAULT 1,
    opened_by     bigint NOT NULL REFERENCES account,
    opened_at     timestamptz NOT NULL DEFAULT now(),
    closed_by     bigint REFERENCES account,
    closed_at     timestamptz,
    UNIQUE (supervision_item_id, division_code),
    CONSTRAINT supervision_item_state_known CHECK (state IN ('open', 'answered', 'closed')),
    CONSTRAINT supervision_item_named CHECK (btrim(title) <> '' AND btrim(requirement) <> '' AND btrim(responsible) <> ''),
    CONSTRAINT supervision_item_closed_by_someone CHECK ((state = 'closed') = (closed_at IS NOT NULL AND closed_by IS NOT NULL)),
    CONSTRAINT supervision_item_deadline_after_opening
        CHECK (deadline_on >= CAST(timezone('Asia/Shanghai', opened_at) AS date))
);
CREATE INDEX supervision_item_division_code ON supervision_item (division_code);
CREATE INDEX supervision_item_in_hand ON supervision_item (deadline_on) WHERE state <> 'closed';
COMMENT ON TABLE supervision_item IS '督办事项';
COMMENT ON COLUMN supervision_item.supervision_item_id IS '督办标识';
COMMENT ON COLUMN supervision_item.division_code IS '责任单位所在区划';
COMMENT ON COLUMN supervision_item.title IS '事项';
COMMENT ON COLUMN supervision_item.requirement IS '要求';
COMMENT ON COLUMN supervision_item.responsible IS '责任单位（人）';
COMMENT ON COLUMN supervision_item.deadline_on IS '办结期限';
COMMENT ON COLUMN supervision_item.state IS '状态：open 在办、answered 已反馈、closed 已销号';
COMMENT ON COLUMN supervision_item.lock_version IS '并发版本号';
COMMENT ON COLUMN supervision_item.opened_by IS '立项人';
COMMENT ON COLUMN supervision_item.opened_at IS '立项时间';
COMMENT ON COLUMN supervision_item.closed_by IS '销号人';
COMMENT ON COLUMN supervision_item.closed_at IS '销号时间';

CREATE TABLE supervision_note (
    supervision_note_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    supervision_item_id bigint NOT NULL,
    division_code text NOT NULL,
    kind          text NOT NULL,
    body          text NOT NULL,
    written_by    bigint NOT NULL REFERENCES account,
    written_at    timestamptz NOT NULL DEFAULT now(),
    FOREIGN KEY (supervision_item_id, division_code) REFERENCES supervision_item (supervision_item_id, division_code),
    CONSTRAINT supervision_note_kind_known CHECK (kind IN ('feedback', 'comment', 'reopen', 'close')),
    CONSTRAINT supervision_note_has_body CHECK (btrim(body) <> '')
);
CREATE INDEX supervision_note_item ON supervision_note (supervision_item_id);
COMMENT ON TABLE supervision_note IS '督办反馈与意见';
COMMENT ON COLUMN supervision_note.supervision_note_id IS '标识';
COMMENT ON COLUMN supervision_note.supervision_item_id IS '督办事项';
COMMENT ON COLUMN supervision_note.division_code IS '责任单位所在区划';
COMMENT ON COLUMN supervision_note.kind IS '类别：feedback 反馈、comment 意见、reopen 退回重办、close 销号';
COMMENT ON COLUMN supervision_note.body IS '内容';
COMMENT ON COLUMN supervision_note.written_by IS '填写人';
COMMENT ON COLUMN supervision_note.written_at IS '填写时间';

-- A deadline is only ever moved away from the unit, never towards it.
ALTER TABLE reporting_period ADD CONSTRAINT reporting_period_deadline_after_start
    CHECK (deadline_at >= timezone('Asia/Shanghai', CAST(starts_on AS timestamp)));
CREATE FUNCTION refuse_shortening_extension() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF NEW.deadline_at <= (SELECT deadline_at FROM reporting_period
                            WHERE reporting_period.period_id = NEW.period_id)
    THEN
        RAISE EXCEPTION 'an extension ends after the deadline it extends' USING
            ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'period_extension_moves_later';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER period_extension_moves_later BEFORE INSERT ON period_extension
   FOR EACH ROW EXECUTE FUNCTION refuse_shortening_extension();

-- A message goes to a role on a division: whoever holds the grant reads it, also a successor.
CREATE TABLE inbox_message (
    inbox_message_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    role          text NOT NULL,
    division_code text NOT NULL REFERENCES admin_division,
    title         text NOT NULL,
    body          text NOT NULL,
    link          text NOT NULL DEFAULT '',
    sent_at       timestamptz NOT NULL DEFAULT now(),
    source_table  text NOT NULL DEFAULT '',
    source_id     bigint
);
CREATE INDEX inbox_message_division_code ON inbox_message (division_code, sent_at DESC);
COMMENT ON TABLE inbox_message IS '站内消息';
COMMENT ON COLUMN inbox_message.inbox_message_id IS '消息标识';
COMMENT ON COLUMN inbox_message.role IS '收件角色';
COMMENT ON COLUMN inbox_message.division_code IS '收件单位';
COMMENT ON COLUMN inbox_message.title IS '标题';
COMMENT ON COLUMN inbox_message.body IS '内容';
COMMENT ON COLUMN inbox_message.link IS '打开的页面';
COMMENT ON COLUMN inbox_message.sent_at IS '发出时间';
COMMENT ON COLUMN inbox_message.source_table IS '来源';
COMMENT ON COLUMN inbox_message.source_id IS '来源标识';

CREATE TABLE inbox_reading (
    inbox_message_id bigint NOT NULL REFERENCES inbox_message,
    user_id          bigint NOT NULL REFERENCES account,
    read_at          timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (inbox_message_id, user_id)
);
COMMENT ON TABLE inbox_reading IS '消息已读记录';
COMMENT ON COLUMN inbox_reading.inbox_message_id IS '消息';
COMMENT ON COLUMN inbox_reading.user_id IS '读者';
COMMENT ON COLUMN inbox_reading.read_at IS '阅读时间';

SELECT audit_table('reminder'), audit_table('supervision_item'), audit_table('supervision_note');

ALTER TABLE reminder ENABLE ROW LEVEL SECURITY;
ALTER TABLE supervision_item ENABLE ROW LEVEL SECURITY;
ALTER TABLE supervision_note ENABLE ROW LEVEL SECURITY;
ALTER TABLE inbox_message ENABLE ROW LEVEL SECURITY;
ALTER TABLE inbox_reading ENABLE ROW LEVEL SECURITY;
-- Who supervises: others read what concerns them, answer it, and neither remind nor close.
CREATE FUNCTION actor_supervises() RETURNS boolean
LANGUAGE sql STABLE AS $$ SELECT actor_roles() && '{leader,plan_bureau}' $$;

CREATE POLICY reminder_in_scope ON reminder FOR SELECT TO portal_app
    USING (division_code ^@ ANY ((SELECT actor_prefixes())::text[]));
CREATE POLICY reminder_send ON reminder FOR INSERT TO portal_app
    WITH CHECK ((SELECT actor_supervises()) AND division_code ^@ ANY ((SELECT actor_prefixes())::text[]));
CREATE POLICY reminder_answer ON reminder FOR UPDATE TO portal_app
    USING (division_code ^@ ANY ((SELECT actor_prefixes())::text[]));
CREATE POLICY supervision_item_in_scope ON supervision_item FOR SELECT TO portal_app
    USING (division_code ^@ ANY ((SELECT actor_prefixes())::text[]));
CREATE POLICY supervision_item_open ON supervision_item FOR INSERT TO portal_app
    WITH CHECK ((SELECT actor_supervises()) AND division_code ^@ ANY ((SELECT actor_prefixes())::text[]));
CREATE POLICY supervision_item_move ON supervision_item FOR UPDATE TO portal_app
    USING (division_code ^@ ANY ((SELECT actor_prefixes())::text[])
           AND (state <> 'closed' OR (SELECT actor_supervises())));
CREATE POLICY supervision_note_in_scope ON supervision_note TO portal_app
    USING (division_code ^@ ANY ((SELECT actor_prefixes())::text[]));
-- A message is read by the holders of the role it was sent to, and may be sent up or down.
CREATE POLICY inbox_message_to_me ON inbox_message FOR SELECT TO portal_app
    USING (role = ANY ((SELECT actor_roles())::text[])
           AND division_code ^@ ANY ((SELECT actor_prefixes())::text[]));
CREATE POLICY inbox_message_send ON inbox_message FOR INSERT TO portal_app
    WITH CHECK ((SELECT actor_user_id()) IS NOT NULL);
CREATE POLICY inbox_reading_own ON inbox_reading TO portal_app
    USING (user_id = (SELECT actor_user_id()));

GRANT SELECT ON reminder, supervision_item, supervision_note, inbox_message, inbox_reading TO portal_app;
GRANT INSERT (division_code, topic, message, sent_by, answer_due_on)
    , UPDATE (acknowledged_by, acknowledged_at, reply, escalated_at) ON reminder TO portal_app;
GRANT INSERT (division_code, title, requirement, responsible, deadline_on, opened_by)
    , UPDATE (state, lock_version, closed_by, closed_at, deadline_on) ON supervision_item TO portal_app;
GRANT INSERT (supervision_item_id, division_code, kind, body, written_by) ON supervision_note TO portal_app;
GRANT INSERT (role, division_code, title, body, link, source_table, source_id) ON inbox_message TO portal_app;
GRANT INSERT (inbox_message_id, user_id) ON inbox_reading TO portal_app;
