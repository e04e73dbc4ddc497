-- What a warning rule measures is said in words: v, t_year and typical_min are names of the inside.

UPDATE warning_profile
   SET expression = said.words
  FROM (VALUES ('r=v/t', '数值 ÷ 目标值')
             , ('r=v/t_year', '数值 ÷ 当年应达值')
             , ('d=max(lo-v,v-hi,0)/(hi-lo)', '超出合理区间的量 ÷ 区间宽度')
             , ('g=abs(v-p)/abs(p)', '与上年值之差的绝对值 ÷ 上年值的绝对值')
             , ('v', NULL)) AS said (expression, words)
 WHERE warning_profile.expression = said.expression;

UPDATE warning_profile
   SET remark = '当年应达值由基期值到目标值逐年线性推算；无目标时与全省均值相比'
 WHERE remark = 't_year 为目标年度线性插值；无目标时用全省均值'
    OR profile_code = 'LOWER' AND remark = '同上';

UPDATE warning_profile
   SET remark = '合理区间取指标的合理范围或地方标准'
 WHERE remark = 'lo、hi 取 typical_min/typical_max 或地方标准';

UPDATE warning_profile
   SET remark = replace(remark, '；p 为上一年值', '')
 WHERE remark LIKE '%；p 为上一年值';
