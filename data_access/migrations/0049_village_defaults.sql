-- What a file of villages leaves to correct is judged after it was compared; a period that was opened
-- before there were samples has the usual one, said to be assumed until the bureau sets it.
ALTER TABLE csv_batch ADD COLUMN judged_at timestamptz DEFAULT now();
ALTER TABLE csv_batch ALTER COLUMN judged_at DROP DEFAULT;
COMMENT ON COLUMN csv_batch.judged_at IS '按校验规则逐村核对完毕的时间，空为尚未核对完';
GRANT UPDATE (judged_at) ON csv_batch TO portal_app;
GRANT UPDATE (problem) ON csv_batch_row TO portal_app;

ALTER TABLE reporting_period ADD COLUMN sample_is_assumed boolean NOT NULL DEFAULT false
    CONSTRAINT reporting_period_assumes_a_sample CHECK (NOT sample_is_assumed OR sample_percent IS NOT NULL);
COMMENT ON COLUMN reporting_period.sample_is_assumed IS '抽样为默认值，规划局尚未确认 [assumed]';
COMMENT ON COLUMN reporting_period.sample_least IS '每个乡镇至少抽中的村数，空为不抽样';
COMMENT ON COLUMN review_sample.sample_least IS '抽样时每个乡镇至少抽中的村数';
GRANT INSERT (sample_is_assumed), UPDATE (sample_is_assumed) ON reporting_period TO portal_app;

SELECT set_config('app.action', 'migration.0049', true);
UPDATE reporting_period AS period
   SET sample_percent = coalesce(CAST(sample.value ->> 'percent' AS integer), 5)
     , sample_least = coalesce(CAST(sample.value ->> 'least' AS integer), 2)
     , sample_is_assumed = true
  FROM form_version AS form
  LEFT JOIN portal_setting AS sample ON sample.name = 'village_sample'
 WHERE form.form_code = period.form_code AND form.version = period.form_version
   AND form.filed_from_above AND period.closed_at IS NULL AND period.sample_percent IS NULL
   -- Whoever said that nothing is drawn meant it.
   AND NOT EXISTS (SELECT FROM row_change
                    WHERE table_name = 'reporting_period' AND action = 'reporting_period.sample'
                      AND after ->> 'period_id' = CAST(period.period_id AS text));
