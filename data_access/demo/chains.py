"""When a unit filed, who returned it, when it was filed for good: the life of each report."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from random import Random

from data_access.demo.calendar import WorkCalendar, office_hour
from domain.workflow import ReviewAction

_DAY = timedelta(days=1)
# What becomes of the reports of a past month, per thousand.
_PAST = {"good": 800, "late": 60, "returned": 85, "returned_twice": 20, "missing": 32, "dropped": 3}
_DAYS_TO_DECIDE = 7  # working days: what waits for a decision has not waited long
# The month in hand: one entry a county of a city in turn, so that every reviewer has a queue.
_COUNTIES_NOW = (
    "first_step", "filed", "none", "filed", "last_step", "filed", "draft", "filed", "returned",
    "first_step", "filed", "last_step", "none", "filed",
)  # fmt: skip
_CITIES_NOW = (
    "filed", "last_step", "filed", "last_step", "draft", "last_step", "filed", "none", "returned",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Period:
    """One month of reporting."""

    period_id: int
    name: str
    starts_on: date
    ends_on: date
    deadline_at: datetime
    opened_at: datetime
    closed_at: datetime | None

    @property
    def deadline_on(self) -> date:
        return self.deadline_at.date()


@dataclass(frozen=True, slots=True)
class Event:
    """One decision of a report's life; `step_no` is 0 for the filer."""

    at: datetime
    action: ReviewAction
    step_no: int


@dataclass(frozen=True, slots=True)
class Chain:
    """A report's life up to now; `draft_at` is when a draft was saved that was never filed."""

    period: Period
    events: tuple[Event, ...]
    last_step: int
    draft_at: datetime | None = None

    @property
    def is_filed(self) -> bool:
        """Tell whether the last review of all has accepted it."""
        return bool(self.events) and (
            self.events[-1].action is ReviewAction.APPROVE
            and self.events[-1].step_no == self.last_step
        )

    @property
    def submitted_at(self) -> datetime | None:
        """When it was handed in last."""
        return max(
            (event.at for event in self.events if event.action is ReviewAction.SUBMIT),
            default=None,
        )


def past_chain(
    rng: Random, calendar: WorkCalendar, period: Period, steps: Sequence[int], not_before: date
) -> list[Event]:
    """Return how the report of a past month went, after the one before it was done with."""
    names = list(_PAST)
    fate = rng.choices(names, weights=list(_PAST.values()))[0]
    if fate == "missing":
        return []
    day = _filing_day(rng, calendar, period, not_before, late=fate == "late")
    returns = {"returned": 1, "returned_twice": 2, "dropped": 1}.get(fate, 0)
    events: list[Event] = []
    while True:
        events.append(Event(office_hour(rng, day), ReviewAction.SUBMIT, 0))
        returned_at = rng.choice(steps) if returns else None
        for step in steps:
            day = calendar.later(day, rng.choice((1, 1, 2)))
            if step == returned_at:
                events.append(Event(office_hour(rng, day), ReviewAction.RETURN, step))
                break
            events.append(Event(office_hour(rng, day), ReviewAction.APPROVE, step))
        if returned_at is None or fate == "dropped":
            return events
        returns -= 1
        day = calendar.later(day, rng.choice((1, 1, 2)))


def _filing_day(
    rng: Random, calendar: WorkCalendar, period: Period, not_before: date, *, late: bool
) -> date:
    if late:
        return calendar.later(period.deadline_on, rng.randint(1, 3))
    first = calendar.on_or_after(max(period.starts_on + 6 * _DAY, not_before))
    last = calendar.on_or_before(period.deadline_on - 4 * _DAY)
    return calendar.pick(rng, first, max(first, last))


def fate_now(level: str, number: int) -> str:
    """Return where the report in hand stands, for the `number`-th unit of its city."""
    fates = _CITIES_NOW if level == "city" else _COUNTIES_NOW
    return fates[number % len(fates)]


def chain_now(rng: Random, days: Sequence[date], steps: Sequence[int], fate: str) -> list[Event]:
    """Return the events of a report in hand: each on a later one of the `days` that have passed."""
    actions = _actions_now(rng, steps, fate)[: min(len(days), _DAYS_TO_DECIDE)]
    last_days = days if fate == "filed" else days[-_DAYS_TO_DECIDE:]
    chosen = sorted(rng.sample(last_days, len(actions)))
    return [
        Event(office_hour(rng, day), action, step)
        for day, (action, step) in zip(chosen, actions, strict=True)
    ]


def _actions_now(rng: Random, steps: Sequence[int], fate: str) -> list[tuple[ReviewAction, int]]:
    if fate in ("none", "draft"):
        return []
    approvals = [(ReviewAction.APPROVE, step) for step in steps]
    submitted = [(ReviewAction.SUBMIT, 0)]
    if fate == "first_step":
        return submitted
    if fate == "last_step":
        return submitted + approvals[:-1]
    if fate == "returned":
        passed = rng.randrange(len(steps))
        return [*submitted, *approvals[:passed], (ReviewAction.RETURN, steps[passed])]
    return submitted + approvals
