"""编制进度填报 as a county, a city and others meet it."""

import pytest

from domain.access import Role
from domain.workflow import ReviewAction
from tests import contracts
from tests.actors import COUNTY, make_actor
from tests.pages.reading import own_elements, texts
from tests.reports import act


def test_a_county_sees_its_period_deadline_and_form(open_page, county, period_id, owner):
    page = open_page(county, "report")
    assert page.title[0].value == "编制进度填报"
    assert "安义县2026年11月编制进度尚未提交，截止" in texts(page)
    assert "还有 **3** 天" in texts(page)
    assert len(own_elements(page)) == 1
    made = owner.execute("SELECT division_code, name, is_headline FROM plan").fetchall()
    assert made == [(COUNTY, "安义县国土空间总体规划", True)]


def test_opening_twice_makes_one_report(open_page, county, period_id, owner):
    open_page(county, "report").run()
    assert owner.execute("SELECT count(*) FROM submission").fetchone() == (1,)
    assert owner.execute("SELECT count(*) FROM plan").fetchone() == (1,)


def test_a_submitted_report_says_who_has_it_and_until_when(open_page, submission, county):
    act(county, submission.submission_id, ReviewAction.SUBMIT)
    page = open_page(county, "report")
    said = texts(page)
    assert "提交安义县2026年11月编制进度，等待**南昌市初审**（预计 " in said
    assert not [button for button in page.button if button.label == "申报其他规划"]


def test_a_filed_report_carries_its_receipt(open_page, submission, county, city, bureau):
    number = submission.submission_id
    for actor, action in (
        (county, ReviewAction.SUBMIT),
        (city, ReviewAction.APPROVE),
        (bureau, ReviewAction.APPROVE),
    ):
        act(actor, number, action)
    assert "备案，回执编号 **" in texts(open_page(county, "report"))


def test_between_periods_the_page_says_so(open_page, county):
    assert "没有开放的填报期" in open_page(county, "report").info[0].value


def test_a_filer_without_a_unit_is_told_whom_to_ask(open_page, owner, period_id):
    lost = make_actor(owner, "lost", Role.COUNTY, "360000")
    assert "没有对应的填报单位" in open_page(lost, "report").warning[0].value


def test_who_files_for_two_units_chooses(open_page, owner, county, period_id):
    owner.execute(
        "INSERT INTO account_grant (user_id, role, division_code, prefix)"
        " SELECT %s, 'county', code, prefix FROM admin_division WHERE code = '360124'",
        [county.user_id],
    )
    page = open_page(county, "report")
    assert page.selectbox[0].options == ["安义县", "进贤县"]
    page.selectbox[0].select_index(1).run()
    assert "进贤县2026年11月编制进度尚未提交" in texts(page)


def test_other_plans_are_declared_in_a_dialog(open_page, county, period_id):
    page = open_page(county, "report")
    declare = next(button for button in page.button if button.label == "申报其他规划")
    declare.click().run()
    types = page.selectbox(key="report-declare-type").options
    assert types == ["专项规划", "详细规划(控规)", "乡镇级国土空间总体规划"]


@pytest.mark.parametrize("role", [Role.LEADER, Role.PLAN_BUREAU])
def test_others_do_not_file(open_page, owner, period_id, role):
    other = make_actor(owner, "other", role, "360000")
    page = open_page(other, "report")
    assert "无权访问此页面" in page.error[0].value
    assert not own_elements(page)


def test_who_files_two_forms_chooses_and_reports_a_change_after_filing(
    open_page, owner, county, city, bureau, period_id, plan_id
):
    report = contracts.opened(county, contracts.open_quarter(owner))
    contracts.fill(owner, county, report)
    for actor, action in (
        (county, ReviewAction.SUBMIT),
        (city, ReviewAction.APPROVE),
        (bureau, ReviewAction.APPROVE),
    ):
        act(actor, report.submission_id, action)
    assert open_page(county, "report").title[0].value == "编制进度填报"
    page = open_page(county, "report", form="compile_unit")
    assert page.title[0].value == "编制单位信息填报"
    assert "编制单位信息已于" in texts(page)
    page.button(key="report-reopen").click().run()
    assert "的变更尚未提交；此前备案的内容（回执编号 **B" in texts(page)
    page.button(key="report-abandon").click().run()
    assert "恢复为当前内容" in texts(page)
    assert page.button(key="report-abandon-send").label == "放弃变更"
