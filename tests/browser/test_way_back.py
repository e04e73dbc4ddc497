"""Back, forward and reload find every page with the parameters it was left with."""

import re

import pytest
from playwright.sync_api import Page, expect

# A page with its parameters, what leads on from it, and the page that this opens.
WAYS = {
    "overview": ("/overview?level=city&colour_by=lateness", "a[href^='unit?']", "/unit?"),
    "assessment": (
        "/assessment_indicator?code=LIFE_15&level=city",
        ".st-key-assessment-ranking td.number a",
        "/assessment_figure?unit=",
    ),
    "matrix": ("/assessment?set=TDT1063-2021", ".matrix button.unit", "/assessment_unit?"),
    "compile units": (
        "/compile_units?show=contracted",
        "[data-testid=stMain] table a[href*='unit=']",
        "/compile_units?unit=",
    ),
}


def title(page: Page) -> str:
    return page.get_by_role("heading", level=1).inner_text()


@pytest.mark.parametrize("name", WAYS)
def test_the_way_back_leads_to_the_page_as_it_was_left(page_as, name):
    address, link, opens = WAYS[name]
    page = page_as("leader", address)
    page.locator(link).first.wait_for()
    left, named = page.url, title(page)
    page.locator(link).first.click()
    page.wait_for_url(re.compile(re.escape(opens)))
    expect(page.get_by_role("heading", level=1)).not_to_have_text(named)
    opened, other = page.url, title(page)
    page.go_back()
    page.wait_for_url(left, wait_until="commit")
    expect(page.get_by_role("heading", level=1)).to_have_text(named)
    page.locator(link).first.wait_for()
    page.go_forward()
    page.wait_for_url(opened, wait_until="commit")
    expect(page.get_by_role("heading", level=1)).to_have_text(other)
    page.reload()
    expect(page.get_by_role("heading", level=1)).to_have_text(other)
    assert page.url == opened


def test_a_default_that_the_opened_page_takes_out_is_no_step_of_its_own(page_as):
    """In the order in which a busy portal answers: the page is changed before its address is."""
    page = page_as("leader", "/assessment?set=TDT1063-2021")
    page.locator(".matrix button.unit").first.wait_for()
    before = page.evaluate("history.length")
    for address in (
        "/assessment?set=TDT1063-2021&code=1&year=2025",
        "/assessment_unit?set=TDT1063-2021&code=1&year=2025",
        "/assessment_unit?set=TDT1063-2021&code=1",
    ):
        page.evaluate("(address) => history.pushState(history.state, '', address)", address)
    assert page.url.endswith("/assessment_unit?set=TDT1063-2021&code=1")
    assert page.evaluate("history.length") == before + 1
