"""The parts of the overview: what is asked, the answer, figures, funnel, ranking, the late ones."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from html import escape
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import streamlit as st

from components import cached
from components.charts import Bar, bars, link, sparkline
from components.labels import label, moment
from components.links import page_path
from components.map import LATENESS_SYMBOLS, ColourBy, Level, Palette, Picture, Swatch, percent
from components.url_parameters import choice_parameter, day_input, set_parameter
from data_access import progress
from domain.access import Actor
from domain.clock import now, today
from domain.overview import Group, funnel, late_units, rank
from domain.progress import (
    Lateness,
    LatenessLimits,
    PeriodState,
    Summary,
    UnitProgress,
    summarise,
)

_MONTHS = 12
_OPENS = ("unit", "figures")
MAP_NOTE = "△ ▲ ◆ 为滞后单位；点击单位查看详情"


@dataclass(frozen=True, slots=True)
class Filters:
    """What the overview is asked to show; the address of the page carries it."""

    level: Level
    colour_by: ColourBy
    city: str | None
    kind: str | None
    as_of: date | None
    """A past day, None for today."""

    @property
    def is_past(self) -> bool:
        return self.as_of is not None

    def query(self) -> dict[str, str]:
        """Return what another page needs to speak of the same units on the same day."""
        fields = {"city": self.city, "kind": self.kind}
        return {**{name: value for name, value in fields.items() if value}, **self.day_query()}

    def day_query(self) -> dict[str, str]:
        """Return the past day alone, nothing for today."""
        return {"as_of": self.as_of.isoformat()} if self.as_of else {}


@dataclass(frozen=True, slots=True)
class Overview:
    """Everything that the overview draws, of the chosen units alone."""

    frame: cached.Frame
    units: tuple[UnitProgress, ...]
    summary: Summary
    months: tuple[Summary, ...]
    """At the ends of the months before, oldest first."""

    @property
    def limits(self) -> LatenessLimits:
        return self.frame.limits

    @property
    def late(self) -> list[UnitProgress]:
        return late_units(self.units, self.limits)

    def on_map(self, level: Level) -> list[UnitProgress]:
        """Return the units that the map shows at a level."""
        return [unit for unit in self.units if unit.level == level]


def read_overview(actor: Actor, frame: cached.Frame, filters: Filters) -> Overview:
    """Return the figures of the chosen units, today's or a past day's, with the months before."""
    return _overview(actor, cached.scope_of(actor, frame), frame, filters)


@st.cache_resource(ttl="15m", max_entries=256, show_spinner=False, hash_funcs=cached.HASH_FRAME)
def _overview(
    _actor: Actor, scope: cached.Scope, frame: cached.Frame, filters: Filters
) -> Overview:
    day = progress.moment_of(filters.as_of)[1]
    units = cached.units_on(_actor, frame, filters.as_of)
    months = cached.units_at_month_ends(_actor, frame, day, _MONTHS)
    return Overview(
        frame=frame,
        units=tuple(_chosen(units, filters)),
        summary=_summary(units, filters, frame),
        months=tuple(_summary(month, filters, frame) for month in months),
    )


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


def _chosen(units: Sequence[UnitProgress], filters: Filters) -> list[UnitProgress]:
    return cached.chosen(units, filters.city, filters.kind)


def _summary(units: Sequence[UnitProgress], filters: Filters, frame: cached.Frame) -> Summary:
    return summarise(_chosen(units, filters), frame.limits, approved_stage=frame.approved_stage)


# --- filters ---


def filter_row(units: Sequence[UnitProgress]) -> Filters:
    """Draw the filters in one row, kept in the page's address; return what is chosen."""
    cities = {unit.code: unit.name for unit in units if unit.level == Level.CITY}
    kinds = list(dict.fromkeys(unit.kind for unit in units))
    with st.container(key="overview-filters", horizontal=True, vertical_alignment="center"):
        colour_by = st.segmented_control(
            "着色",
            list(ColourBy),
            required=True,
            format_func=COLOUR_WORDS.__getitem__,
            label_visibility="collapsed",
            **_kept("colour_by", list(ColourBy), ColourBy.RATIO),
        )
        level = st.segmented_control(
            "层级",
            list(Level),
            required=True,
            format_func=_LEVEL_WORDS.__getitem__,
            label_visibility="collapsed",
            **_kept("level", list(Level), Level.COUNTY),
        )
        city = st.selectbox(
            "设区市",
            list(cities),
            index=None,
            placeholder="全部设区市",
            format_func=lambda code: cities.get(code, code),
            label_visibility="collapsed",
            width=150,
            **_kept("city", list(cities), None),
        )
        kind = st.selectbox(
            "类型",
            kinds,
            index=None,
            placeholder="全部类型",
            label_visibility="collapsed",
            width=130,
            **_kept("kind", kinds, None),
        )
        as_of = day_input("overview-as-of")
        st.button(
            "清除筛选",
            key="overview-clear",
            icon=":material/filter_alt_off:",
            on_click=clear_filters,
            disabled=city is None and kind is None and as_of is None,
        )
        if as_of:
            st.html('<p class="past">正在查看历史日期，催办等操作停用</p>', width="content")
    return Filters(
        level=Level(level or Level.COUNTY),
        colour_by=ColourBy(colour_by or ColourBy.RATIO),
        city=city,
        kind=kind,
        as_of=as_of,
    )


COLOUR_WORDS = {
    ColourBy.RATIO: "按进度",
    ColourBy.STAGE: "按阶段",
    ColourBy.LATENESS: "按滞后",
}
_LEVEL_WORDS = {Level.COUNTY: "县级", Level.CITY: "市级"}


def _kept(name: str, options: Sequence[str], default: str | None) -> dict[str, Any]:
    """Return the arguments of a widget that begins with the address and writes into it.

    A widget bound by Streamlit would put the Chinese words into the address, not the code.
    """
    key = f"overview-{name}"
    asked = choice_parameter(name, list(options))
    if asked is None:
        set_parameter(name, None)
    # Another address than the last one: a link or the browser's way back was followed.
    if key not in st.session_state or st.session_state.get(f"{key}-address") != asked:
        st.session_state[key] = next((o for o in options if o == asked), default)
        st.session_state[f"{key}-address"] = asked
    return {"key": key, "on_change": _keep, "args": (name, default)}


def _keep(name: str, default: str | None) -> None:
    value = st.session_state[f"overview-{name}"]
    _remember(name, None if value == default else value)


def _remember(name: str, value: str | None) -> None:
    set_parameter(name, value)
    st.session_state[f"overview-{name}-address"] = value


def clear_filters() -> None:
    """Show every unit as of today again."""
    narrow({})
    set_parameter("as_of", None)


def narrow(query: Mapping[str, str]) -> None:
    """Filter by the city and the kind of a query, by nothing where it names none."""
    for name in ("city", "kind"):
        st.session_state[f"overview-{name}"] = query.get(name)
        _remember(name, query.get(name))


# --- title and answer ---


def title_note(actor: Actor, frame: cached.Frame, filters: Filters) -> str:
    """Return period, day and freshness, as HTML; the browser keeps the moment fresh."""
    period = cached.period_at(actor, filters.as_of, frame.version)
    name = (
        f"{escape(period.name)}填报期，{moment(period.deadline_at)} 截止"
        if period
        else "尚未开启填报期"
    )
    day = filters.as_of or today()
    if filters.as_of:
        fresh = f"历史情况：{day.year}年{day.month}月{day.day}日 24:00"
    else:
        fresh = f"数据截至 <time data-portal-fresh>{moment(now())}</time>"
    document = f'<a href="{briefing_address(filters)}" download>下载简报</a>'
    return f'<p class="title-note"><span>{name}</span><span>{fresh}</span>{document}</p>'


def briefing_address(filters: Filters) -> str:
    """Return the address of the document that says what the page shows."""
    shown = {"level": filters.level, "colour_by": filters.colour_by}
    return escape(address("/api/briefing.docx", {**shown, **filters.query()}))


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
    summary, months = overview.summary, overview.months
    before = months[-1] if months else None
    late = len(overview.late)
    severe = summary.lateness.get(Lateness.RED, 0)
    compiling = summary.units - summary.merged
    returned = sum(unit.period_state is PeriodState.RETURNED for unit in overview.units)
    unplanned = summary.lateness.get(Lateness.UNPLANNED, 0)
    cards = [
        _card(
            "mean",
            filters,
            "平均进度",
            percent(summary.mean_ratio),
            _points(summary.mean_ratio, before.mean_ratio if before else None),
            [month.mean_ratio for month in months] + [summary.mean_ratio],
        ),
        _card(
            "approved",
            filters,
            "已批复",
            f"{summary.approved} / {compiling}",
            _change(summary.approved, before.approved if before else None),
            [*(month.approved for month in months), summary.approved],
        ),
        _card(
            "late",
            filters,
            "进度滞后",
            f"{late}",
            f"超过 {overview.limits.orange} 天 {severe} 个 · "
            + _change(late, _late(before) if before else None),
            [*(_late(month) for month in months), late],
            alarming=severe > 0,
        ),
        _card(
            "completeness",
            filters,
            "本期报送率",
            percent(summary.completeness.ratio),
            f"{summary.completeness.numerator}/{summary.completeness.denominator} · "
            f"无变化 {summary.no_change} · 退回 {returned}",
            [month.completeness.ratio for month in months] + [summary.completeness.ratio],
        ),
        _card(
            "unplanned",
            filters,
            "未定计划",
            f"{unplanned}",
            f"另有 {summary.merged} 个并入市级",
            [*(month.lateness.get(Lateness.UNPLANNED, 0) for month in months), unplanned],
        ),
    ]
    return f'<div class="figures">{"".join(cards)}</div>'


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
    content = (
        f'<span class="name">{escape(name)}</span>'
        f'<span class="value">{_with_unit(value)}</span>'
        f"{sparkline(history, f'{name}近 {len(history)} 个月')}"
        f'<span class="change">{escape(change)}</span>'
    )
    kind = "figure alarming" if alarming else "figure"
    return link(address("figures", {"figure": figure, **filters.query()}), content, kind)


def _with_unit(value: str) -> str:
    """Return the figure with its unit or its denominator in small type."""
    head, space, unit = value.partition(" ")
    return escape(head) + (f"<small>{space}{escape(unit)}</small>" if unit else "")


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
    return _panel("阶段漏斗", note, bars(rows, ("阶段", "", "已达", "正处于"), "funnel"))


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
        _rank(overview, lambda unit: (unit.kind, unit.kind)),
        "类型",
        lambda key: address("overview", {"kind": key, **_but(filters, "kind")}),
    )
    side = f'<div class="side">{_panel("单位类型", "", by_kind)}{_filing_panel(overview)}</div>'
    return f'<div class="ranking">{_panel("市域排名", "浅色为待认定", by_city)}{side}</div>'


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
    return _panel("本期报送", "", bars(rows, ("", "", "单位"), "filing"))


def _city_of(unit: UnitProgress, names: Mapping[str, str]) -> tuple[str, str]:
    if unit.level == Level.CITY:
        return unit.code, unit.name
    return unit.parent_code, names.get(unit.parent_code, unit.parent_name)


def _but(filters: Filters, name: str) -> dict[str, str]:
    return {key: value for key, value in filters.query().items() if key != name}


def rank_cities(overview: Overview) -> list[Group]:
    """Return the cities, each with its counties, the furthest first."""
    names = {unit.code: unit.name for unit in overview.units}
    return _rank(overview, lambda unit: _city_of(unit, names))


def _rank(overview: Overview, group_of: Callable[[UnitProgress], tuple[str, str]]) -> list[Group]:
    return rank(
        overview.units, group_of, overview.limits, approved_stage=overview.frame.approved_stage
    )


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


def _panel(title: str, note: str, content: str) -> str:
    return (
        f'<section class="panel"><h3>{escape(title)}<small>{escape(note)}</small></h3>'
        f"{content}</section>"
    )


# --- legend and the late ones ---


def legend_html(swatches: Sequence[Swatch], note: str) -> str:
    """Return the legend of the map with the number of units in each class."""
    entries = "".join(_entry(swatch) for swatch in swatches)
    return f'<ul class="legend">{entries}<li class="note">{escape(note)}</li></ul>'


def _entry(swatch: Swatch) -> str:
    kind = ' class="hatched"' if swatch.hatched else ""
    box = f'<i{kind} style="background-color:{swatch.colour}">{swatch.symbol}</i>'
    return f"<li>{box}{escape(swatch.text)}<b>{swatch.count}</b></li>"


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


# --- addresses ---


def address(page: str, query: Mapping[str, str]) -> str:
    """Return the address of a page, relative to this one."""
    return f"{page}?{urlencode(query)}" if query else page


def follow(opened: str) -> None:
    """Open a page by an address that `address` made, or filter this one; others lead nowhere."""
    parts = urlsplit(opened)
    if parts.path == "overview":
        st.rerun()
    if parts.path in _OPENS:
        st.switch_page(page_path(parts.path), query_params=dict(parse_qsl(parts.query)))


def narrow_to_opened(key: str) -> None:
    """Take the filters of an opened link to this page: called before anything is drawn."""
    parts = urlsplit(str(st.session_state[key].get("open") or ""))
    if parts.path == "overview":
        narrow(dict(parse_qsl(parts.query)))


def picture_of(filters: Filters, frame: cached.Frame) -> Picture:
    """Return what the map shows under the filters."""
    return Picture(
        level=filters.level,
        colour_by=filters.colour_by,
        as_of=filters.as_of,
        city=filters.city,
        kind=filters.kind,
        version=frame.version,
    )


def palette_of(filters: Filters, frame: cached.Frame) -> Palette:
    """Return how units are coloured under the filters."""
    return Palette(filters.colour_by, frame.limits, frame.milestones)
