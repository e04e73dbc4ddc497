"""The trail: verify its chains against the database and the anchors, and search it."""

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from psycopg.errors import QueryCanceled
from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from data_access.queries import load_queries
from data_access.rows import fetch_all
from data_access.trail_anchors import anchor, anchors_held, anchors_read, find_noted
from domain.clock import BEIJING
from domain.errors import NotPermitted, TooBroad
from domain.trail import ChainHead, Finding, FindingKind, Operation, TrailEntry
from domain.trail_check import TrailCheck, TrailReport

__all__ = ["anchor", "anchors_held", "describe", "search", "verify"]

_SQL = load_queries("trail")
_FETCHED = 2000


@dataclass(frozen=True, slots=True)
class VerificationResult:
    """What a verification came to; `findings` begin with the first entry of each chain."""

    entries: int
    findings: list[Finding]
    found: int
    anchors: int
    last_anchored_at: str | None
    not_anchored: int
    oldest_not_anchored_at: datetime | None

    @property
    def is_whole(self) -> bool:
        return self.found == 0


def verify(
    connection: Connection,
    data_dir: Path,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> VerificationResult:
    """Check every chain, its head and the anchors; call `progress` with entries done and expected.

    Every hash is computed here, in bounded memory. Entries written meanwhile are not looked at.
    The connection must read committed data, as all of the portal's do. Raise NotPermitted
    for an actor who may not read the trail.
    """
    if not connection.scalar(_SQL["may_read_trail"]):
        raise NotPermitted(action="audit.verify")
    total = count_entries(connection)
    off = [
        Finding(FindingKind.TRIGGER_OFF, table_name=name)
        for name in connection.scalars(_SQL["list_tables_off_trail"])
    ]
    connection.execute(_SQL["walk_in_order"])
    with anchors_read(data_dir, find_noted(connection)) as anchors:
        batches = _batches(connection)
        first = next(batches, [])
    check = TrailCheck(anchors.heads)
    done = _take(check, first)
    for batch in batches:
        progress(done, max(done, total))
        done += _take(check, batch)
    report = check.finish()
    progress(done, done)
    return _result(report, [*anchors.findings, *off], anchors.lines, anchors.last_anchored_at)


def _batches(connection: Connection) -> Iterator[list[tuple[Any, ...]]]:
    """Yield the rows of the trail from a cursor of the server, a few thousand at a time."""
    driver: Any = connection.connection.driver_connection
    with driver.cursor(name="trail", binary=True) as cursor:
        cursor.execute(str(_SQL["walk_trail"]))
        while rows := cursor.fetchmany(_FETCHED):
            yield rows


def _take(check: TrailCheck, rows: list[tuple[Any, ...]]) -> int:
    entries = 0
    for *fields, is_head in rows:
        entry = TrailEntry(*fields)
        if is_head:
            check.take_head(entry.chain_no, ChainHead(entry.row_change_id, entry.hash))
        else:
            check.take(entry)
            entries += 1
    return entries


def _result(
    report: TrailReport, others: list[Finding], anchors: int, last_anchored_at: str | None
) -> VerificationResult:
    oldest = report.oldest_not_anchored
    return VerificationResult(
        entries=report.entries,
        findings=[*report.findings, *others],
        found=report.found + len(others),
        anchors=anchors,
        last_anchored_at=last_anchored_at,
        not_anchored=report.not_anchored,
        oldest_not_anchored_at=oldest.happened_at if oldest else None,
    )


def describe(finding: Finding) -> str:
    """Return one sentence on a finding, for the one who runs the command."""
    return _SENTENCES[finding.kind].format(
        chain=finding.chain_no,
        places=_places(finding),
        count=finding.last_seq - finding.first_seq + 1,
        table=finding.table_name,
        entry=_entry_words(finding.entry),
    )


def _places(finding: Finding) -> str:
    first, last = finding.first_seq, finding.last_seq
    return f"{first}" if first == last else f"{first} to {last}"


def _entry_words(entry: TrailEntry | None) -> str:
    if entry is None:
        return "no entry"
    moment = entry.happened_at
    when = moment.astimezone(BEIJING).isoformat(" ", "seconds") if moment else "no valid time"
    row = f"{entry.operation} {entry.table_name} {entry.row_key}"
    return f"entry {entry.row_change_id} ({row}, {when})"


_SENTENCES = {
    FindingKind.ALTERED: "Altered: chain {chain}, place {places}: {entry}.",
    FindingKind.REMOVED: "Removed: chain {chain}, place {places}: {count} missing before {entry}.",
    FindingKind.INSERTED: "Inserted: chain {chain}, place {places}: {entry}.",
    FindingKind.SWAPPED: "Swapped: chain {chain}, place {places}: {entry} is not in its place.",
    FindingKind.REHASHED: (
        "Rehashed: chain {chain}, place {places}: the anchor remembers other hashes;"
        " the first that may be altered is {entry}."
    ),
    FindingKind.HEAD_DIFFERS: (
        "Head differs: chain {chain}, place {places}: the head is not the hash of the last {entry}."
    ),
    FindingKind.HEAD_MISSING: "Head missing: chain {chain} has entries or anchors and no head.",
    FindingKind.ANCHORS_EDITED: "Anchor file edited: line {places}.",
    FindingKind.ANCHORS_SHORTENED: "Anchor file shortened: line {places} missing.",
    FindingKind.TRIGGER_OFF: "Trail off: the trigger of table {table} is missing or disabled.",
}


@dataclass(frozen=True, slots=True)
class TrailFilter:
    """What the auditor looks for; None asks nothing. `words` is a part of before or after."""

    table_name: str | None = None
    row_key: str | None = None
    operation: str | None = None
    user_id: int | None = None
    division_prefix: str | None = None
    action: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    words: str | None = None


@dataclass(frozen=True, slots=True)
class RowChange:
    """One entry of the trail as the auditor reads it."""

    row_change_id: int
    happened_at: datetime
    table_name: str
    table_title: str
    row_key: str
    operation: Operation
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    user_id: int | None
    user_name: str | None
    action: str | None
    division_code: str | None
    division_name: str | None
    database_login: str
    chain_no: int
    chain_seq: int
    hash: str


@dataclass(frozen=True, slots=True)
class Person:
    """An account that may have changed something."""

    user_id: int
    display_name: str
    username: str


@dataclass(frozen=True, slots=True)
class Titled:
    """A table or column with its Chinese name from the catalog."""

    name: str
    title: str


def search(
    connection: Connection,
    wanted: TrailFilter,
    *,
    until_id: int | None = None,
    limit: int = 50,
) -> list[RowChange]:
    """Return the newest entries that match, older than entry `until_id` where it is given.

    Raise TooBroad where the words would have to be looked for in too many entries.
    """
    query = _SQL["search_trail"]
    asked = {**asdict(wanted), "words": _as_stored(wanted.words)}
    try:
        return fetch_all(connection, query, RowChange, **asked, until_id=until_id, limit=limit)
    except OperationalError as error:
        if isinstance(error.orig, QueryCanceled):
            raise TooBroad from error
        raise


def _as_stored(words: str | None) -> str | None:
    """Return the words as they stand inside a JSON text: quotes and line breaks escaped."""
    return json.dumps(words, ensure_ascii=False)[1:-1] if words else None


def list_tables(connection: Connection) -> list[Titled]:
    """Return the tables under the trail."""
    return fetch_all(connection, _SQL["list_trail_tables"], Titled)


def list_columns(connection: Connection, table_name: str) -> list[Titled]:
    """Return the columns of a table, in its order."""
    return fetch_all(connection, _SQL["list_trail_columns"], Titled, table_name=table_name)


def list_people(connection: Connection) -> list[Person]:
    """Return every account, by name."""
    return fetch_all(connection, _SQL["list_trail_people"], Person)


def count_entries(connection: Connection) -> int:
    """Return how many entries the trail has."""
    return int(connection.scalar(_SQL["count_entries"]) or 0)
