"""The charts of the assessment: drawn by plotly in the browser, taken away as pictures there.

A chart names itself and says 演示数据, because its picture is passed on without the page.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import fmean, linear_regression, pstdev
from typing import Any

import plotly.graph_objects as go
import streamlit as st
from plotly.subplots import make_subplots

from components.assessment import follow
from components.assessment_matrix import COLOURS
from components.labels import label
from components.session import portal_facts
from components.timeline import FONT
from domain.assessment import Level

# Told apart by eyes that do not tell all colours, on white and on dark; none is a level's.
SERIES = ("#2B8CBE", "#E6A000", "#7B5EA7", "#1B9E77", "#D6679A", "#8494A3")
SYMBOLS = ("circle", "square", "diamond", "triangle-up", "x", "cross")
OWN, KIND, PROVINCE = SERIES[0], SERIES[1], SERIES[5]
# A shape beside the colour, as in the matrix.
_LEVEL_SHAPES = {
    Level.WATCH: "triangle-down",
    Level.WARN: "triangle-up",
    Level.SEVERE: "diamond",
}
_MOST_NAMED = 8
_TITLE_HEIGHT = 44
_WORDS = {
    "Download plot as a PNG": "下载为图片",
    "Download plot as a png": "下载为图片",
    "Download plot": "下载为图片",
    "Taking snapshot - this may take a few seconds": "正在生成图片……",
    "Snapshot succeeded": "图片已下载",
    "Sorry, there was a problem downloading your snapshot!": "图片未能生成，请重试。",
    "Double-click to zoom back out": "双击还原",
}


@st.fragment
def draw(figure: go.Figure, name: str, key: str) -> None:
    """Draw a chart with the button for its picture; a click opens what a point stands for.

    `name` is what the picture's file and a screen reader are told. The address of a point is
    its `customdata`. A click runs the chart alone, then the page that it opens.
    """
    # A point that was opened is selected; a new chart lets it be opened again.
    opened = f"{key}-opened"
    number = st.session_state.get(opened, 0)
    event = _plotly_chart(figure, name, key, number)
    points = event["selection"]["points"] if event else []
    given = points[0].get("customdata") if points else None
    given = given[0] if isinstance(given, list) and given else given
    if isinstance(given, str) and given:
        st.session_state[opened] = number + 1
        follow(given)


def _plotly_chart(figure: go.Figure, name: str, key: str, number: int) -> Any:
    with st.container(key=key):
        return st.plotly_chart(
            figure,
            key=f"{key}-{number}",
            alt=name,
            on_select="rerun",
            selection_mode="points",
            config={
                "displaylogo": False,
                "displayModeBar": True,
                "modeBarButtons": [["toImage"]],
                "toImageButtonOptions": {"format": "png", "filename": name, "scale": 2},
                "locale": "zh-CN",
                "locales": {"zh-CN": {"dictionary": _WORDS, "format": {}}},
            },
        )


def _laid_out(figure: go.Figure, title: str, height: int, **more: Any) -> go.Figure:
    if portal_facts().is_demo:
        title += f'　<span style="font-size:12px;color:{COLOURS[Level.WARN]}">演示数据</span>'
    figure.update_layout(
        title={"text": title, "font": {"size": 15}, "x": 0, "xanchor": "left", "y": 0.99,
               "yanchor": "top"},
        height=height,
        margin={"l": 8, "r": 12, "t": _TITLE_HEIGHT, "b": 8},
        font={"family": FONT, "size": 13},
        legend={"orientation": "h", "yanchor": "top", "y": -0.12, "x": 0, "xanchor": "left"},
        dragmode=False,
        hoverlabel={"align": "left"},
        clickmode="event+select",
    )  # fmt: skip
    figure.update_xaxes(fixedrange=True, automargin=True)
    figure.update_yaxes(fixedrange=True, automargin=True)
    figure.update_layout(**more)
    # What is clicked opens; the others keep their colour meanwhile.
    figure.update_traces(unselected={"marker": {"opacity": 1}})
    return figure


def short(name: str, most: int) -> str:
    """Return a name of at most so many characters, for a chart that cannot wrap it."""
    return name if len(name) <= most else f"{name[: most - 1]}…"


@dataclass(frozen=True, slots=True)
class Spoke:
    """One dimension of a radar: shares of several, how each came about, and what each opens."""

    name: str
    shares: tuple[float | None, ...]
    told: tuple[str, ...]
    opens: tuple[str, ...]


def radar(title: str, names: Sequence[str], spokes: Sequence[Spoke]) -> go.Figure:
    """Return shares by dimension, 0 to 100 %; what is not rated is a gap, not zero."""
    figure = go.Figure()
    colours = (OWN, KIND, PROVINCE)
    round_again = [*spokes, spokes[0]] if spokes else []
    for at in reversed(range(len(names))):
        shares = [spoke.shares[at] for spoke in round_again]
        figure.add_trace(
            go.Scatterpolar(
                r=[None if share is None else share * 100 for share in shares],
                theta=[spoke.name for spoke in round_again],
                text=[spoke.told[at] for spoke in round_again],
                customdata=[spoke.opens[at] for spoke in round_again],
                name=names[at],
                mode="lines+markers",
                connectgaps=False,
                fill="toself" if at == 0 and None not in shares else "none",
                fillcolor="rgba(43,140,190,0.15)",
                line={"color": colours[at], "width": 3 if at == 0 else 1.75,
                      "dash": ("solid", "dash", "dot")[at]},
                marker={"color": colours[at], "size": 8 if at == 0 else 5, "symbol": SYMBOLS[at]},
                hovertemplate="%{theta} %{r:.1f}%<br>%{text}<extra>%{fullData.name}</extra>",
            )
        )  # fmt: skip
    grid = "rgba(120,140,160,0.35)"
    return _laid_out(
        figure,
        title,
        400,
        # Beyond 100 % so that a point at 100 % lies where it can be pressed.
        polar={
            "bgcolor": "rgba(0,0,0,0)",
            "radialaxis": {"range": [0, 106], "ticksuffix": "%", "nticks": 5, "gridcolor": grid,
                           "tickfont": {"size": 11}, "angle": 90, "tickangle": 90,
                           "linecolor": grid},
            "angularaxis": {"direction": "clockwise", "rotation": 90, "gridcolor": grid,
                            "linecolor": grid},
        },
        legend={"orientation": "h", "y": -0.16, "x": 0, "traceorder": "reversed"},
        margin={"l": 48, "r": 48, "t": _TITLE_HEIGHT + 12, "b": 8},
        # In this mode alone does plotly tell of a click into a polar chart.
        dragmode="zoom",
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Line:
    """A unit's years: values and what they are compared with, None where there is none."""

    name: str
    years: tuple[int, ...]
    values: tuple[float | None, ...]
    opens: tuple[str, ...] = ()
    levels: tuple[Level, ...] = ()
    told: tuple[str, ...] = ()
    is_apart: bool = False
    """Whether its dots stand alone and hollow: sums to which parts are missing."""


def years(
    title: str, unit: str, lines: Sequence[Line], targets: Sequence[Line], decimals: int
) -> go.Figure:
    """Return the values of years as lines with dots in the colour of their level, and targets."""
    figure = go.Figure()
    for at, line in enumerate(targets):
        figure.add_trace(
            go.Scatter(
                x=[str(year) for year in line.years],
                y=line.values,
                name=line.name,
                customdata=line.opens or None,
                mode="lines+markers",
                line={"color": SERIES[5], "width": 1.75, "dash": ("dash", "dot")[at % 2]},
                marker={"symbol": "line-ew-open", "size": 16},
                hovertemplate=f"%{{x}} 年 %{{y:,.{decimals}f}} {unit}<extra>{line.name}</extra>",
            )
        )
    for at, line in enumerate(lines):
        colour = SERIES[at]
        levels = [COLOURS[level] for level in line.levels] or colour
        told = line.told or ("",) * len(line.years)
        figure.add_trace(
            go.Scatter(
                x=[str(year) for year in line.years],
                y=line.values,
                name=line.name,
                text=told,
                customdata=line.opens or None,
                mode="markers" if line.is_apart else "lines+markers",
                connectgaps=False,
                line={"color": colour, "width": 2.5 if at == 0 else 2},
                marker={"size": 11 if line.levels else 8, "color": levels,
                        "symbol": _symbol(line, at),
                        "line": {"color": colour, "width": 1.5}},
                hovertemplate=f"%{{x}} 年 %{{y:,.{decimals}f}} {unit}<br>%{{text}}"
                f"<extra>{line.name}</extra>",
            )
        )  # fmt: skip
    axis = {"type": "category", "categoryorder": "category ascending", "showgrid": False}
    named = {"title": {"text": unit, "standoff": 6}, "tickformat": f",.{min(decimals, 2)}~f"}
    return _laid_out(figure, title, 380, xaxis=axis, yaxis=named)


def _symbol(line: Line, at: int) -> str | list[str]:
    if line.is_apart:
        return "circle-open"
    shapes = [_LEVEL_SHAPES.get(level, "circle") for level in line.levels]
    return shapes or SYMBOLS[at]


@dataclass(frozen=True, slots=True)
class Bin:
    """A range of values, its end not in it but for the last one, and what lies in it."""

    low: float
    high: float
    names: tuple[str, ...]

    def text(self, decimals: int) -> str:
        """Return the range in words."""
        return f"{self.low:,.{decimals}f} – {self.high:,.{decimals}f}"


def bins_of(values: Mapping[str, float], count: int = 16) -> list[Bin]:
    """Return the values in bins of one width, each with the names in it; none of no values.

    >>> [(one.low, one.names) for one in bins_of({"a": 0, "b": 1, "c": 4}, 2)]
    [(0.0, ('a', 'b')), (2.0, ('c',))]
    """
    if not values:
        return []
    low, high = float(min(values.values())), float(max(values.values()))
    if high == low:
        return [Bin(low, high, tuple(values))]
    width = (high - low) / count
    edges = [*(low + at * width for at in range(count)), high]
    return [
        Bin(
            start,
            end,
            tuple(name for name, value in values.items() if is_within(value, start, end, high)),
        )
        for start, end in pairwise(edges)
    ]


def is_within(value: float, low: float, high: float, last: float) -> bool:
    """Tell whether a value is in a bin: its end belongs to the next one, the last end to it."""
    return low <= value < high or value == high == last


def histogram(
    title: str,
    unit: str,
    bins: Sequence[Bin],
    opens: Sequence[str],
    marks: Mapping[str, float],
    decimals: int,
) -> go.Figure:
    """Return how many units have which values, with named values as lines.

    Each bar opens the address of its place in `opens`.
    """
    width = (bins[0].high - bins[0].low) or abs(bins[0].low) / 10 or 1
    figure = go.Figure(
        go.Bar(
            x=[(one.low + one.high) / 2 for one in bins],
            y=[len(one.names) for one in bins],
            width=width * 0.96,
            customdata=list(opens),
            marker={"color": OWN},
            text=[_named(one, decimals, unit) for one in bins],
            textposition="none",
            hovertemplate="%{text}<extra></extra>",
            showlegend=False,
        )
    )
    for at, (name, value) in enumerate(marks.items()):
        figure.add_vline(x=value, line={"color": SERIES[1 + at], "width": 2, "dash": "dash"})
        figure.add_annotation(
            x=value, y=1, yref="paper", yanchor="bottom", showarrow=False,
            xanchor="left" if value < (bins[0].low + bins[-1].high) / 2 else "right",
            yshift=18 * (len(marks) - 1 - at), text=f" {name} {value:,.{decimals}f} ",
            font={"color": SERIES[1 + at]},
        )  # fmt: skip
    return _laid_out(
        figure,
        title,
        330,
        xaxis={"title": {"text": unit, "standoff": 6}, "showgrid": False},
        yaxis={"title": {"text": "单位数", "standoff": 6}, "rangemode": "tozero"},
        margin={"l": 8, "r": 12, "t": _TITLE_HEIGHT + 18 * len(marks), "b": 8},
    )


def _named(one: Bin, decimals: int, unit: str) -> str:
    names = "、".join(one.names[:_MOST_NAMED])
    more = f"等 {len(one.names)} 个" if len(one.names) > _MOST_NAMED else ""
    return f"{one.text(decimals)} {unit}<br>{names}{more}"


@dataclass(frozen=True, slots=True)
class Dot:
    """A unit in a scatter."""

    name: str
    across: float
    up: float
    level: Level
    opens: str
    opens_across: str = ""
    """The record of the value across; `opens` is that of the value up."""


def outliers(values: Sequence[float]) -> list[float]:
    """Return how many standard deviations each value lies from the mean; 0 within two.

    >>> [round(far, 1) for far in outliers([1, 2, 3, 2, 1, 2, 3, 2, 20])]
    [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 2.8]
    """
    spread = pstdev(values) if values else 0.0
    if not spread:
        return [0.0] * len(values)
    middle = fmean(values)
    far = [abs(value - middle) / spread for value in values]
    return [one if one > 2 else 0.0 for one in far]


def _residuals(dots: Sequence[Dot]) -> list[float]:
    """Return how far each unit lies above or below the straight line through all of them."""
    across, up = [dot.across for dot in dots], [dot.up for dot in dots]
    if len(set(across)) < 2:
        return [0.0] * len(dots)
    slope, start = linear_regression(across, up)
    return [one.up - start - slope * one.across for one in dots]


def scatter(title: str, across_name: str, up_name: str, dots: Sequence[Dot]) -> go.Figure:
    """Return one indicator against another; the units that lie furthest outside are named."""
    across_far = outliers([dot.across for dot in dots])
    up_far = outliers([dot.up for dot in dots])
    far = [max(each) for each in zip(across_far, up_far, outliers(_residuals(dots)), strict=True)]
    named = _apart(dots, sorted(range(len(dots)), key=lambda at: -far[at]), far)
    figure = go.Figure(
        go.Scatter(
            x=[dot.across for dot in dots],
            y=[dot.up for dot in dots],
            mode="markers+text",
            text=[dot.name if at in named else "" for at, dot in enumerate(dots)],
            textposition=[
                "middle left" if dot.across > _middle(dots) else "middle right" for dot in dots
            ],
            hovertext=[f"{dot.name}（{label(dot.level)}）" for dot in dots],
            customdata=[dot.opens for dot in dots],
            marker={"size": 10, "color": [COLOURS[dot.level] for dot in dots],
                    "symbol": [_LEVEL_SHAPES.get(dot.level, "circle") for dot in dots],
                    "line": {"color": "rgba(91,107,122,0.9)", "width": 1}},
            hovertemplate="<b>%{hovertext}</b><br>%{y:,} · %{x:,}<extra></extra>",
            showlegend=False,
            cliponaxis=False,
        )
    )  # fmt: skip
    return _laid_out(
        figure,
        title,
        420,
        xaxis={"title": {"text": across_name, "standoff": 6}},
        yaxis={"title": {"text": up_name, "standoff": 6}},
    )


def _apart(dots: Sequence[Dot], order: Sequence[int], far: Sequence[float]) -> set[int]:
    """Return which units are named: the furthest first, no two names over each other."""
    width = max(dot.across for dot in dots) - min(dot.across for dot in dots) or 1
    height = max(dot.up for dot in dots) - min(dot.up for dot in dots) or 1
    named: list[int] = []
    for at in order:
        if (
            far[at] > 0
            and len(named) < _MOST_NAMED
            and not any(
                abs(dots[at].across - dots[one].across) < width / 3
                and abs(dots[at].up - dots[one].up) < height / 12
                for one in named
            )
        ):
            named.append(at)
    return set(named)


def _middle(dots: Sequence[Dot]) -> float:
    values = [dot.across for dot in dots]
    return (min(values) + max(values)) / 2


@dataclass(frozen=True, slots=True)
class Small:
    """One small chart: an indicator's years of each that is compared."""

    name: str
    lines: tuple[Line, ...]


def multiples(title: str, charts: Sequence[Small], across: int) -> go.Figure:
    """Return small charts of one look, `across` in a row; each has its own scale."""
    rows = -(-len(charts) // across)
    figure = make_subplots(
        rows=rows,
        cols=across,
        subplot_titles=[chart.name for chart in charts],
        vertical_spacing=0.34 / max(rows, 1),
        horizontal_spacing=0.05,
    )
    for place, chart in enumerate(charts):
        for at, line in enumerate(chart.lines):
            figure.add_trace(
                go.Scatter(
                    x=[str(year) for year in line.years],
                    y=line.values,
                    name=line.name,
                    legendgroup=line.name,
                    showlegend=place == 0,
                    mode="lines+markers",
                    connectgaps=False,
                    customdata=line.opens or None,
                    line={"color": SERIES[at], "width": 2},
                    marker={"size": 6, "symbol": SYMBOLS[at]},
                    hovertemplate=f"%{{x}} 年 %{{y:,}}<extra>{line.name}</extra>",
                ),
                row=place // across + 1,
                col=place % across + 1,
            )
    figure.update_annotations(font={"size": 12})
    figure.update_xaxes(type="category", categoryorder="category ascending", showgrid=False,
                        tickfont={"size": 11})  # fmt: skip
    figure.update_yaxes(nticks=4, tickfont={"size": 11})
    return _laid_out(
        figure,
        title,
        _TITLE_HEIGHT + 90 + 180 * rows,
        legend={"orientation": "h", "yanchor": "bottom", "y": 1 + 0.26 / max(rows, 1), "x": 0},
        margin={"l": 8, "r": 12, "t": _TITLE_HEIGHT + 56, "b": 8},
    )
