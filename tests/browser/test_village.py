"""An officer files a village in the browser: from the worklist to the county's queue."""

import math
import re

import psycopg
import pytest
from playwright.sync_api import Route, expect

from tests.browser.pictures import eventually

SAVED = re.compile(r"已保存 \d\d:\d\d:\d\d")
# A draft of this year that lacks nothing, in a township that has an officer.
FILLED_IN = """
SELECT account.username, draft.division_code
  FROM submission_draft AS draft
  JOIN submission USING (submission_id)
  JOIN account_grant AS grants
    ON grants.role = 'township' AND draft.division_code ^@ grants.prefix
  JOIN account USING (user_id)
 WHERE submission.form_code = 'village_evaluation' AND submission.state = 'draft'
   AND draft.content #>> '{form,fill_phone}' IS NOT NULL
 ORDER BY draft.division_code LIMIT 1
"""


@pytest.fixture(scope="module")
def work(database: psycopg.Connection) -> tuple[str, str]:
    row = database.execute(FILLED_IN).fetchone()
    assert row, "the demo has no draft of a village that is filled in"
    return row[0], row[1]


def test_an_officer_files_a_village_from_his_list(page_as, database, work):
    officer, village = work
    page = page_as(officer, f"/villages?q={village}")
    page.get_by_role("link", name="填写").click()
    expect(page.get_by_text("尚未提交")).to_be_visible()
    phone = page.get_by_label("联系电话")
    phone.fill("13900001111")
    phone.blur()
    expect(page.get_by_text("户籍人口").first).to_be_visible()
    page.get_by_text(SAVED).wait_for()
    page.get_by_role("button", name="提交", exact=True).click()
    expect(page.get_by_text("县级初审")).to_be_visible()
    filed = database.execute(
        "SELECT submission.state, step_no, fill_phone FROM submission"
        "  JOIN reporting_period AS period USING (period_id)"
        "  JOIN filed_village_evaluation USING (submission_id)"
        " WHERE submission.division_code = %s AND period.closed_at IS NULL",
        [village],
    ).fetchone()
    assert filed == ("submitted", 1, "13900001111")


# Drafts of this year that somebody has begun and not filled in, in the same township.
UNFINISHED = """
SELECT draft.division_code
  FROM submission_draft AS draft
  JOIN submission USING (submission_id)
  JOIN reporting_period AS period USING (period_id)
 WHERE submission.form_code = 'village_evaluation' AND period.closed_at IS NULL
   AND submission.state IN ('draft', 'returned') AND draft.division_code ^@ %s
"""


def where(database: psycopg.Connection, code: str) -> tuple[float, float]:
    return database.execute(
        "SELECT ST_X(location), ST_Y(location) FROM natural_village WHERE code = %s", [code]
    ).fetchone()


def tile_of(longitude: float, latitude: float, zoom: int = 14) -> str:
    """Return the address of the tile that shows a place."""
    north = math.radians(latitude)
    x = (longitude + 180) / 360 * 2**zoom
    y = (1 - math.asinh(math.tan(north)) / math.pi) / 2 * 2**zoom
    return f"/tiles/natural_village/{zoom}/{int(x)}/{int(y)}"


FREE_BESIDE = """(point) => {
    const svg = point.ownerSVGElement, box = point.getBoundingClientRect();
    for (const [dx, dy] of [[24, 0], [0, 24], [-24, 0], [0, -24], [40, 40], [-40, 40]]) {
        const [x, y] = [box.x + box.width / 2 + dx, box.y + box.height / 2 + dy];
        if (svg.getRootNode().elementFromPoint(x, y) === svg) return [x, y];
    }
    return null;
}"""


def test_a_click_on_the_map_moves_a_natural_village_and_back(page_as, database, work, portal):
    officer, village = work
    page = page_as(officer, f"/village?code={village}")
    page.get_by_text("位置图").click()
    page.get_by_label("更正哪个村").select_option(index=2)
    code = page.get_by_label("更正哪个村").input_value()
    before = where(database, code)
    tile = page.request.get(portal.url + tile_of(*before)).body()
    page.mouse.click(*page.locator(f'circle[data-code="{code}"]').evaluate(FREE_BESIDE))
    expect(page.locator(".place-facts")).to_contain_text("移动")
    page.get_by_label("更正理由").fill("按实地核对")
    page.get_by_role("button", name="保存新位置").click()
    expect(page.get_by_text("的位置已更正")).to_be_visible()
    assert where(database, code) != before
    eventually(
        page, lambda: page.request.get(portal.url + tile_of(*before)).body() != tile, "tile", 10
    )
    page.get_by_role("button", name="恢复原位置").click()
    expect(page.get_by_text("已恢复原位置")).to_be_visible()
    assert where(database, code) == before


def test_coordinates_are_an_alternative_to_the_map_and_the_county_is_the_limit(
    page_as, database, work
):
    officer, village = work
    page = page_as(officer, f"/village?code={village}")
    page.get_by_text("位置图").click()
    page.get_by_label("更正哪个村").select_option(index=2)
    page.get_by_text("输入坐标").click()
    page.get_by_label("经度").last.fill("100.5")
    page.get_by_label("纬度").last.fill("30.5")
    page.get_by_role("button", name="标到图上").click()
    expect(page.get_by_text("不在所属县（市、区）范围内")).to_be_visible()
    expect(page.get_by_role("button", name="保存新位置")).to_be_disabled()


def test_what_could_not_be_filed_leads_to_its_field(page_as, database, work):
    officer, village = work
    (unfinished, *_) = [code for (code,) in database.execute(UNFINISHED, [village[:9]]).fetchall()]
    database.execute(
        "UPDATE submission_draft SET content = content #- '{form,hukou_pop}'"
        " WHERE division_code = %s",
        [unfinished],
    )
    page = page_as(officer, "/villages")
    page.get_by_role("button", name=re.compile("报送已填好的村")).click()
    page.get_by_role("button", name=re.compile("校验并报送")).click()
    reason = page.locator(f'.village-refused a[href*="{unfinished}&field=form.hukou_pop"]')
    reason.click()
    expect(page.get_by_label("户籍人口（人）").first).to_be_focused()
    expect(page.locator("div.message.error:visible").first).to_have_text("请填写户籍人口。")
    page.get_by_role("link", name="返回各村").click()
    expect(reason).to_be_visible()  # what is left to be done stays listed until it was read
    page.get_by_role("button", name="知道了").click()
    expect(reason).to_have_count(0)


def test_a_village_is_opened_and_left_again_without_loading_the_portal_anew(page_as, work):
    officer, village = work
    page = page_as(officer, "/villages")
    page.get_by_label("村名或代码").fill(village)
    page.get_by_label("村名或代码").press("Enter")
    expect(page).to_have_url(re.compile(f"q={village}"))
    page.evaluate("window.isTheSame = true")
    page.locator(".village-table tbody a").first.click()
    expect(page).to_have_url(re.compile(f"/village.*code={village}"))
    page.get_by_role("link", name="返回各村").click()
    expect(page).to_have_url(re.compile(f"/villages.*q={village}"))
    expect(page.locator(".village-table tbody tr")).to_have_count(1)
    assert page.evaluate("window.isTheSame")


def test_the_list_names_villages_whose_text_only_this_browser_has(
    page_as, guard, database, work, portal
):
    officer, village = work
    unfinished = database.execute(UNFINISHED, [village[:9]]).fetchall()[-1][0]
    page = page_as(officer, f"/village?code={unfinished}")
    note = page.get_by_label("备注", exact=True).first
    note.wait_for()
    [(rows,)] = database.execute(
        "SELECT content -> 'natural_village' FROM submission_draft WHERE division_code = %s",
        [unfinished],
    ).fetchall()
    people = [row["hukou_pop"] for row in rows if row["hukou_pop"] is not None]
    total = f"{sum(people):,}" if people else "—"
    expect(page.locator(".sums")).to_contain_text(f"户籍人口 {total} / ")
    guard.tolerated += ("ERR_", "Failed to")
    page.context.route("**/api/drafts/*", cut)
    note.fill("断网时写的")
    expect(page.locator(".save-state")).to_contain_text("保留在本机")
    listed = page.context.new_page()
    listed.goto(f"{portal.url}/villages")
    link = listed.locator(f'.village-unsent a[href*="code={unfinished}&"]')
    expect(link).to_be_visible()
    page.context.unroute_all()
    page.get_by_text(SAVED).wait_for()
    expect(link).to_have_count(0)


def cut(route: Route) -> None:
    """Let a report be read and not be saved."""
    if route.request.method == "PUT":
        route.abort()
    else:
        route.continue_()
