"""The user's own workbook given back with what is wrong: coloured, commented, listed.

The colour is a conditional format in front of all others, so the cells keep their own looks and a
second marking takes the first away.
"""

import zipfile
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from openpyxl import Workbook, load_workbook
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.comments import Comment
from openpyxl.formatting.formatting import ConditionalFormattingList
from openpyxl.formatting.rule import FormulaRule, Rule
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import column_index_from_string, get_column_letter
from openpyxl.worksheet.hyperlink import Hyperlink
from openpyxl.worksheet.worksheet import Worksheet

from data_access.workbook_archive import Limits
from data_access.workbook_cells import read_cells
from data_access.workbook_layout import ERROR_SHEET, ColumnKind
from domain.errors import WorkbookRefused
from domain.forms import Severity
from domain.workbook import Mark, Refusal

_AUTHOR = "填报校验"
_COLOURS = {
    Severity.ERROR: "F8B4B4",
    Severity.WARNING: "FFD8A8",
    Severity.HINT: "FFF3BF",
    Severity.UNCHECKED: "D9D9D9",
}
_WORDS = {
    Severity.ERROR: "错误",
    Severity.WARNING: "警告",
    Severity.HINT: "提示",
    Severity.UNCHECKED: "未校验",
}
_RULE = '"portal-mark-{severity}"<>""'
_HEADERS = ("序号", "级别", "单元格", "单位", "字段", "填写的内容", "问题", "怎么办")
_WIDTHS = (6, 8, 22, 26, 22, 26, 60, 50)
_CODES_WITHIN = 40
_LONGEST_LIST = 5_000
_LONGEST_COMMENT = 2_000
_ADVICE = "请改正后保存，再次上传。"


def mark_workbook(
    source: Path, target: Path, marks: Sequence[Mark], limits: Limits | None = None
) -> None:
    """Write the workbook with its bad cells marked; raise WorkbookRefused for an unsafe one."""
    read_cells(source, limits)
    try:
        # A stored file has no extension; openpyxl looks for one in a path alone.
        with source.open("rb") as file:
            book = load_workbook(file, rich_text=True)
    except (ValueError, KeyError, TypeError, AttributeError, OSError, zipfile.BadZipFile) as error:
        raise WorkbookRefused(reason=Refusal.DAMAGED) from error
    if ERROR_SHEET in book.sheetnames:
        del book[ERROR_SHEET]
    by_sheet = defaultdict(list)
    for mark in marks:
        by_sheet[mark.sheet].append(mark)
    sheets = {sheet.title: _Marker(sheet) for sheet in book.worksheets}
    for name, marker in sheets.items():
        marker.mark(by_sheet[name])
    _write_list(book, marks, sheets)
    book.save(target)


class _Marker:
    """Marks the cells of one sheet."""

    def __init__(self, sheet: Worksheet) -> None:
        self._sheet = sheet
        self._codes = _codes_of(sheet)

    def place(self, mark: Mark) -> tuple[int, int]:
        """Return row and column from 1; a field that is not there stands at the row's start."""
        return max(mark.row_no, 1), self._column(mark.field)

    def name_of(self, mark: Mark) -> str:
        """Return the header above a mark."""
        column = self._column(mark.field)
        texts = [
            self._sheet.cell(row, column).value
            for row in range(1, _CODES_WITHIN)
            if mark.field and self._is_header(row)
        ]
        return str(texts[0]) if texts and texts[0] else mark.field

    def row_name(self, mark: Mark) -> str:
        """Return unit and labels at the start of a marked row."""
        columns = [i for code, i in self._codes.items() if code.startswith(("@name", "@label"))]
        texts = [self._sheet.cell(max(mark.row_no, 1), i).value for i in sorted(columns)]
        return " · ".join(str(text) for text in texts if text)

    def content(self, mark: Mark) -> str:
        """Return what stands in a marked cell."""
        value = self._sheet.cell(*self.place(mark)).value if mark.field else None
        return "" if value is None else str(value)[:200]

    def mark(self, marks: Sequence[Mark]) -> None:
        others = self._forget_earlier()
        messages: dict[tuple[int, int], list[Mark]] = defaultdict(list)
        for mark in marks:
            messages[self.place(mark)].append(mark)
        for place, found in messages.items():
            self._comment(place, found)
            self._sheet.row_dimensions[place[0]].hidden = False
        for severity in Severity:
            places = [p for p, found in messages.items() if _worst(found) is severity]
            if places:
                self._colour(severity, places)
        # LibreOffice lets the first win where formats overlap, Excel the one with priority.
        for area, rule in others:
            self._sheet.conditional_formatting.add(area, rule)

    def _column(self, field: str) -> int:
        if not self._codes and field.isalpha() and field.isascii() and len(field) <= 3:
            return int(column_index_from_string(field.upper()))
        return self._codes.get(field, self._codes.get(ColumnKind.UNIT_CODE, 1))

    def _is_header(self, row: int) -> bool:
        column = self._codes.get(ColumnKind.ROW_ID)
        return bool(column and self._sheet.cell(row, column).value == "#header")

    def _forget_earlier(self) -> list[tuple[str, Rule]]:
        """Take away all conditional formats and what an earlier marking added; return the others,
        one step further back.
        """
        for row in self._sheet.iter_rows():
            for cell in row:
                if cell.comment and cell.comment.author == _AUTHOR:
                    cell.comment = None
        others = []
        ours = {_RULE.format(severity=severity) for severity in Severity}
        for area in self._sheet.conditional_formatting:
            for rule in area.rules:
                if not ours & set(rule.formula):
                    rule.priority += len(Severity)
                    others.append((str(area.sqref), rule))
        self._sheet.conditional_formatting = ConditionalFormattingList()
        return others

    def _comment(self, place: tuple[int, int], marks: Iterable[Mark]) -> None:
        cell = self._sheet.cell(*place)
        text = "\n".join(dict.fromkeys(f"{_WORDS[m.severity]}：{m.message}" for m in marks))
        own = f"{cell.comment.text}\n——\n" if cell.comment else ""
        cell.comment = Comment(
            _printable(own + text)[:_LONGEST_COMMENT], _AUTHOR, height=120, width=320
        )

    def _colour(self, severity: Severity, places: Iterable[tuple[int, int]]) -> None:
        fill = PatternFill(bgColor=_COLOURS[severity], fill_type="solid")
        rule = FormulaRule([_RULE.format(severity=severity)], stopIfTrue=True, fill=fill)
        rule.priority = 1 + list(Severity).index(severity)
        area = " ".join(f"{get_column_letter(column)}{row}" for row, column in places)
        self._sheet.conditional_formatting.add(area, rule)


def _worst(marks: Iterable[Mark]) -> Severity:
    found = {mark.severity for mark in marks}
    return next(severity for severity in Severity if severity in found)


def _codes_of(sheet: Worksheet) -> dict[str, int]:
    """Return the field code, or the whole code of another column, to its column from 1."""
    for row in sheet.iter_rows(min_row=1, max_row=_CODES_WITHIN):
        values = [str(cell.value) for cell in row if cell.value is not None]
        if ColumnKind.ROW_ID in values:
            codes = {str(cell.value): cell.column for cell in row if cell.value is not None}
            return {
                code if code.startswith("@") else code.rpartition(".")[2]: column
                for code, column in codes.items()
            }
    return {}


def _write_list(book: Workbook, marks: Sequence[Mark], sheets: Mapping[str, _Marker]) -> None:
    sheet = book.create_sheet(ERROR_SHEET, 0)
    book.active = 0
    for other in book.worksheets:
        other.sheet_view.tabSelected = other.title == ERROR_SHEET
    left_out = len(marks) - _LONGEST_LIST
    more = f"，只列出前 {_LONGEST_LIST} 处" if left_out > 0 else ""
    _put(sheet, 1, 1, f"共 {len(marks)} 处需要核对{more}。{_ADVICE}").font = Font(bold=True)
    for column, (header, width) in enumerate(zip(_HEADERS, _WIDTHS, strict=True), 1):
        cell = _put(sheet, 2, column, header)
        cell.font, cell.fill = Font(bold=True), PatternFill("solid", fgColor="EAF1F8")
        sheet.column_dimensions[get_column_letter(column)].width = width
    for number, mark in enumerate(marks[:_LONGEST_LIST], 1):
        _write_mark(sheet, number, mark, sheets.get(mark.sheet))
    sheet.freeze_panes = "A3"
    sheet.auto_filter.ref = f"A2:{get_column_letter(len(_HEADERS))}{max(3, sheet.max_row)}"


def _write_mark(sheet: Worksheet, number: int, mark: Mark, marker: _Marker | None) -> None:
    row = number + 2
    place = ""
    if marker:
        line, column = marker.place(mark)
        place = f"{get_column_letter(column)}{line}"
    texts = (
        str(number),
        _WORDS[mark.severity],
        f"{mark.sheet}!{place}" if place else mark.sheet,
        marker.row_name(mark) if marker else "",
        marker.name_of(mark) if marker else mark.field,
        marker.content(mark) if marker else "",
        mark.message,
        mark.advice or _ADVICE,
    )
    for column, text in enumerate(texts, 1):
        _put(sheet, row, column, text).alignment = Alignment(wrap_text=True, vertical="top")
    if place:
        quoted = mark.sheet.replace("'", "''")
        link = sheet.cell(row, 3)
        link.hyperlink = Hyperlink(ref=link.coordinate, location=f"'{quoted}'!{place}")
        link.font = Font(color="0563C1", underline="single")


def _put(sheet: Worksheet, row: int, column: int, text: str) -> Any:
    """Write a text that stays one, whatever it begins with."""
    cell = sheet.cell(row, column)
    cell.value = _printable(text)
    cell.data_type = "s"
    cell.number_format = "@"
    return cell


def _printable(text: str) -> str:
    return str(ILLEGAL_CHARACTERS_RE.sub("\ufffd", text))
