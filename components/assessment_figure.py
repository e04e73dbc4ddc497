"""One figure of the assessment: what it is, why it stands so, and who said so."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from html import escape

from components import assessment_reading as reading
from components.assessment_matrix import COLOURS, SYMBOLS
from components.labels import label, unit_text
from components.links import address
from components.session import portal_facts
from data_access import assessment, indicators
from data_access.assessment import AssessedUnit, Explained, FigureRecord
from data_access.database import Connection
from data_access.indicators import Canonical, Indicator, Rules, WarningProfile
from data_access.read_replica import read
from domain.access import Actor
from domain.assessment import Attribute, Level, Measure, Reason, ReferenceKind
from domain.bands import parse_band
from domain.clock import moment
from domain.errors import NotFound

_BANDS = ((Level.HINT, "blue"), (Level.WATCH, "yellow"), (Level.WARN, "orange"))
_BASIS = {"source": "有出处", "known": "通行做法", "assumed": "设计假定"}
_SHARES = (Measure.RANGE, Measure.CHANGE)
PROVINCE = "province"
_COMPUTED = {"not_connected": "未接入（缺少所需图层）"}


@dataclass(frozen=True, slots=True)
class Figure:
    """Everything that the page of a figure shows."""

    unit: AssessedUnit
    explained: Explained
    definitions: Sequence[Indicator]
    standards: Mapping[str, str]
    """The standard of each set, by the set's code."""
    rules: Rules
    profile: WarningProfile

    @property
    def is_sum(self) -> bool:
        """Whether it is the province's: its counties together."""
        return self.unit.level == PROVINCE

    @property
    def record(self) -> FigureRecord:
        return self.explained.record

    @property
    def canonical(self) -> Canonical:
        return self.explained.canonical


def figure_address(unit: str, code: str, year: int) -> str:
    """Return the address of a figure's record."""
    return address("assessment_figure", {"unit": unit, "code": code, "year": str(year)})


def read_figure(actor: Actor, unit_code: str, year: int, code: str) -> Figure:
    """Return a figure with its rule; raise NotFound outside the actor's scope.

    The province's own figures are everybody's: they are sums.
    """
    if unit_code and unit_code == reading.province_of(actor):
        name = portal_facts().province_name
        unit = AssessedUnit(unit_code, name, PROVINCE, PROVINCE, unit_code, "")
        reader = reading.comparing(actor)
    else:
        found, reader = reading.units_of(actor).get(unit_code), actor
        if found is None:
            raise NotFound(division_code=unit_code)
        unit = found
    return read(reader, lambda connection: _figure(connection, unit, year, code))


def _figure(connection: Connection, unit: AssessedUnit, year: int, code: str) -> Figure:
    explained = assessment.explain(connection, unit.code, year, code)
    version = explained.record.rule_version
    return Figure(
        unit,
        explained,
        indicators.list_indicators(connection, canonical_code=code),
        reading.standards_of(connection),
        next(each for each in indicators.list_rules(connection) if each.rule_version == version),
        next(
            each
            for each in indicators.list_profiles(connection, version)
            if each.profile_code == explained.canonical.profile_code
        ),
    )


def number_text(value: Decimal | None, decimals: int) -> str:
    """Return a figure as a person reads it, 未填报 for what is missing."""
    return "未填报" if value is None else f"{value:,.{decimals}f}"


def basis_text(basis: str) -> str:
    """Return whether something is sourced, known or assumed."""
    return _BASIS.get(basis, basis)


def level_html(level: Level) -> str:
    """Return the level with its colour and its symbol."""
    symbol = f"{SYMBOLS[level]} " if level in SYMBOLS else ""
    swatch = f'<i style="background:{COLOURS[level]}"></i>'
    return f'<span class="level">{swatch}{symbol}{label(level)}</span>'


def sentence(figure: Figure) -> str:
    """Return how the figure stands, made from data: compared with what, and of which level."""
    record, canonical = figure.record, figure.canonical
    head = f"{figure.unit.name} {record.report_year} 年{canonical.name}"
    if record.value is None:
        return f"{head}未填报，不作评价。"
    said = f"{head}为 {number_text(record.value, canonical.decimals)} {unit_text(canonical.unit)}"
    if record.reference and record.reference_kind:
        kind = label(ReferenceKind(record.reference_kind))
        change = (record.value - record.reference) / abs(record.reference)
        way = "高" if change > 0 else "低"
        said += f"，较{kind}{way} {abs(change):.1%}" if round(change, 3) else f"，与{kind}持平"
    return f"{said}，{_because(record)}。"


def _because(record: FigureRecord) -> str:
    why = f"（{label(Reason(record.reason))}）" if record.reason else ""
    return (
        f"属“{label(record.level)}”{why}" if record.level is not Level.UNRATED else f"不评级{why}"
    )


def cards_html(figure: Figure) -> str:
    """Return value, level, what it is compared with and the measure, as cards."""
    record, canonical = figure.record, figure.canonical
    reference = label(ReferenceKind(record.reference_kind)) if record.reference_kind else "比较对象"
    cells = [
        ("数值", "未填报" if record.value is None else _with_unit(record.value, canonical)),
        ("等级", level_html(record.level)),
        (reference, _with_unit(record.reference, canonical)),
        (label(figure.profile.measure), _measure_text(record.measure, figure.profile.measure)),
    ]
    if record.parts_expected is not None:
        together = _with_unit(record.parts_value, canonical)
        cells.append((f"所辖 {record.parts}/{record.parts_expected} 个县合计", together))
    if record.computed_state is not None:
        computed = _COMPUTED.get(record.computed_state) or _with_unit(
            record.computed_value, canonical
        )
        cells.append(("图层计算值", computed))
    return (
        '<div class="unit-cards">'
        + "".join(
            f'<div class="unit-card"><div class="name">{escape(name)}</div>'
            f'<div class="value">{value}</div></div>'
            for name, value in cells
        )
        + "</div>"
    )


def _with_unit(value: Decimal | None, canonical: Canonical) -> str:
    if value is None:
        return "—"
    return f"{value:,.{canonical.decimals}f} <small>{unit_text(canonical.unit)}</small>"


def _measure_text(value: Decimal | None, measure: Measure) -> str:
    if value is None:
        return "—"
    return f"{value:.1%}" if measure in _SHARES else f"{value:,.4f}".rstrip("0").rstrip(".")


def rule_html(rules: Rules, profile: WarningProfile) -> str:
    """Return the rule that figures are judged by, in the version of their year."""
    bands = [(level, getattr(profile, name)) for level, name in (*_BANDS, (Level.SEVERE, "red"))]
    rows = "".join(
        f"<tr><td>{level_html(level)}</td><td>{escape(band_text(text, profile.measure))}</td></tr>"
        for level, text in bands
        if text != "empty"
    )
    title = escape(
        f"{rules.title}：{profile.name}，按{label(profile.measure)}评级（{basis_text(profile.basis)}）"
    )
    body = f'<table class="unit-table bands"><tbody>{rows}</tbody></table>' if rows else ""
    remark = f'<p class="unit-quiet">{escape(profile.remark)}</p>' if profile.remark else ""
    return f"<p>{title}</p>{body}{remark}"


def band_text(text: str, measure: Measure) -> str:
    """Return a band of measures in words.

    >>> band_text("[1.01,1.02)", Measure.TARGET_FLOOR), band_text("(0.5,)", Measure.CHANGE)
    ('1.01 ≤ 度量 < 1.02', '度量 > 50%')
    """
    band = parse_band(text)

    def say(number: Decimal) -> str:
        plain = f"{number * 100 if measure in _SHARES else number:f}"
        plain = plain.rstrip("0").rstrip(".") if "." in plain else plain
        return f"{plain}%" if measure in _SHARES else plain

    if band.low is not None and band.high is None:
        return f"度量 {'≥' if band.with_low else '>'} {say(band.low)}"
    upper = f" {'≤' if band.with_high else '<'} {say(band.high)}" if band.high is not None else ""
    lower = f"{say(band.low)} {'≤' if band.with_low else '<'} " if band.low is not None else ""
    return f"{lower}度量{upper}"


def inputs_html(figure: Figure) -> str:
    """Return the indicators that the figure is computed from, each a link to its own record."""
    unit, year = figure.unit.code, figure.record.report_year
    links = (
        f'<li><a href="{escape(figure_address(unit, each.canonical_code, year))}"'
        f' target="_self">{escape(each.name)}</a>　'
        f"{'未填报' if each.value is None else f'{each.value:,.4f}'.rstrip('0').rstrip('.')}"
        f" {escape(unit_text(each.unit))}</li>"
        for each in figure.explained.inputs
    )
    return f"<ul>{''.join(links)}</ul>"


def versions_html(figure: Figure) -> str:
    """Return every version that was filed, with who filed and who accepted it."""
    canonical = figure.canonical
    rows = "".join(
        f"<tr><td>第 {each.version_no} 版</td>"
        f'<td class="number">{number_text(each.value, canonical.decimals)}</td>'
        f"<td>{escape(each.source or '—')}</td><td>{escape(each.explanation or '—')}</td>"
        f"<td>{escape(each.filed_by_name)}<br>{moment(each.submitted_at)}</td>"
        f"<td>{_accepted(each.accepted_by_name, each)}</td></tr>"
        for each in figure.explained.versions
    )
    heads = ("版次", f"数值（{unit_text(canonical.unit)}）", "数据来源", "说明", "填报", "认定")
    head = "".join(
        f"<th{' class=number' if at == 1 else ''}>{escape(text)}</th>"
        for at, text in enumerate(heads)
    )
    return (
        '<div class="unit-scroll"><table class="unit-table versions">'
        f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _accepted(name: str | None, version: assessment.FiledFigure) -> str:
    return (
        f"{escape(name)}<br>{moment(version.accepted_at)}" if name and version.accepted_at else "—"
    )


def definitions_html(definitions: Sequence[Indicator], standards: Mapping[str, str]) -> str:
    """Return how each set defines the indicator, with the basis of what is said.

    `standards` names the sets, by their codes.
    """
    rows = "".join(_definition_html(each, standards) for each in definitions)
    head = "".join(f"<th>{text}</th>" for text in _DEFINED)
    return (
        '<div class="unit-scroll"><table class="unit-table definitions stacked">'
        f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


_DEFINED = ("指标集", "代码", "名称", "内涵", "算法", "属性", "合理范围", "提供部门",
            "依据（名称；口径）")  # fmt: skip


def _definition_html(each: Indicator, standards: Mapping[str, str]) -> str:
    cells = (
        escape(standards.get(each.set_code, each.set_code)),
        escape(each.indicator_code),
        escape(each.name),
        escape(each.definition or "—"),
        escape(each.formula_text or "—"),
        label(Attribute(each.attribute)) if each.attribute else "—",
        _range_text(each),
        escape("、".join(each.data_departments) or "—"),
        f"{basis_text(each.basis)}；{basis_text(each.value_basis)}",
    )
    return f"<tr>{stacked_cells(_DEFINED, cells)}</tr>"


def stacked_cells(heads: Sequence[str], cells: Sequence[str]) -> str:
    """Return cells that bear their heads: on a phone a row stands as a block of its own."""
    return "".join(
        f'<td data-head="{escape(head)}"><div>{cell}</div></td>'
        for head, cell in zip(heads, cells, strict=True)
    )


def _range_text(each: Indicator) -> str:
    unit = unit_text(each.unit)
    if each.typical_min is None or each.typical_max is None:
        return unit or "—"
    return escape(f"{each.typical_min:,f} – {each.typical_max:,f} {unit}")
