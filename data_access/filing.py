"""What a filer's page asks: for which units, what to draw, who has the report now."""

from dataclasses import dataclass, replace
from datetime import date

from sqlalchemy import Connection

from data_access import decisions, drafts, reporting
from data_access.form_checks import all_problems, draft_context, form_context
from data_access.forms import load_form, log_broken, tell_owner
from data_access.queries import load_queries
from data_access.reporting import Remark, ReportingPeriod, ReviewEvent, Submission
from data_access.reporting_forms import find_form
from data_access.rows import fetch_all, fetch_one
from domain.access import Actor, Role
from domain.clock import today
from domain.errors import InvalidContent, NotFound, NotPermitted
from domain.form_shape import unfit
from domain.form_texts import mask
from domain.form_values import normalise
from domain.forms import (
    FORM_GROUP,
    Content,
    Context,
    Form,
    Problem,
    with_all_rows,
    with_facts,
)
from domain.workflow import ReviewAction, SubmissionState, contributes, filing_role

_SQL = load_queries("filing")


@dataclass(frozen=True, slots=True)
class FilingUnit:
    code: str
    name: str
    level: str
    prefix: str


@dataclass(frozen=True, slots=True)
class WaitingStep:
    step_name: str
    reviewer_name: str
    due_on: date | None


@dataclass(frozen=True, slots=True)
class FilingState:
    """A report as its filer has it before him: description, rows, content, what is wrong."""

    submission: Submission
    form: Form
    context: Context
    content: Content
    accepted: Content
    """What the province accepted last; {} where nothing can be filed now."""
    problems: list[Problem]
    actions: frozenset[ReviewAction]
    returned: ReviewEvent | None
    """The last return, until the report is filed for good."""
    remarks: list[Remark]
    sent_back: Content
    """What was filed and came back with that return; {} where nothing can be filed now."""
    contributes: bool = False
    """Whether the reader fills rows of his own beside the filer, and never files."""

    @property
    def is_editable(self) -> bool:
        return self.contributes or ReviewAction.SUBMIT in self.actions


@dataclass(frozen=True, slots=True)
class _FiledOn:
    form_code: str
    form_version: int
    division_code: str
    starts_on: date
    is_too_late: bool


@dataclass(frozen=True, slots=True)
class CheckedDraft:
    form: Form
    saved: drafts.SavedDraft
    problems: list[Problem]
    is_too_late: bool
    """Whether the period closed before the report was filed: it is kept, and cannot be filed."""


def read_state(connection: Connection, actor: Actor, submission_id: int) -> FilingState:
    """Return what the filing page draws; raise NotFound outside the actor's scope."""
    submission = reporting.get_submission(connection, submission_id)
    form = load_form(connection, submission.form_code, submission.form_version)
    context = form_context(
        connection, submission.form_code, submission.division_code, submission.starts_on
    )
    moves = decisions.moves_of(connection, actor, submission)
    actions = frozenset(move.action for move in moves)
    helps = _contributes(connection, actor, submission)
    if not helps and actor.roles <= {Role.DEPARTMENT}:
        raise NotPermitted(submission_id=submission_id)
    beside = helps and submission.state in _IN_HAND
    editable = beside or ReviewAction.SUBMIT in actions
    stored = submission.draft_content if editable else submission.filed_content
    content = with_all_rows(form, stored or {}, context)
    if helps:
        content = mask(form, content, may_see_contact=False)
    accepted = _accepted(connection, submission) if editable else {}
    if editable:
        content = with_facts(form, content, context)
        context = replace(context, last=accepted)
    returned = _last_return(connection, submission)
    sent_back = _version(connection, returned) if returned and editable else {}
    if helps and sent_back:
        sent_back = mask(form, sent_back, may_see_contact=False)
    return FilingState(
        submission=submission,
        form=_for_contributor(form) if helps else form,
        context=context,
        content=content,
        accepted=accepted,
        problems=_own(all_problems(form, content, context, log_broken), beside) if editable else [],
        actions=actions,
        returned=returned,
        remarks=reporting.list_open_remarks(connection, submission_id) if returned else [],
        sent_back=sent_back,
        contributes=beside,
    )


_IN_HAND = (SubmissionState.DRAFT, SubmissionState.RETURNED)


def _for_contributor(form: Form) -> Form:
    """Return the form as a contributor sees it: what is the filer's is only read."""
    fields = (
        replace(item, read_only=True) if item.group == FORM_GROUP else item
        for item in form.fields
        if item.group != FORM_GROUP or item.data_type != "evidence"
    )
    return replace(form, fields=tuple(fields))


def _contributes(connection: Connection, actor: Actor, filed_on: Submission | _FiledOn) -> bool:
    filers = reporting.load_filers(connection, filed_on.form_code)
    return contributes(filers, filed_on.division_code, actor)


def _own(problems: list[Problem], beside: bool) -> list[Problem]:
    """Leave out what is the filer's to mend, for who fills beside him."""
    return [p for p in problems if not (beside and p.path.startswith(f"{FORM_GROUP}."))]


def _accepted(connection: Connection, submission: Submission) -> Content:
    own = find_form(submission.form_code)
    return own.prefilled(connection, submission.division_code, submission.starts_on)


def _last_return(connection: Connection, submission: Submission) -> ReviewEvent | None:
    if submission.state is SubmissionState.FILED:
        return None
    events = reporting.list_events(connection, submission.submission_id)
    returns = [event for event in events if event.action is ReviewAction.RETURN]
    return returns[-1] if returns else None


def _version(connection: Connection, event: ReviewEvent) -> Content:
    """Return the content that was decided on."""
    versions = reporting.list_versions(connection, event.submission_id)
    return next((one.content for one in versions if one.version_no == event.version_no), {})


def save_checked(
    connection: Connection, actor: Actor, submission_id: int, content: Content, draft_version: int
) -> CheckedDraft:
    """Save a draft in its normal form, and return what is wrong in it.

    Raises InvalidContent for what is no content of this form at all, and what save_draft raises.
    """
    filed_on = fetch_one(connection, _SQL["get_form_of"], _FiledOn, submission_id=submission_id)
    if filed_on is None:
        raise NotFound(submission_id=submission_id)
    form = load_form(connection, filed_on.form_code, filed_on.form_version)
    context = draft_context(connection, form, filed_on.division_code, filed_on.starts_on)
    foreign = unfit(form, content, context)
    if foreign:
        raise InvalidContent(problems=foreign, count=len(foreign))
    normal = with_facts(form, with_all_rows(form, normalise(form, content), context), context)
    # Checked before it is written: what the write locks is then held for the shortest time.
    problems = all_problems(form, normal, context, lambda broken: tell_owner(connection, broken))
    beside = _contributes(connection, actor, filed_on)
    saved = drafts.save_draft(connection, actor, submission_id, normal, draft_version)
    return CheckedDraft(form, saved, _own(problems, beside), filed_on.is_too_late)


def list_units(connection: Connection, actor: Actor, period: ReportingPeriod) -> list[FilingUnit]:
    """Return the units the actor files this period's form for, of those his grants are on.

    Units that are filed from above are too many for a list: they have a page of their own.
    """
    filers = reporting.load_filers(connection, period.form_code)
    if filers.filed_from_above:
        return []
    codes = [
        grant.division_code
        for grant in actor.grants
        if filing_role(filers, grant.division_code, actor)
    ]
    return fetch_all(
        connection,
        _SQL["list_units"],
        FilingUnit,
        day=today(),
        form_code=period.form_code,
        form_version=period.form_version,
        codes=codes,
        prefixes=[grant.prefix for grant in actor.grants if grant.role in filers.contributor_roles],
    )


def find_waiting_step(connection: Connection, submission_id: int) -> WaitingStep | None:
    """Return the review a report waits for, or None where it waits for none."""
    return fetch_one(connection, _SQL["review_due"], WaitingStep, submission_id=submission_id)
