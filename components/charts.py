"""Small charts as SVG and HTML: nothing to load, nothing to wait for, sharp on a wall.

Every text is escaped here; what comes back goes into `st.html` as it is.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from urllib.parse import quote

_WIDTH, _HEIGHT, _MARGIN = 120, 32, 3
# A unit stands behind a space that may keep it on its line.
_UNIT = re.compile("([ \u00a0])")
# Holds on a white and on a dark card.
_LINE = "#2B8CBE"


def sparkline(values: Sequence[float | None], alt: str) -> str:
    """Return a line through the values, oldest first, with a dot on the last; gaps stay gaps.

    Fewer than two values draw nothing.
    """
    known = [value for value in values if value is not None]
    if len(known) < 2:
        return ""
    places = _places(values, min(known), max(known))
    strokes = "".join(
        f'<polyline points="{" ".join(f"{x:g},{y:g}" for x, y in run)}"/>' for run in _runs(places)
    )
    last = next(place for place in reversed(places) if place is not None)
    drawing = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}">'
        f'<g fill="none" stroke="{_LINE}" stroke-width="1.75" stroke-linejoin="round">{strokes}</g>'
        f'<circle cx="{last[0]:g}" cy="{last[1]:g}" r="2.75" fill="{_LINE}"/></svg>'
    )
    # Streamlit's cleaning of HTML drops SVG elements; as an image it stays.
    return f'<img class="spark" alt="{escape(alt)}" src="data:image/svg+xml,{quote(drawing)}">'


def _places(
    values: Sequence[float | None], low: float, high: float
) -> list[tuple[float, float] | None]:
    step = (_WIDTH - 2 * _MARGIN) / (len(values) - 1)
    span = _HEIGHT - 2 * _MARGIN
    return [
        None
        if value is None
        else (
            round(_MARGIN + index * step, 1),
            round(_MARGIN + span * ((high - value) / (high - low) if high > low else 0.5), 1),
        )
        for index, value in enumerate(values)
    ]


def _runs(places: Sequence[tuple[float, float] | None]) -> list[list[tuple[float, float]]]:
    runs: list[list[tuple[float, float]]] = [[]]
    for place in places:
        if place is None:
            runs.append([])
        else:
            runs[-1].append(place)
    return [run for run in runs if len(run) > 1]


@dataclass(frozen=True, slots=True)
class Bar:
    """One row of a bar chart: shares run from 0 to 1, `pending` goes on top of `share`."""

    name: str
    share: float
    pending: float
    figures: tuple[str, ...]
    opens: str = ""
    """Address that the row opens, '' for none."""
    strong: bool = False
    opened: tuple[str, ...] = ()
    """Address that each figure opens, '' for none."""


def bars(rows: Sequence[Bar], heads: Sequence[str], kind: str) -> str:
    """Return a table of bars under `heads`: the name, the bar with its figure, more figures."""
    head = "".join(f"<th>{escape(text)}</th>" for text in heads)
    body = "".join(_row(row) for row in rows)
    return f'<table class="bars {kind}"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'


def _row(row: Bar) -> str:
    name = link(row.opens, escape(row.name)) if row.opens else escape(row.name)
    opened = row.opened or ("",) * len(row.figures)
    cells = "".join(
        f"<td>{link(address, escape(figure)) if address else escape(figure)}</td>"
        for figure, address in zip(row.figures, opened, strict=True)
    )
    share = min(max(row.share, 0.0), 1.0)
    pending = min(max(row.pending, 0.0), 1.0 - share)
    # Two flat colours in one background: no element for a bar, none for its extension.
    bar = f'<i style="--a:{share:.1%};--b:{share + pending:.1%}"></i>'
    strong = ' class="strong"' if row.strong else ""
    return f"<tr{strong}><th>{name}</th><td>{bar}</td>{cells}</tr>"


def link(address: str, content: str, kind: str = "") -> str:
    """Return a link to a page of the portal; components/watch.py opens it without reloading."""
    classes = f' class="{kind}"' if kind else ""
    return (
        f'<a{classes} href="{escape(address)}" data-portal-open="{escape(address)}">{content}</a>'
    )


def figure_card(
    name: str,
    value: str,
    note: str,
    opens: str,
    *,
    history: str = "",
    alarming: bool = False,
) -> str:
    """Return a figure that opens what it counts; `history` is a sparkline above the note.

    What follows the first space of the value is its unit or denominator, in small type.
    """
    head, *unit = _UNIT.split(value, maxsplit=1)
    small = f"<small>{escape(''.join(unit))}</small>" if unit else ""
    content = (
        f'<span class="name">{escape(name)}</span>'
        f'<span class="value">{escape(head)}{small}</span>'
        f'{history}<span class="change">{escape(note)}</span>'
    )
    return link(opens, content, "figure alarming" if alarming else "figure")


def figure_row(cards: Iterable[str]) -> str:
    """Return the figures in a row."""
    return f'<div class="figures">{"".join(cards)}</div>'


def panel(title: str, note: str, content: str, kind: str = "") -> str:
    """Return a chart under its title; `kind` is a class of its own."""
    classes = f"panel {kind}" if kind else "panel"
    return (
        f'<section class="{classes}"><h3>{escape(title)}<small>{escape(note)}</small></h3>'
        f"{content}</section>"
    )
