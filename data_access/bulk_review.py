"""Decisions on many reports at once: asked for, undone, and carried out by the worker.

What is asked for waits until its `effect_at`; nobody but the reviewers of that step sees it. Then
it is carried out as the reviewer, whose rights are looked up again. Each report is all or nothing:
a chunk goes in one savepoint, and where the database refuses it, its reports go one by one. An item
is settled in the transaction of its decision, so none is decided twice whatever dies in between.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError, IntegrityError

from data_access import decisions, jobs, review_sample
from data_access.inbox import IN_APP, Sender
from data_access.moves import Moved
from data_access.queries import load_queries
from data_access.reporting import load_workflow
from data_access.rows import fetch_all, fetch_one
from domain.access import Actor
from domain.bulk_review import ACTIONS, MOST_AT_ONCE, ItemState, LeftOut, left_out_by
from domain.clock import moment, today
from domain.errors import InvalidAction, NotFound, PortalError, StaleVersion, TooBroad
from domain.jobs import JobKind
from domain.supervision import Notice
from domain.workflow import Position, ReviewAction, SubmissionState, Unit, Workflow, take

_SQL = load_queries("bulk_review")
CHUNK = 100
_MOST_SHOWN = 500


@dataclass(frozen=True, slots=True)
class BulkDecision:
    """A bulk decision and how many of its reports stand where."""

    bulk_decision_id: int
    user_id: int
    user_name: str
    action: ReviewAction
    comment: str
    chosen: int
    decided_at: datetime
    effect_at: datetime
    pending: int
    done: int
    left_out: int
    undone: int


@dataclass(frozen=True, slots=True)
class BulkItem:
    submission_id: int
    division_code: str
    division_name: str
    form_title: str
    period_name: str
    state: ItemState
    reason: str | None

    @property
    def left_out(self) -> LeftOut | None:
        return LeftOut(self.reason) if self.reason else None


@dataclass(frozen=True, slots=True)
class _Candidate:
    submission_id: int
    form_code: str
    division_code: str
    level: str
    prefix: str
    workflow_version: int
    state: SubmissionState
    step_no: int
    lock_version: int
    filer_id: int | None
    errors: int

    @property
    def unit(self) -> Unit:
        return Unit(self.division_code, self.level, self.prefix)


# ASKING


def decide(
    connection: Connection,
    actor: Actor,
    action: ReviewAction,
    comment: str,
    seen: Mapping[int, int],
) -> BulkDecision:
    """Ask for one decision on every report seen, id to lock_version, and say when it will hold.

    What cannot be decided is left out with its reason; a report out of the actor's sight is not
    counted. Raises RuleViolation for a return without a reason, TooBroad for too many at once,
    SampleNotSeen or SampleNotDrawn for villages whose sample was not looked at.
    """
    if action.value not in ACTIONS or not seen:
        raise InvalidAction(action=action)
    if len(seen) > MOST_AT_ONCE:
        raise TooBroad(count=len(seen))
    row = connection.execute(
        _SQL["add_bulk_decision"],
        {
            "user_id": actor.user_id,
            "action": action.value,
            "comment": comment.strip(),
            "chosen": len(seen),
        },
    ).one()
    waiting = _add_items(connection, actor, action, row.bulk_decision_id, seen)
    if waiting:
        jobs.defer(
            connection,
            JobKind.DECIDE_IN_BULK,
            {"bulk_decision_id": row.bulk_decision_id, "user_id": actor.user_id},
            requested_by=actor,
            queue=jobs.PROMPT,
            at=row.effect_at,
        )
    return get(connection, row.bulk_decision_id)


def _add_items(
    connection: Connection,
    actor: Actor,
    action: ReviewAction,
    bulk_decision_id: int,
    seen: Mapping[int, int],
) -> int:
    """Write down each report, pending or with why it is left out; return how many are pending."""
    found = fetch_all(connection, _SQL["list_candidates"], _Candidate, submission_ids=sorted(seen))
    workflows: dict[tuple[str, int], Workflow] = {}
    roles: dict[int, str] = {}
    reasons: dict[int, LeftOut | None] = {}
    for report in found:
        key = report.form_code, report.workflow_version
        if key not in workflows:
            workflows[key] = load_workflow(connection, *key)
        number = report.submission_id
        roles[number], reasons[number] = _judged(
            workflows[key], report, action, actor, seen[number]
        )
    if action is ReviewAction.APPROVE:
        accepted = [number for number, reason in reasons.items() if reason is None]
        review_sample.require_seen(connection, actor, accepted)
    added = _insert_items(connection, actor, bulk_decision_id, found, seen, roles, reasons)
    elsewhere = [report for report in found if report.submission_id not in added]
    reasons |= {report.submission_id: LeftOut.PENDING_ELSEWHERE for report in elsewhere}
    _insert_items(connection, actor, bulk_decision_id, elsewhere, seen, roles, reasons)
    return sum(reason is None for reason in reasons.values())


def _judged(
    workflow: Workflow, report: _Candidate, action: ReviewAction, actor: Actor, lock_version: int
) -> tuple[str, LeftOut | None]:
    """Return the role in which the actor decides, and why he does not, where he does not."""
    position = Position(report.state, report.step_no)
    try:
        move = take(workflow, report.unit, position, action, actor, report.filer_id)
        if report.lock_version != lock_version:
            raise StaleVersion(submission_id=report.submission_id)
    except PortalError as error:
        changed = report.lock_version != lock_version
        reason = left_out_by(error, actor, report.unit, report.filer_id)
        return "", LeftOut.CHANGED if changed else reason
    if action is ReviewAction.APPROVE and report.errors:
        return move.role.value, LeftOut.HAS_ERRORS
    return move.role.value, None


def _insert_items(
    connection: Connection,
    actor: Actor,
    bulk_decision_id: int,
    reports: Sequence[_Candidate],
    seen: Mapping[int, int],
    roles: Mapping[int, str],
    reasons: Mapping[int, LeftOut | None],
) -> set[int]:
    ids = [report.submission_id for report in reports]
    rows = connection.execute(
        _SQL["add_items"],
        {
            "bulk_decision_id": bulk_decision_id,
            "user_id": actor.user_id,
            "submission_ids": ids,
            "division_codes": [report.division_code for report in reports],
            "lock_versions": [seen[number] for number in ids],
            "roles": [roles[number] for number in ids],
            "reasons": [reasons[number] for number in ids],
        },
    )
    return {row.submission_id for row in rows}


# READING AND UNDOING


def get(connection: Connection, bulk_decision_id: int) -> BulkDecision:
    """Return a bulk decision; raise NotFound where none of it is the actor's to see."""
    found = fetch_one(
        connection, _SQL["get_bulk_decision"], BulkDecision, bulk_decision_id=bulk_decision_id
    )
    if found is None:
        raise NotFound(bulk_decision_id=bulk_decision_id)
    return found


def list_recent(connection: Connection, actor: Actor) -> list[BulkDecision]:
    """Return the actor's own bulk decisions of the last day and what still waits, newest first."""
    numbers = connection.execute(_SQL["list_recent"], {"user_id": actor.user_id}).scalars()
    return [get(connection, number) for number in list(numbers)]


def find_pending(connection: Connection, submission_id: int) -> BulkDecision | None:
    """Return the bulk decision in which a report waits to be decided, where one is to be seen."""
    number = connection.scalar(_SQL["find_pending"], {"submission_id": submission_id})
    return None if number is None else get(connection, int(number))


def list_items(
    connection: Connection, bulk_decision_id: int, state: ItemState = ItemState.LEFT_OUT
) -> list[BulkItem]:
    """Return the reports of a bulk decision that stand so, with why they were left out."""
    return fetch_all(
        connection,
        _SQL["list_items"],
        BulkItem,
        bulk_decision_id=bulk_decision_id,
        state=state.value,
        today=today(),
        most=_MOST_SHOWN,
    )


def undo(
    connection: Connection,
    actor: Actor,
    bulk_decision_id: int,
    submission_ids: Sequence[int] | None = None,
) -> int:
    """Take back what has not happened yet, all of it or these reports; return how many.

    Raises NotFound for another's decision, StaleVersion where nothing is left to take back.
    """
    if get(connection, bulk_decision_id).user_id != actor.user_id:
        raise NotFound(bulk_decision_id=bulk_decision_id)
    ids = None if submission_ids is None else list(submission_ids)
    parameters = {
        "bulk_decision_id": bulk_decision_id,
        "user_id": actor.user_id,
        "submission_ids": ids,
    }
    undone = len(connection.execute(_SQL["undo"], parameters).all())
    if not undone:
        raise StaleVersion(bulk_decision_id=bulk_decision_id)
    return undone


# CARRYING OUT


def carry_out(connection: Connection, actor: Actor, bulk_decision_id: int, most: int) -> int:
    """Decide up to `most` of what is pending, as the reviewer; return how many were settled."""
    bulk = get(connection, bulk_decision_id)
    parameters = {"bulk_decision_id": bulk_decision_id, "most": most}
    rows = connection.execute(_SQL["take_items"], parameters).all()
    seen = {row.submission_id: row.lock_version for row in rows}
    if not seen:
        return 0
    reasons = _decided(connection, actor, bulk, seen)
    connection.execute(
        _SQL["settle"],
        {
            "bulk_decision_id": bulk_decision_id,
            "submission_ids": list(reasons),
            "reasons": list(reasons.values()),
        },
    )
    return len(reasons)


def _decided(
    connection: Connection, actor: Actor, bulk: BulkDecision, seen: Mapping[int, int]
) -> dict[int, LeftOut | None]:
    """Return for each report why it was left out, None where it was decided."""
    try:
        with connection.begin_nested():
            outcomes = decisions.review_many(
                connection,
                actor,
                seen,
                bulk.action,
                bulk.comment,
                bulk_decision_id=bulk.bulk_decision_id,
            )
    except DBAPIError as error:
        if len(seen) == 1:
            return {number: _refusal(error) for number in seen}
        parts = [{number: version} for number, version in seen.items()]
        return {
            number: reason
            for part in parts
            for number, reason in _decided(connection, actor, bulk, part).items()
        }
    return {number: _reason(actor, outcome) for number, outcome in outcomes.items()}


def _refusal(error: DBAPIError) -> LeftOut:
    """Return why the database would not; raise what is no refusal of this one report."""
    if isinstance(error, IntegrityError):
        return LeftOut.REFUSED
    if getattr(error.orig, "sqlstate", None) == _LOCK_NOT_AVAILABLE:
        return LeftOut.BUSY
    raise error


def _reason(actor: Actor, outcome: Moved | PortalError) -> LeftOut | None:
    if not isinstance(outcome, PortalError):
        return None
    if isinstance(outcome, NotFound):
        return LeftOut.NOT_YOURS  # he saw it when he decided: his rights have changed
    return left_out_by(outcome, actor, _NOWHERE, None)


# WHAT NEVER HAPPENED


def list_stopped(connection: Connection) -> list[tuple[int, int]]:
    """Return the bulk decisions whose job was cancelled or failed, each with its reviewer."""
    rows = connection.execute(_SQL["list_stopped"], {"kind": JobKind.DECIDE_IN_BULK.value})
    return [(row.bulk_decision_id, row.user_id) for row in rows]


def settle_stopped(
    connection: Connection, actor: Actor, bulk_decision_id: int, sender: Sender = IN_APP
) -> int:
    """Leave out what a stopped job left pending, as the reviewer, tell him, and return how many."""
    parameters = {"bulk_decision_id": bulk_decision_id, "reason": LeftOut.STOPPED.value}
    roles = connection.execute(_SQL["settle_stopped"], parameters).scalars().all()
    if roles:
        bulk = get(connection, bulk_decision_id)
        sender.send(connection, _stop_notices(actor, bulk, set(roles), len(roles)))
    return len(roles)


def _stop_notices(actor: Actor, bulk: BulkDecision, roles: set[str], count: int) -> list[Notice]:
    word = "通过" if bulk.action is ReviewAction.APPROVE else "退回"
    body = (
        f"{bulk.user_name} {moment(bulk.decided_at)} 批量{word}的填报中，有 {count} 份"
        "因后台任务被取消或失败而没有办理，仍在审核队列中，请重新办理。"
    )
    title, link = f"批量{word}未完成：{count} 份未办理", "review_queue"
    return [
        Notice(
            grant.role,
            grant.division_code,
            title,
            body,
            link,
            "bulk_decision",
            bulk.bulk_decision_id,
        )
        for grant in actor.grants
        if grant.role.value in roles
    ]


_LOCK_NOT_AVAILABLE = "55P03"
_NOWHERE = Unit("", "", "")
