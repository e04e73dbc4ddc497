"""One indicator of a unit through the years, and the units placed near it."""

from collections.abc import Mapping, Sequence
from html import escape

import plotly.graph_objects as go
import streamlit as st

from components import assessment_charts as charts
from components import assessment_reading as reading
from components.assessment_entries import Entry
from components.assessment_figure import figure_address, level_html, number_text
from components.assessment_lines import line_of, targets_of
from components.assessment_points import years_table
from components.assessment_unit import Asked, cache_key
from components.charts import link
from data_access.assessment import AssessedUnit, Place, Point
from domain.access import Actor
from domain.assessment import Direction, ValueKind

_NEAR = 2


def chosen_entry(rows: Sequence[Entry], code: str | None) -> Entry | None:
    """Return the entry of a code, else the gravest; None where there are none."""
    found = next((entry for entry in rows if entry.column.code == code), None)
    return found or max(
        rows,
        key=lambda entry: (entry.is_breach, entry.level.rank, entry.column.is_binding),
        default=None,
    )


def years(actor: Actor, asked: Asked, entry: Entry) -> tuple[go.Figure, str]:
    """Return the indicator's years with its targets and, for ratios, the province's; as a table."""
    reader = reading.comparing(actor)
    province = reading.series_of(reader, reading.province_of(actor)).get(entry.column.code, ())
    return _years(
        asked.unit.code, entry.column.code, asked, entry, province, actor, cache_key(actor, asked)
    )


@st.cache_resource(ttl="15m", max_entries=256, show_spinner=False)
def _years(
    code: str,
    indicator: str,
    _asked: Asked,
    _entry: Entry,
    _province: Sequence[Point],
    _actor: Actor,
    key: object,
) -> tuple[go.Figure, str]:
    column = _entry.column
    lines = [line_of(_asked.unit.name, _entry.points)]
    # A sum of all counties says nothing beside one of them.
    kind = reading.canonicals(_actor)[indicator].value_kind
    if kind in (ValueKind.RATIO, ValueKind.DERIVED):
        lines.append(line_of("全省", _province, is_rated=False))
    targets = targets_of(_entry.points, _entry.result)
    title = f"{_asked.unit.name} · {column.name}"
    return (
        charts.years(title, column.unit, lines, targets, column.decimals),
        years_table([("", column.decimals, [*lines, *targets])]),
    )


# PEERS


def peers_html(actor: Actor, asked: Asked, entry: Entry) -> str:
    """Return the units of its kind around it by place, the first and the last; '' for none."""
    ranked = reading.ranking(actor)
    if ranked is None:
        return '<p class="unit-quiet">其他单位的数据不在您的数据范围内。</p>'
    units = reading.units_of(ranked)
    places = [
        place
        for place in reading.places_of(ranked, asked.year).get(entry.column.code, ())
        if place.place and place.division_code in units
        and units[place.division_code].kind == asked.unit.kind
    ]  # fmt: skip
    if not places:
        return '<p class="unit-quiet">同类单位这一年都没有这项指标的数据。</p>'
    direction = reading.canonicals(actor)[entry.column.code].direction
    plain = direction in (Direction.RANGE, Direction.MONITOR)
    return _peers_table(places, units, asked, entry, "由高到低" if plain else "由优到劣")


def _peers_table(
    places: Sequence[Place],
    units: Mapping[str, AssessedUnit],
    asked: Asked,
    entry: Entry,
    order: str,
) -> str:
    own = next((at for at, p in enumerate(places) if p.division_code == asked.unit.code), None)
    near = range(0, 5) if own is None else range(own - _NEAR, own + _NEAR + 1)
    shown = sorted({0, *near, len(places) - 1} & set(range(len(places))))
    rows = []
    for before, at in zip([-1, *shown], shown, strict=False):
        if at > before + 1:
            rows.append('<tr><td colspan="4" class="quiet">⋯</td></tr>')
        rows.append(_peer_row(at + 1, places[at], units[places[at].division_code], asked, entry))
    title = f"{asked.unit.kind} {len(places)} 个有数据，按{entry.column.name}{order}"
    return (
        f'<p class="unit-quiet">{escape(title)}</p><table class="unit-table peers"><tbody>'
        f"{''.join(rows)}</tbody></table>"
    )


def _peer_row(number: int, place: Place, unit: AssessedUnit, asked: Asked, entry: Entry) -> str:
    to_unit = asked.address(code=unit.code, indicator=entry.column.code)
    own = ' class="own"' if unit.code == asked.unit.code else ""
    value = number_text(place.value, entry.column.decimals)
    figure = link(figure_address(unit.code, entry.column.code, asked.year), value)
    return (
        f'<tr{own}><td class="number">{number}</td><td>{link(to_unit, escape(unit.name))}</td>'
        f'<td class="number">{figure} {escape(entry.column.unit)}</td>'
        f"<td>{level_html(place.level)}</td></tr>"
    )
