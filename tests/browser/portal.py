"""A real portal for the browser tests: its own processes, its own data directory."""

import csv
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.paths import ROOT
from tests.ports import free_port

_PATIENCE = 420  # seconds: a demo of every village, and two cores busy with other things


class Portal:
    """`./portal run` against a database of the test cluster, with the demo in it."""

    def __init__(
        self,
        data_dir: Path,
        database: str,
        cluster: Path,
        options: Sequence[str] = (),
        settings: Mapping[str, str] | None = None,
    ) -> None:
        self.data_dir = data_dir
        self.owner_url = f"postgresql://owner@/{database}?host={cluster}"
        self.portal_url = f"postgresql://portal@/{database}?host={cluster}"
        self._options = options
        self._settings = settings or {}
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start the portal and wait until it answers."""
        environment = {name: value for name, value in os.environ.items() if name != "PORTAL_NOW"}
        options = ("--data-dir", str(self.data_dir), "--port", str(self.port))
        self._process = subprocess.Popen(
            [sys.executable, "-m", "data_access", "run", *options, *self._options],
            cwd=ROOT,
            env=environment
            | {
                "PYTHONPATH": str(ROOT),
                "PORTAL_DATABASE_URL": self.portal_url,
                "PORTAL_OWNER_DATABASE_URL": self.owner_url,
            }
            | dict(self._settings),
            stdout=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + _PATIENCE
        while not self._answers():
            assert self._process.poll() is None, "the portal ended while starting"
            assert time.monotonic() < deadline, "the portal does not answer"
            self._process_wait(0.1)

    def stop(self) -> None:
        """Stop the portal as Ctrl-C would."""
        if self._process and self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait(60)

    def restart(self) -> None:
        self.stop()
        self.start()

    def children(self, words: str) -> list[int]:
        """Return the children of the supervisor whose command line holds the words."""
        assert self._process
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            try:
                parent = int((process / "stat").read_text().rpartition(")")[2].split()[1])
                line = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            except OSError:  # it has ended meanwhile
                continue
            if parent == self._process.pid and words in line:
                found.append(int(process.name))
        return found

    def web_process(self, number: int) -> int:
        """Return the process id of a web process behind the proxy, counted from 1."""
        (found,) = self.children(f"--server.port={self.port + number}")
        return found

    def web_url(self, number: int) -> str:
        """Return the address of a web process behind the proxy; 0 is the proxy."""
        return f"http://127.0.0.1:{self.port + number}"

    def password(self, username: str) -> str:
        """Return the password of a demo account."""
        with (self.data_dir / "demo_accounts.csv").open(encoding="utf-8", newline="") as file:
            return next(r["password"] for r in csv.DictReader(file) if r["username"] == username)

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/health", timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def _process_wait(self, seconds: float) -> None:
        """Wait a moment for the process, which normally does not end."""
        assert self._process is not None
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return
