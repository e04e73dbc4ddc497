"""The overview as a document to take away: the same figures, words and colours as the page."""

from collections.abc import Sequence
from datetime import date

import streamlit as st

from components import cached
from components.labels import label
from components.map import LATENESS_SYMBOLS, Level, Palette, percent
from components.overview import COLOUR_WORDS
from components.overview_html import answer_sentence
from components.overview_reading import (
    Filters,
    Overview,
    palette_of,
    rank_cities,
    read_overview,
)
from components.session import portal_facts
from data_access import progress
from data_access.briefing_document import write_briefing
from domain.access import Actor
from domain.briefing import Briefing, LegendEntry, MapDrawing, MapName, MapShape, Table
from domain.clock import moment, month_day, now
from domain.overview import LATE, funnel
from domain.progress import Lateness, UnitProgress


def briefing_file(actor: Actor, filters: Filters) -> tuple[str, bytes]:
    """Return file name and content (.docx) of the briefing on the chosen units and day."""
    frame = cached.read_frame(actor, filters.as_of)
    day = progress.moment_of(filters.as_of)[1]
    content = _written(actor, cached.scope_of(actor, frame), frame, filters)
    return f"{_title()}-{day:%Y%m%d}.docx", content


def _title() -> str:
    return f"{portal_facts().province_name}国土空间规划编制进度简报"


@st.cache_resource(ttl="1m", max_entries=16, show_spinner=False, hash_funcs=cached.HASH_FRAME)
def _written(_actor: Actor, scope: cached.Scope, frame: cached.Frame, filters: Filters) -> bytes:
    return write_briefing(_briefing(_actor, frame, filters))


def _briefing(actor: Actor, frame: cached.Frame, filters: Filters) -> Briefing:
    overview = read_overview(actor, frame, filters)
    palette = palette_of(filters, frame)
    shown = overview.on_map(filters.level)
    return Briefing(
        title=_title(),
        lines=_lines(actor, frame, filters, overview),
        answer=answer_sentence(overview),
        figures=_figures(overview),
        map_title=f"进度分布图（{COLOUR_WORDS[filters.colour_by]}，▲ 为滞后单位）",
        drawing=_drawing(actor, frame, filters, shown, palette),
        legend=tuple(
            LegendEntry(f"{swatch.symbol} {swatch.text}".strip(), swatch.colour, swatch.count)
            for swatch in palette.legend(shown)
        ),
        tables=(_late(overview), _ranking(overview), _stages(overview)),
        sources=_sources(frame, overview),
        is_demo=portal_facts().is_demo,
    )


def _lines(
    actor: Actor, frame: cached.Frame, filters: Filters, overview: Overview
) -> tuple[str, ...]:
    period = cached.period_at(actor, filters.as_of, frame.version)
    reported = f"{period.name}填报期" if period else "尚未开启填报期"
    names = {unit.code: unit.name for unit in overview.units}
    city = names.get(filters.city, filters.city) if filters.city else None
    chosen = "、".join(word for word in (city, filters.kind) if word)
    scope = f"范围：{chosen}，{len(overview.units)} 个单位" if chosen else ""
    return tuple(line for line in (f"截至{_as_of(filters.as_of)} · {reported}", scope) if line)


def _as_of(day: date | None) -> str:
    if day is None:
        return f" {now().year}年{moment(now())}"
    return f" {day.year}年{month_day(day)} 24:00"


def _figures(overview: Overview) -> Table:
    summary = overview.summary
    compiling = summary.units - summary.merged
    severe = summary.lateness.get(Lateness.RED, 0)
    rows = (
        ("平均进度", percent(summary.mean_ratio), f"{compiling} 个单独编制单位的算术平均"),
        ("已批复", f"{summary.approved}", f"共 {compiling} 个单独编制单位"),
        (
            "进度滞后",
            f"{len(overview.late)}",
            f"其中超过 {overview.limits.orange} 天 {severe} 个",
        ),
        (
            "本期报送率",
            percent(summary.completeness.ratio),
            f"{summary.completeness.numerator} / {summary.completeness.denominator}",
        ),
        (
            "未定计划",
            f"{summary.lateness.get(Lateness.UNPLANNED, 0)}",
            f"另有 {summary.merged} 个并入市级",
        ),
    )
    return Table("总体情况", ("指标", "数值", "说明"), rows, (False, True, False), (3, 2, 5))


def _drawing(
    actor: Actor,
    frame: cached.Frame,
    filters: Filters,
    shown: Sequence[UnitProgress],
    palette: Palette,
) -> MapDrawing:
    day = progress.moment_of(filters.as_of)[1]
    outlines = cached.shapes_of(actor, filters.level, day, frame.boundaries)
    cities = cached.shapes_of(actor, Level.CITY, day, frame.boundaries)
    drawn = {unit.code for unit in shown}
    with_cities = drawn | {unit.parent_code for unit in shown}
    return MapDrawing(
        shapes=tuple(
            MapShape(
                outlines[unit.code][1],
                palette.colour_of(unit),
                LATENESS_SYMBOLS[unit.lateness(frame.limits)]
                if unit.lateness(frame.limits) in LATE
                else "",
            )
            for unit in shown
            if unit.code in outlines
        ),
        borders=tuple(shape for code, (_, shape) in cities.items() if filters.city in (None, code)),
        names=tuple(
            MapName(place.name, place.longitude, place.latitude)
            for place in cached.labels_of(actor, Level.CITY, day, frame.boundaries)
            if place.code in with_cities
        ),
    )


def _late(overview: Overview) -> Table:
    rows = tuple(
        (
            str(number),
            unit.name,
            unit.parent_name,
            unit.late_stage_name,
            str(unit.late_since or "—"),
            str(unit.late_days),
            unit.responsible_name or "—",
        )
        for number, unit in enumerate(overview.late, start=1)
    )
    heads = ("序号", "单位", "所属", "滞后阶段", "自", "滞后（天）", "责任人")
    numbers = (True, False, False, False, False, True, False)
    nothing = "没有滞后单位：已定计划的阶段均按期完成。"
    return Table("滞后单位", heads, rows, numbers, (2, 4, 4, 7, 5, 4, 3), nothing)


def _ranking(overview: Overview) -> Table:
    rows = tuple(
        (
            str(number),
            group.name,
            percent(group.mean_ratio),
            percent(group.mean_pending),
            f"{group.approved} / {group.units}",
            str(group.late),
        )
        for number, group in enumerate(rank_cities(overview), start=1)
    )
    heads = ("名次", "设区市", "平均进度", "另有待认定", "已批复", "滞后")
    numbers = (True, False, True, True, True, True)
    nothing = "所选范围内没有填报单位。"
    return Table("市域排名", heads, rows, numbers, (2, 4, 3, 3, 3, 2), nothing)


def _stages(overview: Overview) -> Table:
    rows = tuple(
        (step.stage.name, str(step.reached), str(step.standing))
        for step in funnel(overview.units, overview.frame.stages)
    )
    return Table("各阶段单位数", ("阶段", "已达", "正处于"), rows, (False, True, True), (5, 2, 2))


def _sources(frame: cached.Frame, overview: Overview) -> tuple[str, ...]:
    limits = overview.limits
    return (
        "一、进度由省级认定、附有佐证材料的里程碑按阶段权重累加；已填报未认定的单列，不参与排名。",
        f"二、滞后按已认定的基准计划日期计算，以 {limits.yellow}、{limits.orange} 天分三级；"
        f"{label(Lateness.UNPLANNED)}、{label(Lateness.MERGED)}的单位不计入滞后名单。",
        f"三、数据版本 {frame.version}；各项数字可在系统“数字来源”页面核对到填报人、认定人和版本。",
    )
