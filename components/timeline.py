"""A plan's timeline: each stage as planned, as re-planned, as it went; today as a line."""

from collections.abc import Sequence
from datetime import date, timedelta

import plotly.graph_objects as go

from data_access.progress import MilestoneView
from domain.clock import month_day
from domain.progress import Lateness, LatenessLimits, MilestoneState, lateness_of

ACCEPTED, PENDING, PLANNED, REPLANNED = "#2B8CBE", "#A6BDDB", "#8494A3", "#7B5EA7"
TODAY = "#2B8CBE"
LATE = {Lateness.YELLOW: "#F2C94C", Lateness.ORANGE: "#E67E22", Lateness.RED: "#B8322A"}
FONT = "'Microsoft YaHei', 'PingFang SC', 'Noto Sans CJK SC', sans-serif"
_ROW_HEIGHT, _FRAME_HEIGHT = 30, 92


def timeline_figure(
    milestones: Sequence[MilestoneView], limits: LatenessLimits, today: date
) -> go.Figure:
    """Draw one plan's stages from top to bottom over the days of a common axis."""
    rows = [f"{row.stage_order}　{row.stage_name}" for row in milestones]
    figure = go.Figure()
    _actual(figure, rows, milestones, today)
    _lateness(figure, rows, milestones, limits, today)
    _pending(figure, rows, milestones)
    _planned(figure, rows, milestones)
    figure.add_vline(x=_at(today), line={"color": TODAY, "width": 1.5, "dash": "dot"})
    figure.add_annotation(
        x=_at(today),
        y=1,
        yref="paper",
        yanchor="bottom",
        text=month_day(today),
        showarrow=False,
        font={"color": TODAY, "size": 12},
    )
    _lay_out(figure, rows, milestones, today)
    return figure


def _at(day: date) -> str:
    return day.isoformat()


def _segments(
    figure: go.Figure,
    spans: Sequence[tuple[str, date, date]],
    name: str | None,
    color: str,
    width: int,
) -> None:
    """Draw spans of days as one trace, without a name outside the legend; None parts strokes."""
    if not spans:
        return
    figure.add_trace(
        go.Scatter(
            x=[value for _, start, end in spans for value in (_at(start), _at(end), None)],
            y=[value for row, _, _ in spans for value in (row, row, None)],
            mode="lines",
            line={"color": color, "width": width},
            name=name,
            showlegend=name is not None,
            hoverinfo="skip",
        )
    )


def _lateness(
    figure: go.Figure,
    rows: Sequence[str],
    milestones: Sequence[MilestoneView],
    limits: LatenessLimits,
    today: date,
) -> None:
    """Draw how far each unfinished stage runs beyond its baseline, by class of lateness."""
    spans: dict[Lateness, list[tuple[str, date, date]]] = {kind: [] for kind in LATE}
    for row, milestone in zip(rows, milestones, strict=True):
        if milestone.baseline_on is None or not milestone.late_days:
            continue
        kind = lateness_of(milestone.late_days, limits)
        spans[kind].append((row, milestone.baseline_on, today))
    names = {
        Lateness.YELLOW: f"滞后 ≤ {limits.yellow} 天",
        Lateness.ORANGE: f"滞后 ≤ {limits.orange} 天",
        Lateness.RED: f"滞后 > {limits.orange} 天",
    }
    for kind, found in spans.items():
        _segments(figure, found, names[kind], LATE[kind], 4)


def _actual(
    figure: go.Figure, rows: Sequence[str], milestones: Sequence[MilestoneView], today: date
) -> None:
    """Draw what the province accepted: from start to completion, or to today while it runs."""
    done, running = [], []
    for row, milestone in zip(rows, milestones, strict=True):
        if milestone.state is MilestoneState.COMPLETED and milestone.completed_on:
            start = milestone.started_on or milestone.completed_on
            done.append((row, start, milestone.completed_on))
        elif milestone.state is MilestoneState.RUNNING and milestone.started_on:
            running.append((row, milestone.started_on, today))
    _segments(figure, done, None, ACCEPTED, 11)
    _segments(figure, running, "进行中", "rgba(43,140,190,0.35)", 11)
    finished = [
        (row, milestone) for row, milestone in zip(rows, milestones, strict=True)
        if milestone.state is MilestoneState.COMPLETED and milestone.completed_on
    ]  # fmt: skip
    _markers(
        figure,
        [
            (row, milestone.completed_on or today, _done_text(milestone))
            for row, milestone in finished
        ],
        "实际完成（已认定）",
        {"symbol": "circle", "size": 11, "color": ACCEPTED},
    )


def _done_text(milestone: MilestoneView) -> str:
    by = f"{milestone.accepted_by_name} 认定" if milestone.accepted_by_name else ""
    return f"完成 {milestone.completed_on:%Y-%m-%d}<br>{by}"


def _pending(figure: go.Figure, rows: Sequence[str], milestones: Sequence[MilestoneView]) -> None:
    waiting = [
        (row, milestone.pending_completed_on, "已报待认定")
        for row, milestone in zip(rows, milestones, strict=True)
        if milestone.pending_completed_on is not None
    ]
    _markers(
        figure,
        waiting,
        "已报待认定",
        {"symbol": "circle-open", "size": 11, "color": PENDING, "line": {"width": 2.5}},
    )


def _planned(figure: go.Figure, rows: Sequence[str], milestones: Sequence[MilestoneView]) -> None:
    pairs = list(zip(rows, milestones, strict=True))
    _markers(
        figure,
        [
            (row, m.baseline_on, f"基准计划 {m.baseline_on:%Y-%m-%d}")
            for row, m in pairs
            if m.baseline_on
        ],
        "基准计划",
        {"symbol": "line-ns-open", "size": 15, "color": PLANNED, "line": {"width": 2.5}},
    )
    moved = [(row, m) for row, m in pairs if m.replanned_on]
    _markers(
        figure,
        [
            (
                row,
                m.replanned_on,
                f"调整后计划 {m.replanned_on:%Y-%m-%d}<br>{m.replan_reason or ''}",
            )
            for row, m in moved
            if m.replanned_on
        ],
        "调整后计划",
        {"symbol": "diamond-open", "size": 10, "color": REPLANNED, "line": {"width": 2}},
    )


def _markers(
    figure: go.Figure,
    points: Sequence[tuple[str, date, str]],
    name: str,
    marker: dict[str, object],
) -> None:
    if points:
        figure.add_trace(
            go.Scatter(
                x=[_at(day) for _, day, _ in points],
                y=[row for row, _, _ in points],
                mode="markers",
                marker=marker,
                name=name,
                text=[text for _, _, text in points],
                hovertemplate="%{y}<br>%{text}<extra></extra>",
            )
        )


def _lay_out(
    figure: go.Figure, rows: Sequence[str], milestones: Sequence[MilestoneView], today: date
) -> None:
    days = [
        day
        for row in milestones
        for day in (row.baseline_on, row.replanned_on, row.started_on, row.completed_on)
        if day is not None
    ] + [today]
    margin = max(timedelta(days=12), (max(days) - min(days)) / 40)
    figure.update_layout(
        height=_FRAME_HEIGHT + _ROW_HEIGHT * len(rows),
        margin={"l": 0, "r": 8, "t": 24, "b": 0},
        font={"family": FONT, "size": 13},
        legend={"orientation": "h", "yanchor": "top", "y": -0.09, "x": 0, "xanchor": "left"},
        xaxis={
            "type": "date",
            "range": [_at(min(days) - margin), _at(max(days) + margin)],
            "tickformat": "%Y-%m",
            "fixedrange": True,
            "showgrid": True,
        },
        yaxis={
            "categoryorder": "array",
            "categoryarray": list(reversed(rows)),
            "range": [-0.6, len(rows) - 0.4],
            "fixedrange": True,
            "automargin": True,
            "showgrid": False,
        },
        dragmode=False,
    )
