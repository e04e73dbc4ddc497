"""The anchor file: the heads of the trail's chains, kept where no database can reach them.

Each line of <data_dir>/anchors/trail.jsonl names the chains that grew since the line before it,
and the SHA-256 of that line. The database remembers the last line, so that neither can be
shortened alone.
"""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO

from sqlalchemy import Connection

from data_access.queries import load_queries
from data_access.rows import fetch_all, fetch_one
from domain.trail import GENESIS, AnchoredHeads, ChainHead, Finding, FindingKind

_SQL = load_queries("trail")
# Every so many lines name all heads: what a new line must say is read from there on.
_COMPLETE_EVERY = 100
# Longer than any line: 64 heads of at most 100 characters.
_LONGEST_LINE = 1 << 14


@dataclass(frozen=True, slots=True)
class DatabaseAnchor:
    """What the database remembers of the anchor file: its last line."""

    anchor_no: int
    digest: str


@dataclass(slots=True)
class AnchorFile:
    """What stands in the anchor file, and what is wrong with it."""

    lines: int = 0
    last_anchored_at: str | None = None
    heads: AnchoredHeads = field(default_factory=AnchoredHeads)
    findings: list[Finding] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Head:
    chain_no: int
    chain_seq: int
    hash: bytes


def anchor_path(data_dir: Path) -> Path:
    """Return where the anchor file of a data directory stands."""
    return data_dir / "anchors" / "trail.jsonl"


def anchor(connection: Connection, data_dir: Path) -> int | None:
    """Append the heads that moved since the last anchor; return the line's number.

    None when nothing moved. The line is on the disk before the database notes it, so the file
    may be ahead of the database and never behind.
    """
    path = anchor_path(data_dir)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab+") as file, _locked(file, fcntl.LOCK_EX):
        _drop_torn_line(file)
        line = _next_line(file, fetch_all(connection, _SQL["trail_heads"], _Head))
        if line is None:
            return None
        text = json.dumps(line, separators=(",", ":")).encode() + b"\n"
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
        _sync_folder(path.parent)
        noted = {"anchor_no": line["anchor_no"], "digest": _digest(text)}
        connection.execute(_SQL["note_trail_anchor"], noted)
    return int(line["anchor_no"])


def find_noted(connection: Connection) -> DatabaseAnchor:
    """Return the last line the database knows of; number 0 before the first."""
    return fetch_one(connection, _SQL["find_trail_anchor"], DatabaseAnchor) or DatabaseAnchor(0, "")


@contextmanager
def anchors_read(data_dir: Path, noted: DatabaseAnchor) -> Iterator[AnchorFile]:
    """Yield what the anchor file says; no line is added while the block lasts.

    Read `noted` before, and take the snapshot of the trail inside the block: then the file holds
    every line the database knew of, and the snapshot every entry the file knows of.
    """
    path = anchor_path(data_dir)
    if not path.exists():
        yield _compared(AnchorFile(), noted, "")
        return
    with path.open("rb") as file, _locked(file, fcntl.LOCK_SH):
        yield _read(file, noted)


@contextmanager
def anchors_held(data_dir: Path) -> Iterator[None]:
    """Keep anyone from adding a line while the block lasts, so that a backup's copy of the file
    and its copy of the database belong together.
    """
    path = anchor_path(data_dir)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as file, _locked(file, fcntl.LOCK_EX):
        yield


def _next_line(file: BinaryIO, heads: list[_Head]) -> dict[str, Any] | None:
    last = _last_line(file)
    known = _known_heads(file, last)
    now = {str(head.chain_no): [head.chain_seq, head.hash.hex()] for head in heads}
    moved = {chain_no: head for chain_no, head in now.items() if known.get(chain_no) != head}
    if not moved:
        return None
    number = _number_of(last) + 1
    complete = number % _COMPLETE_EVERY == 1 or not known
    end = file.seek(0, os.SEEK_END)
    return {
        "anchor_no": number,
        "anchored_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "complete_at": end if complete else json.loads(last)["complete_at"],
        "heads": now if complete else moved,
        "previous": _digest(last),
    }


def _known_heads(file: BinaryIO, last: bytes) -> dict[str, list[object]]:
    """Return each chain's last anchored head, from the last complete line on.

    Nothing is known of a file that somebody has damaged: the next line names all heads then.
    """
    known: dict[str, list[object]] = {}
    line = _parse(last)
    file.seek(line["complete_at"] if line else 0, os.SEEK_SET if line else os.SEEK_END)
    for text in file:
        line = _parse(text)
        if line is None:
            return {}
        known.update(line["heads"])
    return known


def _number_of(text: bytes) -> int:
    line = _parse(text)
    return int(line["anchor_no"]) if line else 0


def _last_line(file: BinaryIO) -> bytes:
    end = file.seek(0, os.SEEK_END)
    file.seek(max(0, end - _LONGEST_LINE))
    return (file.read().splitlines(keepends=True) or [b""])[-1]


def _drop_torn_line(file: BinaryIO) -> None:
    # A power cut may leave half a line; the database never noted it, so it was no anchor yet.
    last = _last_line(file)
    if last and not last.endswith(b"\n"):
        file.truncate(file.seek(0, os.SEEK_END) - len(last))


def _read(file: BinaryIO, noted: DatabaseAnchor) -> AnchorFile:
    result = AnchorFile()
    before, noted_digest = b"", ""
    for text in file:
        if not text.endswith(b"\n"):
            break
        result.lines += 1
        line = _parse(text)
        if line is None or line["anchor_no"] != result.lines:
            result.findings.append(_edited(result.lines))
        if line is not None:
            if line["previous"] != _digest(before):
                result.findings.append(_edited(max(1, result.lines - 1)))
            _take_heads(result, line)
        if result.lines == noted.anchor_no:
            noted_digest = _digest(text)
        before = text
    return _compared(result, noted, noted_digest)


def _take_heads(result: AnchorFile, line: dict[str, Any]) -> None:
    result.last_anchored_at = line["anchored_at"]
    for chain_no, (chain_seq, digest) in line["heads"].items():
        result.heads.add(int(chain_no), ChainHead(chain_seq, bytes.fromhex(digest)))


def _compared(result: AnchorFile, noted: DatabaseAnchor, noted_digest: str) -> AnchorFile:
    """Add a finding when the line that the database remembers is missing or another one."""
    if result.lines < noted.anchor_no:
        first, last = result.lines + 1, noted.anchor_no
        kind = FindingKind.ANCHORS_SHORTENED
        result.findings.append(Finding(kind, first_seq=first, last_seq=last))
    elif noted.digest != noted_digest and _edited(noted.anchor_no) not in result.findings:
        result.findings.append(_edited(noted.anchor_no))
    return result


def _edited(line_no: int) -> Finding:
    return Finding(FindingKind.ANCHORS_EDITED, first_seq=line_no, last_seq=line_no)


def _parse(text: bytes) -> dict[str, Any] | None:
    """Return the line, or None when it is not one that anchor() wrote."""
    try:
        line = json.loads(text)
        heads = line["heads"].items()
        sound = all(isinstance(line[key], int) for key in ("anchor_no", "complete_at")) and all(
            isinstance(seq, int)
            and len(bytes.fromhex(digest)) == len(GENESIS)
            and int(chain_no) >= 0
            for chain_no, (seq, digest) in heads
        )
        return (
            line if sound and isinstance(line["anchored_at"], str) and "previous" in line else None
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def _digest(text: bytes) -> str:
    return sha256(text).hexdigest() if text else ""


@contextmanager
def _locked(file: BinaryIO, how: int) -> Iterator[None]:
    fcntl.flock(file, how)
    try:
        yield
    finally:
        fcntl.flock(file, fcntl.LOCK_UN)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
