"""Backups: one tar of the database's dump, the uploads and the trail's anchors.

The manifest, with the sha256 of every file, comes last: a backup that was cut off has none. The
dump is taken before the uploads are read; uploads are only ever added, so none it names is missing.
"""

import hashlib
import io
import json
import os
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import IO, BinaryIO

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from data_access import backup_store, cluster, installation, postgis, processes, server
from data_access.migrate import newest_migration
from data_access.settings import Refusal, Settings
from data_access.trail_anchors import anchors_held
from domain import clock

_MANIFEST = "manifest.json"
_DUMP = "database.dump"
_FOLDERS = ("uploads", "anchors")
_FORMAT = 1
_BLOCK = 1 << 20  # bytes


@dataclass(frozen=True, slots=True)
class Manifest:
    """What an archive says of itself: `sha256` by file name, `roles` that its rights name."""

    format: int
    created_at: str
    schema_version: str
    roles: list[str]
    sha256: dict[str, str]


def write_archive(settings: Settings, target: Path) -> Manifest:
    """Write a backup; the file appears under its name only when it is whole."""
    part = target.with_name(f".{target.name}.part")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file, cluster.open_database(settings) as urls:
            manifest = _fill(file, settings, urls.owner)
            os.fsync(file.fileno())
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
    return manifest


def _fill(file: BinaryIO, settings: Settings, url: str) -> Manifest:
    sums: dict[str, str] = {}
    with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as tar:
        with tempfile.TemporaryDirectory(dir=settings.data_dir) as folder:
            _dump_with_anchors(settings, url, Path(folder))
            for path, name in [*_kept_files(Path(folder)), *_kept_files(settings.uploads_dir)]:
                sums[name] = _add(tar, path, name)
        manifest = _manifest(url, sums)
        content = json.dumps(asdict(manifest), indent=1).encode()
        entry = tarfile.TarInfo(_MANIFEST)
        entry.size = len(content)
        tar.addfile(entry, io.BytesIO(content))
    return manifest


def _dump_with_anchors(settings: Settings, url: str, folder: Path) -> None:
    """Copy the anchors and the database as of one moment, or a later look finds them apart."""
    with psycopg.connect(url) as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        with anchors_held(settings.data_dir):
            snapshot = connection.execute("SELECT pg_export_snapshot()").fetchone()
            shutil.copytree(settings.anchors_dir, folder / "anchors")
        assert snapshot
        dump = folder / _DUMP
        _pg(url, "pg_dump", "--format=custom", f"--snapshot={snapshot[0]}", f"--file={dump}")


def _kept_files(folder: Path) -> Iterator[tuple[Path, str]]:
    """Yield the files with their names in the archive, which begin with their folder's."""
    root = folder.parent if folder.name in _FOLDERS else folder
    for path in backup_store.kept_files(folder):
        yield path, path.relative_to(root).as_posix()


def _add(tar: tarfile.TarFile, path: Path, name: str) -> str:
    with path.open("rb") as file:
        entry = tar.gettarinfo(arcname=name, fileobj=file)
        reader = _Hashing(file)
        tar.addfile(entry, reader)
    return reader.digest.hexdigest()


class _Hashing:
    """A file that is hashed while it is read."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.digest = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        block = self._file.read(size)
        self.digest.update(block)
        return block


def _manifest(url: str, sums: dict[str, str]) -> Manifest:
    with psycopg.connect(url) as connection:
        version = connection.execute("SELECT max(name) FROM schema_migration").fetchone()
        roles = connection.execute(
            r"SELECT rolname FROM pg_roles WHERE NOT rolcanlogin AND rolname NOT LIKE 'pg\_%'"
        ).fetchall()
    return Manifest(
        format=_FORMAT,
        created_at=clock.now().isoformat(timespec="seconds"),
        schema_version=version[0] if version else "",
        roles=sorted(name for (name,) in roles),
        sha256=sums,
    )


def read_archive(archive: Path) -> Manifest:
    """Read a whole archive and return its manifest; raise Refusal when any of it is damaged."""
    found: dict[str, str] = {}
    manifest = None
    try:
        with tarfile.open(archive, mode="r|*") as tar:
            for entry in tar:
                content = tar.extractfile(entry)
                if content is None or not _is_expected(entry.name):
                    raise Refusal(f"{archive} is no backup of the portal: it holds {entry.name!r}.")
                if entry.name == _MANIFEST:
                    manifest = Manifest(**json.loads(content.read()))
                else:
                    found[entry.name] = _sha256(content)
    except (tarfile.TarError, EOFError, OSError, ValueError, TypeError) as error:
        raise Refusal(f"{archive} cannot be read as a backup: {error}.") from error
    return _checked(archive, manifest, found)


def _checked(archive: Path, manifest: Manifest | None, found: dict[str, str]) -> Manifest:
    if manifest is None:
        raise Refusal(f"{archive} is damaged: it ends before its manifest.")
    for name in sorted(manifest.sha256.keys() | found.keys()):
        if manifest.sha256.get(name) != found.get(name):
            raise Refusal(f"{archive} is damaged: {name} is not what the manifest promises.")
    if manifest.format != _FORMAT or manifest.schema_version > newest_migration():
        raise Refusal(
            f"{archive} comes from a newer portal (schema {manifest.schema_version}):"
            " restore it with that version."
        )
    return manifest


def _is_expected(name: str) -> bool:
    parts = PurePosixPath(name).parts
    return name in (_MANIFEST, _DUMP) or (parts[0] in _FOLDERS and ".." not in parts)


def _sha256(content: IO[bytes]) -> str:
    digest = hashlib.sha256()
    while block := content.read(_BLOCK):
        digest.update(block)
    return digest.hexdigest()


def restore_archive(settings: Settings, archive: Path, *, force: bool) -> Manifest:
    """Bring a backup back: the old database stays until the new one is whole.

    Raise Refusal beside a running portal, over a database in use without `force`, and for an
    archive that is damaged or newer than this portal.
    """
    manifest = read_archive(archive)
    processes.make_data_dir(settings.data_dir)
    with _target(settings) as url, tempfile.TemporaryDirectory(dir=settings.data_dir) as folder:
        if not force and _is_in_use(url):
            raise Refusal("The database is not empty: --force replaces it by the backup.")
        installation.close_folders(settings)
        dump = Path(folder) / _DUMP
        _extract(archive, settings, dump)
        _restore_database(settings, url, dump, manifest.roles)
        _put_anchors(settings, archive)
        with psycopg.connect(url, autocommit=True) as owner:
            cluster.ensure_portal_login(settings, owner)
    return manifest


@contextmanager
def _target(settings: Settings) -> Iterator[str]:
    if settings.database_url:
        yield cluster.outside_urls(settings).owner
        return
    with (
        processes.exclusive(settings.data_dir, "command"),
        cluster.running_cluster(settings, rebuild=True) as running,
    ):
        yield running.urls.owner


def _is_in_use(url: str) -> bool:
    with psycopg.connect(url) as connection:
        known = connection.execute("SELECT to_regclass('account')").fetchone()
        if known == (None,):
            return False
        return not installation.is_empty(connection)


def _extract(archive: Path, settings: Settings, dump: Path) -> None:
    """Put the dump where it is wanted, and uploads where they belong."""
    with tarfile.open(archive, mode="r|*") as tar:
        for entry in tar:
            content = tar.extractfile(entry)
            assert content is not None
            if entry.name == _DUMP:
                _write(dump, content)
            elif entry.name.startswith("uploads/"):
                _write(settings.data_dir / entry.name, content)


def _put_anchors(settings: Settings, archive: Path) -> None:
    """Put the backup's anchors in place; those written since are kept beside, for whoever asks."""
    if any(settings.anchors_dir.iterdir()):
        stamp = f"{datetime.now(clock.BEIJING):%Y%m%dT%H%M%S}"
        settings.anchors_dir.rename(settings.data_dir / f"anchors.before-restore-{stamp}")
    with tarfile.open(archive, mode="r|*") as tar:
        for entry in tar:
            content = tar.extractfile(entry)
            if entry.name.startswith("anchors/") and content is not None:
                _write(settings.data_dir / entry.name, content)
    installation.close_folders(settings)


def _write(target: Path, content: IO[bytes]) -> None:
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    part = target.with_name(f".{target.name}.part")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        while block := content.read(_BLOCK):
            file.write(block)
    part.replace(target)


def _restore_database(settings: Settings, url: str, dump: Path, roles: Sequence[str]) -> None:
    """Restore beside the present database, then change places.

    An outside database cannot be replaced from within: it must be an empty one.
    """
    if settings.database_url:
        _pg(url, "pg_restore", "--no-owner", "--single-transaction", str(dump))
        return
    maintenance = make_conninfo(url, dbname="postgres")
    with psycopg.connect(maintenance, autocommit=True) as connection:
        for role in roles:
            _create_role(connection, role)
        connection.execute("DROP DATABASE IF EXISTS portal_restored")
        connection.execute("CREATE DATABASE portal_restored")
        restored = make_conninfo(url, dbname="portal_restored")
        _pg(restored, "pg_restore", "--exit-on-error", str(dump))
        connection.execute("DROP DATABASE IF EXISTS portal_replaced")
        connection.execute("ALTER DATABASE portal RENAME TO portal_replaced")
        connection.execute("ALTER DATABASE portal_restored RENAME TO portal")
        connection.execute("DROP DATABASE portal_replaced")


def _create_role(connection: psycopg.Connection, role: str) -> None:
    known = connection.execute("SELECT FROM pg_roles WHERE rolname = %s", [role]).fetchone()
    if known is None:
        connection.execute(sql.SQL("CREATE ROLE {} NOLOGIN").format(sql.Identifier(role)))


def _pg(url: str, program: str, *arguments: str) -> None:
    """Run one of PostgreSQL's programs; the password travels apart, where `ps` does not show it."""
    parts = {name: str(value) for name, value in conninfo_to_dict(url).items()}
    password = parts.pop("password", "")
    database = f"--dbname={make_conninfo('', **parts)}"
    with psycopg.connect(url) as connection:
        version = connection.info.server_version // 10_000
    # A newer pg_dump writes what an older server does not know.
    programs = postgis.find_programs(version) or server.programs()
    finished = subprocess.run(
        [programs / program, database, *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, "PGPASSWORD": password},
    )
    if finished.returncode:
        lines = finished.stderr.strip().splitlines() or ["no message"]
        raise Refusal(f"{program} failed: {lines[0]}.")
