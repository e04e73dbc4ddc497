"""The words of files and what is read from them: uploads, workbooks, CSV data."""

from collections.abc import Mapping
from enum import StrEnum

from domain.csv_data import CsvReason, CsvRefusal, CsvState
from domain.files import FileFault, MediaType
from domain.workbook import FaultKind, Refusal
from domain.workbook_diff import BatchRefusal, BatchState, Because, Decision, EntryKind

LABELS: Mapping[type[StrEnum], Mapping[str, str]] = {
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
    MediaType: {
        MediaType.PDF: "PDF 文档",
        MediaType.JPEG: "JPEG 图片",
        MediaType.PNG: "PNG 图片",
        MediaType.ZIP: "ZIP 压缩包",
        MediaType.CSV: "CSV 数据",
        MediaType.DOCX: "Word 文档",
        MediaType.XLSX: "Excel 工作簿",
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
        CsvRefusal.EMPTY: "没有数据行，或压缩包中没有 CSV 文件，请核对是否选错了文件",
        CsvRefusal.NOT_TEXT: (
            "不是 UTF-8、GBK 或 UTF-16 编码的文本，请在 Excel、WPS 中另存为“CSV UTF-8”后重试"
        ),
        CsvRefusal.NO_CODES: (
            "没有“行政村代码”或“自然村代码”列，无法判断各行是哪个村。请保留下载时的标题，列与列之间用逗号、"
            "制表符或分号分开；标题成了乱码的，请另存为“CSV UTF-8”后重试"
        ),
        CsvRefusal.NO_FIELDS: "没有一列是可填的内容，请保留下载时的标题",
        CsvRefusal.TWICE: "出现了两次，请只保留一个",
        CsvRefusal.TOO_MANY_ROWS: "超过一百万行，请拆分后重试",
        CsvRefusal.TOO_LARGE: (
            "内容过大或过于杂乱，在允许的内存和时间内读不完，或压缩包中文件过多。请核对文件，或拆分后重试"
        ),
        CsvRefusal.DAMAGED: (
            "文件已损坏或格式有误（如引号不成对、一格超过一百万字），无法读取，请重新导出后重试"
        ),
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
}
