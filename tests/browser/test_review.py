"""A reviewer works through many reports with the keyboard; nothing holds before its moment."""

import re

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import sign_in
from tests.browser.pictures import eventually

ROWS = ".queue .row:not(.head)"
CHOSEN = (
    "SELECT state, bulk_decision_id IS NOT NULL FROM submission"
    " JOIN review_event USING (submission_id)"
    " WHERE submission_id = ANY (%s) AND review_event.action = 'approve'"
)


@pytest.fixture
def undo_seconds(database):
    """Return a function that sets how long a bulk decision waits; 30 seconds again afterwards."""

    def change(seconds: int) -> None:
        database.execute(
            "UPDATE portal_setting SET value = to_jsonb(%s::int) WHERE name = 'bulk_undo_seconds'",
            [seconds],
        )

    yield change
    change(30)


def select_two(page: Page) -> list[int]:
    """Select the first two reports by keyboard; return their ids."""
    expect(page.locator(ROWS).first).to_be_visible()
    expect(page.locator(".queue.loading")).to_have_count(0)
    for key in ("j", " ", "j", " "):
        page.keyboard.press(key)
    expect(page.get_by_text("已选 2 份")).to_be_visible()
    links = page.locator(f"{ROWS}.on .unit a")
    return [
        int(re.search(r"id=(\d+)", links.nth(place).get_attribute("href") or "")[1])  # type: ignore[index]
        for place in range(2)
    ]


def states(database, ids: list[int]) -> set[str]:
    query = "SELECT state FROM submission WHERE submission_id = ANY (%s)"
    return {state for (state,) in database.execute(query, [ids])}


def test_many_are_returned_and_taken_back_then_accepted(page_as, guard, database, undo_seconds):
    page = page_as("bureau", "/review_queue")
    page.locator(".queue [name=form]").select_option("plan_progress")
    expect(page).to_have_url(re.compile("form=plan_progress"))
    undo_seconds(600)
    returned = select_two(page)
    page.keyboard.press("r")
    dialog = page.get_by_role("dialog", name="批量退回 2 份")
    dialog.get_by_role("button", name=re.compile("佐证材料不全")).click()
    dialog.get_by_role("button", name="退回 2 份").click()
    expect(page.get_by_text("秒后生效")).to_be_visible()
    expect(page.get_by_text("待生效").first).to_be_visible()
    assert states(database, returned) == {"submitted"}
    page.get_by_role("button", name="撤销", exact=True).click()
    expect(page.get_by_text("已撤销 2 份")).to_be_visible()
    assert states(database, returned) == {"submitted"}

    page.reload()  # the filter is a link
    expect(page.locator(".queue [name=form]")).to_have_value("plan_progress")
    undo_seconds(1)
    accepted = select_two(page)
    page.keyboard.press("a")
    page.get_by_role("dialog").get_by_role("button", name="通过 2 份").click()
    expect(page.get_by_text("已通过 2 份")).to_be_visible()
    assert states(database, accepted) == {"filed"}
    assert set(database.execute(CHOSEN, [accepted])) >= {("filed", True)}


def test_nothing_of_the_former_list_is_selected_while_the_new_one_is_on_its_way(page_as):
    page = page_as("bureau", "/review_queue")
    expect(page.locator(ROWS).first).to_be_visible()
    held: list[Route] = []
    page.route("**/api/review/queue?form=*", lambda route: held.append(route))
    page.locator(".queue [name=form]").select_option("plan_progress")
    eventually(page, lambda: bool(held), "the new list is asked for")
    for key in ("j", " ", "*"):
        page.keyboard.press(key)
    page.locator(ROWS).first.get_by_role("checkbox").click()
    expect(page.locator(f"{ROWS}.on")).to_have_count(0)
    held[0].continue_()
    page.unroute("**/api/review/queue?form=*")
    expect(page.locator(".queue.loading")).to_have_count(0)
    expect(page.locator(".queue .bar")).to_be_hidden()
    select_two(page)


def test_who_comes_back_from_a_report_finds_the_filter_again(page_as):
    page = page_as("bureau", "/review_queue?form=plan_progress&sort=unit")
    expect(page.locator(ROWS).first).to_be_visible()
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/submission\?id="))
    expect(page.get_by_role("link", name="返回审核队列")).to_be_visible()
    page.go_back()
    expect(page.locator(".queue [name=form]")).to_have_value("plan_progress")
    expect(page.locator(".queue [name=sort]")).to_have_value("unit")
    expect(page).to_have_url(re.compile(r"/review_queue\?form=plan_progress&sort=unit$"))


def test_a_revoked_session_ends_on_the_open_queue_and_what_it_asked_for_still_holds(
    portal, open_page, guard, database, undo_seconds
):
    """A browser is taken away, not the right: the decision stands, and is not the browser's."""
    guard.tolerated += ["401", "403", "WebSocket"]
    page = open_page()
    page.goto(f"{portal.url}/review_queue?form=plan_progress")
    sign_in(page, "bureau2", portal.password("bureau2"))
    undo_seconds(20)
    accepted = select_two(page)
    page.keyboard.press("a")
    page.get_by_role("dialog").get_by_role("button", name="通过 2 份").click()
    expect(page.get_by_text("秒后生效")).to_be_visible()
    database.execute(
        "UPDATE portal_session SET revoked_at = now() WHERE revoked_at IS NULL"
        " AND user_id = (SELECT user_id FROM account WHERE username = 'bureau2')"
    )
    expect(page.get_by_label("用户名")).to_be_visible()
    expect(page.locator(ROWS)).to_have_count(0)
    eventually(page, lambda: states(database, accepted) == {"filed"}, "it took effect")


def fullest_township(database) -> tuple[str, str, int]:
    """Return a township, its county's reviewer and how many of its villages wait for the county."""
    return database.execute(
        "SELECT left(division_code, 9), 'county_' || left(division_code, 6) || '_b', count(*)"
        "  FROM submission WHERE form_code = 'village_evaluation' AND state = 'submitted'"
        "   AND step_no = 1 GROUP BY 1, 2 ORDER BY 3 DESC, 1 LIMIT 1"
    ).fetchone()


def accept_all(page: Page, waiting: int) -> None:
    page.get_by_label("选中本页全部").click()
    page.get_by_role("button", name="批量通过").click()
    page.get_by_role("dialog").get_by_role("button", name=f"通过 {waiting} 份").click()


def test_a_county_accepts_a_township_after_looking_at_its_sample(
    page_as, guard, database, undo_seconds
):
    guard.tolerated.append("422 (Unprocessable")  # the browser's own note of the refused acceptance
    township, username, waiting = fullest_township(database)
    undo_seconds(600)
    page = page_as(username, "/township_review")
    page.locator(f".township-areas td:first-child a[href*='unit={township}']").click()
    page.get_by_role("button", name="抽取样本").click()
    to_open = page.locator(".township-sample li.open a")
    expect(page.locator(".queue .unseen").first).to_be_visible()
    drawn = to_open.count()
    accept_all(page, waiting)
    expect(page.get_by_text(f"抽中的村还有 {drawn} 个没有看")).to_be_visible()
    page.keyboard.press("Escape")
    for left in range(drawn, 0, -1):
        expect(to_open).to_have_count(left)
        to_open.first.click()
        expect(page.get_by_text("本村已抽中")).to_be_visible()
        page.get_by_role("link", name="返回村庄审核").click()
    expect(page.get_by_text("都已看过，可以批量通过")).to_be_visible()
    accept_all(page, waiting)
    expect(page.get_by_text("秒后生效")).to_be_visible()
    page.get_by_role("button", name="撤销", exact=True).click()
    expect(page.get_by_text(f"已撤销 {waiting} 份")).to_be_visible()
    kept = database.execute(
        "SELECT count(*) FROM submission WHERE division_code ^@ %s AND state = 'submitted'"
        " AND step_no = 1",
        [township],
    ).fetchone()
    assert kept == (waiting,)


def test_a_reviewer_reads_what_a_rule_warned_of_and_how_it_is_explained(page_as, database):
    submission_id, username, explanation = database.execute(
        "SELECT submission_id, min(username), content #>> '{form,explanation}'"
        "  FROM submission_version AS version"
        "  JOIN submission USING (submission_id, version_no, division_code)"
        "  JOIN account_grant ON account_grant.division_code = left(submission.division_code, 6)"
        "  JOIN account USING (user_id)"
        " WHERE form_code = 'village_evaluation' AND submission.state = 'submitted'"
        "   AND role = 'county' AND user_id <> filer_id"
        "   AND content #>> '{form,explanation}' IS NOT NULL"
        " GROUP BY submission_id, content ORDER BY submission_id LIMIT 1"
    ).fetchone()
    page = page_as(username, f"/submission?id={submission_id}&show=all")
    warned = page.locator(".portal-comparison .portal-warning").first
    expect(warned).to_contain_text("请核实并说明")
    expect(page.locator(".portal-comparison")).to_contain_text(explanation)


def test_a_village_has_the_changes_that_the_queue_counted_and_says_where_it_lies(page_as):
    page = page_as("bureau", "/review_queue?form=village_evaluation")
    row = page.locator(ROWS).first
    changes = re.search(r"(\d+) 项", row.inner_text())
    place = row.locator(".unit small").inner_text()
    assert changes is not None
    assert len(place.split()) == 3  # the city, the county, the township
    row.locator(".unit a").click()
    expect(page.get_by_text(f"{changes[1]} 项不同")).to_be_visible()
    expect(page.get_by_text(place, exact=True)).to_be_visible()
