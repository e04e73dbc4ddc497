-- What may exceed 100 %, formulas in versions, partial differences, and drafts a department reads.

-- A share of a whole cannot exceed it; a rate or a proportion of two other things can.
ALTER TABLE indicator_canonical ADD COLUMN is_share boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN indicator_canonical.is_share IS '是否为整体中的一部分所占的比例（不可能超过 100%）';
