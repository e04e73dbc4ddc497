"""A move of a report, stored: its new state, its entry in `review_event`, its receipt, its event.

Reports are locked before anybody asks which moves are open, so two people never move one at once.
`decisions` says what each action means.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection

from data_access import decision_notices
from data_access.queries import load_queries
from data_access.reporting import load_workflow
from data_access.rows import fetch_all
from domain.access import Actor
from domain.errors import NotFound, StaleVersion
from domain.receipts import canonical, receipt_hash
from domain.workflow import Move, Position, ReviewAction, SubmissionState, Unit, Workflow, take

_SQL = load_queries("moves")


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


@dataclass(frozen=True, slots=True)
class Turn:
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


class Workflows:
    """The workflows of a transaction, each read once."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._known: dict[tuple[str, int], Workflow] = {}

    def move(self, report: LockedSubmission, action: ReviewAction, actor: Actor) -> Move:
        """Return the actor's move; raise InvalidAction or NotPermitted where it is none of his."""
        key = report.form_code, report.workflow_version
        if key not in self._known:
            self._known[key] = load_workflow(self._connection, *key)
        workflow = self._known[key]
        return take(workflow, report.unit, report.position, action, actor, report.filer_id)


def begin_move(
    connection: Connection,
    actor: Actor,
    submission_id: int,
    lock_version: int,
    action: ReviewAction,
) -> tuple[LockedSubmission, Move]:
    """Lock the submission, compare the version the actor saw, and find his move.

    Raises NotFound outside the actor's scope, StaleVersion, InvalidAction, NotPermitted.
    """
    locked = as_seen(lock_reports(connection, [submission_id]), submission_id, lock_version)
    return locked, Workflows(connection).move(locked, action, actor)


def lock_reports(
    connection: Connection, submission_ids: Iterable[int]
) -> dict[int, LockedSubmission]:
    """Lock the reports that are in the actor's scope, in one order for everybody."""
    rows = fetch_all(
        connection,
        _SQL["lock_submissions"],
        LockedSubmission,
        submission_ids=list(submission_ids),
    )
    return {row.submission_id: row for row in rows}


def as_seen(
    locked: Mapping[int, LockedSubmission], submission_id: int, lock_version: int
) -> LockedSubmission:
    """Return the report; raise NotFound, or StaleVersion where somebody moved it since."""
    found = locked.get(submission_id)
    if found is None:
        raise NotFound(submission_id=submission_id)
    if found.lock_version != lock_version:
        raise StaleVersion(submission_id=submission_id)
    return found


def make_moves(
    connection: Connection,
    actor: Actor,
    turns: Sequence[Turn],
    *,
    comment: str = "",
    bulk_decision_id: int | None = None,
) -> dict[int, Moved]:
    """Move the reports, log each, announce what was filed, and tell whose turn it is."""
    if not turns:
        return {}
    receipts = _receipts(connection, [turn for turn in turns if turn.files])
    action = turns[0].move.action
    rows = fetch_all(
        connection,
        _SQL["move_submissions"],
        Moved,
        planned=json.dumps([_planned(turn, receipts) for turn in turns]),
        filer_id=actor.user_id if action is ReviewAction.SUBMIT else None,
        action=action,
        comment=comment.strip(),
        user_id=actor.user_id,
        bulk_decision_id=bulk_decision_id,
    )
    _announce(connection, turns, receipts)
    decision_notices.tell(connection, _told(turns), comment)
    return {row.submission_id: row for row in rows}


def _planned(turn: Turn, receipts: Mapping[int, tuple[str, str]]) -> dict[str, object]:
    """Return what becomes of the report and what it was, by the names of `move_submissions`."""
    report, target = turn.report, turn.move.target
    receipt_no, hashed = receipts.get(report.submission_id, (None, None))
    return {
        "submission_id": report.submission_id,
        "state": target.state,
        "step_no": target.step_no,
        "version_no": turn.version,
        "new_round": turn.move.new_round,
        "no_change": turn.says_no_change,
        "from_round": report.round_no,
        "from_step": report.step_no,
        "from_state": report.state,
        "role": turn.move.role,
        "receipt_no": receipt_no,
        "receipt_hash": hashed,
    }


def _told(turns: Sequence[Turn]) -> dict[int, Move]:
    """Return the moves that somebody is told of, by submission.

    Of thousands of villages each reviewer has a queue and each officer a worklist.
    """
    return {
        turn.report.submission_id: turn.move
        for turn in turns
        if not turn.report.filed_from_above or turn.move.action is ReviewAction.RETURN
    }


def _receipts(connection: Connection, turns: Sequence[Turn]) -> dict[int, tuple[str, str]]:
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
    connection: Connection, turns: Sequence[Turn], receipts: Mapping[int, tuple[str, str]]
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
