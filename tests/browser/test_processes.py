"""What a clerk notices of two processes: one killed while she types, and every seat taken."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress

import psycopg
import pytest
from playwright.sync_api import Page, expect
from websockets import InvalidStatus, Origin, Subprotocol
from websockets.sync.client import ClientConnection, connect

from tests.browser.conftest import SIGNED_IN, Guard, sign_in
from tests.browser.portal import Portal
from tests.browser.test_filing import AWAY, IDLE_WITH_TWO_FILERS, SAVED, summary_of
from tests.commands.test_processes import ROUTE, kill, wait_for_both
from tests.patience import wait_until

SEATS = 4


@pytest.fixture(scope="module")
def pair(portal: Portal, cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    """Two processes and their proxy on the database of the other browser tests."""
    running = Portal(
        tmp_path_factory.mktemp("pair"),
        "portal_browser",
        cluster,
        ("--processes", "2"),
        {"PORTAL_SESSIONS_PER_PROCESS": str(SEATS // 2)},
    )
    try:
        running.start()
        yield running
    finally:
        running.stop()


@pytest.fixture
def form(
    pair: Portal, portal: Portal, guard: Guard, open_page: Callable[..., Page], database
) -> Page:
    """The form of a county that has two filers, opened by the second of them."""
    guard.home = pair.url
    guard.tolerated += [*AWAY, "503"]
    username = f"county_{_idle_county(database)}_b"
    page = open_page()
    page.goto(f"{pair.url}/report")
    sign_in(page, username, portal.password(username))
    expect(page.locator(SIGNED_IN)).to_be_visible()
    summary_of(page).wait_for()
    return page


def _idle_county(database: psycopg.Connection) -> str:
    rows = database.execute(IDLE_WITH_TWO_FILERS).fetchall()
    assert rows, "the demo has no county with two filers and nothing filed"
    return str(rows[-1][0])


def route_of(page: Page) -> str:
    return next(each["value"] for each in page.context.cookies() if each["name"] == ROUTE)


def test_what_is_typed_while_the_process_is_killed_is_there(pair, form):
    route = route_of(form)
    former = pair.web_process(int(route))
    summary_of(form).press_sequentially("本月完成了专题研究，", delay=20)
    kill(former)
    summary_of(form).press_sequentially("正在征求各部门意见。", delay=20)
    summary_of(form).blur()
    expect(form.get_by_text(SAVED)).to_be_visible()
    assert route_of(form) != route
    form.reload()
    expect(summary_of(form)).to_have_value("本月完成了专题研究，正在征求各部门意见。")
    wait_for_both(pair, former)


def test_when_it_is_full_the_page_waits_and_brings_back_what_was_typed(pair, form):
    form.route("**/api/drafts/**", lambda route: route.abort())
    summary_of(form).fill("满座之前填写的内容。")
    expect(form.get_by_text("未保存")).to_be_visible()
    form.goto("about:blank")
    form.unroute("**/api/drafts/**")
    with ExitStack() as seats:
        for _ in range(SEATS):
            seats.enter_context(seat(pair))
        form.goto(f"{pair.url}/report")
        expect(form.get_by_role("heading", name="系统繁忙，请稍候")).to_be_visible()
        expect(form.get_by_text("秒后自动重试")).to_be_visible()
    expect(summary_of(form)).to_have_value("满座之前填写的内容。")
    expect(form.get_by_text(SAVED)).to_be_visible()


def seat(pair: Portal) -> ClientConnection:
    """Open a page as a websocket alone; it is closed at the end of the block.

    A page that was left keeps its seat until the proxy has noticed.
    """
    taken: list[ClientConnection] = []

    def is_taken() -> bool:
        with suppress(InvalidStatus):
            taken.append(
                connect(
                    f"ws://{pair.url.removeprefix('http://')}/_stcore/stream",
                    subprotocols=[Subprotocol("streamlit")],
                    origin=Origin(pair.url),
                )
            )
        return bool(taken)

    wait_until(is_taken)
    return taken[0]
