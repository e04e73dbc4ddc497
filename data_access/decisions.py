"""Decisions: file, withdraw, approve, return, reply, open a change, give it up.

One business action is one function, one transaction, one entry in `review_event`. Every function
here serves every form; what a form does on its own stands in its module (`reporting_forms`).
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from sqlalchemy import Connection

from data_access import review_summaries
from data_access.drafts import get_draft, require_filer
from data_access.form_checks import form_context, is_settled, prepare
from data_access.forms import load_form
from data_access.moves import (
    LockedSubmission,
    Moved,
    Turn,
    Workflows,
    as_seen,
    begin_move,
    lock_reports,
    make_moves,
)
from data_access.queries import load_queries
from data_access.reporting import Submission, load_workflow
from data_access.reporting_forms import find_form
from data_access.rows import fetch_one, write
from domain.access import Actor
from domain.errors import (
    InvalidContent,
    NotFound,
    PeriodClosed,
    PortalError,
    UnchangedSinceReturn,
)
from domain.forms import Content, Context, Form, Problem
from domain.receipts import canonical, text_sha256
from domain.workflow import Move, ReviewAction, SubmissionState, open_moves

_SQL = load_queries("decisions")


def submit(
    connection: Connection,
    actor: Actor,
    submission_id: int,
    lock_version: int,
    *,
    no_change: bool = False,
    seen: int | None = None,
    among_many: bool = False,
) -> Moved:
    """File the draft: check it, keep it as a version, and hand it to the first review.

    With `no_change` the accepted values stand as they are, whatever the draft holds. With `seen`,
    the version of the draft that the actor saw, raises DraftConflict when somebody saved since.
    With `among_many` nobody looks at this one: raises UnchangedSinceReturn for one that came back
    and would be sent again as it was. Raises InvalidContent with the problems, StaleVersion,
    NotPermitted, InvalidAction, and PeriodClosed for a first report after its period; what was
    returned may still come back.
    """
    locked, move = begin_move(connection, actor, submission_id, lock_version, ReviewAction.SUBMIT)
    if locked.period_closed and locked.state is SubmissionState.DRAFT:
        raise PeriodClosed(submission_id=submission_id)
    described = load_form(connection, locked.form_code, locked.form_version)
    content, problems, facts = _prepare(connection, locked, described, no_change, seen)
    if among_many and locked.state is SubmissionState.RETURNED:
        _refuse_unchanged(connection, locked, content)
    version_no = locked.newest_version_no + 1
    rules = described.rule_version
    _add_version(connection, actor, locked, version_no, content, rules, no_change=no_change)
    find_form(locked.form_code).write_filed(connection, submission_id, version_no)
    turn = Turn(locked, move, version_no=version_no, no_change=no_change)
    moved = make_moves(connection, actor, [turn])[submission_id]
    review_summaries.write(
        connection,
        described,
        submission_id,
        version_no,
        locked.division_code,
        content,
        problems,
        before=facts.last if described.looks_back else None,
    )
    return moved


def withdraw(connection: Connection, actor: Actor, submission_id: int, lock_version: int) -> Moved:
    """Take a report back before the first decision.

    Raises PeriodClosed after its period: as a draft it could never be sent again.
    """
    locked, move = begin_move(connection, actor, submission_id, lock_version, ReviewAction.WITHDRAW)
    if locked.period_closed:
        raise PeriodClosed(submission_id=submission_id)
    return make_moves(connection, actor, [Turn(locked, move)])[submission_id]


def reopen(connection: Connection, actor: Actor, submission_id: int, lock_version: int) -> Moved:
    """Open a filed report again, to report what has changed since: a round of its own.

    The accepted values stand until the change is accepted; the draft starts from them. Raises
    InvalidAction for a form that is filed once a period, PeriodClosed after its period.
    """
    locked, move = begin_move(connection, actor, submission_id, lock_version, ReviewAction.REOPEN)
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
    return make_moves(connection, actor, [Turn(locked, move, no_change=False)])[submission_id]


def abandon(connection: Connection, actor: Actor, submission_id: int, lock_version: int) -> Moved:
    """Give up a change: what was filed last stands again as it was, under the receipt it has.

    What was sent and returned of the change stays readable. Raises InvalidAction where nothing
    was filed before.
    """
    locked, move = begin_move(connection, actor, submission_id, lock_version, ReviewAction.ABANDON)
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
    locked = lock_reports(connection, seen)
    outcomes: dict[int, Moved | PortalError] = {}
    turns: list[Turn] = []
    workflows = Workflows(connection)
    for submission_id, lock_version in seen.items():
        try:
            report = as_seen(locked, submission_id, lock_version)
            turns.append(Turn(report, workflows.move(report, action, actor)))
        except PortalError as error:
            outcomes[submission_id] = error
    _accept(connection, actor, turns)
    moved = make_moves(connection, actor, turns, comment=comment, bulk_decision_id=bulk_decision_id)
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


def _prepare(
    connection: Connection,
    locked: LockedSubmission,
    described: Form,
    no_change: bool,
    seen: int | None,
) -> tuple[Content, list[Problem], Context]:
    """Return what is filed, what is doubtful in it, and what it was judged by."""
    code, unit, starts_on = locked.form_code, locked.division_code, locked.starts_on
    content = get_draft(connection, locked.submission_id, seen).content
    if no_change:
        context = form_context(connection, code, unit, starts_on)
        stands = find_form(code).prefilled(connection, unit, starts_on)
        content = stands if context.is_accepted else stands | {"form": content["form"]}
    content, problems, facts = prepare(connection, described, unit, content, starts_on)
    errors = [problem for problem in problems if problem.severity == "error"]
    if no_change:
        errors = [problem for problem in errors if not is_settled(problem, context)]
    if errors:
        raise InvalidContent(problems=errors, count=len(errors))
    return content, problems, facts


def _refuse_unchanged(connection: Connection, locked: LockedSubmission, content: Content) -> None:
    key = {"submission_id": locked.submission_id, "version_no": locked.version_no}
    checksum = text_sha256(canonical(content))
    if connection.scalar(_SQL["is_unchanged"], {**key, "content_sha256": checksum}):
        raise UnchangedSinceReturn(submission_id=locked.submission_id)


def _add_version(
    connection: Connection,
    actor: Actor,
    locked: LockedSubmission,
    version_no: int,
    content: Content,
    rule_version: int,
    *,
    no_change: bool,
) -> None:
    text = canonical(content)
    write(
        connection,
        _SQL["add_version"],
        submission_id=locked.submission_id,
        version_no=version_no,
        division_code=locked.division_code,
        round_no=locked.round_no,
        form_code=locked.form_code,
        form_version=locked.form_version,
        rule_version=rule_version,
        workflow_version=locked.workflow_version,
        content=text,
        content_sha256=text_sha256(text),
        no_change=no_change,
        user_id=actor.user_id,
    )


def _accept(connection: Connection, actor: Actor, turns: Sequence[Turn]) -> None:
    """Turn what was filed into accepted facts, where the move is the last one.

    Many units go at once. Of one unit's reports each is compared with what the one before it said.
    """
    groups: dict[tuple[str, int], dict[int, int]] = defaultdict(dict)
    before: Counter[tuple[str, str]] = Counter()
    for turn in turns:
        if turn.files:
            form_code, unit = turn.report.form_code, turn.report.division_code
            groups[form_code, before[form_code, unit]][turn.report.submission_id] = turn.version
            before[form_code, unit] += 1
    for (form_code, _), versions in groups.items():
        find_form(form_code).accept(connection, versions, actor.user_id)


def _add_remarks(
    connection: Connection,
    moved: Mapping[int, Moved],
    turns: Sequence[Turn],
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
