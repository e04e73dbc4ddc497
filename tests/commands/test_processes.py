"""Two web processes behind the proxy: one browser stays with one, and outlives it."""

import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
import websockets

from components.session import SESSION_COOKIE
from data_access import database, reporting
from data_access.sessions import digest
from domain.access import Role
from tests.actors import COUNTY, make_actor, session_token
from tests.browser.portal import Portal
from tests.patience import wait_until
from tests.reports import opened

NAME = "portal_processes"
SEATS = 6  # three for each process
HANGS_AFTER = 10  # seconds
ROUTE = "portal_route"
ONCE = ("content-security-policy", "x-content-type-options", "x-frame-options", "referrer-policy")


@pytest.fixture(scope="module")
def settings(cluster: Path) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        url = f"postgresql+psycopg://portal@/{NAME}?host={cluster}"
        patch.setenv("PORTAL_DATABASE_URL", url)
        database.engine.cache_clear()
        yield
        database.engine().dispose()
        database.engine.cache_clear()


@pytest.fixture(scope="module")
def owner(
    cluster: Path, template: str, _no_settings_from_outside: None, settings: None
) -> Iterator[psycopg.Connection]:
    with psycopg.connect(f"host={cluster} user=owner dbname=postgres", autocommit=True) as admin:
        admin.execute(f"DROP DATABASE IF EXISTS {NAME} WITH (FORCE)")
        admin.execute(f"CREATE DATABASE {NAME} TEMPLATE {template} STRATEGY file_copy")
        with psycopg.connect(
            f"host={cluster} user=owner dbname={NAME}", autocommit=True
        ) as connection:
            yield connection
        admin.execute(f"DROP DATABASE {NAME} WITH (FORCE)")


@pytest.fixture(scope="module")
def portal(
    owner: psycopg.Connection, cluster: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Portal]:
    running = Portal(
        tmp_path_factory.mktemp("processes"),
        NAME,
        cluster,
        ("--no-demo", "--processes", "2"),
        {
            "PORTAL_SESSIONS_PER_PROCESS": str(SEATS // 2),
            "PORTAL_HANG_SECONDS": str(HANGS_AFTER),
        },
    )
    try:
        running.start()
        yield running
    finally:
        running.stop()


@pytest.fixture(scope="module")
def draft(portal: Portal, owner: psycopg.Connection) -> tuple[str, str]:
    """Return the session of who files for a county, and the address of the draft."""
    county = make_actor(owner, "anyi", Role.COUNTY, COUNTY)
    row = owner.execute(
        "INSERT INTO reporting_period (form_code, name, starts_on, ends_on, deadline_at"
        ", form_version, workflow_version)"
        " VALUES ('plan_progress', '2026年11月', '2026-11-01', '2026-11-30'"
        ", now() + interval '3 days', 1, 1) RETURNING period_id"
    ).fetchone()
    owner.execute(
        "INSERT INTO plan (division_code, plan_type, name, is_headline)"
        " VALUES (%s, 'MASTER_COUNTY', '总体规划', true)",
        [COUNTY],
    )
    assert row is not None
    started: reporting.Submission = opened(county, row[0])
    return session_token(owner, county), f"/api/drafts/{started.submission_id}"


@pytest.fixture
def browser(portal: Portal) -> Iterator[httpx.Client]:
    """A browser that keeps its cookies; it says who it is with `signed_in`."""
    with httpx.Client(base_url=portal.url, timeout=20) as client:
        yield client


def signed_in(browser: httpx.Client, token: str) -> httpx.Client:
    browser.cookies.set(SESSION_COOKIE, token)
    return browser


def save(browser: httpx.Client, url: str, summary: str) -> httpx.Response:
    answer = browser.get(url)
    assert answer.status_code == 200, answer.text
    state = answer.json()
    content = state["content"] | {"form": state["content"]["form"] | {"work_summary": summary}}
    return browser.put(url, json={"content": content, "draft_version": state["draft_version"]})


def kept(browser: httpx.Client, url: str) -> Any:
    answer = browser.get(url)
    assert answer.status_code == 200, answer.text
    return answer.json()["content"]["form"]["work_summary"]


def kill(process: int) -> None:
    os.kill(process, signal.SIGKILL)


def wait_for_both(portal: Portal, *former: int) -> None:
    def serve() -> bool:
        found = portal.children("run app.py")
        ready = [each for each in (1, 2) if _answers(portal, each)]
        return len(found) == len(ready) == 2 and not set(former) & set(found)

    wait_until(serve)


def _answers(portal: Portal, number: int) -> bool:
    with suppress(httpx.HTTPError):
        return httpx.get(f"{portal.web_url(number)}/health").status_code == 200
    return False


def _listens(portal: Portal, number: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", portal.port + number)) == 0


@asynccontextmanager
async def pages(portal: Portal, count: int, route: str = "") -> AsyncIterator[list[Any]]:
    """Open so many pages at once, as websockets; close them afterwards."""
    place = portal.url.removeprefix("http://")
    headers = {"Cookie": f"{ROUTE}={route}"} if route else {}
    sockets = []
    try:
        for _ in range(count):
            sockets.append(
                await websockets.connect(
                    f"ws://{place}/_stcore/stream",
                    subprotocols=[websockets.Subprotocol("streamlit")],
                    origin=websockets.Origin(portal.url),
                    additional_headers=headers,
                )
            )
        yield sockets
    finally:
        for socket in sockets:
            await socket.close()


def test_a_browser_stays_with_its_process_and_new_ones_are_spread(portal, browser):
    assert browser.get("/").cookies[ROUTE] in {"1", "2"}
    assert [ROUTE in browser.get("/_stcore/health").cookies for _ in range(10)] == [False] * 10

    async def routes_of_newcomers() -> list[str]:
        async with pages(portal, 4) as sockets:
            said = [socket.response.headers["Set-Cookie"] for socket in sockets]
        return sorted(cookie.split(";")[0] for cookie in said)

    assert asyncio.run(routes_of_newcomers()) == [f"{ROUTE}={n}" for n in (1, 1, 2, 2)]


def test_headers_are_said_once_and_tell_no_version(browser):
    answer = browser.get("/")
    assert {name: len(answer.headers.get_list(name)) for name in ONCE} == dict.fromkeys(ONCE, 1)
    assert answer.headers["server"] == "nginx"


def test_assets_travel_packed_and_are_kept_by_the_proxy(portal, browser):
    script = browser.get("/").text.split('src="./')[1].split('"')[0]
    first, again = (httpx.get(f"{portal.url}/{script}") for _ in range(2))
    assert first.headers["content-encoding"] == again.headers["content-encoding"] == "gzip"
    assert "immutable" in again.headers["cache-control"]
    assert ROUTE not in again.cookies  # no process was asked
    plain = httpx.get(f"{portal.url}/{script}", headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert plain.content == again.content == first.content


@pytest.mark.parametrize(
    ("forwarded", "address"), [("203.0.113.9", "203.0.113.9"), ("10.9.9.9, 203.0.113.9",) * 2]
)
def test_the_address_is_the_browsers_and_what_it_claims_does_not_count(
    forwarded, address, browser, owner, draft
):
    """A proxy in front adds the last address; those before it are the browser's own words."""
    ticket = f"ticket for {forwarded}"
    owner.execute(
        "INSERT INTO sign_in_ticket (ticket_hash, user_id) SELECT %s, user_id FROM account"
        " WHERE username = 'anyi'",
        [digest(ticket)],
    )
    headers = {"X-Forwarded-For": forwarded, "X-Forwarded-Proto": "https"}
    answer = browser.post("/api/session", json={"ticket": ticket}, headers=headers)
    assert "Secure" in answer.headers["set-cookie"]
    row = owner.execute("SELECT address FROM portal_session ORDER BY session_id DESC LIMIT 1")
    assert row.fetchone() == (address.split(", ")[-1],)


def test_a_process_dies_and_its_users_go_on_with_what_they_saved(portal, browser, draft):
    token, url = draft
    signed_in(browser, token)
    assert save(browser, url, "由甲进程保存").status_code == 200
    route = browser.cookies[ROUTE]
    former = portal.web_process(int(route))

    async def page_breaks_and_comes_back() -> str:
        async with pages(portal, 1, route) as (socket,):
            kill(former)
            await socket.wait_closed()
        async with pages(portal, 1, route) as (socket,):
            return str(socket.response.headers["Set-Cookie"].split(";")[0])

    other = {"1": "2", "2": "1"}[route]
    assert asyncio.run(page_breaks_and_comes_back()) == f"{ROUTE}={other}"
    assert kept(browser, url) == "由甲进程保存"
    assert browser.cookies[ROUTE] == other
    assert save(browser, url, "由乙进程保存").status_code == 200
    wait_for_both(portal, former)
    assert kept(browser, url) == "由乙进程保存"
    assert browser.cookies[ROUTE] == other


def test_a_process_that_starts_takes_no_request_before_it_can_answer(portal):
    former = portal.web_process(1)
    kill(former)
    wait_until(lambda: not _listens(portal, 1))
    until_listening = wait_until(lambda: _listens(portal, 1))
    until_answering = wait_until(lambda: _answers(portal, 1))
    assert until_answering < until_listening / 2
    wait_for_both(portal, former)


def test_a_process_that_hangs_is_replaced(portal, browser, draft):
    token, url = draft
    signed_in(browser, token)
    assert save(browser, url, "停顿之前保存").status_code == 200
    hanging = portal.web_process(int(browser.cookies[ROUTE]))
    os.kill(hanging, signal.SIGSTOP)
    seconds = wait_until(lambda: not Path(f"/proc/{hanging}").exists())
    assert seconds > HANGS_AFTER / 2  # not at the first breath it holds
    wait_for_both(portal, hanging)
    assert kept(browser, url) == "停顿之前保存"


def test_without_any_process_programs_and_people_are_told_to_come_back(portal, browser, draft):
    token, url = draft
    signed_in(browser, token)
    answer = browser.get(url)
    assert answer.status_code == 200, answer.text
    state = answer.json()
    former = portal.web_process(1), portal.web_process(2)
    for process in former:
        kill(process)
    answer = browser.put(url, json={"content": state["content"], "draft_version": 0})
    assert (answer.status_code, answer.json()["error"]) == (503, "Busy")
    assert answer.headers["content-type"] == "application/json; charset=utf-8"
    assert int(answer.headers["retry-after"]) > 0
    page = browser.get("/report")
    assert page.status_code == 503
    assert "不会丢失" in page.text
    wait_for_both(portal, *former)
    assert save(browser, url, "恢复后保存").status_code == 200


def test_a_proxy_that_is_killed_comes_back_with_its_port(portal, browser, draft):
    (former,) = portal.children("nginx")
    kill(former)
    wait_until(lambda: portal.children("nginx") not in ([], [former]))
    wait_until(lambda: _answers(portal, 0))
    assert browser.get("/health").json()["status"] == "ok"


def test_when_every_seat_is_taken_a_newcomer_waits_calmly_and_nobody_is_thrown_out(
    portal, browser, draft
):
    token, url = draft
    signed_in(browser, token)

    async def full() -> None:
        async with pages(portal, SEATS) as sockets:
            page = await asyncio.to_thread(browser.get, "/overview")
            assert page.status_code == 503
            assert page.headers["cache-control"] == "no-store"
            assert "当前使用人数较多" in page.text
            assert "default-src 'none'" in page.headers["content-security-policy"]
            with pytest.raises(websockets.InvalidStatus, match="503"):
                async with pages(portal, 1):
                    pass
            # Whoever sits works on: drafts are saved, assets and health are answered.
            saved = await asyncio.to_thread(save, browser, url, "满座时保存")
            assert saved.status_code == 200
            assert (await asyncio.to_thread(browser.get, "/health")).status_code == 200
            assert all(socket.state is websockets.State.OPEN for socket in sockets)

    asyncio.run(full())
    wait_until(lambda: browser.get("/overview").status_code == 200, 10)
    assert kept(browser, url) == "满座时保存"


def test_a_session_revoked_elsewhere_is_over_in_every_process(portal, owner, draft):
    token, url = draft
    owner.execute("UPDATE portal_session SET revoked_at = now()")
    answers = [
        httpx.get(f"{portal.web_url(n)}{url}", cookies={SESSION_COOKIE: token}) for n in (1, 2)
    ]
    assert [answer.status_code for answer in answers] == [401, 401]
