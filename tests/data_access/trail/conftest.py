"""A table of the tests' own under the trail, and what verifies and anchors it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Engine, create_engine
from sqlalchemy.pool import NullPool

from data_access import trail
from data_access.migrate import migrate
from data_access.trail import VerificationResult


@pytest.fixture(scope="session")
def template(cluster: Path, template: str) -> str:
    """A migrated database without reference data: these tests need none and copy it often."""
    name = "trail_template"
    with psycopg.connect(f"host={cluster} user=owner dbname=postgres", autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name}")
    with psycopg.connect(f"host={cluster} user=owner dbname={name}") as connection:
        migrate(connection)
    return name


@pytest.fixture
def note(owner: psycopg.Connection) -> str:
    """A table of the tests' own under the trail, with a secret column; the trail begins with it."""
    owner.execute(
        "CREATE TABLE note (note_id integer PRIMARY KEY, division_code text, body text"
        ", n integer NOT NULL DEFAULT 0, secret text)"
    )
    owner.execute("SELECT audit_table('note', '{secret}')")
    owner.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON note TO portal_app")
    return "note"


@pytest.fixture
def owners(owner: psycopg.Connection, cluster: Path) -> Iterator[Engine]:
    """Connections of the owner, as the commands of `./portal` use them."""
    url = f"postgresql+psycopg://owner@/portal_test?host={cluster}"
    engine = create_engine(url, poolclass=NullPool)
    yield engine
    engine.dispose()


@pytest.fixture
def verify(owners: Engine, tmp_path: Path) -> Callable[[], VerificationResult]:
    def run() -> VerificationResult:
        with owners.begin() as connection:
            return trail.verify(connection, tmp_path)

    return run


@pytest.fixture
def anchor(owners: Engine, tmp_path: Path) -> Callable[[], int | None]:
    def run() -> int | None:
        with owners.begin() as connection:
            return trail.anchor(connection, tmp_path)

    return run
