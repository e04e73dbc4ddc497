"""The Chinese words of the domain: one dictionary for each vocabulary, one sentence for each error.

A sentence says what is wrong and what to do. A placeholder `{reason}` takes the words of the
error's `reason`, a member of a vocabulary.
"""

import re
from collections.abc import Mapping
from datetime import date, datetime
from enum import StrEnum

from domain import errors
from domain.access import Role
from domain.assessment import (
    Attribute,
    Direction,
    Level,
    Measure,
    Reason,
    ReferenceKind,
    TargetState,
    Tier,
    ValueKind,
)
from domain.bulk_review import ItemState as BulkItemState
from domain.bulk_review import LeftOut
from domain.check_rules import Basis, RuleFault
from domain.clock import BEIJING
from domain.comparison import FileChange
from domain.csv_data import CsvReason, CsvRefusal, CsvState
from domain.files import FileFault, MediaType
from domain.forms import ChangeKind, ProblemKind, Severity
from domain.history import HistoryFault
from domain.jobs import JobKind, JobState
from domain.passwords import PasswordFault
from domain.positions import PositionFault
from domain.progress import Disposition, Lateness, MilestoneState, PeriodState
from domain.review_filter import QueueOrder
from domain.settings import SettingFault
from domain.supervision import ItemState, NoteKind, ReminderState, ReminderTopic
from domain.trail import FindingKind, Operation
from domain.workbook import FaultKind, Refusal
from domain.workbook_diff import BatchRefusal, BatchState, Because, Decision, EntryKind
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
    FileFault: {
        FileFault.NO_NAME: "文件没有名称，请改名后重试",
        FileFault.TYPE_NOT_TAKEN: "此处不接收这种类型的文件，请转换格式后重试",
        FileFault.OLD_OFFICE: "旧版或含宏的格式，请另存为 xlsx、docx 后重试",
        FileFault.TOO_LARGE: "超过允许的大小，请压缩或拆分后重试",
        FileFault.EMPTY: "文件没有内容，请重新选择",
        FileFault.CONTENT_DIFFERS: "内容与扩展名不符，请用正确的格式重新导出",
        FileFault.DAMAGED: "文件已损坏，无法打开，请重新导出后再传",
        FileFault.MACROS: "含有宏，请另存为不含宏的文件后重试",
        FileFault.LOCKED: "压缩包设有密码，请去除密码后重试",
        FileFault.ENCRYPTED: "设有密码，或其实是旧版格式，请去除密码、另存为新格式后重试",
        FileFault.TOO_MANY_ENTRIES: "压缩包内文件过多，请拆分后重试",
        FileFault.UNPACKS_TOO_LARGE: "压缩包解压后过大，请拆分后重试",
        FileFault.UNSAFE_NAMES: "压缩包内的文件路径不规范，请重新打包",
        FileFault.PICTURE_TOO_LARGE: "图片像素过多，请缩小后重试",
        FileFault.NO_SPACE: "服务器存储空间不足，请联系信息中心，稍后可从断点续传",
        FileFault.BUSY: "同一文件正在另一处上传，请稍候再试",
        FileFault.WRONG_OFFSET: "续传位置与服务器不一致，请重新开始续传",
    },
    Refusal: {
        Refusal.EMPTY: "文件没有内容，请重新选择",
        Refusal.TOO_LARGE: "文件超过允许的大小，请删除图片等无关内容，或拆分后重试",
        Refusal.NOT_A_WORKBOOK: "不是 Excel 工作簿，请用本系统下载的工作簿填写",
        Refusal.OLD_EXCEL: "是旧版 Excel 或其他表格格式，请另存为 .xlsx 后重试",
        Refusal.ENCRYPTED: "设有打开密码，请去除密码后重试",
        Refusal.DAMAGED: "文件已损坏，无法读取，请用 Excel 打开并另存后重试",
        Refusal.MACROS: "含有宏，请另存为不含宏的 .xlsx 后重试",
        Refusal.EXTERNAL_LINKS: "含有指向其他文件或数据源的链接，请断开链接后重试",
        Refusal.EMBEDDED_OBJECTS: "嵌有其他文件或控件，请删除后重试",
        Refusal.UNPACKS_TOO_LARGE: "解压后过大或结构异常，请重新下载工作簿，把内容复制过去",
        Refusal.UNSAFE_XML: "含有不允许的定义（DTD 或实体），请用 Excel 打开并另存后重试",
        Refusal.TOO_MANY_CELLS: "行列过多，请删除表格以外的内容，或分单位下载后填写",
        Refusal.TOO_SLOW: "未能在限定时间内读完，请删除多余的格式和内容，或分单位填写",
        Refusal.NO_STAMP: "不是从本系统下载的工作簿，请下载后把内容填进去",
        Refusal.OLD_TEMPLATE: "是旧版表单的工作簿，请重新下载后填写",
        Refusal.OTHER_FORM: "是另一张表单的工作簿，请到相应的表单上传",
        Refusal.NO_SHEETS: "填报的工作表已被删除或隐藏的代码行已被删除，请重新下载后填写",
    },
    FaultKind: {
        FaultKind.DUPLICATE_ROW: "重复的行",
        FaultKind.UNKNOWN_ROW: "无法识别的行",
        FaultKind.NEW_ROW: "新增的行",
        FaultKind.CODE_DIFFERS: "单位代码不符",
        FaultKind.SCIENTIFIC: "变成科学计数",
        FaultKind.MERGED: "合并的单元格",
        FaultKind.FORMULA_WITHOUT_VALUE: "公式没有结果",
        FaultKind.EXCEL_ERROR: "公式出错",
        FaultKind.DUPLICATE_COLUMN: "重复的列",
        FaultKind.DUPLICATE_SHEET: "重复的工作表",
    },
    MediaType: {
        MediaType.PDF: "PDF 文档",
        MediaType.JPEG: "JPEG 图片",
        MediaType.PNG: "PNG 图片",
        MediaType.ZIP: "ZIP 压缩包",
        MediaType.CSV: "CSV 数据",
        MediaType.DOCX: "Word 文档",
        MediaType.XLSX: "Excel 工作簿",
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
        RuleFault.THRESHOLD: "限值须为数字，且不能过大",
        RuleFault.NO_REASON: "请填写改动理由，最多 500 字",
        RuleFault.NO_MESSAGE: "请填写提示语",
        RuleFault.UNCHANGED: "没有任何改动",
    },
    Level: {
        Level.NO_DATA: "缺数",
        Level.UNRATED: "不评级",
        Level.NORMAL: "正常",
        Level.HINT: "提示",
        Level.WATCH: "关注",
        Level.WARN: "预警",
        Level.SEVERE: "严重",
    },
    ValueKind: {
        ValueKind.QUANTITY: "总量",
        ValueKind.RATIO: "比率",
        ValueKind.READING: "读数",
        ValueKind.DERIVED: "由其他指标计算",
    },
    Attribute: {
        Attribute.BINDING: "约束性",
        Attribute.EXPECTED: "预期性",
        Attribute.SUGGESTED: "建议性",
    },
    Tier: {
        Tier.BASIC: "基本指标",
        Tier.RECOMMENDED: "推荐指标",
        Tier.PLAN_TARGET: "规划指标",
    },
    Direction: {
        Direction.HIGHER_BETTER: "越高越好",
        Direction.LOWER_BETTER: "越低越好",
        Direction.BINDING_FLOOR: "不得低于",
        Direction.BINDING_CEILING: "不得高于",
        Direction.RANGE: "区间适中",
        Direction.MONITOR: "监测",
        Direction.ZERO_TOLERANCE: "零容忍",
    },
    Measure: {
        Measure.TARGET_FLOOR: "与目标下限之比",
        Measure.TARGET_CEILING: "与目标上限之比",
        Measure.PATH_FLOOR: "与当年应达值之比（越高越好）",
        Measure.PATH_CEILING: "与当年应达值之比（越低越好）",
        Measure.RANGE: "偏离合理区间的幅度",
        Measure.VALUE: "数值",
        Measure.CHANGE: "同比变动幅度",
        Measure.NONE: "不评级",
    },
    TargetState: {
        TargetState.ISSUED: "已下达",
        TargetState.NOT_ISSUED: "未下达",
    },
    ReferenceKind: {
        ReferenceKind.TARGET: "目标",
        ReferenceKind.PROVINCE: "全省值",
        ReferenceKind.PREVIOUS: "上年值",
    },
    Reason: {
        Reason.NO_TARGET: "目标未下达或无可比数据",
        Reason.NO_PREVIOUS: "没有上年值",
        Reason.DISPLAY_ONLY: "仅展示，不评级",
        Reason.INCOMPLETE: "所辖各县未报齐",
        Reason.CONSECUTIVE: "连续多年关注，升一级",
        Reason.BREACH: "突破约束性指标",
    },
    SettingFault: {
        SettingFault.SHAPE: "取值的类型不对，请按原来的样式填写",
        SettingFault.RANGE: "取值超出允许的范围",
        SettingFault.FIXED: "该项由系统自动标注，不能改动",
        SettingFault.ORDER: "黄色天数须大于 0，并小于橙色天数",
    },
    EntryKind: {
        EntryKind.NEW: "新增",
        EntryKind.CHANGED: "修改",
        EntryKind.UNCHANGED: "未变",
        EntryKind.CONFLICTING: "冲突",
        EntryKind.REFUSED: "不采用",
    },
    Because: {
        Because.NOT_YOURS: "该单位不由您填报，其内容未采用。",
        Because.NOT_IN_HAND: "该单位已报送，不在填报人手中，未采用。如需修改请先撤回。",
        Because.UNKNOWN_ROW: "本单位没有这一行，未采用。请重新下载工作簿后填写。",
        Because.LOCKED: "这一项已认定或由系统带出，不能改动，已保留原值。",
        Because.HIDDEN: "按本行其他内容，这一项不需要填写，未采用。",
        Because.ROW_REFUSED: "同一行有无法识别的内容，整行未采用。请改正后重新上传。",
    },
    Decision: {
        Decision.MINE: "采用工作簿的",
        Decision.THEIRS: "保留现值",
    },
    BatchState: {
        BatchState.OPEN: "待确认",
        BatchState.APPLYING: "正在写入",
        BatchState.APPLIED: "已写入草稿",
        BatchState.DISCARDED: "已放弃",
    },
    BatchRefusal: {
        BatchRefusal.UNKNOWN_EXPORT: (
            "本系统没有这份工作簿的下载记录，可能下载已久，或来自别处。请重新下载后填写"
        ),
        BatchRefusal.NOT_YOUR_UNITS: "其中没有由您填报的单位，未采用任何内容。请核对是否选错了文件",
    },
    CsvState: {
        CsvState.CHECKING: "正在核对",
        CsvState.OPEN: "待确认",
        CsvState.APPLYING: "正在写入",
        CsvState.APPLIED: "已写入草稿",
        CsvState.DISCARDED: "已放弃",
        CsvState.REFUSED: "未采用",
    },
    CsvRefusal: {
        CsvRefusal.EMPTY: "没有数据行，请核对是否选错了文件",
        CsvRefusal.NOT_TEXT: "不是 UTF-8、GBK 或 UTF-16 编码的文本，请另存为 CSV 后重试",
        CsvRefusal.NO_CODES: "没有“行政村代码”或“自然村代码”列，无法判断各行是哪个村",
        CsvRefusal.NO_FIELDS: "没有一列是可填的内容，请保留下载时的标题",
        CsvRefusal.TWICE: "出现了两次，请只保留一个",
        CsvRefusal.TOO_MANY_ROWS: "超过一百万行，请拆分后重试",
        CsvRefusal.TOO_LARGE: "解压后过大，或压缩包中文件过多，请拆分后重试",
        CsvRefusal.DAMAGED: "文件已损坏或格式有误，无法读取，请重新导出后重试",
        CsvRefusal.OTHER_EXPORT: (
            "“下载编号”不是本期的下载，或各行不一致。请重新下载后填写；来自别处的数据请删去这一列"
        ),
    },
    CsvReason: {
        CsvReason.NOT_UNDERSTOOD: "有无法识别的内容，整行未采用。",
        CsvReason.UNKNOWN_UNIT: "没有这个行政村，未采用。请核对代码；名录有变化时请先导入名录。",
        CsvReason.NOT_YOURS: "该村不在您可以写入的范围内，未采用。",
        CsvReason.NOT_IN_HAND: "该村已报送，不在填报人手中，未采用。如需修改请先退回。",
        CsvReason.UNKNOWN_ROW: "名录中没有这个自然村，未采用。请先在名录中增加，再导入其评估。",
        CsvReason.DUPLICATE: "代码重复，各行都未采用。请只保留一行。",
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
    FileChange: {
        FileChange.SAME: "相同",
        FileChange.ADDED: "新增",
        FileChange.REMOVED: "已移除",
        FileChange.REPLACED: "已更换",
        FileChange.SENT_AGAIN: "重新上传，内容相同",
    },
    ChangeKind: {
        ChangeKind.ADDED: "新增",
        ChangeKind.CHANGED: "修改",
        ChangeKind.REMOVED: "删除",
    },
    PositionFault: {
        PositionFault.UNREADABLE: "坐标无法识别，请按所选坐标系只填数字",
        PositionFault.ELSEWHERE: "坐标换算后不是经纬度，请核对坐标系，以及两个坐标是否颠倒",
        PositionFault.FAR: "新位置距原位置较远，请填写理由",
        PositionFault.OTHER_TOWNSHIP: "新位置不在所属乡镇范围内，请填写理由",
        PositionFault.NOTHING_TO_RESTORE: "没有可以恢复的原位置",
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

ERROR_MESSAGES: Mapping[type[errors.PortalError], str] = {
    errors.NotFound: "记录不存在，或不在您的数据范围内。请返回列表重新选择。",
    errors.NotPermitted: "您的账号无权执行此操作。如确需办理，请联系信息中心调整授权。",
    errors.InvalidAction: "当前状态下不能执行此操作，可能已被他人办理。请刷新页面后查看。",
    errors.PeriodClosed: "本填报期已关闭，不再接收首次报送。如确需补报，请联系厅空间规划局。",
    errors.StaleVersion: "您打开之后，该记录已被他人修改。请刷新页面，核对后重新操作。",
    errors.DraftConflict: "您打开之后，他人已保存过这份草稿。请比对两个版本后选择保留哪一个。",
    errors.InvalidContent: "填报内容有误，请按各字段旁的提示修改后重新提交。",
    errors.RuleViolation: "填写的内容不符合规则，未保存。请核对后重试。",
    errors.InvalidImport: "文件不能导入，请按所列问题修改后重新上传。",
    errors.SignInRefused: "用户名或口令不正确，请核对后重试。忘记口令请联系信息中心。",
    errors.AccountLocked: "口令连续输错过多，账号已锁定至{until}。请届时再试，或联系信息中心解锁。",
    errors.WeakPassword: "新口令不符合要求：{reason}。请换一个口令。",
    errors.PositionRefused: "位置未更正：{reason}。",
    errors.SampleNotDrawn: (
        "所选村中有 {count} 个还没有抽样，不能批量通过。请先在“村庄审核”抽取样本，并逐份看完。"
    ),
    errors.SampleNotSeen: (
        "抽中的村还有 {count} 个没有看：{villages}。请逐份打开看完，再批量通过。"
    ),
    errors.InvalidSetting: "设置未保存：{reason}。",
    errors.InvalidFormula: "计算式未保存。{problems}",
    errors.InvalidWarningRules: "规则未保存，请按提示修改。",
    errors.InvalidTargets: "目标未保存，请按提示修改。",
    errors.InvalidRule: "规则未保存：{fault}{names}。",
    errors.UploadRefused: "文件未能上传：{reason}。",
    errors.WorkbookRefused: "工作簿未能读取：{reason}。",
    errors.CsvRefused: "CSV 文件未能读取：{reason}。",
    errors.TooBroad: "范围过大，未能在限定时间内查完。请缩短时间，或选定数据表、操作人后再查。",
    errors.DatabaseAway: "数据库暂时无法连接。页面会自动恢复，已填写的内容仍在。",
}

CONSTRAINT_MESSAGES: Mapping[object, str] = {
    "submission_draft_own_indicators": (
        "部门只能填写本部门负责的指标，其他内容未保存。请刷新页面后重试。"
    ),
    "indicator_target_issued_has_value": "已下达的目标须填写目标值；未下达的不填。",
    "indicator_target_base_whole": "基期年与基期值须同时填写。",
    "indicator_target_base_before": "基期年应早于目标年，请修改。",
    "filed_indicator_value_both_parts": "比率须同时填写分子和分母。",
    "filed_indicator_value_denominator_positive": "分母须大于 0，请核对。",
    "indicator_warning_one_in_hand": "该指标已有在办的预警事项。",
    "indicator_warning_note_has_body": "请填写内容。",
    "warning_level_days_sensible": "处置时限应为 1 至 250 个工作日，请修改。",
    "assessment_rules_yellow_years": "连续黄升级的年数应为 2 至 5。",
    "assessment_rules_named": "请填写规则名称。",
    "warning_profile_levels_apart": "预警模型的各级区间不能重叠，请修改。",
    "admin_division_code_is_digits": "区划代码应为 6 至 15 位数字，请核对。",
    "admin_division_prefix_begins_code": "代码前缀必须是区划代码的开头部分，请核对。",
    "admin_division_version_named": "请填写行政区划名称。",
    "admin_division_version_ends_after_start": "区划的失效日期应晚于生效日期，请修改。",
    "admin_division_version_one_at_a_time": "同一区划代码的有效期不能重叠，请先了结前一有效期。",
    "division_boundary_is_valid": "界线图形无效（自相交或未闭合），请修正后重新导入。",
    "division_boundary_one_at_a_time": "同一区划的界线有效期不能重叠，请核对起止日期。",
    "division_location_ends_after_start": "位置的失效日期应晚于生效日期，请修改。",
    "division_location_one_at_a_time": "同一区划的位置有效期不能重叠，请核对起止日期。",
    "natural_village_code_is_15_digits": "自然村代码应为 15 位数字：行政村代码加三位顺序码。",
    "natural_village_named": "请填写自然村名称。",
    "natural_village_ends_after_start": "自然村的终止日期应晚于生效日期，请修改。",
    "natural_village_end_has_reason": "终止自然村须写明原因。",
    "natural_village_code_used_once": "自然村代码不能改动；已终止的自然村，其代码不再使用。",
    "natural_village_changes_in_order": "该自然村已有更晚生效的变更，请核对生效日期。",
    "natural_village_successor_is_another": "自然村不能承继自身，请核对代码。",
    "position_correction_inside_county": (
        "位置未更正：新位置不在所属县（市、区）范围内，请核对坐标或重新点选。"
    ),
    "position_correction_of_village": "没有这个行政村或自然村，或已终止。",
    "position_correction_reason_is_short": "更正理由最多 200 字，请精简。",
    "position_correction_reason_says_something": "请填写更正理由。",
    "position_correction_restored_once": "这次更正已被他人恢复，请刷新页面。",
    "admin_division_successor_is_another": "区划不能承继自身，请核对代码。",
    "account_username_form": (
        "用户名应以小写字母开头，由 3 至 40 个小写字母、数字、点、横线或下划线组成。"
    ),
    "account_username_once": "该用户名已被使用，请换一个。",
    "account_display_name_given": "请填写姓名。",
    "account_grant_role_known": "没有这种角色，请从列表中选择。",
    "account_grant_ends_not_before_start": "授权的失效日期不能早于生效日期，请修改。",
    "account_grant_once": "该账号在此期间已有相同的授权，无需重复授予。",
    "account_grant_separation": "信息中心、安全审计员的账号不得兼任其他角色，请另建账号。",
    "account_grant_division_code_prefix_fkey": "没有这个行政区划，请从列表中选择。",
    "upload_received_within_size": "收到的内容超过声明的大小，请重新上传。",
    "upload_named": "文件名不能为空，也不能含有斜杠，请改名后重试。",
    "upload_not_empty": "文件没有内容，请重新选择。",
    "stored_file_not_empty": "文件没有内容，请重新选择。",
    "procrastinate_jobs_queueing_lock_idx_v1": "同样的任务已在排队，请等它完成后再试。",
    "reporting_period_once": "该表单从这一天开始的填报期已经存在。",
    "reporting_period_ends_after_start": "填报期的截止日期应晚于开始日期，请修改。",
    "reporting_period_closes_after_opening": "填报期的关闭时间应晚于开启时间，请修改。",
    "reporting_period_no_overlap": "该时段与已有填报期重叠，请调整起止日期。",
    "period_extension_has_reason": "请填写延期理由。",
    "submission_one_per_unit_and_period": "本单位本期已有一份填报，请打开原有的填报继续办理。",
    "review_event_return_has_comment": "退回时必须填写审核意见。",
    "bulk_decision_return_has_comment": "批量退回必须填写统一的退回理由。",
    "bulk_decision_action_known": "批量办理只有“通过”与“退回”，请重新选择。",
    "bulk_decision_item_sample_seen": "抽样尚未看完，不能批量通过。请逐份打开抽中的村，再办理。",
    "review_sample_redraw_has_reason": "重新抽样须写明理由。",
    "reporting_period_sample_in_range": "抽样比例应为 1 至 100，至少个数应为 1 至 100，请修改。",
    "reporting_period_sample_whole": "抽样比例与至少个数须一并填写。",
    "saved_filter_named": "请给常用筛选起一个不超过 30 字的名称。",
    "saved_filter_query_short": "筛选条件过长，请减少条件后再保存。",
    "review_remark_has_reason": "逐项退回时必须写明该项的理由。",
    "plan_named": "请填写规划名称。",
    "plan_once_by_name": "本单位已有同类同名的规划，请核对名称。",
    "plan_one_headline_per_unit": "每个单位只有一项总体规划，请勿重复登记。",
    "stage_weight_between_0_and_100": "阶段权重应在 0 与 100 之间，请修改。",
    "stage_weight_sums_to_100": "同一规划类型的阶段权重合计应为 100，请调整后保存。",
    "filed_milestone_completed_has_date": "“已完成”须填写完成日期，其他状态不填完成日期。",
    "filed_milestone_dates_in_order": "完成日期早于开始日期，请核对。",
    "filed_milestone_skipped_has_reason": "“跳过”须写明理由。",
    "filed_milestone_replanned_has_reason": "调整计划日期须写明理由。",
    "accepted_milestone_completed_has_date": "“已完成”须有完成日期。",
    "accepted_milestone_baseline_stays": "已认定的基准计划日期不能改动，请填写调整后的日期与理由。",
    "accepted_disposition_merged_has_reason": "并入市级须写明理由。",
    "reminder_topic_known": "没有这种催办事由，请从列表中选择。",
    "reminder_has_message": "请填写催办内容。",
    "reminder_once_a_day": "该单位今日已就同一事由催办过，无需重复发送。",
    "reminder_acknowledged_with_reply": "请填写回复内容后再签收。",
    "supervision_item_deadline_after_opening": "办结期限不能早于立项当日，请修改。",
    "reporting_period_deadline_after_start": "报送截止时间不能早于填报期开始，请修改。",
    "period_extension_moves_later": "延期后的截止日期应晚于原截止日期，请修改。",
    "supervision_item_named": "请填写督办事项的名称、要求与责任人。",
    "supervision_note_has_body": "请填写内容。",
}


_POWERS = re.compile(r"m([23])(?![0-9A-Za-z])")


def label(member: StrEnum) -> str:
    """Return the word a user reads for a member of a vocabulary."""
    return LABELS[type(member)][member]


def error_message(error: errors.PortalError) -> str:
    """Return the sentence a user reads."""
    sentence = ERROR_MESSAGES.get(type(error), "操作未能完成，请刷新页面后重试。")
    sentence = CONSTRAINT_MESSAGES.get(error.details.get("constraint"), sentence)
    words = {name: _words(value) for name, value in error.details.items()}
    return sentence.format_map(_Lenient(words))


class _Lenient(dict[str, str]):
    """A sentence must come out even where an error forgot a detail."""

    def __missing__(self, name: str) -> str:
        return ""


def _words(value: object) -> str:
    if isinstance(value, StrEnum) and type(value) in LABELS:
        return label(value)
    if isinstance(value, datetime):
        return moment(value)
    if isinstance(value, date):
        return f"{value.year}年{value.month}月{value.day}日"
    return str(value)


def unit_text(unit: str) -> str:
    """Return a unit, or a text with units, as it is printed: square and cubic metres raised.

    >>> unit_text("万人/km2"), unit_text("m3/万元"), unit_text("万亩")
    ('万人/km²', 'm³/万元', '万亩')
    """
    return _POWERS.sub(lambda found: f"m{'²' if found[1] == '2' else '³'}", unit)


def moment(at: datetime) -> str:
    """Return a time as a person reads it, in Beijing: 11月22日 10:32."""
    local = at.astimezone(BEIJING)
    return f"{local.month}月{local.day}日 {local:%H:%M}"
