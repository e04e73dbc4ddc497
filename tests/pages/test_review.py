"""The review queue and a report, as the reviewers meet them."""

import pytest

from domain.access import Role
from domain.workflow import ReviewAction
from tests.actors import make_actor
from tests.reports import act


@pytest.fixture
def submitted(submission, county) -> int:
    """安义县's report, waiting for 南昌市."""
    act(county, submission.submission_id, ReviewAction.SUBMIT)
    return submission.submission_id


def test_queue_counts_what_waits_for_this_reviewer(open_page, submitted, city, bureau):
    page = open_page(city, "review_queue")
    assert "1 份填报待审核" in page.markdown[0].value
    assert list(page.dataframe[0].value["填报单位"]) == ["安义县"]
    assert "没有待审核的填报" in open_page(bureau, "review_queue").success[0].value


def test_report_shows_what_changed_and_who_has_it(open_page, submitted, city):
    page = open_page(city, "submission", id=str(submitted))
    assert page.title[0].value == "安义县 · 编制进度 · 2026年11月"
    assert any("等待**设区市初审**" in text.value for text in page.markdown)


def test_approving_hands_the_report_to_the_province(open_page, submitted, city, bureau, owner):
    page = open_page(city, "submission", id=str(submitted))
    page.radio[0].set_value(ReviewAction.APPROVE).run()
    button(page, "提交审核结论").click().run()
    assert state_of(owner, submitted) == ("submitted", 2)


def test_returning_without_a_reason_says_what_is_missing(open_page, submitted, city, owner):
    page = open_page(city, "submission", id=str(submitted))
    page.radio[0].set_value(ReviewAction.RETURN).run()
    button(page, "提交审核结论").click().run()
    assert "退回" in page.error[0].value
    assert state_of(owner, submitted) == ("submitted", 1)


def test_return_carries_a_reason_for_the_field_it_means(open_page, submitted, city, owner):
    page = open_page(city, "submission", id=str(submitted))
    page.radio[0].set_value(ReviewAction.RETURN).run()
    fields = page.multiselect[0]
    label = next(name for name in fields.options if "实际完成日期" in name)
    fields.select(label).run()
    page.text_input[0].input("与文件落款日期不一致").run()
    page.text_area[0].input("请核对日期").run()
    button(page, "提交审核结论").click().run()
    found = owner.execute(
        "SELECT field_path, reason FROM review_remark ORDER BY review_remark_id"
    ).fetchall()
    assert [(path.rpartition(".")[2], reason) for path, reason in found] == [
        ("", "请核对日期"),
        ("completed_on", "与文件落款日期不一致"),
    ]


def test_the_filer_sees_his_report_without_a_decision(open_page, submitted, county):
    page = open_page(county, "submission", id=str(submitted))
    assert not page.radio
    assert not [item for item in page.button if item.label == "提交审核结论"]


def test_receipt_of_a_filed_report_is_checked_against_its_content(
    open_page, submitted, city, bureau, owner
):
    act(city, submitted, ReviewAction.APPROVE)
    act(bureau, submitted, ReviewAction.APPROVE)
    page = open_page(bureau, "submission", id=str(submitted))
    assert any("回执校验：一致" in text.value for text in page.caption)
    owner.execute(
        "UPDATE submission_version SET content = jsonb_set(content, '{form,contact_name}', '\"x\"')"
    )
    page = open_page(bureau, "submission", id=str(submitted))
    assert "回执校验：不一致" in page.error[0].value


@pytest.mark.parametrize("number", ["", "abc", "-1", "9" * 30, "1'--"])
def test_address_without_a_report_says_where_to_go(open_page, city, number):
    page = open_page(city, "submission", id=number)
    assert "请从审核队列" in page.info[0].value
    assert not page.exception


def test_report_of_another_scope_is_not_found(open_page, submitted, owner):
    stranger = make_actor(owner, "jiujiang", Role.CITY, "360400")
    page = open_page(stranger, "submission", id=str(submitted))
    assert "不存在" in page.error[0].value


def state_of(owner, submission_id):
    query = "SELECT state, step_no FROM submission WHERE submission_id = %s"
    return owner.execute(query, [submission_id]).fetchone()


def button(page, label):
    return next(item for item in page.button if item.label == label)
