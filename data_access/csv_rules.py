"""The rules of the form asked of what a CSV file would make of each unit, after it was compared.

A rule may join several fields, rows and the year before, so it needs the whole unit as it would
stand, and the province takes longer than its comparison. This is a step of its own behind it: the
preview is there already, and says what is left to correct as it is found.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection

from data_access import csv_batches, workbook_exports
from data_access.collector import collector_waiting
from data_access.csv_batches import CsvBatch, Tell
from data_access.database import transaction
from data_access.form_checks import all_problems
from data_access.forms import load_form, tell_owner
from data_access.queries import load_queries
from data_access.reporting_forms import contexts_of, prefills_of
from data_access.rows import fetch_all
from domain.access import Actor
from domain.csv_data import CsvState
from domain.form_rules import BrokenRule
from domain.form_values import normalise
from domain.forms import (
    EXPLANATION,
    FORM_GROUP,
    Content,
    Context,
    Form,
    Problem,
    ProblemKind,
    Severity,
    split_path,
    with_all_rows,
)
from domain.workbook_diff import Decision, applied

_SQL = load_queries("csv_batches")
_UNITS_AT_ONCE = 400
_LISTED = 3  # missing fields that a row's sentence names
_SAID = "正在按校验规则逐村核对"


@dataclass(frozen=True, slots=True)
class _Unit:
    division_code: str
    entry_nos: list[int]


@dataclass(frozen=True, slots=True)
class _Row:
    entry_no: int
    division_code: str
    group_code: str
    row_key: str
    new_values: dict[str, Any]
    removed: list[str]
    conflicts: list[str]
    decision: str | None
    problem: str


_Place = tuple[str, str]
"""Group and key of a row."""


def judge(actor: Actor, batch_id: int, tell: Tell) -> None:
    """Say at each row of an open batch what the rules find in its unit as it would stand.

    A batch that is no longer open, or was judged already, is left as it is.
    """
    with transaction(actor, read_only=True) as connection:
        if not _is_to_judge(csv_batches.get_batch(connection, batch_id)):
            return
        units = fetch_all(connection, _SQL["list_offered_units"], _Unit, batch_id=batch_id)
    for start in range(0, len(units), _UNITS_AT_ONCE):
        tell(start, len(units), _SAID)
        some = units[start : start + _UNITS_AT_ONCE]
        with collector_waiting(), transaction(actor, action="csv.check") as connection:
            batch = csv_batches.get_batch(connection, batch_id)
            if not _is_to_judge(batch):
                return
            _judge_units(connection, batch, some)
    with transaction(actor, action="csv.check") as connection:
        if _is_to_judge(csv_batches.get_batch(connection, batch_id)):
            connection.execute(_SQL["set_judged"], {"batch_id": batch_id})
    tell(len(units), len(units), _SAID)


def _is_to_judge(batch: CsvBatch) -> bool:
    return batch.state is CsvState.OPEN and batch.judged_at is None


def _judge_units(connection: Connection, batch: CsvBatch, units: Sequence[_Unit]) -> None:
    form = load_form(connection, batch.form_code, batch.form_version)
    codes = [unit.division_code for unit in units]
    asked = form.form_code, codes, batch.starts_on
    contexts, prefills = contexts_of(connection, *asked), prefills_of(connection, *asked)
    reports = workbook_exports.reports_of(connection, batch.period_id, codes)
    said: dict[int, str] = {}
    for code, rows in _rows_of(connection, batch.batch_id, units).items():
        standing = workbook_exports.standing_content(reports.get(code), prefills[code], files=True)
        context = replace(contexts[code], last=prefills[code])
        content = _as_it_would_be(form, context, standing, rows)
        problems = all_problems(form, content, context, lambda b: _tell(connection, b))
        found = _sentences(form, rows, problems)
        said |= {r.entry_no: text for r in rows if (text := found.get(r.entry_no, "")) != r.problem}
    if said:
        problems_of = {"entry_nos": list(said), "problems": list(said.values())}
        connection.execute(_SQL["set_problems"], {"batch_id": batch.batch_id, **problems_of})


def _tell(connection: Connection, broken: BrokenRule) -> None:
    tell_owner(connection, broken)


def _rows_of(
    connection: Connection, batch_id: int, units: Sequence[_Unit]
) -> Mapping[str, list[_Row]]:
    numbers = [number for unit in units for number in unit.entry_nos]
    rows: dict[str, list[_Row]] = defaultdict(list)
    for row in fetch_all(
        connection, _SQL["list_offered"], _Row, batch_id=batch_id, entry_nos=numbers
    ):
        rows[row.division_code].append(row)
    return rows


def _as_it_would_be(
    form: Form, context: Context, standing: Content, rows: Iterable[_Row]
) -> Content:
    """Return the unit's content with all that the file offers, but for what was decided against."""
    current = with_all_rows(form, normalise(form, standing), context)
    return applied(form, context, current, _cells(rows))


def _cells(rows: Iterable[_Row]) -> Iterator[tuple[tuple[str, str, str], object]]:
    for row in rows:
        kept = row.conflicts if row.decision == Decision.THEIRS else ()
        for code, value in (row.new_values | dict.fromkeys(row.removed)).items():
            if code not in kept:
                yield (row.group_code, row.row_key, code), value


# WHERE AND HOW IT IS SAID


def _sentences(form: Form, rows: Sequence[_Row], problems: Iterable[Problem]) -> dict[int, str]:
    """Return what is to be said at each entry, by its number.

    What a rule finds in a row that the file does not change is said at the unit's own row, or at
    the first: the file made it so.
    """
    entries: dict[_Place, int] = {(row.group_code, row.row_key): row.entry_no for row in rows}
    first = entries.get((FORM_GROUP, ""), min(entries.values()))
    own: dict[_Place, list[Problem]] = defaultdict(list)
    for problem in problems:
        group, key, _ = split_path(problem.path) or (FORM_GROUP, "", "")
        own[group, key].append(problem)
    said: dict[int, list[str]] = defaultdict(list)
    for place, found in own.items():
        if place in entries:
            said[entries[place]] = [*_of_row(form, found), *said[entries[place]]]
        else:
            said[first] += [f"{p.label}：{p.message}" for p in found if _is_broken_rule(p)]
    return {number: "\n".join(texts) for number, texts in said.items()}


def _is_broken_rule(problem: Problem) -> bool:
    return problem.severity is Severity.ERROR and problem.kind is ProblemKind.RULE


def _of_row(form: Form, found: Sequence[Problem]) -> Iterator[str]:
    """Return the sentences of a row that the file changes: errors, and warnings to be explained."""
    labels = {p.path: _label(form, p) for p in found}
    unexplained = any(p.path.endswith(f".{EXPLANATION}") for p in found)
    missing = []
    for problem in found:
        is_error = problem.severity is Severity.ERROR
        if is_error and problem.kind is ProblemKind.MISSING:
            missing.append(labels[problem.path])
        elif is_error or (unexplained and problem.severity is Severity.WARNING):
            yield f"{labels[problem.path]}：{problem.message}"
    if missing:
        more = "等" if len(missing) > _LISTED else ""
        yield f"还有 {len(missing)} 项须填写：{'、'.join(missing[:_LISTED])}{more}。"


def _label(form: Form, problem: Problem) -> str:
    parts = split_path(problem.path)
    item = form.find_field(parts[0], parts[2]) if parts else None
    return item.label if item else problem.label
