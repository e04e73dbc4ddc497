"""Pictures of a report being filled in, returned, and met by a colleague."""

import re
import tempfile
from datetime import datetime
from pathlib import Path

from playwright.sync_api import Page, expect

from domain.clock import BEIJING
from tests.browser.conftest import DESK, PHONE
from tests.browser.form_desk import paste
from tests.files import pdf
from tests.screenshots.camera import SAVED, Camera, picture, shoot

RETURNED = """
SELECT division_code FROM submission JOIN reporting_period USING (period_id)
 WHERE state = 'returned' AND closed_at IS NULL AND submission.form_code = 'plan_progress'
   AND division_code ~ '[1-9]$'
 ORDER BY division_code LIMIT 1
"""

WITH_TWO_FILERS = """
SELECT left(username, -2) FROM account
 WHERE username ~ '^county_.*_b$' AND right(left(username, -2), 6) NOT IN (
       SELECT division_code FROM submission JOIN reporting_period USING (period_id)
        WHERE state IN ('submitted', 'filed') AND closed_at IS NULL
          AND submission.form_code = 'plan_progress')
 ORDER BY username LIMIT 1
"""

REMINDED = """
SELECT 'county_' || division_code FROM reminder
 WHERE acknowledged_at IS NULL AND division_code !~ '00$' AND division_code NOT IN (
       SELECT division_code FROM submission JOIN reporting_period USING (period_id)
        WHERE state <> 'draft' AND closed_at IS NULL AND submission.form_code = 'plan_progress')
 ORDER BY sent_at DESC, division_code LIMIT 1
"""

CONTRACT_IN_HAND = """
SELECT 'county_' || division_code FROM submission JOIN reporting_period USING (period_id)
 WHERE state = 'draft' AND closed_at IS NULL AND submission.form_code = 'compile_unit'
   AND division_code !~ '00$'
 ORDER BY division_code LIMIT 1
"""


@picture
def report(camera: Camera) -> None:
    with camera.page(camera.ask(REMINDED), "/report", DESK) as page:
        page.get_by_label("本期工作情况", exact=True).wait_for()
        shoot(camera, "report", page)
        complete_next(page)
        shoot(camera, "report-stage", page)
        page.get_by_role("button", name="提交", exact=True).click()
        page.get_by_text("未提交：有").wait_for()
        shoot(camera, "report-refused", page)


def complete_next(page: Page) -> None:
    """Complete the first stage that is not accepted, with one of its files."""
    row = page.locator(".tr[role=group]").filter(has_not=page.locator(".badge")).first
    row.get_by_role("combobox").select_option(label="已完成")
    with tempfile.TemporaryDirectory() as folder, page.expect_file_chooser() as chooser:
        path = Path(folder) / "佐证材料.pdf"
        path.write_bytes(pdf("screenshots"))
        button = row.get_by_role("button", name=re.compile("^上传")).first
        name = (button.get_attribute("aria-label") or "").removeprefix("上传")
        button.click()
        chooser.value.set_files(path)
        row.get_by_role("button", name=f"替换{name}", exact=True).wait_for()
    expect(page.get_by_text(SAVED)).to_be_visible()
    row.scroll_into_view_if_needed()


@picture
def report_grid(camera: Camera) -> None:
    """Paste a block over the last stages, with a value that is none; take it back afterwards."""
    address = "/report?form=plan_progress"
    with camera.page(camera.ask(REMINDED), address, DESK) as page:
        page.get_by_role("button", name="表格", exact=True).click()
        grid = page.locator("#grid-milestone")
        grid.locator(".c").first.click()
        for _ in range(11):
            page.keyboard.press("ArrowDown")
        stages = [
            ["进行中", "", "2027年1月15日", "2026/10/8"],
            ["未开始", "", "2027年3月中旬", ""],
            ["未开始", "2027-05-01", "2027-06-30", ""],
        ]
        paste(page, stages)
        expect(page.get_by_text(SAVED)).to_be_visible()
        page.get_by_text("问题清单").wait_for()
        grid.locator("..").get_by_text("快捷键", exact=True).scroll_into_view_if_needed()
        shoot(camera, "report-grid", page)
        page.get_by_role("button", name="撤销", exact=True).last.click()
        expect(page.get_by_text(SAVED)).to_be_visible()
        page.get_by_role("button", name="卡片", exact=True).click()


@picture
def report_contract(camera: Camera) -> None:
    address = "/report?form=compile_unit"
    with camera.page(camera.ask(CONTRACT_IN_HAND), address, (1366, 900)) as page:
        page.get_by_text("合同状态").first.wait_for()
        shoot(camera, "report-contract", page)


@picture
def report_phone(camera: Camera) -> None:
    with camera.page(camera.ask(REMINDED), "/report", PHONE) as page:
        page.get_by_label("本期工作情况", exact=True).wait_for()
        shoot(camera, "report-phone", page)


@picture
def returned(camera: Camera) -> None:
    with camera.page(f"county_{camera.ask(RETURNED)}", "/report", DESK) as page:
        page.get_by_text("退回（第").wait_for()
        shoot(camera, "returned", page)


@picture
def conflict(camera: Camera) -> None:
    account, now = camera.ask(WITH_TWO_FILERS), f"{datetime.now(BEIJING):%H:%M}"
    with (
        camera.page(account, "/report", DESK) as first,
        camera.page(f"{account}_b", "/report", DESK) as second,
    ):
        for page, text in (
            (first, f"截至 {now}，已完成现场调研。"),
            (second, f"截至 {now}，正在整理调研资料。"),
        ):
            summary = page.get_by_label("本期工作情况", exact=True)
            summary.fill(text)
            summary.blur()
            if page is first:
                expect(page.get_by_text(SAVED)).to_be_visible()
        second.get_by_role("alertdialog", name="内容冲突").wait_for()
        shoot(camera, "conflict", second)


@picture
def declare(camera: Camera) -> None:
    with camera.page(camera.ask(REMINDED), "/report", DESK) as page:
        page.get_by_role("button", name="申报其他规划").click()
        page.get_by_role("dialog").get_by_text("规划名称").wait_for()
        shoot(camera, "declare", page)


@picture
def acknowledge(camera: Camera) -> None:
    with camera.page(camera.ask(REMINDED), "/supervision", DESK) as page:
        page.get_by_role("button", name="签收并回复").first.click()
        page.get_by_role("dialog").get_by_label("回复").wait_for()
        shoot(camera, "acknowledge", page)
