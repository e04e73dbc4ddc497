"""How the units of an indicator lie: in bins of its values, and against another indicator."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import fmean, linear_regression, pstdev

import plotly.graph_objects as go

from components.assessment_charts import LEVEL_SHAPES, OWN, SERIES, TITLE_HEIGHT, laid_out
from components.assessment_matrix import COLOURS
from components.labels import label
from domain.assessment import Level

_MOST_NAMED = 8


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
    return laid_out(
        figure,
        title,
        330,
        xaxis={"title": {"text": unit, "standoff": 6}, "showgrid": False},
        yaxis={"title": {"text": "单位数", "standoff": 6}, "rangemode": "tozero"},
        margin={"l": 8, "r": 12, "t": TITLE_HEIGHT + 18 * len(marks), "b": 8},
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
                    "symbol": [LEVEL_SHAPES.get(dot.level, "circle") for dot in dots],
                    "line": {"color": "rgba(91,107,122,0.9)", "width": 1}},
            hovertemplate="<b>%{hovertext}</b><br>%{y:,} · %{x:,}<extra></extra>",
            showlegend=False,
            cliponaxis=False,
        )
    )  # fmt: skip
    return laid_out(
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
