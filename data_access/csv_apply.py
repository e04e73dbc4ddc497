"""A batch of CSV written into the drafts: all of it in one transaction, or nothing.

Before anything is written every draft is locked and must still be in the version that the batch
was compared with. Each row that is written has its entry in the trail (`csv_change`).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from data_access import csv_batches, csv_check
from data_access.csv_batches import CsvBatch, Tell
from data_access.database import transaction
from data_access.queries import load_queries
from data_access.reporting_forms import find_form, prefills_of
from data_access.rows import fetch_all
from data_access.workbook_exports import IN_HAND
from domain.access import Actor
from domain.csv_data import CsvState
from domain.errors import InvalidAction, StaleVersion
from domain.forms import FORM_GROUP
from domain.receipts import canonical
from domain.workflow import SubmissionState

_SQL = load_queries("csv_batches")
_UNITS_AT_ONCE = 500
_STEPS = 3


@dataclass(frozen=True, slots=True)
class _Seen:
    division_code: str
    seen_version: int


@dataclass(frozen=True, slots=True)
class _Locked:
    division_code: str
    state: SubmissionState
    draft_version: int


def apply(connection: Connection, actor: Actor, batch_id: int, tell: Tell) -> int:
    """Write all that is good and decided into the drafts; return how many units were saved.

    Raises StaleVersion when a draft is no longer what the batch was compared with: then nothing
    is written. InvalidAction while a conflict is undecided.
    """
    connection.execute(_SQL["allow_time"])
    csv_batches.require_state(connection, batch_id, CsvState.OPEN, CsvState.APPLYING)
    if csv_batches.count_rows(connection, batch_id).undecided:
        raise InvalidAction(batch_id=batch_id)
    batch = csv_batches.get_batch(connection, batch_id)
    seen = {
        each.division_code: each.seen_version
        for each in fetch_all(connection, _SQL["list_seen"], _Seen, batch_id=batch_id)
    }
    if not seen.keys() <= set(csv_batches.writable_units(connection, actor, batch.period_id)):
        raise StaleVersion(batch_id=batch_id)
    tell(0, _STEPS, "正在锁定草稿")
    _open_missing(connection, actor, batch, [code for code, version in seen.items() if not version])
    _lock(connection, batch, seen)
    tell(1, _STEPS, "正在写入逐行记录")
    changes = {"batch_id": batch_id, "codes": list(seen)}
    connection.execute(_SQL["log_changes"], changes)
    tell(2, _STEPS, "正在写入草稿")
    connection.execute(_SQL["expect_many"])
    written = {
        "batch_id": batch_id,
        "user_id": actor.user_id,
        "period_id": batch.period_id,
        "form_group": FORM_GROUP,
        "row_group": next(
            k.group for k in csv_batches.KEYS[batch.form_code] if k.group != FORM_GROUP
        ),
    }
    if connection.execute(_SQL["save_drafts"], written).rowcount != len(seen):
        raise StaleVersion(batch_id=batch_id)
    connection.execute(_SQL["set_state"], {"batch_id": batch_id, "state": CsvState.APPLIED})
    return len(seen)


def _open_missing(
    connection: Connection, actor: Actor, batch: CsvBatch, codes: Sequence[str]
) -> None:
    """Begin the reports that nobody has opened, each where a new draft starts."""
    own = find_form(batch.form_code)
    for start in range(0, len(codes), _UNITS_AT_ONCE):
        some = list(codes[start : start + _UNITS_AT_ONCE])
        for code in some:
            own.ensure_rows(connection, actor, code)
        key = {"period_id": batch.period_id, "codes": some}
        connection.execute(_SQL["add_submissions"], {**key, "form_code": batch.form_code})
        contents = prefills_of(connection, batch.form_code, some, batch.starts_on)
        texts = [canonical(contents[code]) for code in some]
        connection.execute(_SQL["add_drafts"], {**key, "contents": texts, "user_id": actor.user_id})


def _lock(connection: Connection, batch: CsvBatch, seen: dict[str, int]) -> None:
    """Hold every draft to the end; raise StaleVersion where one was saved or filed since."""
    locked = fetch_all(
        connection,
        _SQL["lock_drafts"],
        _Locked,
        period_id=batch.period_id,
        codes=list(seen),
    )
    for draft in locked:
        expected = seen[draft.division_code] or 1
        if draft.state not in IN_HAND or draft.draft_version != expected:
            raise StaleVersion(division_code=draft.division_code)
    if len(locked) != len(seen):
        raise StaleVersion(batch_id=batch.batch_id)


def write(actor: Actor, batch_id: int, tell: Tell) -> None:
    """Write a batch for its uploader; where drafts moved meanwhile, compare it anew instead."""
    try:
        with transaction(actor, action="csv.apply") as connection:
            if csv_batches.get_batch(connection, batch_id).state is not CsvState.APPLIED:
                apply(connection, actor, batch_id, tell)
    except StaleVersion:
        csv_check.check(actor, batch_id, tell)
