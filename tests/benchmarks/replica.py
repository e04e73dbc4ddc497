"""The leader's reads over a streaming replica on the same machine, while others write."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from time import perf_counter, sleep
from urllib.parse import quote, urlsplit

import psycopg

from data_access import database, postgis, progress, read_replica
from data_access.database import transaction
from data_access.read_replica import Connection, read
from domain.access import Actor, Grant, Role
from tests.benchmarks.figures import Figure, percentile
from tests.benchmarks.portal import BenchPortal
from tests.patience import wait_until
from tests.ports import free_port

_READS, _SAMPLES, _WRITERS = 200, 400, 4


@dataclass(frozen=True, slots=True)
class _Replica:
    url: str
    owner_url: str
    home: Path
    user: str | None

    def run(self, program: str, *arguments: str, **environment: str) -> None:
        """Run one of PostgreSQL's programs as the user of the replica's files."""
        programs = postgis.find_programs()
        assert programs
        subprocess.run(
            [programs / program, *arguments],
            check=True,
            cwd="/",
            user=self.user,
            group=self.user,
            extra_groups=[] if self.user else None,
            env={**os.environ, **environment},
            stdout=subprocess.DEVNULL,
        )

    def stop(self) -> None:
        """Stop it at once, as a machine does that loses its power."""
        self.run("pg_ctl", "-D", str(self.home / "data"), "-m", "immediate", "-w", "stop")

    def start(self) -> None:
        port = urlsplit(self.url).port
        places = (
            f"-c port={port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={self.home}"
        )
        at = ("-D", str(self.home / "data"), "-l", str(self.home / "log"))
        self.run("pg_ctl", *at, "-o", f"{places} -c hot_standby_feedback=on", "-w", "start")


def replica_figures(portal: BenchPortal) -> list[Figure]:
    """Measure lag, reads and the change-over, with others writing all the while."""
    with _replica(portal) as replica, _reading_from(portal, replica) as leader:
        with _writing(portal):
            lags = [_seconds_to_replica(portal, replica) for _ in range(_SAMPLES)]
            served, times = _reads(leader)
            direct = [_seconds_of_primary(leader) for _ in range(_READS)]
        replica.stop()
        began = perf_counter()
        longest = max(_timed(leader)[1] for _ in range(20))
        away = perf_counter() - began
        replica.start()
        began = perf_counter()
        wait_until(lambda: _timed(leader)[0])
        back = perf_counter() - began
    here, there = percentile(times, 0.5) * 1000, percentile(direct, 0.5) * 1000
    half, late = (percentile(lags, share) * 1000 for share in (0.5, 0.95))
    beside = f"p50 {half:.1f} ms, {_WRITERS} writers"
    return [
        Figure("replica: commit to visible, p95", late, "ms", 250, beside=beside),
        Figure("replica: reads it answered under writes", 100 * served, "%", 50, at_least=True),
        Figure("replica: such a read, times the primary's own", here / there, "", 1.5,
               beside=f"p50 {here:.1f} ms, of the primary {there:.1f} ms"),
        Figure("replica: longest of 20 reads after its death", longest * 1000, "ms", 2000,
               beside=f"{away:.2f} s for all 20"),
        Figure("replica: asked again after its start", back, "s", 5),
    ]  # fmt: skip


@contextmanager
def _replica(portal: BenchPortal) -> Iterator[_Replica]:
    home, port = Path(tempfile.mkdtemp(prefix="replica-")), free_port()
    user = "postgres" if os.geteuid() == 0 else None
    if user:
        shutil.chown(home, user)
    primary = urlsplit(portal.owner_url)
    place = f"127.0.0.1:{port}/portal"
    login = urlsplit(portal.portal_url)
    replica = _Replica(
        url=f"postgresql://{login.username}:{quote(login.password or '')}@{place}",
        owner_url=f"postgresql://{primary.username}:{quote(primary.password or '')}@{place}",
        home=home,
        user=user,
    )
    source = ("-h", "127.0.0.1", "-p", str(primary.port), "-U", str(primary.username))
    how = ("-R", "-X", "stream", "-c", "fast")
    password = primary.password or ""
    data = str(home / "data")
    replica.run("pg_basebackup", *source, "-D", data, *how, PGPASSWORD=password)
    replica.start()
    try:
        yield replica
    finally:
        replica.stop()
        shutil.rmtree(home)


@contextmanager
def _reading_from(portal: BenchPortal, replica: _Replica) -> Iterator[Actor]:
    """Let this process read as a web process does; yield the leader."""
    os.environ["PORTAL_DATABASE_URL"] = portal.portal_url
    os.environ["PORTAL_READ_DATABASE_URL"] = replica.url
    database.engine.cache_clear()
    leader = Actor(1, "leader", (Grant(Role.LEADER, "360000", "36"),))
    wait_until(lambda: _timed(leader)[0])
    try:
        yield leader
    finally:
        read_replica.close_replica()
        database.engine().dispose()
        del os.environ["PORTAL_READ_DATABASE_URL"]


@contextmanager
def _writing(portal: BenchPortal) -> Iterator[None]:
    """Write with several writers, a row and its trail each time, until the block ends."""
    ended = Event()

    def write() -> None:
        with psycopg.connect(portal.owner_url, autocommit=True) as owner:
            while not ended.is_set():
                owner.execute(
                    "UPDATE account SET organisation = organisation || '' WHERE user_id = 1"
                )
                sleep(0.005)

    with ThreadPoolExecutor(_WRITERS) as writers:
        for _ in range(_WRITERS):
            writers.submit(write)
        try:
            yield
        finally:
            ended.set()


def _seconds_to_replica(portal: BenchPortal, replica: _Replica) -> float:
    """Return the seconds from a commit on the primary until the replica shows it."""
    with (
        psycopg.connect(portal.owner_url, autocommit=True) as primary,
        psycopg.connect(replica.owner_url, autocommit=True) as standby,
    ):
        row = primary.execute(
            "INSERT INTO dashboard_change DEFAULT VALUES RETURNING dashboard_change_id"
        ).fetchone()
        began = perf_counter()
        seen = "SELECT FROM dashboard_change WHERE dashboard_change_id = %s"
        while standby.execute(seen, row).rowcount == 0:
            pass
        return perf_counter() - began


def _reads(leader: Actor) -> tuple[float, list[float]]:
    """Return the share of reads that the replica answered, and the seconds of each."""
    answers = [_timed(leader) for _ in range(_READS)]
    return sum(by_replica for by_replica, _ in answers) / _READS, [each for _, each in answers]


def _seconds_of_primary(leader: Actor) -> float:
    moment, day = progress.moment_of(None)
    began = perf_counter()
    with transaction(leader, read_only=True) as connection:
        assert progress.list_units(connection, moment, day)
    return perf_counter() - began


def _timed(leader: Actor) -> tuple[bool, float]:
    """Read the units as the overview does; tell whether the replica answered, and the seconds."""
    moment, day = progress.moment_of(None)

    def question(connection: Connection) -> bool:
        assert progress.list_units(connection, moment, day)
        return bool(connection.exec_driver_sql("SELECT pg_is_in_recovery()").scalar())

    began = perf_counter()
    by_replica = read(leader, question)
    return by_replica, perf_counter() - began
