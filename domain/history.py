"""Progress from before the portal: what a row of an old sheet adds to what is accepted already.

The portal's own facts stand: a row may add to them and never contradicts them.
"""

from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

from domain.progress import MilestoneState


class HistoryFault(StrEnum):
    """Why a row of an old sheet is not taken."""

    NO_UNIT = "no_unit"
    UNKNOWN_UNIT = "unknown_unit"
    AMBIGUOUS_UNIT = "ambiguous_unit"
    UNKNOWN_PLAN = "unknown_plan"
    UNKNOWN_STAGE = "unknown_stage"
    NO_DATE = "no_date"
    NOT_A_DATE = "not_a_date"
    IN_THE_FUTURE = "in_the_future"
    BASELINE_DIFFERS = "baseline_differs"
    COMPLETION_DIFFERS = "completion_differs"
    SKIPPED = "skipped"
    TWICE = "twice"


@dataclass(frozen=True, slots=True)
class Known:
    """What the province has accepted of one stage of one plan."""

    state: MilestoneState = MilestoneState.NOT_STARTED
    baseline_on: date | None = None
    completed_on: date | None = None


def add(
    known: Known, planned_on: date | None, actual_on: date | None, today: date
) -> Known | HistoryFault:
    """Return what is known with the row's two dates added, or why they cannot be.

    The same as before means that the row says nothing new.
    """
    if planned_on is None and actual_on is None:
        return HistoryFault.NO_DATE
    if actual_on is not None and actual_on > today:
        return HistoryFault.IN_THE_FUTURE
    if planned_on is not None and known.baseline_on not in (None, planned_on):
        return HistoryFault.BASELINE_DIFFERS
    result = replace(known, baseline_on=known.baseline_on or planned_on)
    if actual_on is None:
        return result
    if known.state is MilestoneState.SKIPPED:
        return HistoryFault.SKIPPED
    if known.state is MilestoneState.COMPLETED and known.completed_on != actual_on:
        return HistoryFault.COMPLETION_DIFFERS
    return replace(result, state=MilestoneState.COMPLETED, completed_on=actual_on)
