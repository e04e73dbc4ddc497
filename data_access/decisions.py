"""Decisions: file, withdraw, approve, return, reply.

One business action is one function, one transaction, one entry in `review_event`. Every function
here serves every form; what a form does on its own stands in its module (`reporting_forms`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection

from data_access import decision_notices
from data_access.drafts import get_draft, require_filer
from data_access.form_checks import prepare
from data_access.queries import load_queries
from data_access.reporting import Submission, get_version, load_workflow
from data_access.reporting_forms import find_form
from data_access.rows import fetch_one
from domain.access import Actor
from domain.errors import InvalidContent, NotFound, PeriodClosed, StaleVersion
from domain.receipts import canonical, content_sha256, receipt_hash
from domain.workflow import (
    Move,
    Position,
    ReviewAction,
    SubmissionState,
    Unit,
    open_moves,
    take,
)

_SQL = load_queries("decisions")


@dataclass(frozen=True, slots=True)
class LockedSubmission:
    submission_id: int
    form_code: str
    division_code: str
    level: str
    prefix: str
    form_version: int
    workflow_version: int
    starts_on: date
    period_closed: bool
    state: SubmissionState
    step_no: int
    round_no: int
    version_no: int
    lock_version: int
    filer_id: int | None
    no_change: bool

    @property
    def unit(self) -> Unit:
        return Unit(self.division_code, self.level, self.prefix)

    @property
    def position(self) -> Position:
        return Position(self.state, self.step_no)


@dataclass(frozen=True, slots=True)
class Moved:
    """What a move led to."""

    submission_id: int
    state: SubmissionState
    lock_version: int
    filed_at: datetime | None
    review_event_id: int


def submit(
    connection: Connection,
    actor: Actor,
    submission_id: int,
    lock_version: int,
    *,
    no_change: bool = False,
) -> Moved:
    """File the draft: check it, keep it as a version, and hand it to the first review.

    With `no_change` the accepted values stand as they are, whatever the draft holds.
    Raises InvalidContent with the problems, StaleVersion, NotPermitted, InvalidAction, and
    PeriodClosed for a first report after its period; what was returned may still come back.
    """
    locked, move = _begin(connection, actor, submission_id, lock_version, ReviewAction.SUBMIT)
    if locked.period_closed and locked.state is SubmissionState.DRAFT:
        raise PeriodClosed(submission_id=submission_id)
    form = find_form(locked.form_code)
    content = get_draft(connection, submission_id).content
    if no_change:
        content = form.prefilled(connection, locked.division_code) | {"form": content["form"]}
    content, problems = prepare(
        connection, locked.form_code, locked.form_version, locked.division_code, content
    )
    errors = [problem for problem in problems if problem.severity == "error"]
    if no_change:
        # What the province accepted already is not judged again under the rules of today.
        errors = [problem for problem in errors if problem.path.startswith("form.")]
    if errors:
        raise InvalidContent(problems=errors, count=len(errors))
    version_no = locked.version_no + 1
    _add_version(connection, actor, locked, version_no, content, no_change=no_change)
    form.write_filed(connection, submission_id, version_no)
    return _move(
        connection, actor, locked, move, version_no=version_no, no_change=no_change, content=content
    )


def withdraw(connection: Connection, actor: Actor, submission_id: int, lock_version: int) -> Moved:
    """Take a report back before the first decision."""
    locked, move = _begin(connection, actor, submission_id, lock_version, ReviewAction.WITHDRAW)
    return _move(connection, actor, locked, move, no_change=locked.no_change)


def review(
    connection: Connection,
    actor: Actor,
    submission_id: int,
    lock_version: int,
    action: ReviewAction,
    comment: str = "",
    remarks: Sequence[tuple[str, str]] = (),
) -> Moved:
    """Take one decision on the version the actor saw.

    `remarks` are (field path, reason) of a return. The last approval turns what was filed into
    accepted facts, gives the receipt, and writes the event for other systems: all or nothing.
    """
    locked, move = _begin(connection, actor, submission_id, lock_version, action)
    content = None
    if move.target.state is SubmissionState.FILED:
        content = get_version(connection, submission_id, locked.version_no).content
        form = find_form(locked.form_code)
        form.accept(connection, submission_id, locked.version_no, actor.user_id)
    moved = _move(
        connection,
        actor,
        locked,
        move,
        comment=comment,
        no_change=locked.no_change,
        content=content,
    )
    for field_path, reason in _with_general(action, comment, remarks):
        connection.execute(
            _SQL["add_remark"],
            {
                "review_event_id": moved.review_event_id,
                "submission_id": submission_id,
                "division_code": locked.division_code,
                "field_path": field_path,
                "reason": reason,
            },
        )
    return moved


def reply(connection: Connection, actor: Actor, review_remark_id: int, text: str) -> None:
    """Answer one reason of a return; raise NotFound outside the actor's scope."""
    submission_id = connection.scalar(
        _SQL["reply"],
        {"review_remark_id": review_remark_id, "reply": text, "user_id": actor.user_id},
    )
    if submission_id is None:
        raise NotFound(review_remark_id=review_remark_id)
    require_filer(connection, actor, int(submission_id))


def moves_of(
    connection: Connection, actor: Actor, submission: Submission | LockedSubmission
) -> list[Move]:
    """Return what the actor may do with the submission now."""
    workflow = load_workflow(connection, submission.form_code, submission.workflow_version)
    return open_moves(workflow, submission.unit, submission.position, actor, submission.filer_id)


def _begin(
    connection: Connection,
    actor: Actor,
    submission_id: int,
    lock_version: int,
    action: ReviewAction,
) -> tuple[LockedSubmission, Move]:
    """Lock the submission, compare the version the actor saw, and find his move."""
    locked = fetch_one(
        connection, _SQL["lock_submission"], LockedSubmission, submission_id=submission_id
    )
    if locked is None:
        raise NotFound(submission_id=submission_id)
    if locked.lock_version != lock_version:
        raise StaleVersion(submission_id=submission_id)
    workflow = load_workflow(connection, locked.form_code, locked.workflow_version)
    return locked, take(workflow, locked.unit, locked.position, action, actor, locked.filer_id)


def _add_version(
    connection: Connection,
    actor: Actor,
    locked: LockedSubmission,
    version_no: int,
    content: dict[str, Any],
    *,
    no_change: bool,
) -> None:
    connection.execute(
        _SQL["add_version"],
        {
            "submission_id": locked.submission_id,
            "version_no": version_no,
            "division_code": locked.division_code,
            "round_no": locked.round_no,
            "form_code": locked.form_code,
            "form_version": locked.form_version,
            "workflow_version": locked.workflow_version,
            "content": canonical(content),
            "content_sha256": content_sha256(content),
            "no_change": no_change,
            "user_id": actor.user_id,
        },
    )


def _move(
    connection: Connection,
    actor: Actor,
    locked: LockedSubmission,
    move: Move,
    *,
    version_no: int | None = None,
    comment: str = "",
    no_change: bool = False,
    content: dict[str, Any] | None = None,
) -> Moved:
    filed = move.target.state is SubmissionState.FILED
    version = version_no or locked.version_no
    receipt_no, hashed = (None, None)
    if filed and content is not None:
        receipt_no, hashed = _receipt(connection, locked, version, content)
    moved = fetch_one(
        connection,
        _SQL["move_submission"],
        Moved,
        submission_id=locked.submission_id,
        state=move.target.state,
        step_no=move.target.step_no,
        version_no=version,
        round_no=locked.round_no,
        new_round=move.new_round,
        no_change=no_change,
        filer_id=actor.user_id if move.action is ReviewAction.SUBMIT else None,
        action=move.action,
        from_step_no=locked.step_no,
        from_state=locked.state,
        comment=comment.strip(),
        user_id=actor.user_id,
        role=move.role,
        receipt_no=receipt_no,
        receipt_hash=hashed,
    )
    assert moved is not None  # the row is locked by this transaction
    if filed:
        _announce(connection, locked, version, receipt_no)
    decision_notices.tell(connection, locked.submission_id, move, comment, receipt_no)
    return moved


def _receipt(
    connection: Connection, locked: LockedSubmission, version_no: int, content: dict[str, Any]
) -> tuple[str, str]:
    number = f"{locked.starts_on:%Y%m}-{locked.division_code}-{version_no:02d}"
    filed_at = connection.scalar(_SQL["transaction_time"])
    assert isinstance(filed_at, datetime)
    return number, receipt_hash(number, content_sha256(content), filed_at)


def _announce(
    connection: Connection, locked: LockedSubmission, version_no: int, receipt_no: str | None
) -> None:
    payload = {
        "form_code": locked.form_code,
        "division_code": locked.division_code,
        "submission_id": locked.submission_id,
        "version_no": version_no,
        "receipt_no": receipt_no,
    }
    connection.execute(
        _SQL["add_outbox_event"],
        {
            "topic": "submission.filed",
            "subject": locked.division_code,
            "payload": canonical(payload),
        },
    )


def _with_general(
    action: ReviewAction, comment: str, remarks: Sequence[tuple[str, str]]
) -> list[tuple[str, str]]:
    """What a return says in general has room for a reply too: a reason for no field."""
    if action is not ReviewAction.RETURN or not comment.strip():
        return list(remarks)
    return [("", comment.strip()), *((path, reason) for path, reason in remarks if path)]
