"""Hints in a workbook: drop-downs, types, colours. They warn and never stop."""

from collections.abc import Mapping
from datetime import date

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.utility import xl_col_to_name
from xlsxwriter.worksheet import Worksheet

from data_access.workbook_formulas import Reference, find_field_of_name, formula
from data_access.workbook_layout import (
    CODES_SHEET,
    FIRST_ROW,
    ColumnKind,
    SheetLayout,
    shown_codes,
)
from data_access.workbook_looks import Formats
from domain.forms import Field, Form

Area = tuple[int, int, int, int]
"""First row, first column, last row, last column, from 0."""


class CodeLists:
    """What drop-downs offer: one column of a hidden sheet for each code table, by name."""

    def __init__(self, form: Form, book: xlsxwriter.Workbook) -> None:
        used = [item.code_table for item in form.fields if form.options(item)]
        self._book = book
        self._tables = {
            table: shown_codes(form.codes[table]) for table in dict.fromkeys(used) if table
        }

    def name_of(self, table: str) -> str:
        return f"codes_{list(self._tables).index(table) + 1}"

    def shown(self, table: str | None) -> Mapping[str, str]:
        """Return each code of a table to what stands for it in a cell."""
        return self._tables.get(table or "", {})

    def write(self) -> None:
        sheet = self._book.add_worksheet(CODES_SHEET)
        sheet.very_hidden()
        for index, (table, shown) in enumerate(self._tables.items()):
            for number, name in enumerate(shown.values()):
                sheet.write_string(number, index, name)
            letter = xl_col_to_name(index)
            area = f"={CODES_SHEET}!${letter}$1:${letter}${len(shown)}"
            self._book.define_name(self.name_of(table), area)


def add_hints(
    sheet: Worksheet,
    form: Form,
    layout: SheetLayout,
    last: int,
    codes: CodeLists,
    formats: Formats,
) -> None:
    """Add drop-downs, types and colours to the rows of data up to `last`, counted from 0."""
    names = _references(form, layout)
    for index, column in enumerate(layout.columns):
        if column.kind is not ColumnKind.FIELD or column.item is None:
            continue
        area = (FIRST_ROW, index, last, index)
        validation = _validation(form, column.item, codes)
        if validation:
            sheet.data_validation(*area, validation)
        _add_conditions(sheet, form, column.item, area, names, formats)


def _references(form: Form, layout: SheetLayout) -> dict[str, Reference]:
    return {
        column.item.code if column.item else column.name: Reference(
            f"${xl_col_to_name(index)}{FIRST_ROW + 1}",
            column.item or find_field_of_name(form, layout.group, column.name),
        )
        for index, column in enumerate(layout.columns)
        if column.kind in (ColumnKind.FIELD, ColumnKind.FACT)
    }


def _add_conditions(
    sheet: Worksheet,
    form: Form,
    item: Field,
    area: Area,
    names: Mapping[str, Reference],
    formats: Formats,
) -> None:
    visible = formula(form, item.visible_when, names)
    required = formula(form, item.required_when, names) if item.required_when else None
    empty = f'{names[item.code].address}=""'
    if item.visible_when and visible:
        grey = formats.of(bg_color="#D9D9D9", font_color="#7F7F7F")
        _condition(sheet, area, f"=NOT({visible})", grey)
    if required and visible:
        yellow = formats.of(bg_color="#FFF2CC")
        _condition(sheet, area, f"=AND({empty},{visible},{required})", yellow)


def _condition(sheet: Worksheet, area: Area, criteria: str, look: Format) -> None:
    options = {"type": "formula", "criteria": criteria, "format": look, "stop_if_true": True}
    sheet.conditional_format(*area, options)


def _validation(form: Form, item: Field, codes: CodeLists) -> dict[str, object] | None:
    """Return a hint on what to type; it warns, and lets everything pass."""
    shown = {"error_type": "warning", "error_title": "请核对", **_help(item)}
    match item.data_type:
        case "code" if form.options(item):
            source = f"={codes.name_of(item.code_table or '')}"
            return {
                "validate": "list",
                "source": source,
                "error_message": "不在可选范围内，请从下拉列表中选择。",
                **shown,
            }
        case "boolean":
            message = {"error_message": "请填“是”或“否”。"}
            return {"validate": "list", "source": ["是", "否"], **message, **shown}
        case "date":
            days = {"minimum": date(1900, 3, 1), "maximum": date(2999, 12, 31)}
            message = {"error_message": "请按 2026-03-01 的样式填写日期。"}
            return {"validate": "date", "criteria": "between", **days, **message, **shown}
        case "integer" | "decimal":
            kind = item.data_type
            message = {"error_message": "请只填整数。" if kind == "integer" else "请只填数字。"}
            limits = {"criteria": "between", "minimum": -(10**14), "maximum": 10**14}
            return {"validate": kind, **limits, **message, **shown}
    return {"validate": "any", **_help(item)} if item.help else None


def _help(item: Field) -> dict[str, object]:
    if not item.help:
        return {}
    return {"input_title": item.label[:32], "input_message": item.help[:255]}
