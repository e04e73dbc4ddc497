"""What invented people write: names, reasons, remarks, replies."""

from random import Random

WATERMARK = "演示数据"
_SURNAMES = "赵钱孙李周吴郑王冯陈蒋沈韩杨朱秦许何吕张曹严金魏陶姜谢邹章苏潘葛范彭鲁马方任袁柳"
_GIVEN = "伟敏静磊洋勇艳杰娟涛明超霞平刚玲辉鹏华斌云峰宁欣哲凯琳波晨帆"

LATE_REASONS = (
    "三区三线划定成果调整，方案需相应修改。",
    "编制单位项目负责人变动，成果修改滞后。",
    "部门意见分歧较大，正在组织协调会商。",
    "底图底数与变更调查成果衔接耗时超出预期。",
    "专题成果未通过技术审查，正在补充完善。",
)
REPLAN_REASONS = (
    "受上位规划成果调整影响，经县级专题会议研究，调整后续节点计划。",
    "因重大项目选址变动，规划方案需重新论证，申请顺延。",
    "数据库质检未通过，须返工后重新组织论证。",
)
SKIP_REASONS = (
    "与设区市专题研究合并开展，成果共享，不再单独组织。",
    "由本级规划院直接承担编制，按规定无需招标。",
)
MERGE_REASON = "经研究并报省厅同意，本区不单独编制总体规划，规划内容并入{parent}国土空间总体规划。"
LATER_MERGE_REASON = "区划管理职能调整，经省厅同意，自本期起并入{parent}国土空间总体规划统一编制。"
EXTENSION_REASONS = (
    "防汛抢险期间工作人员抽调，申请延期报送。",
    "主管部门机构调整，材料移交中。",
    "省级成果下发较晚，需核对后填报。",
)
ISSUES = (
    "",
    "",
    "",
    "部分图斑现状地类与管理需求不一致，请省厅明确口径。",
    "规划编制经费尚未足额到位。",
    "与林业、水利专项规划衔接存在冲突图斑，需协调。",
    "城镇开发边界局部优化方案待批。",
)
RETURN_COMMENTS = (
    "请按逐项意见修改后重新报送。",
    "个别节点填报不准确，请核实。",
    "佐证材料与填报内容不一致，退回修改。",
)
DATE_REASON = "完成日期与佐证材料落款日期不一致，请核对。"
DATE_REPLY = "已按佐证材料落款日期更正。"
SUMMARY_REASON = "工作情况过于笼统，请写明本月完成的具体工作及下月安排。"
SUMMARY_REPLY = "已补充本月具体工作和下月安排。"
AMOUNT_REASON = "合同金额与合同扫描件不一致，请核对。"
AMOUNT_REPLY = "已按合同文本更正金额。"
NOTE_REASON = "请说明尚未启动采购的原因和计划时间。"
NOTE_REPLY = "经费已落实，计划下季度启动采购。"
VAGUE_SUMMARY = "正常推进。"
LATE_REMINDER = (
    "贵单位{plan}“{stage}”节点已滞后 {days} 天，请说明原因并提出赶工措施，于 {due} 前回复。"
)
NOT_FILED_REMINDER = "贵单位 {period}编制进度至今未报送，请于 {due} 前补报并说明原因。"
LATE_REPLIES = (
    "已召开调度会，倒排工期，预计本月底前完成成果修改。",
    "已约谈编制单位，增派人员驻点，下月中旬提交送审稿。",
    "正在协调部门意见，形成一致意见后立即推进。",
)
NOT_FILED_REPLIES = (
    "因经办人休假未及时报送，已安排专人负责。",
    "系统操作不熟悉，已完成培训并改进。",
)
ITEM_REQUIREMENT = "请于期限内完成“{stage}”节点并上传佐证材料，每周五反馈进展。"
ITEM_FEEDBACK = (
    "已成立专班，编制单位驻场修改，目前完成约七成。",
    "部门意见已基本达成一致，正在修改图件。",
)
ITEM_COMMENT = "请进一步明确完成时间，按周报送进展。"
ITEM_CLOSING = "节点已完成并经省级认定，予以销号。"
SPECIAL_PLANS = (
    "综合交通体系专项规划",
    "历史文化保护专项规划",
    "矿产资源总体规划",
    "水利设施空间专项规划",
)
DETAIL_PLANS = (
    "中心城区控制性详细规划",
    "高新技术产业园区控制性详细规划",
    "老城片区控制性详细规划",
)


def person(rng: Random) -> str:
    """Return an invented name."""
    return rng.choice(_SURNAMES) + "".join(rng.choices(_GIVEN, k=rng.choice((1, 2, 2))))


def phone(rng: Random) -> str:
    """Return a mobile number out of a range that is plainly made up."""
    return f"1380000{rng.randint(0, 9999):04d}"


def summary(done: list[str], running: list[str]) -> str:
    """Return what a unit writes about its month."""
    if not done and not running:
        return "本月按计划开展前期准备工作。"
    # Several plans of a unit may stand at the same stage: it is said once.
    done, running = list(dict.fromkeys(done)), list(dict.fromkeys(running))
    if not running:
        return f"本月完成{'、'.join(done)}。"
    return (f"本月完成{'、'.join(done)}；" if done else "本月") + f"正在推进{'、'.join(running)}。"
