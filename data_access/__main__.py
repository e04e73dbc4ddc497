"""The commands behind `./portal`: do the work, or say in one sentence why not."""

import logging
import os
import secrets
import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from importlib import import_module
from typing import NoReturn

from data_access.commands import SUMMARIES, Command
from data_access.settings import Refusal, Settings, read_settings
from domain.errors import PortalError


class _Parser(ArgumentParser):
    def error(self, message: str) -> NoReturn:
        sentence = message[0].upper() + message[1:]
        raise Refusal(f"{sentence}; see {self.prog} --help.")


def main(line: Sequence[str]) -> int:
    """Run one command and return its exit code: 0 done, 1 not done, 130 interrupted."""
    try:
        return _dispatch(list(line))
    except Refusal as refusal:
        return _fail(str(refusal))
    except PortalError as error:
        return _fail(_sentence(error))
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        return 1
    except OSError as error:
        return _fail(f"{error.strerror or error}: {error.filename or 'no file'}.")
    except Exception as fault:
        return _fail(_log(fault, read_settings(_data_dir(line))))


def _dispatch(line: list[str]) -> int:
    name, *arguments = line or ["help"]
    for word in [name, *arguments] if name == "help" else [name]:
        if word not in SUMMARIES:
            raise Refusal(f"There is no command {word!r}: see ./portal help.")
    if name == "help":
        print(_help())
        return 0
    module = import_module(f"data_access.commands.{SUMMARIES[name][0]}")
    command: Command = module.COMMANDS[name]
    parser = _parser(name, command)
    parsed, rest = parser.parse_known_args(arguments)
    if command.passes_on:
        parsed.rest = rest
    elif rest:
        parser.error(f"unknown arguments {' '.join(rest)}")
    settings = read_settings(parsed.data_dir)
    # The store of files, in this process or a child, finds its folder by the environment.
    os.environ["PORTAL_DATA_DIR"] = str(settings.data_dir)
    return command.execute(parsed, settings)


def _parser(name: str, command: Command) -> ArgumentParser:
    parser = _Parser(prog=f"./portal {name}", description=SUMMARIES[name][1])
    _add_data_dir(parser)
    command.add_arguments(parser)
    return parser


def _data_dir(line: Sequence[str]) -> str | None:
    parser = ArgumentParser(add_help=False, exit_on_error=False)
    _add_data_dir(parser)
    folder: str | None = parser.parse_known_args(line)[0].data_dir
    return folder


def _add_data_dir(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--data-dir",
        metavar="FOLDER",
        help="where the portal keeps its data (PORTAL_DATA_DIR, else var/)",
    )


def _help() -> str:
    listed = {name: summary for name, (_, summary) in SUMMARIES.items() if summary}
    lines = [f"  {name:<14}{summary}" for name, summary in listed.items()]
    tail = "Every command takes --data-dir and explains itself with --help."
    return "\n".join(["./portal COMMAND [OPTIONS]", "", *lines, "", tail])


def _sentence(error: PortalError) -> str:
    """Return an English sentence: the Chinese ones are for the pages, and live in components."""
    details = {name: value for name, value in error.details.items() if name != "problems"}
    said = ", ".join(f"{name} {value}" for name, value in details.items())
    problems = error.details.get("problems")
    if isinstance(problems, list) and problems:
        said += f": {problems[0]}" + (f" (and {len(problems) - 1} more)" if problems[1:] else "")
    words = "".join(f" {c.lower()}" if c.isupper() else c for c in type(error).__name__).strip()
    return f"Refused, {words}: {said.removesuffix('。') or 'no details'}."


def _fail(sentence: str) -> int:
    print(" ".join(sentence.split()), file=sys.stderr)
    return 1


def _log(fault: Exception, settings: Settings) -> str:
    """Write the fault down under an id; return the sentence that names both."""
    if "OperationalError" in type(fault).__name__:
        return f"The database does not answer: {fault}."
    number = secrets.token_hex(4)
    log = settings.log_dir / "commands.log"
    log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    logging.basicConfig(filename=log, format="%(asctime)s %(message)s", force=True)
    logging.error("fault %s", number, exc_info=fault)
    return f"The program failed: its log {log} says more under {number}."


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
