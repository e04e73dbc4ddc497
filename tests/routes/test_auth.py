"""The cookie in and out, and what stands in front of every request."""

import asyncio
import socket
import threading
import time

import pytest
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient
from streamlit.proto.BackMsg_pb2 import BackMsg

from components import middleware
from components.middleware import QuietProbes, SecurityHeaders, SessionEndsPages, SessionRequired
from components.routes import ROUTES, auth
from components.session import SESSION_COOKIE
from data_access import database, health, sessions
from domain.access import Role
from domain.errors import DatabaseAway, NotFound, PortalError
from tests.actors import session_token

PASSWORD = "Jing-Tai 2026"


def fail(request):
    raise ZeroDivisionError


def refuse(request):
    raise NotFound


def whoami(request):
    return PlainTextResponse(auth.require(request, Role.COUNTY).display_name)


@pytest.fixture
def application():
    return Starlette(
        routes=[
            Route("/api/whoami", whoami, methods=["GET", "POST"]),
            Route("/fail", fail),
            Route("/refuse", refuse),
            *ROUTES,
        ],
        middleware=[
            Middleware(SecurityHeaders),
            Middleware(QuietProbes),
            Middleware(SessionRequired),
        ],
        exception_handlers={
            PortalError: auth.portal_error,
            HTTPException: auth.http_error,
            Exception: auth.fault,
        },
    )


@pytest.fixture
def browser(owner, application):
    return TestClient(application, raise_server_exceptions=False)


@pytest.fixture
def ticket(owner, county) -> str:
    """What the sign-in form leaves for the browser."""
    owner.execute(
        "UPDATE account SET password_hash = %s WHERE user_id = %s",
        [sessions.hash_password(PASSWORD), county.user_id],
    )
    return sessions.sign_in("anyi", PASSWORD, "10.0.0.1")


def test_a_ticket_becomes_a_cookie_that_no_script_reads(browser, ticket):
    answer = browser.post("/api/session", json={"ticket": ticket})
    assert answer.status_code == 200
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert "secure" not in cookie
    assert "max-age=43200" in cookie
    assert browser.get("/api/whoami").text == "anyi先生"


def test_over_https_the_cookie_stays_there(application, ticket):
    browser = TestClient(application, base_url="https://portal.example")
    answer = browser.post("/api/session", json={"ticket": ticket})
    assert "; Secure" in answer.headers["set-cookie"]
    assert "max-age" in answer.headers["strict-transport-security"]


def test_a_ticket_is_taken_once(browser, ticket):
    browser.post("/api/session", json={"ticket": ticket})
    again = browser.post("/api/session", json={"ticket": ticket})
    assert again.status_code == 401
    assert "set-cookie" not in again.headers


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"not json", 400),
        (b"[]", 400),
        (b'{"ticket": null}', 401),
        (b'{"ticket": "\\u0000"}', 401),
        (b"\xff\xfe", 400),
        (b" " * 5000, 413),
    ],
)
def test_whatever_is_posted_as_a_ticket_is_refused_with_a_sentence(browser, body, status):
    answer = browser.post("/api/session", content=body)
    assert answer.status_code == status
    assert answer.json()["message"].endswith("。")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": "https://elsewhere.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "same-origin"}, 200),
        ({"Origin": "http://testserver"}, 200),
    ],
)
def test_only_our_own_pages_sign_in(browser, ticket, headers, status):
    answer = browser.post("/api/session", json={"ticket": ticket}, headers=headers)
    assert answer.status_code == status


def test_sign_out_ends_the_session_and_empties_the_browser(browser, ticket, owner):
    browser.post("/api/session", json={"ticket": ticket})
    token = browser.cookies[SESSION_COOKIE]
    answer = browser.delete("/api/session")
    assert '"cookies", "storage"' in answer.headers["clear-site-data"]
    assert SESSION_COOKIE not in browser.cookies
    assert sessions.find_actor(token) is None


def test_a_reading_request_is_no_activity_and_a_writing_one_is(browser, owner, county):
    browser.cookies[SESSION_COOKIE] = session_token(owner, county)
    owner.execute("UPDATE portal_session SET last_seen_at = now() - interval '5 minutes'")
    seen_now = "SELECT last_seen_at > now() - interval '1 minute' FROM portal_session"
    browser.get("/api/whoami")
    assert owner.execute(seen_now).fetchone() == (False,)
    browser.post("/api/whoami")
    assert owner.execute(seen_now).fetchone() == (True,)


def test_the_wrong_role_gets_a_sentence(browser, owner, leader):
    browser.cookies[SESSION_COOKIE] = session_token(owner, leader)
    answer = browser.get("/api/whoami")
    assert (answer.status_code, answer.json()["message"]) == (403, "您的账号无权执行此操作。")


def test_every_answer_keeps_the_browser_at_home(browser):
    headers = browser.get("/health").headers
    policy = headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "ws://testserver" in policy
    assert "http" not in policy.replace("ws://testserver", "")
    assert headers["x-content-type-options"] == "nosniff"


def test_an_invented_host_does_not_get_into_the_policy(browser):
    policy = browser.get("/health", headers={"Host": "x; script-src *"}).headers
    assert "*" not in policy["content-security-policy"]


def test_a_probe_below_a_page_is_no_error_in_the_console(browser):
    assert browser.get("/overview/_stcore/health").status_code == 304


def test_a_fault_is_an_apology_with_the_id_that_is_in_the_log(browser, caplog):
    answer = browser.get("/fail")
    assert answer.status_code == 500
    number = answer.json()["id"]
    assert number in answer.json()["message"]
    assert f"fault {number}" in caplog.text
    assert "ZeroDivisionError" not in answer.text


def test_a_refusal_is_its_sentence(browser):
    answer = browser.get("/refuse")
    assert (answer.status_code, answer.json()["error"]) == (404, "NotFound")
    assert answer.json()["message"].startswith("记录不存在")


# HEALTH


@pytest.fixture
def fresh_probe():
    health._probe.cache_clear()
    yield
    health._probe.cache_clear()


def test_health_while_all_is_well(browser, fresh_probe):
    answer = browser.get("/health")
    assert (answer.status_code, answer.json()["database"]) == (200, "ok")


@pytest.fixture
def away(owner, monkeypatch):
    """No server stands behind the address."""
    place = "postgresql+psycopg://portal@127.0.0.1:1/nothing"
    monkeypatch.setenv("PORTAL_DATABASE_URL", place)
    database.engine.cache_clear()
    yield
    database.engine.cache_clear()


def test_health_while_the_database_is_away(browser, fresh_probe, away):
    answer = browser.get("/health")
    assert (answer.status_code, answer.json()["database"]) == (503, "away")


def test_routes_say_calmly_that_the_database_is_away(browser, away):
    browser.cookies[SESSION_COOKIE] = "any"
    answer = browser.get("/api/whoami")
    assert (answer.status_code, answer.json()["error"]) == (503, "DatabaseAway")


def test_health_does_not_wait_for_a_database_that_hangs(browser, fresh_probe, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        place = f"postgresql+psycopg://portal@127.0.0.1:{port}/nothing"
        monkeypatch.setenv("PORTAL_DATABASE_URL", place)
        database.engine.cache_clear()
        started = time.monotonic()
        threads = [threading.Thread(target=browser.get, args=["/health"]) for _ in range(5)]
        for thread in threads:
            thread.start()
        assert browser.get("/health").status_code == 503
        for thread in threads:
            thread.join()
        assert time.monotonic() - started < 4
    database.engine.cache_clear()


# OPEN PAGES


class Page:
    """A websocket with a browser at its other end."""

    def __init__(self, token: str, protocols: str = "streamlit, xsrf") -> None:
        self.scope = {
            "type": "websocket",
            "headers": [
                (b"cookie", f"{SESSION_COOKIE}={token}".encode()),
                (b"sec-websocket-protocol", protocols.encode()),
            ],
        }
        self.sent: asyncio.Queue = asyncio.Queue()
        self.heard: asyncio.Queue = asyncio.Queue()

    async def application(self, scope, receive, send):
        while (message := await receive())["type"] != "websocket.disconnect":
            await self.heard.put(message)

    async def serve(self):
        async def send(message):
            """Nobody listens."""

        await SessionEndsPages(self.application)(self.scope, self.sent.get, send)

    def say(self, message_type: str, page: str = "") -> None:
        asked = BackMsg()
        asked.rerun_script.page_script_hash = page
        asked.rerun_script.widget_states.widgets.add().id = "button"
        self.sent.put_nowait({"type": message_type, "bytes": asked.SerializeToString()})

    async def hear(self) -> BackMsg:
        message = await asyncio.wait_for(self.heard.get(), timeout=5)
        return BackMsg.FromString(message.get("bytes") or b"")


@pytest.fixture
def open_pages(monkeypatch):
    pages = middleware.OpenPages()
    monkeypatch.setattr(middleware, "OPEN_PAGES", pages)
    return pages


def test_an_open_page_is_drawn_again_within_a_second_of_its_end(owner, county, open_pages):
    async def scenario():
        page = Page(session_token(owner, county))
        served = asyncio.create_task(page.serve())
        watched = asyncio.create_task(open_pages.watch())
        page.say("websocket.connect")
        page.say("websocket.receive", page="overview")
        await page.hear()
        await page.hear()
        owner.execute("UPDATE portal_session SET revoked_at = now()")
        started = time.monotonic()
        again = await page.hear()
        took = time.monotonic() - started
        page.say("websocket.disconnect")
        await asyncio.wait_for(served, timeout=5)
        watched.cancel()
        return again, took

    again, took = asyncio.run(scenario())
    assert again.rerun_script.page_script_hash == "overview"
    assert not again.rerun_script.widget_states.widgets  # no click is repeated
    assert took < 1.5
    assert not open_pages._ended


@pytest.mark.parametrize(
    ("protocols", "asked"), [("streamlit, xsrf, 7", 1), ("streamlit, xsrf", 0)]
)
def test_a_page_that_comes_back_after_its_session_is_drawn_again(
    owner, county, open_pages, protocols, asked
):
    """A page opened anew asks by itself."""

    async def scenario():
        token = session_token(owner, county)
        owner.execute("UPDATE portal_session SET revoked_at = now()")
        page = Page(token, protocols)
        page.say("websocket.connect")
        page.say("websocket.disconnect")
        await asyncio.wait_for(page.serve(), timeout=5)
        return page.heard.qsize()

    assert asyncio.run(scenario()) == 1 + asked


def test_a_database_that_is_away_ends_nobodys_work(owner, county, open_pages, monkeypatch):
    def away(token_hashes):
        raise DatabaseAway

    monkeypatch.setattr(sessions, "alive_tokens", away)
    assert not middleware._has_ended("token")
