"""The random sample of villages: drawn, opened by the reviewer, asked for by the database.

A county draws in each township, a city and the province in each county, among the reports that
wait at the reviewer's step and were in no draw that stands. Until he has opened what was drawn, the
database takes no bulk acceptance of these reports.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from secrets import randbelow

from sqlalchemy import Connection

from data_access.queries import load_queries
from data_access.rows import fetch_all
from data_access.township_review import Desk, desk_parameters
from domain.access import Actor
from domain.clock import today
from domain.errors import InvalidAction, RuleViolation, SampleNotDrawn, SampleNotSeen
from domain.sampling import sample_size, shuffled
from domain.workflow import SubmissionState

_SQL = load_queries("review_sample")
_SEEDS = 2**31
_NAMED = 8  # villages that an error names


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
class _Undrawn:
    submission_id: int
    division_code: str
    sampled_before: int


@dataclass(frozen=True, slots=True)
class _Gap:
    submission_id: int
    is_drawn: bool
    name: str


def list_draws(connection: Connection, desk: Desk, area: str) -> list[Draw]:
    """Return every draw of an area at the desk's step, the first one first."""
    return fetch_all(
        connection,
        _SQL["list_draws"],
        Draw,
        period=desk.period.period_id,
        step=desk.step.step_no,
        area=area,
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
    """Draw in each part of an area among what waits and was in no draw; return how many draws.

    Raises InvalidAction where the period asks for no sample.
    """
    return _draw(connection, actor, desk, prefix, seed=seed)


def redraw(
    connection: Connection,
    actor: Actor,
    desk: Desk,
    area: str,
    reason: str,
    *,
    seed: int | None = None,
) -> None:
    """Draw anew among all that waits in an area, in place of the draws that stand.

    Raises RuleViolation without a reason, InvalidAction where nothing was drawn before.
    """
    key = {"period": desk.period.period_id, "step": desk.step.step_no, "area": area}
    if not connection.execute(_SQL["replace_draws"], key).all():
        raise InvalidAction(area=area)
    if not reason.strip():
        raise RuleViolation(constraint="review_sample_redraw_has_reason")
    if not _draw(connection, actor, desk, area, seed=seed, reason=reason.strip()):
        raise InvalidAction(area=area)


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
    _, digits = desk.sampled_by
    parameters = {**desk_parameters(connection, actor, desk, prefix), "digits": digits}
    areas: dict[str, list[_Undrawn]] = defaultdict(list)
    for each in fetch_all(connection, _SQL["list_undrawn"], _Undrawn, **parameters):
        areas[each.division_code[:digits]].append(each)
    if not areas:
        return 0
    seed = randbelow(_SEEDS) if seed is None else seed
    rows = connection.execute(
        _SQL["add_draws"],
        {
            "period": desk.period.period_id,
            "step": desk.step.step_no,
            "areas": list(areas),
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
    _keep(connection, desk, seed, [(number, areas[area]) for area, number in drawn.items()])
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
