"""An officer files a village in the browser: from the worklist to the county's queue."""

import re

import psycopg
import pytest
from playwright.sync_api import expect

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
