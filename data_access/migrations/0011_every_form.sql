-- The reporting core serves every form: periods of several months, reports by change, every receipt.
ALTER TABLE form_version
      ADD COLUMN period_months integer NOT NULL DEFAULT 1
    , ADD COLUMN by_change boolean NOT NULL DEFAULT false
    , ADD COLUMN receipt_prefix text NOT NULL DEFAULT ''
    , ADD CONSTRAINT form_version_periods_fill_a_year
          CHECK (period_months BETWEEN 1 AND 12 AND 12 % period_months = 0);
COMMENT ON COLUMN form_version.period_months IS '一个填报期的月数：1 月报、3 季报、12 年报';
COMMENT ON COLUMN form_version.by_change IS '变更即报：备案后同一填报期内可以再报变更';
COMMENT ON COLUMN form_version.receipt_prefix IS '备案回执编号的前缀（各表单不同）';

-- A field that looks up what is known already: the name of the list behind it.
ALTER TABLE form_field ADD COLUMN lookup text;
COMMENT ON COLUMN form_field.lookup IS '可检索带出的名录，如 compile-units；空为不检索';

ALTER TABLE review_event
      DROP CONSTRAINT review_event_action_known
    , ADD CONSTRAINT review_event_action_known
          CHECK (action IN ('submit', 'withdraw', 'approve', 'return', 'reopen'));
COMMENT ON COLUMN review_event.action IS
    '操作：submit 报送、withdraw 撤回、approve 通过、return 退回、reopen 报送变更';

-- A report by change may be filed several times in its period: each time with a receipt that stays.
CREATE TABLE submission_receipt (
    submission_id bigint NOT NULL,
    version_no    integer NOT NULL,
    division_code text NOT NULL,
    receipt_no    text NOT NULL,
    receipt_hash  text NOT NULL,
    filed_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (submission_id, version_no),
    FOREIGN KEY (submission_id, version_no, division_code)
        REFERENCES submission_version (submission_id, version_no, division_code),
    CONSTRAINT submission_receipt_number_once UNIQUE (receipt_no)
);
CREATE INDEX submission_receipt_division_code ON submission_receipt (division_code, filed_at DESC);
COMMENT ON TABLE submission_receipt IS '备案回执（每次备案一份，只增不改）';
COMMENT ON COLUMN submission_receipt.submission_id IS '填报';
COMMENT ON COLUMN submission_receipt.version_no IS '备案的报送版本';
COMMENT ON COLUMN submission_receipt.division_code IS '填报单位';
COMMENT ON COLUMN submission_receipt.receipt_no IS '备案回执编号';
COMMENT ON COLUMN submission_receipt.receipt_hash IS '备案回执校验值（SHA-256）';
COMMENT ON COLUMN submission_receipt.filed_at IS '备案时间';

INSERT INTO submission_receipt
       (submission_id, version_no, division_code, receipt_no, receipt_hash, filed_at)
SELECT submission_id, version_no, division_code, receipt_no, receipt_hash, filed_at
  FROM submission
 WHERE state = 'filed';

SELECT audit_table('submission_receipt');
ALTER TABLE submission_receipt ENABLE ROW LEVEL SECURITY;
CREATE POLICY submission_receipt_in_scope ON submission_receipt TO portal_app
    USING (division_code ^@ ANY ((SELECT actor_prefixes())::text[]));
GRANT SELECT ON submission_receipt TO portal_app;
GRANT INSERT (submission_id, version_no, division_code, receipt_no, receipt_hash)
    ON submission_receipt TO portal_app;
