"""A worksheet that writes hundreds of thousands of cells with less ceremony, the same cells.

xlsxwriter asks of each cell whether its place is a name, whether it is within the sheet and what
its attributes may hold. Here the places are numbers from a layout, and each cell has a format.
"""

from collections.abc import Iterable
from datetime import date, datetime, time
from typing import Any

from xlsxwriter.format import Format
from xlsxwriter.utility import xl_col_to_name
from xlsxwriter.worksheet import (
    CellBlankTuple,
    CellNumberTuple,
    CellStringTuple,
    Worksheet,
)

Cell = tuple[object, Format]
"""A value (None, a text, a number, a bool or a date) and how it looks."""


class QuickWorksheet(Worksheet):  # type: ignore[misc]
    """Takes whole rows; everything else is xlsxwriter's."""

    def put_row(self, row: int, cells: Iterable[tuple[int, Cell]]) -> None:
        """Write the cells of one row, each with its column: every value as what it is."""
        line = self.table[row]
        columns = []
        for column, (value, look) in cells:
            columns.append(column)
            if value is None:
                line[column] = CellBlankTuple(look)
            elif isinstance(value, str):
                line[column] = CellStringTuple(self._index_of(value), look)
            elif isinstance(value, bool):
                self.write_boolean(row, column, value, look)
            elif isinstance(value, int | float):
                line[column] = CellNumberTuple(value, look)
            elif isinstance(value, date | datetime | time):
                self.write_datetime(row, column, value, look)
            else:
                raise TypeError(type(value).__name__)
        for column in (min(columns, default=0), max(columns, default=0)):
            self._check_dimensions(row, column)

    def _index_of(self, text: str) -> int:
        return int(self.str_table._get_shared_string_index(text))

    def _calculate_spans(self) -> None:
        """Leave out a hint that no program needs."""

    def _write_cell(self, row: int, col: int, cell: Any) -> None:
        look = cell.format
        if look is None:
            super()._write_cell(row, col, cell)
            return
        kind = cell.__class__
        start = f'<c r="{_letters(col)}{row + 1}" s="{look._get_xf_index()}"'
        if kind is CellStringTuple:
            self.fh.write(f'{start} t="s"><v>{cell.string}</v></c>')
        elif kind is CellBlankTuple:
            self.fh.write(f"{start}/>")
        elif kind is CellNumberTuple:
            self.fh.write(f"{start}><v>{cell.number:.16G}</v></c>")
        else:
            super()._write_cell(row, col, cell)


_LETTERS: dict[int, str] = {}


def _letters(column: int) -> str:
    letters = _LETTERS.get(column)
    if letters is None:
        letters = _LETTERS[column] = str(xl_col_to_name(column))
    return letters
