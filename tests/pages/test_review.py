"""The review queue and a report, as the reviewers meet them."""

import pytest

from data_access import bulk_review
from data_access.database import transaction
from domain.access import Role
from domain.workflow import ReviewAction
from tests.actors import make_actor
from tests.queues import counties_of, make_waiting
from tests.reports import act


@pytest.fixture
def submitted(submission, county) -> int:
    """安义县's report, waiting for 南昌市."""
    act(county, submission.submission_id, ReviewAction.SUBMIT)
    return submission.submission_id


def test_queue_is_the_element_that_reads_its_rows_itself(open_page, submitted, city):
    page = open_page(city, "review_queue", unit="安义县", sort="due")
    assert page.title[0].value == "审核队列"
    assert not page.exception


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


@pytest.fixture
def filed_twice(submission, county, city, owner) -> int:
    """安义县's report in its second round: one field changed, one reason answered."""
    number = submission.submission_id
    act(county, number, ReviewAction.SUBMIT)
    act(city, number, ReviewAction.RETURN, "请核对", [("form.work_summary", "过于简略")])
    owner.execute(
        "UPDATE review_remark SET reply = '已补充', replied_by = %s, replied_at = now()"
        " WHERE field_path <> ''",
        [county.user_id],
    )
    owner.execute(
        "UPDATE submission_draft SET content ="
        " jsonb_set(content, '{form,work_summary}', '\"已完成启动部署，成立领导小组。\"')"
    )
    act(county, number, ReviewAction.SUBMIT)
    return number


def table_of(page) -> str:
    return next(html.body for html in page.get("html") if "portal-comparison" in html.body)


def test_two_rounds_stand_side_by_side_with_reason_and_reply(open_page, filed_twice, city):
    page = open_page(city, "submission", id=str(filed_twice), left="1", right="2")
    table = table_of(page)
    assert "第 1 版（第 1 轮" in table
    assert "第 2 版（第 2 轮" in table
    assert table.count("<tr>") == 2  # the head and the one field that differs
    assert "已启动编制工作。" in table
    assert "已完成启动部署，成立领导小组。" in table
    assert "过于简略" in table
    assert "已补充" in table


def test_all_fields_and_those_with_a_reason_can_be_shown(open_page, filed_twice, city):
    address = {"id": str(filed_twice), "left": "1", "right": "2"}
    whole = table_of(open_page(city, "submission", show="all", **address))
    assert whole.count("<tr>") > 10
    assert "/api/evidence/" in whole
    reasons = table_of(open_page(city, "submission", show="reasons", **address))
    assert reasons.count("<tr>") == 2


@pytest.mark.parametrize("side", ["9", "-1", "x", "0'"])
def test_a_version_that_is_not_there_falls_back(open_page, filed_twice, city, side):
    page = open_page(city, "submission", id=str(filed_twice), left=side, right=side)
    assert "上次认定" in table_of(page)
    assert not page.exception


def test_who_was_overtaken_is_told_and_sends_nothing(open_page, submitted, city, owner):
    other = make_actor(owner, "second", Role.CITY, "360100")
    page = open_page(city, "submission", id=str(submitted))
    page.radio[0].set_value(ReviewAction.APPROVE).run()
    act(other, submitted, ReviewAction.RETURN, "请核对日期")
    button(page, "提交审核结论").click().run()
    assert "second先生已于" in page.warning[0].value
    assert "没有提交" in page.warning[0].value
    assert state_of(owner, submitted) == ("returned", 0)


def test_from_the_queue_the_next_report_is_one_step_away(
    open_page, owner, county, city, bureau, period_id
):
    # The later in the list, the longer ago it was filed: the oldest stands first.
    newest, middle, _ = make_waiting(
        owner, county.user_id, [period_id], counties_of(owner, "3601")[:3]
    )
    page = open_page(city, "submission", id=str(middle), **{"from": "form=plan_progress"})
    assert any(caption.value == "第 2 份，共 3 份" for caption in page.caption)
    page.radio[0].set_value(ReviewAction.APPROVE).run()
    button(page, "提交审核结论").click().run()
    assert page.query_params == {"id": str(newest), "from": "form=plan_progress"}
    assert page.success[0].value.startswith("已通过")


def test_a_decision_of_a_bulk_action_says_so(open_page, owner, submitted, city, county):
    with transaction(city, action="review.bulk") as connection:
        seen = {submitted: 2}
        bulk = bulk_review.decide(connection, city, ReviewAction.RETURN, "材料不全", seen)
    page = open_page(city, "submission", id=str(submitted))
    assert "已批量退回本件" in page.info[0].value
    assert not open_page(county, "submission", id=str(submitted)).info
    with transaction(city, action="submission.return") as connection:
        bulk_review.carry_out(connection, city, bulk.bulk_decision_id, 10)
    page = open_page(county, "submission", id=str(submitted))
    rounds = next(html.body for html in page.get("html") if "portal-rounds" in html.body)
    assert f"批量办理（第 {bulk.bulk_decision_id} 批）" in rounds


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
