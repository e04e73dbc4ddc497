"""rollup verify, rollup rebuild: are the sums of village evaluations what a full recount finds?"""

from argparse import ArgumentParser, Namespace

from data_access import village_overview
from data_access.administration import administration
from data_access.commands import Command
from data_access.settings import Refusal, Settings
from data_access.village_overview import Difference

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
        differences = village_overview.list_differences(connection)
        sums = village_overview.count_sums(connection)
    if not differences:
        print(f"{sums} sums; every one is what a full recount finds.")
        return 0
    print("\n".join(_line(difference) for difference in differences[:_SHOWN]))
    raise Refusal(
        f"{len(differences)} of {sums} sums are not what a full recount finds."
        " Count them anew with: ./portal rollup rebuild"
    )


def _line(difference: Difference) -> str:
    name = ":".join(part for part in (difference.measure, difference.code) if part)
    return (
        f"{difference.division_code} {difference.report_year} {name}:"
        f" kept {difference.kept}, counted {difference.counted}"
    )


COMMANDS = {"rollup": Command(_rollup, _add_arguments)}
