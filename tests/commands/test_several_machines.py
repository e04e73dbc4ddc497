"""A second machine: its own data directory, the database of all machines, and pages alone."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import psycopg
import pytest

from data_access.settings import CHECKOUT
from tests.commands.conftest import bare_environment
from tests.patience import wait_until
from tests.ports import free_port


def run_web_only(folder: Path, url: str | None, *more: str) -> subprocess.Popen[str]:
    """Start what the second machine runs; its data directory is `second` in the folder."""
    environment = bare_environment() | {"PYTHONPATH": str(CHECKOUT)}
    if url:
        environment["PORTAL_DATABASE_URL"] = url
    command = [sys.executable, "-m", "data_access", "run", "--web-only", *more]
    return subprocess.Popen(
        [*command, "--data-dir", str(folder / "second")],
        cwd=CHECKOUT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture
def url(owner: psycopg.Connection, cluster: Path) -> str:
    """How the web processes reach the database of the test."""
    return f"postgresql://portal@/portal_test?host={cluster}"


@pytest.fixture
def port(folder: Path, url: str) -> Iterator[int]:
    """The second machine's port, while it runs."""
    port = free_port()
    process = run_web_only(folder, url, "--port", str(port))
    yield port
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 0


def answers(port: int) -> bool:
    try:
        with urlopen(f"http://127.0.0.1:{port}/health", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def test_a_second_machine_serves_and_leaves_jobs_and_anchors_to_the_first(folder, owner, port):
    wait_until(lambda: answers(port))
    assert (folder / "second" / "log" / f"web-{port}.log").exists()
    assert not (folder / "second" / "log" / "worker.log").exists()
    assert not (folder / "second" / "anchors" / "trail.jsonl").exists()
    assert owner.execute("SELECT max(anchor_no) FROM trail_anchor").fetchone() == (0,)


def test_a_machine_of_another_version_is_refused(folder, owner, url):
    owner.execute(
        "DELETE FROM schema_migration WHERE name = (SELECT max(name) FROM schema_migration)"
    )
    _, said = run_web_only(folder, url).communicate(timeout=60)
    assert "every machine to the same version" in said


def test_alone_it_has_no_database(folder):
    _, said = run_web_only(folder, None).communicate(timeout=60)
    assert "--web-only needs PORTAL_DATABASE_URL" in said
