"""PORTAL_BACKUP_DIR: base backups of the private cluster, its log, and copies of what lies beside.

    cluster-<identifier>/wal/    every segment of the log, compressed, written by the server
    cluster-<identifier>/base/   one folder a base backup: base.tar.gz and manifest.json, last
    uploads/, anchors/           copies, each file once; they only ever grow

A cluster has a folder of its own: segments of two clusters bear the same names.
"""

import hashlib
import json
import os
import shlex
import shutil
import struct
import subprocess
import tarfile
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from data_access.settings import Refusal, Settings
from data_access.trail_anchors import anchors_held
from domain.clock import BEIJING

_MANIFEST = "manifest.json"
_CONTENT = "base.tar.gz"
_SEGMENT = 24  # characters of a segment's name: timeline, then place
_BLOCK = 1 << 20  # bytes


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a base backup says of itself; `first_segment` is the log it begins with."""

    finished_at: str
    schema_version: str
    first_segment: str
    size: int
    """Bytes of the databases."""
    sha256: str


@dataclass(frozen=True, slots=True)
class Base:
    """A whole base backup."""

    folder: Path
    manifest: Manifest

    @property
    def finished_at(self) -> datetime:
        return datetime.fromisoformat(self.manifest.finished_at)

    @property
    def content(self) -> Path:
        return self.folder / _CONTENT

    @property
    def wal(self) -> Path:
        return self.folder.parents[1] / "wal"


def archive_options(settings: Settings, data: Path, user: str | None) -> dict[str, str]:
    """Return the server's settings that keep its log, and make the folder for it.

    Raise Refusal where the server's user may not write there.
    """
    if settings.backup_dir is None:
        return {}
    wal = _make_folders(settings.backup_dir, data) / "wal"
    if user:
        shutil.chown(wal, user)
        may_write = ["test", "-w", str(wal)]
        if subprocess.run(may_write, user=user, group=user, extra_groups=[], cwd="/").returncode:
            raise Refusal(f"The server's user {user} may not write to {wal}: open the way to it.")
    # %% is a percent sign to the server; a segment that is there already must be the same one.
    target = shlex.quote(f"{wal}/").replace("%", "%%") + "%f.gz"
    keep = (
        f"if [ -e {target} ]; then gzip -cd {target} | cmp -s - %p;"
        f" else gzip -1nc %p > {target}.part && sync {target}.part && mv {target}.part {target}; fi"
    )
    return {"archive_mode": "on", "archive_timeout": "60s", "archive_command": keep}


def fetch_command(wal: Path) -> str:
    """Return the command by which a server that recovers fetches its log."""
    source = shlex.quote(f"{wal}/").replace("%", "%%") + "%f.gz"
    return f"[ -e {source} ] && gzip -cd {source} > %p"


def _make_folders(backup_dir: Path, data: Path) -> Path:
    folder = backup_dir / f"cluster-{_cluster_identifier(data)}"
    for each, mode in ((backup_dir, 0o711), (folder, 0o711), (folder / "wal", 0o700)):
        if not each.exists():
            each.mkdir(parents=True)
            each.chmod(mode)
    (folder / "base").mkdir(mode=0o700, exist_ok=True)
    return folder


def _cluster_identifier(data: Path) -> int:
    with (data / "global" / "pg_control").open("rb") as control:
        (identifier,) = struct.unpack("=Q", control.read(8))
    return int(identifier)


def take_base(settings: Settings, data: Path, url: str, program: Path) -> Base:
    """Take a base backup beside the running server, copy what lies beside, forget what is old."""
    assert settings.backup_dir
    folder = _make_folders(settings.backup_dir, data) / "base"
    for broken in folder.glob(".*.part"):
        shutil.rmtree(broken)
    with psycopg.connect(url, autocommit=True) as owner:
        size = _one(owner, "SELECT sum(pg_database_size(oid)) FROM pg_database")
        schema = _one(owner, "SELECT max(name) FROM schema_migration")
        refuse_full_disk(folder, int(str(size)) // 2, "The base backup")
        # To the microsecond: two backups of a small cluster fit into one second.
        stamp = f"{datetime.now(BEIJING):%Y%m%dT%H%M%S%f}"
        part = folder / f".{stamp}.part"
        _copy_cluster(url, program, part)
        content = part / _CONTENT
        manifest = Manifest(
            finished_at=str(_one(owner, "SELECT clock_timestamp()")),
            schema_version=str(schema),
            first_segment=_first_segment(content),
            size=int(str(size)),
            sha256=sha256_of(content),
        )
    (part / _MANIFEST).write_text(json.dumps(asdict(manifest), indent=1), encoding="utf-8")
    part.replace(folder / stamp)
    copy_files(settings)
    forget_old(settings.backup_dir, settings.backup_keep)
    return Base(folder / stamp, manifest)


def _one(connection: psycopg.Connection, question: str) -> object:
    row = connection.execute(question.encode()).fetchone()
    return row[0] if row else None


def _copy_cluster(url: str, program: Path, target: Path) -> None:
    parts = {name: str(value) for name, value in conninfo_to_dict(url).items()}
    password = parts.pop("password", "")
    parts.pop("dbname", "")
    how = ("--format=tar", "--compress=client-gzip:1", "--wal-method=fetch", "--checkpoint=fast")
    finished = subprocess.run(
        [program, f"--dbname={make_conninfo('', **parts)}", f"--pgdata={target}", *how],
        capture_output=True,
        text=True,
        env={**os.environ, "PGPASSWORD": password},
    )
    if finished.returncode:
        shutil.rmtree(target, ignore_errors=True)
        lines = finished.stderr.strip().splitlines() or ["no message"]
        raise Refusal(f"pg_basebackup failed: {lines[-1]}.")


def _first_segment(content: Path) -> str:
    """Return the segment of the log that a base backup begins with, from its label."""
    with tarfile.open(content, mode="r|gz") as tar:
        for entry in tar:
            label = tar.extractfile(entry)
            if entry.name == "backup_label" and label is not None:
                line = label.read().decode().splitlines()[0]
                return line.rpartition("(file ")[2].rstrip(")")
    raise Refusal(f"{content} is no base backup: it has no label.")


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def refuse_full_disk(folder: Path, needed: int, what: str) -> None:
    """Raise Refusal where a folder's disk has less than `needed` bytes free."""
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise Refusal(
            f"{what} needs about {needed / 1e9:.1f} GB in {folder}, which has {free / 1e9:.1f} GB."
        )


def list_bases(backup_dir: Path) -> list[Base]:
    """Return the whole base backups of every cluster, oldest first."""
    found = [
        Base(path.parent, Manifest(**json.loads(path.read_text(encoding="utf-8"))))
        for path in backup_dir.glob(f"cluster-*/base/[0-9]*/{_MANIFEST}")
    ]
    return sorted(found, key=lambda base: base.finished_at)


def copy_files(settings: Settings) -> None:
    """Copy what is new of the uploads and the anchors; nothing is ever removed from the copies."""
    assert settings.backup_dir
    for path in kept_files(settings.uploads_dir):
        target = settings.backup_dir / "uploads" / path.relative_to(settings.uploads_dir)
        if not target.exists() or target.stat().st_size != path.stat().st_size:
            copy_whole(path, target)
    with anchors_held(settings.data_dir):
        for path in kept_files(settings.anchors_dir):
            target = settings.backup_dir / "anchors" / path.relative_to(settings.anchors_dir)
            _keep_longer(path, target)
            copy_whole(path, target)


def _keep_longer(path: Path, target: Path) -> None:
    """Keep anchors beside that a restore has cut off since: they prove what is missing."""
    if target.exists() and target.stat().st_size > path.stat().st_size:
        target.rename(target.with_name(f"{target.name}.{datetime.now(BEIJING):%Y%m%dT%H%M%S}"))


def kept_files(folder: Path) -> Iterable[Path]:
    """Return the files of a folder that a backup holds.

    What is still on its way in is sent again by whoever sends it.
    """
    return [
        path
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "incoming" not in path.parts and not path.name.startswith(".")
    ]


def copy_whole(path: Path, target: Path) -> None:
    """Copy a file, which appears under its name only when it is whole."""
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    part = target.with_name(f".{target.name}.part")
    with path.open("rb") as source, part.open("wb") as file:
        part.chmod(0o600)
        shutil.copyfileobj(source, file, _BLOCK)
        file.flush()
        os.fsync(file.fileno())
    part.replace(target)


def forget_old(backup_dir: Path, keep: int) -> None:
    """Remove all base backups but the newest, and the log that no other one needs."""
    bases = list_bases(backup_dir)
    for base in bases[:-keep]:
        shutil.rmtree(base.folder)
    for wal in backup_dir.glob("cluster-*/wal"):
        kept = [base.manifest.first_segment for base in bases[-keep:] if base.wal == wal]
        if kept:
            _forget_log(wal, min(name[8:] for name in kept))


def _forget_log(wal: Path, first: str) -> None:
    """Remove the segments before `first`, whatever their timeline."""
    for path in wal.iterdir():
        if len(path.name.split(".")[0]) == _SEGMENT and path.name[8:_SEGMENT] < first:
            path.unlink()
