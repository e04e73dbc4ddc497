"""`./portal run` from nothing, in a checkout with a space in its path: one portal for the file."""

import json
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.request import urlopen

import psycopg
import pytest

from data_access.settings import CHECKOUT
from tests.commands.conftest import Finished, bare_environment, portal, refusal
from tests.patience import wait_until
from tests.ports import free_port

LEFT_BEHIND = shutil.ignore_patterns(".venv", ".git", "var", ".*_cache", "__pycache__")


@dataclass
class Portal:
    """A portal in a checkout of its own, started and killed as a test likes."""

    checkout: Path
    port: int
    process: subprocess.Popen[bytes] | None = field(default=None)

    def start(self) -> None:
        command = [self.checkout / "portal", "run", "--no-demo", "--port", str(self.port)]
        with (self.checkout / "said").open("wb") as said:
            self.process = subprocess.Popen(
                command, cwd="/", env=bare_environment(), stdout=said, stderr=said
            )
        wait_until(lambda: "The portal is at" in self.said() or not self.runs())
        assert self.runs(), self.said()

    def said(self) -> str:
        return (self.checkout / "said").read_text()

    def runs(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def end(self, by: signal.Signals) -> int:
        assert self.process
        self.process.send_signal(by)
        return self.process.wait(30)

    def type(self, *line: str) -> Finished:
        return portal(*line, checkout=self.checkout)

    def answers(self) -> bool:
        try:
            with urlopen(f"http://127.0.0.1:{self.port}/health", timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:  # refused, too slow, or an answer of 503
            return False

    def postgres(self) -> int:
        lock = self.checkout / "var" / "postgres" / "data" / "postmaster.pid"
        return int(lock.read_text().split()[0])

    def children(self) -> list[int]:
        """Return every process whose command line or folder lies in this checkout."""
        mine = str(self.checkout).encode()
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            try:
                if mine in (process / "cmdline").read_bytes():
                    found.append(int(process.name))
            except OSError:
                continue
        return found


@pytest.fixture(scope="module")
def running(folder: Path) -> Iterator[Portal]:
    checkout = folder / "a checkout"
    shutil.copytree(CHECKOUT, checkout, ignore=LEFT_BEHIND)
    (checkout / ".venv").symlink_to(CHECKOUT / ".venv")
    made = Portal(checkout, free_port())
    try:
        made.start()
        yield made
    finally:
        if made.runs():
            made.end(signal.SIGKILL)
        wait_until(lambda: not made.children())


def test_it_starts_from_nothing_and_counts_its_units(running):
    assert running.answers()
    status = json.loads(running.type("status", "--json").stdout)
    assert status["database"] == "ok"
    assert (status["reporting_units"], status["compile_units"]) == (111, 72)
    assert status["accounts"] == 0


def test_the_url_it_prints_leads_to_its_own_database(running):
    url = running.type("database-url").stdout.strip()
    with psycopg.connect(url) as connection:
        found = connection.execute("SHOW data_directory").fetchone()
    assert found == (str(running.checkout / "var" / "postgres" / "data"),)


def test_the_web_processes_hold_a_login_that_owns_nothing(running):
    url = running.type("database-url", "--login", "portal").stdout.strip()
    with psycopg.connect(url) as connection:
        owned = connection.execute(
            "SELECT count(*) FROM pg_class WHERE pg_get_userbyid(relowner) = current_user"
        ).fetchone()
        assert owned == (0,)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("DELETE FROM row_change")


def test_a_second_portal_on_the_same_data_is_refused(running):
    sentence = refusal(running.type("run", "--port", "1"))
    assert "Port 1" in sentence or "is running" in sentence
    data = str(running.checkout / "var")
    assert f"is running on {data}" in refusal(portal("run", "--port", "0", "--data-dir", data))


def test_it_brings_back_a_database_that_was_killed(running):
    before = running.postgres()
    os.kill(before, signal.SIGKILL)
    wait_until(lambda: "starting it again" in running.said())
    wait_until(running.answers)
    assert running.postgres() != before


def test_killed_it_leaves_no_process_and_starts_again(running):
    running.end(signal.SIGKILL)
    wait_until(lambda: not running.children())
    running.start()
    assert running.answers()


def test_it_stops_cleanly_when_asked(running):
    assert running.end(signal.SIGTERM) == 0
    assert not running.children()
    log = (running.checkout / "var" / "log" / "postgres.log").read_text()
    assert log.rstrip().endswith("database system is shut down")
