"""Plan-preparation progress: what the province accepted, how late a unit is, how units add up.

A ratio runs from 0 to 1 and comes from accepted stages alone; what is filed and not yet accepted
stands beside it as `pending_ratio` and is never ranked. Lateness is counted in days from the
baseline that the province accepted, whatever was re-planned later.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum


class MilestoneState(StrEnum):
    NOT_STARTED = "not_started"
    RUNNING = "running"
    COMPLETED = "completed"
    SKIPPED = "skipped"


class Disposition(StrEnum):
    COMPILING = "compiling"
    MERGED = "merged"


class Lateness(StrEnum):
    ON_TIME = "on_time"
    YELLOW = "yellow"
    ORANGE = "orange"
    RED = "red"
    UNPLANNED = "unplanned"
    MERGED = "merged"


class PeriodState(StrEnum):
    """Where a unit's report of one period stands."""

    NOT_FILED = "not_filed"
    SUBMITTED = "submitted"
    RETURNED = "returned"
    FILED = "filed"


@dataclass(frozen=True, slots=True)
class LatenessLimits:
    """Days up to which lateness is yellow, then orange; red beyond (setting `lateness_days`)."""

    yellow: int = 15
    orange: int = 45


@dataclass(frozen=True, slots=True)
class UnitProgress:
    """One reporting unit's headline plan as it stood at a moment."""

    code: str
    name: str
    level: str
    kind: str
    prefix: str
    parent_code: str
    parent_name: str
    plan_id: int | None
    disposition: Disposition
    accepted_ratio: float
    """Weights of the accepted stages, 0–1."""
    pending_ratio: float
    """Weights of stages filed as completed and not yet accepted, 0–1; on top of accepted_ratio."""
    stage_order: int
    """Order of the furthest accepted stage, 0 before the first."""
    stage_name: str
    stage_count: int
    late_days: int
    late_since: date | None
    late_stage_name: str
    planned_stages: int
    """Accepted stages with a baseline; none means 未定计划."""
    period_state: PeriodState
    no_change: bool
    submitted_at: datetime | None
    on_time: bool
    deadline_at: datetime | None
    responsible_name: str

    @property
    def is_merged(self) -> bool:
        return self.disposition is Disposition.MERGED

    def lateness(self, limits: LatenessLimits) -> Lateness:
        """Return how late the unit is: merged units and units without a plan are apart."""
        if self.is_merged:
            return Lateness.MERGED
        if self.planned_stages == 0:
            return Lateness.UNPLANNED
        return lateness_of(self.late_days, limits)


def lateness_of(late_days: int, limits: LatenessLimits) -> Lateness:
    """Return the class of a number of days.

    >>> [lateness_of(days, LatenessLimits()).value for days in (0, 15, 16, 45, 46)]
    ['on_time', 'yellow', 'orange', 'orange', 'red']
    """
    if late_days <= 0:
        return Lateness.ON_TIME
    if late_days <= limits.yellow:
        return Lateness.YELLOW
    return Lateness.ORANGE if late_days <= limits.orange else Lateness.RED


@dataclass(frozen=True, slots=True)
class Share:
    """A figure that can be asked who says so: numerator, denominator, and their quotient."""

    numerator: int
    denominator: int

    @property
    def ratio(self) -> float | None:
        """The quotient, 0–1; None where there is nothing to divide by."""
        return self.numerator / self.denominator if self.denominator else None


@dataclass(frozen=True, slots=True)
class Summary:
    """The headline figures of a set of units."""

    units: int
    merged: int
    mean_ratio: float | None
    """Mean accepted ratio of the units that compile a plan of their own, 0–1."""
    approved: int
    """Units whose stage `approved_order` (批复) or a later one is accepted."""
    lateness: dict[Lateness, int]
    completeness: Share
    """Units filed ÷ units that must file; a returned report is not filed until filed again."""
    timeliness: Share
    """Units filed in time ÷ units that must file."""
    no_change: int


def summarise(
    units: Sequence[UnitProgress], limits: LatenessLimits, *, approved_stage: str = "批复"
) -> Summary:
    """Return the headline figures; merged units are outside averages and late lists."""
    compiling = [unit for unit in units if not unit.is_merged]
    must_file = len(units)
    filed = [unit for unit in units if is_filed(unit)]
    return Summary(
        units=len(units),
        merged=len(units) - len(compiling),
        mean_ratio=mean(unit.accepted_ratio for unit in compiling),
        approved=sum(has_reached(unit, approved_stage) for unit in compiling),
        lateness=dict(Counter(unit.lateness(limits) for unit in units)),
        completeness=Share(len(filed), must_file),
        timeliness=Share(sum(unit.on_time for unit in filed), must_file),
        no_change=sum(unit.no_change for unit in filed),
    )


def is_filed(unit: UnitProgress) -> bool:
    """Tell whether the unit's report of the period is in and not returned."""
    return unit.period_state in (PeriodState.SUBMITTED, PeriodState.FILED)


def has_reached(unit: UnitProgress, stage_name: str) -> bool:
    """Tell whether the furthest accepted stage is `stage_name` or the one after it (备案入库)."""
    return unit.stage_name == stage_name or unit.stage_order == unit.stage_count > 0


def mean(values: Iterable[float]) -> float | None:
    """Return the arithmetic mean, or None of nothing: missing is missing, never zero."""
    collected = list(values)
    return sum(collected) / len(collected) if collected else None
