"""Pictures of accounts and of the trail."""

from playwright.sync_api import Page

from tests.browser.conftest import DESK
from tests.screenshots.camera import Camera, picture, shoot


@picture
def account(camera: Camera) -> None:
    with camera.page("information_centre", "/accounts", DESK) as page:
        choose_row(page, 2)
        page.locator(".st-key-accounts-panel").wait_for()
        shoot(camera, "account", page)


@picture
def trail_entry(camera: Camera) -> None:
    with camera.page("auditor", "/trail", DESK) as page:
        choose_row(page, 1)
        page.get_by_text("显示未改动的字段").wait_for()
        shoot(camera, "trail-entry", page)
        page.get_by_role("button", name="校验日志").click()
        page.get_by_text("条日志完整无改动").wait_for()
        page.mouse.move(0, 0)
        shoot(camera, "trail-verified", page)


def choose_row(page: Page, number: int) -> None:
    """Tick a row of the first table: its box is in the first column, 35 pixels a row."""
    box = page.locator('[data-testid="stDataFrame"] canvas').first.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + 16, box["y"] + 38 + 35 * (number - 0.5))
