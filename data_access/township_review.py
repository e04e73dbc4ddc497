"""The review of villages by township: where each stands, what stands out, the random sample.

A sample is drawn among the reports that wait at the reviewer's step and were in no draw that
stands. Until he has opened what was drawn, the database takes no bulk acceptance of these reports.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from secrets import randbelow

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
    RuleViolation,
    SampleNotDrawn,
    SampleNotSeen,
)
from domain.review_filter import QueueFilter
from domain.sampling import SampleRule, sample_size, shuffled
from domain.workflow import SubmissionState, WorkflowStep

_SQL = load_queries("township_review")
_SEEDS = 2**31
_NAMED = 8  # villages that an error names
_SUMMED = (
    "villages", "filed", "waiting", "overdue", "warned", "odd", "sampled", "looked", "undrawn"
)  # fmt: skip
# The parts of an area: their level, and how many digits of a village's code name one.
PARTS: Mapping[str, tuple[str, int]] = {
    "province": ("city", 4),
    "city": ("county", 6),
    "county": ("township", 9),
}
_TOWNSHIP_DIGITS = PARTS["county"][1]


@dataclass(frozen=True, slots=True)
class Desk:
    """What a reviewer works on: one step of one period, within his grants of its role."""

    period: ReportingPeriod
    step: WorkflowStep
    steps: tuple[WorkflowStep, ...]
    """Every step that the actor decides, of which `step` is one."""
    rule: SampleRule | None
    prefixes: tuple[str, ...]


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
class Draw:
    review_sample_id: int
    draw_no: int
    seed: int
    is_redraw: bool
    reason: str
    drawn_by_name: str
    drawn_at: datetime
    replaced_at: datetime | None
    percent: int
    least: int
    villages: int
    sampled: int


@dataclass(frozen=True, slots=True)
class Sampled:
    """A village of the sample that stands, as its report is now."""

    submission_id: int
    division_code: str
    name: str
    state: SubmissionState
    step_no: int
    is_own: bool | None
    looked_by: list[str]
    is_seen: bool

    def is_open(self, step_no: int) -> bool:
        """Tell whether it still waits at the step and for this reviewer's look."""
        waits = self.state is SubmissionState.SUBMITTED and self.step_no == step_no
        return waits and not self.is_seen and not self.is_own


@dataclass(frozen=True, slots=True)
class Outlier:
    """One value that stands out: `kind` is change (against last year), high or low."""

    submission_id: int
    field_code: str
    kind: str
    amount: Decimal
    reference: Decimal
    """Last year's value, or the fence of the area's quartiles."""
    area_name: str
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


@dataclass(frozen=True, slots=True)
class _Undrawn:
    submission_id: int
    division_code: str
    sampled_before: int


@dataclass(frozen=True, slots=True)
class _Gap:
    submission_id: int
    is_drawn: bool
    name: str


# READING


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
    rule = fetch_one(connection, _SQL["get_rule"], SampleRule, period=period.period_id)
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
        **_parameters(connection, actor, desk, place.prefix),
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


def _parameters(
    connection: Connection, actor: Actor, desk: Desk, prefix: str
) -> Mapping[str, object]:
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
        today=today(),
    )
    outliers: dict[int, list[Outlier]] = defaultdict(list)
    for each in found:
        outliers[each.submission_id].append(each)
    return dict(outliers)


# THE SAMPLE


def list_draws(connection: Connection, desk: Desk, township: str) -> list[Draw]:
    """Return every draw of a township at the desk's step, the first one first."""
    return fetch_all(
        connection,
        _SQL["list_draws"],
        Draw,
        period=desk.period.period_id,
        step=desk.step.step_no,
        town=township,
    )


def list_sampled(connection: Connection, actor: Actor, desk: Desk, prefix: str) -> list[Sampled]:
    """Return the sample that stands in an area, village by village."""
    return fetch_all(
        connection,
        _SQL["list_sampled"],
        Sampled,
        period=desk.period.period_id,
        step=desk.step.step_no,
        prefix=prefix,
        user_id=actor.user_id,
        today=today(),
    )


def draw(
    connection: Connection, actor: Actor, desk: Desk, prefix: str, *, seed: int | None = None
) -> int:
    """Draw in each township of an area among what waits and was in no draw; return how many draws.

    Raises InvalidAction where the period asks for no sample.
    """
    return _draw(connection, actor, desk, prefix, seed=seed)


def redraw(
    connection: Connection,
    actor: Actor,
    desk: Desk,
    township: str,
    reason: str,
    *,
    seed: int | None = None,
) -> None:
    """Draw anew among all that waits in a township, in place of the draws that stand.

    Raises RuleViolation without a reason, InvalidAction where nothing was drawn before.
    """
    key = {"period": desk.period.period_id, "step": desk.step.step_no, "town": township}
    if not connection.execute(_SQL["replace_draws"], key).all():
        raise InvalidAction(township=township)
    if not reason.strip():
        raise RuleViolation(constraint="review_sample_redraw_has_reason")
    if not _draw(connection, actor, desk, township, seed=seed, reason=reason.strip()):
        raise InvalidAction(township=township)


def _draw(
    connection: Connection,
    actor: Actor,
    desk: Desk,
    prefix: str,
    *,
    seed: int | None,
    reason: str = "",
) -> int:
    if desk.rule is None or desk.period.closed_at is not None:
        raise InvalidAction(period_id=desk.period.period_id)
    parameters = _parameters(connection, actor, desk, prefix)
    towns: dict[str, list[_Undrawn]] = defaultdict(list)
    for each in fetch_all(connection, _SQL["list_undrawn"], _Undrawn, **parameters):
        towns[each.division_code[:_TOWNSHIP_DIGITS]].append(each)
    if not towns:
        return 0
    seed = randbelow(_SEEDS) if seed is None else seed
    rows = connection.execute(
        _SQL["add_draws"],
        {
            "period": desk.period.period_id,
            "step": desk.step.step_no,
            "towns": list(towns),
            "role": desk.step.role.value,
            "seed": seed,
            "percent": desk.rule.percent,
            "least": desk.rule.least,
            "is_redraw": bool(reason),
            "reason": reason,
            "user_id": actor.user_id,
        },
    )
    drawn = {row.division_code: row.review_sample_id for row in rows}
    _keep(connection, desk, seed, [(number, towns[town]) for town, number in drawn.items()])
    return len(drawn)


def _keep(
    connection: Connection, desk: Desk, seed: int, draws: Sequence[tuple[int, list[_Undrawn]]]
) -> None:
    """Write down every village that could have been drawn, in the order of the seed."""
    assert desk.rule is not None  # the caller has looked
    samples, places, sampled = [], [], []
    villages: list[_Undrawn] = []
    for number, eligible in draws:
        by_code = {each.division_code: each for each in eligible}
        size = sample_size(len(eligible), desk.rule, eligible[0].sampled_before)
        for place, code in enumerate(shuffled(by_code, seed), start=1):
            samples.append(number)
            villages.append(by_code[code])
            places.append(place)
            sampled.append(place <= size)
    connection.execute(
        _SQL["add_drawn"],
        {
            "role": desk.step.role.value,
            "samples": samples,
            "submissions": [village.submission_id for village in villages],
            "codes": [village.division_code for village in villages],
            "places": places,
            "are_sampled": sampled,
        },
    )


def note_look(connection: Connection, actor: Actor, submission_id: int, version_no: int) -> bool:
    """Write down that the actor opened a sampled report that waits; tell whether it is news."""
    parameters = {
        "submission_id": submission_id,
        "version_no": version_no,
        "user_id": actor.user_id,
    }
    return connection.execute(_SQL["note_look"], parameters).first() is not None


def require_seen(connection: Connection, actor: Actor, submission_ids: Sequence[int]) -> None:
    """Raise SampleNotSeen or SampleNotDrawn where these may not be accepted in bulk yet."""
    gaps = fetch_all(
        connection,
        _SQL["list_gaps"],
        _Gap,
        submission_ids=list(submission_ids),
        user_id=actor.user_id,
        today=today(),
    )
    if not gaps:
        return
    unseen = [gap.name for gap in gaps if gap.is_drawn]
    if not unseen:
        raise SampleNotDrawn(count=len(gaps))
    named = "、".join(unseen[:_NAMED]) + (" 等" if len(unseen) > _NAMED else "")
    raise SampleNotSeen(count=len(unseen), villages=named)


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
