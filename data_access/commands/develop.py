"""test, check, bench, requirements, docs: what a developer and CI type."""

import os
import subprocess
import sys
from argparse import Namespace

from data_access.commands import Command
from data_access.settings import CHECKOUT, Refusal, Settings

_STATIC = (("ruff", "format", "--check", "."), ("ruff", "check", "."), ("mypy",))


def _test(arguments: Namespace, settings: Settings) -> int:
    return _static_then("pytest", *arguments.rest)


def _check(arguments: Namespace, settings: Settings) -> int:
    return _static_then("pytest", "tests/unit", "tests/properties", *arguments.rest)


def _static_then(*tests: str) -> int:
    """Run every check, so that one look shows all; the tests come last, with their summary."""
    # A test makes what it needs: the settings of an installation must not lead it there.
    for name in [name for name in os.environ if name.startswith("PORTAL_")]:
        if name != "PORTAL_POSTGRES_BIN":
            del os.environ[name]
    return max([_module(*command) for command in (*_STATIC, tests)])


def _bench(arguments: Namespace, settings: Settings) -> int:
    os.environ["PORTAL_DATA_DIR"] = str(settings.data_dir)
    return _module("tests.benchmarks", *arguments.rest)


def _requirements(arguments: Namespace, settings: Settings) -> int:
    for name in ("requirements", "requirements-dev"):
        compiled = _module(
            *("uv", "pip", "compile", "-q", "--generate-hashes"),
            *(f"{name}.in", "-o", f"{name}.txt", *arguments.rest),
        )
        if compiled:
            raise Refusal(f"{name}.in could not be compiled: see the lines above.")
    return 0


def _docs(arguments: Namespace, settings: Settings) -> int:
    from data_access.administration import administration
    from data_access.schema_document import schema_markdown

    with administration(settings) as connection:
        page = schema_markdown(connection)
    (CHECKOUT / "docs" / "schema.md").write_text(page, encoding="utf-8")
    return 0


def _module(*command: str) -> int:
    return abs(subprocess.run([sys.executable, "-m", *command], cwd=CHECKOUT).returncode)


COMMANDS = {
    "test": Command(_test, passes_on=True),
    "check": Command(_check, passes_on=True),
    "bench": Command(_bench, passes_on=True),
    "docs": Command(_docs),
    "requirements": Command(_requirements, passes_on=True),
}
