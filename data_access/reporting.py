"""The reporting core: periods, drafts, submissions, and the decisions of each round.

One business action is one function, one transaction, one entry in `review_event`. Every function
here serves every form; what a form does on its own stands in its module (`_FORMS`).
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from types import ModuleType
from typing import Any

from sqlalchemy import Connection

from data_access import progress_form
from data_access.form_checks import prepare
from data_access.queries import load_queries
from data_access.rows import fetch_all, fetch_one
from domain.access import Actor, Role
from domain.clock import today
from domain.errors import (
    DraftConflict,
    InvalidAction,
    InvalidContent,
    NotFound,
    NotPermitted,
    StaleVersion,
)
from domain.workflow import (
    Move,
    Position,
    ReviewAction,
    SubmissionState,
    Unit,
    Workflow,
    WorkflowStep,
    may_file,
    open_moves,
    take,
)

_SQL = load_queries("reporting")
_FORMS: dict[str, ModuleType] = {"plan_progress": progress_form}
_FILER_ROLES = (Role.CITY, Role.COUNTY)


@dataclass(frozen=True, slots=True)
class ReportingPeriod:
    period_id: int
    form_code: str
    name: str
    starts_on: date
    ends_on: date
    deadline_at: datetime
    form_version: int
    workflow_version: int
    opened_at: datetime
    closed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Submission:
    """One unit's report of one period; `deadline_at` includes the unit's extension."""

    submission_id: int
    form_code: str
    period_id: int
    period_name: str
    starts_on: date
    ends_on: date
    deadline_at: datetime
    form_version: int
    workflow_version: int
    division_code: str
    division_name: str
    level: str
    kind: str
    prefix: str
    parent_name: str
    state: SubmissionState
    step_no: int
    round_no: int
    version_no: int
    lock_version: int
    no_change: bool
    filer_id: int | None
    filer_name: str | None
    submitted_at: datetime | None
    filed_at: datetime | None
    receipt_no: str | None
    receipt_hash: str | None
    draft_content: dict[str, Any] | None
    draft_version: int | None
    saved_at: datetime | None
    saved_by_id: int | None
    saved_by_name: str | None
    filed_content: dict[str, Any] | None

    @property
    def unit(self) -> Unit:
        return Unit(self.division_code, self.level, self.prefix)

    @property
    def position(self) -> Position:
        return Position(self.state, self.step_no)


@dataclass(frozen=True, slots=True)
class SavedDraft:
    draft_version: int
    saved_at: datetime


@dataclass(frozen=True, slots=True)
class Draft:
    content: dict[str, Any]
    draft_version: int
    saved_at: datetime
    saved_by_id: int
    saved_by_name: str
    state: SubmissionState


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


@dataclass(frozen=True, slots=True)
class Remark:
    """A reason of a return, for one field ('' is the report as a whole), and the reply to it."""

    review_remark_id: int
    field_path: str
    reason: str
    reply: str | None
    replied_by_name: str | None
    replied_at: datetime | None
    happened_at: datetime
    reviewer_name: str
    comment: str
    round_no: int


@dataclass(frozen=True, slots=True)
class ReviewEvent:
    review_event_id: int
    submission_id: int
    version_no: int
    round_no: int
    step_no: int
    step_name: str
    action: ReviewAction
    from_state: SubmissionState
    to_state: SubmissionState
    comment: str
    user_name: str
    role: Role
    happened_at: datetime


@dataclass(frozen=True, slots=True)
class SubmissionVersion:
    submission_id: int
    version_no: int
    round_no: int
    form_version: int
    rule_version: int
    code_version: str
    workflow_version: int
    content: dict[str, Any]
    content_sha256: str
    no_change: bool
    submitted_at: datetime
    submitted_by_name: str


@dataclass(frozen=True, slots=True)
class SubmissionSummary:
    submission_id: int
    period_name: str
    starts_on: date
    division_code: str
    division_name: str
    state: SubmissionState
    step_no: int
    round_no: int
    version_no: int
    no_change: bool
    submitted_at: datetime | None
    filed_at: datetime | None
    receipt_no: str | None
    filer_name: str | None


@dataclass(frozen=True, slots=True)
class QueuedSubmission:
    """A report that waits for a step whose role the actor holds."""

    submission_id: int
    lock_version: int
    form_code: str
    period_name: str
    workflow_version: int
    division_code: str
    division_name: str
    level: str
    prefix: str
    parent_name: str
    step_no: int
    step_name: str
    role: Role
    round_no: int
    version_no: int
    no_change: bool
    filer_id: int | None
    filer_name: str
    submitted_at: datetime
    due_on: date | None


@dataclass(frozen=True, slots=True)
class _Step:
    step_no: int
    name: str
    role: Role
    scope_level: str
    skip_levels: list[str]
    working_days: int | None


@dataclass(frozen=True, slots=True)
class _FilingUnit:
    code: str
    name: str
    level: str
    prefix: str


# PERIODS AND WORKFLOWS


def current_period(connection: Connection, form_code: str) -> ReportingPeriod | None:
    """Return the newest open period of a form, or None between periods."""
    return fetch_one(connection, _SQL["current_period"], ReportingPeriod, form_code=form_code)


def list_periods(connection: Connection, form_code: str) -> list[ReportingPeriod]:
    """Return every period of a form, newest first."""
    return fetch_all(connection, _SQL["list_periods"], ReportingPeriod, form_code=form_code)


def load_workflow(connection: Connection, form_code: str, version: int) -> Workflow:
    """Return one version of a form's workflow."""
    steps = fetch_all(
        connection, _SQL["list_workflow_steps"], _Step, form_code=form_code, version=version
    )
    return Workflow(
        form_code,
        version,
        _FILER_ROLES,
        tuple(
            WorkflowStep(
                step.step_no,
                step.name,
                step.role,
                step.scope_level,
                tuple(step.skip_levels),
                step.working_days,
            )
            for step in steps
        ),
    )


# SUBMISSIONS: READING


def get_submission(connection: Connection, submission_id: int) -> Submission:
    """Return a submission with its draft and its last filed content; raise NotFound."""
    found = fetch_one(connection, _SQL["get_submission"], Submission, submission_id=submission_id)
    if found is None:
        raise NotFound(submission_id=submission_id)
    return found


def get_draft(connection: Connection, submission_id: int) -> Draft:
    """Return the draft as saved last; raise NotFound outside the actor's scope."""
    found = fetch_one(connection, _SQL["get_draft"], Draft, submission_id=submission_id)
    if found is None:
        raise NotFound(submission_id=submission_id)
    return found


def get_version(connection: Connection, submission_id: int, version_no: int) -> SubmissionVersion:
    """Return one filed version, which nobody can change; raise NotFound."""
    found = fetch_one(
        connection,
        _SQL["get_version"],
        SubmissionVersion,
        submission_id=submission_id,
        version_no=version_no,
    )
    if found is None:
        raise NotFound(submission_id=submission_id, version_no=version_no)
    return found


def list_versions(connection: Connection, submission_id: int) -> list[SubmissionVersion]:
    """Return every filed version, oldest first."""
    return fetch_all(
        connection, _SQL["list_versions"], SubmissionVersion, submission_id=submission_id
    )


def previous_content(connection: Connection, submission_id: int) -> dict[str, Any]:
    """Return the content accepted before this report, {} for a unit's first."""
    return connection.scalar(_SQL["previous_content"], {"submission_id": submission_id}) or {}


def list_events(connection: Connection, submission_id: int) -> list[ReviewEvent]:
    """Return what was decided on a submission, oldest first."""
    return fetch_all(connection, _SQL["list_events"], ReviewEvent, submission_id=submission_id)


def list_open_remarks(connection: Connection, submission_id: int) -> list[Remark]:
    """Return the reasons of the last return, with the replies given so far."""
    return fetch_all(connection, _SQL["list_open_remarks"], Remark, submission_id=submission_id)


def list_all_remarks(connection: Connection, submission_id: int) -> list[Remark]:
    """Return the reasons of every return of a submission, round by round."""
    return fetch_all(connection, _SQL["list_all_remarks"], Remark, submission_id=submission_id)


def list_submissions(
    connection: Connection, division_code: str, form_code: str
) -> list[SubmissionSummary]:
    """Return a unit's filed reports, newest period first."""
    return fetch_all(
        connection,
        _SQL["list_submissions_of"],
        SubmissionSummary,
        division_code=division_code,
        form_code=form_code,
    )


def list_queue(connection: Connection, actor: Actor, form_code: str) -> list[QueuedSubmission]:
    """Return what waits for this actor's decision, oldest first."""
    waiting = fetch_all(connection, _SQL["list_queue"], QueuedSubmission, form_code=form_code)
    workflows: dict[int, Workflow] = {}
    for row in waiting:
        if row.workflow_version not in workflows:
            workflows[row.workflow_version] = load_workflow(
                connection, form_code, row.workflow_version
            )
    return [row for row in waiting if _may_decide(workflows[row.workflow_version], row, actor)]


def _may_decide(workflow: Workflow, row: QueuedSubmission, actor: Actor) -> bool:
    moves = open_moves(
        workflow,
        Unit(row.division_code, row.level, row.prefix),
        Position(SubmissionState.SUBMITTED, row.step_no),
        actor,
        row.filer_id,
    )
    return any(move.action is ReviewAction.APPROVE for move in moves)


# DRAFTS


def open_submission(
    connection: Connection, actor: Actor, period_id: int, division_code: str
) -> Submission:
    """Return the unit's submission of the period, made with a prefilled draft where missing.

    Raises NotFound for a unit that does not file this form, NotPermitted for who may not file.
    """
    period = next(
        (p for form in _FORMS for p in list_periods(connection, form) if p.period_id == period_id),
        None,
    )
    if period is None:
        raise NotFound(period_id=period_id)
    unit = fetch_one(
        connection,
        _SQL["find_unit"],
        _FilingUnit,
        day=today(),
        form_code=period.form_code,
        form_version=period.form_version,
        division_code=division_code,
    )
    if unit is None:
        raise NotFound(division_code=division_code)
    workflow = load_workflow(connection, period.form_code, period.workflow_version)
    if may_file(workflow, Unit(unit.code, unit.level, unit.prefix), actor) is None:
        raise NotPermitted(division_code=division_code)
    return get_submission(connection, _ensure_draft(connection, actor, period, division_code))


def _ensure_draft(
    connection: Connection, actor: Actor, period: ReportingPeriod, division_code: str
) -> int:
    key = {"period_id": period.period_id, "division_code": division_code}
    submission_id = connection.scalar(_SQL["find_submission_id"], key)
    if submission_id is not None:
        return int(submission_id)
    # Two people opening at once: the second insert waits, finds the first's row, and takes it.
    connection.execute(_SQL["create_submission"], {**key, "form_code": period.form_code})
    submission_id = connection.scalar(_SQL["find_submission_id"], key)
    content = _FORMS[period.form_code].prefilled(connection, division_code)
    connection.execute(
        _SQL["create_draft"],
        {
            "submission_id": submission_id,
            "division_code": division_code,
            "content": _json(content),
            "user_id": actor.user_id,
        },
    )
    return int(submission_id or 0)


def save_draft(
    connection: Connection,
    actor: Actor,
    submission_id: int,
    content: dict[str, Any],
    draft_version: int,
) -> SavedDraft:
    """Save a draft over the version the actor saw; the official value is not touched.

    Raises DraftConflict with the newer content when somebody saved since, InvalidAction when the
    report is not in the filer's hands, NotFound outside the actor's scope, NotPermitted.
    """
    _require_filer(connection, actor, submission_id)
    saved = fetch_one(
        connection,
        _SQL["save_draft"],
        SavedDraft,
        submission_id=submission_id,
        content=_json(content),
        draft_version=draft_version,
        user_id=actor.user_id,
    )
    if saved is not None:
        return saved
    current = get_draft(connection, submission_id)
    if current.state not in (SubmissionState.DRAFT, SubmissionState.RETURNED):
        raise InvalidAction(state=current.state, action=ReviewAction.SUBMIT)
    raise DraftConflict(
        content=current.content,
        draft_version=current.draft_version,
        saved_by=current.saved_by_name,
        saved_at=current.saved_at,
    )


def _require_filer(connection: Connection, actor: Actor, submission_id: int) -> None:
    found = connection.execute(
        _SQL["get_filing_unit"], {"submission_id": submission_id}
    ).one_or_none()
    if found is None:
        raise NotFound(submission_id=submission_id)
    workflow = Workflow(found.form_code, 0, _FILER_ROLES, ())
    if may_file(workflow, Unit(found.division_code, found.level, found.prefix), actor) is None:
        raise NotPermitted(action=ReviewAction.SUBMIT)


# DECISIONS


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
    Raises InvalidContent with the problems, StaleVersion, NotPermitted, InvalidAction.
    """
    locked, move = _begin(connection, actor, submission_id, lock_version, ReviewAction.SUBMIT)
    form = _FORMS[locked.form_code]
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
        _FORMS[locked.form_code].accept(connection, submission_id, locked.version_no, actor.user_id)
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


def _with_general(
    action: ReviewAction, comment: str, remarks: Sequence[tuple[str, str]]
) -> list[tuple[str, str]]:
    """What a return says in general has room for a reply too: a reason for no field."""
    if action is not ReviewAction.RETURN or not comment.strip():
        return list(remarks)
    return [("", comment.strip()), *((path, reason) for path, reason in remarks if path)]


def reply(connection: Connection, actor: Actor, review_remark_id: int, text: str) -> None:
    """Answer one reason of a return; raise NotFound outside the actor's scope."""
    submission_id = connection.scalar(
        _SQL["reply"],
        {"review_remark_id": review_remark_id, "reply": text, "user_id": actor.user_id},
    )
    if submission_id is None:
        raise NotFound(review_remark_id=review_remark_id)
    _require_filer(connection, actor, int(submission_id))


def moves_of(
    connection: Connection, actor: Actor, submission: Submission | LockedSubmission
) -> list[Move]:
    """Return what the actor may do with the submission now."""
    workflow = load_workflow(connection, submission.form_code, submission.workflow_version)
    return open_moves(workflow, submission.unit, submission.position, actor, submission.filer_id)


def receipt_hash(receipt_no: str, content_sha256: str, filed_at: datetime) -> str:
    """Return a receipt's checksum: SHA-256 over number, content and second of filing."""
    filed_second = int(filed_at.timestamp())
    return hashlib.sha256(f"{receipt_no}|{content_sha256}|{filed_second}".encode()).hexdigest()


def content_sha256(content: dict[str, Any]) -> str:
    """Return the checksum of a content: SHA-256 of its JSON with sorted keys."""
    return hashlib.sha256(_json(content).encode()).hexdigest()


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
            "content": _json(content),
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
            "payload": _json(payload),
        },
    )


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True)
