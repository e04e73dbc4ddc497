"""The counties' progress sheets from before the portal, taken as accepted facts.

A sheet is a plain workbook or CSV with a row of headers: unit (code or name), plan, stage (code
or name), planned day, actual day. A second run of the same file finds nothing new in it.
"""

import csv
import hashlib
import io
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

from python_calamine import CalamineError, CalamineWorkbook
from sqlalchemy import Connection

from data_access.portal_settings import read_settings
from data_access.queries import load_queries
from data_access.rows import fetch_all
from data_access.settings import Refusal
from domain.clock import today
from domain.history import HistoryFault, Known, add
from domain.normalisation import normal_date
from domain.progress import MilestoneState

_SQL = load_queries("history_import")
_HEADERS = {
    "unit": ("unit", "单位", "填报单位", "单位代码", "单位名称", "区划代码", "市县"),
    "plan": ("plan", "规划", "规划名称"),
    "stage": ("stage", "阶段", "阶段代码", "阶段名称", "里程碑", "里程碑节点"),
    "planned": ("planned", "计划", "计划日期", "计划完成", "计划完成日期", "计划完成时间"),
    "actual": ("actual", "实际", "实际日期", "实际完成", "实际完成日期", "实际完成时间"),
}
_HEADER_WITHIN = 10  # rows: a sheet may begin with a title
_LARGEST = 30_000_000  # bytes
_FIRST_SERIAL, _LAST_SERIAL = 20_000, 80_000  # Excel's days from 1954 to 2119
_EXCEL_EPOCH = date(1899, 12, 30)


@dataclass(frozen=True, slots=True)
class SheetRow:
    """One row as it stands in the file; `row_no` counts from 1 as Excel does."""

    row_no: int
    unit: str
    plan: str
    stage: str
    planned: object
    actual: object


@dataclass(frozen=True, slots=True)
class BadRow:
    row_no: int
    fault: HistoryFault
    quoted: str


@dataclass(frozen=True, slots=True)
class Fact:
    """What a row adds: `plan_id` is None where the unit's headline plan is yet to be made."""

    row_no: int
    division_code: str
    plan_id: int | None
    stage_code: str
    known: Known


@dataclass(frozen=True, slots=True)
class Preview:
    """What a file would do."""

    file_name: str
    sha256: str
    facts: list[Fact]
    unchanged: int
    bad: list[BadRow]


@dataclass(frozen=True, slots=True)
class _Unit:
    code: str
    name: str
    level: str
    parent_name: str


@dataclass(frozen=True, slots=True)
class _Plan:
    plan_id: int
    division_code: str
    plan_type: str
    name: str
    is_headline: bool


@dataclass(frozen=True, slots=True)
class _Stage:
    stage_code: str
    plan_type: str
    plan_type_name: str
    name: str


@dataclass(frozen=True, slots=True)
class _Accepted:
    plan_id: int
    stage_code: str
    state: MilestoneState
    baseline_on: date | None
    completed_on: date | None


class _Bad(Exception):
    def __init__(self, fault: HistoryFault, quoted: object = "") -> None:
        super().__init__(fault)
        self.fault, self.quoted = fault, str(quoted)


# READING


def read_sheet(path: Path) -> list[SheetRow]:
    """Return the rows of a plain workbook or CSV; raise Refusal for what is neither."""
    if path.stat().st_size > _LARGEST:
        raise Refusal(f"{path.name} is larger than {_LARGEST // 1_000_000} MB.")
    cells = _csv_cells(path) if path.suffix.lower() == ".csv" else _workbook_cells(path)
    for number, line in enumerate(cells[:_HEADER_WITHIN]):
        columns = _columns(line)
        if {"unit", "stage"} <= columns.keys() and columns.keys() & {"planned", "actual"}:
            return list(_rows(cells[number + 1 :], columns, number + 2))
    raise Refusal(
        f"{path.name} has no row of headers with a unit, a stage, and a planned or actual day."
    )


def _csv_cells(path: Path) -> list[Sequence[object]]:
    content = path.read_bytes()
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return list(csv.reader(io.StringIO(content.decode(encoding), newline="")))
        except (UnicodeDecodeError, csv.Error):
            continue
    raise Refusal(f"{path.name} is not text in UTF-8 or GB18030.")


def _workbook_cells(path: Path) -> list[Sequence[object]]:
    try:
        book = CalamineWorkbook.from_path(str(path))
        return list(book.get_sheet_by_index(0).to_python(skip_empty_area=False))
    except (CalamineError, IndexError, OSError, ValueError) as error:
        raise Refusal(f"{path.name} cannot be read as a workbook: {error}.") from None


def _columns(line: Sequence[object]) -> dict[str, int]:
    known = {name: what for what, names in _HEADERS.items() for name in names}
    found: dict[str, int] = {}
    for index, cell in enumerate(line):
        what = known.get(_text(cell).lower())
        if what is not None:
            found.setdefault(what, index)
    return found


def _rows(
    lines: Iterable[Sequence[object]], columns: Mapping[str, int], first: int
) -> Iterator[SheetRow]:
    def cell(line: Sequence[object], what: str) -> object:
        index = columns.get(what, len(line))
        return line[index] if index < len(line) else ""

    for row_no, line in enumerate(lines, first):
        if any(_text(value) for value in line):
            yield SheetRow(
                row_no,
                _text(cell(line, "unit")),
                _text(cell(line, "plan")),
                _text(cell(line, "stage")),
                cell(line, "planned"),
                cell(line, "actual"),
            )


def _text(value: object) -> str:
    """Return a cell as text without stray spaces; a code that became a number keeps its digits."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return unicodedata.normalize("NFKC", str("" if value is None else value)).strip()


def _day(value: object) -> date | None:
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    text = _text(value)
    if not text or text in ("-", "—", "/", "无"):
        return None
    if text.isdecimal() and _FIRST_SERIAL <= int(text) <= _LAST_SERIAL:
        return _EXCEL_EPOCH + timedelta(days=int(text))
    try:
        return date.fromisoformat(str(normal_date(text)))
    except ValueError:
        raise _Bad(HistoryFault.NOT_A_DATE, text) from None


# COMPARING


def preview(connection: Connection, path: Path) -> Preview:
    """Return what a file would add to the accepted facts, and every row that it cannot add."""
    rows = read_sheet(path)
    book = _Book(connection)
    facts, bad, unchanged = list[Fact](), list[BadRow](), 0
    for row in rows:
        try:
            fact = book.fact(row)
        except _Bad as error:
            bad.append(BadRow(row.row_no, error.fault, error.quoted))
            continue
        if fact is None:
            unchanged += 1
        else:
            facts.append(fact)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return Preview(path.name, digest, facts, unchanged, bad)


class _Book:
    """What is known by now, and what the rows read so far add to it."""

    def __init__(self, connection: Connection) -> None:
        units = fetch_all(connection, _SQL["list_units"], _Unit, day=today())
        self._by_code = {unit.code: unit for unit in units}
        self._names: dict[str, list[_Unit]] = defaultdict(list)
        for unit in units:
            for name in {unit.name, unit.parent_name + unit.name}:
                self._names[name].append(unit)
        self._plans: dict[str, list[_Plan]] = defaultdict(list)
        for plan in fetch_all(connection, _SQL["list_plans"], _Plan):
            self._plans[plan.division_code].append(plan)
        self._stages = fetch_all(connection, _SQL["list_stages"], _Stage)
        self._headline_types = headline_types(connection)
        self._known = {
            (row.plan_id, row.stage_code): Known(row.state, row.baseline_on, row.completed_on)
            for row in fetch_all(connection, _SQL["list_known"], _Accepted)
        }
        self._added: dict[tuple[str, int | None, str], Known] = {}

    def fact(self, row: SheetRow) -> Fact | None:
        """Return what the row adds, None where it says nothing new; raise _Bad."""
        unit = self._unit(row.unit)
        plan_id, plan_type = self._plan(unit, row.plan)
        stage = self._stage(plan_type, row.stage)
        place = (unit.code, plan_id, stage)
        before = Known() if plan_id is None else self._known.get((plan_id, stage), Known())
        after = add(before, _day(row.planned), _day(row.actual), today())
        if isinstance(after, HistoryFault):
            raise _Bad(after, self._quoted(after, before, row))
        if place in self._added:
            if self._added[place] != after:
                raise _Bad(HistoryFault.TWICE, f"{unit.name} {row.stage}")
            return None
        self._added[place] = after
        return None if after == before else Fact(row.row_no, unit.code, plan_id, stage, after)

    @staticmethod
    def _quoted(fault: HistoryFault, known: Known, row: SheetRow) -> object:
        if fault is HistoryFault.BASELINE_DIFFERS:
            return known.baseline_on
        return known.completed_on if fault is HistoryFault.COMPLETION_DIFFERS else row.actual

    def _unit(self, text: str) -> _Unit:
        if not text:
            raise _Bad(HistoryFault.NO_UNIT)
        if text in self._by_code:
            return self._by_code[text]
        found = self._names.get(text, [])
        if not found:
            raise _Bad(HistoryFault.UNKNOWN_UNIT, text)
        if len(found) > 1:
            raise _Bad(HistoryFault.AMBIGUOUS_UNIT, text)
        return found[0]

    def _plan(self, unit: _Unit, text: str) -> tuple[int | None, str]:
        """Return the plan and its type; without a name it is the unit's headline plan."""
        plans = self._plans.get(unit.code, [])
        headline = next((plan for plan in plans if plan.is_headline), None)
        plan_type = headline.plan_type if headline else self._headline_types.get(unit.level, "")
        headline_id = headline.plan_id if headline else None
        type_names = {s.plan_type_name for s in self._stages if s.plan_type == plan_type}
        if text in {"", plan_type, headline_name(unit.name), *type_names}:
            return headline_id, plan_type
        for plan in plans:
            if plan.name == text:
                return plan.plan_id, plan.plan_type
        raise _Bad(HistoryFault.UNKNOWN_PLAN, text)

    def _stage(self, plan_type: str, text: str) -> str:
        for stage in self._stages:
            if stage.plan_type == plan_type and text in (stage.stage_code, stage.name):
                return stage.stage_code
        raise _Bad(HistoryFault.UNKNOWN_STAGE, text)


def headline_types(connection: Connection) -> dict[str, str]:
    """Return the type of the headline plan for each level of units."""
    value = read_settings(connection).get("headline_plan_types")
    return (
        {str(level): str(name) for level, name in value.items()} if isinstance(value, dict) else {}
    )


def headline_name(unit_name: str) -> str:
    """Return what a headline plan is called that nobody has named."""
    return f"{unit_name}国土空间总体规划"


# WRITING


def write(connection: Connection, found: Preview) -> int:
    """Write the facts of a preview, with their file and row as the source; return how many.

    Nothing new in the file writes nothing at all.
    """
    if not found.facts:
        return 0
    import_id = connection.execute(
        _SQL["add_import"],
        {
            "file_name": found.file_name,
            "sha256": found.sha256,
            "row_count": len(found.facts),
        },
    ).scalar_one()
    made = _make_headlines(connection, found.facts)
    connection.execute(
        _SQL["add_fact"],
        [
            {
                "plan_id": fact.plan_id or made[fact.division_code],
                "stage_code": fact.stage_code,
                "state": fact.known.state,
                "baseline_on": fact.known.baseline_on,
                "completed_on": fact.known.completed_on,
                "history_import_id": import_id,
                "row_no": fact.row_no,
            }
            for fact in found.facts
        ],
    )
    return len(found.facts)


def _make_headlines(connection: Connection, facts: Iterable[Fact]) -> dict[str, int]:
    types = headline_types(connection)
    units = {u.code: u for u in fetch_all(connection, _SQL["list_units"], _Unit, day=today())}
    made = {}
    for code in dict.fromkeys(fact.division_code for fact in facts if fact.plan_id is None):
        parameters = {
            "division_code": code,
            "plan_type": types[units[code].level],
            "name": headline_name(units[code].name),
        }
        made[code] = int(connection.execute(_SQL["add_headline"], parameters).scalar_one())
    return made
