"""One unit of the assessment: its dimensions beside its kind, its indicators, one through time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from html import escape

import plotly.graph_objects as go
import streamlit as st

from components import assessment_charts as charts
from components import assessment_reading as reading
from components.assessment_charts import Line, Spoke
from components.assessment_figure import level_html, number_text
from components.assessment_matrix import Column, Matrix, Row, scope_key
from components.assessment_points import years_table
from components.charts import link, sparkline
from components.labels import label
from components.links import address
from components.map import percent
from data_access import table_workbook
from data_access.assessment import AssessedUnit, Place, Point, UnitResult
from data_access.change_listener import Topic, mark
from domain.access import Actor
from domain.assessment import Direction, Level, TargetState, Tier, ValueKind

PAGE = "assessment_unit"
_KEPT = ("set", "tier")
_NEAR = 2
HEADS = (
    "维度", "指标", "数值", "单位", "目标", "目标年", "与目标之差", "上年值", "较上年", "位次",
    "同级单位数", "等级", "突破约束性指标",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Asked:
    """What the page is asked to show; its address carries it."""

    unit: AssessedUnit
    matrix: Matrix
    row: Row
    set_code: str
    tier: Tier | None

    @property
    def year(self) -> int:
        return self.matrix.year

    def address(self, **more: str) -> str:
        """Return the address of this page with this set, tier and year."""
        fields = {"code": self.unit.code, "year": str(self.year), **_narrowed()}
        return address(PAGE, fields | more)


def _narrowed() -> dict[str, str]:
    return {name: st.query_params[name] for name in _KEPT if name in st.query_params}


def figure_address(unit: str, code: str, year: int) -> str:
    """Return the address of a figure's record."""
    return address("assessment_figure", {"unit": unit, "code": code, "year": str(year)})


# ANSWER AND CARDS


def answer(asked: Asked) -> str:
    """Return how the unit stands in one sentence made from data."""
    count, row = asked.row.standing, asked.row
    head = f"{asked.unit.name} {asked.year} 年"
    if not count.total:
        return f"{head}在所选指标集中没有可看的指标。"
    if not count.filled:
        return f"{head}尚无认定数据，{count.total} 项指标均不作评价。"
    rated = count.total - count.no_data - count.unrated
    said = f"{head} {count.total} 项指标中 {count.filled} 项有数据、{rated} 项已评级"
    said += f"，其中 {count.normal} 项正常"
    broken = [asked.matrix.columns[at].name for at in sorted(row.breaches)]
    if broken:
        return f"{said}；突破约束性指标 {len(broken)} 项：{'、'.join(broken)}。"
    grave = _at_level(asked, Level.SEVERE) or _at_level(asked, Level.WARN)
    if grave:
        name = Level.SEVERE if count.severe else Level.WARN
        return f"{said}；{label(name)} {len(grave)} 项：{'、'.join(grave[:4])}{_more(grave)}。"
    return f"{said}；没有严重和预警的指标。"


def _at_level(asked: Asked, level: Level) -> list[str]:
    return [
        column.name
        for column, found in zip(asked.matrix.columns, asked.row.levels, strict=True)
        if found is level
    ]


def _more(names: Sequence[str]) -> str:
    return "等" if len(names) > 4 else ""


def cards_html(asked: Asked, whole: Matrix) -> str:
    """Return the unit's sums beside those of its kind together."""
    everything = range(len(asked.matrix.columns))
    own = reading.tally([asked.row], everything)
    kind = reading.tally(_of_kind(asked, whole), everything)
    count = asked.row.standing
    cards = [
        ("最高等级", level_html(count.worst), ""),
        ("突破约束性指标", f"{count.breaches} 项", ""),
        ("红 · 橙 · 黄 · 蓝", f"{count.severe} · {count.warn} · {count.watch} · {count.hint}", ""),
        (
            "正常率",
            percent(own.share),
            f"{own.normal}/{own.rated} 项已评级；{asked.unit.kind}合计 {percent(kind.share)}",
        ),
        (
            "填报完整率",
            percent(own.filled / own.total if own.total else None),
            f"{own.filled}/{own.total} 项，缺数不计为正常",
        ),
    ]
    return (
        '<div class="unit-cards">'
        + "".join(
            f'<div class="unit-card"><div class="name">{escape(name)}</div>'
            f'<div class="value">{value}</div><div class="note">{escape(note)}</div></div>'
            for name, value, note in cards
        )
        + "</div>"
    )


# RADAR


def _of_kind(asked: Asked, whole: Matrix) -> list[Row]:
    return [row for row in whole.rows if row.unit.kind == asked.unit.kind]


def radar(actor: Actor, asked: Asked, whole: Matrix) -> tuple[go.Figure, str]:
    """Return the radar of the unit by dimension, and the table of its counts.

    `whole` is the same matrix of the whole province: of it only sums are shown, and who may see
    the units behind them opens their matrix.
    """
    sees_all = reading.comparing(actor) is actor
    return _radar(asked.unit.code, asked, whole, sees_all, _key(actor, asked))


def _key(actor: Actor, asked: Asked) -> tuple[object, ...]:
    return (
        scope_key(actor),
        asked.set_code,
        asked.tier,
        asked.year,
        mark(Topic.ASSESSMENT, Topic.SETTINGS),
    )


@st.cache_resource(ttl="15m", max_entries=256, show_spinner=False)
def _radar(
    code: str, _asked: Asked, _whole: Matrix, _sees_all: bool, key: object
) -> tuple[go.Figure, str]:
    kind = _of_kind(_asked, _whole)
    names = (
        _asked.unit.name,
        f"{_asked.unit.kind} {len(kind)} 个合计",
        f"全省 {len(_whole.rows)} 个单位合计",
    )
    matrix = {"set": _asked.set_code, "tier": _asked.tier or "all", "year": str(_asked.year)}
    of_kind = address("assessment", matrix | {"kind": _asked.unit.kind}) if _sees_all else ""
    of_all = address("assessment", matrix) if _sees_all else ""
    spokes, rows = [], []
    for dimension, columns in reading.dimensions_of(_asked.matrix).items():
        tallies = [reading.tally(group, columns) for group in ([_asked.row], kind, _whole.rows)]
        opens = (_asked.address(dimension=dimension), of_kind, of_all)
        spokes.append(
            Spoke(
                dimension,
                tuple(one.share for one in tallies),
                tuple(_told(one) for one in tallies),
                opens,
            )
        )
        rows.append((dimension, tallies, opens))
    title = f"{_asked.unit.name} {_asked.year} 年各维度正常率"
    return charts.radar(title, names, spokes), _counts_html(names, rows)


def _told(one: reading.Tally) -> str:
    return f"正常 {one.normal:,}/已评级 {one.rated:,}；有数据 {one.filled:,}/{one.total:,}"


def _counts_html(
    names: Sequence[str], rows: Sequence[tuple[str, Sequence[reading.Tally], Sequence[str]]]
) -> str:
    heads = "".join(f'<th class="number">{escape(name)}</th>' for name in names)
    body = "".join(
        f"<tr><td>{escape(dimension)}</td>"
        + "".join(
            f'<td class="number">{_share_html(one, opened)}'
            f"<small>{one.normal:,}/{one.rated:,}</small>"
            f"<small>有数据 {one.filled:,}/{one.total:,}</small></td>"
            for one, opened in zip(tallies, opens, strict=True)
        )
        + "</tr>"
        for dimension, tallies, opens in rows
    )
    return (
        '<div class="unit-scroll"><table class="unit-table counts"><thead><tr><th>维度</th>'
        f"{heads}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _share_html(one: reading.Tally, opens: str) -> str:
    text = percent(one.share) if one.rated else "未评级"
    return link(opens, text) if opens else text


# TABLE


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
    return _entries(actor, asked.unit.code, asked, _key(actor, asked))


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
    return _table_html(asked.unit.code, dimension, shown, asked, _key(actor, asked))


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
        '<div class="unit-scroll"><table class="unit-table indicators">'
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
        f'<td class="number">{link(opens, value, "" if entry.value is not None else "quiet")}</td>'
        f"<td>{escape(column.unit)}</td>"
        f'<td class="number">{target_html(entry)}</td>'
        f'<td class="number">{_signed(entry.gap, column.decimals)}</td>'
        f'<td class="number">{entry.change}</td><td class="number">{_place_text(entry.place)}</td>'
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


# ONE INDICATOR THROUGH THE YEARS


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
        asked.unit.code, entry.column.code, asked, entry, province, actor, _key(actor, asked)
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


def line_of(name: str, points: Sequence[Point], *, is_rated: bool = True) -> Line:
    """Return the years of a unit as a line, each dot opening its record, `is_rated` with levels."""
    return Line(
        name,
        tuple(point.report_year for point in points),
        tuple(None if point.value is None else float(point.value) for point in points),
        tuple(_opened_by(point) for point in points),
        tuple(point.level for point in points) if is_rated else (),
        tuple(label(point.level) for point in points) if is_rated else (),
    )


def _opened_by(point: Point) -> str:
    return figure_address(point.division_code, point.canonical_code, point.report_year)


def targets_of(points: Sequence[Point], result: UnitResult | None) -> list[Line]:
    """Return what was due each year, and the target itself at its year; they open the records."""
    due = [point for point in points if point.reference_kind == "target"]
    lines = [
        Line(
            "当年应达",
            tuple(point.report_year for point in due),
            tuple(float(point.reference) for point in due if point.reference is not None),
            tuple(_opened_by(point) for point in due if point.reference is not None),
        )
    ]
    if result and result.target_value is not None and result.target_year:
        year = result.target_year
        opens = (_opened_by(points[-1]),) if points else ()
        lines.append(Line(f"{year} 年目标", (year,), (float(result.target_value),), opens))
    return [line for line in lines if line.years]


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
    to_unit = address(
        PAGE,
        {"code": unit.code, "year": str(asked.year), **_narrowed(), "indicator": entry.column.code},
    )
    own = ' class="own"' if unit.code == asked.unit.code else ""
    value = number_text(place.value, entry.column.decimals)
    figure = link(figure_address(unit.code, entry.column.code, asked.year), value)
    return (
        f'<tr{own}><td class="number">{number}</td><td>{link(to_unit, escape(unit.name))}</td>'
        f'<td class="number">{figure} {escape(entry.column.unit)}</td>'
        f"<td>{level_html(place.level)}</td></tr>"
    )
