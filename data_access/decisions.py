"""Decisions: file, withdraw, approve, return, reply, open a change, give it up.

One business action is one function, one transaction, one entry in `review_event`. Every function
here serves every form; what a form does on its own stands in its module (`reporting_forms`).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection

from data_access import decision_notices, review_summaries
from data_access.drafts import get_draft, require_filer
from data_access.form_checks import form_context, is_settled, prepare
from data_access.forms import load_form
from data_access.queries import load_queries
from data_access.reporting import Submission, load_workflow
from data_access.reporting_forms import find_form
from data_access.rows import fetch_all, fetch_one
from domain.access import Actor
from domain.errors import InvalidContent, NotFound, PeriodClosed, PortalError, StaleVersion
from domain.receipts import canonical, content_sha256, receipt_hash
from domain.workflow import (
    Move,
    Position,
    ReviewAction,
    SubmissionState,
    Unit,
    Workflow,
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
    receipt_prefix: str
    filed_from_above: bool
    period_closed: bool
    state: SubmissionState
    step_no: int
    round_no: int
    version_no: int
    newest_version_no: int
    """Beyond `version_no` where a change was sent and then given up."""
    lock_version: int
    filer_id: int | None
    no_change: bool
    is_change: bool

    @property
    def unit(self) -> Unit:
        return Unit(self.division_code, self.level, self.prefix)

    @property
    def position(self) -> Position:
        return Position(self.state, self.step_no, self.is_change)


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
    seen: int | None = None,
) -> Moved:
    """File the draft: check it, keep it as a version, and hand it to the first review.

    With `no_change` the accepted values stand as they are, whatever the draft holds. With `seen`,
    the version of the draft that the actor saw, raises DraftConflict when somebody saved since.
    Raises InvalidContent with the problems, StaleVersion, NotPermitted, InvalidAction, and
    PeriodClosed for a first report after its period; what was returned may still come back.
    """
    locked, move = _begin(connection, actor, submission_id, lock_version, ReviewAction.SUBMIT)
    if locked.period_closed and locked.state is SubmissionState.DRAFT:
        raise PeriodClosed(submission_id=submission_id)
    form = find_form(locked.form_code)
    content = get_draft(connection, submission_id, seen).content
    if no_change:
        context = form_context(connection, locked.form_code, locked.division_code, locked.starts_on)
        stands = form.prefilled(connection, locked.division_code, locked.starts_on)
        content = stands if context.is_accepted else stands | {"form": content["form"]}
    described = load_form(connection, locked.form_code, locked.form_version)
    content, problems = prepare(
        connection, described, locked.division_code, content, locked.starts_on
    )
    errors = [problem for problem in problems if problem.severity == "error"]
    if no_change:
        errors = [problem for problem in errors if not is_settled(problem, context)]
    if errors:
        raise InvalidContent(problems=errors, count=len(errors))
    version_no = locked.newest_version_no + 1
    rules = described.rule_version
    _add_version(connection, actor, locked, version_no, content, rules, no_change=no_change)
    form.write_filed(connection, submission_id, version_no)
    turn = _Turn(locked, move, version_no=version_no, no_change=no_change)
    moved = _move(connection, actor, [turn])[submission_id]
    review_summaries.write(
        connection, described, submission_id, version_no, locked.division_code, content, problems
    )
    return moved


def withdraw(connection: Connection, actor: Actor, submission_id: int, lock_version: int) -> Moved:
    """Take a report back before the first decision."""
    locked, move = _begin(connection, actor, submission_id, lock_version, ReviewAction.WITHDRAW)
    return _move(connection, actor, [_Turn(locked, move)])[submission_id]


def reopen(connection: Connection, actor: Actor, submission_id: int, lock_version: int) -> Moved:
    """Open a filed report again, to report what has changed since: a round of its own.

    The accepted values stand until the change is accepted; the draft starts from them. Raises
    InvalidAction for a form that is filed once a period, PeriodClosed after its period.
    """
    locked, move = _begin(connection, actor, submission_id, lock_version, ReviewAction.REOPEN)
    if locked.period_closed:
        raise PeriodClosed(submission_id=submission_id)
    accepted = find_form(locked.form_code).prefilled(
        connection, locked.division_code, locked.starts_on
    )
    connection.execute(
        _SQL["renew_draft"],
        {
            "submission_id": submission_id,
            "division_code": locked.division_code,
            "content": canonical(accepted),
            "user_id": actor.user_id,
        },
    )
    return _move(connection, actor, [_Turn(locked, move, no_change=False)])[submission_id]


def abandon(connection: Connection, actor: Actor, submission_id: int, lock_version: int) -> Moved:
    """Give up a change: what was filed last stands again as it was, under the receipt it has.

    What was sent and returned of the change stays readable. Raises InvalidAction where nothing
    was filed before.
    """
    locked, move = _begin(connection, actor, submission_id, lock_version, ReviewAction.ABANDON)
    row = fetch_one(
        connection,
        _SQL["abandon_change"],
        Moved,
        submission_id=submission_id,
        from_round=locked.round_no,
        from_state=locked.state,
        role=move.role,
        user_id=actor.user_id,
    )
    if row is None:
        raise NotFound(submission_id=submission_id)
    return row


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
    outcome = review_many(
        connection, actor, {submission_id: lock_version}, action, comment, remarks
    )[submission_id]
    if isinstance(outcome, PortalError):
        raise outcome
    return outcome


def review_many(
    connection: Connection,
    actor: Actor,
    seen: Mapping[int, int],
    action: ReviewAction,
    comment: str = "",
    remarks: Sequence[tuple[str, str]] = (),
    *,
    bulk_decision_id: int | None = None,
) -> dict[int, Moved | PortalError]:
    """Take the same decision on each report in the version the actor saw: id to lock_version.

    Return what became of each, or why nothing did. What the database refuses raises, for all of
    them: the caller's savepoint says how many go together.
    """
    locked = _lock(connection, seen)
    outcomes: dict[int, Moved | PortalError] = {}
    turns: list[_Turn] = []
    workflows = _Workflows(connection)
    for submission_id, lock_version in seen.items():
        try:
            report = _as_seen(locked, submission_id, lock_version)
            turns.append(_Turn(report, workflows.move(report, action, actor)))
        except PortalError as error:
            outcomes[submission_id] = error
    _accept(connection, actor, turns)
    moved = _move(connection, actor, turns, comment=comment, bulk_decision_id=bulk_decision_id)
    _add_remarks(connection, moved, turns, _with_general(action, comment, remarks))
    return outcomes | moved


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


@dataclass(frozen=True, slots=True)
class _Turn:
    """One report and the move it makes; `version_no` is set where the move files a new version."""

    report: LockedSubmission
    move: Move
    version_no: int | None = None
    no_change: bool | None = None

    @property
    def version(self) -> int:
        return self.version_no or self.report.version_no

    @property
    def says_no_change(self) -> bool:
        return self.report.no_change if self.no_change is None else self.no_change

    @property
    def files(self) -> bool:
        return self.move.target.state is SubmissionState.FILED


class _Workflows:
    """The workflows of a transaction, each read once."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._known: dict[tuple[str, int], Workflow] = {}

    def move(self, report: LockedSubmission, action: ReviewAction, actor: Actor) -> Move:
        key = report.form_code, report.workflow_version
        if key not in self._known:
            self._known[key] = load_workflow(self._connection, *key)
        workflow = self._known[key]
        return take(workflow, report.unit, report.position, action, actor, report.filer_id)


def _begin(
    connection: Connection,
    actor: Actor,
    submission_id: int,
    lock_version: int,
    action: ReviewAction,
) -> tuple[LockedSubmission, Move]:
    """Lock the submission, compare the version the actor saw, and find his move."""
    locked = _as_seen(_lock(connection, [submission_id]), submission_id, lock_version)
    return locked, _Workflows(connection).move(locked, action, actor)


def _lock(connection: Connection, submission_ids: Iterable[int]) -> dict[int, LockedSubmission]:
    rows = fetch_all(
        connection,
        _SQL["lock_submissions"],
        LockedSubmission,
        submission_ids=list(submission_ids),
    )
    return {row.submission_id: row for row in rows}


def _as_seen(
    locked: Mapping[int, LockedSubmission], submission_id: int, lock_version: int
) -> LockedSubmission:
    found = locked.get(submission_id)
    if found is None:
        raise NotFound(submission_id=submission_id)
    if found.lock_version != lock_version:
        raise StaleVersion(submission_id=submission_id)
    return found


def _add_version(
    connection: Connection,
    actor: Actor,
    locked: LockedSubmission,
    version_no: int,
    content: dict[str, Any],
    rule_version: int,
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
            "rule_version": rule_version,
            "workflow_version": locked.workflow_version,
            "content": canonical(content),
            "content_sha256": content_sha256(content),
            "no_change": no_change,
            "user_id": actor.user_id,
        },
    )


def _accept(connection: Connection, actor: Actor, turns: Sequence[_Turn]) -> None:
    """Turn what was filed into accepted facts, where the move is the last one."""
    for turn in turns:
        if turn.files:
            form = find_form(turn.report.form_code)
            form.accept(connection, turn.report.submission_id, turn.version, actor.user_id)


def _move(
    connection: Connection,
    actor: Actor,
    turns: Sequence[_Turn],
    *,
    comment: str = "",
    bulk_decision_id: int | None = None,
) -> dict[int, Moved]:
    """Move the reports, log each, announce what was filed, and tell whose turn it is."""
    if not turns:
        return {}
    receipts = _receipts(connection, [turn for turn in turns if turn.files])
    reports = [turn.report for turn in turns]
    action = turns[0].move.action
    rows = fetch_all(
        connection,
        _SQL["move_submissions"],
        Moved,
        submission_ids=[report.submission_id for report in reports],
        states=[turn.move.target.state.value for turn in turns],
        step_nos=[turn.move.target.step_no for turn in turns],
        version_nos=[turn.version for turn in turns],
        new_rounds=[turn.move.new_round for turn in turns],
        no_changes=[
            turn.report.no_change if turn.no_change is None else turn.no_change for turn in turns
        ],
        from_rounds=[report.round_no for report in reports],
        from_steps=[report.step_no for report in reports],
        from_states=[report.state.value for report in reports],
        roles=[turn.move.role.value for turn in turns],
        receipt_nos=[receipts.get(report.submission_id, (None, None))[0] for report in reports],
        receipt_hashes=[receipts.get(report.submission_id, (None, None))[1] for report in reports],
        filer_id=actor.user_id if action is ReviewAction.SUBMIT else None,
        action=action,
        comment=comment.strip(),
        user_id=actor.user_id,
        bulk_decision_id=bulk_decision_id,
    )
    _announce(connection, turns, receipts)
    decision_notices.tell(connection, _told(turns), comment)
    return {row.submission_id: row for row in rows}


def _told(turns: Sequence[_Turn]) -> dict[int, Move]:
    """Return the moves that somebody is told of, by submission.

    Of thousands of villages each reviewer has a queue and each officer a worklist.
    """
    return {
        turn.report.submission_id: turn.move
        for turn in turns
        if not turn.report.filed_from_above or turn.move.action is ReviewAction.RETURN
    }


def _receipts(connection: Connection, turns: Sequence[_Turn]) -> dict[int, tuple[str, str]]:
    """Return number and checksum of each report that is now filed, by its id."""
    if not turns:
        return {}
    parameters = {
        "submission_ids": [turn.report.submission_id for turn in turns],
        "version_nos": [turn.version for turn in turns],
    }
    rows = connection.execute(_SQL["list_content_sums"], parameters)
    sums = {row.submission_id: (row.content_sha256, row.filed_at) for row in rows}
    receipts = {}
    for turn in turns:
        report = turn.report
        number = (
            f"{report.receipt_prefix}{report.starts_on:%Y%m}-{report.division_code}"
            f"-{turn.version:02d}"
        )
        content_sum, filed_at = sums[report.submission_id]
        receipts[report.submission_id] = number, receipt_hash(number, content_sum, filed_at)
    return receipts


def _announce(
    connection: Connection, turns: Sequence[_Turn], receipts: Mapping[int, tuple[str, str]]
) -> None:
    events = [
        {
            "topic": "submission.filed",
            "subject": turn.report.division_code,
            "payload": canonical(
                {
                    "form_code": turn.report.form_code,
                    "division_code": turn.report.division_code,
                    "submission_id": turn.report.submission_id,
                    "version_no": turn.version,
                    "receipt_no": receipts[turn.report.submission_id][0],
                }
            ),
        }
        for turn in turns
        if turn.files
    ]
    if events:
        connection.execute(_SQL["add_outbox_event"], events)


def _add_remarks(
    connection: Connection,
    moved: Mapping[int, Moved],
    turns: Sequence[_Turn],
    remarks: Sequence[tuple[str, str]],
) -> None:
    rows = [
        {
            "review_event_id": moved[turn.report.submission_id].review_event_id,
            "submission_id": turn.report.submission_id,
            "division_code": turn.report.division_code,
            "field_path": field_path,
            "reason": reason,
        }
        for turn in turns
        for field_path, reason in remarks
    ]
    if rows:
        connection.execute(_SQL["add_remark"], rows)


def _with_general(
    action: ReviewAction, comment: str, remarks: Sequence[tuple[str, str]]
) -> list[tuple[str, str]]:
    """What a return says in general has room for a reply too: a reason for no field."""
    if action is not ReviewAction.RETURN or not comment.strip():
        return list(remarks)
    return [("", comment.strip()), *((path, reason) for path, reason in remarks if path)]
