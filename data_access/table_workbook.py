"""A table of a page as a workbook: what is seen, to be taken along."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from io import BytesIO
from typing import Any

import xlsxwriter

_DEMO = "演示数据：本表含虚构内容，不得作为依据。"
_WIDEST = 60


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its head, and how numbers in it look (a format of Excel's), '' for texts."""

    head: str
    number_format: str = ""
    width: int = 14
    """Characters."""


def table_workbook(
    title: str,
    note: str,
    columns: Sequence[Column],
    rows: Sequence[Sequence[object]],
    *,
    is_demo: bool,
) -> bytes:
    """Return an .xlsx with one sheet: title, note, heads, rows, with a filter and fixed heads.

    Texts stay texts, also those that begin with = + - @; numbers and dates stay such; missing is
    an empty cell.
    """
    target = BytesIO()
    # No formula, link or number is ever made out of a text.
    options = {
        "in_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    with xlsxwriter.Workbook(target, options) as book:
        formats = _Formats(book)
        sheet = book.add_worksheet("数据")
        sheet.write_string(0, 0, title, formats.title)
        sheet.write_string(1, 0, f"{note}　{_DEMO}" if is_demo else note, formats.note)
        for number, column in enumerate(columns):
            sheet.set_column(number, number, min(column.width, _WIDEST))
            sheet.write_string(2, number, column.head, formats.head)
        for row_no, row in enumerate(rows, start=3):
            for number, (column, value) in enumerate(zip(columns, row, strict=True)):
                _write(sheet, row_no, number, value, formats.of(column, value))
        sheet.freeze_panes(3, 1)
        sheet.autofilter(2, 0, max(2 + len(rows), 2), max(len(columns) - 1, 0))
        if is_demo:
            sheet.set_header("&C&16演示数据")
        sheet.set_landscape()
        sheet.fit_to_pages(1, 0)
        sheet.repeat_rows(2)
    return target.getvalue()


class _Formats:
    def __init__(self, book: Any) -> None:
        self._book = book
        self._numbers: dict[str, Any] = {}
        self.title = book.add_format({"bold": True, "font_size": 14})
        self.note = book.add_format({"font_color": "#5B6B7A"})
        self.head = book.add_format(
            {"bold": True, "bg_color": "#E8EEF3", "border": 1, "border_color": "#DFE5EA"}
        )

    def of(self, column: Column, value: object) -> Any:
        """Return the format of a value, None for a text."""
        name = "yyyy-mm-dd" if isinstance(value, date) else column.number_format
        if not name or isinstance(value, str):
            return None
        if name not in self._numbers:
            self._numbers[name] = self._book.add_format({"num_format": name})
        return self._numbers[name]


def _write(sheet: Any, row: int, column: int, value: object, look: Any) -> None:
    if value is None:
        return
    if isinstance(value, date):
        sheet.write_datetime(row, column, value, look)
    elif isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        sheet.write_number(row, column, value, look)
    else:
        sheet.write_string(row, column, str(value))
