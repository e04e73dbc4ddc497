"""Village evaluation: its groups, and what is shown beside each other while it is typed.

What must hold of a village and its natural villages stands in the rules of its form (check_rule).
"""

GROUP = "natural_village"
ATTACHMENTS = ("现状照片", "规划文本", "规划图集", "批复文件", "村民会议纪要", "其他")
"""What may be attached to a village's evaluation: one file each."""
ATTACHED = "attachments"
"""The field of both groups that names the files."""
NATURAL_ATTACHMENTS = ("现状照片", "其他")
SUMMED = ("hukou_pop", "resident_pop", "households", "construction_area")
"""Fields of both groups: the natural villages together have no more than their village."""
