"""Pictures of review and of workbooks."""

import re
import tempfile
from pathlib import Path

from tests.browser.conftest import DESK
from tests.screenshots.camera import SAVED, Camera, picture, shoot
from tests.workbooks import typed

WAITING = """
SELECT submission_id FROM submission JOIN reporting_period USING (period_id)
 WHERE state = 'submitted' AND closed_at IS NULL AND submission.form_code = 'plan_progress'
   AND step_no = 2 AND NOT no_change
 ORDER BY submission_id LIMIT 1
"""

FULLEST_TOWNSHIP = """
SELECT left(division_code, 9) FROM submission
 WHERE form_code = 'village_evaluation' AND state = 'submitted' AND step_no = 1
 GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1
"""

IN_SECOND_ROUND = """
SELECT submission_id FROM submission JOIN reporting_period USING (period_id)
 WHERE round_no = 2 AND version_no = 2 AND submission.form_code = 'plan_progress'
   AND state <> 'draft'
 ORDER BY (state = 'submitted') DESC, submission_id DESC LIMIT 1
"""

UNOPENED = """
SELECT division_code FROM account_grant JOIN account USING (user_id)
 WHERE role = 'county' AND username = 'county_' || division_code
   AND division_code NOT IN (
       SELECT division_code FROM submission JOIN reporting_period USING (period_id)
        WHERE closed_at IS NULL AND submission.form_code = 'plan_progress')
   AND division_code IN (SELECT division_code FROM plan GROUP BY division_code HAVING count(*) = 1)
 ORDER BY division_code DESC LIMIT 1
"""

HEADLINE = """
SELECT plan_id || ':' || (
       SELECT string_agg(stage_code, ',' ORDER BY stage_order)
         FROM plan_stage WHERE plan_stage.plan_type = plan.plan_type AND stage_order > 9)
  FROM plan WHERE division_code = '{code}' AND is_headline
"""


@picture
def review(camera: Camera) -> None:
    with camera.page("bureau", f"/submission?id={camera.ask(WAITING)}&from=", DESK) as page:
        page.get_by_text("退回", exact=True).first.click()
        page.get_by_text("退回意见（必填）").wait_for()
        shoot(camera, "review", page)


@picture
def comparison(camera: Camera) -> None:
    address = f"/submission?id={camera.ask(IN_SECOND_ROUND)}&left=1&right=2&from="
    with camera.page("bureau", address, DESK) as page:
        page.locator(".portal-comparison").wait_for()
        shoot(camera, "comparison", page)


@picture
def bulk(camera: Camera) -> None:
    with camera.page("bureau", "/review_queue?form=plan_progress", DESK) as page:
        page.locator(".queue .row:not(.head)").first.wait_for()
        for key in ("j", " ") * 3:
            page.keyboard.press(key)
        page.keyboard.press("r")
        dialog = page.get_by_role("dialog")
        dialog.get_by_role("button", name=re.compile("佐证材料不全")).click()
        shoot(camera, "bulk-return", page)
        dialog.get_by_role("button", name="退回 3 份").click()
        page.get_by_text("秒后生效").wait_for()
        camera.keep("bulk-undo", page.screenshot())
        page.get_by_role("button", name="撤销", exact=True).click()
        page.get_by_text("已撤销").wait_for()


@picture
def township_review(camera: Camera) -> None:
    """A county draws its samples; the fullest township shows what is in one."""
    township = camera.ask(FULLEST_TOWNSHIP)
    with camera.page(f"county_{township[:6]}_b", "/township_review", DESK) as page:
        page.get_by_role("button", name="抽取样本").click()
        page.locator(".township-sample li").first.wait_for()
        page.locator(".queue .unseen").first.wait_for()
        shoot(camera, "township-review", page)
        page.locator(f".township-areas td:first-child a[href*='unit={township}']").click()
        page.get_by_text("抽样记录").wait_for()
        page.locator(".queue .row:not(.head)").first.wait_for()
        shoot(camera, "township-sample", page)


@picture
def workbooks(camera: Camera) -> None:
    """Take a workbook, let a colleague save meanwhile, bring it back, decide, write."""
    username = "county_" + camera.ask(UNOPENED)
    code = username.removeprefix("county_")
    plan_id, stages = camera.ask(HEADLINE.format(code=code)).split(":")
    with (
        tempfile.TemporaryDirectory() as folder,
        camera.page(username, "/workbooks", DESK) as page,
    ):
        with page.expect_download() as download:
            page.get_by_role("link", name="下载工作簿").click()
        taken = Path(folder) / download.value.suggested_filename
        download.value.save_as(taken)
        with camera.page(username, "/report", DESK) as colleague:
            summary = colleague.get_by_label("本期工作情况", exact=True)
            summary.fill("已完成专题研究，正在整理成果。")
            summary.blur()
            colleague.get_by_text(SAVED).wait_for()
        cells: dict[tuple[str, str, str], object] = {
            (code, "", "work_summary"): "本月完成规划方案初稿，征求部门意见。",
            (code, "", "issues"): "个别部门反馈意见较慢。",
        }
        bad, *good = [f"{plan_id}/{stage}" for stage in stages.split(",")]
        cells[code, bad, "started_on"] = "三月初"
        for key in good:
            cells[code, key, "note"] = "已与编制单位商定时间安排。"
        filled = typed(taken, cells, Path(folder) / f"{taken.stem}（填好）.xlsx")
        with page.expect_file_chooser() as chooser:
            page.get_by_text("选择文件").click()
        chooser.value.set_files(filled)
        page.get_by_text("现在还没有写入任何内容").wait_for()
        shoot(camera, "workbook-conflict", page)
        page.get_by_role("button", name="全部采用工作簿的").click()
        page.get_by_text("都已选择").wait_for()
        page.get_by_role("radio", name="新增").locator("..").click()
        page.get_by_role("columnheader", name="位置").wait_for()
        shoot(camera, "workbook-changes", page)
        page.get_by_role("button", name="写入草稿").click()
        page.get_by_text("个单位的草稿").wait_for()
        shoot(camera, "workbook-done", page)
        page.goto(f"{camera.url}/workbooks")
        page.get_by_text("最近上传").wait_for()
        shoot(camera, "workbooks", page)
