"""Targets as they come back in a workbook: each row with its place, or a sentence on what is wrong.

A row carries a mark of the target that it was taken from, so that what somebody else changed
meanwhile is told and not overwritten.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date
from hashlib import sha256

from domain.assessment import TargetState
from domain.target_rows import TargetRow

UNIT, CODE, INDICATOR, YEAR, STATE, MARK = (
    "单位",
    "区划代码",
    "指标代码",
    "目标年",
    "状态",
    "取出标记",
)
VALUE, BASE_YEAR, BASE_VALUE = "目标值", "基期年", "基期值"
DOCUMENT, ISSUED_ON = "下达文号", "下达日期"
_NEEDED = (CODE, INDICATOR, YEAR, STATE, VALUE)
_TYPED = {
    "value": VALUE,
    "base_year": BASE_YEAR,
    "base_value": BASE_VALUE,
    "document_no": DOCUMENT,
    "issued_on": ISSUED_ON,
}
_MARK_LENGTH = 12


@dataclass(frozen=True, slots=True)
class TargetLine:
    """A row of the workbook as typed; `mark` says which target it was taken from, '' for none."""

    row_no: int
    unit_name: str
    division_code: str
    canonical_code: str
    target_year: str
    row: TargetRow
    mark: str

    @property
    def key(self) -> tuple[str, str, str]:
        return self.division_code, self.canonical_code, self.target_year


@dataclass(frozen=True, slots=True)
class LineFault:
    """What is wrong with a row of the workbook, or with the whole of it where there is no row."""

    row_no: int | None
    unit_name: str
    target_year: str
    column: str
    reason: str


@dataclass(frozen=True, slots=True)
class Sheet:
    lines: Sequence[TargetLine]
    faults: Sequence[LineFault]


def column_of(reason: str) -> str:
    """Return the column that a sentence about a row begins with, '' for none.

    >>> column_of("目标值“四十”不是数，请只填数字。"), column_of("请选择状态：已下达或未下达。")
    ('目标值', '状态')
    """
    heads = (VALUE, BASE_VALUE, BASE_YEAR, YEAR, STATE, CODE, INDICATOR, ISSUED_ON, UNIT)
    found = [(reason.index(head), head) for head in heads if head in reason]
    return min(found)[1] if found else DOCUMENT if reason.startswith("文号") else ""


def mark_of(row: TargetRow) -> str:
    """Return the mark of a target as it was taken; '' where there was none.

    >>> mark_of(TargetRow(None)), len(mark_of(TargetRow(TargetState.ISSUED, "40")))
    ('', 12)
    """
    if row == TargetRow(None):
        return ""
    text = "|".join(str(getattr(row, each.name) or "") for each in fields(row))
    return sha256(text.encode()).hexdigest()[:_MARK_LENGTH]


def read_sheet(
    rows: Sequence[Sequence[object]],
    states: Mapping[str, TargetState],
    broken: Mapping[tuple[int, int], str],
) -> Sheet:
    """Return what the rows of a sheet say, found by their heads; empty rows are passed over.

    `states` are the words of the states; `broken` are cells without a value, by row and column
    from 0, with the reason. Of rows for one and the same target none is taken.
    """
    head_no, columns = _heads(rows)
    missing = [name for name in _NEEDED if name not in columns]
    if missing:
        reason = f"没有“{'、'.join(missing)}”列，未读取。请用本页下载的表填写。"
        return Sheet([], [LineFault(None, "", "", "", reason)])
    lines, faults = [], []
    for number, cells in enumerate(rows[head_no + 1 :], start=head_no + 1):
        line = _line(number, cells, columns, states)
        if line.row == TargetRow(None) and not line.mark:
            continue
        found = list(_faults(number, line, cells, columns, states, broken))
        faults += found
        if not found:
            lines.append(line)
    twice = {key for key, count in Counter(each.key for each in lines).items() if count > 1}
    faults += [_twice(each, lines) for each in lines if each.key in twice]
    return Sheet([each for each in lines if each.key not in twice], faults)


def _heads(rows: Sequence[Sequence[object]]) -> tuple[int, dict[str, int]]:
    """Return where the heads are, and the place of each; the unit of measure may follow a head."""
    best: tuple[int, dict[str, int]] = (0, {})
    for number, cells in enumerate(rows[:10]):
        found = {_text(cell).partition("（")[0]: i for i, cell in enumerate(cells) if _text(cell)}
        if sum(name in found for name in _NEEDED) > sum(name in best[1] for name in _NEEDED):
            best = number, found
    return best


def _line(
    number: int,
    cells: Sequence[object],
    columns: Mapping[str, int],
    states: Mapping[str, TargetState],
) -> TargetLine:
    def cell(name: str) -> str:
        place = columns.get(name)
        return "" if place is None or place >= len(cells) else _text(cells[place])

    row = TargetRow(
        states.get(cell(STATE)),
        **{name: cell(head).removesuffix("T00:00:00") for name, head in _TYPED.items()},
    )
    year = cell(YEAR).removesuffix("年")
    return TargetLine(number + 1, cell(UNIT), cell(CODE), cell(INDICATOR), year, row, cell(MARK))


def _faults(
    number: int,
    line: TargetLine,
    cells: Sequence[object],
    columns: Mapping[str, int],
    states: Mapping[str, TargetState],
    broken: Mapping[tuple[int, int], str],
) -> Iterator[LineFault]:
    for name, place in columns.items():
        reason = broken.get((number, place))
        typed = _text(cells[place]) if place < len(cells) else ""
        if name == STATE and typed and typed not in states:
            reason = f"“{typed[:20]}”不是状态，请填{'或'.join(states)}。"
        if reason:
            yield LineFault(line.row_no, line.unit_name, line.target_year, name, reason)


def _twice(line: TargetLine, lines: Sequence[TargetLine]) -> LineFault:
    other = next(each.row_no for each in lines if each.key == line.key and each is not line)
    reason = f"与第 {other} 行是同一目标，两行都未采用。请只保留一行。"
    return LineFault(line.row_no, line.unit_name, line.target_year, "", reason)


def _text(cell: object) -> str:
    """Return a cell as a person would have typed it.

    >>> _text(360123.0), _text(40.5), _text(" 赣〔2025〕1号 "), _text(0.1 + 0.2), _text(None)
    ('360123', '40.5', '赣〔2025〕1号', '0.3', '')
    """
    if cell is None:
        return ""
    if isinstance(cell, float):
        return f"{cell:.15g}" if abs(cell) < 10**15 else f"{cell:.0f}"
    if isinstance(cell, date):
        return cell.isoformat()
    return str(cell).strip()
