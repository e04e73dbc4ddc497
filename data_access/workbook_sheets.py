"""Which sheet of a workbook that came back is which group, and which column which field."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from data_access.workbook_cells import RawSheet, RawWorkbook
from data_access.workbook_layout import HEADER_MARK, ColumnKind, field_code, split_row_id
from domain.forms import Field, Form

_CODES_WITHIN = 40  # rows from the top


@dataclass(frozen=True, slots=True)
class FoundSheet:
    """A sheet of a group, with the columns and rows its codes name; all counted from 0."""

    raw: RawSheet
    group: str
    code_row: int
    header_row: int
    kinds: Mapping[ColumnKind, int]
    fields: Mapping[int, Field]
    twice: Mapping[int, Field]
    """Columns whose field stands in several columns."""
    unknown: tuple[int, ...]

    def cell(self, row: int, column: int) -> Any:
        """Return what stands in a cell; '' beyond the end."""
        cells = self.raw.rows[row]
        return cells[column] if column < len(cells) else ""


def find_sheets(form: Form, raw: RawWorkbook) -> Iterator[FoundSheet]:
    """Return each sheet that carries the hidden codes of a group, whatever it is called."""
    fields = {field_code(item): item for item in form.fields}
    for sheet in raw.sheets:
        for number, cells in enumerate(sheet.rows[:_CODES_WITHIN]):
            codes = {i: cell for i, cell in enumerate(cells) if isinstance(cell, str) and cell}
            if ColumnKind.ROW_ID in codes.values():
                yield from _found(sheet, number, codes, fields)
                break


def _found(
    sheet: RawSheet, number: int, codes: Mapping[int, str], known: Mapping[str, Field]
) -> Iterator[FoundSheet]:
    ours = {index: known[code] for index, code in codes.items() if code in known}
    groups = Counter(_group_of(code) for code in codes.values() if _group_of(code))
    if not groups:
        return
    group = groups.most_common(1)[0][0]
    count = Counter(item.code for item in ours.values())
    kinds: dict[ColumnKind, int] = {}
    for index, code in codes.items():
        if code in (ColumnKind.UNIT_CODE, ColumnKind.ROW_ID):
            kinds.setdefault(ColumnKind(code), index)
    width = max(map(len, sheet.rows), default=0)
    known_columns = {i for i, code in codes.items() if code in known or code.startswith("@")}
    yield FoundSheet(
        raw=sheet,
        group=group,
        code_row=number,
        header_row=_header_row(sheet, number, kinds[ColumnKind.ROW_ID]),
        kinds=kinds,
        fields={i: f for i, f in ours.items() if count[f.code] == 1 and f.group == group},
        twice={i: f for i, f in ours.items() if count[f.code] > 1},
        unknown=tuple(index for index in range(width) if index not in known_columns),
    )


def _group_of(code: str) -> str:
    """Return the group a code belongs to: of a field, of its files, of its accepted value."""
    parts = code.split(".")
    return parts[-2] if len(parts) == (3 if code.startswith("@") else 2) else ""


def _header_row(sheet: RawSheet, code_row: int, column: int) -> int:
    """Return the row of headers: marked, or the last before the first row of data."""
    for number in range(code_row + 1, len(sheet.rows)):
        cells = sheet.rows[number]
        text = str(cells[column]) if column < len(cells) else ""
        if text == HEADER_MARK:
            return number
        if split_row_id(text):
            return number - 1
    return len(sheet.rows) - 1


def column_letters(index: int) -> str:
    """Return the letters of a column counted from 0.

    >>> column_letters(0), column_letters(25), column_letters(26)
    ('A', 'Z', 'AA')
    """
    letters = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        letters = chr(65 + rest) + letters
    return letters
