"""Where a figure comes from: the units it counts and divides by, each with the record behind it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import pandas as pd
import streamlit as st

from components import cached
from components.labels import label
from components.map import percent
from data_access.overview import AcceptedStage, Filing
from domain.overview import LATE
from domain.progress import (
    Lateness,
    MilestoneState,
    UnitProgress,
    has_reached,
    is_filed,
)

Record = AcceptedStage | Filing


class Figure(StrEnum):
    MEAN = "mean"
    APPROVED = "approved"
    LATE = "late"
    COMPLETENESS = "completeness"
    UNPLANNED = "unplanned"


TITLES: Mapping[Figure, str] = {
    Figure.MEAN: "平均进度",
    Figure.APPROVED: "已批复",
    Figure.LATE: "进度滞后",
    Figure.COMPLETENESS: "本期报送率",
    Figure.UNPLANNED: "未定计划",
}


@dataclass(frozen=True, slots=True)
class Source:
    """One unit of the denominator: what it adds to the numerator, why, and which record says so."""

    unit: UnitProgress
    share: float
    """1 or 0 where units are counted, the accepted ratio where they are averaged."""
    why: str
    record: Record | None


@dataclass(frozen=True, slots=True)
class FigureList:
    """A figure as the list that reproduces it."""

    figure: Figure
    rows: tuple[Source, ...]

    @property
    def numerator(self) -> float:
        return sum(row.share for row in self.rows)

    @property
    def denominator(self) -> int:
        return len(self.rows)

    def sentence(self) -> str:
        """Return the figure as what it is made of."""
        if not self.rows:
            return f"{TITLES[self.figure]}：所选范围内没有可计入的单位。"
        share = percent(self.numerator / self.denominator)
        if self.figure is Figure.MEAN:
            total = f"{self.numerator * 100:,.1f}\u00a0%"
            return (
                f"平均进度 = 各单位已认定进度之和 {total} ÷ {self.denominator} 个单位 = {share}。"
            )
        count = f"{self.numerator:.0f} ÷ {self.denominator}"
        return f"{TITLES[self.figure]}：{count} 个单位（{share}）。{_RULES[self.figure]}"


_RULES: Mapping[Figure, str] = {
    Figure.APPROVED: "分母为单独编制的单位；分子为批复阶段已获省级认定的单位。",
    Figure.LATE: "分母为单独编制的单位；分子为认定的基准计划日期已过而阶段未获认定的单位。",
    Figure.COMPLETENESS: "分母为应报单位；分子为已报送且未被退回的单位。",
    Figure.UNPLANNED: "分母为单独编制的单位；分子为没有任何已认定基准计划日期的单位。",
}


def figure_list(
    figure: Figure,
    units: Sequence[UnitProgress],
    frame: cached.Frame,
    filings: Mapping[str, Filing],
    accepted: Mapping[str, Sequence[AcceptedStage]],
) -> FigureList:
    """Return the list behind a figure: what counts first, then by code."""
    if figure is Figure.COMPLETENESS:
        rows = [
            Source(unit, float(is_filed(unit)), label(unit.period_state), filings.get(unit.code))
            for unit in units
        ]
    else:
        explain = _EXPLAIN[figure]
        rows = [
            explain(unit, frame, accepted.get(unit.code, ()))
            for unit in units
            if not unit.is_merged
        ]
    return FigureList(figure, tuple(sorted(rows, key=lambda row: (-row.share, row.unit.code))))


def _mean(unit: UnitProgress, frame: cached.Frame, stages: Sequence[AcceptedStage]) -> Source:
    completed = _completed(stages)
    why = (
        f"已认定 {len(completed)} 个阶段，至“{unit.stage_name}”" if completed else "尚无认定的阶段"
    )
    return Source(unit, unit.accepted_ratio, why, _latest(completed))


def _approved(unit: UnitProgress, frame: cached.Frame, stages: Sequence[AcceptedStage]) -> Source:
    furthest = [stage for stage in _completed(stages) if stage.stage_order == unit.stage_order]
    why = f"已认定至“{unit.stage_name}”" if unit.stage_name else "尚无认定的阶段"
    counts = has_reached(unit, frame.approved_stage)
    return Source(unit, float(counts), why, _latest(furthest))


def _late(unit: UnitProgress, frame: cached.Frame, stages: Sequence[AcceptedStage]) -> Source:
    lateness = unit.lateness(frame.limits)
    if lateness not in LATE:
        return Source(unit, 0.0, label(lateness), None)
    behind = [stage for stage in stages if stage.baseline_on == unit.late_since]
    named = [stage for stage in behind if stage.stage_name == unit.late_stage_name]
    why = f"“{unit.late_stage_name}”应于 {unit.late_since} 完成，滞后 {unit.late_days} 天"
    return Source(unit, 1.0, why, _latest(named))


def _unplanned(unit: UnitProgress, frame: cached.Frame, stages: Sequence[AcceptedStage]) -> Source:
    if unit.lateness(frame.limits) is Lateness.UNPLANNED:
        return Source(unit, 1.0, "没有已认定的基准计划日期", None)
    planned = [stage for stage in stages if stage.baseline_on]
    return Source(unit, 0.0, f"{unit.planned_stages} 个阶段已定计划", _latest(planned))


_EXPLAIN: Mapping[
    Figure, Callable[[UnitProgress, cached.Frame, Sequence[AcceptedStage]], Source]
] = {
    Figure.MEAN: _mean,
    Figure.APPROVED: _approved,
    Figure.LATE: _late,
    Figure.UNPLANNED: _unplanned,
}


def _completed(stages: Sequence[AcceptedStage]) -> list[AcceptedStage]:
    return [stage for stage in stages if stage.state is MilestoneState.COMPLETED]


def _latest(stages: Sequence[AcceptedStage]) -> AcceptedStage | None:
    return max(stages, key=lambda stage: stage.decided_at, default=None)


def show_figure(figures: FigureList, day: Mapping[str, str]) -> None:
    """Draw the list as a sortable table with links to the unit and to the record."""
    query = "".join(f"&{name}={value}" for name, value in day.items())
    st.dataframe(
        figure_frame(figures, query),
        hide_index=True,
        height=700 if len(figures.rows) > 18 else "content",
        column_config={
            "单位": st.column_config.LinkColumn(display_text=r"#(.*)$", width="small"),
            "记录": st.column_config.LinkColumn(display_text=r"#(.*)$", width="small"),
            "进度": st.column_config.NumberColumn(format="%.1f %%", width="small"),
            "说明": st.column_config.TextColumn(width="large"),
            "报送时间": st.column_config.DatetimeColumn(format="YYYY-MM-DD HH:mm"),
            "认定或退回时间": st.column_config.DatetimeColumn(format="YYYY-MM-DD HH:mm"),
        },
    )


def figure_frame(figures: FigureList, query: str = "") -> pd.DataFrame:
    """Return the list as a frame, one row a unit."""
    averaged = figures.figure is Figure.MEAN
    return pd.DataFrame(
        [
            {
                "进度" if averaged else "计入": row.share * 100 if averaged else _tick(row.share),
                "单位": f"/unit?code={row.unit.code}{query}#{row.unit.name}",
                "代码": row.unit.code,
                "所属": row.unit.parent_name,
                "类型": row.unit.kind,
                "说明": row.why,
                **_record(row.record),
            }
            for row in figures.rows
        ]
    )


def _tick(share: float) -> str:
    return "✓ 计入" if share else "— 未计入"


def _record(record: Record | None) -> dict[str, object]:
    """Return who filed which version and when, and who decided on it."""
    if record is None:
        return dict.fromkeys(
            ("记录", "版本", "报送人", "报送时间", "认定或退回人", "认定或退回时间")
        )
    return {
        "记录": _address(record.submission_id),
        "版本": record.version_no,
        "报送人": record.filed_by,
        "报送时间": _local(record.filed_at),
        "认定或退回人": record.decided_by,
        "认定或退回时间": _local(record.decided_at),
    }


def _address(submission_id: int | None) -> str | None:
    """Return the report's address; what was imported has none."""
    return f"/submission?id={submission_id}#填报 {submission_id}" if submission_id else None


def _local(moment: datetime | None) -> datetime | None:
    """Return the time without its zone, which is Beijing's for every connection."""
    return moment.replace(tzinfo=None) if moment else None
