"""The commands of `./portal`: one module a subject, imported only when one of its own is called.

So `./portal help` needs nothing but Python itself.
"""

from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from dataclasses import dataclass

from data_access.settings import Settings


@dataclass(frozen=True, slots=True)
class Command:
    """How one command reads its arguments, and how it does its work; it returns the exit code."""

    execute: Callable[[Namespace, Settings], int]
    add_arguments: Callable[[ArgumentParser], None] = lambda parser: None
    passes_on: bool = False  # what the parser does not know goes on to another program, as `rest`


# Every command by name: its module, and the line of `./portal help` ('' for one that stays hidden).
SUMMARIES: dict[str, tuple[str, str]] = {
    "run": ("serve", "start the database, the worker and the pages, and serve"),
    "dev": ("serve", "the same with a demo database and reloading"),
    "worker": ("serve", ""),
    "migrate": ("serve", ""),
    "test": ("develop", "format, lint, types and all tests"),
    "check": ("develop", "the fast half: format, lint, types, unit and property tests"),
    "bench": ("develop", "the benchmarks: a table, and the figures as JSON under var/bench/"),
    "requirements": ("develop", "compile the requirements with their hashes"),
    "docs": ("develop", "print the generated pages of docs/ anew"),
    "status": ("status", "counts and health; --json for programs"),
    "database-url": ("status", "the connection URL of the database in use"),
    "user": ("user", "accounts: add, list, unlock, reset, disable, grant"),
    "import": ("imports", "divisions, boundaries, villages, earlier progress sheets from a file"),
    "export": ("exports", "divisions, villages, natural villages into a file to import again"),
    "audit": ("audit", "verify: check the trail and its anchors"),
    "rollup": ("rollup", "verify: compare sums and map of villages with a recount; rebuild: anew"),
    "backup": ("backup", "write database, uploads and anchors into one archive"),
    "restore": ("backup", "bring a backup back"),
    "help": ("", "this list"),
}
