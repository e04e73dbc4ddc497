"""The map of villages in Chromium: a filed village changes colour by itself, where one looks."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.pictures import eventually, map_picture

BOX = ".st-key-village-map"
UNFILED = """
SELECT division_code, submission_id FROM village_standing
 WHERE state = 'draft' ORDER BY division_code LIMIT 1
"""
FILED = "UPDATE submission SET state = 'submitted', step_no = 1 WHERE submission_id = %s"
DRAFT, SUBMITTED = (0xE6, 0xB8, 0x00), (0x2B, 0x8C, 0xBE)


def in_the_middle(page: Page) -> tuple[int, int, int]:
    """Return the colour in the middle of the map, where the chosen village lies."""
    picture = map_picture(page, BOX)
    return picture.getpixel((picture.width // 2, picture.height // 2))


def is_near(colour: tuple[int, int, int], wanted: tuple[int, int, int]) -> bool:
    return all(abs(a - b) < 24 for a, b in zip(colour, wanted, strict=True))


@pytest.fixture
def unfiled(database):
    found = database.execute(UNFILED).fetchone()
    assert found is not None
    return found


def test_a_filed_village_changes_colour_where_one_looks(page_as, database, unfiled):
    code, submission_id = unfiled
    page = page_as("leader", f"/village_map?code={code}")
    card = page.locator(".st-key-village-map-told")
    expect(card).to_contain_text("草稿")
    expect(page.get_by_text("演示数据").first).to_be_visible()
    eventually(page, lambda: is_near(in_the_middle(page), DRAFT), "the village is drawn")
    address = page.url
    database.execute(FILED, [submission_id])
    eventually(page, lambda: is_near(in_the_middle(page), SUBMITTED), "it changed", 30)
    expect(card).to_contain_text("待审核")
    assert page.url == address
