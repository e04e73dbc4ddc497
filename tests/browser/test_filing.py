"""A report from the county's desk to the leader's map, and what happens to what was typed."""

import re
from dataclasses import dataclass

import psycopg
import pytest
from PIL import ImageChops
from playwright.sync_api import Page, Route, expect

from data_access.demo.pdf import make_pdf
from domain.clock import today
from tests.browser.conftest import PHONE
from tests.browser.pictures import eventually, map_picture, settle

SAVED = re.compile(r"已保存 \d\d:\d\d:\d\d")
# What a browser says of a server that does not answer.
AWAY = ("ERR_", "WebSocket", "Failed to", "_stcore", "internet")
# Counties whose next stage would lift them into another colour class and that have not begun.
RISING = """
WITH standing AS (
    SELECT DISTINCT ON (plan_id, stage_code) plan_id, stage_code, state
      FROM accepted_milestone ORDER BY plan_id, stage_code, accepted_at DESC
), ratio AS (
    SELECT plan.plan_id, plan.division_code, plan.plan_type
         , sum(weight) FILTER (WHERE state = 'completed') AS percent
         , max(stage_order) FILTER (WHERE state IN ('completed', 'skipped')) AS stage_order
      FROM plan JOIN standing USING (plan_id)
      JOIN stage_weight USING (stage_code) JOIN plan_stage USING (stage_code)
     WHERE is_headline AND division_code NOT IN (
           SELECT division_code FROM accepted_disposition WHERE disposition = 'merged')
     GROUP BY plan.plan_id
)
SELECT division_code, ratio.plan_id, stage.name, stage.evidence_items
  FROM ratio
  JOIN plan_stage AS stage
    ON stage.plan_type = ratio.plan_type AND stage.stage_order = ratio.stage_order + 1
  JOIN stage_weight USING (stage_code)
 WHERE stage.minimum_days IS NULL AND ratio.plan_type = 'MASTER_COUNTY'
   AND div(percent, 20) < div(percent + weight, 20)
   AND division_code NOT IN (
       SELECT division_code FROM submission
        WHERE period_id = (SELECT max(period_id) FROM reporting_period
                           WHERE form_code = 'plan_progress'))
 ORDER BY division_code
"""
IDLE_WITH_TWO_FILERS = """
SELECT division_code
  FROM account_grant
 WHERE role = 'county' AND division_code NOT IN (
       SELECT division_code FROM submission
        WHERE period_id = (SELECT max(period_id) FROM reporting_period
                           WHERE form_code = 'plan_progress'))
 GROUP BY division_code HAVING count(*) >= 2
 ORDER BY division_code
"""


@dataclass(frozen=True)
class Rising:
    """A county whose next completed stage changes its colour."""

    code: str
    plan_id: int
    stage: str
    items: list[str]

    @property
    def filer(self) -> str:
        return f"county_{self.code}"

    @property
    def city_reviewer(self) -> str:
        return f"city_{self.code[:4]}00_b"


@pytest.fixture(scope="module")
def rising(database: psycopg.Connection) -> Rising:
    rows = database.execute(RISING).fetchall()
    assert rows, "the demo has no county whose colour could change"
    return Rising(*rows[0])


@pytest.fixture(scope="module")
def shared_county(database: psycopg.Connection, rising: Rising) -> str:
    """A county with two filers that has not begun its report."""
    codes = [code for (code,) in database.execute(IDLE_WITH_TWO_FILERS) if code != rising.code]
    assert codes, "the demo has no county with two filers and nothing filed"
    return codes[0]


def test_what_a_county_files_is_on_the_leaders_map_once_accepted(
    page_as, database, rising, tmp_path
):
    leader = page_as("leader", "/overview")
    settle(leader)
    before = map_picture(leader)

    county = page_as(rising.filer, "/report")
    complete_stage(county, rising, tmp_path)
    county.get_by_role("button", name="提交", exact=True).click()
    expect(county.get_by_text("已于").first).to_be_visible()

    submission_id = newest_submission(database, rising.code)
    for reviewer in (rising.city_reviewer, "bureau"):
        accept(page_as(reviewer, f"/submission?id={submission_id}"))

    def map_has_changed() -> bool:
        now = map_picture(leader)
        return now.size != before.size or bool(ImageChops.difference(now, before).getbbox())

    eventually(leader, map_has_changed, "the leader's map shows it", patience=10)
    state = database.execute(
        "SELECT state FROM submission WHERE submission_id = %s", [submission_id]
    ).fetchone()
    assert state == ("filed",)


def test_evidence_comes_back_as_it_went_up_and_only_to_who_may_see_it(
    portal, page_as, database, rising
):
    evidence_id, size = database.execute(
        "SELECT evidence_id, size FROM evidence JOIN stored_file USING (sha256)"
        " WHERE division_code = %s ORDER BY evidence_id DESC LIMIT 1",
        [rising.code],
    ).fetchone()
    address = f"{portal.url}/api/evidence/{evidence_id}"
    answer = page_as(rising.filer, "/report").request.get(address)
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/pdf"
    assert len(answer.body()) == size
    stranger = database.execute(
        "SELECT username FROM account JOIN account_grant USING (user_id)"
        " WHERE role = 'county' AND division_code <> %s ORDER BY user_id LIMIT 1",
        [rising.code],
    ).fetchone()
    assert page_as(stranger[0], "/report").request.get(address).status in (403, 404)
    assert page_as("leader", "/overview").request.get(address).status == 200


def test_of_two_people_on_one_form_the_second_sees_both_versions_and_chooses(
    page_as, guard, shared_county
):
    guard.tolerated.append("409 (Conflict)")  # the browser's own note of the refused draft
    first = page_as(f"county_{shared_county}", "/report")
    summary_of(first).wait_for()
    second = page_as(f"county_{shared_county}_b", "/report")
    summary_of(second).wait_for()

    type_summary(first, "第一人：完成现场调研。")
    expect(first.get_by_text(SAVED)).to_be_visible()
    summary_of(second).fill("第二人：正在整理资料。")
    summary_of(second).blur()
    conflict = second.get_by_role("alertdialog", name="内容冲突")
    expect(conflict).to_contain_text("第一人：完成现场调研。")
    expect(conflict).to_contain_text("第二人：正在整理资料。")

    second.get_by_role("button", name="全部采用我的").click()
    second.get_by_role("button", name="按所选保存").click()
    expect(second.get_by_text(SAVED)).to_be_visible()
    first.reload()
    expect(summary_of(first)).to_have_value("第二人：正在整理资料。")


def test_a_draft_survives_reload_and_restart(portal, page_as, guard, shared_county):
    page = page_as(f"county_{shared_county}", "/report")
    type_summary(page, "本月完成专题研究初稿。")
    expect(page.get_by_text(SAVED)).to_be_visible()
    page.reload()
    expect(summary_of(page)).to_have_value("本月完成专题研究初稿。")

    guard.tolerated += AWAY
    portal.restart()
    page.reload()
    expect(summary_of(page)).to_have_value("本月完成专题研究初稿。")


def test_what_is_typed_without_a_network_is_saved_when_it_returns(page_as, guard, shared_county):
    guard.tolerated += AWAY
    page = page_as(f"county_{shared_county}", "/report")
    summary_of(page).wait_for()
    page.context.set_offline(True)
    type_summary(page, "断网时填写的内容。")
    expect(page.get_by_text("未保存")).to_be_visible()
    page.context.set_offline(False)
    expect(page.get_by_text(SAVED)).to_be_visible()


def test_of_several_saves_without_an_answer_none_is_taken_for_somebody_elses(
    page_as, guard, shared_county
):
    guard.tolerated += [*AWAY, "409"]
    page = page_as(f"county_{shared_county}", "/report")
    summary_of(page).wait_for()
    saves = 0

    def answer(route: Route) -> None:
        nonlocal saves
        saves += route.request.method == "PUT"
        if route.request.method != "PUT" or saves > 3:
            route.continue_()
        elif saves == 1:  # it is stored, and nobody hears of it
            route.fetch()
            route.abort()
        else:
            route.abort()

    page.route("**/api/drafts/*", answer)
    for words in ("其一", "其二", "其三"):
        seen = saves
        summary_of(page).fill(f"应答丢失之后继续填写：{words}。")
        expect(page.get_by_text("未保存，正在重试")).to_be_visible()
        eventually(page, lambda before=seen: saves > before, "the next save")
    expect(page.get_by_text(SAVED)).to_be_visible()
    assert not page.get_by_role("alertdialog").is_visible()
    page.unroute("**/api/drafts/*")
    page.reload()
    expect(summary_of(page)).to_have_value("应答丢失之后继续填写：其三。")


def test_no_change_is_filed_in_one_step_and_taken_back_until_it_is_decided(
    page_as, database, shared_county
):
    page = page_as(f"county_{shared_county}", "/report")
    summary_of(page).wait_for()
    page.get_by_role("button", name="本期无变化").click()
    confirm = page.get_by_role("button", name="仍按无变化报送")
    expect(confirm.or_(page.get_by_role("button", name="撤回", exact=True))).to_be_visible()
    if confirm.is_visible():  # the tests before this one have changed the draft
        confirm.click()
    page.get_by_role("button", name="撤回", exact=True).click()
    expect(page.get_by_role("button", name="提交", exact=True)).to_be_visible()
    number = newest_submission(database, shared_county)
    assert database.execute(
        "SELECT state FROM submission WHERE submission_id = %s", [number]
    ).fetchone() == ("draft",)
    assert database.execute(
        "SELECT action FROM review_event WHERE submission_id = %s ORDER BY review_event_id",
        [number],
    ).fetchall() == [("submit",), ("withdraw",)]
    assert database.execute(
        "SELECT no_change FROM submission_version WHERE submission_id = %s", [number]
    ).fetchall() == [(True,)]


def test_the_form_fits_a_phone(page_as, shared_county):
    page = page_as(f"county_{shared_county}", "/report", PHONE)
    summary_of(page).wait_for()
    eventually(
        page,
        lambda: page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"),
        "the form is as wide as the phone",
    )


def summary_of(page: Page):
    return page.get_by_label("本期工作情况", exact=True)


def type_summary(page: Page, text: str) -> None:
    summary_of(page).fill(text)
    summary_of(page).blur()


def complete_stage(page: Page, county: Rising, folder) -> None:
    """Fill in the next stage as completed today, with a file for each item, and wait for 已保存."""
    row = page.get_by_role("group", name=county.stage, exact=True).first
    row.get_by_role("combobox").select_option(label="已完成")
    row.get_by_label("实际完成日期", exact=True).fill(today().isoformat())
    row.get_by_label("实际完成日期", exact=True).blur()
    for item in county.items:
        path = folder / f"{county.code}-{len(item)}-{county.items.index(item)}.pdf"
        path.write_bytes(make_pdf(item, [county.code, county.stage], "演示数据"))
        with page.expect_file_chooser() as chooser:
            row.get_by_role("button", name=f"上传{item}", exact=True).click()
        chooser.value.set_files(path)
        expect(row.get_by_role("button", name=f"替换{item}", exact=True)).to_be_visible()
    expect(page.get_by_text(SAVED)).to_be_visible()


def accept(page: Page) -> None:
    """Approve the report that is open, and wait until the queue says so."""
    conclusions = page.get_by_role("radiogroup", name="审核结论")
    conclusions.get_by_text("通过", exact=True).click()
    page.get_by_role("button", name="提交审核结论").click()
    page.wait_for_url(re.compile("review_queue"))


def newest_submission(database: psycopg.Connection, code: str) -> int:
    row = database.execute(
        "SELECT submission_id FROM submission"
        " WHERE division_code = %s AND form_code = 'plan_progress' ORDER BY period_id DESC LIMIT 1",
        [code],
    ).fetchone()
    assert row is not None
    return int(row[0])
