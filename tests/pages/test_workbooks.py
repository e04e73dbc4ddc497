"""Excel 填报 as a clerk, a reviewer and others meet it."""

import pytest

from data_access import workbook_apply, workbook_batches
from data_access.database import transaction
from data_access.jobs import RunningJob
from data_access.workbook_batches import get_batch
from domain.jobs import JobKind
from domain.workbook_diff import BatchState, Decision
from tests.actors import COUNTY
from tests.pages.reading import drawn, own_elements, texts
from tests.reports import LAUNCH
from tests.workbooks import brought, draft, launch, save, taken, typed

pytestmark = pytest.mark.usefixtures("store")


@pytest.fixture
def batch_id(submission, county, period_id, plan_id, tmp_path):
    """A workbook that came back: one value new, one changed, one in conflict, one refused."""
    key = f"{plan_id}/{LAUNCH}"
    path = taken(county, period_id, COUNTY)
    save(county, submission, note="他人")
    cells = {
        (COUNTY, key, "note"): "工作簿",
        (COUNTY, key, "late_reason"): "招标流标",
        (COUNTY, key, "skip_reason"): "不需要",
        (COUNTY, "", "work_summary"): "本月完成初稿。",
    }
    return brought(county, typed(path, cells, tmp_path / "a.xlsx"))


def button(page, words):
    return next(each for each in page.button if words in each.label)


def said(page):
    return texts(page) + "".join(each.body for each in page.get("html"))


def test_a_county_takes_its_workbook_and_brings_it_back(open_page, submission, county, period_id):
    page = open_page(county, "workbooks")
    assert page.title[0].value == "Excel 填报"
    assert "填报单位：**安义县**" in texts(page)
    assert f"/api/workbooks/{period_id}?scope={COUNTY}" in said(page)
    assert len(own_elements(page)) == 1


def test_a_leader_takes_the_whole_province_and_brings_nothing(open_page, period_id, leader):
    page = open_page(leader, "workbooks")
    assert "111 个单位" in page.selectbox[-1].options[0]
    assert "-all" in said(page)
    assert len(own_elements(page)) == 0


def test_the_preview_counts_shows_both_values_and_says_nothing_is_written(
    open_page, batch_id, county, submission
):
    before = draft(county, submission)
    page = open_page(county, "workbooks", batch=str(batch_id))
    assert "**冲突 1 项**" in texts(page)
    assert "现在还没有写入任何内容。" in texts(page)
    assert "工作簿：<em>工作簿</em>" in said(page)
    assert "现值：<em>他人</em>" in said(page)
    assert button(page, "冲突未选择").disabled
    page.segmented_control[0].set_value("refused").run()
    assert "这一项不需要填写" in said(page)
    assert draft(county, submission) == before


def test_a_decided_batch_is_written_and_says_what_is_next(open_page, batch_id, county, submission):
    page = open_page(county, "workbooks", batch=str(batch_id))
    page.radio[0].set_value(Decision.MINE).run()
    assert "都已选择" in texts(page)
    button(page, "写入草稿").click().run()
    row = launch(draft(county, submission).content)
    assert (row["note"], row["late_reason"], row["skip_reason"]) == ("工作簿", "招标流标", None)
    assert "写入 1 个单位的草稿" in page.success[0].value
    assert "可以报送" in said(page)
    button(page, "全部报送").click().run()
    assert "已报送，等待审核。" in said(page)


def test_what_was_saved_after_the_preview_is_shown_anew(open_page, batch_id, county, submission):
    page = open_page(county, "workbooks", batch=str(batch_id))
    button(page, "全部采用工作簿的").click().run()
    save(county, submission, late_reason="他人又改")
    button(page, "写入草稿").click().run()
    assert "又被保存过，没有写入任何内容" in page.warning[0].value
    assert "**冲突 2 项**" in texts(page)
    assert launch(draft(county, submission).content)["note"] == "他人"


def test_a_job_that_found_a_draft_moved_leaves_word_in_the_preview(
    open_page, batch_id, county, submission
):
    with transaction(county) as connection:
        workbook_batches.decide(connection, batch_id, Decision.MINE, None)
        job_id = workbook_apply.request_apply(connection, county, batch_id)
    save(county, submission, late_reason="他人又改")
    workbook_apply.run_job(RunningJob(job_id, JobKind.APPLY_WORKBOOK, 1), batch_id)
    page = open_page(county, "workbooks", batch=str(batch_id))
    assert "又被保存过，没有写入任何内容" in page.warning[0].value
    assert "**冲突 2 项**" in texts(page)


def test_a_workbook_without_a_change_is_said_to_have_none_and_offers_nothing_to_write(
    open_page, submission, county, period_id
):
    batch = brought(county, taken(county, period_id, COUNTY))
    page = open_page(county, "workbooks", batch=str(batch))
    assert "**安义县：没有可以写入的改动**。" in texts(page)
    assert [each.label for each in page.button if "写入" in each.label] == []


def test_a_batch_that_is_thrown_away_changes_nothing(open_page, batch_id, county, submission):
    before = draft(county, submission)
    page = open_page(county, "workbooks", batch=str(batch_id))
    button(page, "放弃").click().run()
    with transaction(county, read_only=True) as connection:
        assert get_batch(connection, batch_id).state is BatchState.DISCARDED
    assert draft(county, submission) == before


def test_a_batch_of_somebody_else_is_not_there(open_page, batch_id, city):
    page = open_page(city, "workbooks", batch=str(batch_id))
    assert "记录不存在" in page.error[0].value
    assert "返回下载与上传" in drawn(page)
