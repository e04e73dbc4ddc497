"""A county's evening with Excel: its villages out, filled in, back, a conflict decided, written."""

import re

import psycopg
import pytest
from playwright.sync_api import expect

from data_access import drafts, filing
from data_access.database import transaction
from tests.browser.test_workbooks import actor_of, upload  # noqa: F401  a fixture is a name here
from tests.workbooks import typed

# A county small enough for one download, with a draft in hand and an officer of its township.
COUNTY = """
SELECT county.username, officer.username, submission.submission_id, submission.division_code
     , (SELECT min(code) FROM natural_village WHERE code ^@ submission.division_code)
  FROM submission
  JOIN reporting_period AS period USING (period_id)
  JOIN submission_draft AS draft USING (submission_id)
  JOIN account_grant AS of_county
    ON of_county.role = 'county' AND submission.division_code ^@ of_county.prefix
  JOIN account AS county ON county.user_id = of_county.user_id
  JOIN account_grant AS of_town
    ON of_town.role = 'township' AND submission.division_code ^@ of_town.prefix
  JOIN account AS officer ON officer.user_id = of_town.user_id
 WHERE submission.form_code = 'village_evaluation' AND period.closed_at IS NULL
   AND submission.state = 'draft' AND draft.content #>> '{form,hukou_pop}' IS NOT NULL
   AND (SELECT count(*) FROM admin_division
         WHERE level = 'village' AND code ^@ of_county.prefix) BETWEEN 2 AND 180
 ORDER BY submission.division_code DESC LIMIT 1
"""


@pytest.fixture
def work(database: psycopg.Connection):
    row = database.execute(COUNTY).fetchone()
    assert row, "the demo has no small county with a village in hand"
    return row


def test_a_county_fills_its_villages_in_excel_and_decides_a_conflict(
    page_as,
    database,
    work,
    actor_of,  # noqa: F811
    tmp_path,
):
    clerk, officer, submission_id, village, natural = work
    page = page_as(clerk, "/workbooks")
    page.get_by_role("combobox", name="填报表单").click()
    page.get_by_role("option", name="村庄规划评估").click()
    expect(page.get_by_role("combobox", name="范围")).to_have_value(re.compile("个单位"))
    with page.expect_download() as download:
        page.get_by_role("link", name="下载工作簿").click()
    workbook = tmp_path / download.value.suggested_filename
    download.value.save_as(workbook)

    # The village's own officer saves another figure meanwhile.
    actor = actor_of(officer)
    with transaction(actor, action="draft.save") as connection:
        state = filing.read_state(connection, actor, submission_id)
        content = state.content
        content["form"]["hukou_pop"] = 4321
        drafts.save_draft(connection, actor, submission_id, content, state.submission.draft_version)
    cells = {(village, "", "hukou_pop"): 4400, (village, natural, "remark"): "Excel 填报"}
    upload(page, typed(workbook, cells, tmp_path / "填好.xlsx"))
    expect(page.get_by_text("现在还没有写入任何内容")).to_be_visible()
    expect(page.get_by_role("button", name="还有 1 项冲突未选择")).to_be_disabled()
    page.get_by_role("radiogroup").get_by_text("采用工作簿的", exact=True).click()
    page.get_by_role("button", name="写入草稿（2 项）").click()
    expect(page.get_by_text("已于")).to_be_visible()

    written = database.execute(
        "SELECT content #>> '{form,hukou_pop}', content -> 'natural_village' -> 0 ->> 'remark'"
        "  FROM submission_draft WHERE submission_id = %s",
        [submission_id],
    ).fetchone()
    assert written == ("4400", "Excel 填报")
    page.goto(page.url.partition("/workbooks")[0] + f"/villages?q={village}")
    expect(page.get_by_role("link", name="填写")).to_be_visible()
