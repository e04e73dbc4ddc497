"""The phone page on a village's network: cut, killed, opened again; and two officers at once."""

from contextlib import suppress
from dataclasses import dataclass

import psycopg
import pytest
from playwright.sync_api import Error, Page, expect
from psycopg.types.json import Jsonb

from data_access.sessions import hash_password
from tests.browser.conftest import PHONE, Guard, PageAs
from tests.browser.pictures import eventually
from tests.browser.portal import Portal
from tests.files import picture
from tests.villages import complete, open_village_period

PASSWORD = "Phone-2026-page"
NATURAL = 9
# What a browser says of a network that is not there, and of a page that asks who is there.
AWAY = ("ERR_", "Failed to", "401", "409")
UNTOUCHED = """
SELECT village.code
  FROM admin_division AS village
  JOIN natural_village ON natural_village.code ^@ village.code
 WHERE village.level = 'village' AND village.code NOT IN (
       SELECT division_code FROM submission WHERE form_code = 'village_evaluation')
 GROUP BY village.code HAVING count(*) = %s
 ORDER BY village.code LIMIT 2
"""


@dataclass(frozen=True)
class Officer:
    username: str
    name: str


@pytest.fixture(scope="module")
def villages(database: psycopg.Connection) -> list[str]:
    """Two villages of nine natural villages that nobody has begun."""
    found = database.execute(
        "SELECT FROM reporting_period WHERE form_code = 'village_evaluation' AND closed_at IS NULL"
    ).fetchone()
    if found is None:
        open_village_period(database, 2026)
    return [code for (code,) in database.execute(UNTOUCHED, [NATURAL]).fetchall()]


@pytest.fixture(scope="module")
def officers(database: psycopg.Connection, villages: list[str]) -> list[Officer]:
    """Two officers, each of whom files for both villages' townships."""
    hashed = hash_password(PASSWORD)
    made = [Officer("phone_a", "赵一"), Officer("phone_b", "钱二")]
    for officer in made:
        (number,) = database.execute(
            "INSERT INTO account (username, display_name, password_hash, must_change_password)"
            " VALUES (%s, %s, %s, false) RETURNING user_id",
            [officer.username, officer.name, hashed],
        ).fetchone()
        database.execute(
            "INSERT INTO account_grant (user_id, role, division_code, prefix)"
            " SELECT %s, 'township', code, prefix FROM admin_division WHERE code = ANY (%s)",
            [number, list({code[:9] for code in villages})],
        )
    return made


@pytest.fixture
def phone(portal: Portal, open_page: PageAs, guard: Guard) -> PageAs:
    """Return a function that signs an officer in on a phone, at an address of the phone page."""
    guard.tolerated += AWAY

    def opened(officer: Officer, address: str) -> Page:
        page = open_page(PHONE)
        page.goto(portal.url + address)
        page.get_by_label("用户名").fill(officer.username)
        page.get_by_label("口令").fill(PASSWORD)
        page.get_by_role("button", name="登录").click()
        expect(page.get_by_label("口令")).to_have_count(0)
        page.wait_for_load_state()
        return page

    return opened


def go_to(page: Page, title: str) -> None:
    """Choose a step by what its name begins with."""
    steps = page.locator(".steps")
    expect(steps).to_be_visible()
    expect(steps.locator("option").filter(has_text=title).first).to_be_attached()
    names = steps.locator("option").all_text_contents()
    steps.select_option(index=next(i for i, name in enumerate(names) if name.startswith(title)))


def people(page: Page):
    return page.locator(".card:not([hidden])").get_by_role("textbox", name="户籍人口")


def saved(page: Page) -> None:
    expect(page.locator(".state-bar .save-state")).to_contain_text("已保存")


def drafts_of(database: psycopg.Connection, village: str) -> list[dict]:
    rows = database.execute(
        "SELECT content FROM submission JOIN submission_draft USING (submission_id)"
        " WHERE submission.division_code = %s AND form_code = 'village_evaluation'",
        [village],
    ).fetchall()
    return [content for (content,) in rows]


def people_of(database: psycopg.Connection, village: str) -> object:
    return drafts_of(database, village)[0]["form"].get("hukou_pop")


def can_open_offline(page: Page, village: str) -> bool:
    """Tell whether the browser holds the page, its files and the report."""
    return page.evaluate(
        """async (village) => {
            const [name] = await caches.keys();
            if (!name || !navigator.serviceWorker.controller) return false;
            const urls = (await (await caches.open(name)).keys()).map((request) => request.url);
            return ["/phone/" + village, "phone.js", "phone.css", "/api/drafts/"]
              .every((part) => urls.some((url) => url.includes(part)));
        }""",
        village,
    )


def test_nothing_typed_is_lost_or_doubled_when_the_network_and_the_tab_go(
    database, villages, officers, phone
):
    village, typed = villages[0], [301 + number for number in range(NATURAL)]
    page = phone(officers[0], "/phone")
    page.get_by_role("searchbox").fill(village)
    page.get_by_role("button", name="查找").click()
    page.locator(".villages a").click()
    eventually(page, lambda: can_open_offline(page, village), "kept")
    for number in range(NATURAL):
        if number == 4:
            saved(page)
            page.context.set_offline(True)
        go_to(page, f"自然村 {number + 1}/{NATURAL}")
        people(page).fill(str(typed[number]))
    expect(page.locator(".state-bar .save-state")).to_contain_text("保留在本机")
    assert [row["hukou_pop"] for row in drafts_of(database, village)[0]["natural_village"]][4:] != (
        typed[4:]
    )
    address, context = page.url, page.context
    page.close()  # offline: nothing that the page does at its end reaches anybody

    again = context.new_page()
    again.goto(address)
    expect(again.locator(".sum:visible").first).to_contain_text(f"自然村合计 {sum(typed):,}")
    for number in range(NATURAL):
        go_to(again, f"自然村 {number + 1}/{NATURAL}")
        expect(people(again)).to_have_value(str(typed[number]))
    context.set_offline(False)
    saved(again)
    (draft,) = drafts_of(database, village)
    assert [row["hukou_pop"] for row in draft["natural_village"]] == typed
    assert again.evaluate("Object.keys(localStorage).filter((k) => k.includes('outbox'))") == []


def test_files_of_last_year_are_marked_and_taken_over_again(villages, officers, phone):
    """The answer of the server is given last year's files: nobody filed a village of these."""
    page = phone(officers[0], "/phone")
    expect(page.get_by_role("searchbox")).to_be_visible()
    photo, minutes = {"现状照片": 7}, {"村民会议纪要": 8}

    def with_files(route):
        if route.request.method != "GET":
            return route.abort()
        answer = route.fetch()
        draft = answer.json()
        draft["accepted"]["form.attachments"] = photo | minutes
        draft["content"]["form"]["attachments"] = photo | {"其他": 9}
        draft["rows"]["form"][0]["files"] = [
            {"id": number, "item": item, "name": f"{item}.jpg"}
            for item, number in (photo | minutes | {"其他": 9}).items()
        ]
        return route.fulfill(response=answer, json=draft)

    page.context.route("**/api/drafts/*", with_files)
    page.goto(f"{page.url.split('/phone')[0]}/phone/{villages[1]}")
    expect(page.locator(".steps")).to_be_visible()
    go_to(page, "附件")
    files = page.locator(".card:not([hidden]) .file.given")
    expect(files).to_have_count(2)
    expect(files.filter(has_text="现状照片").locator(".kept")).to_have_text("沿用上年")
    expect(files.filter(has_text="其他").locator(".kept")).to_have_count(0)
    page.get_by_role("button", name="移除现状照片").click()
    expect(files).to_have_count(1)
    page.get_by_role("button", name="采用上次的附件").click()
    expect(files).to_have_count(3)
    expect(page.locator(".kept:visible")).to_have_count(2)


def test_a_photograph_goes_on_when_the_network_is_back(database, villages, officers, phone):
    village = villages[0]
    page = phone(officers[0], f"/phone/{village}")
    expect(page.locator(".steps")).to_be_visible()
    go_to(page, f"自然村 1/{NATURAL}")
    page.context.set_offline(True)
    photo = {"name": "村口.jpg", "mimeType": "image/jpeg", "buffer": picture("JPEG")}
    page.locator(".card:not([hidden]) input[type=file]").first.set_input_files(photo)
    expect(page.get_by_text("等待续传").first).to_be_visible()
    page.context.set_offline(False)
    expect(page.get_by_role("link", name="村口.jpg")).to_be_visible()
    saved(page)
    eventually(
        page,
        lambda: drafts_of(database, village)[0]["natural_village"][0].get("attachments"),
        "attached",
    )


def test_a_position_waits_on_the_phone_until_the_network_is_back(
    database, villages, officers, phone
):
    village = villages[0]
    code = f"{village}001"
    longitude, latitude = where(database, code)
    page = phone(officers[0], f"/phone/{village}")
    context, address = page.context, f"{page.url}"
    context.grant_permissions(["geolocation"])
    context.set_geolocation({"longitude": longitude + 0.001, "latitude": latitude})
    expect(page.locator(".steps")).to_be_visible()
    go_to(page, f"自然村 1/{NATURAL}")
    page.locator(".card:not([hidden])").get_by_role("button", name="更正位置").click()
    page.get_by_text("请在图上点击新位置").wait_for()
    context.set_offline(True)
    page.get_by_role("button", name="用当前位置").click()
    expect(page.locator(".place-facts")).to_contain_text("移动")
    page.get_by_role("button", name="保存新位置").click()
    expect(page.get_by_text("已存在本机")).to_be_visible()
    assert where(database, code) == (longitude, latitude)
    page.close()
    context.set_offline(False)
    again = context.new_page()
    again.goto(address)
    eventually(again, lambda: where(database, code)[0] > longitude + 0.0009, "moved")
    eventually(
        again,
        lambda: again.evaluate("!Object.keys(localStorage).some((k) => k.includes('places'))"),
        "sent",
    )


def where(database: psycopg.Connection, code: str) -> tuple[float, float]:
    return database.execute(
        "SELECT ST_X(location), ST_Y(location) FROM natural_village WHERE code = %s", [code]
    ).fetchone()


def test_an_own_save_whose_answer_was_lost_asks_nothing(database, villages, officers, phone):
    village = villages[1]
    page = phone(officers[0], f"/phone/{village}")
    expect(page.locator(".steps")).to_be_visible()
    go_to(page, "人口")
    context, sent = page.context, []

    def cut(route):
        """Let the first save be committed, and no answer to any come back."""
        if route.request.method == "PUT":
            sent.append(route.request.url)
            if len(sent) == 1:
                route.fetch()
        route.abort()

    context.route("**/api/drafts/*", cut)
    people(page).fill("１，２５０")
    eventually(
        page,
        lambda: drafts_of(database, village) and people_of(database, village) == 1250,
        "committed",
    )
    people(page).fill("1260")
    expect(page.locator(".state-bar .save-state")).to_contain_text("保留在本机")
    address = page.url
    page.close()
    assert people_of(database, village) == 1250
    context.unroute("**/api/drafts/*", cut)

    again = context.new_page()
    again.goto(address)
    expect(people(again)).to_have_value("1260")
    saved(again)
    eventually(again, lambda: people_of(database, village) == 1260, "saved")
    assert not again.get_by_role("alertdialog").is_visible()
    assert again.evaluate("Object.keys(localStorage).filter((k) => k.includes('outbox'))") == []


def test_of_two_who_typed_the_officer_chooses(database, villages, officers, phone):
    village = villages[1]
    mine, theirs = (phone(officer, f"/phone/{village}") for officer in officers)
    for page, title in ((mine, "人口"), (theirs, "人口")):
        expect(page.locator(".steps")).to_be_visible()
        go_to(page, title)
    mine.context.set_offline(True)
    people(mine).fill("1200")
    people(theirs).fill("1300")
    saved(theirs)
    eventually(theirs, lambda: people_of(database, village) == 1300, "saved")
    mine.context.set_offline(False)
    conflict = mine.get_by_role("alertdialog")
    expect(conflict).to_contain_text(officers[1].name)
    expect(conflict).to_contain_text("1200")
    expect(conflict).to_contain_text("1300")
    conflict.get_by_role("radio", name="1200").check()
    conflict.get_by_role("button", name="按所选保存").click()
    saved(mine)
    eventually(mine, lambda: people_of(database, village) == 1200, "saved")


def test_a_village_is_filed_from_the_phone_and_leads_to_the_next(
    database, villages, officers, phone
):
    village = villages[0]
    content = complete(drafts_of(database, village)[0])
    content["form"] |= {"construction_area": "40", "homestead_area": "30"}
    for row in (content["form"], *content["natural_village"]):
        row["explanation"] = "已逐项核实。"
    database.execute(
        "UPDATE submission_draft SET content = %s WHERE division_code = %s",
        [Jsonb(content), village],
    )
    page = phone(officers[0], f"/phone/{village}")
    expect(page.locator(".steps")).to_be_visible()
    go_to(page, "检查并报送")
    expect(page.get_by_text("已填写完整，可以报送")).to_be_visible()
    page.get_by_role("button", name="报送", exact=True).click()
    expect(page.get_by_text("已报送，等待审核")).to_be_visible()
    expect(page.get_by_role("link", name="下一个村")).to_be_visible()


def type_unsent(page: Page, number: str) -> None:
    """Type the people of a village while nothing is saved."""
    go_to(page, "人口")
    page.context.route("**/api/drafts/*", lambda route: route.abort())
    people(page).fill(number)
    expect(page.locator(".state-bar .save-state")).to_contain_text("保留在本机")


def file_it(page: Page, village: str) -> None:
    page.reload()
    go_to(page, "检查并报送")
    page.get_by_role("button", name="报送", exact=True).click()
    expect(page.get_by_text("已报送，等待审核")).to_be_visible()


def withdraw(page: Page) -> None:
    page.get_by_role("button", name="撤回").click()
    expect(page.get_by_role("button", name="撤回")).to_have_count(0)


def test_the_list_of_what_is_missing_stays_with_the_review(villages, officers, phone):
    page = phone(officers[0], f"/phone/{villages[1]}")
    go_to(page, "检查并报送")
    missing = page.locator(".summary details.error")
    expect(missing).to_have_attribute("open", "")
    expect(missing.locator("li").first).to_be_visible()
    go_to(page, "人口")
    expect(missing.locator("li").first).to_be_hidden()
    expect(people(page)).to_be_in_viewport()


def test_what_was_not_sent_before_another_filed_is_shown_taken_over_or_dropped(
    database, villages, officers, phone
):
    """The village is under review, filed in the test before."""
    village = villages[0]
    theirs, mine = (phone(officer, f"/phone/{village}") for officer in officers)
    withdraw(theirs)
    mine.reload()
    was = people_of(database, village)
    type_unsent(mine, "3601")
    file_it(theirs, village)
    mine.get_by_role("link", name="村庄列表").click()
    waiting = mine.locator("#unsent a")
    expect(waiting).to_have_attribute("href", f"/phone/{village}")
    mine.context.unroute_all()
    waiting.click()
    left = mine.get_by_role("region", name="没有上传的内容")
    expect(left).to_contain_text("您填写的 1 处没有上传")
    expect(left.locator("dd")).to_have_text("3601")
    assert people_of(database, village) == was

    withdraw(theirs)
    mine.reload()
    eventually(mine, lambda: people_of(database, village) == 3601, "taken over")
    saved(mine)

    type_unsent(mine, "3602")
    file_it(theirs, village)
    mine.context.unroute_all()
    mine.reload()
    mine.once("dialog", lambda dialog: dialog.accept())
    left.get_by_role("button", name="丢弃").click()
    expect(left).to_have_count(0)
    assert mine.evaluate("Object.keys(localStorage).filter((k) => k.includes('outbox'))") == []


def test_what_is_typed_after_the_period_closed_is_kept_and_said_to_be_too_late(
    database, villages, officers, phone
):
    village = villages[1]
    page = phone(officers[0], f"/phone/{village}")
    expect(page.locator(".steps")).to_be_visible()
    go_to(page, "人口")
    close = "UPDATE reporting_period SET closed_at = {} WHERE period_id = %s"
    (period,) = database.execute(
        "SELECT period_id FROM reporting_period"
        " WHERE form_code = 'village_evaluation' AND closed_at IS NULL"
    ).fetchone()
    database.execute(close.format("now()"), [period])
    try:
        people(page).fill("1212")
        told = page.locator(".state-bar .save-state")
        expect(told).to_contain_text("但不能提交：本填报期已关闭，不再接收首次报送")
        assert people_of(database, village) == 1212
        go_to(page, "检查并报送")
        expect(page.get_by_role("button", name="报送", exact=True)).to_be_hidden()
    finally:
        database.execute(close.format("NULL"), [period])


def test_signing_out_takes_everything_along_and_warns_before(
    database, villages, officers, phone, portal
):
    page = phone(officers[0], f"/phone/{villages[1]}")
    expect(page.locator(".steps")).to_be_visible()
    eventually(page, lambda: can_open_offline(page, villages[1]), "kept")
    go_to(page, "人口")
    page.route("**/api/drafts/*", lambda route: route.abort())
    page.context.route("**/api/drafts/*", lambda route: route.abort())
    people(page).fill("77")
    page.evaluate("localStorage.setItem('portal.outbox.0.1.2', '{}')")  # somebody else's
    asked = []
    page.once("dialog", lambda dialog: (asked.append(dialog.message), dialog.dismiss()))
    page.get_by_role("button", name="退出").click()
    assert "1 个村、其他账号 1 个村的内容没有上传" in asked[0]
    expect(people(page)).to_have_value("77")
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="退出").click()
    expect(page.get_by_label("口令")).to_be_visible()
    left = "(async () => [await caches.keys(), Object.keys(localStorage)])()"
    assert page.evaluate(left) == [[], []]
    page.context.set_offline(True)
    with suppress(Error):
        page.goto(f"{portal.url}/phone/{villages[1]}")
    assert villages[1] not in page.locator("body").inner_text()
