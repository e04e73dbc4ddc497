"""The hash-chained trail: what an entry is, what its hash must be, what a check can find.

An entry's hash is SHA-256 over the previous hash of its chain and its canonical text, a JSON
array written the way PostgreSQL writes jsonb. Everything here is computed without the database.
"""

import json
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from typing import NamedTuple

GENESIS = bytes(32)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_HASH_SIZE = len(GENESIS)
_quote = json.JSONEncoder(ensure_ascii=False).encode


class TrailEntry(NamedTuple):
    """One entry as it stands in row_change; `before` and `after` are JSON text as stored."""

    chain_no: int
    chain_seq: int
    row_change_id: int
    table_name: str
    row_key: str
    operation: str
    before: str | None
    after: str | None
    user_id: int | None
    action: str | None
    division_code: str | None
    database_login: str
    transaction_id: str
    microseconds: str | None
    """When it happened, from 1970-01-01 UTC, as decimal text; None where it is no time."""
    previous_hash: bytes
    hash: bytes

    @property
    def happened_at(self) -> datetime | None:
        try:
            return _EPOCH + timedelta(microseconds=int(self.microseconds or ""))
        except (ValueError, OverflowError):
            return None


class Operation(StrEnum):
    INSERT = "INSERT"
    UPDATE = "UPDATE"
    DELETE = "DELETE"
    BULK = "BULK"


class ChainHead(NamedTuple):
    """The last entry of a chain, as the database or an anchor remembers it."""

    chain_seq: int
    hash: bytes


def canonical_text(entry: TrailEntry) -> str:
    """Return the text that is hashed: a JSON array of the fields, spaced like jsonb."""
    return (
        f"[{entry.row_change_id}, {entry.chain_no}, {entry.chain_seq}, {_quote(entry.table_name)}"
        f", {_quote(entry.row_key)}, {_quote(entry.operation)}, {_image(entry.before)}"
        f", {_image(entry.after)}, {'null' if entry.user_id is None else entry.user_id}"
        f", {_quote(entry.action)}, {_quote(entry.division_code)}, {_quote(entry.database_login)}"
        f", {_quote(entry.transaction_id)}, {entry.microseconds}]"
    )


def _image(image: str | None) -> str:
    if image is None:
        return "null"
    # A row is never the JSON null: somebody put it in the place of "no row".
    return image if image != "null" else '"null"'


def entry_hash(entry: TrailEntry) -> bytes:
    """Return the SHA-256 the entry must carry."""
    return sha256((entry.previous_hash or b"") + canonical_text(entry).encode()).digest()


class FindingKind(StrEnum):
    ALTERED = "altered"
    REMOVED = "removed"
    INSERTED = "inserted"
    SWAPPED = "swapped"
    REHASHED = "rehashed"
    HEAD_DIFFERS = "head_differs"
    HEAD_MISSING = "head_missing"
    ANCHORS_EDITED = "anchors_edited"
    ANCHORS_SHORTENED = "anchors_shortened"
    TRIGGER_OFF = "trigger_off"


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong, from `first_seq` to `last_seq` of a chain, and the entry it shows at.

    For the anchor file the numbers are lines; for a trigger only the table's name is given.
    """

    kind: FindingKind
    chain_no: int = -1
    first_seq: int = 0
    last_seq: int = 0
    entry: TrailEntry | None = None
    table_name: str = ""


class AnchoredHeads:
    """The anchored heads of every chain, 40 bytes each."""

    def __init__(self) -> None:
        self._places: dict[int, array[int]] = {}
        self._hashes: dict[int, bytearray] = {}

    def add(self, chain_no: int, head: ChainHead) -> None:
        """Remember one anchored head; its hash has 32 bytes."""
        self._places.setdefault(chain_no, array("q")).append(head.chain_seq)
        self._hashes.setdefault(chain_no, bytearray()).extend(head.hash)

    def of(self, chain_no: int) -> Iterator[ChainHead]:
        """Yield the anchored heads of a chain in the order of their places."""
        places = self._places.get(chain_no, array("q"))
        for i in sorted(range(len(places)), key=places.__getitem__):
            start = i * _HASH_SIZE
            yield ChainHead(places[i], bytes(self._hashes[chain_no][start : start + _HASH_SIZE]))

    def last_seq(self, chain_no: int) -> int:
        """Return the farthest anchored place of a chain, 0 without any."""
        return max(self._places.get(chain_no, ()), default=0)

    @property
    def chains(self) -> frozenset[int]:
        return frozenset(self._places)
