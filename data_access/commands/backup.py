"""backup and restore: one archive of everything, or base backups and the log for every moment."""

from argparse import ArgumentParser, Namespace
from datetime import datetime
from pathlib import Path

from data_access import archive, backup_clock, point_in_time
from data_access.commands import Command
from data_access.settings import Refusal, Settings
from domain.clock import BEIJING


def _add_backup_arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "file", type=Path, nargs="?", help="the archive to write; else one into PORTAL_BACKUP_DIR"
    )
    parser.add_argument("--force", action="store_true", help="replace an archive of that name")
    parser.add_argument(
        "--schedule",
        action="store_true",
        help="stay, copy files each minute and take a backup each day at PORTAL_BACKUP_AT",
    )


def _backup(arguments: Namespace, settings: Settings) -> int:
    if arguments.file:
        return _write_archive(arguments.file.absolute(), arguments.force, settings)
    if settings.backup_dir is None:
        raise Refusal("Name the archive to write, or set PORTAL_BACKUP_DIR.")
    if arguments.schedule:
        backup_clock.keep_time(settings)
    print(backup_clock.take_backup(settings))
    return 0


def _write_archive(target: Path, force: bool, settings: Settings) -> int:
    if target.exists() and not force:
        raise Refusal(f"{target} exists already: --force replaces it.")
    if not target.parent.is_dir():
        raise Refusal(f"There is no folder {target.parent}.")
    manifest = archive.write_archive(settings, target)
    print(
        f"{target}: schema {manifest.schema_version}, {len(manifest.sha256)} files,"
        f" {target.stat().st_size / 1e6:.1f} MB."
    )
    return 0


def _add_restore_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("file", type=Path, nargs="?", help="an archive that backup wrote")
    parser.add_argument(
        "--to",
        type=moment,
        metavar="MOMENT",
        help='a moment in Beijing, such as "2026-11-22 21:59": from PORTAL_BACKUP_DIR',
    )
    parser.add_argument("--force", action="store_true", help="replace a database in use")


def moment(given: str) -> datetime:
    """Read a moment of Beijing's; ValueError where there is none."""
    read = datetime.fromisoformat(given)
    return read if read.tzinfo else read.replace(tzinfo=BEIJING)


def _restore(arguments: Namespace, settings: Settings) -> int:
    if (arguments.file is None) == (arguments.to is None):
        raise Refusal("Name either an archive or, with --to, a moment.")
    if arguments.to:
        return _restore_to(arguments.to, arguments.force, settings)
    if not arguments.file.is_file():
        raise Refusal(f"There is no file {arguments.file}.")
    manifest = archive.restore_archive(settings, arguments.file, force=arguments.force)
    print(f"Restored the backup of {manifest.created_at}, schema {manifest.schema_version}.")
    return 0


def _restore_to(moment: datetime, force: bool, settings: Settings) -> int:
    restored = point_in_time.restore_to(settings, moment, force=force)
    reached = restored.reached or restored.base.finished_at
    print(
        f"Restored the moment {_words(moment)}; the last change in it is of {_words(reached)},"
        f" schema {restored.schema_version}."
    )
    if restored.kept:
        print(f"The files of the database as it was are in {restored.kept}: remove them when done.")
    if restored.missing:
        many = len(restored.missing)
        raise Refusal(f"{many} files that records name are nowhere, {restored.missing[0]} first.")
    return 0


def _words(moment: datetime) -> str:
    return f"{moment.astimezone(BEIJING):%Y-%m-%d %H:%M:%S}"


COMMANDS = {
    "backup": Command(_backup, _add_backup_arguments),
    "restore": Command(_restore, _add_restore_arguments),
}
