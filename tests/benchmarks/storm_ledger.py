"""After a storm: what officers saw acknowledged beside what the database holds."""

from collections.abc import Iterable
from dataclasses import dataclass, field

import psycopg

from tests.benchmarks.storm_form import Record, remarks_of

_DRAFTS = """
SELECT submission_id, draft_version, content FROM submission_draft WHERE submission_id = ANY (%s)
"""
_SAVES = """
SELECT CAST(row_key AS bigint), CAST(after ->> 'draft_version' AS integer), count(*)
  FROM row_change
 WHERE table_name = 'submission_draft' AND operation = 'UPDATE'
   AND row_key = ANY (CAST(%s AS text[]))
 GROUP BY 1, 2
"""
_MOVES = """
SELECT submission_id, action, count(*), sum(entries)
  FROM review_event
 CROSS JOIN LATERAL (
       SELECT count(*) AS entries FROM row_change
        WHERE table_name = 'review_event' AND row_key = CAST(review_event_id AS text)) AS trail
 WHERE submission_id = ANY (%s)
 GROUP BY 1, 2
"""
_VERSIONS = """
SELECT submission_id, content FROM submission_version WHERE submission_id = ANY (%s)
"""
# A version without its event or its rows, an event without its version, a report without either.
_HALF_WRITTEN = """
SELECT count(*)
  FROM submission
  LEFT JOIN submission_version AS version USING (submission_id)
 WHERE submission_id = ANY (%(ids)s)
   AND (submission.version_no > 0 OR submission.state = 'submitted')
   AND (version.version_no IS NULL
        OR NOT EXISTS (
            SELECT FROM review_event AS event
             WHERE event.submission_id = version.submission_id AND event.action = 'submit'
               AND event.version_no = version.version_no)
        OR NOT EXISTS (
            SELECT FROM filed_village_evaluation AS filed
             WHERE filed.submission_id = version.submission_id
               AND filed.version_no = version.version_no)
        OR jsonb_array_length(version.content -> 'natural_village') <> (
            SELECT count(*) FROM filed_natural_village_evaluation AS filed
             WHERE filed.submission_id = version.submission_id
               AND filed.version_no = version.version_no))
"""
_BUSY = """
SELECT count(*) FROM pg_stat_activity
 WHERE datname = current_database() AND pid <> pg_backend_pid()
   AND (state = 'active' OR xact_start IS NOT NULL) AND wait_event_type IS DISTINCT FROM 'Activity'
"""


@dataclass
class Balance:
    """Acknowledgements, and what is wrong with them; each finding is a line to read."""

    saves: int = 0
    submits: int = 0
    withdrawals: int = 0
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    half_written: list[str] = field(default_factory=list)


def compare(owner_url: str, records: Iterable[Record]) -> Balance:
    """Compare every acknowledgement with the database, once nothing is under way any more."""
    balance, by_id = Balance(), {record.submission_id: record for record in records}
    ids = list(by_id)
    with psycopg.connect(owner_url) as owner:
        for number, version, content in owner.execute(_DRAFTS, [ids]):
            _compare_draft(balance, by_id[number], version, remarks_of(content))
        _compare_saves(balance, by_id, _counts(owner.execute(_SAVES, [ids])))
        moves = {(row[0], row[1]): row[2:] for row in owner.execute(_MOVES, [ids])}
        for record in by_id.values():
            _compare_moves(balance, record, moves)
        for number, content in owner.execute(_VERSIONS, [ids]):
            if remarks_of(content) not in by_id[number].sent.values():
                balance.half_written.append(f"{number}: a version that nobody typed")
        row = owner.execute(_HALF_WRITTEN, {"ids": ids}).fetchone()
        if row and row[0]:
            balance.half_written.append(f"{row[0]} versions without their event or their rows")
    return balance


def is_quiet(owner_url: str) -> bool:
    """Tell whether no transaction is under way: what a cut request asked for has ended."""
    with psycopg.connect(owner_url) as owner:
        row = owner.execute(_BUSY).fetchone()
    return row == (0,)


def _counts(rows: Iterable[tuple[int, int, int]]) -> dict[tuple[int, int], int]:
    return {(number, version): count for number, version, count in rows}


def _compare_draft(
    balance: Balance, record: Record, version: int, remarks: tuple[str, ...]
) -> None:
    """The draft is the value acknowledged last, or one that was sent later; never a mixture."""
    name = f"draft {record.submission_id}"
    if not record.sent:
        return
    known = [number for number, sent in record.sent.items() if sent == remarks]
    last, seen = max(record.saved, key=lambda each: each[1], default=(0, 0))
    if not known:
        balance.half_written.append(f"{name}: holds {remarks[:3]}, which nobody typed")
    elif max(known) < last or version < seen:
        balance.lost.append(
            f"{name}: value {last} was saved as {seen}; it holds {known}, {version}"
        )


def _compare_saves(
    balance: Balance, by_id: dict[int, Record], trail: dict[tuple[int, int], int]
) -> None:
    """Each save has a version of its own, and one entry in the trail."""
    for record in by_id.values():
        values: dict[int, set[int]] = {}
        for number, version in record.saved:
            values.setdefault(version, set()).add(number)
        for version, numbers in values.items():
            balance.saves += 1
            entries = trail.get((record.submission_id, version), 0)
            name = f"draft {record.submission_id} version {version}"
            if entries == 0:
                balance.lost.append(f"{name}: no entry in the trail")
            if entries > 1:
                balance.doubled.append(f"{name}: {entries} entries in the trail")
            if len(numbers) > 1:
                balance.doubled.append(f"{name}: acknowledged for the values {sorted(numbers)}")


def _compare_moves(
    balance: Balance, record: Record, moves: dict[tuple[int, str], tuple[int, int]]
) -> None:
    """Each submission and withdrawal that was seen is one event with one entry in the trail."""
    balance.submits += record.moves["submit"]
    balance.withdrawals += record.moves["withdraw"]
    for action, seen in record.moves.items():
        events, entries = moves.get((record.submission_id, action), (0, 0))
        name = f"report {record.submission_id}: {action} seen {seen} times, {events} events"
        if events < seen:
            balance.lost.append(name)
        if events > seen:
            balance.doubled.append(name)
        if entries != events:
            balance.half_written.append(f"{name}, {entries} entries in the trail")
