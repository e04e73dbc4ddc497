"""The map of villages in Chromium: a filed village changes colour by itself, where one looks."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.pictures import NO_WEBGL, eventually, is_painted, map_picture

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


def test_where_one_looks_is_in_the_address(page_as):
    linked = "9.50_27.2000_115.4000"
    page = page_as("leader", f"/village_map?colour_by=geohazard_level&at={linked}")
    canvas = page.locator(f"{BOX} canvas").first
    eventually(page, lambda: is_painted(page, BOX, 0.001), "the villages are drawn")
    assert linked in page.url
    box = canvas.bounding_box()
    page.mouse.move(box["x"] + 300, box["y"] + 200)
    page.mouse.down()
    page.mouse.move(box["x"] + 400, box["y"] + 260, steps=5)
    page.mouse.up()
    eventually(page, lambda: linked not in page.url, "the address follows the map")
    assert "colour_by=geohazard_level" in page.url
    page.get_by_role("button", name="放大").click()
    eventually(page, lambda: "at=10.50_" in page.url, "the map is nearer")
    moved = page.url
    page.reload()
    eventually(page, lambda: is_painted(page, BOX, 0.001), "the same place is drawn again")
    assert page.url == moved


def test_without_webgl_the_map_is_the_same(page_as, portal):
    page = page_as("leader")
    page.add_init_script(NO_WEBGL)
    page.goto(portal.url + "/village_map")
    eventually(page, lambda: is_painted(page, BOX, 0.001), "the villages are drawn")


def test_a_click_opens_the_village(page_as, database):
    code, longitude, latitude = database.execute(
        "SELECT code, ST_X(location), ST_Y(location) FROM village_point ORDER BY code LIMIT 1"
    ).fetchone()
    page = page_as("leader", f"/village_map?at=14.00_{latitude:.4f}_{longitude:.4f}")
    box = page.locator(f"{BOX} canvas").first.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2

    def hovers() -> bool:
        # A mouse that rests tells nothing: the tile may have come after it.
        page.mouse.move(x - 2, y)
        page.mouse.move(x, y)
        return page.locator(".map-tip").is_visible()

    eventually(page, hovers, "the village under the mouse says its name")
    page.mouse.click(x, y)
    expect(page.locator(".st-key-village-map-told")).to_contain_text(code)
    assert f"code={code}" in page.url


def test_the_map_says_whose_villages_it_shows_and_where_there_are_none(page_as, database):
    code, longitude, latitude = database.execute(
        "SELECT code, ST_X(location), ST_Y(location) FROM village_point ORDER BY code LIMIT 1"
    ).fetchone()
    above = database.execute(
        "SELECT name FROM division_on(current_date) WHERE level IN ('city', 'county')"
        " AND starts_with(%s, prefix) ORDER BY length(prefix)",
        [code],
    ).fetchall()
    page = page_as("leader", f"/village_map?at=14.00_{latitude:.4f}_{longitude:.4f}")
    where, note = page.locator(".map-where"), page.locator(".legend .note")
    expect(where).to_have_text(" › ".join(name for (name,) in above))
    expect(note).to_be_hidden()  # there are no circles to be explained
    page.goto(page.url.partition("?")[0] + f"?at=17.00_{latitude - 20:.4f}_{longitude:.4f}")
    expect(where).to_contain_text("这里没有村庄")
    page.goto(page.url.partition("?")[0])
    expect(note).to_be_visible()
    expect(where).to_be_hidden()
    expect(page.locator(".legend")).not_to_contain_text("不在您的数据范围")


def test_a_county_is_told_which_villages_are_not_its_own(page_as):
    page = page_as("county_360123", "/village_map")
    expect(page.locator(".legend")).to_contain_text("不在您的数据范围")
