"""What the page of the status assessment says: filters in its address, answer, figures, the map."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from urllib.parse import parse_qsl, urlencode, urlsplit

import pydeck
import streamlit as st

from components.assessment_figure import level_html
from components.assessment_filters import segments, select, set_and_tier, year_of
from components.assessment_matrix import (
    COLOURS,
    SYMBOLS,
    WORST,
    Matrix,
    Row,
    level_of,
    list_years,
    read_matrix,
    scope_key,
)
from components.charts import link
from components.labels import label
from components.links import address, page_path
from components.map import (
    TOOLTIP_STYLE,
    ColourBy,
    Picture,
    Swatch,
    border_layer,
    clicked_code,
    fit,
    names_layer,
    percent,
)
from components.map import Level as MapLevel
from components.url_parameters import choice_parameter, set_parameter, take_opened
from components.watch import Screen, watch
from data_access import indicator_warnings, table_workbook
from data_access.change_listener import Topic, mark
from data_access.indicator_warnings import LevelCount
from data_access.layers import Extent
from data_access.read_replica import read
from domain.access import Actor
from domain.assessment import Level, Tier
from domain.clock import today

VIEWS = {"matrix": "预警矩阵", "map": "预警地图"}
_ORDERS = ("code", "level", "filled")
_PAGES = (
    "assessment",
    "assessment_figure",
    "assessment_unit",
    "assessment_indicator",
    "assessment_comparison",
    "indicator_warnings",
)
_LEVELS = {"county": "县级", "city": "市级"}


@dataclass(frozen=True, slots=True)
class Asked:
    """What the page is asked to show; its address carries it."""

    set_code: str
    tier: Tier | None
    year: int
    city: str | None
    kind: str | None
    view: str
    by: str
    """A canonical code, or `worst`: what the map is coloured by."""
    level: str

    def url(self, route: str, **more: str | None) -> str:
        """Return the address of a route of this set, tier and year."""
        fields = {"set": self.set_code, "tier": self.tier, "year": self.year, **more}
        query = urlencode({name: value for name, value in fields.items() if value})
        return f"/api/assessment/{route}?{query}"

    def narrowed(self, rows: Sequence[Row]) -> list[Row]:
        """Return the rows of the chosen city and kind."""
        return [
            row
            for row in rows
            if self.city in (None, row.unit.code, row.unit.parent_code)
            and self.kind in (None, row.unit.kind)
        ]


def filter_row(actor: Actor) -> tuple[Asked, Matrix] | None:
    """Draw set, tier, year and view in one row, kept in the address; None without any year.

    Returns what is asked, with the matrix of the set, tier and year.
    """
    if not list_years(actor):
        return None
    with st.container(key="assessment-filters", horizontal=True, vertical_alignment="center"):
        view = segments("view", VIEWS, "matrix")
        set_code, shown = set_and_tier(actor)
        year = year_of(actor)
        rest = st.container(key="assessment-narrow", horizontal=True, vertical_alignment="center")
    assert year is not None
    matrix = read_matrix(actor, set_code, shown, year)
    units = [row.unit for row in matrix.rows]
    cities = {unit.code: unit.name for unit in units if unit.level == "city"}
    kinds = {unit.kind: unit.kind for unit in units}
    with rest:
        city = select("city", cities, None, 140, "全部设区市") if len(cities) > 1 else None
        kind = select("kind", kinds, None, 120, "全部类型") if len(kinds) > 1 else None
    asked = Asked(
        set_code=set_code,
        tier=shown,
        year=year,
        city=city or None,
        kind=kind or None,
        view=view,
        by=st.query_params.get("by", WORST),
        level=choice_parameter("level", list(_LEVELS)) or "county",
    )
    return asked, matrix


# ANSWER AND FIGURES


def answer_html(rows: Sequence[Row], asked: Asked) -> str:
    """Return how the chosen units stand in one sentence made from data."""
    if not rows:
        return '<p class="answer">所选范围内没有评估单位，请调整筛选条件。</p>'
    count = {level: sum(row.standing.worst is level for row in rows) for level in Level}
    broken = sum(row.standing.breaches > 0 for row in rows)
    said = f"{asked.year} 年，{len(rows)} 个单位中 {count[Level.SEVERE]} 个有红色预警"
    said += f"，其中 {broken} 个突破约束性指标" if broken else "，没有突破约束性指标的"
    silent = sum(row.standing.filled == 0 for row in rows)
    if silent:
        said += f"；{silent} 个尚无认定数据，不作评价"
    return f'<p class="answer">{escape(said)}。</p>'


def figures_html(rows: Sequence[Row], in_hand: Sequence[LevelCount], asked: Asked) -> str:
    """Return the five figures: breaches, red, orange, how complete, and what is in hand."""
    total = sum(row.standing.total for row in rows)
    filled = sum(row.standing.filled for row in rows)
    rated = sum(row.standing.total - row.standing.no_data - row.standing.unrated for row in rows)
    normal = sum(row.standing.normal for row in rows)
    severe = sum(row.standing.severe for row in rows)
    warn = sum(row.standing.warn for row in rows)
    breaches = sum(row.standing.breaches for row in rows)
    items, overdue = sum(each.items for each in in_hand), sum(each.overdue for each in in_hand)
    units = sum(row.standing.breaches > 0 for row in rows)
    cards = [
        _card("突破约束性指标", f"{breaches}", f"涉及 {units} 个单位", "", alarming=breaches > 0),
        _card("红色 · 橙色", f"{severe} · {warn}", "项指标预警（单位 × 指标）", ""),
        _card(
            "正常率",
            percent(normal / rated if rated else None),
            f"{normal:,}/{rated:,} 项已评级指标",
            "",
        ),
        _card(
            "填报完整率",
            percent(filled / total if total else None),
            f"{filled:,}/{total:,} 项，缺数不计为正常",
            "",
        ),
        _card(
            "待处置预警事项",
            f"{items:,}",
            f"其中逾期 {overdue:,} 项",
            address("indicator_warnings", {}),
            alarming=overdue > 0,
        ),
    ]
    return f'<div class="figures plain">{"".join(cards)}</div>'


def _card(name: str, value: str, note: str, opens: str, *, alarming: bool = False) -> str:
    content = (
        f'<span class="name">{escape(name)}</span><span class="value">{escape(value)}</span>'
        f'<span class="change">{escape(note)}</span>'
    )
    kind = "figure alarming" if alarming else "figure"
    return link(opens, content, kind) if opens else f'<a class="{kind}">{content}</a>'


def warnings_in_hand(actor: Actor) -> tuple[LevelCount, ...]:
    """Return how many warning items of the actor's scope are in hand, by level."""
    return _in_hand(actor, scope_key(actor), mark(Topic.ASSESSMENT))


@st.cache_resource(ttl="1m", max_entries=128, show_spinner=False)
def _in_hand(_actor: Actor, scope: object, marked: int) -> tuple[LevelCount, ...]:
    return tuple(
        read(_actor, lambda connection: indicator_warnings.count_in_hand(connection, today()))
    )


def legend(rows: Sequence[Row], matrix: Matrix, by: str) -> list[Swatch]:
    """Return the levels with the number of units at each."""
    levels = [level_of(row, matrix, by)[0] for row in rows]
    return [
        Swatch(
            label(level),
            COLOURS[level],
            SYMBOLS.get(level, ""),
            level is Level.NO_DATA,
            levels.count(level),
        )
        for level in reversed(Level)
    ]


# MAP


def map_filters(matrix: Matrix, asked: Asked) -> None:
    """Draw what the map is coloured by and which level it shows, kept in the address."""
    names = {WORST: "最高等级", **{each.code: each.name for each in matrix.columns}}
    with st.container(key="assessment-map-filters", horizontal=True, gap="small"):
        segments("level", _LEVELS, "county")
        select("by", names, WORST, 330)


def draw_map(asked: Asked, extent: Extent | None, width: int, height: int) -> str | None:
    """Draw the map of warnings; return the code of the unit in the run that clicks it."""
    event = st.pydeck_chart(
        _deck(asked, extent, width, height),
        height="stretch",
        key="assessment-map-chart",
        on_select="rerun",
        alt=f"{asked.year} 年各市县评估预警地图",
    )
    return clicked_code(event["selection"])


def list_html(asked: Asked, rows: Sequence[Row], matrix: Matrix) -> str:
    """Return what the map shows as a list, the gravest first: for the keyboard, and without WebGL.

    A unit opens its page; a figure opens its record, the counts of levels the unit.
    """
    told = [(row, *level_of(row, matrix, asked.by)) for row in rows]
    told.sort(key=lambda one: (-one[1].rank, one[0].unit.code))
    body = "".join(_list_row(asked, *one) for one in told)
    last = "各级项数" if asked.by == WORST else "数值"
    heads = "".join(f"<th>{text}</th>" for text in ("单位", "所属", "等级", last))
    return (
        '<div class="unit-scroll"><table class="unit-table indicators map-list"><thead>'
        f"<tr>{heads}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _list_row(asked: Asked, row: Row, level: Level, figure: str, counts: str) -> str:
    year = {"year": str(asked.year)}
    to_unit = address("assessment_unit", {"code": row.unit.code} | year)
    record = address("assessment_figure", {"unit": row.unit.code, "code": asked.by} | year)
    told = link(to_unit, counts) if asked.by == WORST else link(record, escape(figure))
    return (
        f"<tr><td>{link(to_unit, escape(row.unit.name))}</td>"
        f"<td>{escape(row.unit.parent_name)}</td><td>{level_html(level)}</td><td>{told}</td></tr>"
    )


def _deck(asked: Asked, extent: Extent | None, width: int, height: int) -> pydeck.Deck:
    shown = asked.url("units.geojson", level=asked.level, by=asked.by, city=asked.city)
    marked = f"{shown}&v={mark(Topic.ASSESSMENT)}"
    layers = [
        pydeck.Layer(
            "GeoJsonLayer",
            marked,
            id="units",
            pickable=True,
            stroked=False,
            filled=True,
            # Below the layer's own accessor Streamlit would repaint what is selected.
            _sub_layer_props={"polygons-fill": {"getFillColor": "@@=properties.fill"}},
        ),
        border_layer(MapLevel(asked.level)),
    ]
    names = Picture(MapLevel(asked.level), ColourBy.RATIO, None, None, None, version="names")
    return pydeck.Deck(
        layers=[*layers, names_layer(names)],
        initial_view_state=fit(extent, width, height),
        map_provider=None,
        map_style="/api/style.json",
        tooltip={"html": "<b>{name}</b><br>{figure}<br>{state}", "style": TOOLTIP_STYLE},
    )


# TABLE TO TAKE AWAY


def workbook_columns(matrix: Matrix) -> list[table_workbook.Column]:
    """Return the columns of the matrix as a workbook has them: a value and a level an indicator."""
    found = [table_workbook.Column(head) for head in ("代码", "单位", "上级", "类型", "最高等级")]
    for column in matrix.columns:
        found += [
            table_workbook.Column(f"{column.name}（{column.unit}）", "#,##0.00####"),
            table_workbook.Column(f"{column.name}等级", "", 10),
        ]
    return found


def workbook_rows(rows: Sequence[Row]) -> list[list[object]]:
    """Return the chosen units for a workbook; missing is an empty cell."""
    return [
        [
            *(row.unit.code, row.unit.name, row.unit.parent_name, row.unit.kind),
            label(row.standing.worst),
            *(
                cell
                for value, level in zip(row.values, row.levels, strict=True)
                for cell in (value, label(level))
            ),
        ]
        for row in rows
    ]


# LINKS


def follow(opened: str) -> None:
    """Open a page of the assessment by an address; others lead nowhere.

    A unit is shown in the set and tier that are chosen here.
    """
    parts = urlsplit(opened)
    if parts.path not in _PAGES:
        return
    asked = dict(parse_qsl(parts.query))
    if parts.path == "assessment_unit":
        chosen = st.query_params.to_dict()
        asked = {name: chosen[name] for name in ("set", "tier") if name in chosen} | asked
    st.switch_page(page_path(parts.path), query_params=asked)


def follow_links(page: str, box: str | None = None) -> Screen:
    """Open what is clicked in a page of the assessment; its own address changes in the same run.

    Return the screen, with the size of the container whose key is `box`.
    """
    key = f"{page}-watch"
    seen = watch(None, key=key, on_open=lambda: take_opened(key, page), box=box)
    if seen.opened and urlsplit(seen.opened).path != page:
        follow(seen.opened)
    return seen.screen


def order_parameter(matrix: Matrix) -> str:
    """Return the order of the rows that the address asks for, by region where it asks for none."""
    codes = {each.code for each in matrix.columns}
    asked = st.query_params.get("order", "code")
    return asked if asked in _ORDERS or asked.split("-")[0] in codes else "code"


def keep_order(order: str) -> None:
    """Keep the order of the rows in the address."""
    set_parameter("order", None if order == "code" else order)
