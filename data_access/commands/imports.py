"""import: another province's divisions or boundaries, or corrected ones of this."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

import psycopg

from data_access import cluster, reference_data
from data_access.commands import Command
from data_access.settings import Refusal, Settings

_LOADERS = {
    "divisions": reference_data.import_divisions,
    "boundaries": reference_data.import_boundaries,
}


def _add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("what", choices=_LOADERS)
    parser.add_argument("file", type=Path, help="CSV of divisions, or GeoJSON of boundaries")


def _import(arguments: Namespace, settings: Settings) -> int:
    if not arguments.file.is_file():
        raise Refusal(f"There is no file {arguments.file}.")
    with (
        cluster.open_database(settings) as urls,
        psycopg.connect(urls.owner, autocommit=True) as owner,
    ):
        count = _LOADERS[arguments.what](owner, arguments.file)
    print(f"{count} {arguments.what} of {arguments.file.name} are in the database.")
    return 0


COMMANDS = {"import": Command(_import, _add_arguments)}
