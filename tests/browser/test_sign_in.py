"""Coming in, staying in, going out."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import SIGNED_IN, sign_in


def test_each_role_begins_at_its_own_work(page_as):
    for username, title in [("leader", "总览"), ("information_centre", "账号管理")]:
        page = page_as(username)
        expect(page.get_by_role("heading", name=title, exact=True)).to_be_visible()


def test_a_wrong_password_gets_a_sentence(portal, open_page):
    page = open_page()
    page.goto(portal.url)
    sign_in(page, "leader", "wrong password 1")
    expect(page.get_by_role("alert")).to_contain_text("用户名或口令")
    expect(page.locator(SIGNED_IN)).to_have_count(0)


def test_a_reload_keeps_session_and_page(page_as):
    page = page_as("bureau", "/supervision")
    expect(page.get_by_role("heading", name="督办催办")).to_be_visible()
    page.reload()
    expect(page.get_by_role("heading", name="督办催办")).to_be_visible()
    assert page.url.endswith("/supervision")


def test_the_session_cookie_is_out_of_reach_of_scripts(page_as):
    page = page_as("leader")
    (cookie,) = [c for c in page.context.cookies() if c["name"] == "portal_session"]
    assert cookie["httpOnly"]
    assert cookie["sameSite"] == "Strict"
    assert "portal_session" not in page.evaluate("document.cookie")


def test_signing_out_ends_the_session_and_forgets_everything(portal, open_page):
    page = open_page()
    page.goto(portal.url)
    sign_in(page, "department", portal.password("department"))
    page.locator(SIGNED_IN).get_by_role("button").click()
    page.get_by_role("button", name="退出登录").click()
    expect(page.get_by_label("用户名")).to_be_visible()
    assert [c for c in page.context.cookies() if c["name"] == "portal_session"] == []
    page.goto(f"{portal.url}/overview")
    expect(page.get_by_label("口令", exact=True)).to_be_visible()


def test_whose_session_ended_is_told_that_nothing_typed_is_lost(portal, open_page, database):
    page = open_page()
    page.goto(f"{portal.url}/supervision")
    expect(page.get_by_text("登录已过期")).to_have_count(0)
    sign_in(page, "department", portal.password("department"))
    expect(page.locator(SIGNED_IN)).to_be_visible()
    database.execute(
        "UPDATE portal_session SET revoked_at = now() WHERE session_id ="
        " (SELECT max(session_id) FROM portal_session)"
    )
    page.reload()
    expect(page.get_by_text("登录已过期，请重新登录")).to_be_visible()


@pytest.mark.parametrize("address", ["/review_queue", "/accounts", "/overview?level=city"])
def test_a_deep_link_asks_a_stranger_to_sign_in_and_leaks_nothing(portal, open_page, address):
    page = open_page()
    page.goto(portal.url + address)
    expect(page.get_by_label("口令", exact=True)).to_be_visible()
    expect(page.locator("table, [data-testid=stDataFrame], .portal-table")).to_have_count(0)


def test_a_fresh_server_asks_for_sign_in_first_and_then_opens_the_deep_link(portal, open_page):
    portal.restart()
    page = open_page()
    page.goto(f"{portal.url}/review_queue")
    expect(page.get_by_label("口令", exact=True)).to_be_visible()
    expect(page.get_by_text("待审核填报共")).to_have_count(0)
    sign_in(page, "bureau2", portal.password("bureau2"))
    expect(page.get_by_text("待审核填报共")).to_be_visible()
    assert page.url.endswith("/review_queue")
