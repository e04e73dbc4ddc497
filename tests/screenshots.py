"""Take every picture of the guide and the READMEs anew.

python -m tests.screenshots --url http://127.0.0.1:8690 --data-dir DIR

It signs in with the demo accounts of a running portal and types into its forms, so give it one
of its own: `./portal run --data-dir DIR --port PORT`.
"""

import argparse
import csv
import re
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from io import BytesIO
from pathlib import Path

import psycopg
from PIL import Image
from playwright.sync_api import Browser, Page, expect, sync_playwright

from domain.clock import BEIJING
from tests.browser.conftest import CHROMIUM, DESK, FLAGS, PATIENCE, PHONE, SIGNED_IN, sign_in
from tests.browser.form_desk import paste
from tests.browser.pictures import eventually, is_painted
from tests.files import pdf
from tests.paths import ROOT
from tests.workbooks import typed

WALL = (1920, 1080)
SHOWN_WIDTH = 1280  # pixels; a page of the guide shows no more
LARGEST = 250_000  # bytes
SAVED = re.compile(r"已保存 ")
RETURNED = """
SELECT division_code FROM submission JOIN reporting_period USING (period_id)
 WHERE state = 'returned' AND closed_at IS NULL AND submission.form_code = 'plan_progress'
   AND division_code ~ '[1-9]$'
 ORDER BY division_code LIMIT 1
"""
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
WITH_TWO_FILERS = """
SELECT left(username, -2) FROM account
 WHERE username ~ '^county_.*_b$' AND right(left(username, -2), 6) NOT IN (
       SELECT division_code FROM submission JOIN reporting_period USING (period_id)
        WHERE state IN ('submitted', 'filed') AND closed_at IS NULL
          AND submission.form_code = 'plan_progress')
 ORDER BY username LIMIT 1
"""
ACCEPTED_VILLAGE = """
SELECT division_code FROM accepted_natural_village_evaluation
 GROUP BY division_code, report_year
HAVING count(*) BETWEEN 5 AND 9
 ORDER BY report_year DESC, division_code LIMIT 1
"""
REMINDED = """
SELECT 'county_' || division_code FROM reminder
 WHERE acknowledged_at IS NULL AND division_code !~ '00$' AND division_code NOT IN (
       SELECT division_code FROM submission JOIN reporting_period USING (period_id)
        WHERE state <> 'draft' AND closed_at IS NULL AND submission.form_code = 'plan_progress')
 ORDER BY sent_at DESC, division_code LIMIT 1
"""


UNOPENED = """
SELECT division_code FROM account_grant JOIN account USING (user_id)
 WHERE role = 'county' AND username = 'county_' || division_code
   AND division_code NOT IN (
       SELECT division_code FROM submission JOIN reporting_period USING (period_id)
        WHERE closed_at IS NULL)
   AND division_code IN (SELECT division_code FROM plan GROUP BY division_code HAVING count(*) = 1)
 ORDER BY division_code DESC LIMIT 1
"""
HEADLINE = """
SELECT plan_id || ':' || (
       SELECT string_agg(stage_code, ',' ORDER BY stage_order)
         FROM plan_stage WHERE plan_stage.plan_type = plan.plan_type AND stage_order > 9)
  FROM plan WHERE division_code = '{code}' AND is_headline
"""


@dataclass
class Camera:
    """A portal with its demo accounts, and a browser that keeps each account's session."""

    browser: Browser
    url: str
    data_dir: Path
    to: Path
    kept: dict[str, object] = field(default_factory=dict)

    @contextmanager
    def page(self, account: str | None, address: str, size: tuple[int, int]) -> Iterator[Page]:
        """Yield an address of the portal, opened as an account, as nobody for None."""
        context = self.browser.new_context(
            viewport={"width": size[0], "height": size[1]},
            storage_state=self.kept.get(account or ""),  # type: ignore[arg-type]
            locale="zh-CN",
            timezone_id="Asia/Shanghai",
            color_scheme="light",
        )
        context.set_default_timeout(PATIENCE)
        page = context.new_page()
        page.goto(self.url + address)
        if account is None:
            page.get_by_label("用户名").wait_for()
        else:
            if account not in self.kept:
                sign_in(page, account, self.passwords[account])
            page.locator(SIGNED_IN).wait_for()
            self.kept[account] = context.storage_state()
            settle(page)
        yield page
        context.close()

    @cached_property
    def passwords(self) -> dict[str, str]:
        with (self.data_dir / "demo_accounts.csv").open(encoding="utf-8", newline="") as file:
            return {row["username"]: row["password"] for row in csv.DictReader(file)}

    def ask(self, question: str) -> str:
        """Return the one value that a query of the portal's database yields."""
        command = [str(ROOT / "portal"), "database-url", "--data-dir", str(self.data_dir)]
        url = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
        with psycopg.connect(url) as connection:
            row = connection.execute(question.encode()).fetchone()
        assert row is not None, f"the demo has nothing for: {question}"
        return str(row[0])

    def keep(self, name: str, shot: bytes) -> None:
        """Write a picture, scaled and with few colours, so that the repository stays small."""
        picture = Image.open(BytesIO(shot)).convert("RGB")
        if picture.width > SHOWN_WIDTH:
            height = round(picture.height * SHOWN_WIDTH / picture.width)
            picture = picture.resize((SHOWN_WIDTH, height), Image.Resampling.LANCZOS)
        path = self.to / f"{name}.png"
        for colours in (None, 256, 128, 64):
            few = picture.quantize(colours, Image.Quantize.MAXCOVERAGE, 4) if colours else picture
            few.save(path, optimize=True)
            if path.stat().st_size <= LARGEST:
                break
        print(f"{path}  {picture.width}×{picture.height}  {path.stat().st_size // 1000} kB")


Taking = Callable[[Camera], None]
TAKINGS: dict[str, Taking] = {}


def picture(taking: Taking) -> Taking:
    """Register what takes one picture or several that belong together."""
    TAKINGS[taking.__name__] = taking
    return taking


def settle(page: Page) -> None:
    """Wait until the page has stopped drawing: two looks alike, and nothing running."""
    seen: list[bytes] = []

    def is_still() -> bool:
        seen.append(page.screenshot())
        busy = page.locator('[data-testid="stStatusWidget"], [data-testid="stSkeleton"]').count()
        return not busy and len(seen) > 2 and seen[-1] == seen[-2] == seen[-3]

    eventually(page, is_still, "the page has stopped drawing")


def shoot(camera: Camera, name: str, page: Page, *, whole: bool = False) -> None:
    """Take the window, or the whole page."""
    settle(page)
    if whole:
        tall = page.locator('[data-testid="stMain"]').evaluate("main => main.scrollHeight")
        page.set_viewport_size({**page.viewport_size, "height": min(int(tall), 2400)})  # type: ignore[dict-item]
        settle(page)
    camera.keep(name, page.screenshot())


def plain(account: str | None, address: str, size: tuple[int, int] = DESK, *, whole: bool = False):
    """Return what takes one page as it opens."""

    def taking(camera: Camera, name: str) -> None:
        with camera.page(account, address, size) as page:
            shoot(camera, name, page, whole=whole)

    return taking


# --- everybody ---


PLAIN = {
    "sign-in": plain(None, "/"),
    "password": plain("county_360123", "/password"),
    "compile-units": plain("leader", "/compile_units", (1366, 900)),
    "village-overview": plain("leader", "/village_overview", (1366, 900)),
    "assessment-unit": plain("leader", "/assessment_unit?code=360121", (1366, 1100)),
    "assessment-indicator": plain("leader", "/assessment_indicator?code=HOUSING_PC", (1366, 1100)),
    "indicator-warnings": plain("bureau", "/indicator_warnings?level=severe", (1366, 900)),
    "warning-rules": plain("bureau", "/assessment_rules", (1366, 900)),
    "warning-rules-draft": plain("bureau", "/assessment_rules?view=draft", (1366, 940)),
    "indicator-targets": plain("bureau", "/indicator_targets?code=CULT_LAND", (1366, 800)),
    "assessment-comparison": plain(
        "leader", "/assessment_comparison?units=360121,360123,360281,360481", (1366, 900)
    ),
    "report-contract": plain("county_360123", "/report?form=compile_unit", (1366, 900)),
    "figures": plain("leader", "/figures?figure=mean"),
    "unit": plain("leader", "/unit?code=360123", whole=True),
    "overview-phone": plain("leader", "/overview", PHONE),
    "supervision": plain("bureau", "/supervision"),
    "supervision-items": plain("bureau", "/supervision?view=items"),
    "periods": plain("bureau", "/periods"),
    "review-queue": plain("bureau", "/review_queue"),
    "city-queue": plain("city_360100", "/review_queue"),
    "inbox": plain("county_360123", "/inbox"),
    "jobs": plain("information_centre", "/jobs"),
    "settings": plain("information_centre", "/settings"),
    "rules": plain("bureau", "/rules?form=village_evaluation&rule=CZ140"),
    "accounts": plain("information_centre", "/accounts"),
    "trail": plain("auditor", "/trail"),
}


@picture
def overview(camera: Camera) -> None:
    with camera.page("leader", "/overview", WALL) as page:
        eventually(page, lambda: is_painted(page), "the map is painted")
        shoot(camera, "overview", page)


@picture
def overview_past(camera: Camera) -> None:
    with camera.page("leader", "/overview?as_of=2026-03-31", DESK) as page:
        eventually(page, lambda: is_painted(page), "the map is painted")
        shoot(camera, "overview-past", page)


@picture
def remind(camera: Camera) -> None:
    with camera.page("leader", "/unit?code=360123", DESK) as page:
        page.get_by_role("button", name="催办", exact=True).click()
        page.get_by_role("dialog").get_by_text("发送至").wait_for()
        shoot(camera, "remind", page)


@picture
def supervise(camera: Camera) -> None:
    with camera.page("leader", "/unit?code=360123", DESK) as page:
        page.get_by_role("button", name="督办", exact=True).click()
        page.get_by_role("dialog").get_by_text("责任单位").wait_for()
        shoot(camera, "supervise", page)


# --- the filer ---


@picture
def report(camera: Camera) -> None:
    with camera.page(camera.ask(REMINDED), "/report", DESK) as page:
        page.get_by_label("本期工作情况", exact=True).wait_for()
        shoot(camera, "report", page)
        complete_next(page)
        shoot(camera, "report-stage", page)
        page.get_by_role("button", name="提交", exact=True).click()
        page.wait_for_timeout(2000)
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


# --- the reviewer and the bureau ---


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
        page.locator(f".township-areas a[href*='unit={township}']").click()
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


@picture
def open_period(camera: Camera) -> None:
    with camera.page("bureau", "/periods", DESK) as page:
        page.get_by_role("button", name="开启填报期").click()
        page.get_by_role("dialog").get_by_text("报送截止日").wait_for()
        shoot(camera, "open-period", page)


@picture
def extend(camera: Camera) -> None:
    with camera.page("bureau", "/unit?code=360123", DESK) as page:
        page.get_by_role("button", name="延期", exact=True).click()
        page.get_by_role("dialog").get_by_text("延至").wait_for()
        shoot(camera, "extend", page)


# --- the information centre and the auditor ---


@picture
def account(camera: Camera) -> None:
    with camera.page("information_centre", "/accounts", DESK) as page:
        choose_row(page, 2)
        page.locator(".st-key-accounts-panel").wait_for()
        shoot(camera, "account", page)


@picture
def new_account(camera: Camera) -> None:
    with camera.page("information_centre", "/accounts", DESK) as page:
        page.get_by_role("button", name="新建账号").click()
        page.get_by_role("dialog").get_by_text("最后一天").wait_for()
        shoot(camera, "new-account", page)


@picture
def trail_entry(camera: Camera) -> None:
    with camera.page("auditor", "/trail", DESK) as page:
        choose_row(page, 1)
        page.get_by_text("显示未改动的字段").wait_for()
        shoot(camera, "trail-entry", page)
        page.get_by_role("button", name="校验日志").click()
        page.get_by_text("条日志完整无改动").wait_for()
        shoot(camera, "trail-verified", page)


def choose_row(page: Page, number: int) -> None:
    """Tick a row of the first table: its box is in the first column, 35 pixels a row."""
    box = page.locator('[data-testid="stDataFrame"] canvas').first.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + 16, box["y"] + 38 + 35 * (number - 0.5))


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", default="http://127.0.0.1:8501")
    parser.add_argument("--data-dir", type=Path, default=ROOT / "var", help="of that portal")
    parser.add_argument("--to", type=Path, default=ROOT / "docs" / "images")
    parser.add_argument("names", nargs="*", help="only these")
    asked = parser.parse_args(arguments)
    asked.to.mkdir(parents=True, exist_ok=True)
    takings: dict[str, Taking] = dict(TAKINGS)
    for name, taking in PLAIN.items():
        takings[name] = lambda camera, name=name, taking=taking: taking(camera, name)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        camera = Camera(browser, asked.url, asked.data_dir, asked.to)
        for name in asked.names or takings:
            takings[name](camera)
        browser.close()


if __name__ == "__main__":
    main()
