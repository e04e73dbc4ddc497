"""CSV files that came back: what the comparison found row by row, page by page, and decided.

A batch is its uploader's. `csv_check` reads and compares a file and fills the batch, `csv_apply`
writes it into the drafts.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from data_access import jobs, uploads, village_form, workbook_scopes
from data_access.queries import load_queries
from data_access.reporting import load_filers
from data_access.rows import fetch_all, fetch_one
from domain.access import Actor, Role
from domain.clock import today
from domain.csv_data import CsvCounts, CsvKey, CsvState
from domain.errors import InvalidAction, NotFound, NotPermitted
from domain.forms import FORM_GROUP
from domain.jobs import JobKind
from domain.village_evaluation import GROUP
from domain.workbook_diff import Decision, EntryKind
from domain.workflow import Workflow, filing_role

_SQL = load_queries("csv_batches")
USE = "csv"
KEYS: dict[str, tuple[CsvKey, ...]] = {
    village_form.FORM_CODE: (
        CsvKey(FORM_GROUP, "village_code", 12),
        CsvKey(GROUP, "natural_code", 15),
    )
}
"""The forms that travel as CSV, with what names a row of each group."""


@dataclass(frozen=True, slots=True)
class CsvBatch:
    batch_id: int
    form_code: str
    form_version: int
    period_id: int
    export_id: UUID | None
    user_id: int
    file_name: str
    sha256: str
    state: CsvState
    counts: dict[str, int]
    notes: list[str]
    refusal: str | None
    """The CsvRefusal, and behind a bar the file or column it is about."""
    job_id: int | None
    created_at: datetime
    checked_at: datetime | None
    judged_at: datetime | None
    """When the rules had been asked of every unit of it; None until then."""
    applied_at: datetime | None
    expires_at: datetime
    form_title: str
    period_name: str
    starts_on: date


@dataclass(frozen=True, slots=True)
class CsvRow:
    """One row that says something; a field of `removed` was emptied."""

    entry_no: int
    file: str
    row_no: int
    group_code: str
    division_code: str | None
    row_key: str
    kind: EntryKind
    old_values: dict[str, Any]
    new_values: dict[str, Any]
    removed: list[str]
    conflicts: list[str]
    reason: str
    problem: str
    decision: str | None
    unit_name: str
    row_name: str


@dataclass(frozen=True, slots=True)
class _Counted:
    new: int
    changed: int
    conflicting: int
    undecided: int
    mine: int
    refused: int
    problems: int


def may_write(filers: Workflow, division_code: str, actor: Actor) -> bool:
    """Tell whether a file of the actor's may go into the unit's draft: he files for it, or it is
    the bureau that brings in the data of others, who still file it themselves.
    """
    return filing_role(filers, division_code, actor) is not None or (
        filers.filed_from_above and actor.may_act_as(Role.PLAN_BUREAU, division_code)
    )


def request(connection: Connection, actor: Actor, period_id: int, sha256: str) -> int:
    """Let a job read and compare a file the actor has uploaded; return the batch."""
    file_name = uploads.find_file(connection, USE, sha256)
    period = workbook_scopes.get_period(connection, period_id)
    if file_name is None or period.form_code not in KEYS:
        raise NotFound(sha256=sha256[:12])
    parameters = {
        "form_code": period.form_code,
        "form_version": period.form_version,
        "period_id": period_id,
        "user_id": actor.user_id,
        "file_name": file_name,
        "sha256": sha256,
    }
    batch_id = int(connection.execute(_SQL["add_batch"], parameters).scalar_one())
    _defer(connection, actor, batch_id, JobKind.CHECK_CSV, CsvState.CHECKING)
    return batch_id


def request_apply(connection: Connection, actor: Actor, batch_id: int) -> None:
    """Let a job write the batch into the drafts; raise InvalidAction while a conflict is open."""
    require_state(connection, batch_id, CsvState.OPEN)
    if count_rows(connection, batch_id).undecided:
        raise InvalidAction(batch_id=batch_id)
    _defer(connection, actor, batch_id, JobKind.APPLY_CSV, CsvState.APPLYING)


def _defer(
    connection: Connection, actor: Actor, batch_id: int, kind: JobKind, state: CsvState
) -> None:
    job_id = jobs.defer(
        connection, kind, {"batch_id": batch_id}, requested_by=actor, lock=f"csv-{batch_id}"
    )
    connection.execute(_SQL["set_job"], {"batch_id": batch_id, "state": state, "job_id": job_id})


def get_batch(connection: Connection, batch_id: int) -> CsvBatch:
    """Return one of the actor's own batches; raise NotFound, also once its time is over."""
    found = fetch_one(connection, _SQL["list_batches"], CsvBatch, batch_id=batch_id)
    if found is None:
        raise NotFound(batch_id=batch_id)
    return found


def list_batches(connection: Connection) -> list[CsvBatch]:
    """Return the actor's latest batches that were not thrown away."""
    return fetch_all(connection, _SQL["list_batches"], CsvBatch, batch_id=None)


def count_rows(connection: Connection, batch_id: int) -> CsvCounts:
    """Return how many rows of each kind the batch has, as they are decided now."""
    counted = fetch_one(connection, _SQL["count_rows"], _Counted, batch_id=batch_id)
    assert counted is not None  # an aggregate always has its row
    kept = get_batch(connection, batch_id).counts
    return CsvCounts.of({**kept, **asdict(counted)})


def list_rows(
    connection: Connection,
    batch_id: int,
    *,
    kind: EntryKind | None = None,
    with_problem: bool = False,
    limit: int = 50,
    offset: int = 0,
) -> list[CsvRow]:
    """Return one page of the preview, in the order of the files."""
    return fetch_all(
        connection,
        _SQL["list_rows"],
        CsvRow,
        batch_id=batch_id,
        day=today(),
        kind=kind,
        with_problem=with_problem,
        limit=limit,
        offset=offset,
    )


def list_bad_rows(connection: Connection, batch_id: int, after: int, limit: int) -> list[CsvRow]:
    """Return the next rows behind an entry that are not taken, or are left to correct."""
    return fetch_all(
        connection,
        _SQL["list_bad_rows"],
        CsvRow,
        batch_id=batch_id,
        day=today(),
        after=after,
        limit=limit,
    )


def decide(
    connection: Connection, batch_id: int, decision: Decision, entry_no: int | None = None
) -> None:
    """Decide the conflicts of one row, or (None) of all of them."""
    require_state(connection, batch_id, CsvState.OPEN)
    connection.execute(
        _SQL["decide"], {"batch_id": batch_id, "decision": decision, "entry_no": entry_no}
    )


def discard(connection: Connection, batch_id: int) -> None:
    """Throw the batch away; the file and the drafts stay as they are."""
    require_state(connection, batch_id, CsvState.OPEN, CsvState.REFUSED)
    connection.execute(_SQL["forget_rows"], {"batch_id": batch_id})
    connection.execute(_SQL["set_state"], {"batch_id": batch_id, "state": CsvState.DISCARDED})


def reopen(connection: Connection, actor: Actor, batch_id: int) -> None:
    """Let a batch whose job failed be looked at again, or read again where it never was."""
    batch = get_batch(connection, batch_id)
    require_state(connection, batch_id, CsvState.CHECKING, CsvState.APPLYING)
    if batch.checked_at is None:
        _defer(connection, actor, batch_id, JobKind.CHECK_CSV, CsvState.CHECKING)
    else:
        connection.execute(_SQL["set_state"], {"batch_id": batch_id, "state": CsvState.OPEN})


def require_state(connection: Connection, batch_id: int, *states: CsvState) -> None:
    """Lock the batch; raise NotFound or InvalidAction where it is in none of the states."""
    state = connection.scalar(_SQL["lock_batch"], {"batch_id": batch_id})
    if state is None:
        raise NotFound(batch_id=batch_id)
    if state not in states:
        raise InvalidAction(state=state)


def writable_units(connection: Connection, actor: Actor, period_id: int) -> list[str]:
    """Return the units whose drafts the actor's files may go into; raise NotPermitted for none."""
    period = workbook_scopes.get_period(connection, period_id)
    filers = load_filers(connection, period.form_code)
    units = workbook_scopes.list_units(connection, period)
    codes = [unit.code for unit in units if may_write(filers, unit.code, actor)]
    if not codes:
        raise NotPermitted(period_id=period_id)
    return codes


Tell = Callable[[int, int, str], None]
"""Is told how many of how many steps are done, and what is being done."""
