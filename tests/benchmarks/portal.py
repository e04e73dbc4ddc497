"""A portal of the benchmark's own: real cluster, fsync on, the demo, production flags."""

import csv
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import psycopg

from tests.paths import ROOT
from tests.ports import free_port

_PATIENCE = 900  # seconds: a demo of every village on a machine that is busy


@dataclass(frozen=True, slots=True)
class BenchPortal:
    url: str
    data_dir: Path
    owner_url: str
    portal_url: str
    first_start_seconds: float
    supervisor: int = 0

    def token_of(self, username: str) -> str:
        """Open a session for a demo account without its form, and return its token."""
        token = f"bench-{username}-{time.time_ns()}"
        with psycopg.connect(self.owner_url, autocommit=True) as owner:
            owner.execute(
                "INSERT INTO portal_session (token_hash, user_id, expires_at)"
                " SELECT %s, user_id, now() + interval '2 hours' FROM account WHERE username = %s",
                [sha256(token.encode()).digest(), username],
            )
        return token

    def usernames(self, role: str) -> list[str]:
        """Return the demo accounts of a role."""
        with (self.data_dir / "demo_accounts.csv").open(encoding="utf-8", newline="") as file:
            return [row["username"] for row in csv.DictReader(file) if row["role"] == role]

    def web_process(self) -> int:
        """Return the process id of the Streamlit server."""
        port = self.url.rsplit(":", 1)[1]
        found = subprocess.run(
            ["pgrep", "-f", f"run app.py.*server.port={port}"],
            capture_output=True,
            text=True,
            check=True,
        )
        return int(found.stdout.split()[0])


@contextmanager
def running_portal(
    data_dir: Path, options: Sequence[str] = (), settings: Mapping[str, str] | None = None
) -> Iterator[BenchPortal]:
    """Start a portal from nothing, yield it, and stop it."""
    port = free_port()
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("PORTAL_") or name == "PORTAL_POSTGRES_BIN"
    } | dict(settings or {})
    command = [sys.executable, "-m", "data_access"]
    began = time.perf_counter()
    process = subprocess.Popen(
        [*command, "run", "--data-dir", str(data_dir), "--port", str(port), *options],
        cwd=ROOT,
        env=environment | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
    )
    try:
        _wait_for(f"http://127.0.0.1:{port}/health", process)
        seconds = time.perf_counter() - began
        urls = [
            subprocess.run(
                [*command, "database-url", "--data-dir", str(data_dir), "--login", login],
                cwd=ROOT,
                env=environment | {"PYTHONPATH": str(ROOT)},
                capture_output=True,
                text=True,
                check=True,
            ).stdout.strip()
            for login in ("owner", "portal")
        ]
        yield BenchPortal(
            f"http://127.0.0.1:{port}", data_dir, urls[0], urls[1], seconds, process.pid
        )
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def _wait_for(address: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        assert process.poll() is None, "the portal ended while starting"
        try:
            with urllib.request.urlopen(address, timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise TimeoutError(address)


def resident_bytes(process_id: int) -> int:
    """Return the memory a process holds now, in bytes."""
    for line in Path(f"/proc/{process_id}/status").read_text("ascii").splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) * 1024
    raise ProcessLookupError(process_id)
