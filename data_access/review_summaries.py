"""What a reviewer reads of a report before he opens it: changes, findings, attachments, counted.

A version is counted in the transaction that files it; what came by another way (the demo, a
release that did not count yet) is counted by the clock.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from data_access import rows
from data_access.form_checks import check_filed
from data_access.forms import load_form
from data_access.queries import load_queries
from data_access.reporting import previous_content
from domain.form_diff import count_changes
from domain.forms import Content, Form, Problem, ProblemKind, Severity, rows_of

_SQL = load_queries("review_summaries")


@dataclass(frozen=True, slots=True)
class _Filed:
    submission_id: int
    version_no: int
    division_code: str
    form_code: str
    form_version: int
    rule_version: int
    submitted_at: datetime
    content: Content


def write(
    connection: Connection,
    form: Form,
    submission_id: int,
    version_no: int,
    division_code: str,
    content: Content,
    problems: Sequence[Problem],
    *,
    before: Content | None = None,
) -> None:
    """Count a version that was just filed, what the rules found in it is known.

    `before` is what was accepted before it, where whoever filed it has read that already.
    """
    if before is None:
        before = previous_content(connection, submission_id)
    files, known = _files(form, content), _files(form, before)
    answered = _answered(form, content)
    missing = sum(problem.kind is ProblemKind.MISSING for problem in problems)
    errors = sum(problem.severity is Severity.ERROR for problem in problems)
    rows.write(
        connection,
        _SQL["write"],
        submission_id=submission_id,
        version_no=version_no,
        division_code=division_code,
        errors=errors,
        warnings=len(problems) - errors,
        changes=count_changes(form, before, content),
        attachments=len(files),
        new_attachments=len(files - known),
        required=answered + missing,
        answered=answered,
    )


def write_missing(connection: Connection, limit: int = 50) -> int:
    """Count waiting versions that nobody has counted yet; return how many."""
    missing = rows.fetch_all(connection, _SQL["list_missing"], _Filed, limit=limit)
    for filed in missing:
        form = load_form(connection, filed.form_code, filed.form_version, filed.rule_version)
        problems = check_filed(
            connection,
            form,
            filed.submission_id,
            filed.division_code,
            filed.content,
            filed.submitted_at,
        )
        write(
            connection,
            form,
            filed.submission_id,
            filed.version_no,
            filed.division_code,
            filed.content,
            problems,
        )
    return len(missing)


def _answered(form: Form, content: Content) -> int:
    """Return how many fields that are required, always or on a condition, were answered."""
    return sum(
        row.get(code) is not None
        for group in form.groups
        for code in [item.code for item in form.fields_of(group) if item.required_when]
        for _, row in rows_of(content, group)
    )


def _files(form: Form, content: Content) -> frozenset[object]:
    """Return the ids of the files that the content names."""
    return frozenset(
        number
        for group in form.groups
        for code in [item.code for item in form.fields_of(group) if item.data_type == "evidence"]
        for _, row in rows_of(content, group)
        if isinstance(row.get(code), dict)
        for number in row[code].values()
        if number is not None
    )
