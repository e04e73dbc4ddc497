"""A form and what its units have filled in, written as a workbook.

What is locked says what not to touch and is no lock against anybody: what comes back is judged by
its codes. Hints warn and never stop, because a cell that refuses loses what was pasted.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import xlsxwriter
from xlsxwriter.utility import xl_col_to_name
from xlsxwriter.worksheet import Worksheet

from data_access.workbook_formulas import find_field_of_name
from data_access.workbook_guide import write_guide
from data_access.workbook_hints import CodeLists, add_hints
from data_access.workbook_layout import (
    CODE_ROW,
    FIRST_ROW,
    HEADER_ROW,
    KEPT,
    LAYOUT_VERSION,
    LEGEND_ROW,
    LONGEST_TEXT,
    SECTION_MARK,
    SECTION_ROW,
    STAMP_MARK,
    STAMP_SHEET,
    TITLE_ROW,
    Column,
    ColumnKind,
    SheetLayout,
    cell_value,
    label_chain,
    layouts,
    row_id,
    rows_in,
)
from data_access.workbook_looks import Formats, set_print, set_widths
from data_access.workbook_worksheet import Cell, QuickWorksheet
from domain.clock import BEIJING
from domain.forms import Field, File, Form, Row, rows_of, with_all_rows
from domain.workbook import Stamp, WorkbookUnit

_LEGEND = (
    "带 * 的列必填；带 △ 的列在一定条件下必填（黄底为此时须填）；灰底为此时无须填写。"
    "请勿改动代码列和隐藏的列。"
)
_PROTECTION = {
    "autofilter": True,
    "sort": True,
    "format_cells": True,
    "format_columns": True,
    "format_rows": True,
    "select_locked_cells": True,
    "select_unlocked_cells": True,
}


def write_workbook(form: Form, units: Sequence[WorkbookUnit], stamp: Stamp, target: Path) -> None:
    """Write what the units have filled in as a workbook to fill in and bring back."""
    book = xlsxwriter.Workbook(str(target), {"strings_to_urls": False})
    book.set_properties({"title": title_line(form, stamp)})
    writer = _Writer(form, units, stamp, book)
    writer.write()
    book.close()


def title_line(form: Form, stamp: Stamp) -> str:
    """Return what a reader learns at the top: form, version, period, when it was taken."""
    taken = f"{stamp.taken_at.astimezone(BEIJING):%Y-%m-%d %H:%M}"
    parts = [f"{form.title}（{stamp.period_name}）", f"表单第 {form.version} 版", f"取自 {taken}"]
    if stamp.deadline_at:
        parts.append(f"报送截止 {stamp.deadline_at.astimezone(BEIJING):%Y-%m-%d %H:%M}")
    return " · ".join([*parts, *(["演示数据"] if stamp.is_demo else [])])


@dataclass(frozen=True, slots=True)
class _Line:
    """One row of one sheet, with what its cells are made from."""

    unit: WorkbookUnit
    row: Row
    values: Mapping[str, object]
    accepted: Mapping[str, object]


class _Writer:
    def __init__(
        self,
        form: Form,
        units: Sequence[WorkbookUnit],
        stamp: Stamp,
        book: xlsxwriter.Workbook,
    ) -> None:
        self._form, self._units, self._stamp, self._book = form, units, stamp, book
        self._formats = Formats(book)
        self._layouts = {layout.group: layout for layout in layouts(form, units)}
        self._codes = CodeLists(form, book)
        self._contents = [(unit, with_all_rows(form, unit.content, unit.context)) for unit in units]
        self._lines = {group: list(self._lines_of(group)) for group in self._layouts}
        self._places = {
            group: {
                row_id(line.unit.division_code, line.row.key): FIRST_ROW + number
                for number, line in enumerate(lines)
            }
            for group, lines in self._lines.items()
        }

    def write(self) -> None:
        guide = write_guide(
            self._book, self._form, self._units, title_line(self._form, self._stamp)
        )
        sheets = {
            group: self._book.add_worksheet(layout.name, QuickWorksheet)
            for group, layout in self._layouts.items()
        }
        self._codes.write()
        _write_stamp(self._book, self._stamp)
        for group, sheet in sheets.items():
            self._write_sheet(sheet, self._layouts[group])
        first = next(iter(sheets.values()), guide)
        first.activate()

    def _lines_of(self, group: str) -> Iterator[_Line]:
        for unit, content in self._contents:
            values, accepted = dict(rows_of(content, group)), dict(rows_of(unit.accepted, group))
            for row in rows_in(unit.context, group):
                yield _Line(unit, row, values[row.key], accepted.get(row.key, {}))

    # ONE SHEET

    def _write_sheet(self, sheet: QuickWorksheet, layout: SheetLayout) -> None:
        lines = self._lines[layout.group]
        self._write_head(sheet, layout)
        # Facts are formulas or what stands beside them; all other columns are made alike.
        makers = [
            (index, self._maker(column))
            for index, column in enumerate(layout.columns)
            if column.kind is not ColumnKind.FACT
        ]
        facts = [i for i, column in enumerate(layout.columns) if column.kind is ColumnKind.FACT]
        for number, line in enumerate(lines, FIRST_ROW):
            sheet.put_row(number, ((index, make(line)) for index, make in makers))
            for index in facts:
                self._write_fact(sheet, layout, number, index, line)
        last = FIRST_ROW + len(lines) - 1
        if lines:
            add_hints(sheet, self._form, layout, last, self._codes, self._formats)
            sheet.autofilter(HEADER_ROW, 0, last, len(layout.columns) - 1)
        sheet.freeze_panes(FIRST_ROW, layout.fixed)
        sheet.protect("", _PROTECTION)
        set_widths(sheet, self._form, layout)
        set_print(sheet, self._form, layout, is_demo=self._stamp.is_demo)

    def _write_head(self, sheet: Worksheet, layout: SheetLayout) -> None:
        formats = self._formats
        sheet.set_row(CODE_ROW, None, None, {"hidden": True})
        sheet.set_row(HEADER_ROW, 46)
        sheet.write_string(TITLE_ROW, 0, title_line(self._form, self._stamp), formats.title)
        sheet.write_string(LEGEND_ROW, 0, _LEGEND, formats.legend)
        section = None
        for index, column in enumerate(layout.columns):
            sheet.write_string(CODE_ROW, index, column.code)
            sheet.write_string(HEADER_ROW, index, column.header, formats.header)
            shown = column.item.section if column.item else ""
            words = SECTION_MARK if column.kind is ColumnKind.ROW_ID else shown
            same = words == section and column.kind is not ColumnKind.ROW_ID
            sheet.write_string(SECTION_ROW, index, "" if same else words, formats.section)
            section = shown

    def _maker(self, column: Column) -> Callable[[_Line], Cell]:
        """Return what makes a cell of a column from a line."""
        item = column.item
        if item is None:
            return lambda line: (self._identity(column, line), self._formats.locked)
        if column.kind is ColumnKind.FILES:
            return lambda line: (
                _file_names(line.values.get(item.code), line.row.files),
                self._formats.locked,
            )
        code, shown = item.code, self._shown_in(item)
        locked = self._formats.cell(item, locked=True)
        if column.kind is ColumnKind.ACCEPTED:
            return lambda line: (shown(line.accepted.get(code)), locked)
        free = self._formats.cell(item, locked=item.read_only)
        return lambda line: (
            shown(line.values.get(code)),
            locked if code in line.row.locked else free,
        )

    def _identity(self, column: Column, line: _Line) -> str:
        unit = line.unit
        match column.kind:
            case ColumnKind.UNIT_CODE:
                return unit.division_code
            case ColumnKind.PARENT_NAME:
                return unit.parent_name
            case ColumnKind.UNIT_NAME:
                return unit.unit_name
            case ColumnKind.ROW_ID:
                return row_id(unit.division_code, line.row.key)
        chain = label_chain(unit.context, line.row)
        place = int(column.name)
        return chain[place] if place < len(chain) else ""

    def _shown(self, item: Field, value: object) -> object:
        shown = cell_value(self._form, item, value, self._codes.shown(item.code_table))
        if shown is None or isinstance(shown, str | int | float | date):
            return KEPT if isinstance(shown, str) and len(shown) > LONGEST_TEXT else shown
        return str(shown)

    def _shown_in(self, item: Field) -> Callable[[object], object]:
        """Return what shows a field's values; thousands of rows say the same few things."""
        known: dict[tuple[type, object], object] = {}

        def shown(value: object) -> object:
            if value is None:
                return None
            if not isinstance(value, str | int):
                return self._shown(item, value)
            key = (value.__class__, value)
            if key not in known:
                known[key] = self._shown(item, value)
            return known[key]

        return shown

    # WHAT HINTS LOOK AT

    def _write_fact(
        self, sheet: QuickWorksheet, layout: SheetLayout, number: int, index: int, line: _Line
    ) -> None:
        name = layout.columns[index].name
        item = find_field_of_name(self._form, layout.group, name)
        if item is None:
            facts = {**line.unit.context.values, **line.row.values}
            sheet.put_row(number, [(index, (_fact(facts.get(name)), self._formats.locked))])
            return
        key = line.row.parent[1] if line.row.parent and item.group == line.row.parent[0] else ""
        identity = row_id(line.unit.division_code, key)
        target = self._layouts[item.group]
        place, column = self._places[item.group].get(identity), target.index_of(item)
        if place is not None and column is not None:
            value = self._lines[item.group][place - FIRST_ROW].values.get(item.code)
            shown = self._shown(item, value)
            text = self._look_up(target, column, identity)
            sheet.write_formula(number, index, text, None, "" if shown is None else str(shown))

    def _look_up(self, target: SheetLayout, column: int, identity: str) -> str:
        """Return a formula that finds a parent's value wherever its row was sorted to."""
        last = FIRST_ROW + len(self._lines[target.group])
        found, ids = (
            f"'{target.name}'!${name}${FIRST_ROW + 1}:${name}${last}"
            for name in map(xl_col_to_name, (column, target.index(ColumnKind.ROW_ID)))
        )
        quoted = identity.replace('"', '""')
        value = f'INDEX({found},MATCH("{quoted}",{ids},0))'
        return f'=IFERROR(IF({value}="","",{value}),"")'


def _write_stamp(book: xlsxwriter.Workbook, stamp: Stamp) -> None:
    sheet = book.add_worksheet(STAMP_SHEET)
    sheet.very_hidden()
    lines = {
        STAMP_MARK: LAYOUT_VERSION,
        "export_id": stamp.export_id,
        "form_code": stamp.form_code,
        "form_version": stamp.form_version,
        "period_id": stamp.period_id,
        "period_name": stamp.period_name,
        "taken_at": stamp.taken_at.isoformat(),
        "is_demo": int(stamp.is_demo),
    }
    for number, (name, value) in enumerate(lines.items()):
        sheet.write_string(number, 0, name)
        sheet.write_string(number, 1, str(value))


def _fact(value: object) -> object:
    return value if isinstance(value, str | int | float | date) else None


def _file_names(value: object, files: Sequence[File]) -> str:
    if not isinstance(value, dict):
        return ""
    names = {file.file_id: file.name for file in files}
    return "、".join(f"{item}（{names.get(number, '已上传')}）" for item, number in value.items())
