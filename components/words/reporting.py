"""The words of a report on its way: who files and reviews it, its states, problems and rules."""

from collections.abc import Mapping
from enum import StrEnum

from domain.access import Role
from domain.bulk_review import ItemState as BulkItemState
from domain.bulk_review import LeftOut
from domain.check_rules import Basis, RuleFault
from domain.comparison import FileChange
from domain.form_diff import ChangeKind
from domain.forms import ProblemKind, Severity
from domain.positions import PositionFault
from domain.review_filter import QueueOrder
from domain.workflow import ReviewAction, SubmissionState

LABELS: Mapping[type[StrEnum], Mapping[str, str]] = {
    Role: {
        Role.LEADER: "省厅领导",
        Role.PLAN_BUREAU: "厅空间规划局",
        Role.USE_CONTROL: "用途管制处",
        Role.DEPARTMENT: "省直部门",
        Role.CITY: "设区市",
        Role.COUNTY: "县（市、区）",
        Role.TOWNSHIP: "乡镇（村庄规划员）",
        Role.COMPILE_UNIT: "编制单位",
        Role.TECHNICAL_REVIEWER: "技术审查单位",
        Role.INFORMATION_CENTRE: "信息中心",
        Role.SECURITY_AUDITOR: "安全审计员",
    },
    SubmissionState: {
        SubmissionState.DRAFT: "草稿",
        SubmissionState.SUBMITTED: "待审核",
        SubmissionState.RETURNED: "已退回",
        SubmissionState.FILED: "已备案",
    },
    ReviewAction: {
        ReviewAction.SUBMIT: "提交",
        ReviewAction.WITHDRAW: "撤回",
        ReviewAction.APPROVE: "通过",
        ReviewAction.RETURN: "退回",
        ReviewAction.REOPEN: "报送变更",
        ReviewAction.ABANDON: "放弃变更",
    },
    BulkItemState: {
        BulkItemState.PENDING: "待生效",
        BulkItemState.DONE: "已生效",
        BulkItemState.LEFT_OUT: "未办理",
        BulkItemState.UNDONE: "已撤销",
    },
    LeftOut: {
        LeftOut.GONE: "记录不存在，或不在您的数据范围内",
        LeftOut.CHANGED: "您看到之后已有变动，请打开核对最新版本",
        LeftOut.NOT_WAITING: "已不在审核中",
        LeftOut.NOT_YOURS: "不在您的审核权限内，或该步骤已由他人办理",
        LeftOut.OWN_FILING: "由您本人或您所在单位填报，须由他人审核",
        LeftOut.HAS_ERRORS: "自动校验有错误，请逐份打开审核",
        LeftOut.PENDING_ELSEWHERE: "已在另一次批量办理中，等待生效",
        LeftOut.REFUSED: "填报内容与已认定的数据冲突，请逐份打开审核",
        LeftOut.BUSY: "他人正在办理，请稍后再试",
        LeftOut.STOPPED: "批量办理的后台任务被取消或失败，请重新办理",
    },
    QueueOrder: {
        QueueOrder.SUBMITTED: "报送时间",
        QueueOrder.DUE: "应办结日期",
        QueueOrder.UNIT: "填报单位",
        QueueOrder.ROUND: "轮次",
        QueueOrder.CHANGES: "变化项数",
        QueueOrder.WARNINGS: "提示数",
    },
    Severity: {
        Severity.ERROR: "错误",
        Severity.WARNING: "警告",
        Severity.HINT: "提示",
        Severity.UNCHECKED: "未校验",
    },
    ProblemKind: {
        ProblemKind.MISSING: "未填写",
        ProblemKind.FORMAT: "格式有误",
        ProblemKind.RULE: "不合规则",
    },
    ChangeKind: {
        ChangeKind.ADDED: "新增",
        ChangeKind.CHANGED: "修改",
        ChangeKind.REMOVED: "删除",
    },
    FileChange: {
        FileChange.SAME: "沿用原文件",
        FileChange.ADDED: "新增",
        FileChange.REMOVED: "已移除",
        FileChange.REPLACED: "已更换",
        FileChange.SENT_AGAIN: "重新上传，内容相同",
    },
    Basis: {
        Basis.SOURCED: "有出处",
        Basis.KNOWN: "通行做法",
        Basis.ASSUMED: "设计假定",
    },
    RuleFault: {
        RuleFault.UNREADABLE: "条件无法读懂，请检查括号、引号和运算符",
        RuleFault.UNKNOWN_NAME: "条件中有不认识的名称",
        RuleFault.UNKNOWN_PLACEHOLDER: "提示语中有不认识的名称",
        RuleFault.CYCLE: "规则之间互相引用，成为循环",
        RuleFault.DIVISION_BY_ZERO: "除数可能为零，请改用 max(…, 1) 等写法",
        RuleFault.FAILS: "条件无法计算（除数为零，或类型不符），请检查各名称",
        RuleFault.NOT_EXPLAINABLE: "该分组没有“核实说明”一栏，不能设为警告",
        RuleFault.THRESHOLD: "限值须为数字，不能是负数，也不能过大",
        RuleFault.NO_REASON: "请填写改动理由，最多 500 字",
        RuleFault.NO_MESSAGE: "请填写提示语",
        RuleFault.UNCHANGED: "没有任何改动",
    },
    PositionFault: {
        PositionFault.UNREADABLE: "坐标无法识别，请按所选坐标系只填数字",
        PositionFault.ELSEWHERE: "坐标换算后不是经纬度，请核对坐标系，以及两个坐标是否颠倒",
        PositionFault.FAR: "新位置距原位置较远，请填写理由",
        PositionFault.OTHER_TOWNSHIP: "新位置不在所属乡镇范围内，请填写理由",
        PositionFault.NOTHING_TO_RESTORE: "没有可以恢复的原位置",
    },
}
