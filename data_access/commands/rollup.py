"""rollup verify, rollup rebuild: are sums and map of villages what a full recount finds?"""

from argparse import ArgumentParser, Namespace

from data_access import village_overview
from data_access.administration import administration
from data_access.commands import Command
from data_access.settings import Refusal, Settings
from data_access.village_overview import Difference, MapDifference

_SHOWN = 20  # differences


def _add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "what",
        choices=["verify", "rebuild"],
        help="verify: compare with a full recount; rebuild: count anew",
    )


def _rollup(arguments: Namespace, settings: Settings) -> int:
    with administration(settings, action=f"rollup.{arguments.what}") as connection:
        if arguments.what == "rebuild":
            village_overview.rebuild(connection)
        sums = village_overview.list_differences(connection)
        shown = village_overview.list_map_differences(connection)
        counts = (
            village_overview.count_sums(connection),
            village_overview.count_map_rows(connection),
        )
    counted = f"{counts[0]} sums and {counts[1]} rows of the map"
    if not sums and not shown:
        print(f"{counted}; every one is what a full recount finds.")
        return 0
    lines = [_line(each) for each in sums] + [_line_of_map(each) for each in shown]
    print("\n".join(lines[:_SHOWN]))
    raise Refusal(
        f"{len(lines)} of {counted} are not what a full recount finds."
        " Count them anew with: ./portal rollup rebuild"
    )


def _line(difference: Difference) -> str:
    name = ":".join(part for part in (difference.measure, difference.code) if part)
    return (
        f"{difference.division_code} {difference.report_year} {name}:"
        f" kept {difference.kept}, counted {difference.counted}"
    )


def _line_of_map(difference: MapDifference) -> str:
    return (
        f"{difference.division_code} map, {difference.shown}:"
        f" kept {difference.kept}, counted {difference.counted}"
    )


COMMANDS = {"rollup": Command(_rollup, _add_arguments)}
