"""The overview as HTML: answer, figures, funnel, ranking, legend, the late ones."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

import streamlit as st

from components import cached
from components.charts import Bar, bars, figure_card, figure_row, link, panel, sparkline
from components.labels import label
from components.links import address
from components.map import LATENESS_SYMBOLS, Swatch, percent
from components.overview_reading import (
    Filters,
    Overview,
    palette_of,
    rank_cities,
    rank_groups,
    read_overview,
)
from domain.access import Actor
from domain.overview import Group, funnel
from domain.progress import Lateness, LatenessLimits, PeriodState, Summary, UnitProgress

MAP_NOTE = "△ ▲ ◆ 为滞后单位；点击单位查看详情"


@dataclass(frozen=True, slots=True)
class Drawn:
    """The parts of the overview as HTML."""

    answer: str
    figures: str
    funnel: str
    ranking: str
    legend: str
    late: str


def draw_overview(
    actor: Actor, frame: cached.Frame, filters: Filters, *, may_remind: bool
) -> Drawn:
    """Return the parts of the overview as HTML: the same for everyone who sees the same units."""
    return _drawn(actor, cached.scope_of(actor, frame), frame, filters, may_remind)


@st.cache_resource(ttl="15m", max_entries=256, show_spinner=False, hash_funcs=cached.HASH_FRAME)
def _drawn(
    _actor: Actor, scope: cached.Scope, frame: cached.Frame, filters: Filters, may_remind: bool
) -> Drawn:
    overview = read_overview(_actor, frame, filters)
    palette = palette_of(filters, frame)
    return Drawn(
        answer=f'<p class="answer">{escape(answer_sentence(overview))}</p>',
        figures=figures_html(overview, filters),
        funnel=funnel_html(overview),
        ranking=ranking_html(overview, filters),
        legend=legend_html(palette.legend(overview.on_map(filters.level)), MAP_NOTE),
        late=late_html(overview, filters, may_remind=may_remind),
    )


def answer_sentence(overview: Overview) -> str:
    """Return the state of the chosen units in one sentence made from data."""
    if not overview.units:
        return "所选范围内没有填报单位，请调整筛选条件。"
    summary = overview.summary
    late = len(overview.late)
    severe = summary.lateness.get(Lateness.RED, 0)
    sentence = f"{summary.units} 个单位中 {summary.approved} 个已批复，"
    if not late:
        return sentence + "没有单位滞后。"
    sentence += f"{late} 个滞后"
    return sentence + (f"，其中 {severe} 个超过 {overview.limits.orange} 天。" if severe else "。")


# --- figures ---


def figures_html(overview: Overview, filters: Filters) -> str:
    """Return the five figures, each a link to the list that reproduces it."""
    return figure_row([*_progress_cards(overview, filters), *_filing_cards(overview, filters)])


def _progress_cards(overview: Overview, filters: Filters) -> list[str]:
    """Return how far the plans are, how many are approved, and how many are late."""
    summary, months = overview.summary, [*overview.months, overview.summary]
    before = overview.months[-1] if overview.months else None
    severe = summary.lateness.get(Lateness.RED, 0)
    late = len(overview.late)
    return [
        _card(
            "mean",
            filters,
            "平均进度",
            percent(summary.mean_ratio),
            _points(summary.mean_ratio, before.mean_ratio if before else None),
            [month.mean_ratio for month in months],
        ),
        _card(
            "approved",
            filters,
            "已批复",
            f"{summary.approved} / {summary.units - summary.merged}",
            _change(summary.approved, before.approved if before else None),
            [month.approved for month in months],
        ),
        _card(
            "late",
            filters,
            "进度滞后",
            f"{late}",
            f"超过 {overview.limits.orange} 天 {severe} 个 · "
            + _change(late, _late(before) if before else None),
            [*(_late(month) for month in overview.months), late],
            alarming=severe > 0,
        ),
    ]


def _filing_cards(overview: Overview, filters: Filters) -> list[str]:
    """Return how many filed in this period, and how many have no accepted planned date."""
    summary, months = overview.summary, [*overview.months, overview.summary]
    returned = sum(unit.period_state is PeriodState.RETURNED for unit in overview.units)
    unplanned = [month.lateness.get(Lateness.UNPLANNED, 0) for month in months]
    return [
        _card(
            "completeness",
            filters,
            "本期报送率",
            percent(summary.completeness.ratio),
            f"{summary.completeness.numerator}/{summary.completeness.denominator} · "
            f"无变化 {summary.no_change} · 退回 {returned}",
            [month.completeness.ratio for month in months],
        ),
        _card(
            "unplanned",
            filters,
            "未定计划",
            f"{unplanned[-1]}",
            f"另有 {summary.merged} 个并入市级",
            unplanned,
        ),
    ]


def _late(summary: Summary) -> int:
    return sum(
        summary.lateness.get(lateness, 0)
        for lateness in (Lateness.YELLOW, Lateness.ORANGE, Lateness.RED)
    )


def _card(
    figure: str,
    filters: Filters,
    name: str,
    value: str,
    change: str,
    history: Sequence[float | None],
    *,
    alarming: bool = False,
) -> str:
    return figure_card(
        name,
        value,
        change,
        address("figures", {"figure": figure, **filters.query()}),
        history=sparkline(history, f"{name}近 {len(history)} 个月"),
        alarming=alarming,
    )


def _points(value: float | None, before: float | None) -> str:
    if value is None or before is None:
        return "上月末无数据"
    points = round((value - before) * 100, 1)
    return f"较上月末 {points:+.1f} 个百分点" if points else "与上月末持平"


def _change(value: int, before: int | None) -> str:
    if before is None:
        return "上月末无数据"
    return f"较上月末 {value - before:+d}" if value != before else "与上月末持平"


# --- funnel and ranking ---


def funnel_html(overview: Overview) -> str:
    """Return how many units have come to each stage; milestones stand out."""
    steps = funnel(overview.units, overview.frame.stages)
    compiling = overview.summary.units - overview.summary.merged
    rows = [
        Bar(
            name=step.stage.name,
            share=step.reached / compiling if compiling else 0.0,
            pending=0.0,
            figures=(f"{step.reached}", f"{step.standing}"),
            strong=step.stage.is_milestone,
        )
        for step in steps
    ]
    note = f"{compiling} 个单独编制的单位，粗体为关键节点"
    return panel("阶段漏斗", note, bars(rows, ("阶段", "", "已达", "正处于"), "funnel"))


def ranking_html(overview: Overview, filters: Filters) -> str:
    """Return the ranking of cities, each with its counties, and of kinds beside it."""
    by_city = _ranking(
        overview,
        rank_cities(overview),
        "设区市",
        lambda key: address("overview", {"city": key, **_but(filters, "city")}),
    )
    by_kind = _ranking(
        overview,
        rank_groups(overview, lambda unit: (unit.kind, unit.kind)),
        "类型",
        lambda key: address("overview", {"kind": key, **_but(filters, "kind")}),
    )
    side = f'<div class="side">{panel("单位类型", "", by_kind)}{_filing_panel(overview)}</div>'
    return f'<div class="ranking">{panel("市域排名", "浅色为待认定", by_city)}{side}</div>'


def _filing_panel(overview: Overview) -> str:
    """Return where the reports of the period stand."""
    states = [unit.period_state for unit in overview.units]
    rows = [
        Bar(
            name=label(state),
            share=states.count(state) / len(states) if states else 0.0,
            pending=0.0,
            figures=(f"{states.count(state)}",),
        )
        for state in (
            PeriodState.FILED,
            PeriodState.SUBMITTED,
            PeriodState.RETURNED,
            PeriodState.NOT_FILED,
        )
    ]
    return panel("本期报送", "", bars(rows, ("", "", "单位"), "filing"))


def _but(filters: Filters, name: str) -> dict[str, str]:
    return {key: value for key, value in filters.query().items() if key != name}


def _ranking(
    overview: Overview, groups: Sequence[Group], head: str, opens: Callable[[str], str]
) -> str:
    rows = [
        Bar(
            name=group.name,
            share=group.mean_ratio or 0.0,
            pending=group.mean_pending,
            figures=(percent(group.mean_ratio), f"{group.approved}/{group.units}", f"{group.late}"),
            opens=opens(group.key),
        )
        for group in groups
    ]
    return bars(rows, (head, "", "平均进度", "已批复", "滞后"), "rank")


# --- legend and the late ones ---


def legend_html(swatches: Sequence[Swatch], note: str, more: str = "") -> str:
    """Return the legend of the map with the number of units in each class, then `more` entries."""
    entries = "".join(_entry(swatch) for swatch in swatches) + more
    return f'<ul class="legend">{entries}<li class="note">{escape(note)}</li></ul>'


def _entry(swatch: Swatch) -> str:
    kind = ' class="hatched"' if swatch.hatched else ""
    box = f'<i{kind} style="background-color:{swatch.colour}">{swatch.symbol}</i>'
    return f"<li>{box}{escape(swatch.text)}<b>{swatch.count:,}</b></li>"


def late_html(overview: Overview, filters: Filters, *, may_remind: bool) -> str:
    """Return the late units, the latest first: by how much, since when, who answers for it."""
    if not overview.late:
        return '<p class="nothing">没有滞后单位：已定计划的阶段均按期完成。</p>'
    cards = "".join(
        _late_card(unit, overview.limits, filters, may_remind) for unit in overview.late
    )
    return f'<div class="late">{cards}</div>'


def _late_card(
    unit: UnitProgress, limits: LatenessLimits, filters: Filters, may_remind: bool
) -> str:
    lateness = unit.lateness(limits)
    name = link(address("unit", {"code": unit.code, **filters.day_query()}), escape(unit.name))
    button = (
        f'<a role="button" tabindex="0" class="remind" data-portal-action="{unit.code}">催办</a>'
        if may_remind
        else ""
    )
    return (
        f'<article class="{lateness}"><h4>{name}<small>{escape(unit.parent_name)}</small></h4>'
        f'<p class="days"><i>{LATENESS_SYMBOLS[lateness]}</i><b>{unit.late_days}</b> 天'
        f"<small>自 {unit.late_since}</small></p>"
        f"<p>{escape(unit.late_stage_name)}</p>"
        f"<p>责任人 {escape(unit.responsible_name or '—')}{button}</p></article>"
    )
