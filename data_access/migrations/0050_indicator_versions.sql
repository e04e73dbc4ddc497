-- What may exceed 100 %, formulas in versions, partial differences, and drafts a department reads.

-- A share of a whole cannot exceed it; a rate or a proportion of two other things can.
ALTER TABLE indicator_canonical ADD COLUMN is_share boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN indicator_canonical.is_share IS '是否为整体中的一部分所占的比例（不可能超过 100%）';

-- Targets of many years come back in one table.
INSERT INTO upload_use (use, title, roles, media_types, max_size, max_unpacked) VALUES
    ('target_workbook', '指标目标表', '{plan_bureau}'
     , '{application/vnd.openxmlformats-officedocument.spreadsheetml.sheet}', 10485760, 104857600);
