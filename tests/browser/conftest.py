"""A portal, a browser, and a guard over everything the browser asks for and complains about."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Request, expect, sync_playwright

from tests.browser.portal import Portal

CHROMIUM = "/usr/bin/chromium"
# Without these the browser itself would call its maker; the last one draws WebGL without a GPU.
FLAGS = (
    "--no-sandbox", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--use-angle=swiftshader",
)  # fmt: skip
PATIENCE = 45_000  # ms
DESK = (1366, 768)
PHONE = (390, 844)
SIGNED_IN = ".st-key-who"

expect.set_options(timeout=PATIENCE)
PageAs = Callable[..., Page]


@dataclass
class Guard:
    """What a test's pages did that none may do; `tolerated` are words of expected complaints."""

    home: str
    complaints: list[str] = field(default_factory=list)
    tolerated: list[str] = field(default_factory=list)

    def watch(self, context: BrowserContext) -> None:
        context.on("request", self._asked)
        context.on("console", lambda message: self._said(message.type, message.text))
        context.on("weberror", lambda error: self._said("error", str(error.error)))

    def _asked(self, request: Request) -> None:
        if not request.url.startswith((self.home, "data:", "blob:", "about:")):
            self.complaints.append(f"left the machine: {request.url}")

    def _said(self, kind: str, text: str) -> None:
        if kind == "error" and not any(words in text for words in self.tolerated):
            self.complaints.append(f"console: {text}")


@pytest.fixture(scope="session")
def portal(
    cluster: Path, template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Portal]:
    """Start a portal with demo data; stop it after the last test."""
    name = "portal_browser"
    with psycopg.connect(f"host={cluster} user=owner dbname=postgres", autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
    running = Portal(tmp_path_factory.mktemp("portal"), name, cluster)
    try:
        running.start()
        yield running
    finally:
        running.stop()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield chromium
        chromium.close()


@pytest.fixture
def guard(portal: Portal) -> Iterator[Guard]:
    """Fail the test whose pages ask beyond this machine or report an error."""
    watching = Guard(portal.url)
    yield watching
    assert watching.complaints == []


@pytest.fixture
def open_page(browser: Browser, guard: Guard) -> Iterator[Callable[..., Page]]:
    """Yield a function that opens a page in a browser of its own."""
    contexts: list[BrowserContext] = []

    def opened(size: tuple[int, int] = DESK, state: object = None) -> Page:
        context = browser.new_context(
            viewport={"width": size[0], "height": size[1]},
            storage_state=state,  # type: ignore[arg-type]
            locale="zh-CN",
            timezone_id="Asia/Shanghai",
        )
        context.set_default_timeout(PATIENCE)
        contexts.append(context)
        guard.watch(context)
        return context.new_page()

    yield opened
    for context in contexts:
        context.close()


@pytest.fixture(scope="session")
def sign_ins() -> dict[str, object]:
    """What the browser of each account keeps, from its first sign-in on."""
    return {}


@pytest.fixture
def page_as(portal: Portal, open_page: PageAs, sign_ins: dict[str, object]) -> PageAs:
    """Return a function that opens an address as an account, which signed in through the form."""

    def opened(username: str, address: str = "/", size: tuple[int, int] = DESK) -> Page:
        page = open_page(size, sign_ins.get(username))
        page.goto(portal.url + address)
        if username not in sign_ins:
            sign_in(page, username, portal.password(username))
        expect(page.locator(SIGNED_IN)).to_be_visible()
        sign_ins[username] = page.context.storage_state()
        return page

    return opened


def sign_in(page: Page, username: str, password: str) -> None:
    """Fill in the sign-in form and send it."""
    page.get_by_label("用户名").fill(username)
    page.get_by_label("口令", exact=True).fill(password)
    page.get_by_role("button", name="登录").click()


@pytest.fixture(scope="session")
def database(portal: Portal) -> Iterator[psycopg.Connection]:
    """The owner's connection: what the tests look up beside the browser."""
    with psycopg.connect(portal.owner_url, autocommit=True) as connection:
        yield connection
