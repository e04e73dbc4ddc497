-- A city and the province draw their sample in each county: in each township it was most of what waits.
COMMENT ON TABLE review_sample IS '审核抽样（县级初审每个乡镇、设区市和省级审核每个县一次，可补抽、说明理由后重抽，只增不改）';
COMMENT ON COLUMN review_sample.division_code IS '抽样范围的代码：县级初审为乡镇，设区市和省级审核为县（此前为乡镇）';
COMMENT ON COLUMN review_sample.draw_no IS '该范围该步骤的第几次抽样';
COMMENT ON COLUMN review_sample.sample_least IS '抽样时每个范围至少抽中的村数';
COMMENT ON COLUMN reporting_period.sample_least IS '每个抽样范围至少抽中的村数，空为不抽样';
