"""Data directories of a test's own, and `./portal` as a person types it."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from data_access import __main__ as commands
from data_access.settings import CHECKOUT

Finished = subprocess.CompletedProcess[str]


@pytest.fixture(autouse=True, scope="module")
def _no_settings_from_outside() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("PORTAL_")]:
            if name != "PORTAL_POSTGRES_BIN":
                patch.delenv(name)
        patch.setenv("PORTAL_DATA_DIR", "")  # a command run in this process sets it
        yield


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """A folder with a space in its name, which the server's user may enter."""
    home = Path(tempfile.mkdtemp(prefix="portal "))
    home.chmod(0o711)
    yield home
    shutil.rmtree(home)


def bare_environment() -> dict[str, str]:
    """Return the environment without settings of a portal: a command in this process leaves one."""
    return {name: value for name, value in os.environ.items() if name != "PORTAL_DATA_DIR"}


def portal(*line: str | Path, checkout: Path = CHECKOUT) -> Finished:
    """Type one command at the door, in another folder than the checkout."""
    return subprocess.run(
        [checkout / "portal", *line],
        capture_output=True,
        text=True,
        cwd="/",
        env=bare_environment(),
        timeout=100,
    )


def refusal(finished: Finished) -> str:
    """Return the one sentence of a command that did not do its work."""
    assert finished.returncode != 0
    sentence = finished.stderr.strip()
    assert sentence.endswith(".")
    assert "\n" not in sentence
    assert "Traceback" not in sentence
    return sentence


@pytest.fixture
def type_command(
    owner: psycopg.Connection, cluster: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., int]:
    """Return what runs a command in this process, on the test's database."""
    url = f"postgresql+psycopg://owner@/portal_test?host={cluster}"
    monkeypatch.setenv("PORTAL_OWNER_DATABASE_URL", url)
    monkeypatch.setenv("PORTAL_DATA_DIR", str(tmp_path))
    return lambda *line: commands.main([str(word) for word in line])
