"""The words of running the portal: the trail, jobs, settings, passwords."""

from collections.abc import Mapping
from enum import StrEnum

from domain.jobs import JobKind, JobState
from domain.passwords import PasswordFault
from domain.settings import SettingFault
from domain.trail import FindingKind, Operation

LABELS: Mapping[type[StrEnum], Mapping[str, str]] = {
    Operation: {
        Operation.INSERT: "新增",
        Operation.UPDATE: "修改",
        Operation.DELETE: "删除",
        Operation.BULK: "批量装载",
    },
    FindingKind: {
        FindingKind.ALTERED: "日志内容被改动",
        FindingKind.REMOVED: "日志被删除",
        FindingKind.INSERTED: "插入了多余的日志",
        FindingKind.SWAPPED: "日志次序被调换",
        FindingKind.REHASHED: "日志被改动并重算了哈希",
        FindingKind.HEAD_DIFFERS: "链头与最后一条日志不符",
        FindingKind.HEAD_MISSING: "链头缺失",
        FindingKind.ANCHORS_EDITED: "锚定文件被改动",
        FindingKind.ANCHORS_SHORTENED: "锚定文件被截短",
        FindingKind.TRIGGER_OFF: "留痕触发器被停用",
    },
    JobState: {
        JobState.WAITING: "等待中",
        JobState.RUNNING: "进行中",
        JobState.SUCCEEDED: "已完成",
        JobState.FAILED: "失败",
        JobState.CANCELLED: "已取消",
        JobState.ABORTED: "已中止",
    },
    JobKind: {
        JobKind.ANCHOR_TRAIL: "审计日志锚定",
        JobKind.ESCALATE_REMINDERS: "催办升级",
        JobKind.FORGET_UPLOADS: "清理未完成的上传",
        JobKind.EXPIRE_SESSIONS: "清理过期会话",
        JobKind.FOLD_ROLLUP: "归并村庄评估汇总",
        JobKind.DELIVER_EVENTS: "对外事件投递",
        JobKind.FORGET_JOBS: "清理任务记录",
        JobKind.DECIDE_IN_BULK: "批量办理生效",
        JobKind.COUNT_WAITING: "待审填报的校验摘要",
        JobKind.SETTLE_STOPPED: "了结中止的批量办理",
        JobKind.EXPORT_WORKBOOK: "生成填报工作簿",
        JobKind.APPLY_WORKBOOK: "工作簿写入草稿",
        JobKind.FORGET_WORKBOOKS: "清理过期的工作簿",
        JobKind.EXPORT_CSV: "导出 CSV 数据",
        JobKind.CHECK_CSV: "核对 CSV 数据",
        JobKind.APPLY_CSV: "把 CSV 数据写入草稿",
    },
    SettingFault: {
        SettingFault.SHAPE: "取值的类型不对，请按原来的样式填写",
        SettingFault.RANGE: "取值超出允许的范围",
        SettingFault.FIXED: "该项由系统自动标注，不能改动",
        SettingFault.ORDER: "黄色天数须大于 0，并小于橙色天数",
    },
    PasswordFault: {
        PasswordFault.TOO_SHORT: "不足 10 个字符",
        PasswordFault.TOO_LONG: "超过 72 个字节（约 24 个汉字）",
        PasswordFault.TOO_FEW_CLASSES: "大写字母、小写字母、数字、符号中至少要有三种",
        PasswordFault.CONTAINS_USERNAME: "不能包含用户名",
        PasswordFault.COMMON: "过于常见，容易被猜中",
        PasswordFault.REPEATED: "不能由少数几个字符重复组成",
        PasswordFault.SAME_AS_BEFORE: "与现用口令相同",
    },
}
