"""A database of the first release under today's code: nothing filed or typed is lost."""

import gzip
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.testclient import TestClient

from components.routes import auth, drafts
from components.session import SESSION_COOKIE
from data_access import database, installation, reporting, trail
from data_access.administration import owner_transaction
from data_access.cluster_file import DatabaseUrls
from data_access.database import transaction
from data_access.settings import Settings
from domain.access import Actor, Grant, Role
from domain.errors import PortalError
from domain.receipts import content_sha256
from domain.workflow import SubmissionState
from tests.actors import COUNTY, session_token
from tests.conftest import POSTGRES_BIN
from tests.paths import ROOT

RELEASED = ROOT / "tests" / "data" / "released_0010"
DATABASE = "portal_upgraded"


@pytest.fixture(scope="module")
def data_dir(folder: Path) -> Path:
    """A data directory with the anchors of the released portal."""
    anchors = folder / "upgraded" / "anchors"
    anchors.mkdir(parents=True)
    shutil.copy(f"{RELEASED}.trail.jsonl", anchors / "trail.jsonl")
    return anchors.parent


@pytest.fixture(scope="module")
def before() -> dict[str, Any]:
    """What the released portal held."""
    return {}


@pytest.fixture(scope="module")
def upgraded(
    cluster: Path, template: str, data_dir: Path, before: dict[str, Any]
) -> Iterator[psycopg.Connection]:
    """The released database after today's migrations; yield its owner's connection."""
    server = f"host={cluster} user=owner"
    with (
        pytest.MonkeyPatch.context() as patch,
        psycopg.connect(f"{server} dbname=postgres", autocommit=True) as admin,
    ):
        admin.execute(f"CREATE DATABASE {DATABASE}")
        with psycopg.connect(f"{server} dbname={DATABASE}", autocommit=True) as owner:
            _load_released(cluster)
            before |= _contents(owner)
            url = f"postgresql://owner@/{DATABASE}?host={cluster}"
            settings = Settings(data_dir, database_url=url, owner_database_url=url)
            installation.prepare(settings, DatabaseUrls(url, url), with_demo=False)
            patch.setenv("PORTAL_DATABASE_URL", url)
            database.engine.cache_clear()
            yield owner
        database.engine().dispose()
        database.engine.cache_clear()
        admin.execute(f"DROP DATABASE {DATABASE} WITH (FORCE)")


def _load_released(cluster: Path) -> None:
    program, database = POSTGRES_BIN / "psql", ("-h", cluster, "-U", "owner", DATABASE)
    subprocess.run(
        [program, "-q", "-v", "ON_ERROR_STOP=1", *database],
        input=gzip.decompress(Path(f"{RELEASED}.sql.gz").read_bytes()),
        check=True,
        stdout=subprocess.DEVNULL,
    )


def _contents(owner: psycopg.Connection) -> dict[str, Any]:
    """Return what people filed, typed, decided and attached."""
    questions = {
        "drafts": "SELECT submission_id, content, draft_version, saved_at FROM submission_draft",
        "versions": "SELECT submission_id, version_no, content, content_sha256"
        " FROM submission_version",
        "remarks": "SELECT review_remark_id, field_path, reason, reply FROM review_remark",
        "evidence": "SELECT evidence_id, item, sha256, file_name FROM evidence",
    }
    return {
        name: owner.execute(f"{ask} ORDER BY 1, 2").fetchall() for name, ask in questions.items()
    }


@pytest.fixture
def county(upgraded: psycopg.Connection) -> Actor:
    return who_files(upgraded, COUNTY)


def who_files(owner: psycopg.Connection, code: str) -> Actor:
    row = owner.execute(
        "SELECT user_id, display_name, prefix FROM account_grant JOIN account USING (user_id)"
        " WHERE division_code = %s AND role = 'county'",
        [code],
    ).fetchone()
    assert row
    return Actor(row[0], row[1], (Grant(Role.COUNTY, code, row[2]),))


def report_of(owner: psycopg.Connection, code: str) -> int:
    row = owner.execute(
        "SELECT submission_id FROM submission WHERE division_code = %s", [code]
    ).fetchone()
    assert row
    return int(row[0])


def browser(owner: psycopg.Connection, actor: Actor) -> TestClient:
    application = Starlette(
        routes=drafts.ROUTES,
        exception_handlers={PortalError: auth.portal_error, HTTPException: auth.http_error},
    )
    return TestClient(application, cookies={SESSION_COOKIE: session_token(owner, actor)})


def test_what_was_filed_typed_and_attached_is_as_it_was(upgraded, before):
    after = _contents(upgraded)
    assert len(before["drafts"]) == 2
    assert len(before["versions"]) == 1
    assert len(before["evidence"]) == 2
    assert after == before
    [(_, _, content, digest)] = after["versions"]
    assert content_sha256(content) == digest


def test_the_trail_of_before_is_whole_under_what_came_after(upgraded, data_dir):
    url = f"postgresql://owner@/{DATABASE}?host={upgraded.info.host}"
    with owner_transaction(url) as connection:
        result = trail.verify(connection, data_dir)
    assert result.findings == []
    assert result.anchors >= 1
    assert result.entries > 50


def test_a_page_that_stayed_open_saves_what_it_holds(upgraded, before):
    neighbour = who_files(upgraded, "360121")
    number = report_of(upgraded, "360121")
    [held] = [row for row in before["drafts"] if row[0] == number]
    address, content = f"/api/drafts/{number}", held[1]
    content["form"]["work_summary"] = "写到一半，升级时页面一直开着"
    page = browser(upgraded, neighbour)

    saved = page.put(address, json={"content": content, "draft_version": held[2]})
    assert saved.status_code == 200
    assert saved.json()["draft_version"] == held[2] + 1
    assert page.get(address).json()["content"]["form"]["work_summary"].startswith("写到一半，升级")

    late = page.put(address, json={"content": content, "draft_version": held[2] - 1})
    assert late.status_code == 409
    assert late.json()["message"]


def test_what_was_returned_before_is_corrected_and_filed_after(upgraded, county):
    number = report_of(upgraded, COUNTY)
    page = browser(upgraded, county)
    state = page.get(f"/api/drafts/{number}").json()
    assert state["content"]["form"]["work_summary"] == "已启动编制工作，正在补充材料。"
    [remark] = [each for each in state["remarks"] if each["path"]]
    address = f"/api/drafts/{number}"
    page.put(f"{address}/replies/{remark['id']}", json={"text": "已补充"}).raise_for_status()
    seen = {
        "lock_version": state["submission"]["lock_version"],
        "draft_version": state["draft_version"],
    }
    page.post(f"{address}/submit", json=seen).raise_for_status()
    with transaction(county, read_only=True) as connection:
        filed = reporting.get_submission(connection, number)
        versions = reporting.list_versions(connection, number)
    assert filed.state is SubmissionState.SUBMITTED
    assert [(each.version_no, each.round_no) for each in versions] == [(1, 1), (2, 2)]
