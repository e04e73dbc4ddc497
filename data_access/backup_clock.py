"""Backups by schedule: files every minute, a whole backup every day."""

import logging
from datetime import datetime, timedelta
from time import sleep

import psycopg

from data_access import archive, backup_store, point_in_time
from data_access.settings import Refusal, Settings
from domain.clock import BEIJING

_LOG = logging.getLogger("portal.backup")
_ROUND = 60  # seconds between two copies of what is new


def take_backup(settings: Settings) -> str:
    """Take one backup into PORTAL_BACKUP_DIR; return the sentence that says what was done.

    Of the private cluster a base backup, from which every later moment can be restored; of an
    outside one an archive, since its log is kept by its own tools.
    """
    assert settings.backup_dir
    if settings.database_url is None:
        base = point_in_time.take_base(settings)
        size = base.content.stat().st_size / 1e6
        return f"{base.folder}: schema {base.manifest.schema_version}, {size:.1f} MB."
    settings.backup_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    target = settings.backup_dir / f"portal-{datetime.now(BEIJING):%Y%m%dT%H%M%S}.tar"
    manifest = archive.write_archive(settings, target)
    for old in sorted(settings.backup_dir.glob("portal-*.tar"))[: -settings.backup_keep]:
        old.unlink()
    return f"{target}: schema {manifest.schema_version}, {len(manifest.sha256)} files."


def keep_time(settings: Settings) -> None:
    """Copy files each minute and take a backup each day, until the process is told to end.

    A start without any backup takes the first one at once. What fails is said and tried again.
    """
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", level=logging.INFO)
    due_at = datetime.now(BEIJING) if _has_none(settings) else _next(settings)
    while True:
        try:
            if datetime.now(BEIJING) >= due_at:
                _LOG.info(take_backup(settings))
                due_at = _next(settings)
            elif settings.database_url is None:
                backup_store.copy_files(settings)
        except (Refusal, OSError, psycopg.Error) as error:
            _LOG.error("the backup was not taken, and is tried again: %s", error)
        sleep(_ROUND)


def _has_none(settings: Settings) -> bool:
    assert settings.backup_dir
    return newest_at(settings) is None


def newest_at(settings: Settings) -> datetime | None:
    """Return when the newest backup in PORTAL_BACKUP_DIR was finished; None without any."""
    if settings.backup_dir is None:
        return None
    if settings.database_url is None:
        bases = backup_store.list_bases(settings.backup_dir)
        return bases[-1].finished_at if bases else None
    times = [path.stat().st_mtime for path in settings.backup_dir.glob("portal-*.tar")]
    return datetime.fromtimestamp(max(times), BEIJING) if times else None


def _next(settings: Settings) -> datetime:
    """Return the next time of day at which a backup is due."""
    now = datetime.now(BEIJING)
    today = now.replace(
        hour=settings.backup_at.hour, minute=settings.backup_at.minute, second=0, microsecond=0
    )
    return today if today > now else today + timedelta(days=1)
