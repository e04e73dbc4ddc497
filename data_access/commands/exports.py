"""export: divisions, villages or natural villages as a CSV that the imports read again."""

from argparse import ArgumentParser, Namespace
from datetime import date
from pathlib import Path

from data_access.administration import administration
from data_access.commands import Command
from data_access.commands.village_imports import prefix_of
from data_access.register_export import Exported, export
from data_access.settings import Refusal, Settings
from domain import clock


def _add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("what", type=Exported, choices=list(Exported), metavar="WHAT",
                        help=", ".join(Exported))  # fmt: skip
    parser.add_argument("file", type=Path)
    parser.add_argument("--within", metavar="CODE", help="only those of this division")
    parser.add_argument(
        "--day", type=date.fromisoformat, help="the villages of this day (2026-12-31), else today"
    )
    parser.add_argument("--replace", action="store_true", help="write over a file that is there")


def _export(arguments: Namespace, settings: Settings) -> int:
    path: Path = arguments.file
    if path.is_dir():
        raise Refusal(f"{path} is a folder; name a file in it.")
    if path.exists() and not arguments.replace:
        raise Refusal(f"{path} is there already; --replace writes over it.")
    if not path.parent.is_dir():
        raise Refusal(f"There is no folder {path.parent}.")
    with administration(settings) as owner:
        within = prefix_of(owner, arguments.within) if arguments.within else ""
        day = arguments.day or clock.today()
        count = export(owner, arguments.what, path, day=day, within=within)
    print(f"{count:,} rows of {arguments.what} are in {path}.")
    return 0


COMMANDS = {"export": Command(_export, _add_arguments)}
