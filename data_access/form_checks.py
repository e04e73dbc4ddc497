"""Check what a unit filed against the form it was filed on."""

from sqlalchemy import Connection

from data_access.forms import load_form, log_broken, tell_owner
from data_access.reporting_forms import find_form
from domain.form_rules import Report, check, unfit, without_hidden
from domain.forms import (
    Content,
    Context,
    Form,
    Problem,
    ProblemKind,
    normalise,
    split_path,
    with_all_rows,
    with_facts,
)


def form_context(connection: Connection, form_code: str, division_code: str) -> Context:
    """Return the facts that a unit's content of this form is checked against."""
    return find_form(form_code).context(connection, division_code)


def all_problems(form: Form, content: Content, context: Context, report: Report) -> list[Problem]:
    """Return what is wrong, doubtful or unchecked: field by field, then between the rows."""
    own = find_form(form.form_code)
    return [
        *check(form, content, context, report),
        *own.spanning_problems(form, content, context),
    ]


def prepare(
    connection: Connection,
    form_code: str,
    form_version: int,
    division_code: str,
    content: Content,
) -> tuple[Content, list[Problem]]:
    """Return the content as it would be filed, and what is wrong with it.

    As filed: every row there, every value in its normal form, nothing in a field that is not
    shown. A rule that fails is reported to its owner, in the same transaction.
    """
    form = load_form(connection, form_code, form_version)
    context = form_context(connection, form_code, division_code)
    return _prepared(form, content, context, lambda broken: tell_owner(connection, broken))


def is_settled(problem: Problem, context: Context) -> bool:
    """Tell whether a report of no change need not solve the problem.

    What the province accepted already is not judged again under the rules of today; a row of which
    it accepted nothing has to say what it asks for.
    """
    parts = split_path(problem.path)
    row = context.find_row(parts[0], parts[1]) if parts else None
    return row is not None and (row.is_accepted or problem.kind is not ProblemKind.MISSING)


def check_submission(
    connection: Connection,
    form_code: str,
    form_version: int,
    division_code: str,
    content: Content,
) -> list[Problem]:
    """Return what is wrong, doubtful or unchecked in the content; writes nothing."""
    form = load_form(connection, form_code, form_version)
    context = form_context(connection, form_code, division_code)
    return _prepared(form, content, context, log_broken)[1]


def _prepared(
    form: Form, content: Content, context: Context, report: Report
) -> tuple[Content, list[Problem]]:
    problems = unfit(form, content, context)
    if problems:
        return content, problems
    complete = with_facts(form, with_all_rows(form, normalise(form, content), context), context)
    filed = without_hidden(form, complete, context)
    return filed, all_problems(form, filed, context, report)
