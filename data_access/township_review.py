"""The review of villages by township: where each stands, and what stands out."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from sqlalchemy import Connection

from data_access import reporting
from data_access.periods import may_run_periods
from data_access.queries import load_queries
from data_access.reporting import ReportingPeriod
from data_access.review_queue import queue_parameters
from data_access.rows import fetch_all, fetch_one
from data_access.village_form import FORM_CODE
from domain.access import Actor
from domain.clock import today
from domain.errors import (
    InvalidAction,
    NotFound,
    NotPermitted,
)
from domain.review_filter import QueueFilter
from domain.sampling import SampleRule
from domain.workflow import WorkflowStep

_SQL = load_queries("township_review")
_SUMMED = (
    "villages", "filed", "waiting", "overdue", "warned", "odd", "sampled", "looked", "undrawn"
)  # fmt: skip
# The parts of an area: their level, and how many digits of a village's code name one.
PARTS: Mapping[str, tuple[str, int]] = {
    "province": ("city", 4),
    "city": ("county", 6),
    "county": ("township", 9),
}


@dataclass(frozen=True, slots=True)
class Desk:
    """What a reviewer works on: one step of one period, within his grants of its role."""

    period: ReportingPeriod
    step: WorkflowStep
    steps: tuple[WorkflowStep, ...]
    """Every step that the actor decides, of which `step` is one."""
    rule: SampleRule | None
    prefixes: tuple[str, ...]

    @property
    def sampled_by(self) -> tuple[str, int]:
        """The level of which each division is sampled by itself, and the digits of its codes."""
        return PARTS["county" if self.step.scope_level == "county" else "city"]


@dataclass(frozen=True, slots=True)
class Place:
    prefix: str
    name: str
    level: str


@dataclass(frozen=True, slots=True)
class Area:
    """One part of an area; completeness, warnings and what stands out are of what waits."""

    prefix: str
    name: str | None
    villages: int
    filed: int
    """Filed and not returned, whoever's turn it is."""
    waiting: int
    overdue: int
    required: int | None
    answered: int | None
    warned: int
    odd: int
    sampled: int
    looked: int
    undrawn: int
    due_on: date | None


@dataclass(frozen=True, slots=True)
class Outlier:
    """One value that stands out: `kind` is change (against last year), high or low."""

    submission_id: int
    field_code: str
    kind: str
    amount: Decimal
    reference: Decimal
    """Last year's value, or the fence of the area's quartiles."""
    area: str
    villages: int
    label: str | None
    unit: str | None
    """None for a value that is computed and no field of the form."""


@dataclass(frozen=True, slots=True)
class Signs:
    """What the list says of one village; counts are None where nobody has counted."""

    submission_id: int
    required: int | None
    answered: int | None
    is_sampled: bool
    is_drawn: bool
    is_seen: bool


def read_desk(
    connection: Connection, actor: Actor, period_id: int | None = None, step_no: int | None = None
) -> Desk:
    """Return the asked period and step, else the newest and the first that the actor decides.

    Raises NotFound where no such period was opened, NotPermitted where no step is his.
    """
    periods = reporting.list_periods(connection, FORM_CODE)
    period = next((one for one in periods if period_id in (None, one.period_id)), None)
    if period is None:
        raise NotFound(period_id=period_id)
    workflow = reporting.load_workflow(connection, FORM_CODE, period.workflow_version)
    steps = tuple(step for step in workflow.steps if actor.has_role(step.role))
    if not steps:
        raise NotPermitted(form_code=FORM_CODE)
    step = next((one for one in steps if one.step_no == step_no), steps[0])
    prefixes = sorted({grant.prefix for grant in actor.grants if grant.role is step.role})
    rule = find_rule(connection, period.period_id)
    return Desk(period, step, steps, rule, tuple(prefixes))


def find_place(connection: Connection, desk: Desk, prefix: str) -> Place:
    """Return the division with this prefix; raise NotFound outside what the desk covers."""
    place = fetch_one(connection, _SQL["get_area"], Place, prefix=prefix, today=today())
    if place is None or not prefix.startswith(desk.prefixes):
        raise NotFound(prefix=prefix)
    return place


def list_above(connection: Connection, desk: Desk, prefix: str) -> list[Place]:
    """Return the divisions from the desk's own down to this one, the widest first."""
    prefixes = [prefix[:digits] for digits in range(2, len(prefix) + 1)]
    inside = [each for each in prefixes if each.startswith(desk.prefixes)]
    return fetch_all(connection, _SQL["list_above"], Place, prefixes=inside, today=today())


def list_odd(connection: Connection, period_id: int, prefix: str) -> list[int]:
    """Return the reports of an area in which something stands out."""
    parameters = {"period": period_id, "prefix": prefix}
    return list(connection.execute(_SQL["list_odd"], parameters).scalars())


def list_areas(
    connection: Connection, actor: Actor, desk: Desk, place: Place, odd: Sequence[int]
) -> list[Area]:
    """Return the parts of a place that have villages, those with villages to review first.

    Of a township it is the township itself. `odd` are the reports in which something stands out
    (`list_odd`).
    """
    level, digits = PARTS.get(place.level, (place.level, len(place.prefix)))
    connection.execute(_SQL["plan_anew"])
    return fetch_all(
        connection,
        _SQL["list_areas"],
        Area,
        **desk_parameters(connection, actor, desk, place.prefix),
        level=level,
        digits=digits,
        odd=odd,
    )


def summed(place: Place, areas: Sequence[Area]) -> Area:
    """Return how a place stands as a whole, from its parts."""

    def total(name: str) -> int:
        return sum(getattr(area, name) or 0 for area in areas)

    due = [area.due_on for area in areas if area.due_on is not None]
    counted = any(area.required is not None for area in areas)
    return Area(
        place.prefix,
        place.name,
        **{name: total(name) for name in _SUMMED},
        required=total("required") if counted else None,
        answered=total("answered") if counted else None,
        due_on=min(due, default=None),
    )


def desk_parameters(
    connection: Connection, actor: Actor, desk: Desk, prefix: str
) -> Mapping[str, object]:
    """Return what a query about the villages of an area at the desk's step is asked with."""
    asked = QueueFilter(form=FORM_CODE, period=desk.period.period_id, step=desk.step.step_no)
    return {**queue_parameters(connection, actor, asked), "prefix": prefix}


def list_signs(
    connection: Connection, actor: Actor, submission_ids: Sequence[int]
) -> dict[int, Signs]:
    """Return what the list says of each of these reports, by id."""
    found = fetch_all(
        connection,
        _SQL["list_signs"],
        Signs,
        submission_ids=list(submission_ids),
        user_id=actor.user_id,
    )
    return {signs.submission_id: signs for signs in found}


def list_outliers(
    connection: Connection, period_id: int, prefix: str, submission_ids: Sequence[int]
) -> dict[int, list[Outlier]]:
    """Return what stands out in each of these reports of an area, by id."""
    found = fetch_all(
        connection,
        _SQL["list_outliers"],
        Outlier,
        period=period_id,
        prefix=prefix,
        submission_ids=list(submission_ids),
    )
    outliers: dict[int, list[Outlier]] = defaultdict(list)
    for each in found:
        outliers[each.submission_id].append(each)
    return dict(outliers)


# WHAT A PERIOD ASKS FOR


def find_rule(connection: Connection, period_id: int) -> SampleRule | None:
    """Return the sample that a period asks for, None where it asks for none."""
    return fetch_one(connection, _SQL["get_rule"], SampleRule, period=period_id)


def set_rule(connection: Connection, actor: Actor, period_id: int, rule: SampleRule | None) -> None:
    """Change what an open period asks for; draws that were made stay as they are.

    Raises NotPermitted, InvalidAction for a closed period, RuleViolation for numbers out of range.
    """
    if not may_run_periods(actor):
        raise NotPermitted(action="period")
    parameters = {
        "period": period_id,
        "percent": rule.percent if rule else None,
        "least": rule.least if rule else None,
    }
    if not connection.execute(_SQL["set_rule"], parameters).rowcount:
        raise InvalidAction(period_id=period_id)
