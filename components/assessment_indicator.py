"""One indicator of the assessment over all units: what it is, its spread, who stands where."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from html import escape
from statistics import median

import plotly.graph_objects as go
import streamlit as st

from components import assessment_distribution as charts
from components import assessment_reading as reading
from components.assessment_distribution import Dot
from components.assessment_figure import basis_text, figure_address, level_html, number_text
from components.assessment_matrix import scope_key
from components.assessment_points import bins_table, dots_table
from components.assessment_reading import Defined
from components.charts import link
from components.labels import label, unit_text
from components.links import address
from data_access import table_workbook
from data_access.assessment import AssessedUnit, Place, UnitResult
from data_access.change_listener import Topic, mark
from data_access.indicators import Canonical
from domain.access import Actor
from domain.assessment import Attribute, Level, ValueKind

PAGE = "assessment_indicator"
CLOUD_NOTE = (
    "指到点看单位名，点一下看数字来源；"
    "标名的是偏离平均值或趋势线两倍标准差以上的单位（最多 8 个）。"
)
FEWEST = 3  # units; of fewer there is nothing to spread
LEVELS = {"county": "县级", "city": "市级"}


@dataclass(frozen=True, slots=True)
class Asked:
    """What the page is asked to show; its address carries it."""

    canonical: Canonical
    year: int
    level: str

    def address(self, **more: str) -> str:
        """Return the address of this page with this indicator, year and level."""
        fields = {"code": self.canonical.canonical_code, "year": str(self.year)}
        return address(PAGE, fields | {"level": self.level} | more)

    @property
    def unit(self) -> str:
        return unit_text(self.canonical.unit)

    @property
    def compares_province(self) -> bool:
        """Whether the province's figure is one of the same kind as a unit's: not a sum."""
        return self.canonical.value_kind in (ValueKind.RATIO, ValueKind.DERIVED)

    def text(self, value: object) -> str:
        """Return a value with its unit."""
        return f"{value:,.{self.canonical.decimals}f} {self.unit}"


@dataclass(frozen=True, slots=True)
class Spread:
    """The units of one level with their places, the best first, and the province's own figure."""

    places: tuple[Place, ...]
    units: Mapping[str, AssessedUnit]
    province: UnitResult | None

    @property
    def known(self) -> list[Place]:
        return [place for place in self.places if place.value is not None]


def spread_of(actor: Actor, asked: Asked) -> Spread:
    """Return the units that the actor may see, of the level asked for, by place."""
    reader = reading.ranking(actor) or actor
    units = reading.units_of(reader)
    wider = reading.comparing(actor)
    code = asked.canonical.canonical_code
    return Spread(
        tuple(
            place
            for place in reading.places_of(reader, asked.year).get(code, ())
            if place.division_code in units and units[place.division_code].level == asked.level
        ),
        units,
        reading.results_of(wider, reading.province_of(actor), asked.year).get(code),
    )


def answer(asked: Asked, spread: Spread) -> str:
    """Return how the indicator stands in the year in one sentence made from data."""
    count, known = len(spread.places), spread.known
    head = f"{asked.year} 年，{count} 个{LEVELS[asked.level]}单位中 {len(known)} 个有数据"
    if not known:
        return f"{head}，不作评价。"
    grave = [place for place in known if place.level is Level.SEVERE]
    broken = sum(place.is_breach for place in known)
    said = f"{head}；严重 {len(grave)} 个" + (f"，其中突破约束 {broken} 个" if broken else "")
    province = spread.province
    if province and province.value is not None:
        lacks = "，未报齐" if is_part(asked, province) else ""
        said += f"；全省 {asked.text(province.value)}（{parts_text(province)}{lacks}）"
    return f"{said}。"


def is_part(asked: Asked, result: UnitResult | None) -> bool:
    """Tell whether it is a sum that lacks counties: a ratio holds for those that are in it."""
    if asked.compares_province or result is None or result.parts_expected is None:
        return False
    return (result.parts or 0) < result.parts_expected


def parts_text(result: UnitResult | None) -> str:
    """Return how many of the counties are in a sum."""
    if result is None or result.parts_expected is None:
        return ""
    return f"{result.parts}/{result.parts_expected} 个县有数据"


# DEFINITION


def facts_html(defined: Defined) -> str:
    """Return what the indicator is: unit, kind, direction, range, formula, departments."""
    one = defined.canonical
    unit = unit_text(one.unit)
    facts = [
        ("单位", unit or "—"),
        ("取值方式", label(one.value_kind)),
        ("方向", label(one.direction)),
        ("属性", label(Attribute(one.attribute)) if one.attribute else "—"),
        ("合理范围", f"{one.typical_min:,f} – {one.typical_max:,f} {unit}"),
        ("提供部门", "、".join(one.data_departments) or "—"),
        ("算式", _formula(one)),
        ("依据", f"{basis_text(one.basis)}：{one.basis_note}" if one.basis_note
         else basis_text(one.basis)),
    ]  # fmt: skip
    rows = "".join(
        f"<tr><th>{escape(name)}</th><td>{escape(text)}</td></tr>" for name, text in facts
    )
    return f'<table class="unit-table facts"><tbody>{rows}</tbody></table>'


def _formula(one: Canonical) -> str:
    if one.numerator_name and one.denominator_name:
        scale = "" if one.scale in (None, 1) else f" × {one.scale.normalize():f}"
        return (
            f"{one.numerator_name}（{unit_text(one.numerator_unit or '')}）÷ "
            f"{one.denominator_name}（{unit_text(one.denominator_unit or '')}）{scale}"
        )
    return one.formula.replace("*", "×").replace("/", "÷") if one.formula else "直接填报"


# DISTRIBUTION


def histogram(actor: Actor, asked: Asked, spread: Spread) -> tuple[go.Figure, str]:
    """Return how many units have which values, with the province's where it is of their kind.

    A bar opens the units in it; what comes with the figure is the same as a table.
    """
    return _histogram(cache_key(actor, asked), asked, spread)


def cache_key(actor: Actor, asked: Asked) -> tuple[object, ...]:
    """Return what parts of the page are kept by: scope, indicator, year, level, last change."""
    return (
        scope_key(reading.ranking(actor) or actor),
        asked.canonical.canonical_code,
        asked.year,
        asked.level,
        mark(Topic.ASSESSMENT, Topic.SETTINGS),
    )


@st.cache_resource(ttl="15m", max_entries=256, show_spinner=False)
def _histogram(key: object, _asked: Asked, _spread: Spread) -> tuple[go.Figure, str]:
    values = {
        _spread.units[place.division_code].name: float(place.value)
        for place in _spread.known
        if place.value is not None
    }
    marks = {"中位数": median(values.values())}
    province = _spread.province
    if _asked.compares_province and province and province.value is not None:
        marks["全省"] = float(province.value)
    bins = charts.bins_of(values)
    opens = [_asked.address(low=repr(one.low), high=repr(one.high)) for one in bins]
    title = f"{_asked.canonical.name} · {_asked.year} 年{LEVELS[_asked.level]}分布"
    decimals = _asked.canonical.decimals
    return (
        charts.histogram(title, _asked.unit, bins, opens, marks, decimals),
        bins_table(_asked.unit, bins, opens, decimals),
    )


def bin_html(asked: Asked, spread: Spread, low: float, high: float) -> str:
    """Return the units whose values lie in a bar of the distribution, each with its figure."""
    values = {
        place.division_code: float(place.value) for place in spread.known if place.value is not None
    }
    most = max(values.values(), default=high)
    within = [p for p in spread.known if charts.is_within(values[p.division_code], low, high, most)]
    shown = "、".join(
        f"{escape(spread.units[place.division_code].name)} "
        + link(
            figure_address(place.division_code, place.canonical_code, asked.year),
            number_text(place.value, asked.canonical.decimals),
        )
        for place in within
    )
    bounds = charts.Bin(low, high, ()).text(asked.canonical.decimals)
    head = f"{bounds} {asked.unit}的 {len(within)} 个单位"
    return (
        f'<p class="bin"><b>{escape(head)}</b>　{shown or "没有单位"}　'
        f"{link(asked.address(), '收起')}</p>"
    )


# RANKING


def ranking_html(actor: Actor, asked: Asked, spread: Spread) -> str:
    """Return the units by place with their bars; every figure opens its record."""
    return _ranking_html(cache_key(actor, asked), asked, spread)


@st.cache_resource(ttl="15m", max_entries=256, show_spinner=False)
def _ranking_html(key: object, _asked: Asked, _spread: Spread) -> str:
    known = [abs(place.value) for place in _spread.known if place.value is not None]
    most = max(known, default=Decimal()) or Decimal(1)
    rows = "".join(
        _place_html(_asked, _spread.units[place.division_code], place, most)
        for place in _spread.places
    )
    return (
        f'<div class="ranked"><table class="unit-table peers"><tbody>{rows}</tbody></table></div>'
    )


def _place_html(asked: Asked, unit: AssessedUnit, place: Place, most: Decimal) -> str:
    code = asked.canonical.canonical_code
    to_unit = address(
        "assessment_unit", {"code": unit.code, "year": str(asked.year), "indicator": code}
    )
    value = number_text(place.value, asked.canonical.decimals)
    share = abs(place.value) / most if place.value is not None else Decimal()
    bar = f'<i class="bar" style="--a:{share:.1%}"></i>' if place.value is not None else ""
    figure = link(figure_address(unit.code, code, asked.year), value)
    return (
        f'<tr><td class="number">{place.place or "—"}</td>'
        f"<td>{link(to_unit, escape(unit.name))}</td><td>{bar}</td>"
        f'<td class="number">{figure}</td><td>{level_html(place.level)}</td></tr>'
    )


def workbook_columns(asked: Asked) -> list[table_workbook.Column]:
    """Return the columns of the ranking as a workbook has them."""
    number = "#,##0.00####"
    return [
        table_workbook.Column("位次", "0", 8),
        table_workbook.Column("代码", "", 10),
        table_workbook.Column("单位"),
        table_workbook.Column("上级", "", 12),
        table_workbook.Column("类型", "", 10),
        table_workbook.Column(f"数值（{asked.unit}）", number),
        table_workbook.Column("比较对象", number),
        table_workbook.Column("比较对象类别", "", 12),
        table_workbook.Column("等级", "", 10),
        table_workbook.Column("突破约束性指标", "", 14),
    ]


def workbook_rows(spread: Spread) -> list[list[object]]:
    """Return the ranking's rows for a workbook; missing is an empty cell."""
    kinds = {"target": "目标", "province": "全省值", "previous": "上年值"}
    found: list[list[object]] = []
    for place in spread.places:
        unit = spread.units[place.division_code]
        found.append(
            [
                place.place,
                unit.code,
                unit.name,
                unit.parent_name,
                unit.kind,
                place.value,
                place.reference,
                kinds.get(place.reference_kind or "", ""),
                label(place.level),
                "是" if place.is_breach else "",
            ]
        )
    return found


# SCATTER


def scatter(
    actor: Actor, asked: Asked, against: Canonical, spread: Spread
) -> tuple[go.Figure, str] | None:
    """Return the indicator against another one, also as a table; None of too few units."""
    reader = reading.ranking(actor) or actor
    other = reading.places_of(reader, asked.year).get(against.canonical_code, ())
    return _scatter(cache_key(actor, asked), against.canonical_code, asked, against, spread, other)


@st.cache_resource(ttl="15m", max_entries=256, show_spinner=False)
def _scatter(
    key: object,
    code: str,
    _asked: Asked,
    _against: Canonical,
    _spread: Spread,
    _other: Sequence[Place],
) -> tuple[go.Figure, str] | None:
    across = {p.division_code: p for p in _other if p.value is not None}
    pairs = [
        (place, across[place.division_code])
        for place in _spread.known
        if place.division_code in across
    ]
    if len(pairs) < FEWEST:
        return None
    dots = [_dot(_asked, _spread, place, other) for place, other in pairs]
    names = (
        f"{_asked.canonical.name}（{_asked.unit}）",
        f"{_against.name}（{unit_text(_against.unit)}）",
    )
    title = f"两项指标 · {_asked.year} 年{LEVELS[_asked.level]} {len(dots)} 个单位"
    decimals = _asked.canonical.decimals, _against.decimals
    return charts.scatter(title, names[1], names[0], dots), dots_table(names, decimals, dots)


def _dot(asked: Asked, spread: Spread, place: Place, other: Place) -> Dot:
    assert place.value is not None
    assert other.value is not None
    unit = place.division_code
    return Dot(
        spread.units[unit].name,
        float(other.value),
        float(place.value),
        place.level,
        figure_address(unit, place.canonical_code, asked.year),
        figure_address(unit, other.canonical_code, asked.year),
    )
