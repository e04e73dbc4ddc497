"""Every point of a chart of the assessment opens what it stands for, by mouse and by keyboard."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

FIGURE = re.compile(r"/assessment_figure\?")


@pytest.fixture(scope="module")
def unit(database) -> str:
    """A county with a figure that is filed as it is."""
    found = database.execute(
        "SELECT min(division_code) FROM indicator_value JOIN division_on(current_date) AS unit"
        " ON unit.code = division_code AND unit.level = 'county'"
    ).fetchone()
    return str(found[0])


def chart(page: Page, key: str) -> Locator:
    return page.locator(f".st-key-{key}")


def click(point: Locator) -> None:
    """Press on the middle of a drawn point: plotly listens to the pane above it."""
    point.wait_for()
    point.scroll_into_view_if_needed()
    box = point.bounding_box()
    assert box is not None
    mouse = point.page.mouse
    mouse.move(box["x"] + box["width"] / 2 - 3, box["y"] + box["height"] / 2)
    mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    mouse.down()
    mouse.up()


def test_a_spoke_opens_its_indicators_and_a_year_its_record(page_as, unit):
    page = page_as("leader", f"/assessment_unit?code={unit}")
    rows = page.locator("table.indicators tbody tr:not(.group)")
    expect(rows.nth(10)).to_be_visible()
    every = rows.count()
    click(chart(page, "assessment-radar").locator(".polarlayer .point").nth(-2))
    page.wait_for_url(re.compile("dimension="))
    expect(page.locator("table.indicators tr.group")).to_have_count(1)
    assert 0 < rows.count() < every
    click(chart(page, "assessment-years").locator(".scatterlayer .point").last)
    page.wait_for_url(FIGURE)


def test_a_bar_lists_its_units_and_a_year_of_the_province_says_what_it_is_made_of(page_as):
    page = page_as("leader", "/assessment_indicator?code=LIFE_15")
    chart(page, "assessment-histogram").locator(".point path").first.wait_for()
    click(chart(page, "assessment-histogram").locator(".point path").first)
    page.wait_for_url(re.compile("low="))
    expect(page.locator("p.bin a").first).to_be_visible()
    click(chart(page, "assessment-province").locator(".scatterlayer .point").last)
    page.wait_for_url(FIGURE)
    expect(page.get_by_text("由全省各县合计得出")).to_be_visible()


def test_the_keyboard_opens_what_the_mouse_does(page_as):
    page = page_as("leader", "/assessment_indicator?code=LIFE_15")
    page.get_by_text("两项指标的数值").click()
    figure = page.locator(".stExpander td.number a").last
    figure.focus()
    figure.press("Enter")
    page.wait_for_url(FIGURE)
