"""backup and restore: one archive of everything that cannot be made again."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from data_access import archive
from data_access.commands import Command
from data_access.settings import Refusal, Settings


def _add_backup_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("file", type=Path, help="the archive to write")
    parser.add_argument("--force", action="store_true", help="replace an archive of that name")


def _backup(arguments: Namespace, settings: Settings) -> int:
    target = arguments.file.absolute()
    if target.exists() and not arguments.force:
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
    parser.add_argument("file", type=Path, help="an archive that backup wrote")
    parser.add_argument("--force", action="store_true", help="replace a database in use")


def _restore(arguments: Namespace, settings: Settings) -> int:
    if not arguments.file.is_file():
        raise Refusal(f"There is no file {arguments.file}.")
    manifest = archive.restore_archive(settings, arguments.file, force=arguments.force)
    print(f"Restored the backup of {manifest.created_at}, schema {manifest.schema_version}.")
    return 0


COMMANDS = {
    "backup": Command(_backup, _add_backup_arguments),
    "restore": Command(_restore, _add_restore_arguments),
}
