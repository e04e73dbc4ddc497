"""import: divisions, boundaries, villages, or the progress sheets of before the portal."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

import psycopg

from data_access import cluster, history_import, reference_data
from data_access.administration import administration
from data_access.commands import Command, village_imports
from data_access.settings import Refusal, Settings
from domain.history import HistoryFault

_LOADERS = {
    "divisions": reference_data.import_divisions,
    "boundaries": reference_data.import_boundaries,
}
_FAULTS = {
    HistoryFault.NO_UNIT: "no unit is named",
    HistoryFault.UNKNOWN_UNIT: "no reporting unit is called {}",
    HistoryFault.AMBIGUOUS_UNIT: "several units are called {}: give the code",
    HistoryFault.UNKNOWN_PLAN: "the unit has no plan called {}",
    HistoryFault.UNKNOWN_STAGE: "the plan has no stage {}",
    HistoryFault.NO_DATE: "there is neither a planned nor an actual day",
    HistoryFault.NOT_A_DATE: "{} is not a day",
    HistoryFault.IN_THE_FUTURE: "the actual day {} is still to come",
    HistoryFault.BASELINE_DIFFERS: "the accepted baseline is {} and stays",
    HistoryFault.COMPLETION_DIFFERS: "the stage is accepted as completed on {}",
    HistoryFault.SKIPPED: "the stage is accepted as skipped",
    HistoryFault.TWICE: "{} stands in the file twice with different days",
}


def _add_arguments(parser: ArgumentParser) -> None:
    kinds = parser.add_subparsers(dest="what", required=True, metavar="WHAT")
    for what, (summary, command) in _KINDS.items():
        kind_parser = kinds.add_parser(what, help=summary, description=summary)
        kind_parser.add_argument("--data-dir", default=parser.get_default("data_dir"))
        kind_parser.add_argument("file", type=Path)
        command.add_arguments(kind_parser)


def _import(arguments: Namespace, settings: Settings) -> int:
    if not arguments.file.is_file():
        raise Refusal(f"There is no file {arguments.file}.")
    return _KINDS[arguments.what][1].execute(arguments, settings)


def _load(arguments: Namespace, settings: Settings) -> int:
    with (
        cluster.open_database(settings) as urls,
        psycopg.connect(urls.owner, autocommit=True) as owner,
    ):
        count = _LOADERS[arguments.what](owner, arguments.file)
    print(f"{count} {arguments.what} of {arguments.file.name} are in the database.")
    return 0


def _add_history_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--commit", action="store_true", help="write what the preview shows")
    parser.add_argument("--strict", action="store_true", help="write nothing while a row is bad")


def _import_history(arguments: Namespace, settings: Settings) -> int:
    with administration(settings, action="history.import") as connection:
        found = history_import.preview(connection, arguments.file)
        print(_summary(found))
        for row in found.bad:
            print(f"Row {row.row_no}: {_FAULTS[row.fault].format(repr(row.quoted))}.")
        if arguments.commit and arguments.strict and found.bad:
            raise Refusal(
                f"Nothing is written: {len(found.bad)} rows of {found.file_name} are bad."
            )
        if arguments.commit:
            written = history_import.write(connection, found)
    if arguments.commit:
        print(f"{written} facts of {found.file_name} are accepted, marked as imported.")
    elif found.facts:
        print("Nothing is written yet: --commit writes the new rows.")
    return 0


def _summary(found: history_import.Preview) -> str:
    return (
        f"{found.file_name}: {len(found.facts)} new, {found.unchanged} unchanged,"
        f" {len(found.bad)} not taken."
    )


# What may be imported, by its word on the command line: a line of help, and the work.
_KINDS: dict[str, tuple[str, Command]] = {
    "divisions": ("divisions from a CSV", Command(_load)),
    "boundaries": ("boundaries of counties from a GeoJSON", Command(_load)),
    "history": (
        "the progress sheets of the time before the portal",
        Command(_import_history, _add_history_arguments),
    ),
    **village_imports.KINDS,
}
COMMANDS = {"import": Command(_import, _add_arguments)}
