"""One unit of the assessment: how it stands, and its dimensions beside those of its kind."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import plotly.graph_objects as go
import streamlit as st

from components import assessment_charts as charts
from components import assessment_reading as reading
from components.assessment_charts import Spoke
from components.assessment_figure import level_html
from components.assessment_matrix import Matrix, Row, scope_key, set_title
from components.charts import link
from components.labels import label
from components.links import address
from components.map import percent
from data_access.assessment import AssessedUnit
from data_access.change_listener import Topic, mark
from domain.access import Actor
from domain.assessment import Level, Tier

PAGE = "assessment_unit"
_KEPT = ("set", "tier")


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
    of_set = set_title(actor, asked.set_code)
    return _radar(asked.unit.code, asked, whole, of_set, sees_all, cache_key(actor, asked))


def cache_key(actor: Actor, asked: Asked) -> tuple[object, ...]:
    """Return what parts of the page are kept by: scope, set, tier, year, and the last change."""
    return (
        scope_key(actor),
        asked.set_code,
        asked.tier,
        asked.year,
        mark(Topic.ASSESSMENT, Topic.SETTINGS),
    )


@st.cache_resource(ttl="15m", max_entries=256, show_spinner=False)
def _radar(
    code: str, _asked: Asked, _whole: Matrix, of_set: str, _sees_all: bool, key: object
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
    return charts.radar(title, of_set, names, spokes), _counts_html(names, rows)


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
