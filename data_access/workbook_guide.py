"""The sheet 填表说明: what is asked, by when, and what each field takes, in words."""

import re
from collections.abc import Iterator, Sequence

import xlsxwriter
from xlsxwriter.worksheet import Worksheet

from data_access.workbook_formulas import words
from data_access.workbook_layout import GUIDE_SHEET, sheet_names, shown_codes
from domain.forms import Field, Form, Rule
from domain.workbook import WorkbookUnit

_TYPES = {
    "text": "文字",
    "long_text": "文字（可分行）",
    "integer": "整数",
    "decimal": "数字",
    "date": "日期，如 2026-03-01",
    "code": "从下拉列表中选择",
    "boolean": "是或否",
    "phone": "电话号码",
    "evidence": "文件，请在网页上传",
}
_HEADERS = ("工作表", "分组", "字段", "单位", "类型", "何时必填", "何时填写", "可选内容", "说明")
_WIDTHS = (14, 14, 24, 8, 26, 32, 32, 40, 50)
_VALUE = re.compile(r"([（“])?\s*\{\w+\}\s*(?(1)[）”])")
_LINE_HEIGHT = 17  # points
_NAMED_UNITS = 12
_SHOWN_CODES = 40
_HOW = (
    "1. 只在白底和黄底的单元格内填写；灰底为此时无须填写，或由系统给出。",
    "2. 可以排序、筛选、调整列宽、隐藏列；请勿改动单位代码，不要合并单元格，不要增加行。",
    "3. 删除的行或列视为不改动；清空单元格视为清空该项内容。",
    "4. 填好后存为 .xlsx，在网页上传；上传后先显示与现有内容的差别，确认后才写入草稿。",
    "5. 有误的单元格会标红退回，说明写在批注和“错误清单”中，改好后再次上传即可。",
    "6. 佐证材料请在网页上传。",
)


def write_guide(
    book: xlsxwriter.Workbook, form: Form, units: Sequence[WorkbookUnit], title: str
) -> Worksheet:
    """Write the sheet that explains; it is not read back."""
    sheet = book.add_worksheet(GUIDE_SHEET)
    bold = book.add_format({"bold": True, "font_size": 14})
    head = book.add_format({"bold": True, "bg_color": "#EAF1F8", "border": 1})
    body = book.add_format({"text_wrap": True, "valign": "top", "border": 1, "num_format": "@"})
    sheet.write_string(0, 0, f"填表说明：{title}", bold)
    lines = [f"填报单位：{_unit_names(units)}", *_HOW]
    for number, line in enumerate(lines, 1):
        sheet.write_string(number, 0, line)
    first = len(lines) + 2
    for index, (header, width) in enumerate(zip(_HEADERS, _WIDTHS, strict=True)):
        sheet.set_column(index, index, width)
        sheet.write_string(first, index, header, head)
    for number, cells in enumerate(_field_lines(form), first + 1):
        sheet.set_row(number, _LINE_HEIGHT * max(map(_line_count, cells, _WIDTHS)))
        for index, text in enumerate(cells):
            sheet.write_string(number, index, text, body)
    sheet.freeze_panes(first + 1, 0)
    sheet.set_landscape()
    sheet.set_paper(8)
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(first)
    return sheet


def _line_count(text: str, width: int) -> int:
    """Return how many lines a text takes in a column; a Chinese letter is two wide."""
    return sum(1 + 2 * len(line) // width for line in text.split("\n"))


def _unit_names(units: Sequence[WorkbookUnit]) -> str:
    names = "、".join(f"{u.unit_name}（{u.division_code}）" for u in units[:_NAMED_UNITS])
    return names if len(units) <= _NAMED_UNITS else f"{names}等 {len(units)} 个单位"


def _field_lines(form: Form) -> Iterator[tuple[str, ...]]:
    names = sheet_names(form)
    for item in form.fields:
        yield (
            names[item.group],
            item.section,
            item.label,
            item.unit or "",
            _type_words(item),
            _required(form, item),
            _condition(form, item, item.visible_when, "始终", "始终"),
            _code_words(form, item),
            "\n".join(filter(None, (item.help, *map(_without_values, item.rules)))),
        )


def _without_values(rule: Rule) -> str:
    """Return the sentence of a rule with its thresholds, without the values it would quote."""
    limits = {name: str(value) for name, value in rule.limits.items()}

    def shown(found: re.Match[str]) -> str:
        return limits.get(found[0].strip(" {}（“）”"), "" if found[1] else " … ")

    return _VALUE.sub(shown, rule.message)


def _type_words(item: Field) -> str:
    text = _TYPES.get(item.data_type, item.data_type)
    if not item.length:
        return text
    digits, _, decimals = item.length.partition(",")
    if item.data_type in ("text", "long_text"):
        return f"{text}，最多 {digits} 字"
    if item.data_type in ("integer", "decimal"):
        return f"{text}，最多 {digits} 位" + (f"，其中小数 {decimals} 位" if decimals else "")
    return text


def _required(form: Form, item: Field) -> str:
    if item.read_only:
        return "由系统给出，不用填写"
    return _condition(form, item, item.required_when, "选填", "必填")


def _condition(form: Form, item: Field, condition: str | None, without: str, always: str) -> str:
    if not condition:
        return without
    text = words(form, item.group, condition)
    if text == "始终":
        return always
    return f"{text}时" if text else "视情况，上传后由系统提示"


def _code_words(form: Form, item: Field) -> str:
    names = list(shown_codes(form.options(item)).values())
    more = "……" if len(names) > _SHOWN_CODES else ""
    return "、".join(names[:_SHOWN_CODES]) + more
