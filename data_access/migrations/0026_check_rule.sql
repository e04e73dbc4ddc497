-- Quality rules become versioned data: the bureau changes one, and a record keeps those it met.
-- A rule set is all rules of a form as they stand between two changes; its number is what
-- submission_version.rule_version remembers. Rows are only ever added.
CREATE TABLE check_rule_set (
    form_code text NOT NULL,
    version   integer NOT NULL,
    reason    text NOT NULL,
    made_by   bigint REFERENCES account,
    made_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (form_code, version),
    CONSTRAINT check_rule_set_counted CHECK (version > 0),
    CONSTRAINT check_rule_set_has_reason CHECK (btrim(reason) <> '' AND length(reason) <= 500)
);
COMMENT ON TABLE check_rule_set IS '校验规则集（每次改动为新的一版，只增不改）';
COMMENT ON COLUMN check_rule_set.form_code IS '表单代码';
COMMENT ON COLUMN check_rule_set.version IS '规则集版本，报送时记入 submission_version.rule_version';
COMMENT ON COLUMN check_rule_set.reason IS '改动理由';
COMMENT ON COLUMN check_rule_set.made_by IS '改动人，空为随系统发布';
COMMENT ON COLUMN check_rule_set.made_at IS '改动时间';

-- A rule as it stands from a rule set on, until the next row of the same rule.
CREATE TABLE check_rule (
    form_code   text NOT NULL,
    rule_code   text NOT NULL,
    version     integer NOT NULL,
    set_version integer NOT NULL,
    rule_order  integer NOT NULL,
    group_code  text NOT NULL,
    field_code  text NOT NULL,
    expression  text NOT NULL,
    message     text NOT NULL,
    strength    text NOT NULL,
    is_enabled  boolean NOT NULL DEFAULT true,
    thresholds  jsonb NOT NULL DEFAULT '{}',
    owner       text NOT NULL,
    basis       text NOT NULL,
    basis_note  text NOT NULL DEFAULT '',
    PRIMARY KEY (form_code, rule_code, version),
    FOREIGN KEY (form_code, set_version) REFERENCES check_rule_set,
    CONSTRAINT check_rule_once_in_a_set UNIQUE (form_code, rule_code, set_version),
    CONSTRAINT check_rule_code_plain CHECK (rule_code ~ '^[A-Z]{2}[0-9]{3}$'),
    CONSTRAINT check_rule_counted CHECK (version > 0),
    CONSTRAINT check_rule_strength_known CHECK (strength IN ('error', 'warning', 'hint')),
    CONSTRAINT check_rule_basis_known CHECK (basis IN ('sourced', 'known', 'assumed')),
    CONSTRAINT check_rule_says_something CHECK (btrim(message) <> '' AND length(message) <= 300),
    CONSTRAINT check_rule_expression_short CHECK (btrim(expression) <> '' AND length(expression) <= 500)
);
COMMENT ON TABLE check_rule IS '校验规则（各版本，只增不改）';
COMMENT ON COLUMN check_rule.form_code IS '表单代码';
COMMENT ON COLUMN check_rule.rule_code IS '规则编号';
COMMENT ON COLUMN check_rule.version IS '本条规则的版本';
COMMENT ON COLUMN check_rule.set_version IS '自哪一版规则集起生效';
COMMENT ON COLUMN check_rule.rule_order IS '次序';
COMMENT ON COLUMN check_rule.group_code IS '所属分组：form 为整表，其余逐行校验';
COMMENT ON COLUMN check_rule.field_code IS '问题显示在哪个字段旁';
COMMENT ON COLUMN check_rule.expression IS '应成立的条件';
COMMENT ON COLUMN check_rule.message IS '不成立时的提示语，{名称} 处填入取值';
COMMENT ON COLUMN check_rule.strength IS '强度：error 错误（不能提交）、warning 警告（须说明）、hint 提示';
COMMENT ON COLUMN check_rule.is_enabled IS '是否启用';
COMMENT ON COLUMN check_rule.thresholds IS '限值：名称对应 value（取值）、label（说明）、unit（单位）';
COMMENT ON COLUMN check_rule.owner IS '归口处室';
COMMENT ON COLUMN check_rule.basis IS '依据：sourced 有出处、known 通行做法、assumed 设计假定';
COMMENT ON COLUMN check_rule.basis_note IS '依据说明';
COMMENT ON COLUMN submission_version.rule_version IS '报送时所依据的校验规则集版本（check_rule_set）';

-- What columns of form_field said until this release stands in check_rule.
COMMENT ON COLUMN form_field.rule IS '停用：校验规则见 check_rule';
COMMENT ON COLUMN form_field.rule_message IS '停用：校验规则见 check_rule';
COMMENT ON COLUMN form_version.rule_version IS '停用：校验规则见 check_rule_set';

CREATE TRIGGER check_rule_set_told AFTER INSERT ON check_rule_set
   FOR EACH STATEMENT EXECUTE FUNCTION tell_change('forms');

SELECT audit_table('check_rule_set'), audit_table('check_rule');

-- Everybody may know the rules he is judged by; who runs the forms adds to them.
ALTER TABLE check_rule_set ENABLE ROW LEVEL SECURITY;
ALTER TABLE check_rule ENABLE ROW LEVEL SECURITY;
CREATE POLICY check_rule_set_readable ON check_rule_set FOR SELECT TO portal_app USING (true);
CREATE POLICY check_rule_readable ON check_rule FOR SELECT TO portal_app USING (true);
CREATE POLICY check_rule_set_by_its_keepers ON check_rule_set FOR INSERT TO portal_app
    WITH CHECK (made_by = (SELECT actor_user_id())
                AND (SELECT actor_roles())::text[] && ARRAY['plan_bureau', 'information_centre']);
CREATE POLICY check_rule_by_its_keepers ON check_rule FOR INSERT TO portal_app
    WITH CHECK ((SELECT actor_roles())::text[] && ARRAY['plan_bureau', 'information_centre']);
GRANT SELECT ON check_rule_set, check_rule TO portal_app;
GRANT INSERT (form_code, version, reason, made_by) ON check_rule_set TO portal_app;
GRANT INSERT ON check_rule TO portal_app;
