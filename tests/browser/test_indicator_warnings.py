"""A red cell of the matrix, from the leader's screen to the county's answer and the closing."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

WARNING = """
SELECT item.indicator_warning_id, item.division_code, county.name, county.parent_code
     , indicator.canonical_code, indicator.name, item.report_year
  FROM indicator_warning AS item
  JOIN division_on(current_date) AS county
    ON county.code = item.division_code AND county.level = 'county'
  JOIN account ON account.username = 'county_' || county.code
  JOIN indicator ON indicator.canonical_code = item.canonical_code
   AND indicator.set_code = (SELECT set_code FROM indicator_set ORDER BY set_order LIMIT 1)
   AND indicator.tier = 'basic'
 WHERE item.state = 'open' AND item.level = 'severe'
 ORDER BY item.indicator_warning_id LIMIT 1
"""


@pytest.fixture
def warning(database):
    found = database.execute(WARNING).fetchone()
    assert found, "the demo has no county with a red warning in hand"
    return found


def cell(page: Page, unit: str, indicator: str) -> Locator:
    """Return the cell of a unit and an indicator in the matrix."""
    matrix = page.locator(".matrix")
    # What is binding has a dot before its name.
    exact = re.compile(rf"^●?{re.escape(indicator)}$")
    head = matrix.locator("button.name").filter(has_text=exact)
    row = matrix.locator("tr[data-row]").filter(
        has=page.get_by_role("button", name=unit, exact=True)
    )
    return row.locator(f'td[data-at="{head.get_attribute("data-column")}"]')


def write(page: Page, act: str, text: str) -> None:
    """Press an act of the item, write in its dialog and send."""
    page.locator(".st-key-warning-card").get_by_role("button", name=act, exact=True).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("内容").fill(text)
    dialog.get_by_role("button", name=act, exact=True).click()
    expect(dialog.get_by_text(f"已记录{act}。")).to_be_visible()


def test_from_a_red_cell_to_the_closing_of_its_warning(page_as, database, warning):
    number, code, unit, city, canonical, name, year = warning
    page = page_as("leader", f"/assessment?city={city}&year={year}")
    red = cell(page, unit, name)
    red.click()
    page.wait_for_url(re.compile(rf"assessment_figure\?.*unit={code}"))
    assert f"code={canonical}" in page.url
    expect(page.locator(".unit-headline")).to_contain_text("属“严重”")

    county = page_as(f"county_{code}", f"/indicator_warnings?id={number}")
    card = county.locator(".st-key-warning-card")
    expect(card).to_contain_text(name)
    expect(card.get_by_role("button", name="销号")).to_have_count(0)
    write(county, "反馈", "已核实，年底前整改到位。")

    bureau = page_as("bureau", f"/indicator_warnings?id={number}")
    expect(bureau.locator(".st-key-warning-card")).to_contain_text("已核实，年底前整改到位。")
    write(bureau, "销号", "复核属实，予以销号。")
    state = "SELECT state FROM indicator_warning WHERE indicator_warning_id = %s"
    assert database.execute(state, [number]).fetchone() == ("closed",)
