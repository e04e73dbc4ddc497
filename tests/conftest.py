"""A PostGIS cluster of the session's own; a fresh copy of the migrated database per test."""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from data_access import database, file_store, reporting
from data_access.migrate import migrate
from data_access.reference_data import load_all
from domain.access import Actor, Role
from tests.actors import CITY, COUNTY, PROVINCE, make_actor
from tests.reports import complete_launch, opened
from tests.workbooks import empty_store

POSTGRES_BIN = Path(os.environ.get("PORTAL_POSTGRES_BIN", "/usr/lib/postgresql/15/bin"))
_ROOM_IN_MEMORY = 8 * 1024**3  # bytes


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the browser tests last: their driver keeps an event loop in this thread, and the tests
    before them start loops of their own.
    """
    items.sort(key=lambda item: "browser" in item.path.parts)


def run_as_postgres(program: str, *arguments: str) -> None:
    """Run a server program as the user it agrees to run as."""
    prefix = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    command = [*prefix, str(POSTGRES_BIN / program), *arguments]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def _fast_folder() -> Path | None:
    """Return the folder in memory where there is room: a database is copied for each test."""
    memory = Path("/dev/shm")
    has_room = memory.is_dir() and shutil.disk_usage(memory).free >= _ROOM_IN_MEMORY
    return memory if has_room else None


@pytest.fixture(scope="session")
def cluster() -> Iterator[Path]:
    """Start a throw-away server on a Unix socket; yield the socket's folder."""
    home = Path(tempfile.mkdtemp(prefix="portal-", dir=_fast_folder()))
    if os.geteuid() == 0:
        shutil.chown(home, "postgres")
    data = str(home / "data")
    options = (
        f"-c listen_addresses='' -c unix_socket_directories={home} -c fsync=off"
        " -c max_connections=200"
    )
    run_as_postgres("initdb", "-D", data, "-U", "owner", "-A", "trust", "-E", "UTF8", "--no-sync")
    run_as_postgres("pg_ctl", "-D", data, "-o", options, "-l", str(home / "log"), "-w", "start")
    yield home
    run_as_postgres("pg_ctl", "-D", data, "-m", "immediate", "-w", "stop")
    shutil.rmtree(home)


@pytest.fixture(scope="session")
def template(cluster: Path) -> str:
    """Migrate one database and load the reference data, to be copied for each test."""
    name = "portal_template"
    with psycopg.connect(f"host={cluster} user=owner dbname=postgres", autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name}")
    with psycopg.connect(f"host={cluster} user=owner dbname={name}") as connection:
        migrate(connection)
        connection.execute("CREATE ROLE portal LOGIN IN ROLE portal_app")
        load_all(connection)
    return name


@pytest.fixture
def owner(
    cluster: Path, template: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[psycopg.Connection]:
    """Give the test a database; yield its owner's connection, which no policy binds."""
    with psycopg.connect(f"host={cluster} user=owner dbname=postgres", autocommit=True) as admin:
        admin.execute("DROP DATABASE IF EXISTS portal_test WITH (FORCE)")
        # Half the time of the default strategy, for a template of this size.
        admin.execute(f"CREATE DATABASE portal_test TEMPLATE {template} STRATEGY file_copy")
        url = f"postgresql+psycopg://portal@/portal_test?host={cluster}"
        monkeypatch.setenv("PORTAL_DATABASE_URL", url)
        database.engine.cache_clear()
        with psycopg.connect(
            f"host={cluster} user=owner dbname=portal_test", autocommit=True
        ) as connection:
            yield connection
        database.engine().dispose()
        database.engine.cache_clear()
        admin.execute("DROP DATABASE portal_test WITH (FORCE)")


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Give the test an empty store of files."""
    empty_store(tmp_path, monkeypatch)
    yield tmp_path / "uploads"
    file_store.root.cache_clear()


@pytest.fixture
def in_utc(owner: psycopg.Connection) -> Iterator[None]:
    """Let the machine and the database count in UTC."""
    owner.execute("ALTER DATABASE portal_test SET timezone TO 'UTC'")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", "UTC")
        time.tzset()
        yield
    time.tzset()


@pytest.fixture
def county(owner: psycopg.Connection) -> Actor:
    """Who files for 安义县."""
    return make_actor(owner, "anyi", Role.COUNTY, COUNTY)


@pytest.fixture
def city(owner: psycopg.Connection) -> Actor:
    """Who files for 南昌市 and reviews its counties."""
    return make_actor(owner, "nanchang", Role.CITY, CITY)


@pytest.fixture
def bureau(owner: psycopg.Connection) -> Actor:
    """Who decides for the province."""
    return make_actor(owner, "bureau", Role.PLAN_BUREAU, PROVINCE)


@pytest.fixture
def leader(owner: psycopg.Connection) -> Actor:
    return make_actor(owner, "leader", Role.LEADER, PROVINCE)


@pytest.fixture
def period_id(owner: psycopg.Connection) -> int:
    """An open monthly period with its deadline ahead."""
    row = owner.execute(
        "INSERT INTO reporting_period (form_code, name, starts_on, ends_on, deadline_at"
        ", form_version, workflow_version)"
        " VALUES ('plan_progress', '2026年11月', '2026-11-01', '2026-11-30'"
        ", now() + interval '3 days', 1, 1) RETURNING period_id"
    ).fetchone()
    assert row is not None
    return int(row[0])


@pytest.fixture
def plan_id(owner: psycopg.Connection) -> int:
    """The headline plan of 安义县."""
    row = owner.execute(
        "INSERT INTO plan (division_code, plan_type, name, is_headline)"
        " VALUES (%s, 'MASTER_COUNTY', '安义县国土空间总体规划（2021—2035年）', true)"
        " RETURNING plan_id",
        [COUNTY],
    ).fetchone()
    assert row is not None
    return int(row[0])


@pytest.fixture
def submission(owner, county, city, bureau, plan_id, period_id) -> reporting.Submission:
    """安义县's report of the month, its first stage completed, not yet filed."""
    started = opened(county, period_id)
    complete_launch(owner, county, started)
    return started
