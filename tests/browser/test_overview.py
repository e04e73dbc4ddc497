"""What the leader sees: the map, its units, a past day, on a desk and on a phone."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PHONE
from tests.browser.pictures import UNIT_ADDRESS, eventually, open_from_map, settle


@pytest.fixture
def overview(page_as):
    page = page_as("leader", "/overview")
    settle(page)
    return page


def test_the_map_paints_and_a_click_opens_the_unit(overview):
    name = open_from_map(overview)
    expect(overview.get_by_role("heading", level=1)).to_contain_text(name)


def test_the_screen_says_that_the_data_is_invented(page_as):
    expect(page_as("leader", "/overview").get_by_text("演示数据").first).to_be_visible()


def test_a_late_unit_is_one_click_from_its_page(page_as):
    page = page_as("leader", "/overview")
    page.locator(".st-key-overview-late a").first.click()
    page.wait_for_url(UNIT_ADDRESS)


def test_filters_live_in_the_address(page_as):
    page = page_as("leader", "/overview?level=city")
    expect(page.get_by_role("radio", name="市级")).to_be_checked()


def test_a_past_day_redraws_and_says_so(page_as):
    page = page_as("leader", "/overview?as_of=2025-12-31")
    expect(page.get_by_text("正在查看历史日期")).to_be_visible()


@pytest.mark.parametrize("address", ["/overview", "/supervision", "/inbox"])
def test_a_phone_needs_no_sideways_scrolling(page_as, address):
    page = page_as("leader", address, PHONE)
    expect(page.get_by_role("heading", level=1).first).to_be_visible()
    eventually(
        page,
        lambda: page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"),
        "the page is as wide as the phone",
    )
