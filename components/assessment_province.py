"""The province's years of one indicator: as a line with what was due, and as a table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from html import escape

import plotly.graph_objects as go
import streamlit as st

from components import assessment_charts as charts
from components import assessment_reading as reading
from components.assessment_charts import Line
from components.assessment_figure import figure_address, level_html, number_text
from components.assessment_indicator import Asked, cache_key, is_part, parts_text
from components.assessment_lines import line_of, targets_of
from components.assessment_matrix import list_years
from components.charts import link
from components.labels import label
from data_access.assessment import Point, UnitResult
from domain.access import Actor
from domain.assessment import TargetState


@dataclass(frozen=True, slots=True)
class ProvinceYear:
    """One year of the province: its figure, how many of its counties are in it, the target."""

    year: int
    result: UnitResult | None


def province_years(actor: Actor, asked: Asked) -> tuple[ProvinceYear, ...]:
    """Return the province's years, the first one first."""
    reader, province = reading.comparing(actor), reading.province_of(actor)
    code = asked.canonical.canonical_code
    return tuple(
        ProvinceYear(year, reading.results_of(reader, province, year).get(code))
        for year in reversed(list_years(actor))
    )


def years_figure(actor: Actor, asked: Asked) -> go.Figure:
    """Return the province's years with what was due."""
    return _years_figure(cache_key(actor, asked), asked, actor)


@st.cache_resource(ttl="15m", max_entries=256, show_spinner=False)
def _years_figure(key: object, _asked: Asked, _actor: Actor) -> go.Figure:
    reader, province = reading.comparing(_actor), reading.province_of(_actor)
    code = _asked.canonical.canonical_code
    points = reading.series_of(reader, province).get(code, ())
    whole = _parts_lines(_asked, points, {y.year: y.result for y in province_years(_actor, _asked)})
    return charts.years(
        f"全省{_asked.canonical.name}",
        _asked.unit,
        whole,
        targets_of(points, None),
        _asked.canonical.decimals,
    )


def _parts_lines(
    asked: Asked, points: Sequence[Point], results: Mapping[int, UnitResult | None]
) -> list[Line]:
    """Return the province's years; a sum to which counties are missing stands apart."""
    line = line_of("全省", points, is_rated=False)
    told = tuple(parts_text(results.get(year)) for year in line.years)
    lacking = [is_part(asked, results.get(year)) for year in line.years]
    if not any(lacking):
        return [replace(line, told=told)]

    def kept(part: bool) -> tuple[float | None, ...]:
        pairs = zip(line.values, lacking, strict=True)
        return tuple(value if each is part else None for value, each in pairs)

    apart = replace(line, name="未报齐，不可比", values=kept(True), told=told, is_apart=True)
    return [replace(line, values=kept(False), told=told), apart]


def years_html(actor: Actor, asked: Asked) -> str:
    """Return the province's years as a table: figure, target, how many counties, level."""
    province, years = reading.province_of(actor), province_years(actor, asked)
    heads = ("年", f"全省值（{asked.unit}）", "目标", "有数据的县", "等级")
    kinds = ("", "number", "number", "number", "")
    head = "".join(
        f'<th class="{kind}">{escape(text)}</th>' for kind, text in zip(kinds, heads, strict=True)
    )
    body = "".join(_year_html(asked, province, each) for each in reversed(years))
    return (
        f'<table class="unit-table years"><thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table>"
    )


def _year_html(asked: Asked, province: str, each: ProvinceYear) -> str:
    result = each.result
    if result is None:
        return f'<tr><td>{each.year}</td><td colspan="4" class="quiet">没有数据</td></tr>'
    target = "—"
    if result.target_state == TargetState.NOT_ISSUED:
        target = label(TargetState.NOT_ISSUED)
    elif result.target_value is not None:
        value = number_text(result.target_value, asked.canonical.decimals)
        target = f"{value}<small>{result.target_year} 年</small>"
    parts = "—" if result.parts_expected is None else f"{result.parts}/{result.parts_expected}"
    opens = figure_address(province, asked.canonical.canonical_code, each.year)
    value = link(opens, number_text(result.value, asked.canonical.decimals))
    return (
        f'<tr><td>{each.year}</td><td class="number">{value}</td>'
        f'<td class="number">{target}</td><td class="number">{parts}</td>'
        f"<td>{level_html(result.level)}</td></tr>"
    )
