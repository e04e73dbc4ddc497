"""Drafts: what is being typed, kept on the server, apart from the official value."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from data_access.queries import load_queries
from data_access.reporting import (
    ReportingPeriod,
    Submission,
    get_submission,
    list_periods,
    load_filers,
    load_workflow,
)
from data_access.reporting_forms import FORMS, find_form
from data_access.rows import fetch_one
from domain.access import Actor
from domain.clock import today
from domain.errors import DraftConflict, InvalidAction, NotFound, NotPermitted
from domain.receipts import canonical
from domain.workflow import ReviewAction, SubmissionState, contributes, filing_role

_SQL = load_queries("drafts")


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
class _FilingUnit:
    code: str
    name: str
    level: str
    prefix: str


def open_submission(
    connection: Connection, actor: Actor, period_id: int, division_code: str
) -> Submission:
    """Return the unit's submission of the period, made with a prefilled draft where missing.

    Raises NotFound for a unit that does not file this form, NotPermitted for who may not file.
    """
    period = next(
        (p for form in FORMS for p in list_periods(connection, form) if p.period_id == period_id),
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
    if filing_role(workflow, unit.code, actor) is None and not contributes(
        workflow, unit.code, actor
    ):
        raise NotPermitted(division_code=division_code)
    find_form(period.form_code).ensure_rows(connection, actor, division_code)
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
    content = find_form(period.form_code).prefilled(connection, division_code, period.starts_on)
    connection.execute(
        _SQL["begin_own_draft" if actor.is_department else "create_draft"],
        {
            "submission_id": submission_id,
            "division_code": division_code,
            "content": canonical(content),
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
    require_filer(connection, actor, submission_id, or_contributor=True)
    query = "save_own_rows" if actor.is_department else "save_draft"
    saved = fetch_one(
        connection,
        _SQL[query],
        SavedDraft,
        submission_id=submission_id,
        content=canonical(content),
        draft_version=draft_version,
        user_id=actor.user_id,
    )
    if saved is not None:
        return saved
    current = get_draft(connection, submission_id)
    if current.state not in (SubmissionState.DRAFT, SubmissionState.RETURNED):
        raise InvalidAction(state=current.state, action=ReviewAction.SUBMIT)
    raise _conflict(current)


def get_draft(connection: Connection, submission_id: int, seen: int | None = None) -> Draft:
    """Return the draft as saved last; raise NotFound outside the actor's scope.

    With `seen`, the version the actor saw, raise DraftConflict when somebody saved since.
    """
    found = fetch_one(connection, _SQL["get_draft"], Draft, submission_id=submission_id)
    if found is None:
        raise NotFound(submission_id=submission_id)
    if seen is not None and found.draft_version != seen:
        raise _conflict(found)
    return found


def _conflict(newer: Draft) -> DraftConflict:
    return DraftConflict(
        content=newer.content,
        draft_version=newer.draft_version,
        saved_by=newer.saved_by_name,
        saved_at=newer.saved_at,
    )


def require_filer(
    connection: Connection, actor: Actor, submission_id: int, *, or_contributor: bool = False
) -> None:
    """Raise NotFound outside the actor's scope, NotPermitted for who does not file for the unit.

    Who fills rows of his own beside the filer passes where `or_contributor` says so.
    """
    found = connection.execute(
        _SQL["get_filing_unit"], {"submission_id": submission_id}
    ).one_or_none()
    if found is None:
        raise NotFound(submission_id=submission_id)
    workflow = load_filers(connection, found.form_code)
    if or_contributor and contributes(workflow, found.division_code, actor):
        return
    if filing_role(workflow, found.division_code, actor) is None:
        raise NotPermitted(action=ReviewAction.SUBMIT)
