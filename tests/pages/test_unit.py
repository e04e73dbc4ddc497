"""The unit page as a leader, the bureau and the unit itself meet it."""

from datetime import timedelta

import pytest

from domain.access import Role
from domain.clock import today
from tests.actors import COUNTY, make_actor
from tests.pages.reading import drawn
from tests.standing import file_report


@pytest.fixture
def accepted(owner, county, bureau, plan_id, period_id):
    """安义县 with its first stage accepted and its second 32 days late."""
    submission_id = file_report(
        owner, COUNTY, period_id, county, contact_name="张三", contact_phone="13812345678"
    )
    for stage, state, baseline, completed in (
        ("01_LAUNCH", "completed", today() - timedelta(90), today() - timedelta(80)),
        ("02_TENDER", "running", today() - timedelta(32), None),
    ):
        owner.execute(
            "INSERT INTO accepted_milestone (plan_id, division_code, stage_code, state, baseline_on"
            ", completed_on, late_reason, submission_id, version_no, accepted_by)"
            " VALUES (%s, %s, %s, %s, %s, %s, '招标流标', %s, 1, %s)",
            [
                plan_id,
                COUNTY,
                f"MASTER_COUNTY_{stage}",
                state,
                baseline,
                completed,
                submission_id,
                bureau.user_id,
            ],
        )


def test_headline_says_how_the_unit_stands_and_why(open_page, leader, accepted):
    page = open_page(leader, "unit", code=COUNTY)
    words = drawn(page)
    assert "安义县：总体规划已完成 1/14 个阶段（4\u00a0%），第 2 阶段“招标采购”滞后 32 天" in words
    assert "滞后原因：招标流标" in words
    assert f"submission?id={1}" in words
    assert "bureau先生" in words


def test_leader_reads_stars_and_the_bureau_the_telephone(open_page, leader, bureau, accepted):
    assert "138****5678" in drawn(open_page(leader, "unit", code=COUNTY))
    assert "13812345678" in drawn(open_page(bureau, "unit", code=COUNTY))


@pytest.mark.parametrize(
    ("who", "offered"),
    [
        ("leader", ["催办", "督办"]),
        ("bureau", ["催办", "督办", "延期"]),
        ("county", []),
        ("city", []),
    ],
)
def test_each_is_offered_his_actions(open_page, accepted, request, who, offered):
    page = open_page(request.getfixturevalue(who), "unit", code=COUNTY)
    labels = [button.label for button in page.button]
    assert [name for name in ("催办", "督办", "延期") if name in labels] == offered


def test_past_day_shows_the_past_and_offers_nothing(open_page, leader, accepted):
    past = (today() - timedelta(days=7)).isoformat()
    page = open_page(leader, "unit", code=COUNTY, as_of=past)
    assert "当日所见的数据" in page.info[0].value
    assert "招标采购”滞后" not in drawn(page)
    assert "催办" not in [button.label for button in page.button]


@pytest.mark.parametrize("code", ["999999", "36", "安义", "';--", "360124"])
def test_unknown_unit_or_another_county_gets_a_sentence(open_page, county, code):
    page = open_page(county, "unit", code=code)
    assert page.error[0].value.startswith("记录不存在，或不在您的数据范围内。")
    assert not page.exception


@pytest.mark.parametrize("day", ["2026-13-01", "heute", "1900-01-01", "2999-01-01"])
def test_day_that_is_none_shows_today_and_says_so(open_page, leader, accepted, day):
    page = open_page(leader, "unit", code=COUNTY, as_of=day)
    assert "不是可以查看的日期" in page.warning[0].value
    assert "滞后 32 天" in drawn(page)


def test_unit_without_a_plan_says_so(open_page, leader):
    page = open_page(leader, "unit", code=COUNTY)
    assert "安义县：尚未登记总体规划。" in drawn(page)


def test_county_without_a_code_opens_itself(open_page, county, accepted):
    assert "安义县" in drawn(open_page(county, "unit"))


def test_leader_without_a_code_is_sent_to_the_overview(open_page, leader):
    assert open_page(leader, "unit").info[0].value.startswith("请从总览")


def test_auditor_does_not_enter(open_page, owner):
    auditor = make_actor(owner, "auditor", Role.SECURITY_AUDITOR, "360000")
    assert "无权访问" in open_page(auditor, "unit", code=COUNTY).error[0].value
