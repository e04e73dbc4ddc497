"""The grid of a report in the portal: pasted without a network, stored, found again."""

import re
from typing import Any

import psycopg
from playwright.sync_api import Locator, Page, expect

from tests.browser.form_desk import paste

SAVED_NOW = re.compile(r"已保存 \d\d:\d\d:\d\d")
# What a browser says of a server that does not answer.
AWAY = ("ERR_", "WebSocket", "Failed to", "_stcore", "internet")
# A county that has not begun a report, with three more plans declared.
DECLARED = """
INSERT INTO plan (division_code, plan_type, name)
SELECT idle.division_code, kind.code, kind.name
  FROM (SELECT division_code FROM account_grant
         WHERE role = 'county' AND division_code NOT IN (
               SELECT division_code FROM submission JOIN reporting_period USING (period_id)
                WHERE closed_at IS NULL AND submission.form_code = 'plan_progress')
         ORDER BY division_code DESC LIMIT 1) AS idle
     , (VALUES ('SPECIAL', '专项规划'), ('DETAIL', '详细规划'), ('MASTER_TOWN', '乡镇规划'))
       AS kind (code, name)
RETURNING division_code
"""
STAGE = ["进行中", "2026年12月1日", "说不清", "2026/3/1", "", "", "", "", "", "来自 Excel"]
ODD_STAGE = ["做完了", "年底", "", "３月", "２０２６年４月２日", "", "", "", "", "＝1+1"]


def test_in_the_portal_a_pasted_block_survives_reload_cut_and_undo(page_as, guard, database):
    code = database.execute(DECLARED).fetchone()[0]
    guard.tolerated += AWAY
    page = page_as(f"county_{code}", "/report?form=plan_progress")
    page.get_by_role("button", name="表格", exact=True).click()
    stage(page, 0, 0).click()
    before = draft_of(database, code)
    page.context.set_offline(True)
    paste(page, [STAGE, ODD_STAGE] * 15)
    expect(page.locator(".save-state")).to_contain_text("未保存")
    page.context.set_offline(False)
    expect(page.locator(".save-state")).to_have_text(SAVED_NOW)
    stages = draft_of(database, code)["milestone"]
    assert [row["note"] for row in stages[:31]] == ["来自 Excel", "＝1+1"] * 15 + [
        before["milestone"][30]["note"]
    ]
    assert (stages[0]["state"], stages[0]["replanned_on"]) == ("running", "说不清")
    assert (stages[1]["state"], stages[1]["started_on"]) == ("做完了", "３月")
    assert stages[1]["completed_on"] == "2026-04-02"

    page.reload()
    expect(stage(page, 1, 0)).to_have_text("做完了")
    expect(stage(page, 1, 0)).to_have_attribute("aria-invalid", "true")
    stage(page, 0, 0).click()
    page.keyboard.press("End")
    page.keyboard.type("改一处")
    page.keyboard.press("Enter")
    page.keyboard.press("Control+z")
    expect(stage(page, 0, 9)).to_have_text("来自 Excel")
    expect(page.locator(".save-state")).to_have_text(SAVED_NOW)


def stage(page: Page, row: int, column: int) -> Locator:
    return page.locator(f"#grid-milestone-{row}-{column}")


def draft_of(database: psycopg.Connection, code: str) -> dict[str, Any]:
    """Return the content of the newest draft of a unit."""
    found = database.execute(
        "SELECT content FROM submission_draft JOIN submission USING (submission_id)"
        " JOIN reporting_period AS period USING (period_id)"
        " WHERE submission.division_code = %s AND period.form_code = 'plan_progress'"
        " ORDER BY period_id DESC LIMIT 1",
        [code],
    ).fetchone()
    assert found is not None
    content: dict[str, Any] = found[0]
    return content
