"""A batch written into the drafts, all of it or nothing, and its reports filed.

Before anything is written every draft is locked and must still be what it was compared with.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from data_access import drafts, jobs, workbook_check, workbook_exports
from data_access.bulk_filing import submit_seen
from data_access.database import transaction
from data_access.forms import load_form
from data_access.jobs import RunningJob
from data_access.queries import load_queries
from data_access.reporting_forms import find_form
from data_access.rows import fetch_all, fetch_one
from data_access.workbook_batches import (
    Batch,
    BatchUnit,
    count_rows,
    get_batch,
    list_units,
    require_state,
)
from data_access.workbook_exports import IN_HAND
from domain.access import Actor
from domain.errors import DraftConflict, InvalidAction, PortalError, StaleVersion
from domain.form_values import normalise
from domain.forms import Content, Form, Problem
from domain.jobs import JobKind
from domain.receipts import content_sha256
from domain.workbook_diff import BatchState, applied
from domain.workflow import SubmissionState

_SQL = load_queries("workbook_batches")
MOST_AT_ONCE = 200  # units: what touches more is written by a job


@dataclass(frozen=True, slots=True)
class Filed:
    """What became of one unit's report when all were filed: `error` says why it was not."""

    unit: BatchUnit
    error: PortalError | None
    problems: Sequence[Problem] = ()


@dataclass(frozen=True, slots=True)
class _Chosen:
    division_code: str
    group_code: str
    row_key: str
    field_code: str
    new_value: object


@dataclass(frozen=True, slots=True)
class _LockedDraft:
    submission_id: int
    draft_version: int
    content: Content
    state: SubmissionState


def apply(
    connection: Connection,
    actor: Actor,
    batch_id: int,
    tell: Callable[[int, int], None] = lambda done, total: None,
) -> int:
    """Write all that is good and decided into the drafts; return how many units were saved.

    Raises StaleVersion when a draft is no longer what the batch was compared with: then nothing
    is written and the batch wants a `refresh`. InvalidAction while a conflict is undecided.
    """
    require_state(connection, batch_id, BatchState.OPEN, BatchState.APPLYING)
    if count_rows(connection, batch_id).undecided:
        raise InvalidAction(batch_id=batch_id)
    batch = get_batch(connection, batch_id)
    form = load_form(connection, batch.form_code, batch.form_version)
    cells: dict[str, list[_Chosen]] = defaultdict(list)
    for row in fetch_all(connection, _SQL["list_chosen"], _Chosen, batch_id=batch_id):
        cells[row.division_code].append(row)
    units = [unit for unit in list_units(connection, batch_id) if unit.division_code in cells]
    for done, unit in enumerate(units):
        tell(done, len(units))
        _save(connection, actor, batch, form, unit, cells[unit.division_code])
    connection.execute(_SQL["set_state"], {"batch_id": batch_id, "state": BatchState.APPLIED})
    return len(units)


def _save(
    connection: Connection,
    actor: Actor,
    batch: Batch,
    form: Form,
    unit: BatchUnit,
    cells: Sequence[_Chosen],
) -> None:
    code = unit.division_code
    submission_id = unit.submission_id
    if submission_id is None:
        opened = drafts.open_submission(connection, actor, batch.period_id, code)
        submission_id = opened.submission_id
    # A department's row is not its to lock: saving asks for the version it was compared with.
    query = "own_draft" if actor.is_department else "lock_draft"
    draft = fetch_one(connection, _SQL[query], _LockedDraft, submission_id=submission_id)
    if draft is None or draft.state not in IN_HAND:
        raise StaleVersion(division_code=code)
    if content_sha256(draft.content) != unit.seen_sha256:
        raise StaleVersion(division_code=code)
    context = find_form(form.form_code).context(connection, code)
    current = normalise(form, draft.content)
    values = (((row.group_code, row.row_key, row.field_code), row.new_value) for row in cells)
    content = applied(form, context, current, values)
    try:
        saved = drafts.save_draft(connection, actor, submission_id, content, draft.draft_version)
    except (DraftConflict, InvalidAction):
        raise StaleVersion(division_code=code) from None
    connection.execute(
        _SQL["set_saved"],
        {
            "batch_id": batch.batch_id,
            "division_code": code,
            "submission_id": submission_id,
            "saved_version": saved.draft_version,
        },
    )


def request_apply(connection: Connection, actor: Actor, batch_id: int) -> int:
    """Let a job write the batch; return the job."""
    require_state(connection, batch_id, BatchState.OPEN)
    job_id = jobs.defer(
        connection,
        JobKind.APPLY_WORKBOOK,
        {"batch_id": batch_id},
        requested_by=actor,
        lock=f"workbook-{batch_id}",
    )
    connection.execute(_SQL["set_job"], {"batch_id": batch_id, "job_id": job_id})
    return job_id


def run_job(job: RunningJob, batch_id: int) -> None:
    """Write one batch for its uploader: a killed worker leaves nothing half written."""
    actor = workbook_exports.actor_of(job.requested_by)

    def tell(done: int, total: int) -> None:
        with job.transaction() as beside:
            job.report(beside, done, total, "正在写入草稿")

    try:
        with transaction(actor, action="workbook.apply", planned_once=True) as connection:
            if get_batch(connection, batch_id).state is BatchState.APPLIED:
                return
            count = apply(connection, actor, batch_id, tell)
            job.report(connection, count, count, "已写入草稿")
    except StaleVersion:
        workbook_check.refresh(actor, batch_id)


def reopen(connection: Connection, batch_id: int) -> None:
    """Let a batch whose job failed be decided again."""
    require_state(connection, batch_id, BatchState.APPLYING)
    connection.execute(_SQL["set_state"], {"batch_id": batch_id, "state": BatchState.OPEN})


# FILING


def submit_all(actor: Actor, batch_id: int) -> list[Filed]:
    """File each unit's report as the batch saved it, each in a transaction of its own."""
    with transaction(actor, read_only=True) as connection:
        units = list_units(connection, batch_id)
    return [_submit(actor, unit) for unit in units if unit.saved_version and is_in_hand(unit)]


def is_in_hand(unit: BatchUnit) -> bool:
    """Tell whether the unit's report is still its filer's to file."""
    return unit.state in IN_HAND


def _submit(actor: Actor, unit: BatchUnit) -> Filed:
    assert unit.submission_id is not None
    assert unit.saved_version is not None
    assert unit.lock_version is not None
    told = submit_seen(actor, unit.submission_id, unit.saved_version, unit.lock_version)
    return Filed(unit, told.error, told.problems)
