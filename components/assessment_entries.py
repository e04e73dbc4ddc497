"""The indicators of a unit as the table says them: value, target, gap, change, place, level."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from html import escape

import streamlit as st

from components import assessment_reading as reading
from components.assessment_figure import figure_address, level_html, number_text
from components.assessment_matrix import Column
from components.assessment_unit import Asked, cache_key
from components.charts import link, sparkline
from components.labels import label
from components.links import address
from data_access import table_workbook
from data_access.assessment import Place, Point, UnitResult
from domain.access import Actor
from domain.assessment import Level, TargetState

HEADS = (
    "维度", "指标", "数值", "单位", "目标", "目标年", "与目标之差", "上年值", "较上年", "位次",
    "同级单位数", "等级", "突破约束性指标",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Entry:
    """One indicator of the unit as the table says it."""

    column: Column
    result: UnitResult | None
    level: Level
    is_breach: bool
    place: Place | None
    points: tuple[Point, ...]

    @property
    def value(self) -> Decimal | None:
        return self.result.value if self.result else None

    @property
    def target(self) -> Decimal | None:
        return self.result.target_value if self.result else None

    @property
    def gap(self) -> Decimal | None:
        """The value less its target; None without either."""
        if self.value is None or self.target is None:
            return None
        return self.value - self.target

    @property
    def change(self) -> str:
        """The change to the year before: in points of a percentage, else in per cent of it."""
        before = self.result.previous if self.result else None
        if self.value is None or before is None:
            return "—"
        if self.column.unit == "%":
            return f"{self.value - before:+,.2f} 个百分点"
        share = round((self.value - before) / abs(before), 3) if before else None
        return "—" if share is None else f"{share:+.1%}" if share else "持平"


def entries(actor: Actor, asked: Asked) -> tuple[Entry, ...]:
    """Return the unit's indicators, by dimension, what is binding first in each."""
    return _entries(actor, asked.unit.code, asked, cache_key(actor, asked))


@st.cache_resource(ttl="15m", max_entries=256, show_spinner=False)
def _entries(_actor: Actor, code: str, _asked: Asked, key: object) -> tuple[Entry, ...]:
    results = reading.results_of(_actor, code, _asked.year)
    series = reading.series_of(_actor, code)
    places = reading.places_of(_actor, _asked.year)

    def entry(at: int, column: Column) -> Entry:
        place = next((p for p in places.get(column.code, ()) if p.division_code == code), None)
        return Entry(
            column,
            results.get(column.code),
            _asked.row.levels[at],
            at in _asked.row.breaches,
            place,
            series.get(column.code, ()),
        )

    return tuple(entry(at, column) for at, column in enumerate(_asked.matrix.columns))


def table_html(actor: Actor, asked: Asked, dimension: str) -> str:
    """Return the table of the unit's indicators, of one dimension or ('') of all.

    Every figure opens its record.
    """
    shown = entries(actor, asked)
    return _table_html(asked.unit.code, dimension, shown, asked, cache_key(actor, asked))


@st.cache_resource(ttl="15m", max_entries=256, show_spinner=False)
def _table_html(
    code: str, narrowed: str, _entries: Sequence[Entry], _asked: Asked, key: object
) -> str:
    heads = (
        ("指标", ""), ("数值", "number"), ("单位", ""), ("目标", "number"),
        ("与目标之差", "number"), ("较上年", "number"), ("同级位次", "number"),
        ("等级", ""), ("历年", ""),
    )  # fmt: skip
    head = "".join(f'<th class="{kind}">{text}</th>' for text, kind in heads)
    body, dimension = [], ""
    for entry in _entries:
        if narrowed not in ("", entry.column.dimension):
            continue
        if entry.column.dimension != dimension:
            dimension = entry.column.dimension
            body.append(
                f'<tr class="group"><th colspan="{len(heads)}">{escape(dimension)}</th></tr>'
            )
        body.append(_row_html(entry, _asked))
    return (
        '<div class="unit-scroll"><table class="unit-table indicators entries">'
        f"<thead><tr>{head}</tr></thead><tbody>{''.join(body)}</tbody></table></div>"
    )


def _row_html(entry: Entry, asked: Asked) -> str:
    column, code = entry.column, entry.column.code
    opens = figure_address(asked.unit.code, code, asked.year)
    of_indicator = address("assessment_indicator", {"code": code, "year": str(asked.year)})
    binding = '<b title="约束性指标">●</b>' if column.is_binding else ""
    value = number_text(entry.value, column.decimals)
    spark = sparkline(
        [None if point.value is None else float(point.value) for point in entry.points],
        f"{column.name}历年",
    )
    later = link(asked.address(indicator=code), spark or "历年", "years")
    cells = (
        f'<td class="name">{binding}{link(of_indicator, escape(column.name))}</td>'
        f'<td class="number" data-unit="{escape(column.unit)}">'
        f"{link(opens, value, '' if entry.value is not None else 'quiet')}</td>"
        f"<td>{escape(column.unit)}</td>"
        f'<td class="number" data-head="目标">{target_html(entry)}</td>'
        f'<td class="number" data-head="与目标之差">{_signed(entry.gap, column.decimals)}</td>'
        f'<td class="number" data-head="较上年">{entry.change}</td>'
        f'<td class="number" data-head="同级位次">{_place_text(entry.place)}</td>'
        f"<td>{level_html(entry.level)}{_why(entry)}</td><td>{later}</td>"
    )
    kind = "broken" if entry.is_breach else ""
    return f'<tr class="{kind}">{cells}</tr>'


def _why(entry: Entry) -> str:
    return "<small>突破约束性指标</small>" if entry.is_breach else ""


def target_html(entry: Entry) -> str:
    """Return the target with its year, 未下达 for what was not issued, — where none is expected."""
    result = entry.result
    if result is None or result.target_state is None:
        return "—"
    if result.target_state == TargetState.NOT_ISSUED or result.target_value is None:
        return f'<span class="quiet">{label(TargetState.NOT_ISSUED)}</span>'
    return f"{result.target_value:,.{entry.column.decimals}f}<small>{result.target_year} 年</small>"


def _signed(number: Decimal | None, decimals: int) -> str:
    return "—" if number is None else f"{number:+,.{decimals}f}"


def _place_text(place: Place | None) -> str:
    return f"{place.place}/{place.places}" if place and place.place else "—"


def workbook_columns() -> list[table_workbook.Column]:
    """Return the columns of the table as a workbook has them."""
    number = "#,##0.00####"
    looks = {"数值": number, "目标": number, "与目标之差": number, "上年值": number,
             "目标年": "0", "位次": "0", "同级单位数": "0"}  # fmt: skip
    return [
        table_workbook.Column(head, looks.get(head, ""), 34 if head == "指标" else 13)
        for head in HEADS
    ]


def workbook_rows(rows: Sequence[Entry]) -> list[list[object]]:
    """Return the table's rows for a workbook; missing is an empty cell."""
    return [
        [
            entry.column.dimension,
            entry.column.name,
            entry.value,
            entry.column.unit,
            entry.target if not _not_issued(entry) else label(TargetState.NOT_ISSUED),
            entry.result.target_year if entry.result and entry.target is not None else None,
            entry.gap,
            entry.result.previous if entry.result else None,
            None if entry.change == "—" else entry.change,
            entry.place.place if entry.place else None,
            entry.place.places if entry.place else None,
            label(entry.level),
            "是" if entry.is_breach else "",
        ]
        for entry in rows
    ]


def _not_issued(entry: Entry) -> bool:
    return entry.result is not None and entry.result.target_state == TargetState.NOT_ISSUED
