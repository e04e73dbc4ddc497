"""What a storm breaks: processes killed with -9, and how long until they serve again."""

import asyncio
import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

import httpx
import psycopg

from tests.benchmarks.portal import BenchPortal

_LOOK = 0.05  # seconds
_LONGEST = 120  # seconds


@dataclass(frozen=True, slots=True)
class Fault:
    """What was killed, when (of `time.monotonic`), and when it served again."""

    name: str
    began: float
    back: float
    route: str
    """The web process that was killed; empty for the database, which concerns everybody."""


async def kill_web(portal: BenchPortal, number: int) -> Fault:
    """Kill a web process behind the proxy; wait until a new one answers at its port."""
    port = int(portal.url.rsplit(":", 1)[1]) + number
    former, began = web_process(portal, port), time.monotonic()
    os.kill(former, signal.SIGKILL)
    await _until_healthy(f"http://127.0.0.1:{port}/health")
    return Fault(f"web process {number}", began, time.monotonic(), str(number))


async def kill_postmaster(portal: BenchPortal) -> Fault:
    """Kill the database's first process; wait until the portal says that it answers again."""
    former, began = postmaster(portal), time.monotonic()
    os.kill(former, signal.SIGKILL)
    while (await asyncio.to_thread(_file_of_postmaster, portal)) == former:
        await asyncio.sleep(_LOOK)
    await _until_healthy(f"{portal.url}/health")
    return Fault("postmaster", began, time.monotonic(), "")


def web_process(portal: BenchPortal, port: int) -> int:
    """Return the process that the supervisor keeps at a port."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((process / "stat").read_text().rpartition(")")[2].split()[1])
            line = (process / "cmdline").read_bytes().decode()
        except OSError:  # it has ended meanwhile
            continue
        if parent == portal.supervisor and f"--server.port={port}\0" in line:
            return int(process.name)
    raise ProcessLookupError(port)


def postmaster(portal: BenchPortal) -> int:
    """Return the database's first process."""
    number = _file_of_postmaster(portal)
    assert number
    return number


def _file_of_postmaster(portal: BenchPortal) -> int:
    try:
        with psycopg.connect(portal.owner_url, connect_timeout=2) as owner:
            row = owner.execute("SHOW data_directory").fetchone()
    except psycopg.OperationalError:
        return 0
    return int(Path(str(row[0] if row else ""), "postmaster.pid").read_text().split()[0])


async def _until_healthy(address: str) -> None:
    deadline = time.monotonic() + _LONGEST
    async with httpx.AsyncClient(timeout=5, trust_env=False) as client:
        while time.monotonic() < deadline:
            try:
                if (await client.get(address)).status_code == 200:
                    return
            except httpx.HTTPError:
                pass
            await asyncio.sleep(_LOOK)
    raise TimeoutError(address)
