"""Workbooks that came back: what the comparison found in each, shown page by page, and decided.

A batch is its uploader's. `workbook_check` compares a file and fills the batch, `workbook_apply`
writes it into the drafts.
"""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import UUID

from sqlalchemy import Connection

from data_access import file_store
from data_access.database import transaction
from data_access.forms import load_form
from data_access.queries import load_queries
from data_access.rows import fetch_all, fetch_one
from data_access.workbook_mark import mark_workbook
from domain.access import Actor
from domain.errors import InvalidAction, NotFound
from domain.form_texts import text_of
from domain.forms import Form, Severity, path_of
from domain.workbook import Mark
from domain.workbook_diff import BatchState, Decision, EntryKind

_SQL = load_queries("workbook_batches")
USE = "workbook"
_DECIDE = "在网页的预览中选择，不必改工作簿。"


@dataclass(frozen=True, slots=True)
class Batch:
    batch_id: int
    export_id: UUID
    user_id: int
    file_name: str
    sha256: str
    state: BatchState
    unchanged_count: int
    notes: list[str]
    created_at: datetime
    checked_at: datetime
    expires_at: datetime
    applied_at: datetime | None
    job_id: int | None
    form_code: str
    form_version: int
    period_id: int
    taken_at: datetime
    form_title: str
    period_name: str


@dataclass(frozen=True, slots=True)
class Counts:
    """How many cells of each kind; `mine` are conflicts decided for the workbook."""

    new: int
    changed: int
    conflicting: int
    undecided: int
    mine: int
    refused: int
    errors: int

    @property
    def to_write(self) -> int:
        return self.new + self.changed + self.mine


@dataclass(frozen=True, slots=True)
class BatchRow:
    entry_no: int
    division_code: str | None
    unit_name: str
    sheet: str
    row_no: int | None
    group_code: str
    row_key: str
    field_code: str
    label: str
    kind: EntryKind
    old_value: object
    new_value: object
    reason: str
    problem: str
    severity: str
    decision: str | None

    @property
    def path(self) -> str:
        return path_of(self.group_code, self.row_key, self.field_code)


@dataclass(frozen=True, slots=True)
class BatchUnit:
    division_code: str
    unit_name: str
    is_open: bool
    submission_id: int | None
    seen_sha256: str
    error_count: int
    saved_version: int | None
    state: str | None
    lock_version: int | None


# LOOKING


def get_batch(connection: Connection, batch_id: int) -> Batch:
    """Return one of the actor's own batches; raise NotFound, also once its time is over."""
    found = fetch_one(connection, _SQL["list_batches"], Batch, batch_id=batch_id)
    if found is None:
        raise NotFound(batch_id=batch_id)
    return found


def list_batches(connection: Connection) -> list[Batch]:
    """Return the actor's latest batches that were not thrown away."""
    return fetch_all(connection, _SQL["list_batches"], Batch, batch_id=None)


def count_rows(connection: Connection, batch_id: int) -> Counts:
    """Return how many cells of each kind the batch has."""
    counts = fetch_one(connection, _SQL["count_rows"], Counts, batch_id=batch_id)
    assert counts is not None  # an aggregate always has its row
    return counts


def list_rows(
    connection: Connection,
    batch_id: int,
    *,
    kind: EntryKind | None = None,
    with_problem: bool = False,
    division_code: str | None = None,
    limit: int = 50,
    offset: int = 0,
) -> tuple[list[BatchRow], int]:
    """Return one page of the preview in the order of the workbook, and how many rows there are."""
    which = {
        "batch_id": batch_id,
        "kind": kind,
        "with_problem": with_problem,
        "division_code": division_code,
    }
    total = int(connection.execute(_SQL["count_listed"], which).scalar_one())
    rows = fetch_all(connection, _SQL["list_rows"], BatchRow, **which, limit=limit, offset=offset)
    return rows, total


def all_rows(connection: Connection, batch_id: int) -> list[BatchRow]:
    """Return everything the comparison found, in the order of the workbook."""
    return list_rows(connection, batch_id, limit=10**9)[0]


def list_units(connection: Connection, batch_id: int) -> list[BatchUnit]:
    """Return the actor's units of the batch."""
    return fetch_all(connection, _SQL["list_units"], BatchUnit, batch_id=batch_id)


def decide(
    connection: Connection, batch_id: int, decision: Decision, entry_no: int | None = None
) -> None:
    """Decide one conflict, or (None) all of them."""
    require_state(connection, batch_id, BatchState.OPEN)
    connection.execute(
        _SQL["decide"], {"batch_id": batch_id, "decision": decision, "entry_no": entry_no}
    )


def discard(connection: Connection, batch_id: int) -> None:
    """Throw the batch away; the file and the drafts stay as they are."""
    require_state(connection, batch_id, BatchState.OPEN)
    connection.execute(_SQL["set_state"], {"batch_id": batch_id, "state": BatchState.DISCARDED})


def require_state(connection: Connection, batch_id: int, *states: BatchState) -> None:
    """Lock the batch; raise NotFound or InvalidAction where it is in none of the states."""
    state = connection.scalar(_SQL["lock_batch"], {"batch_id": batch_id})
    if state is None:
        raise NotFound(batch_id=batch_id)
    if state not in states:
        raise InvalidAction(state=state)


# BACK WITH MARKS


def marked(
    actor: Actor, batch_id: int, words: Callable[[BatchRow, str, str], str]
) -> tuple[Path, str]:
    """Return the uploaded workbook with everything to look at marked, and its name.

    `words(row, old, new)` says what is wrong at a cell. The caller removes the temporary file.
    """
    with transaction(actor, read_only=True) as connection:
        batch = get_batch(connection, batch_id)
        form = load_form(connection, batch.form_code, batch.form_version)
        rows = [row for row in all_rows(connection, batch_id) if _is_marked(row)]
    marks = [
        Mark(
            sheet=row.sheet,
            row_no=row.row_no or 0,
            field=row.field_code,
            message=words(row, *texts_of(form, row)),
            severity=Severity.ERROR if row.kind is EntryKind.REFUSED else _severity(row),
            advice=_DECIDE if row.kind is EntryKind.CONFLICTING else "",
        )
        for row in rows
    ]
    with tempfile.NamedTemporaryFile(suffix=".xlsx", delete=False) as file:
        path = Path(file.name)
    try:
        mark_workbook(file_store.stored_path(batch.sha256), path, marks)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return path, f"{Path(batch.file_name).stem}_已标注.xlsx"


def _is_marked(row: BatchRow) -> bool:
    said = row.kind in (EntryKind.REFUSED, EntryKind.CONFLICTING) or bool(row.problem)
    return said and bool(row.sheet and row.row_no)


def _severity(row: BatchRow) -> Severity:
    return Severity(row.severity) if row.severity else Severity.HINT


def texts_of(form: Form, row: BatchRow) -> tuple[str, str]:
    """Return the old and the new value as a person reads them."""
    if row.kind is EntryKind.REFUSED and not row.field_code:
        return "", ""
    return text_of(form, row.path, row.old_value), text_of(form, row.path, row.new_value)
