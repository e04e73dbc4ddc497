"""A clerk's evening with Excel: download, fill in, upload, decide, write, file; on the map once
it is accepted.
"""

import hashlib
import re
from pathlib import Path

import psycopg
import pytest
from openpyxl import Workbook
from PIL import ImageChops
from playwright.sync_api import Page, expect

from data_access import database as portal_database
from data_access import decisions, drafts, reporting, sessions
from data_access.database import transaction
from domain.access import Actor
from domain.clock import today
from domain.workflow import ReviewAction
from tests.browser.pictures import eventually, map_picture, settle
from tests.browser.test_filing import RISING, Rising
from tests.workbooks import typed


@pytest.fixture
def rising(database: psycopg.Connection) -> Rising:
    """A county that no other test files for, whose next stage changes its colour."""
    rows = database.execute(RISING).fetchall()
    assert len(rows) > 1, "the demo has no second county whose colour could change"
    return Rising(*rows[-1])


@pytest.fixture
def actor_of(portal, database, monkeypatch):
    """Return a function that finds whom an account stands for; data_access is this portal's."""
    monkeypatch.setenv("PORTAL_DATABASE_URL", portal.portal_url)
    portal_database.engine.cache_clear()

    def found(username: str) -> Actor:
        (user_id,) = database.execute(
            "SELECT user_id FROM account WHERE username = %s", [username]
        ).fetchone()
        with transaction(None, read_only=True) as connection:
            return sessions.actor_today(connection, user_id)

    yield found
    portal_database.engine().dispose()
    portal_database.engine.cache_clear()


def test_what_a_clerk_fills_in_excel_is_on_the_map_once_accepted(
    page_as, database, rising, actor_of, tmp_path
):
    leader = page_as("leader", "/overview")
    settle(leader)
    before = map_picture(leader)

    page = page_as(rising.filer, "/workbooks")
    with page.expect_download() as download:
        page.get_by_role("link", name="下载工作簿").click()
    workbook = tmp_path / download.value.suggested_filename
    download.value.save_as(workbook)
    assert re.fullmatch(r"编制进度_.*\.xlsx", workbook.name)

    stage_code = stage_of(database, rising)
    submission_id = colleague_saves(database, actor_of(rising.filer), rising, stage_code)
    key = f"{rising.plan_id}/{stage_code}"
    filled = typed(
        workbook,
        {
            (rising.code, key, "state"): "已完成",
            (rising.code, key, "completed_on"): f"{today():%Y年%m月%d日}",
            (rising.code, "", "work_summary"): "本月完成阶段任务。",
        },
        tmp_path / "填好.xlsx",
    )

    upload(page, filled)
    expect(page.get_by_text("现在还没有写入任何内容")).to_be_visible()
    expect(page.get_by_text("同事：正在整理。")).to_be_visible()
    expect(page.get_by_role("button", name="还有 1 项冲突未选择")).to_be_disabled()
    page.get_by_role("radiogroup").get_by_text("采用工作簿的", exact=True).click()
    page.get_by_role("button", name="写入草稿（3 项）").click()
    expect(page.get_by_text("草稿已更新，可以报送。")).to_be_visible()
    page.get_by_role("button", name="全部报送").click()
    expect(page.get_by_text("已报送，等待审核。")).to_be_visible()

    for reviewer in (rising.city_reviewer, "bureau"):
        accept(actor_of(reviewer), submission_id)

    def map_has_changed() -> bool:
        now = map_picture(leader)
        return now.size != before.size or bool(ImageChops.difference(now, before).getbbox())

    eventually(leader, map_has_changed, "the leader's map shows it", patience=20)
    summary = database.execute(
        "SELECT content -> 'form' ->> 'work_summary' FROM submission_version"
        " WHERE submission_id = %s",
        [submission_id],
    ).fetchone()
    assert summary == ("本月完成阶段任务。",)


def test_a_file_that_is_no_workbook_of_ours_is_refused_in_a_sentence(page_as, rising, tmp_path):
    book = Workbook()
    book.active["A1"] = "别的表"
    book.save(tmp_path / "别的表.xlsx")
    page = page_as(rising.filer, "/workbooks")
    upload(page, tmp_path / "别的表.xlsx")
    expect(page.get_by_role("alert").filter(has_text="没有写入任何内容。")).to_be_visible()


def upload(page: Page, path: Path) -> None:
    with page.expect_file_chooser() as chooser:
        page.get_by_text("选择文件").click()
    chooser.value.set_files(path)


def stage_of(database: psycopg.Connection, county: Rising) -> str:
    row = database.execute(
        "SELECT stage_code FROM plan_stage JOIN plan USING (plan_type)"
        " WHERE plan_id = %s AND plan_stage.name = %s",
        [county.plan_id, county.stage],
    ).fetchone()
    assert row is not None
    return str(row[0])


def colleague_saves(
    database: psycopg.Connection, actor: Actor, county: Rising, stage_code: str
) -> int:
    """Somebody at the same county attaches the evidence and types a summary meanwhile."""
    with transaction(actor, action="draft.open") as connection:
        period = reporting.current_period(connection, "plan_progress")
        assert period is not None
        opened = drafts.open_submission(connection, actor, period.period_id, county.code)
        content = opened.draft_content
        row = next(
            row for row in content["milestone"] if row["key"] == f"{county.plan_id}/{stage_code}"
        )
        row["evidence"] = {
            item: add_evidence(database, actor, county, stage_code, item) for item in county.items
        }
        content["form"]["work_summary"] = "同事：正在整理。"
        drafts.save_draft(connection, actor, opened.submission_id, content, opened.draft_version)
    return opened.submission_id


def add_evidence(
    database: psycopg.Connection, actor: Actor, county: Rising, stage_code: str, item: str
) -> int:
    sha256 = hashlib.sha256(f"{county.code} {item}".encode()).hexdigest()
    database.execute(
        "INSERT INTO stored_file (sha256, size, media_type) VALUES (%s, 10, 'application/pdf')",
        [sha256],
    )
    row = database.execute(
        "INSERT INTO evidence (plan_id, division_code, stage_code, form_code, group_code, row_key"
        ", item, sha256, file_name, uploaded_by)"
        " VALUES (%s, %s, %s, 'plan_progress', 'milestone', %s, %s, %s, 'a.pdf', %s)"
        " RETURNING evidence_id",
        [
            county.plan_id, county.code, stage_code, f"{county.plan_id}/{stage_code}", item
            , sha256, actor.user_id,
        ],
    ).fetchone()  # fmt: skip
    assert row is not None
    return int(row[0])


def accept(actor: Actor, submission_id: int) -> None:
    with transaction(actor, action="submission.approve") as connection:
        seen = reporting.get_submission(connection, submission_id)
        decisions.review(connection, actor, submission_id, seen.lock_version, ReviewAction.APPROVE)


def test_a_reason_why_a_report_was_not_filed_leads_to_its_field(page_as, rising):
    page = page_as(rising.filer, f"/report?form=plan_progress&unit={rising.code}&field=form.issues")
    expect(page.get_by_label("存在问题", exact=True)).to_be_focused()
