"""Where a city says another figure than its counties together: listed for both, never forced."""

from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal

import streamlit as st

from components.assessment_filters import select
from components.assessment_matrix import scope_key
from components.download import workbook_button
from components.labels import unit_text
from components.links import page_path
from data_access import assessment, indicators
from data_access.change_listener import Topic, mark
from data_access.discrepancies import Discrepancy, list_discrepancies, list_waiting
from data_access.indicators import Canonical
from data_access.read_replica import read
from data_access.table_workbook import Column
from domain.access import Actor
from domain.clock import moment

ITEMS, DIFFERENCES = "items", "differences"
_TITLE = "市县不一致"


def list_all(actor: Actor) -> tuple[Discrepancy, ...]:
    """Return every discrepancy that the actor is told of, the newest year first."""
    return _list_all(actor, scope_key(actor), mark(Topic.ASSESSMENT))


@st.cache_resource(ttl="1m", max_entries=128, show_spinner=False)
def _list_all(_actor: Actor, scope: object, marked: int) -> tuple[Discrepancy, ...]:
    return tuple(read(_actor, list_discrepancies))


def views(found: Sequence[Discrepancy]) -> Mapping[str, str]:
    """Return the two parts of the page of warning items, with how many discrepancies there are."""
    return {ITEMS: "预警事项", DIFFERENCES: f"{_TITLE}（{len(found):,}）"}


def link_line(actor: Actor, year: int) -> None:
    """Draw how many figures of the year differ, leading to their list; nothing where none does."""
    found = [each for each in list_all(actor) if each.report_year == year]
    if found:
        cities = len({each.city_code for each in found})
        st.page_link(
            page_path("indicator_warnings"),
            label=f"{cities} 个设区市的 {len(found):,} 项指标与所辖各县合计不一致",
            icon=":material/difference:",
            query_params={"view": DIFFERENCES, "year": str(year)},
        )


def panel(actor: Actor, found: Sequence[Discrepancy], seen: Collection[str]) -> None:
    """Draw the discrepancies of a year or all; a chosen row opens the record of its figure.

    `seen` are the units in the actor's scope: a county opens its own figure, not the city's.
    """
    if not found:
        st.info("没有市县不一致的指标：市级填报值与所辖各县合计相符，或有县尚未报齐。")
        _waiting_list(actor, max(read(actor, assessment.list_years), default=None))
        return
    years = {str(each.report_year): f"{each.report_year} 年" for each in found}
    with st.container(horizontal=True, vertical_alignment="center"):
        year = select("year", years, None, 130, "全部年度")
        shown = [each for each in found if year in ("", str(each.report_year))]
        known = {each.canonical_code: each for each in read(actor, indicators.list_canonicals)}
        _download(shown, known)
    st.caption(
        "县级合计按各县填报值相加，比率按分子、分母重算。请市、县核对，由填报错误的一方更正后重新报送。"
        "有县未报齐而已报之和已超过市级值的总量指标，也在此列出。"
    )
    rows = [_row(each, known[each.canonical_code]) for each in shown]
    chosen = _table(rows, year)
    newest = max(read(actor, assessment.list_years), default=None)
    _waiting_list(actor, int(year) if year else newest)
    if chosen is not None:
        opened = shown[chosen]
        st.switch_page(
            page_path("assessment_figure"),
            query_params={
                "unit": opened.city_code if opened.city_code in seen else opened.division_code,
                "code": opened.canonical_code,
                "year": str(opened.report_year),
            },
        )


def _table(rows: Sequence[Mapping[str, object]], year: str) -> int | None:
    """Draw the discrepancies; return the place of the chosen one."""
    number = st.column_config.NumberColumn(format="%,.2f")
    chosen = st.dataframe(
        rows,
        hide_index=True,
        on_select="rerun",
        selection_mode="single-row",
        height=min(38 + 35 * len(rows), 620),
        column_config={
            "年度": st.column_config.NumberColumn(format="%d"),
            "市级填报": number,
            "各县合计": number,
            "差值": number,
            "相差": st.column_config.NumberColumn(format="%.1f%%"),
        },
        key=f"discrepancies-{year}-{len(rows)}",
    )
    picked = chosen["selection"]["rows"]
    return int(picked[0]) if picked else None


def _waiting_list(actor: Actor, year: int | None) -> None:
    """Draw what is not compared yet, and how many counties each lacks."""
    if year is None:
        return
    waiting = read(actor, lambda connection: list_waiting(connection, year))
    if not waiting:
        return
    known = {each.canonical_code: each for each in read(actor, indicators.list_canonicals)}
    with st.expander(f"{year} 年尚不能比较：{len(waiting):,} 项，有县没有数值"):
        st.dataframe(
            [
                {
                    "设区市": each.city_name,
                    "指标": known[each.canonical_code].name,
                    "已有数值的县": f"{each.parts}/{each.parts_expected}",
                    "原因": f"缺 {each.missing} 个县",
                }
                for each in waiting
            ],
            hide_index=True,
            height=min(38 + 35 * len(waiting), 320),
            key=f"discrepancies-waiting-{year}",
        )


def waiting_line(actor: Actor, division_code: str, year: int, canonical_code: str) -> None:
    """Draw why a figure of a city or its counties is not compared; nothing where it is."""
    found = read(actor, lambda connection: list_waiting(connection, year, canonical_code))
    units = {each.code: each for each in read(actor, assessment.list_units)}
    unit = units.get(division_code)
    cities = {division_code, unit.parent_code} if unit else {division_code}
    for each in found:
        if each.city_code in cities:
            st.caption(
                f"{each.city_name}缺 {each.missing} 个县的该项数值，市级填报值暂不与各县合计比较。"
            )


def _row(each: Discrepancy, indicator: Canonical) -> dict[str, object]:
    difference = each.city_value - each.counties_value
    return {
        "年度": each.report_year,
        "设区市": each.city_name,
        "指标": indicator.name,
        "计量单位": unit_text(indicator.unit),
        "市级填报": float(each.city_value),
        "各县合计": float(each.counties_value),
        "报数的县": "齐" if not each.missing else f"缺 {each.missing} 个，已报之和已超过市级值",
        "差值": float(difference),
        "相差": _percent(difference, each.counties_value),
        "发现时间": moment(each.found_at),
    }


def _percent(difference: Decimal, of: Decimal) -> float | None:
    return float(difference / abs(of) * 100) if of else None


def _download(shown: Sequence[Discrepancy], known: Mapping[str, Canonical]) -> None:
    columns = [
        Column("年度", "0", 8), Column("设区市"), Column("指标", width=28), Column("计量单位"),
        Column("市级填报", "#,##0.00"), Column("各县合计", "#,##0.00"),
        Column("报数的县", width=30), Column("差值", "#,##0.00"),
        Column("相差（%）", "0.0"), Column("发现时间", width=18),
    ]  # fmt: skip
    workbook_button(
        _TITLE,
        lambda: f"{len(shown):,} 项",
        columns,
        lambda: [list(_row(each, known[each.canonical_code]).values()) for each in shown],
        suffix="现状评估",
        key="discrepancies-download",
    )
