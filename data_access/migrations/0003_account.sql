-- Who may come in: accounts, their dated grants, sessions, and what counts towards a lock.
CREATE TABLE account (
    user_id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    username             text NOT NULL,
    display_name         text NOT NULL,
    organisation         text NOT NULL DEFAULT '',
    phone                text,
    password_hash        text NOT NULL,
    password_changed_at  timestamptz,
    must_change_password boolean NOT NULL DEFAULT true,
    is_demo              boolean NOT NULL DEFAULT false,
    created_at           timestamptz NOT NULL DEFAULT now(),
    disabled_at          timestamptz,
    CONSTRAINT account_username_form CHECK (username ~ '^[a-z][a-z0-9_.-]{2,39}$'),
    CONSTRAINT account_username_once UNIQUE (username),
    CONSTRAINT account_display_name_given CHECK (btrim(display_name) <> '')
);
COMMENT ON TABLE account IS '账号';
COMMENT ON COLUMN account.user_id IS '账号标识';
COMMENT ON COLUMN account.username IS '用户名';
COMMENT ON COLUMN account.display_name IS '姓名';
COMMENT ON COLUMN account.organisation IS '单位';
COMMENT ON COLUMN account.phone IS '联系电话（展示时脱敏）';
COMMENT ON COLUMN account.password_hash IS '口令散列（bcrypt）';
COMMENT ON COLUMN account.password_changed_at IS '口令修改时间';
COMMENT ON COLUMN account.must_change_password IS '下次登录须修改口令';
COMMENT ON COLUMN account.is_demo IS '演示账号';
COMMENT ON COLUMN account.created_at IS '创建时间';
COMMENT ON COLUMN account.disabled_at IS '停用时间，空为在用';

CREATE TABLE account_grant (
    grant_id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id       bigint NOT NULL REFERENCES account,
    role          text NOT NULL,
    division_code text NOT NULL,
    prefix        text NOT NULL,
    subject       text,
    valid_from    date NOT NULL DEFAULT current_date,
    valid_to      date,
    granted_by    bigint REFERENCES account,
    FOREIGN KEY (division_code, prefix) REFERENCES admin_division (code, prefix),
    CONSTRAINT account_grant_role_known CHECK (role IN (
        'leader', 'plan_bureau', 'use_control', 'department', 'city', 'county', 'township'
      , 'compile_unit', 'technical_reviewer', 'information_centre', 'security_auditor')),
    CONSTRAINT account_grant_ends_not_before_start CHECK (valid_to >= valid_from),
    -- One role on one division at a time, however often it is granted.
    CONSTRAINT account_grant_once EXCLUDE USING gist (
        user_id WITH =, role WITH =, division_code WITH =
      , (coalesce(subject, '')) WITH =, daterange(valid_from, valid_to) WITH &&)
);
CREATE INDEX account_grant_user_id ON account_grant (user_id);
CREATE INDEX account_grant_division_code ON account_grant (division_code);
COMMENT ON TABLE account_grant IS '授权（角色 × 行政区划 × 主题，有起止日期）';
COMMENT ON COLUMN account_grant.grant_id IS '授权标识';
COMMENT ON COLUMN account_grant.user_id IS '账号';
COMMENT ON COLUMN account_grant.role IS '角色';
COMMENT ON COLUMN account_grant.division_code IS '数据范围：本区划及其下级';
COMMENT ON COLUMN account_grant.prefix IS '数据范围的代码前缀';
COMMENT ON COLUMN account_grant.subject IS '主题（表单、部门等），空为全部';
COMMENT ON COLUMN account_grant.valid_from IS '生效日期（含）';
COMMENT ON COLUMN account_grant.valid_to IS '失效日期（不含），空为长期';
COMMENT ON COLUMN account_grant.granted_by IS '授权人';

-- Who files does not review, who administers accounts neither reviews nor audits: the same
-- person cannot hold two of these at once, whoever asks for it.
CREATE FUNCTION refuse_conflicting_grant() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
BEGIN
    -- No range has such bounds; the check of the table refuses them in its own words.
    IF NEW.valid_to < NEW.valid_from THEN
        RETURN NEW;
    END IF;
    IF NEW.role IN ('security_auditor', 'information_centre') AND EXISTS (
        SELECT FROM account_grant AS other
         WHERE other.user_id = NEW.user_id AND other.role <> NEW.role
           AND daterange(other.valid_from, other.valid_to) && daterange(NEW.valid_from, NEW.valid_to))
       OR NEW.role NOT IN ('security_auditor', 'information_centre') AND EXISTS (
        SELECT FROM account_grant AS other
         WHERE other.user_id = NEW.user_id AND other.role IN ('security_auditor', 'information_centre')
           AND daterange(other.valid_from, other.valid_to) && daterange(NEW.valid_from, NEW.valid_to))
    THEN
        RAISE EXCEPTION 'conflicting grants'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'account_grant_separation';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER account_grant_separation BEFORE INSERT OR UPDATE ON account_grant
   FOR EACH ROW EXECUTE FUNCTION refuse_conflicting_grant();

CREATE TABLE portal_session (
    session_id   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    token_hash   bytea NOT NULL UNIQUE,
    user_id      bigint NOT NULL REFERENCES account,
    created_at   timestamptz NOT NULL DEFAULT now(),
    last_seen_at timestamptz NOT NULL DEFAULT now(),
    expires_at   timestamptz NOT NULL,
    revoked_at   timestamptz,
    address      text NOT NULL DEFAULT '',
    user_agent   text NOT NULL DEFAULT ''
);
CREATE INDEX portal_session_user_id ON portal_session (user_id);
COMMENT ON TABLE portal_session IS '登录会话（浏览器只持有随机令牌，库中只存其散列）';
COMMENT ON COLUMN portal_session.session_id IS '会话标识';
COMMENT ON COLUMN portal_session.token_hash IS '令牌散列（SHA-256）';
COMMENT ON COLUMN portal_session.user_id IS '账号';
COMMENT ON COLUMN portal_session.created_at IS '登录时间';
COMMENT ON COLUMN portal_session.last_seen_at IS '最近活动时间';
COMMENT ON COLUMN portal_session.expires_at IS '绝对到期时间';
COMMENT ON COLUMN portal_session.revoked_at IS '注销或强制下线时间';
COMMENT ON COLUMN portal_session.address IS '来源地址';
COMMENT ON COLUMN portal_session.user_agent IS '浏览器标识';

-- The script that checked the password cannot set a cookie; it leaves a ticket, and the route
-- that can set one takes it, once.
CREATE TABLE sign_in_ticket (
    ticket_hash bytea PRIMARY KEY,
    user_id     bigint NOT NULL REFERENCES account,
    created_at  timestamptz NOT NULL DEFAULT now(),
    used_at     timestamptz
);
COMMENT ON TABLE sign_in_ticket IS '一次性登录票据';
COMMENT ON COLUMN sign_in_ticket.ticket_hash IS '票据散列（SHA-256）';
COMMENT ON COLUMN sign_in_ticket.user_id IS '账号';
COMMENT ON COLUMN sign_in_ticket.created_at IS '签发时间';
COMMENT ON COLUMN sign_in_ticket.used_at IS '使用时间';

CREATE TABLE sign_in_failure (
    sign_in_failure_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    username           text NOT NULL,
    address            text NOT NULL DEFAULT '',
    happened_at        timestamptz NOT NULL DEFAULT clock_timestamp(),
    cleared_at         timestamptz
);
CREATE INDEX sign_in_failure_username ON sign_in_failure (username, happened_at);
CREATE INDEX sign_in_failure_address ON sign_in_failure (address, happened_at);
COMMENT ON TABLE sign_in_failure IS '登录失败记录（用于锁定与减速）';
COMMENT ON COLUMN sign_in_failure.sign_in_failure_id IS '记录标识';
COMMENT ON COLUMN sign_in_failure.username IS '所填用户名';
COMMENT ON COLUMN sign_in_failure.address IS '来源地址';
COMMENT ON COLUMN sign_in_failure.happened_at IS '发生时间';
COMMENT ON COLUMN sign_in_failure.cleared_at IS '清除时间（登录成功或管理员解锁）';

-- What happened to an account at the door. The sessions and failures above change all the time;
-- this is what the trail keeps of them.
CREATE TABLE account_event (
    account_event_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id          bigint NOT NULL REFERENCES account,
    kind             text NOT NULL,
    address          text NOT NULL DEFAULT '',
    happened_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT account_event_kind_known CHECK (kind IN (
        'signed_in', 'signed_out', 'locked', 'unlocked', 'sessions_revoked'))
);
CREATE INDEX account_event_user_id ON account_event (user_id, happened_at);
COMMENT ON TABLE account_event IS '账号事件（登录、退出、锁定、解锁、强制下线）';
COMMENT ON COLUMN account_event.account_event_id IS '事件标识';
COMMENT ON COLUMN account_event.user_id IS '账号';
COMMENT ON COLUMN account_event.kind IS '事件';
COMMENT ON COLUMN account_event.address IS '来源地址';
COMMENT ON COLUMN account_event.happened_at IS '发生时间';

-- The portal's own hand, for what the clock does (escalation): nobody can sign in as it.
INSERT INTO account (username, display_name, password_hash, must_change_password, disabled_at)
VALUES ('system', '系统', '!', false, now());

SELECT audit_table('account', '{password_hash}');
SELECT audit_table('account_grant');
SELECT audit_table('account_event');

-- Names of accounts are shown beside what they did, so everyone signed in reads them. Only the
-- administrator of accounts changes them; one's own row takes a new password and nothing more.
GRANT SELECT, INSERT ON account, account_grant, portal_session, sign_in_ticket, sign_in_failure
    , account_event TO portal_app;
GRANT UPDATE (display_name, organisation, phone, password_hash, password_changed_at
    , must_change_password, disabled_at) ON account TO portal_app;
GRANT UPDATE (valid_to) ON account_grant TO portal_app;
GRANT UPDATE (last_seen_at, revoked_at) ON portal_session TO portal_app;
GRANT UPDATE (used_at) ON sign_in_ticket TO portal_app;
GRANT UPDATE (cleared_at) ON sign_in_failure TO portal_app;
ALTER TABLE account ENABLE ROW LEVEL SECURITY;
CREATE POLICY account_read ON account FOR SELECT TO portal_app USING (true);
CREATE POLICY account_added_by_administrator ON account FOR INSERT TO portal_app
    WITH CHECK ((SELECT 'information_centre' = ANY (actor_roles())));
CREATE POLICY account_changed_by_administrator_or_owner ON account FOR UPDATE TO portal_app
    USING (user_id = (SELECT actor_user_id())
           OR (SELECT 'information_centre' = ANY (actor_roles())));
ALTER TABLE account_grant ENABLE ROW LEVEL SECURITY;
CREATE POLICY account_grant_read ON account_grant FOR SELECT TO portal_app USING (true);
CREATE POLICY account_grant_added_by_administrator ON account_grant FOR INSERT TO portal_app
    WITH CHECK ((SELECT 'information_centre' = ANY (actor_roles())));
CREATE POLICY account_grant_changed_by_administrator ON account_grant FOR UPDATE TO portal_app
    USING ((SELECT 'information_centre' = ANY (actor_roles())));
