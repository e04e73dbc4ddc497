"""Pictures of villages: the map, the form on desk and phone, one record."""

import re

from tests.browser.conftest import DESK, PHONE, sign_in
from tests.browser.pictures import eventually, is_painted
from tests.screenshots.camera import WALL, Camera, picture, shoot

ACCEPTED_VILLAGE = """
SELECT division_code FROM accepted_natural_village_evaluation
 GROUP BY division_code, report_year
HAVING count(*) BETWEEN 5 AND 9
 ORDER BY report_year DESC, division_code LIMIT 1
"""


@picture
def village_map(camera: Camera) -> None:
    with camera.page("leader", "/village_map", WALL) as page:
        eventually(
            page, lambda: is_painted(page, ".st-key-village-map", 0.001), "the map is painted"
        )
        shoot(camera, "village-map", page)


VILLAGE_IN_HAND = """
SELECT username || ' ' || draft.division_code
  FROM submission_draft AS draft
  JOIN submission USING (submission_id)
  JOIN reporting_period AS period USING (period_id)
  JOIN account_grant AS grants
    ON grants.role = 'township' AND draft.division_code ^@ grants.prefix
  JOIN account USING (user_id)
 WHERE submission.form_code = 'village_evaluation' AND submission.state = 'draft'
   AND period.closed_at IS NULL
 ORDER BY draft.division_code LIMIT 1
"""


@picture
def village(camera: Camera) -> None:
    """The form of a village, its map with a position about to be corrected, and what is refused."""
    officer, code = camera.ask(VILLAGE_IN_HAND).split()
    with camera.page(officer, f"/village?code={code}", DESK) as page:
        page.locator(".kept:visible").first.wait_for()
        shoot(camera, "village", page)
        page.get_by_text("位置图").click()
        page.get_by_label("更正哪个村").select_option(index=2)
        box = page.locator(".place-map svg").bounding_box()
        assert box is not None
        page.mouse.click(box["x"] + box["width"] * 0.42, box["y"] + box["height"] * 0.4)
        page.locator(".place-facts").get_by_text("移动").wait_for()
        shoot(camera, "village-place", page)
    with camera.page(officer, "/villages", DESK) as page:
        page.get_by_role("button", name=re.compile("报送已填好的村")).click()
        page.get_by_role("button", name=re.compile("校验并报送")).click()
        page.get_by_text("未能报送").wait_for()
        shoot(camera, "villages-refused", page)


@picture
def village_map_hazard(camera: Camera) -> None:
    address = "/village_map?colour_by=geohazard_level&at=8.20_27.8000_115.5000"
    with camera.page("leader", address, DESK) as page:
        eventually(
            page, lambda: is_painted(page, ".st-key-village-map", 0.001), "the map is painted"
        )
        shoot(camera, "village-map-hazard", page)


@picture
def village_record(camera: Camera) -> None:
    village = camera.ask(ACCEPTED_VILLAGE)
    with camera.page("leader", f"/village_overview?division={village}", DESK) as page:
        page.locator("table.natural").wait_for()
        shoot(camera, "village-record", page)


@picture
def phone_village(camera: Camera) -> None:
    """The phone page has its own sign-in and no frame of the portal."""
    officer = next(name for name in camera.passwords if name.startswith("township_"))
    with camera.page(None, "/phone", PHONE) as page:
        sign_in(page, officer, camera.passwords[officer])
        page.get_by_role("link", name="下一个村").click()
        page.locator(".steps").select_option(label="人口")
        camera.keep("phone-village", page.screenshot())
