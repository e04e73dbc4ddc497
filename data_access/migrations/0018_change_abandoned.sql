-- A change that was opened by mistake is given up; each form's report is urged on its own; who took
-- which workbook is known to him and to those whose units are in it.
ALTER TABLE review_event
      DROP CONSTRAINT review_event_action_known
    , ADD CONSTRAINT review_event_action_known
          CHECK (action IN ('submit', 'withdraw', 'approve', 'return', 'reopen', 'abandon'));
COMMENT ON COLUMN review_event.action IS
    '操作：submit 报送、withdraw 撤回、approve 通过、return 退回、reopen 报送变更、abandon 放弃变更';

-- Until now every reminder was about the progress of the plans.
ALTER TABLE reminder ADD COLUMN form_code text NOT NULL DEFAULT 'plan_progress';
COMMENT ON COLUMN reminder.form_code IS '所催办的表单';
DROP INDEX reminder_once_a_day;
CREATE UNIQUE INDEX reminder_once_a_day ON reminder
    (division_code, topic, form_code, (CAST(timezone('Asia/Shanghai', sent_at) AS date)));
GRANT INSERT (form_code) ON reminder TO portal_app;

ALTER TABLE workbook_export ENABLE ROW LEVEL SECURITY;
CREATE POLICY workbook_export_own ON workbook_export TO portal_app
    USING (taken_by = (SELECT actor_user_id())
           OR EXISTS (SELECT FROM unnest(unit_codes) AS unit (code)
                       WHERE unit.code ^@ ANY ((SELECT actor_prefixes())::text[])))
    WITH CHECK (taken_by = (SELECT actor_user_id()));

-- Who holds a workbook of others knows its mark; that it exists is all he is told.
CREATE FUNCTION workbook_export_exists(export_id uuid) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT EXISTS (SELECT FROM workbook_export AS export
                    WHERE export.export_id = workbook_export_exists.export_id)
$$;
REVOKE ALL ON FUNCTION workbook_export_exists(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION workbook_export_exists(uuid) TO portal_app;
