"""A batch of CSV written into the drafts: all of it in one transaction, or nothing.

Everything is made ready before a draft is locked, because an officer who saves waits for it: the
entries of the trail (`csv_change`, one a row) and what each draft will hold. Then every draft is
locked, must still be in the version that the batch was compared with, and is written.
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

_SQL = load_queries("csv_batches") | load_queries("csv_apply")
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
    tell(0, _STEPS, "正在写入逐行记录")
    connection.execute(_SQL["log_changes"], {"batch_id": batch_id, "codes": list(seen)})
    tell(1, _STEPS, "正在准备各村草稿")
    unopened = [code for code, version in seen.items() if not version]
    _make_ready(connection, batch, unopened, [code for code, version in seen.items() if version])
    tell(2, _STEPS, "正在写入草稿")
    _open_missing(connection, batch, actor, unopened)
    _lock(connection, batch, seen)
    _save(connection, batch, actor, len(seen))
    connection.execute(_SQL["set_state"], {"batch_id": batch_id, "state": CsvState.APPLIED})
    return len(seen)


def _make_ready(
    connection: Connection, batch: CsvBatch, unopened: Sequence[str], opened: Sequence[str]
) -> None:
    """Make what each draft will hold; where nobody has opened a report, from where it starts."""
    for query in ("expect_many", "make_started", "make_ready"):
        connection.execute(_SQL[query])
    for start in range(0, len(unopened), _UNITS_AT_ONCE):
        some = unopened[start : start + _UNITS_AT_ONCE]
        contents = prefills_of(connection, batch.form_code, some, batch.starts_on)
        texts = [canonical(contents[code]) for code in some]
        connection.execute(_SQL["add_started"], {"codes": some, "contents": texts})
    _add_ready(connection, batch, opened)
    connection.execute(_SQL["analyze_ready"])


def _add_ready(connection: Connection, batch: CsvBatch, opened: Sequence[str]) -> None:
    row_group = next(k.group for k in csv_batches.KEYS[batch.form_code] if k.group != FORM_GROUP)
    groups = {"form_group": FORM_GROUP, "row_group": row_group}
    which = {"batch_id": batch.batch_id, "period_id": batch.period_id, "codes": list(opened)}
    connection.execute(_SQL["add_ready"], {**groups, **which})


def _open_missing(
    connection: Connection, batch: CsvBatch, actor: Actor, unopened: Sequence[str]
) -> None:
    """Begin the reports that nobody has opened; one opened meanwhile is made ready anew."""
    if not unopened:
        return
    own = find_form(batch.form_code)
    for code in unopened:
        own.ensure_rows(connection, actor, code)
    which = {"period_id": batch.period_id, "codes": list(unopened)}
    connection.execute(_SQL["add_submissions"], {**which, "form_code": batch.form_code})
    begun = {"period_id": batch.period_id, "user_id": actor.user_id}
    added = set(connection.execute(_SQL["add_drafts"], begun).scalars())
    opened = [code for code in unopened if code not in added]
    if opened:
        connection.execute(_SQL["forget_started"])
        connection.execute(_SQL["forget_ready"], {"codes": opened})
        _add_ready(connection, batch, opened)


def _save(connection: Connection, batch: CsvBatch, actor: Actor, expected: int) -> None:
    saved = {"user_id": actor.user_id, "period_id": batch.period_id}
    if connection.execute(_SQL["save_drafts"], saved).rowcount != expected:
        raise StaleVersion(batch_id=batch.batch_id)


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
