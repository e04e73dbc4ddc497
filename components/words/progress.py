"""The words of progress against the plan, and of what supervision does about lateness."""

from collections.abc import Mapping
from enum import StrEnum

from domain.history import HistoryFault
from domain.progress import Disposition, Lateness, MilestoneState, PeriodState
from domain.supervision import ItemState, NoteKind, ReminderState, ReminderTopic

LABELS: Mapping[type[StrEnum], Mapping[str, str]] = {
    MilestoneState: {
        MilestoneState.NOT_STARTED: "未开始",
        MilestoneState.RUNNING: "进行中",
        MilestoneState.COMPLETED: "已完成",
        MilestoneState.SKIPPED: "跳过",
    },
    Disposition: {
        Disposition.COMPILING: "单独编制",
        Disposition.MERGED: "并入市级",
    },
    Lateness: {
        Lateness.ON_TIME: "按期",
        Lateness.YELLOW: "轻度滞后",
        Lateness.ORANGE: "中度滞后",
        Lateness.RED: "严重滞后",
        Lateness.UNPLANNED: "未定计划",
        Lateness.MERGED: "并入市级",
    },
    PeriodState: {
        PeriodState.NOT_FILED: "未报",
        PeriodState.SUBMITTED: "审核中",
        PeriodState.RETURNED: "已退回",
        PeriodState.FILED: "已备案",
    },
    HistoryFault: {
        HistoryFault.NO_UNIT: "没有填写单位",
        HistoryFault.UNKNOWN_UNIT: "没有这个填报单位",
        HistoryFault.AMBIGUOUS_UNIT: "有多个同名单位，请填代码",
        HistoryFault.UNKNOWN_PLAN: "该单位没有这项规划",
        HistoryFault.UNKNOWN_STAGE: "该规划没有这个阶段",
        HistoryFault.NO_DATE: "计划与实际日期都没有填写",
        HistoryFault.NOT_A_DATE: "日期无法识别",
        HistoryFault.IN_THE_FUTURE: "实际日期晚于今天",
        HistoryFault.BASELINE_DIFFERS: "与已认定的基准计划日期不同",
        HistoryFault.COMPLETION_DIFFERS: "与已认定的完成日期不同",
        HistoryFault.SKIPPED: "该阶段已认定跳过",
        HistoryFault.TWICE: "文件中有两行日期不同",
    },
    ReminderTopic: {
        ReminderTopic.LATE_MILESTONE: "进度滞后",
        ReminderTopic.NOT_FILED: "未报送",
        ReminderTopic.RETURNED: "退回未改",
        ReminderTopic.OTHER: "其他事项",
    },
    ReminderState: {
        ReminderState.WAITING: "待回复",
        ReminderState.OVERDUE: "逾期未回复",
        ReminderState.ESCALATED: "已升级",
        ReminderState.ANSWERED: "已回复",
    },
    ItemState: {
        ItemState.OPEN: "在办",
        ItemState.ANSWERED: "已反馈",
        ItemState.CLOSED: "已销号",
    },
    NoteKind: {
        NoteKind.FEEDBACK: "反馈",
        NoteKind.COMMENT: "意见",
        NoteKind.REOPEN: "退回重办",
        NoteKind.CLOSE: "销号",
    },
}
