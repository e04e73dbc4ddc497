"""The warning matrix of a year: read once for everybody who sees the same, drawn in the browser.

No cell passes through the script: the browser fetches the matrix from its route.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import streamlit as st

from components.labels import label, unit_text
from data_access import assessment, indicators
from data_access.assessment import AssessedUnit, UnitLevel
from data_access.change_listener import Topic, mark
from data_access.database import Connection
from data_access.indicators import Canonical, Indicator, IndicatorSet
from data_access.read_replica import read
from domain.access import Actor
from domain.assessment import Attribute, Level, Tier

_ASSETS = Path(__file__).parents[1] / "assets"
LEVELS = tuple(Level)
WORST = "worst"
COLOURS: Mapping[Level, str] = {
    Level.NO_DATA: "#C9CED3",
    Level.UNRATED: "#EEF1F4",
    Level.NORMAL: "#7FB69A",
    Level.HINT: "#6FA8DC",
    Level.WATCH: "#F2C94C",
    Level.WARN: "#E67E22",
    Level.SEVERE: "#B8322A",
}
# A shape beside the colour, for eyes that do not tell the colours apart.
SYMBOLS: Mapping[Level, str] = {
    Level.HINT: "○",
    Level.WATCH: "△",
    Level.WARN: "▲",
    Level.SEVERE: "◆",
}
_element = st.components.v2.component(
    "assessment_matrix",
    css=(_ASSETS / "assessment_matrix.css").read_text("utf-8"),
    js=(_ASSETS / "assessment_matrix.js").read_text("utf-8"),
)


@dataclass(frozen=True, slots=True)
class Column:
    """An indicator of the set, as the head of the matrix names it."""

    code: str
    name: str
    unit: str
    dimension: str
    decimals: int
    is_binding: bool
    lower_is_better: bool


@dataclass(frozen=True, slots=True)
class Row:
    """A unit: its levels and its values in the order of the columns, None for what is missing."""

    unit: AssessedUnit
    standing: UnitLevel
    levels: tuple[Level, ...]
    values: tuple[Decimal | None, ...]
    breaches: frozenset[int]
    """The columns in which something binding is broken."""


@dataclass(frozen=True, slots=True)
class Matrix:
    """A year of a set, of the units in the reader's scope, by code."""

    set_code: str
    year: int
    rule_version: int
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]

    def row_of(self, code: str) -> Row | None:
        """Return the row of a unit, None outside the scope."""
        return next((row for row in self.rows if row.unit.code == code), None)


def scope_key(actor: Actor) -> tuple[tuple[str, str, str | None], ...]:
    """Return what tells apart whom the database shows different figures: places and subjects."""
    return tuple(sorted({(g.role.value, g.prefix, g.subject) for g in actor.grants}, key=str))


def list_sets(actor: Actor) -> tuple[IndicatorSet, ...]:
    """Return the sets of indicators in their order."""
    return _list_sets(actor, mark(Topic.ASSESSMENT, Topic.FORMS))


@st.cache_resource(ttl="15m", max_entries=8, show_spinner=False)
def _list_sets(_actor: Actor, marked: int) -> tuple[IndicatorSet, ...]:
    return tuple(read(_actor, indicators.list_sets))


def list_years(actor: Actor) -> tuple[int, ...]:
    """Return the data years that are assessed, the newest first."""
    return _list_years(actor, mark(Topic.ASSESSMENT, Topic.FORMS))


@st.cache_resource(ttl="15m", max_entries=8, show_spinner=False)
def _list_years(_actor: Actor, marked: int) -> tuple[int, ...]:
    return tuple(reversed(read(_actor, assessment.list_years)))


def set_title(actor: Actor, set_code: str) -> str:
    """Return what a set of indicators is called, its code where it is unknown."""
    return next((s.title for s in list_sets(actor) if s.set_code == set_code), set_code)


def read_matrix(actor: Actor, set_code: str, tier: Tier | None, year: int) -> Matrix:
    """Return the matrix of a set's indicators, all that apply or of one tier."""
    return _read_matrix(actor, scope_key(actor), set_code, tier, year, mark(Topic.ASSESSMENT))


@st.cache_resource(ttl="15m", max_entries=64, show_spinner=False)
def _read_matrix(
    _actor: Actor, scope: object, set_code: str, tier: Tier | None, year: int, marked: int
) -> Matrix:
    return read(_actor, lambda connection: _matrix(connection, set_code, tier, year))


def _matrix(connection: Connection, set_code: str, tier: Tier | None, year: int) -> Matrix:
    known = {each.canonical_code: each for each in indicators.list_canonicals(connection)}
    columns = _in_order(
        [
            _column(each, known[each.canonical_code])
            for each in indicators.list_indicators(connection, set_code)
            if each.is_applicable and tier in (None, each.tier)
        ]
    )
    codes = [column.code for column in columns]
    version = assessment.rules_of(connection, year)
    place = {code: index for index, code in enumerate(codes)}
    cells: dict[str, dict[int, assessment.Cell]] = {}
    for cell in assessment.list_cells(connection, year, codes, version):
        cells.setdefault(cell.division_code, {})[place[cell.canonical_code]] = cell
    standing = {
        each.division_code: each
        for each in assessment.list_unit_levels(connection, year, codes, version)
    }
    rows = tuple(
        _row(unit, standing[unit.code], cells[unit.code], len(codes))
        for unit in assessment.list_units(connection)
        if unit.code in standing
    )
    return Matrix(set_code, year, version, columns, rows)


def _in_order(columns: list[Column]) -> tuple[Column, ...]:
    """Return the columns by dimension, in the set's order, what is binding first in each."""
    dimensions = list(dict.fromkeys(column.dimension for column in columns))
    return tuple(
        sorted(
            columns,
            key=lambda column: (dimensions.index(column.dimension), not column.is_binding),
        )
    )


def _column(defined: Indicator, canonical: Canonical) -> Column:
    return Column(
        code=defined.canonical_code,
        name=defined.name,
        unit=unit_text(canonical.unit),
        dimension=defined.dimension,
        decimals=canonical.decimals,
        is_binding=Attribute.BINDING in (defined.attribute, canonical.attribute),
        lower_is_better=canonical.direction
        in ("lower_better", "binding_ceiling", "zero_tolerance"),
    )


def _row(
    unit: AssessedUnit, standing: UnitLevel, cells: Mapping[int, assessment.Cell], count: int
) -> Row:
    found = [cells.get(index) for index in range(count)]
    return Row(
        unit,
        standing,
        tuple(cell.level if cell else Level.NO_DATA for cell in found),
        tuple(cell.value if cell else None for cell in found),
        frozenset(index for index, cell in enumerate(found) if cell and cell.is_breach),
    )


def describe(matrix: Matrix) -> dict[str, Any]:
    """Return the matrix as the browser draws it: a level is one digit, 0 no data to 6 severe."""
    return {
        "year": matrix.year,
        "rules": matrix.rule_version,
        "levels": [label(level) for level in LEVELS],
        "symbols": [SYMBOLS.get(level, "") for level in LEVELS],
        "columns": [asdict(column) for column in matrix.columns],
        "rows": [_describe_row(row, matrix.columns) for row in matrix.rows],
    }


def _describe_row(row: Row, columns: tuple[Column, ...]) -> dict[str, Any]:
    return {
        "code": row.unit.code,
        "name": row.unit.name,
        "parent": row.unit.parent_name,
        "city": row.unit.code if row.unit.level == "city" else row.unit.parent_code,
        "level": row.unit.level,
        "kind": row.unit.kind,
        "worst": row.standing.worst_rank,
        "breaches": row.standing.breaches,
        "counts": [row.standing.severe, row.standing.warn, row.standing.watch, row.standing.hint],
        "filled": row.standing.filled,
        "levels": "".join(str(LEVELS.index(level)) for level in row.levels),
        "values": [
            None if value is None else round(float(value), column.decimals)
            for value, column in zip(row.values, columns, strict=True)
        ],
        "broken": sorted(row.breaches),
    }


def level_of(row: Row, matrix: Matrix, by: str) -> tuple[Level, str, str]:
    """Return the level that a unit is coloured by, with its figure and its state in words."""
    index = next((at for at, each in enumerate(matrix.columns) if each.code == by), None)
    if index is None:
        count = row.standing
        grave = f"红 {count.severe}、橙 {count.warn}、黄 {count.watch}、蓝 {count.hint}"
        filled = f"填报 {count.filled}/{count.total}"
        return count.worst, f"最高等级：{label(count.worst)}", f"{grave}；{filled}"
    column, value = matrix.columns[index], row.values[index]
    figure = "未填报" if value is None else f"{value:,.{column.decimals}f} {column.unit}"
    return row.levels[index], f"{column.name} {figure}", label(row.levels[index])


def draw_matrix(url: str, order: str, version: str, key: str) -> tuple[str | None, str | None]:
    """Draw the matrix of a route; return the link opened in this run and the order chosen in it."""
    result: Any = _element(
        key=key,
        data={"url": url, "order": order, "version": version},
        on_open_change=lambda: None,
        on_order_change=lambda: None,
    )
    opened, chosen = result.get("open"), result.get("order")
    return (
        opened if isinstance(opened, str) else None,
        chosen if isinstance(chosen, str) else None,
    )
