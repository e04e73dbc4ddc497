"""Check what a unit filed against the form it was filed on.

A draft is judged by the rules of now; what was filed by those it was filed under, on the day of
its filing, beside what had been accepted before it.
"""

from dataclasses import replace
from datetime import date, datetime

from sqlalchemy import Connection

from data_access.forms import log_broken, tell_owner
from data_access.reporting import previous_content
from data_access.reporting_forms import find_form
from domain.clock import BEIJING
from domain.form_rules import Report, check, check_without_hidden
from domain.form_shape import unfit
from domain.form_values import normalise
from domain.forms import (
    EXPLANATION,
    FORM_GROUP,
    IDENTITY,
    Content,
    Context,
    Form,
    Problem,
    ProblemKind,
    split_path,
    with_all_rows,
    with_facts,
)


def form_context(
    connection: Connection, form_code: str, division_code: str, period_start: date | None = None
) -> Context:
    """Return the facts that a unit's content of this form is checked against."""
    return find_form(form_code).context(connection, division_code, period_start)


def draft_context(
    connection: Connection, form: Form, division_code: str, period_start: date | None = None
) -> Context:
    """Return the facts a draft is checked against, what was accepted last where a rule asks."""
    context = form_context(connection, form.form_code, division_code, period_start)
    if not form.looks_back:
        return context
    last = find_form(form.form_code).prefilled(connection, division_code, period_start)
    return replace(context, last=last)


def all_problems(form: Form, content: Content, context: Context, report: Report) -> list[Problem]:
    """Return what is wrong, doubtful or unchecked: field by field, then between the rows."""
    own = find_form(form.form_code)
    return [
        *check(form, content, context, report),
        *own.spanning_problems(form, content, context),
    ]


def prepare(
    connection: Connection,
    form: Form,
    division_code: str,
    content: Content,
    period_start: date | None = None,
) -> tuple[Content, list[Problem], Context]:
    """Return the content as it would be filed, what is wrong with it, and what it was judged by.

    As filed: every row there, every value in its normal form, nothing in a field that is not
    shown. A rule that fails is reported to its owner, in the same transaction.
    """
    context = draft_context(connection, form, division_code, period_start)
    content = _of_today(content, context)
    problems = unfit(form, content, context)
    if problems:
        return content, problems, context
    complete = with_facts(form, with_all_rows(form, normalise(form, content), context), context)
    filed, found = check_without_hidden(
        form, complete, context, lambda broken: tell_owner(connection, broken)
    )
    found += find_form(form.form_code).spanning_problems(form, filed, context)
    return filed, found, context


def _of_today(content: Content, context: Context) -> Content:
    """Leave out the rows that ended since they were saved: a natural village that was merged."""
    return {
        group: [row for row in rows if context.find_row(group, str(row.get(IDENTITY)))]
        if isinstance(rows, list)
        else rows
        for group, rows in content.items()
    }


def is_settled(problem: Problem, context: Context) -> bool:
    """Tell whether a report of no change need not solve the problem.

    What the province accepted already is not judged again under the rules of today; a row of which
    it accepted nothing has to say what it asks for.
    """
    parts = split_path(problem.path)
    if parts and parts[0] == FORM_GROUP:
        return parts[2] == EXPLANATION and context.is_accepted
    row = context.find_row(parts[0], parts[1]) if parts else None
    return row is not None and (row.is_accepted or problem.kind is not ProblemKind.MISSING)


def check_filed(
    connection: Connection,
    form: Form,
    submission_id: int,
    division_code: str,
    content: Content,
    filed_at: datetime,
) -> list[Problem]:
    """Return what the rules of the form find in a filed version, as on its day; writes nothing.

    `form` is the form with the rule set that the version remembers (`load_form`).
    """
    context = replace(
        form_context(connection, form.form_code, division_code),
        today=filed_at.astimezone(BEIJING).date(),
        last=previous_content(connection, submission_id) if form.looks_back else {},
    )
    return all_problems(form, content, context, log_broken)
