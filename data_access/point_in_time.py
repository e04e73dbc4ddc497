"""Bring the private cluster back to a moment: a base backup, and the log from there on.

The recovery runs beside the present database files, which stay until it came to its end, and after
it under another name. The log follows the timeline of the base backup: what the database held at a
moment is what it held then, whatever was restored since.
"""

import hashlib
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic, sleep

import psycopg
from psycopg import sql

from data_access import backup_store, cluster, cluster_file, file_store, installation, processes
from data_access.backup_store import Base
from data_access.migrate import newest_migration
from data_access.server import Server
from data_access.settings import Refusal, Settings
from data_access.trail_anchors import anchor_path
from domain.clock import BEIJING

_PATIENCE = 3600  # seconds for a day of log
_TARGET_NOT_REACHED = "before configured recovery target"
_SEGMENT_NAME = re.compile(r"[0-9A-F]{24}")


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restore came to; `reached` is the last change that is in the database."""

    reached: datetime | None
    base: Base
    kept: Path | None
    """The database files as they were before."""
    missing: list[str]
    """The files, by SHA-256, that records name and nobody has."""
    schema_version: str


@dataclass(frozen=True, slots=True)
class _Found:
    """What the recovered database says."""

    reached: datetime | None
    anchor_no: int
    anchor_digest: str
    files: list[str]
    schema_version: str


def take_base(settings: Settings) -> Base:
    """Take a base backup of the private cluster; raise Refusal where there is none to take."""
    with cluster.open_database(settings) as urls:
        server = Server(settings)
        return backup_store.take_base(
            settings, server.data, urls.owner, server.program("pg_basebackup")
        )


def restore_to(settings: Settings, moment: datetime, *, force: bool) -> Restored:
    """Bring database, files and anchors back to what they were at a moment.

    Raise Refusal beside a running portal, over a database in use without `force`, for a moment
    that no backup covers, and where the disk is too small.
    """
    base = _base_for(settings, moment)
    processes.make_data_dir(settings.data_dir)
    with processes.exclusive(settings.data_dir, "command"):
        server = Server(settings, rebuild=True)
        if server.data.exists() and not force:
            raise Refusal("The database is not empty: --force replaces it and keeps its files.")
        installation.close_folders(settings)
        data = _unpacked(server, base)
        with _stopping(server):
            found = _recovered(settings, server, data, base, moment)
        kept = _change_places(server.data, data)
        missing = _bring_files(settings, found)
        with cluster.running_cluster(settings) as running, running.connect() as owner:
            cluster.ensure_portal_login(settings, owner)
            backup_store.take_base(
                settings, running.data, running.urls.owner, running.program("pg_basebackup")
            )
    return Restored(found.reached, base, kept, missing, found.schema_version)


def _base_for(settings: Settings, moment: datetime) -> Base:
    if settings.database_url:
        raise Refusal(
            "PORTAL_DATABASE_URL names an outside cluster: it is brought back to a moment with"
            " its own tools."
        )
    if settings.backup_dir is None:
        raise Refusal("PORTAL_BACKUP_DIR is not set: there is no backup that knows moments.")
    if moment > datetime.now(UTC):
        raise Refusal(f"{_words(moment)} is still to come.")
    bases = backup_store.list_bases(settings.backup_dir)
    before = [base for base in bases if base.finished_at <= moment]
    if not before:
        first = f"the first is of {_words(bases[0].finished_at)}" if bases else "there is none yet"
        raise Refusal(f"No base backup is older than {_words(moment)}: {first}.")
    if backup_store.sha256_of(before[-1].content) != before[-1].manifest.sha256:
        raise Refusal(f"{before[-1].content} is damaged: it is not what its manifest promises.")
    if before[-1].manifest.schema_version > newest_migration():
        raise Refusal(
            f"{before[-1].folder} comes from a newer portal (schema"
            f" {before[-1].manifest.schema_version}): restore it with that version."
        )
    return before[-1]


def _words(moment: datetime) -> str:
    return f"{moment.astimezone(BEIJING):%Y-%m-%d %H:%M:%S}"


def _unpacked(server: Server, base: Base) -> Path:
    server.home.parent.mkdir(parents=True, exist_ok=True)
    backup_store.refuse_full_disk(server.home.parent, base.manifest.size * 3 // 2, "The restore")
    data = server.unpack(base.content)
    (data / "recovery.signal").touch()
    _take_last_segments(server.data, data, base)
    _own_like(data, data / "recovery.signal", *(data / "pg_wal").iterdir())
    return data


def _take_last_segments(present: Path, data: Path, base: Base) -> None:
    """Add what the present cluster wrote and had not archived yet, if its files are there."""
    for path in (present / "pg_wal").glob("*"):
        archived = (base.wal / f"{path.name}.gz").exists()
        if _SEGMENT_NAME.fullmatch(path.name) and not archived and _is_same_cluster(present, data):
            shutil.copy(path, data / "pg_wal" / path.name)


def _is_same_cluster(one: Path, other: Path) -> bool:
    identifiers = [(data / "global" / "pg_control").read_bytes()[:8] for data in (one, other)]
    return identifiers[0] == identifiers[1]


def _own_like(folder: Path, *paths: Path) -> None:
    status = folder.stat()
    for path in paths:
        os.chown(path, status.st_uid, status.st_gid)


@contextmanager
def _stopping(server: Server) -> Iterator[None]:
    try:
        yield
    finally:
        server.stop()


def _recovered(
    settings: Settings, server: Server, data: Path, base: Base, moment: datetime
) -> _Found:
    """Recover to the moment or, where nothing changed after it, to the end of the log."""
    options = {
        "restore_command": backup_store.fetch_command(base.wal),
        "recovery_target_timeline": "current",
        "recovery_target_action": "promote",
    }
    target = {"recovery_target_time": moment.astimezone(UTC).isoformat(sep=" ")}
    if not _run_recovery(settings, server, data, options | target):
        _run_recovery(settings, server, data, options)
    with server.connect() as owner:
        password = sql.Literal(cluster_file.read(settings).owner_password)
        owner.execute(sql.SQL("ALTER ROLE owner PASSWORD {}").format(password))
        return _ask(owner)


def _run_recovery(settings: Settings, server: Server, data: Path, options: dict[str, str]) -> bool:
    """Return whether the server came to the target; raise Refusal when it ended otherwise."""
    log = settings.log_dir / "postgres.log"
    already = log.stat().st_size if log.exists() else 0
    try:
        server.recover(data, options)
        _await_promotion(server)
    except (Refusal, psycopg.OperationalError) as error:
        with log.open(encoding="utf-8", errors="replace") as file:
            file.seek(already)
            if _TARGET_NOT_REACHED in file.read():
                return False
        raise Refusal(f"The log cannot be replayed ({error}); see {log}.") from error
    return True


def _await_promotion(server: Server) -> None:
    deadline = monotonic() + _PATIENCE
    with server.connect("postgres") as owner:
        while owner.execute("SELECT pg_is_in_recovery()").fetchone() == (True,):
            if monotonic() > deadline:
                raise Refusal(f"it takes longer than {_PATIENCE} seconds")
            sleep(0.1)


def _ask(owner: psycopg.Connection) -> _Found:
    reached = owner.execute("SELECT pg_last_xact_replay_timestamp()").fetchone()
    anchored = owner.execute("SELECT anchor_no, digest FROM trail_anchor").fetchone()
    schema = owner.execute("SELECT max(name) FROM schema_migration").fetchone()
    files = owner.execute("SELECT sha256 FROM stored_file ORDER BY sha256").fetchall()
    return _Found(
        reached=reached[0] if reached else None,
        anchor_no=anchored[0] if anchored else 0,
        anchor_digest=anchored[1] if anchored else "",
        files=[sha256 for (sha256,) in files],
        schema_version=schema[0] if schema else "",
    )


def _change_places(present: Path, recovered: Path) -> Path | None:
    kept = None
    if present.exists():
        kept = present.with_name(f"data.before-restore-{_stamp()}")
        present.rename(kept)
    recovered.rename(present)
    return kept


def _stamp() -> str:
    return f"{datetime.now(BEIJING):%Y%m%dT%H%M%S}"


def _bring_files(settings: Settings, found: _Found) -> list[str]:
    """Copy back the uploads that are gone, and the anchors the database notes."""
    assert settings.backup_dir
    missing = []
    for sha256 in found.files:
        place = file_store.place_of(sha256)
        target, copy = settings.uploads_dir / place, settings.backup_dir / "uploads" / place
        if not target.exists() and copy.exists():
            backup_store.copy_whole(copy, target)
        if not target.exists():
            missing.append(sha256)
    _bring_anchors(settings, found)
    return missing


def _bring_anchors(settings: Settings, found: _Found) -> None:
    """Put the anchors in place that the database notes; later ones are kept beside.

    Several restores leave several files of them: the right one has the line the database knows.
    """
    assert settings.backup_dir
    own = anchor_path(settings.data_dir)
    files = [
        own,
        *settings.data_dir.glob(f"anchors.before-restore-*/{own.name}"),
        *(settings.backup_dir / "anchors").glob(f"{own.name}*"),
    ]
    wanted = next(filter(None, (_noted(path, found) for path in files)), None)
    if wanted is None or (own.exists() and own.read_bytes() == wanted):
        return
    if own.exists():
        settings.anchors_dir.rename(settings.data_dir / f"anchors.before-restore-{_stamp()}")
        installation.close_folders(settings)
    own.write_bytes(wanted)
    own.chmod(0o600)


def _noted(path: Path, found: _Found) -> bytes | None:
    """Return the lines of an anchor file up to the one that the database notes, if it has it."""
    lines = path.read_bytes().splitlines(keepends=True)[: found.anchor_no] if path.exists() else []
    if not lines or len(lines) < found.anchor_no:
        return None
    is_noted = hashlib.sha256(lines[-1]).hexdigest() == found.anchor_digest
    return b"".join(lines) if is_noted else None
