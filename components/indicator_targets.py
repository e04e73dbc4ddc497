"""Targets of one indicator: how many units have one, the table that the bureau edits, its file."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any

import streamlit as st

from components.download import workbook_button
from components.labels import label, unit_text
from components.session import errors_shown
from components.url_parameters import number_parameter, set_parameter
from data_access import indicator_changes, indicators, target_workbook
from data_access.assessment import AssessedUnit
from data_access.database import Connection, transaction
from data_access.indicator_changes import TargetChange
from data_access.indicators import Canonical, IndicatorTarget
from domain.access import Actor, Role
from domain.assessment import Measure, TargetState
from domain.target_rows import RowFault, TargetRow, read_row, read_target_year

_COMPARED = frozenset(
    {Measure.TARGET_FLOOR, Measure.TARGET_CEILING, Measure.PATH_FLOOR, Measure.PATH_CEILING}
)
_SEES_ALL = (Role.LEADER, Role.PLAN_BUREAU, Role.USE_CONTROL, Role.CITY, Role.COUNTY)
STATES = {label(state): state for state in TargetState}
_DOCUMENT_WIDTH = 210
_SEVERAL = 2
NOTICE, SEEN = "indicator-targets-notice", "indicator-targets-seen"


@dataclass(frozen=True, slots=True)
class TargetTable:
    """The targets of an indicator in a year, None for a unit of which nothing is entered."""

    indicator: Canonical
    target_year: int
    units: Sequence[AssessedUnit]
    targets: Mapping[str, IndicatorTarget]

    def target_of(self, unit: AssessedUnit) -> IndicatorTarget | None:
        return self.targets.get(unit.code)


def may_change(actor: Actor) -> bool:
    """Tell whether the actor issues targets."""
    return actor.has_role(Role.PLAN_BUREAU)


def list_choices(connection: Connection, actor: Actor) -> dict[str, Canonical]:
    """Return the indicators that are compared with targets, by code.

    First stand those whose targets are issued to several, so that there is something to see.

    A department sees its own, of which there is something to see.
    """
    rules = indicators.list_rules(connection)[-1]
    profiles = indicators.list_profiles(connection, rules.rule_version)
    compared = {each.profile_code for each in profiles if each.measure in _COMPARED}
    known = [
        each
        for each in indicators.list_canonicals(connection)
        if each.is_applicable and each.profile_code in compared
    ]
    seen = indicators.count_targets(connection)
    if not actor.has_role(*_SEES_ALL):
        known = [each for each in known if each.canonical_code in seen]

    def emptiness(each: Canonical) -> tuple[int, bool]:
        count = seen.get(each.canonical_code)
        return -min(count.issued, _SEVERAL) if count else 0, count is None

    known.sort(key=emptiness)
    return {each.canonical_code: each for each in known}


def name_of(indicator: Canonical) -> str:
    """Return an indicator with its unit."""
    return f"{indicator.name}（{unit_text(indicator.unit)}）"


def year_filter(actor: Actor, targets: Sequence[IndicatorTarget]) -> int | None:
    """Draw the target years, kept in the address, the bureau's with a way to a new one."""
    asked = number_parameter("to")
    years = {each.target_year for each in targets}
    if may_change(actor) and asked and _is_year(str(asked)):
        years.add(asked)
    options = sorted(years)
    chosen = asked if asked in years else (options[-1] if options else None)
    if options:
        picked = st.segmented_control(
            "目标年", options, default=chosen, format_func=lambda year: f"{year} 年", required=True,
            label_visibility="collapsed", key=f"targets-year-{chosen}-{len(options)}",
        )  # fmt: skip
        if picked != chosen:
            _go_to(picked)
    if may_change(actor):
        _new_year()
    return chosen


def _new_year() -> None:
    typed = st.text_input(
        "另一目标年", placeholder="另一目标年，如 2030", label_visibility="collapsed", width=180,
        key=f"targets-new-year-{st.query_params.get('to')}", max_chars=6,
    )  # fmt: skip
    if not typed:
        return
    try:
        year = read_target_year(typed)
    except RowFault as fault:
        st.error(str(fault))
        return
    _go_to(year)


def _go_to(year: int | None) -> None:
    set_parameter("to", str(year) if year else None)
    st.rerun()


def _is_year(text: str) -> bool:
    try:
        return bool(read_target_year(text))
    except RowFault:
        return False


def read_table(connection: Connection, indicator: Canonical, year: int) -> TargetTable:
    """Return the targets of an indicator in a year, of the units in the actor's scope."""
    found = indicators.list_targets(connection, canonical_code=indicator.canonical_code)
    return TargetTable(
        indicator,
        year,
        indicator_changes.list_target_units(connection),
        {each.division_code: each for each in found if each.target_year == year},
    )


def sentence(table: TargetTable) -> str:
    """Return how many units have a target of the year, and how many have none yet."""
    units = [unit for unit in table.units if unit.level != "province"]
    states = [target.state for unit in units if (target := table.target_of(unit))]
    issued = states.count(TargetState.ISSUED)
    waiting = states.count(TargetState.NOT_ISSUED)
    missing = len(units) - len(states)
    said = (
        f"{table.indicator.name} {table.target_year} 年目标：{_of_province(table)}{len(units)} 个"
        f"单位中 {issued} 个已下达、{waiting} 个未下达"
    )
    return f"{said}，{missing} 个没有录入。" if missing else f"{said}。"


def _of_province(table: TargetTable) -> str:
    for unit in table.units:
        if unit.level == "province":
            target = table.target_of(unit)
            return f"全省{label(target.state) if target else '没有录入'}；"
    return ""


def show_notice() -> None:
    """Say what was saved."""
    if notice := st.session_state.pop(NOTICE, None):
        st.success(notice)


# READING


def target_list(table: TargetTable) -> None:
    """Draw the targets for reading."""
    number = f"%,.{table.indicator.decimals}f"
    unit = unit_text(table.indicator.unit)
    st.dataframe(
        [_list_row(each, table.target_of(each), unit) for each in table.units],
        hide_index=True,
        height=min(38 + 35 * len(table.units), 620),
        placeholder="—",
        column_config={
            f"目标值（{unit}）": st.column_config.NumberColumn(format=number),
            f"基期值（{unit}）": st.column_config.NumberColumn(format=number),
            "基期年": st.column_config.NumberColumn(format="%d", width=80),
            "下达文号": st.column_config.TextColumn(width=_DOCUMENT_WIDTH),
        },
        key="targets-list",
    )


def _list_row(
    unit: AssessedUnit, target: IndicatorTarget | None, measure: str
) -> dict[str, object]:
    found = target or IndicatorTarget(unit.code, "", 0, TargetState.NOT_ISSUED)
    return {
        "上级": unit.parent_name,
        "单位": unit.name,
        "状态": label(target.state) if target else None,
        f"目标值（{measure}）": _float(found.target_value),
        "基期年": found.base_year,
        f"基期值（{measure}）": _float(found.base_value),
        "下达文号": found.document_no,
        "下达日期": found.issued_on.isoformat() if found.issued_on else None,
    }


def _float(number: Decimal | None) -> float | None:
    return None if number is None else float(number)


def download(
    indicator: Canonical,
    units: Sequence[AssessedUnit],
    targets: Sequence[IndicatorTarget],
    year: int | None,
) -> None:
    """Offer every target of the indicator, of all years, as a workbook that may come back."""
    years = sorted({each.target_year for each in targets} | ({year} if year else set()))
    words = {state: word for word, state in STATES.items()}
    workbook_button(
        f"指标目标-{indicator.name}",
        lambda: f"{indicator.canonical_code}，各单位、各目标年；改后可在“Excel 批量录入”中传回",
        target_workbook.columns_of(indicator, unit_text(indicator.unit)),
        lambda: target_workbook.rows_of(indicator, units, targets, years, words),
        suffix=indicator.canonical_code,
        key="targets-download",
    )


# EDITING


def target_editor(actor: Actor, table: TargetTable) -> None:
    """Draw the table for typing; what is wrong is said by unit, and saving is all or nothing."""
    state = (table.indicator.canonical_code, table.target_year, hash(tuple(table.targets.values())))
    seen = st.session_state.get(SEEN)
    if seen and seen[:2] == state[:2] and seen != state:
        st.warning("本表刚被他人修改，已重新读取。尚未保存的改动请核对后重新填写。")
    st.session_state[SEEN] = state
    heads = _heads(table)
    edited = st.data_editor(
        [_editor_row(unit, table.target_of(unit), heads) for unit in table.units],
        hide_index=True,
        num_rows="fixed",
        placeholder="—",
        disabled=("上级", "单位"),
        height=min(38 + 35 * len(table.units), 470),
        column_config={
            "状态": st.column_config.SelectboxColumn(options=list(STATES), width=90),
            **_typed_columns(heads),
        },
        key=f"targets-editor-{state[0]}-{state[1]}-{state[2]}",
    )
    changes, faults = _changes(table, edited, heads)
    for fault in faults[:8]:
        st.error(fault)
    if len(faults) > 8:
        st.caption(f"另有 {len(faults) - 8} 行有误。")
    with st.container(horizontal=True, horizontal_alignment="right", vertical_alignment="center"):
        count = len(changes) + len(faults)
        st.caption(f"改动 {count} 行，尚未保存" if count else "没有改动", width="content")
        idle = not changes or bool(faults)
        if st.button("保存目标", type="primary", key="targets-save", disabled=idle):
            with errors_shown():
                _save(actor, table, changes)


def _heads(table: TargetTable) -> dict[str, str]:
    unit = unit_text(table.indicator.unit)
    return {
        "value": f"目标值（{unit}）",
        "base_year": "基期年",
        "base_value": f"基期值（{unit}）",
        "document_no": "下达文号",
        "issued_on": "下达日期",
    }


def _typed_columns(heads: Mapping[str, str]) -> dict[str, Any]:
    """Return how the columns look: all of them texts, so that nothing pasted is dropped."""
    figures = st.column_config.TextColumn(alignment="right")
    return {
        **dict.fromkeys((heads["value"], heads["base_value"], heads["base_year"]), figures),
        heads["document_no"]: st.column_config.TextColumn(width=_DOCUMENT_WIDTH),
        heads["issued_on"]: st.column_config.TextColumn(),
    }


def typed(target: IndicatorTarget | None) -> TargetRow:
    """Return a target as it is typed."""
    return target.typed if target else TargetRow(None)


def _editor_row(
    unit: AssessedUnit, target: IndicatorTarget | None, heads: Mapping[str, str]
) -> dict[str, object]:
    row = typed(target)
    return {
        "上级": unit.parent_name,
        "单位": unit.name,
        "状态": label(row.state) if row.state else None,
        **{head: getattr(row, name) for name, head in heads.items()},
    }


def _changes(
    table: TargetTable, edited: Sequence[Mapping[str, Any]], heads: Mapping[str, str]
) -> tuple[list[TargetChange], list[str]]:
    """Return what was changed, and a sentence for each row that cannot be read."""
    changes, faults = [], []
    for unit, cells in zip(table.units, edited, strict=True):
        opened = table.target_of(unit)
        row = TargetRow(
            STATES.get(str(cells["状态"])),
            **{name: str(cells[head] or "") for name, head in heads.items()},
        )
        if row == typed(opened):
            continue
        try:
            changes.append(TargetChange(opened, _wanted(table, unit, row)))
        except RowFault as fault:
            faults.append(f"{unit.name}：{fault}")
    return changes, faults


def _wanted(table: TargetTable, unit: AssessedUnit, row: TargetRow) -> IndicatorTarget:
    known = table.indicator
    entry = read_row(row, table.target_year, known.unit, known.typical_min, known.is_share)
    return IndicatorTarget(unit.code, known.canonical_code, table.target_year, **asdict(entry))


def _save(actor: Actor, table: TargetTable, changes: Sequence[TargetChange]) -> None:
    with (
        st.spinner("正在保存并重新评级…"),
        transaction(actor, action="indicator_target.save") as connection,
    ):
        judged = indicator_changes.change_targets(connection, actor, changes)
    st.session_state.pop(SEEN, None)
    st.session_state[NOTICE] = (
        f"已保存 {table.indicator.name} {table.target_year} 年 {len(changes)} 个单位的目标："
        f"{judged.changed:,} 项评估结果变化，生成预警事项 {judged.raised:,} 项。"
    )
    st.rerun()
