"""The charts of the assessment: drawn by plotly in the browser, taken away as pictures there.

A chart names itself and says 演示数据, because its picture is passed on without the page.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go
import streamlit as st
from plotly.subplots import make_subplots

from components.assessment import follow
from components.assessment_matrix import COLOURS
from components.session import portal_facts
from components.timeline import FONT
from domain.assessment import Level

# Told apart by eyes that do not tell all colours, on white and on dark; none is a level's.
SERIES = ("#2B8CBE", "#E6A000", "#7B5EA7", "#1B9E77", "#D6679A", "#8494A3")
SYMBOLS = ("circle", "square", "diamond", "triangle-up", "x", "cross")
OWN, KIND, PROVINCE = SERIES[0], SERIES[1], SERIES[5]
# A shape beside the colour, as in the matrix.
LEVEL_SHAPES = {
    Level.WATCH: "triangle-down",
    Level.WARN: "triangle-up",
    Level.SEVERE: "diamond",
}
TITLE_HEIGHT = 52
_TITLE_CHARACTERS, _LINE_HEIGHT = 20, 20
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


def laid_out(figure: go.Figure, title: str, height: int, note: str = "", **more: Any) -> go.Figure:
    """Return the figure with its title, `height` pixels high, in the look of all of them.

    Under the title stands `note` and, where the data are invented, that they are.
    """
    lines = _title_lines(title)
    demo = f'<span style="color:{COLOURS[Level.WARN]}">演示数据</span>'
    below = "　".join(part for part in (demo if portal_facts().is_demo else "", note) if part)
    small = f'<br><span style="font-size:12px;font-weight:400">{below}</span>' if below else ""
    taller = _LINE_HEIGHT * (len(lines) - 1)
    figure.update_layout(
        title={"text": "<br>".join(lines) + small, "font": {"size": 15}, "x": 0,
               "xanchor": "left", "y": 1, "yanchor": "top", "pad": {"t": 18}},
        height=height + taller,
        margin={"l": 8, "r": 12, "t": TITLE_HEIGHT, "b": 8},
        font={"family": FONT, "size": 13},
        legend={"orientation": "h", "yanchor": "top", "y": -0.12, "x": 0, "xanchor": "left"},
        dragmode=False,
        hoverlabel={"align": "left"},
        clickmode="event+select",
    )  # fmt: skip
    figure.update_xaxes(fixedrange=True, automargin=True)
    figure.update_yaxes(fixedrange=True, automargin=True)
    figure.update_layout(**more)
    figure.update_layout(margin_t=figure.layout.margin.t + taller)
    # What is clicked opens; the others keep their colour meanwhile.
    figure.update_traces(unselected={"marker": {"opacity": 1}})
    return figure


def _title_lines(title: str) -> list[str]:
    """Return a title in one line, or in two where a phone has no room beside the camera."""
    if len(title) <= _TITLE_CHARACTERS or " · " not in title:
        return [title]
    return title.split(" · ", 1)


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


def radar(title: str, note: str, names: Sequence[str], spokes: Sequence[Spoke]) -> go.Figure:
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
    return laid_out(
        figure,
        title,
        400,
        note,
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
        margin={"l": 48, "r": 48, "t": TITLE_HEIGHT + 24, "b": 8},
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
    return laid_out(figure, title, 380, xaxis=axis, yaxis=named)


def _symbol(line: Line, at: int) -> str | list[str]:
    if line.is_apart:
        return "circle-open"
    shapes = [LEVEL_SHAPES.get(level, "circle") for level in line.levels]
    return shapes or SYMBOLS[at]


@dataclass(frozen=True, slots=True)
class Small:
    """One small chart: an indicator's years of each that is compared."""

    name: str
    lines: tuple[Line, ...]


def multiples(title: str, note: str, charts: Sequence[Small], across: int) -> go.Figure:
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
    return laid_out(
        figure,
        title,
        TITLE_HEIGHT + 90 + 180 * rows,
        note,
        legend={"orientation": "h", "yanchor": "bottom", "y": 1 + 28 / (180 * rows + 26), "x": 0},
        margin={"l": 8, "r": 12, "t": TITLE_HEIGHT + 56, "b": 8},
    )
