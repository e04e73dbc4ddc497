"""Targets in Excel and back: every year of an indicator in one table, compared before written."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import Connection

from data_access import file_store, uploads
from data_access.assessment import AssessedUnit
from data_access.indicator_changes import TargetChange
from data_access.indicators import Canonical, IndicatorTarget, list_targets
from data_access.table_workbook import Column
from data_access.workbook_cells import read_cells
from domain import target_sheet
from domain.assessment import TargetState
from domain.assessment_form import mistaken_unit
from domain.errors import NotFound
from domain.target_rows import RowFault, TargetRow, read_row, read_target_year
from domain.target_sheet import LineFault, Sheet, TargetLine, mark_of

USE = "target_workbook"
_CHANGED = "下载后已被他人修改，未采用。请重新下载后再改。"


@dataclass(frozen=True, slots=True)
class WantedTarget:
    """A row that changes something: what it is to be, and what is doubtful about it."""

    line: TargetLine
    unit: AssessedUnit
    indicator: Canonical
    change: TargetChange
    doubt: str


@dataclass(frozen=True, slots=True)
class Compared:
    """What a workbook changes of the targets that stand; what cannot be taken, and why."""

    wanted: Sequence[WantedTarget]
    faults: Sequence[LineFault]
    unchanged: int


def columns_of(indicator: Canonical, unit_text: str) -> list[Column]:
    """Return the columns of the table, each found again by its head."""
    number = "#,##0" + ("." + "0" * indicator.decimals if indicator.decimals else "")
    return [
        Column("上级"), Column(target_sheet.UNIT), Column(target_sheet.CODE),
        Column(target_sheet.INDICATOR), Column(target_sheet.YEAR, "0", 8),
        Column(target_sheet.STATE, width=10),
        Column(f"{target_sheet.VALUE}（{unit_text}）", number, 16),
        Column(target_sheet.BASE_YEAR, "0", 8),
        Column(f"{target_sheet.BASE_VALUE}（{unit_text}）", number, 16),
        Column(target_sheet.DOCUMENT, width=26), Column(target_sheet.ISSUED_ON, width=12),
        Column(target_sheet.MARK, width=14),
    ]  # fmt: skip


def rows_of(
    indicator: Canonical,
    units: Sequence[AssessedUnit],
    targets: Sequence[IndicatorTarget],
    years: Sequence[int],
    words: Mapping[TargetState, str],
) -> list[list[object]]:
    """Return a row for each unit and year, also where nothing is entered yet."""
    known = {(each.division_code, each.target_year): each for each in targets}
    return [
        _row(indicator, unit, year, known.get((unit.code, year)), words)
        for year in years
        for unit in units
    ]


def _row(
    indicator: Canonical,
    unit: AssessedUnit,
    year: int,
    target: IndicatorTarget | None,
    words: Mapping[TargetState, str],
) -> list[object]:
    place: list[object] = [unit.parent_name, unit.name, unit.code, indicator.canonical_code, year]
    if target is None:
        return [*place, *[None] * 7]
    return [
        *place, words[target.state], target.target_value, target.base_year, target.base_value,
        target.document_no, target.issued_on, mark_of(target.typed),
    ]  # fmt: skip


def receive(connection: Connection, sha256: str, states: Mapping[str, TargetState]) -> Sheet:
    """Read a workbook that the actor uploaded; raise WorkbookRefused for what is none.

    `states` are the words of the states. Nothing is kept of it.
    """
    if uploads.find_file(connection, USE, sha256) is None:
        raise NotFound(sha256=sha256[:12])
    raw = read_cells(file_store.stored_path(sha256))
    sheet = next(each for each in raw.sheets if each.is_visible)
    broken = {
        **dict.fromkeys(sheet.without_value, "公式没有计算结果，请改为直接填写。"),
        **{
            place: f"公式出错，显示为“{text}”，请改为直接填写。"
            for place, text in sheet.errors.items()
        },
    }
    for top, left, bottom, right in sheet.merged:
        for row in range(top, bottom + 1):
            for column in range(left, right + 1):
                broken[row, column] = "单元格已合并，无法判断各行的值。请取消合并后逐行填写。"
    return target_sheet.read_sheet(sheet.rows, states, broken)


def compare(
    connection: Connection,
    sheet: Sheet,
    units: Sequence[AssessedUnit],
    choices: Mapping[str, Canonical],
) -> Compared:
    """Return what the rows change of what stands now; `choices` are the indicators with targets."""
    by_code = {each.code: each for each in units}
    codes = {each.canonical_code for each in sheet.lines} & choices.keys()
    standing = {
        (each.division_code, each.canonical_code, each.target_year): each
        for code in sorted(codes)
        for each in list_targets(connection, canonical_code=code)
    }
    wanted: list[WantedTarget] = []
    faults, unchanged = list(sheet.faults), 0
    for line in sheet.lines:
        try:
            found = _wanted(line, by_code, choices, standing)
        except RowFault as fault:
            reason = str(fault)
            faults.append(
                LineFault(
                    line.row_no,
                    line.unit_name,
                    line.target_year,
                    target_sheet.column_of(reason),
                    reason,
                )
            )
            continue
        if found is None:
            unchanged += 1
        else:
            wanted.append(found)
    return Compared(wanted, sorted(faults, key=lambda each: each.row_no or 0), unchanged)


def _wanted(
    line: TargetLine,
    units: Mapping[str, AssessedUnit],
    choices: Mapping[str, Canonical],
    standing: Mapping[tuple[str, str, int], IndicatorTarget],
) -> WantedTarget | None:
    unit, indicator = units.get(line.division_code), choices.get(line.canonical_code)
    if unit is None:
        raise RowFault(f"区划代码“{line.division_code[:12]}”不在名录中。")
    if line.unit_name and line.unit_name != unit.name:
        raise RowFault(f"单位“{line.unit_name[:20]}”与代码 {unit.code}（{unit.name}）不一致。")
    if indicator is None:
        raise RowFault(f"指标代码“{line.canonical_code[:30]}”不存在，或不与目标比较。")
    year = read_target_year(line.target_year)
    opened = standing.get((unit.code, indicator.canonical_code, year))
    now = opened.typed if opened else TargetRow(None)
    entry = read_row(line.row, year, indicator.unit, indicator.typical_min, indicator.is_share)
    target = IndicatorTarget(unit.code, indicator.canonical_code, year, **asdict(entry))
    if target == opened:
        return None
    if line.mark and line.mark != mark_of(now):
        if line.mark == mark_of(target.typed):
            return None  # left as it was taken: what somebody else wrote since then stands
        raise RowFault(_CHANGED)
    before = (opened.target_value if opened else None) or entry.base_value
    doubt = mistaken_unit(before, entry.target_value, indicator.unit)
    words = doubt.sentence("原目标" if opened else "基期值", indicator.unit) if doubt else ""
    return WantedTarget(line, unit, indicator, TargetChange(opened, target), words)
