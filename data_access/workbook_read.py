"""A workbook that came back, understood: which unit, row and field each cell belongs to.

Columns and rows are found by their hidden codes. Every cell of the form ends as a value, as a
fault with its place, or in a note that says what was left out.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from data_access.workbook_archive import Limits
from data_access.workbook_cells import RawWorkbook, read_cells
from data_access.workbook_layout import (
    CODES_SHEET,
    ERROR_SHEET,
    GUIDE_SHEET,
    KEPT,
    LAYOUT_VERSION,
    STAMP_MARK,
    STAMP_SHEET,
    ColumnKind,
    header_of,
    sheet_names,
    split_row_id,
)
from data_access.workbook_sheets import FoundSheet, column_letters, find_sheets
from data_access.workbook_values import CellReader, LostDigits, as_shown, text_of_identity
from domain.errors import WorkbookRefused
from domain.forms import Field, Form
from domain.workbook import Fault, FaultKind, Reading, ReadRow, Refusal, Stamp

_OURS = {CODES_SHEET, STAMP_SHEET, GUIDE_SHEET, ERROR_SHEET}
_NAMED = 5  # things listed in a note before it only counts


def read_workbook(
    path: Path, form: Form | Callable[[Stamp], Form], limits: Limits | None = None
) -> Reading:
    """Return the rows of a workbook of this form; raise WorkbookRefused for any other file.

    A function is asked for the form that the stamp names.
    """
    raw = read_cells(path, limits)
    stamp = _stamp(raw)
    form = form(stamp) if callable(form) else form
    if stamp.form_code != form.form_code:
        raise WorkbookRefused(reason=Refusal.OTHER_FORM, form_code=stamp.form_code)
    if stamp.form_version != form.version:
        raise WorkbookRefused(reason=Refusal.OLD_TEMPLATE, form_version=stamp.form_version)
    return _Understanding(form, raw).reading(stamp)


def _stamp(raw: RawWorkbook) -> Stamp:
    for sheet in raw.sheets:
        lines = {str(row[0]): str(row[1]) for row in sheet.rows[:20] if len(row) > 1}
        if sheet.rows and sheet.rows[0] and sheet.rows[0][0] == STAMP_MARK:
            return _stamp_of(lines)
    raise WorkbookRefused(reason=Refusal.NO_STAMP)


def _stamp_of(lines: Mapping[str, str]) -> Stamp:
    if lines.get(STAMP_MARK) != str(LAYOUT_VERSION):
        raise WorkbookRefused(reason=Refusal.OLD_TEMPLATE)
    try:
        return Stamp(
            export_id=lines["export_id"],
            form_code=lines["form_code"],
            form_version=int(lines["form_version"]),
            period_id=int(lines["period_id"]),
            period_name=lines["period_name"],
            taken_at=datetime.fromisoformat(lines["taken_at"]),
            is_demo=lines["is_demo"] == "1",
        )
    except (KeyError, ValueError):
        raise WorkbookRefused(reason=Refusal.NO_STAMP) from None


@dataclass
class _Understanding:
    form: Form
    raw: RawWorkbook
    rows: list[ReadRow] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    columns: dict[tuple[str, str], str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._names = sheet_names(self.form)
        self._reader = CellReader(self.form, uses_1904=self.raw.uses_1904)

    def reading(self, stamp: Stamp) -> Reading:
        """Understand every sheet of the form."""
        taken: dict[str, str] = {}
        found = list(find_sheets(self.form, self.raw))
        for sheet in found:
            if sheet.group in taken:
                first = {"first": taken[sheet.group]}
                self._fault(sheet, 0, "", "", FaultKind.DUPLICATE_SHEET, first)
                continue
            if sheet.group in self.form.groups:
                taken[sheet.group] = sheet.raw.name
                _SheetReader(self, sheet).read()
        if not taken:
            raise WorkbookRefused(reason=Refusal.NO_SHEETS)
        self._note_sheets({sheet.raw.name for sheet in found}, taken)
        return Reading(stamp, tuple(self.rows), tuple(self.faults), tuple(self.notes), self.columns)

    def _note_sheets(self, found: set[str], taken: Mapping[str, str]) -> None:
        for group, name in self._names.items():
            if group not in taken:
                self.notes.append(f"没有找到工作表“{name}”，该表的内容不改动。")
        for sheet in self.raw.sheets:
            has_content = any(cell != "" for row in sheet.rows for cell in row)
            if has_content and sheet.name not in found | _OURS:
                self.notes.append(f"工作表“{sheet.name}”不属于本表单，未读取。")

    def value(self, item: Field, cell: object) -> object:
        """Return the value of a cell; raise LostDigits."""
        return self._reader.value(item, cell)

    def _fault(
        self,
        sheet: FoundSheet,
        row_no: int,
        column: str,
        code: str,
        kind: FaultKind,
        details: Mapping[str, str],
    ) -> None:
        self.faults.append(
            Fault(sheet.raw.name, row_no, column, code, kind, details, group=sheet.group)
        )


@dataclass
class _Line:
    """One row of a sheet that says which row of which unit it is."""

    number: int
    division_code: str
    key: str


class _SheetReader:
    def __init__(self, whole: _Understanding, sheet: FoundSheet) -> None:
        self._whole, self._sheet, self._raw = whole, sheet, sheet.raw
        self._merged = self._merged_cells()
        self._formulas: list[str] = []
        self._kept: list[str] = []
        self._percents: list[str] = []
        self._foreign: list[str] = []

    def read(self) -> None:
        self._read_columns()
        lines: list[_Line] = []
        for number in range(self._sheet.header_row + 1, len(self._raw.rows)):
            line = self._line(number)
            if line:
                lines.append(line)
        by_row: dict[tuple[str, str], list[_Line]] = defaultdict(list)
        for line in lines:
            by_row[line.division_code, line.key].append(line)
        for line in lines:
            same = by_row[line.division_code, line.key]
            if len(same) > 1:
                other = same[0] if same[0] is not line else same[1]
                first = {"first": str(other.number + 1)}
                self._fault(line.number, FaultKind.DUPLICATE_ROW, first, line=line)
            else:
                self._whole.rows.append(self._row(line))
        self._note_rows()

    # COLUMNS

    def _read_columns(self) -> None:
        sheet, form = self._sheet, self._whole.form
        for index, item in {**sheet.fields, **sheet.twice}.items():
            self._whole.columns.setdefault((self._raw.name, item.code), column_letters(index))
        for index, item in sheet.twice.items():
            details = {"label": item.label}
            self._fault(sheet.header_row, FaultKind.DUPLICATE_COLUMN, details, index, item)
        self._note_renamed()
        present = {item.code for item in (*sheet.fields.values(), *sheet.twice.values())}
        missing = [
            item.label
            for item in form.fields_of(sheet.group)
            if item.code not in present and item.data_type != "evidence"
        ]
        if missing:
            self._note(f"没有{_listed(missing)}列，这些内容不改动。")
        foreign = [
            f"{column_letters(index)}（{sheet.cell(sheet.header_row, index) or '无标题'}）"
            for index in sheet.unknown
            if any(
                sheet.cell(number, index) != ""
                for number in range(sheet.header_row + 1, len(self._raw.rows))
            )
        ]
        if foreign:
            self._note(f"{_listed(foreign)}列不属于本表单，未读取。")

    def _note_renamed(self) -> None:
        sheet = self._sheet
        renamed = [
            f"{header_of(item)}（现为“{shown}”）"
            for index, item in sheet.fields.items()
            if (shown := str(sheet.cell(sheet.header_row, index)).strip()) != header_of(item)
            and item.data_type != "evidence"
        ]
        if renamed:
            self._note(f"{_listed(renamed)}列的标题已改名，仍按原来的字段读取。")

    # ROWS

    def _line(self, number: int) -> _Line | None:
        """Return which row this is; None, and a fault where somebody filled in something."""
        sheet = self._sheet
        identity = sheet.cell(number, sheet.kinds[ColumnKind.ROW_ID])
        found = split_row_id(str(identity).strip())
        if found is None:
            if any(sheet.cell(number, i) != "" for i in (*sheet.fields, *sheet.twice)):
                self._fault(number, FaultKind.NEW_ROW, {})
            elif any(cell != "" for cell in self._raw.rows[number]):
                self._foreign.append(f"第 {number + 1} 行")
            return None
        line = _Line(number, *found)
        column = sheet.kinds.get(ColumnKind.UNIT_CODE)
        written = self._unit_code(sheet.cell(number, column)) if column is not None else ""
        if written and written != line.division_code:
            details = {"found": written, "expected": line.division_code}
            self._fault(number, FaultKind.CODE_DIFFERS, details, column, line=line)
            return None
        return line

    def _unit_code(self, cell: object) -> str:
        try:
            return text_of_identity(cell)
        except LostDigits as error:
            return str(error)

    def _row(self, line: _Line) -> ReadRow:
        values = {}
        for index, item in self._sheet.fields.items():
            if item.data_type == "evidence":
                continue
            place = (line.number, index)
            fault = self._cell_fault(place)
            if fault:
                self._fault(line.number, *fault, index, item, line)
                continue
            cell = self._sheet.cell(*place)
            if cell == KEPT:
                self._kept.append(self._name_of(place))
                continue
            if item.unit == "%" and place in self._raw.percents and isinstance(cell, float):
                self._percents.append(self._name_of(place))
                cell = as_shown(cell)
            if place in self._raw.formulas:
                self._formulas.append(self._name_of(place))
            try:
                values[item.code] = self._whole.value(item, cell)
            except LostDigits as error:
                details = {"found": str(error)}
                self._fault(line.number, FaultKind.SCIENTIFIC, details, index, item, line)
        return ReadRow(
            self._raw.name, line.number + 1, line.division_code, self._sheet.group, line.key, values
        )

    def _cell_fault(self, place: tuple[int, int]) -> tuple[FaultKind, dict[str, str]] | None:
        if place in self._merged:
            return FaultKind.MERGED, {"cells": self._merged[place]}
        if place in self._raw.errors:
            return FaultKind.EXCEL_ERROR, {"found": self._raw.errors[place]}
        if place in self._raw.without_value:
            return FaultKind.FORMULA_WITHOUT_VALUE, {}
        return None

    def _merged_cells(self) -> dict[tuple[int, int], str]:
        """Return the cells of this sheet that are merged with others, among rows of data."""
        places: dict[tuple[int, int], str] = {}
        end = len(self._raw.rows) - 1
        for top, left, bottom, right in self._raw.merged:
            name = f"{column_letters(left)}{top + 1}:{column_letters(right)}{bottom + 1}"
            columns = [i for i in self._sheet.fields if left <= i <= right]
            for row in range(max(top, self._sheet.header_row + 1), min(bottom, end) + 1):
                places |= {(row, column): name for column in columns}
        return places

    def _note_rows(self) -> None:
        start = self._sheet.header_row
        hidden = sum(number > start for number in self._raw.hidden_rows)
        hidden_data = min(hidden, len(self._raw.rows) - start - 1)
        if hidden_data > 0:
            self._note(f"有 {hidden_data} 行被隐藏或筛选掉，同样已读取。")
        if self._foreign:
            self._note(f"{_listed(self._foreign)}不是表中的行，未读取。")
        if self._formulas:
            self._note(f"{_listed(self._formulas)}是公式，按其计算结果读取。")
        if self._percents:
            self._note(
                f"{_listed(self._percents)}是百分比格式，按显示的百分数读取（45% 读作 45）。"
            )
        if self._kept:
            self._note(f"{_listed(self._kept)}内容过长，未随工作簿导出，不改动。")

    # WORDS

    def _name_of(self, place: tuple[int, int]) -> str:
        return f"{column_letters(place[1])}{place[0] + 1}"

    def _note(self, text: str) -> None:
        self._whole.notes.append(f"工作表“{self._raw.name}”：{text}")

    def _fault(
        self,
        number: int,
        kind: FaultKind,
        details: Mapping[str, str],
        index: int | None = None,
        item: Field | None = None,
        line: _Line | None = None,
    ) -> None:
        self._whole.faults.append(
            Fault(
                sheet=self._raw.name,
                row_no=number + 1,
                column="" if index is None else column_letters(index),
                field=item.code if item else "",
                kind=kind,
                details=details,
                division_code=line.division_code if line else "",
                group=self._sheet.group,
                key=line.key if line else "",
            )
        )


def _listed(names: list[str]) -> str:
    text = "、".join(names[:_NAMED])
    return text if len(names) <= _NAMED else f"{text}等 {len(names)} 处"
