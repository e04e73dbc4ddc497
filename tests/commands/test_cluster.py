"""The private cluster starts wherever its data directory lies, and after every kind of end."""

import json
import os
import shutil
import socket
from pathlib import Path

import psycopg
import pytest

from data_access import cluster, server
from data_access.settings import Refusal, Settings


def answer(settings: Settings, question: str) -> object:
    with (
        cluster.open_database(settings, create=True) as urls,
        psycopg.connect(urls.owner) as connection,
    ):
        row = connection.execute(question).fetchone()
    assert row
    return row[0]


@pytest.fixture
def settings(folder: Path) -> Settings:
    return Settings(data_dir=folder / "a data directory")


def test_it_speaks_utf8_and_beijing_time_and_loses_nothing(settings):
    names = ("server_encoding", "TimeZone", "fsync", "synchronous_commit")
    assert [answer(settings, f"SHOW {name}") for name in names] == [
        *("UTF8", "Asia/Shanghai", "on", "on")
    ]


def test_it_starts_beside_the_lock_of_a_server_that_is_gone(settings):
    answer(settings, "SELECT 1")
    lock = settings.data_dir / "postgres" / "data" / "postmaster.pid"
    lock.write_text(f"{os.getpid()}\n{lock.parent}\n")
    assert answer(settings, "SELECT 1") == 1


def test_it_ends_the_server_that_a_killed_portal_left(settings):
    with cluster.running_cluster(settings) as first, cluster.running_cluster(settings) as second:
        assert second.running
        assert not first.running


def test_a_port_that_is_taken_meanwhile_is_exchanged(settings, monkeypatch):
    find = server._free_port
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        first = iter([other.getsockname()[1]])
        monkeypatch.setattr(server, "_free_port", lambda wanted: next(first, 0) or find(wanted))
        assert answer(settings, "SELECT 1") == 1


def test_a_path_too_long_for_a_socket_is_no_obstacle(folder):
    settings = Settings(data_dir=folder / ("long" * 20) / ("longer" * 20))
    assert answer(settings, "SELECT 1") == 1


def test_lost_files_are_not_replaced_by_an_empty_database(settings):
    answer(settings, "SELECT 1")
    shutil.rmtree(settings.data_dir / "postgres")
    with pytest.raises(Refusal, match="are gone"):
        answer(settings, "SELECT 1")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has a second user to run the server as")
def test_where_the_server_may_not_enter_its_files_lie_elsewhere(folder):
    closed = folder / "closed"
    closed.mkdir(mode=0o700)
    settings = Settings(data_dir=closed / "var")
    assert answer(settings, "SELECT 1") == 1
    home = Path(json.loads((settings.data_dir / "cluster.json").read_text())["home"])
    assert not home.is_relative_to(folder)
    assert (home / "used-by").read_text().strip() == str(settings.data_dir)
    shutil.rmtree(home)


def test_a_server_that_cannot_start_is_told_with_its_log(folder):
    fresh = Settings(data_dir=folder / "broken")
    answer(fresh, "SELECT 1")
    (fresh.data_dir / "postgres" / "data" / "postgresql.conf").write_text("nonsense = 1\n")
    with pytest.raises(Refusal, match=r"postgres\.log"):
        answer(fresh, "SELECT 1")
