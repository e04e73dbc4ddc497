"""How one plan went, stage by stage: planned, begun, completed, late, re-planned, skipped."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import accumulate
from random import Random
from typing import Any

from data_access.demo import words
from data_access.demo.calendar import WorkCalendar
from domain.progress import Lateness, MilestoneState

_DAY = timedelta(days=1)
_SHORTEST_STAGE_DAYS = 12
_TYPICAL_PLAN_DAYS = 900
# How long before today a stage that is not completed was due, in days.
_DUE_DAYS_AGO = {
    Lateness.ON_TIME: (-100, -3),
    Lateness.YELLOW: (1, 15),
    Lateness.ORANGE: (16, 45),
    Lateness.RED: (46, 140),
}


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage of a plan type, as the reference data has it."""

    plan_type: str
    stage_code: str
    name: str
    evidence_items: list[str]
    minimum_days: int | None
    weight: float


@dataclass(slots=True)
class StageLine:
    """One stage of one plan as it went; `completed_on` is also when a skipped one was passed."""

    stage: Stage
    planned_on: date | None = None
    started_on: date | None = None
    completed_on: date | None = None
    skip_reason: str | None = None
    late_reason: str = ""
    replanned_on: date | None = None
    replan_reason: str | None = None
    replan_from: date | None = None

    def state_on(self, day: date) -> MilestoneState:
        """Return how far the stage was on a day."""
        if self.completed_on and self.completed_on <= day:
            return MilestoneState.SKIPPED if self.skip_reason else MilestoneState.COMPLETED
        if self.started_on and self.started_on <= day and not self.skip_reason:
            return MilestoneState.RUNNING
        return MilestoneState.NOT_STARTED

    def values_on(self, day: date) -> dict[str, Any]:
        """Return what a unit would fill in for the stage on a day; dates are dates."""
        state = self.state_on(day)
        begun = state in (MilestoneState.RUNNING, MilestoneState.COMPLETED)
        done = state is MilestoneState.COMPLETED
        replanned = self.replan_from is not None and self.replan_from <= day
        return {
            "state": state.value,
            "planned_on": self.planned_on,
            "replanned_on": self.replanned_on if replanned else None,
            "replan_reason": self.replan_reason if replanned else None,
            "started_on": self.started_on if begun else None,
            "completed_on": self.completed_on if done else None,
            "skip_reason": self.skip_reason if state is MilestoneState.SKIPPED else None,
            "late_reason": self.late_reason if self._is_late(state, day) else None,
        }

    def _is_late(self, state: MilestoneState, day: date) -> bool:
        if self.planned_on is None or state is MilestoneState.SKIPPED:
            return False
        last = self.completed_on if state is MilestoneState.COMPLETED else day
        return last is not None and last > self.planned_on


@dataclass(frozen=True, slots=True)
class Course:
    """What a plan's course is to look like today."""

    begins_on: date
    accepted: int
    """How many stages the province has accepted."""
    accepted_until: date
    """The last day of which the province has accepted a report."""
    submitted_until: date | None
    """The day of a report that is under review, with one more stage completed."""
    lateness: Lateness
    replanned: bool = False
    skips: frozenset[int] = field(default_factory=frozenset)


def draw(
    rng: Random, calendar: WorkCalendar, stages: Sequence[Stage], course: Course, today: date
) -> list[StageLine]:
    """Return the stages of a plan whose course ends where `course` says, in order."""
    lines = [StageLine(stage, late_reason=rng.choice(words.LATE_REASONS)) for stage in stages]
    lengths = [_length(rng, stage) for stage in stages]
    _complete(rng, calendar, lines[: course.accepted], lengths, course)
    _begin_next(rng, calendar, lines, course, today)
    if course.lateness is not Lateness.UNPLANNED:
        _plan(rng, calendar, lines, lengths, course, today)
    if course.replanned:
        _replan(rng, calendar, lines, course, today)
    for index in course.skips:
        if index < course.accepted - 1:
            lines[index].skip_reason = words.SKIP_REASONS[index % 2]
    return lines


def _length(rng: Random, stage: Stage) -> float:
    weight = max(stage.weight, 5.0 if stage.minimum_days is None else 7.0)
    return weight * rng.uniform(0.75, 1.25)


def _complete(
    rng: Random,
    calendar: WorkCalendar,
    lines: Sequence[StageLine],
    lengths: Sequence[float],
    course: Course,
) -> None:
    """Lay the completed stages backwards from the last one, down to the beginning."""
    if not lines:
        return
    latest = 400 if course.accepted == len(lengths) else 110
    last = course.accepted_until - rng.randint(3, latest) * _DAY
    last = max(last, course.begins_on + len(lines) * _SHORTEST_STAGE_DAYS * _DAY)
    scale = (last - course.begins_on).days / sum(lengths[: len(lines)])
    ends = min(last, course.accepted_until - _DAY)
    for line, length in reversed(list(zip(lines, lengths, strict=False))):
        least = max(_SHORTEST_STAGE_DAYS, (line.stage.minimum_days or 0) + 14)
        days = max(least, round(length * scale))
        line.completed_on = calendar.on_or_before(ends)
        ends -= days * _DAY
        begun = ends + rng.randint(2, 6) * _DAY
        if line.stage.minimum_days:
            begun = min(begun, line.completed_on - line.stage.minimum_days * _DAY)
        line.started_on = calendar.on_or_before(begun)


def _begin_next(
    rng: Random,
    calendar: WorkCalendar,
    lines: Sequence[StageLine],
    course: Course,
    today: date,
) -> None:
    """Let the stage after the accepted ones run, or be completed and filed and not yet accepted."""
    if course.accepted == len(lines):
        return
    before = lines[course.accepted - 1].completed_on if course.accepted else course.begins_on
    line = lines[course.accepted]
    assert before is not None
    line.started_on = calendar.on_or_after(before + rng.randint(1, 5) * _DAY)
    if course.submitted_until is None or course.submitted_until <= course.accepted_until:
        return
    completed = calendar.pick(rng, course.accepted_until + _DAY, course.submitted_until)
    if (completed - line.started_on).days < max(5, line.stage.minimum_days or 0):
        return
    line.completed_on = completed
    if course.accepted + 1 < len(lines):
        lines[course.accepted + 1].started_on = calendar.on_or_after(min(completed + _DAY, today))


def _plan(
    rng: Random,
    calendar: WorkCalendar,
    lines: Sequence[StageLine],
    lengths: Sequence[float],
    course: Course,
    today: date,
) -> None:
    """Plan so that the next stage is as late today as the course says, the others in proportion."""
    anchor = min(course.accepted, len(lines) - 1)
    due = _due_day(rng, calendar, lines[anchor], course, today)
    elapsed = list(accumulate(lengths))
    begins = course.begins_on + rng.randint(-20, 20) * _DAY
    span = max((due - begins).days, 15 * (anchor + 1))
    for index, line in enumerate(lines[:anchor]):
        share = elapsed[index] / elapsed[anchor] * rng.uniform(0.97, 1.0)
        line.planned_on = calendar.on_or_before(due - round(span * (1 - share)) * _DAY)
    lines[anchor].planned_on = due
    scale = _TYPICAL_PLAN_DAYS / elapsed[-1]
    for index, line in enumerate(lines[anchor + 1 :], start=anchor + 1):
        later = max(20, round((elapsed[index] - elapsed[anchor]) * scale))
        line.planned_on = calendar.on_or_after(due + later * _DAY)


def _due_day(
    rng: Random, calendar: WorkCalendar, line: StageLine, course: Course, today: date
) -> date:
    if line.completed_on and line.completed_on <= course.accepted_until:
        return calendar.pick(rng, line.completed_on - 50 * _DAY, line.completed_on + 40 * _DAY)
    most, least = (today - days * _DAY for days in _DUE_DAYS_AGO[course.lateness][::-1])
    return calendar.pick(rng, most, least)


def _replan(
    rng: Random,
    calendar: WorkCalendar,
    lines: Sequence[StageLine],
    course: Course,
    today: date,
) -> None:
    """Move what is not done to later days, from some month ago; the baseline stays beside it."""
    decided = course.accepted_until - rng.randint(20, 90) * _DAY
    reason = rng.choice(words.REPLAN_REASONS)
    shift = rng.randint(60, 150) * _DAY
    for line in lines[course.accepted :]:
        if line.planned_on:
            later = max(line.planned_on + shift, today + 15 * _DAY)
            line.replanned_on = calendar.on_or_after(later)
            line.replan_reason = reason
            line.replan_from = decided
