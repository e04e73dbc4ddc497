"""Up to six units or six years side by side: every indicator as a row, small charts below."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from html import escape

import plotly.graph_objects as go
import streamlit as st

from components import assessment_charts as charts
from components import assessment_reading as reading
from components.assessment_charts import Line, Small
from components.assessment_figure import figure_address, level_html, number_text
from components.assessment_lines import line_of
from components.assessment_matrix import Column, Row, read_matrix, scope_key, set_title
from components.assessment_points import years_table
from components.charts import link
from components.labels import label
from components.links import address
from data_access import table_workbook
from data_access.assessment import AssessedUnit
from data_access.change_listener import Topic, mark
from domain.access import Actor
from domain.assessment import Level, Tier

PAGE = "assessment_comparison"
MOST = 6
WAYS = {"units": "比单位", "years": "比年度"}
_MOST_ACROSS, _LEAST_WIDTH = 4, 260  # pixels


@dataclass(frozen=True, slots=True)
class Side:
    """What stands in one column: a unit in a year."""

    name: str
    unit: AssessedUnit
    year: int


@dataclass(frozen=True, slots=True)
class Asked:
    """What the page is asked to show; its address carries it."""

    set_code: str
    tier: Tier | None
    way: str
    sides: tuple[Side, ...]

    @property
    def title(self) -> str:
        """What is compared, in words."""
        if self.way == "units":
            return f"{self.sides[0].year} 年{'、'.join(side.name for side in self.sides)}"
        return f"{self.sides[0].unit.name} {'、'.join(side.name for side in self.sides)}"


@dataclass(frozen=True, slots=True)
class Cell:
    side: Side
    value: Decimal | None
    level: Level
    is_breach: bool


@dataclass(frozen=True, slots=True)
class Comparison:
    """The indicators of the set, each with a cell a side; `rows` are the sides as wholes."""

    columns: tuple[Column, ...]
    cells: tuple[tuple[Cell, ...], ...]
    rows: tuple[Row | None, ...]


def compare(actor: Actor, asked: Asked) -> Comparison:
    """Return every indicator of every side."""
    return _compare(actor, asked, _key(actor, asked))


def _key(actor: Actor, asked: Asked) -> tuple[object, ...]:
    sides = tuple((side.unit.code, side.year) for side in asked.sides)
    marked = mark(Topic.ASSESSMENT, Topic.SETTINGS)
    return scope_key(actor), asked.set_code, asked.tier, asked.way, sides, marked


@st.cache_resource(ttl="15m", max_entries=128, show_spinner=False)
def _compare(_actor: Actor, _asked: Asked, key: object) -> Comparison:
    matrices = [
        read_matrix(_actor, _asked.set_code, _asked.tier, side.year) for side in _asked.sides
    ]
    rows = tuple(
        matrix.row_of(side.unit.code) for matrix, side in zip(matrices, _asked.sides, strict=True)
    )
    columns = matrices[0].columns
    cells = tuple(
        tuple(_cell(side, row, at) for side, row in zip(_asked.sides, rows, strict=True))
        for at in range(len(columns))
    )
    return Comparison(columns, cells, rows)


def _cell(side: Side, row: Row | None, at: int) -> Cell:
    if row is None:
        return Cell(side, None, Level.NO_DATA, is_breach=False)
    return Cell(side, row.values[at], row.levels[at], at in row.breaches)


def answer(asked: Asked, found: Comparison) -> str:
    """Return what the comparison says in one sentence made from data."""
    if len(asked.sides) == 1:
        return f"{asked.title}：再选至多 {MOST - 1} 个并列比较。"
    said = []
    for side, row in zip(asked.sides, found.rows, strict=True):
        if row is None or not row.standing.filled:
            said.append(f"{side.name}没有数据")
        else:
            rated = row.standing.total - row.standing.no_data - row.standing.unrated
            said.append(f"{side.name} {row.standing.normal}/{rated}")
    return f"{len(found.columns)} 项指标中正常的/已评级的：{'，'.join(said)}。"


def table_html(actor: Actor, asked: Asked, found: Comparison) -> str:
    """Return indicators as rows and sides as columns; every figure opens its record."""
    return _table_html(asked, found, _key(actor, asked))


@st.cache_resource(ttl="15m", max_entries=128, show_spinner=False)
def _table_html(_asked: Asked, _found: Comparison, key: object) -> str:
    heads = "".join(f'<th class="number">{_side_link(side)}</th>' for side in _asked.sides)
    body, dimension = [], ""
    for column, cells in zip(_found.columns, _found.cells, strict=True):
        if column.dimension != dimension:
            dimension = column.dimension
            span = 2 + len(_asked.sides)
            body.append(f'<tr class="group"><th colspan="{span}">{escape(dimension)}</th></tr>')
        year = str(_asked.sides[0].year)
        name = link(
            address("assessment_indicator", {"code": column.code, "year": year}),
            escape(column.name),
        )
        binding = '<b title="约束性指标">●</b>' if column.is_binding else ""
        figures = "".join(_cell_html(column, cell) for cell in cells)
        body.append(
            f'<tr><td class="name">{binding}{name}</td><td>{escape(column.unit)}</td>{figures}</tr>'
        )
    return (
        '<div class="unit-scroll"><table class="unit-table indicators compared"><thead><tr>'
        f"<th>指标</th><th>单位</th>{heads}</tr></thead><tbody>{''.join(body)}</tbody></table></div>"
    )


def _side_link(side: Side) -> str:
    to_unit = address("assessment_unit", {"code": side.unit.code, "year": str(side.year)})
    return link(to_unit, escape(side.name))


def _cell_html(column: Column, cell: Cell) -> str:
    opens = figure_address(cell.side.unit.code, column.code, cell.side.year)
    value = number_text(cell.value, column.decimals)
    kind = "" if cell.value is not None else "quiet"
    broken = " broken" if cell.is_breach else ""
    return (
        f'<td class="number{broken}" data-head="{escape(cell.side.name)}">'
        f"{link(opens, value, kind)}<small>{level_html(cell.level)}</small></td>"
    )


def workbook_columns(asked: Asked) -> list[table_workbook.Column]:
    """Return the columns of the table as a workbook has them: a value and a level a side."""
    found = [
        table_workbook.Column("维度"),
        table_workbook.Column("指标", "", 34),
        table_workbook.Column("单位", "", 10),
    ]
    for side in asked.sides:
        found += [
            table_workbook.Column(side.name, "#,##0.00####"),
            table_workbook.Column(f"{side.name}等级", "", 12),
        ]
    return found


def workbook_rows(found: Comparison) -> list[list[object]]:
    """Return the table's rows for a workbook; missing is an empty cell."""
    return [
        [
            column.dimension,
            column.name,
            column.unit,
            *(value for cell in cells for value in (cell.value, label(cell.level))),
        ]
        for column, cells in zip(found.columns, found.cells, strict=True)
    ]


def multiples(
    actor: Actor, asked: Asked, found: Comparison, dimension: str, width: int
) -> tuple[go.Figure, str]:
    """Return a small chart an indicator of a dimension: the years of each side; as a table.

    `width` is the room for a row of them, in pixels.
    """
    across = min(max(width // _LEAST_WIDTH, 1), _MOST_ACROSS)
    return _multiples(actor, asked, found, dimension, across, _key(actor, asked))


@st.cache_resource(ttl="15m", max_entries=128, show_spinner=False)
def _multiples(
    _actor: Actor, _asked: Asked, _found: Comparison, dimension: str, across: int, key: object
) -> tuple[go.Figure, str]:
    columns = [column for column in _found.columns if column.dimension == dimension]
    lines = [_lines(_actor, _asked, column.code) for column in columns]
    names = [f"{column.name}（{column.unit}）" for column in columns]
    small = [Small(charts.short(name, 22), each) for name, each in zip(names, lines, strict=True)]
    title = f"{charts.short(_asked.title, 40)} · {dimension}"
    decimals = [column.decimals for column in columns]
    table = years_table(list(zip(names, decimals, lines, strict=True)))
    of_set = set_title(_actor, _asked.set_code)
    return charts.multiples(title, of_set, small, across), table


def _lines(actor: Actor, asked: Asked, code: str) -> tuple[Line, ...]:
    """Return a line a unit; of one unit's years the chosen ones alone."""
    units = list(dict.fromkeys(side.unit for side in asked.sides))
    lines = [
        line_of(unit.name, reading.series_of(actor, unit.code).get(code, ())) for unit in units
    ]
    if asked.way == "years":
        return tuple(_of_years(line, {side.year for side in asked.sides}) for line in lines)
    return tuple(lines)


def _of_years(line: Line, wanted: set[int]) -> Line:
    kept = [at for at, year in enumerate(line.years) if year in wanted]
    return Line(
        line.name,
        tuple(line.years[at] for at in kept),
        tuple(line.values[at] for at in kept),
        tuple(line.opens[at] for at in kept),
    )


def names_of(units: Sequence[AssessedUnit]) -> dict[str, str]:
    """Return what units are called in a list of all: with the city where it is not their own."""
    return {
        unit.code: unit.name if unit.level == "city" else f"{unit.name}（{unit.parent_name}）"
        for unit in units
    }
