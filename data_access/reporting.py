"""The reporting core, read: periods, workflows, submissions, versions, decisions, the queue.

Drafts are written in `data_access.drafts`, decisions in `data_access.decisions`.
"""

from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection

from data_access.change_listener import Topic, mark
from data_access.queries import load_queries
from data_access.rows import fetch_all, fetch_one
from domain.access import Role
from domain.errors import (
    NotFound,
)
from domain.workflow import (
    Position,
    ReviewAction,
    SubmissionState,
    Unit,
    Workflow,
    WorkflowStep,
)

_SQL = load_queries("reporting")
_FILERS_ALONE = 0
_WORKFLOWS: dict[tuple[str, int], tuple[int, Workflow]] = {}


@dataclass(frozen=True, slots=True)
class ReportingPeriod:
    period_id: int
    form_code: str
    form_title: str
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
    form_title: str
    period_id: int
    period_name: str
    starts_on: date
    ends_on: date
    deadline_at: datetime
    period_closed: bool
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
    standing_receipt_no: str | None
    """The receipt in force: of this report, or of what was filed before a change was opened."""
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
    def is_too_late(self) -> bool:
        """Whether the report was not filed while its period was open: it is not accepted now."""
        return self.period_closed and self.state is SubmissionState.DRAFT

    @property
    def position(self) -> Position:
        is_filed = self.state is SubmissionState.FILED
        is_change = self.standing_receipt_no is not None and not is_filed
        return Position(self.state, self.step_no, is_change)


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
    bulk_decision_id: int | None
    """The bulk decision it came with, None for one taken on this report alone."""


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


@dataclass(frozen=True, slots=True)
class _FilingRules:
    by_change: bool
    filer_roles: list[str]
    filed_from_above: bool
    contributor_roles: list[str]


@dataclass(frozen=True, slots=True)
class _Step:
    step_no: int
    name: str
    role: Role
    scope_level: str
    skip_levels: list[str]
    working_days: int | None


# PERIODS AND WORKFLOWS


def current_period(connection: Connection, form_code: str) -> ReportingPeriod | None:
    """Return the newest open period of a form, or None between periods."""
    return fetch_one(connection, _SQL["current_period"], ReportingPeriod, form_code=form_code)


def list_current_periods(connection: Connection) -> list[ReportingPeriod]:
    """Return the newest open period of each form, the form that is filed most often first."""
    return fetch_all(connection, _SQL["list_current_periods"], ReportingPeriod)


def list_periods(connection: Connection, form_code: str) -> list[ReportingPeriod]:
    """Return every period of a form, newest first."""
    return fetch_all(connection, _SQL["list_periods"], ReportingPeriod, form_code=form_code)


def load_filers(connection: Connection, form_code: str) -> Workflow:
    """Return who files a form, without the steps that follow; raise NotFound."""
    return _kept(connection, form_code, _FILERS_ALONE)


def load_workflow(connection: Connection, form_code: str, version: int) -> Workflow:
    """Return one version of a form's workflow; raise NotFound."""
    return _kept(connection, form_code, version)


def _kept(connection: Connection, form_code: str, version: int) -> Workflow:
    """Read a workflow once, and again when reference data was loaded."""
    marked, key = mark(Topic.FORMS), (form_code, version)
    known = _WORKFLOWS.get(key)
    if known is None or known[0] != marked:
        known = _WORKFLOWS[key] = marked, _read_workflow(connection, *key)
    return known[1]


def _read_workflow(connection: Connection, form_code: str, version: int) -> Workflow:
    filers = _read_filers(connection, form_code)
    if version == _FILERS_ALONE:
        return filers
    steps = fetch_all(
        connection, _SQL["list_workflow_steps"], _Step, form_code=form_code, version=version
    )
    return replace(
        filers,
        version=version,
        steps=tuple(
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


def _read_filers(connection: Connection, form_code: str) -> Workflow:
    rules = fetch_one(connection, _SQL["get_filing_rules"], _FilingRules, form_code=form_code)
    if rules is None:
        raise NotFound(form_code=form_code)
    roles = tuple(Role(role) for role in rules.filer_roles)
    contributors = tuple(Role(role) for role in rules.contributor_roles)
    return Workflow(
        form_code,
        _FILERS_ALONE,
        roles,
        (),
        rules.by_change,
        rules.filed_from_above,
        contributors,
    )


# SUBMISSIONS: READING


def get_submission(connection: Connection, submission_id: int) -> Submission:
    """Return a submission with its draft and its last filed content; raise NotFound."""
    found = fetch_one(connection, _SQL["get_submission"], Submission, submission_id=submission_id)
    if found is None:
        raise NotFound(submission_id=submission_id)
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
