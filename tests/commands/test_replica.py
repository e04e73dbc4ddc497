"""A primary and a real streaming replica: who answers a read, and that it is never stale."""

import json
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path
from time import monotonic

import psycopg
import pytest
import streamlit as st
from starlette.applications import Starlette
from starlette.testclient import TestClient

from components.routes import health
from data_access import __main__ as commands
from data_access import progress, read_replica
from data_access.database import transaction
from data_access.read_replica import ReplicaHealth, read
from domain.access import Actor
from tests.actors import CITY, COUNTY
from tests.conftest import run_as_postgres
from tests.pages.conftest import open_page
from tests.patience import wait_until

__all__ = ["open_page"]


class Replica:
    """A standby of the session's cluster, made by pg_basebackup."""

    def __init__(self, primary: Path, home: Path) -> None:
        self.home = home
        self.url = f"postgresql://portal@/portal_test?host={home}"
        self._data = str(home / "data")
        self._options = (
            f"-c listen_addresses='' -c unix_socket_directories={home} -c fsync=off"
            " -c max_connections=200 -c hot_standby_feedback=on"
        )
        copy = ("-c", "fast", "-R", "-X", "stream", "--no-sync")
        run_as_postgres("pg_basebackup", "-h", str(primary), "-U", "owner", "-D", self._data, *copy)

    def start(self) -> None:
        log = str(self.home / "log")
        run_as_postgres("pg_ctl", "-D", self._data, "-o", self._options, "-l", log, "-w", "start")

    def kill(self) -> None:
        run_as_postgres("pg_ctl", "-D", self._data, "-m", "immediate", "-w", "stop")

    def signal(self, number: signal.Signals) -> None:
        """Stop or continue every process of the server, as a machine that hangs does."""
        first = int((self.home / "data" / "postmaster.pid").read_text().split()[0])
        backends = Path(f"/proc/{first}/task/{first}/children").read_text().split()
        for pid in (first, *map(int, backends)):
            os.kill(pid, number)

    def connect(self) -> psycopg.Connection:
        return psycopg.connect(
            f"host={self.home} user=owner dbname=portal_test", autocommit=True, connect_timeout=5
        )


@pytest.fixture(scope="module")
def standby(cluster: Path, template: str) -> Iterator[Replica]:
    home = Path(tempfile.mkdtemp(prefix="replica-"))
    if os.geteuid() == 0:
        shutil.chown(home, "postgres")
    replica = Replica(cluster, home)
    replica.start()
    yield replica
    replica.kill()
    shutil.rmtree(home)


@pytest.fixture
def replica(
    standby: Replica, owner: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Replica]:
    """The portal of the test reads from the replica, which has come as far as the primary."""
    monkeypatch.setenv("PORTAL_READ_DATABASE_URL", standby.url)
    monkeypatch.setenv("PORTAL_READ_LAG_SECONDS", "1")
    st.cache_resource.clear()
    until_health(ReplicaHealth.SERVING)
    yield standby
    read_replica.close_replica()


class AskedThePrimary(Exception):
    """A read that the replica should have answered went on to the primary."""


@pytest.fixture
def replica_alone(replica: Replica, leader: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    """No read falls back: a busy machine is no reason, and the primary refuses."""

    def refuse(*_: object, **__: object) -> None:
        raise AskedThePrimary

    for limit in ("_PATIENCE", "_LONGEST_LOOK"):
        monkeypatch.setattr(read_replica, limit, 30)
    wait_until(lambda: answered_by_replica(leader))
    monkeypatch.setattr(read_replica, "transaction", refuse)


def until_health(health: ReplicaHealth) -> float:
    def stands() -> bool:
        state = read_replica.replica_state()
        return state is not None and state.health is health

    return wait_until(stands)


def answered_by_replica(actor: Actor) -> bool:
    """Tell who answered a read of the actor's."""

    def is_replica(connection: read_replica.Connection) -> bool:
        return bool(connection.exec_driver_sql("SELECT pg_is_in_recovery()").scalar())

    return read(actor, is_replica)


def names(actor: Actor) -> set[str]:
    moment, day = progress.moment_of(None)
    return {unit.code for unit in read(actor, lambda c: progress.list_units(c, moment, day))}


def version(actor: Actor) -> str:
    return read(actor, progress.data_version)


def move_data(owner: psycopg.Connection) -> str:
    """Change what a dashboard shows; return the version that every later read must have."""
    owner.execute("INSERT INTO dashboard_change DEFAULT VALUES")
    with transaction(None, read_only=True) as connection:
        return progress.data_version(connection)


def test_reads_go_to_the_replica_and_see_what_was_just_written(replica, owner, leader):
    wait_until(lambda: answered_by_replica(leader))
    for _ in range(20):
        written = move_data(owner)
        assert version(leader) == written
    wait_until(lambda: answered_by_replica(leader))


def test_the_replica_keeps_to_scope_and_writes_nothing(replica_alone, city, leader):
    assert {code[:4] for code in names(city)} == {CITY[:4]}
    assert len(names(leader)) == 111
    with pytest.raises(AskedThePrimary):
        read(leader, lambda c: c.exec_driver_sql("INSERT INTO dashboard_change DEFAULT VALUES"))


def test_a_killed_replica_is_replaced_within_two_seconds_and_comes_back(replica, owner, leader):
    wait_until(lambda: answered_by_replica(leader))
    replica.kill()
    began = monotonic()
    try:
        written = move_data(owner)
        assert version(leader) == written
        assert not answered_by_replica(leader)
        assert monotonic() - began < 3
        until_health(ReplicaHealth.AWAY)
    finally:
        replica.start()
    assert wait_until(lambda: answered_by_replica(leader)) < 10


@pytest.mark.parametrize(
    ("page", "query"),
    [("overview", {}), ("unit", {"code": COUNTY}), ("figures", {}), ("compile_units", {})],
)
def test_the_replica_alone_answers_a_dashboard(
    page, query, submission, replica_alone, leader, open_page
):
    assert not open_page(leader, page, **query).exception


def test_the_overview_stays_on_the_screen_while_the_replica_dies(replica, leader, open_page):
    page = open_page(leader, "overview")
    replica.kill()
    try:
        for _ in range(3):
            st.cache_resource.clear()
            page.run()
            assert not page.exception
            assert not page.error
            assert "单位" in "".join(element.value for element in page.get("html"))
    finally:
        replica.start()


def test_a_read_that_the_replica_dies_under_is_answered_by_the_primary(replica, leader):
    asked = []

    def question(connection: read_replica.Connection) -> bool:
        asked.append(connection)
        if len(asked) == 1:
            replica.kill()
        return bool(connection.exec_driver_sql("SELECT pg_is_in_recovery()").scalar())

    try:
        assert read(leader, question) is False
        assert len(asked) == 2
    finally:
        replica.start()


def test_a_replica_that_hangs_holds_nobody_for_long(replica, leader):
    wait_until(lambda: answered_by_replica(leader))
    replica.signal(signal.SIGSTOP)
    try:
        began = monotonic()
        assert not answered_by_replica(leader)
        assert monotonic() - began < 5
        began = monotonic()
        assert not answered_by_replica(leader)
        assert monotonic() - began < 1
    finally:
        replica.signal(signal.SIGCONT)
    until_health(ReplicaHealth.SERVING)


def test_a_paused_replay_is_noticed_and_never_shown_as_fresh(replica, owner, leader):
    with replica.connect() as standby:
        standby.execute("SELECT pg_wal_replay_pause()")
        wait_until(lambda: paused(standby))
        try:
            for _ in range(5):
                written = move_data(owner)
                assert version(leader) == written
            noticed = until_health(ReplicaHealth.BEHIND)
            assert noticed < 5
            assert version(leader) == written
            state = read_replica.replica_state()
            assert state.lag_seconds > 1
            assert state.lag_bytes > 0
        finally:
            standby.execute("SELECT pg_wal_replay_resume()")
    wait_until(lambda: answered_by_replica(leader))
    assert version(leader) == written


def paused(standby: psycopg.Connection) -> bool:
    return standby.execute("SELECT pg_get_wal_replay_pause_state()").fetchone() == ("paused",)


def test_a_cache_never_keeps_the_past_under_a_new_version(replica, owner, leader):
    """The primary names a version; what a read finds after it holds at least as much."""
    with replica.connect() as standby:
        for paused_now in (True, False, True, False):
            verb = "pause" if paused_now else "resume"
            standby.execute(f"SELECT pg_wal_replay_{verb}()")
            for _ in range(3):
                written = move_data(owner)
                assert int(version(leader).split("-")[1]) >= int(written.split("-")[1])


def test_an_address_that_leads_to_no_replica_is_told_and_not_used(
    owner, cluster, leader, monkeypatch
):
    monkeypatch.setenv(
        "PORTAL_READ_DATABASE_URL", f"postgresql://portal@/portal_test?host={cluster}"
    )
    try:
        until_health(ReplicaHealth.NO_REPLICA)
        assert not answered_by_replica(leader)
    finally:
        read_replica.close_replica()


def test_health_tells_how_the_replica_stands(replica):
    told = TestClient(Starlette(routes=health.ROUTES)).get("/health").json()
    assert told["replica"] == "serving"
    assert told["replica_lag_seconds"] < 1


def test_status_tells_the_lag(replica, cluster, monkeypatch, capsys):
    primary = f"postgresql://owner@/portal_test?host={cluster}"
    monkeypatch.setenv("PORTAL_DATABASE_URL", primary)
    assert commands.main(["status", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["replica"] == "serving"
    assert told["replica_lag_seconds"] < 1
    assert told["replica_lag_bytes"] >= 0


def test_the_lag_is_measured_from_outside_too(replica, cluster):
    primary = f"postgresql://portal@/portal_test?host={cluster}"
    state = read_replica.look_once(primary, replica.url, 1)
    assert state.health is ReplicaHealth.SERVING
    assert state.lag_seconds < 1
    with replica.connect():
        away = read_replica.look_once(primary, "postgresql://portal@/nowhere?host=/nowhere", 1)
    assert away.health is ReplicaHealth.AWAY
