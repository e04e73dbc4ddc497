"""The sentences that are made from data."""

from dataclasses import replace
from datetime import date, datetime

import pytest

from components.sentences import (
    late_stages,
    lateness_since,
    reminder_fact,
    reminder_request,
    report_standing,
    unit_headline,
)
from components.timeline import timeline_figure
from components.unit_view import milestone_table
from data_access.progress import MilestoneView
from domain.clock import BEIJING
from domain.progress import Disposition, LatenessLimits, MilestoneState, PeriodState
from domain.supervision import ReminderTopic
from tests.unit.test_supervision import unit

TODAY = date(2026, 11, 22)
NOW = datetime(2026, 11, 22, 10, 32, tzinfo=BEIJING)
LIMITS = LatenessLimits()
DEADLINE = datetime(2026, 11, 25, 23, 59, 59, tzinfo=BEIJING)


def milestone(order: int, **changes: object) -> MilestoneView:
    row = MilestoneView(
        plan_id=1, plan_type="MASTER_COUNTY", plan_name="总体规划", is_headline=True,
        disposition=Disposition.COMPILING, plan_type_name="县级国土空间总体规划",
        stage_code=f"S{order:02d}", stage_order=order, stage_name=f"阶段{order}",
        responsible="县级自然资源主管部门", evidence_items=[], minimum_days=None, weight_ratio=0.25,
        state=MilestoneState.NOT_STARTED, baseline_on=None, replanned_on=None, replan_reason=None,
        started_on=None, completed_on=None, skip_reason=None, late_reason=None, evidence_ids=[],
        submission_id=None, version_no=None, import_source=None, accepted_by_name=None,
        accepted_at=None,
        pending_state=None, pending_completed_on=None, late_days=0,
    )  # fmt: skip
    return replace(row, **changes)  # type: ignore[arg-type]


DONE = milestone(
    1, state=MilestoneState.COMPLETED, baseline_on=date(2026, 1, 5), completed_on=date(2026, 1, 9)
)
LATE = milestone(2, baseline_on=date(2026, 10, 21), late_days=32, late_reason="<招标>流标。")
AHEAD = milestone(3, baseline_on=date(2027, 1, 4))
PENDING = replace(AHEAD, pending_state="completed", pending_completed_on=date(2026, 11, 20))
LATE_UNIT = unit(late_days=32, late_since=date(2026, 10, 21), late_stage_name="阶段2")


def test_late_unit_says_which_stage_how_long_and_since_when():
    assert unit_headline(LATE_UNIT, [DONE, LATE, AHEAD], LIMITS, TODAY) == (
        "安义县：总体规划已完成 1/3 个阶段（46\u00a0%），"
        "第 2 阶段“阶段2”滞后 32 天（自 10月21日起）。"
    )


def test_unit_in_time_says_what_comes_next():
    assert unit_headline(unit(), [DONE, AHEAD], LIMITS, TODAY).endswith(
        "按期推进，下一阶段“阶段3”计划于 2027年1月4日完成。"
    )
    assert unit_headline(unit(), [DONE], LIMITS, TODAY).endswith("全部计划阶段均已完成。")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"plan_id": None}, "尚未登记总体规划"),
        ({"planned_stages": 0}, "尚未认定计划日期（未定计划）"),
        ({"disposition": Disposition.MERGED}, "总体规划并入南昌市编制（省级已认定）"),
    ],
)
def test_unit_apart_from_the_ranking_says_why(changes, words):
    assert words in unit_headline(unit(**changes), [LATE], LIMITS, TODAY)


def test_other_plans_do_not_enter_the_headline():
    special = replace(LATE, is_headline=False, plan_id=2)
    assert "1/1 个阶段" in unit_headline(unit(), [DONE, special], LIMITS, TODAY)


def test_class_of_lateness_begins_the_day_after_its_limit():
    assert lateness_since(LATE_UNIT, LIMITS) == date(2026, 11, 6)
    assert lateness_since(unit(), LIMITS) is None
    assert lateness_since(replace(LATE_UNIT, disposition=Disposition.MERGED), LIMITS) is None


def test_longest_late_stage_comes_first():
    longer = replace(AHEAD, late_days=40)
    assert late_stages([LATE, longer, DONE]) == [longer, LATE]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"deadline_at": None}, "尚未开启填报期"),
        ({"period_state": PeriodState.NOT_FILED}, "未报，截止 11月25日 23:59"),
        ({"period_state": PeriodState.RETURNED}, "已退回，待修改重报"),
        ({"period_state": PeriodState.FILED, "no_change": True}, "已备案（本期无变化）"),
        ({"period_state": PeriodState.SUBMITTED, "on_time": False}, "审核中（逾期）"),
    ],
)
def test_report_of_the_period_stands_in_words(changes, words):
    assert report_standing(unit(**({"deadline_at": DEADLINE} | changes)), NOW) == words


def test_missing_report_counts_its_days():
    late = unit(
        period_state=PeriodState.NOT_FILED,
        deadline_at=datetime(2026, 11, 20, 23, 59, 59, tzinfo=BEIJING),
    )
    assert report_standing(late, NOW) == "未报，已逾期 2 天"
    assert reminder_fact(late, ReminderTopic.NOT_FILED, NOW) == (
        "安义县本期编制进度应于 11月20日前报送，已逾期 2 天。"
    )


def test_reminder_states_its_fact_and_asks_for_an_answer():
    assert reminder_fact(LATE_UNIT, ReminderTopic.LATE_MILESTONE, NOW) == (
        "安义县总体规划“阶段2”阶段应于 10月21日完成，截至 11月22日已滞后 32 天。"
    )
    assert "退回" in reminder_fact(unit(), ReminderTopic.RETURNED, NOW)
    quarter = "2026年第四季度编制单位信息"
    assert f"{quarter}填报已被退回" in reminder_fact(unit(), ReminderTopic.RETURNED, NOW, quarter)
    assert reminder_fact(unit(), ReminderTopic.OTHER, NOW) == ""
    for topic in ReminderTopic:
        assert "11月25日前回复" in reminder_request(topic, date(2026, 11, 25), TODAY)


def test_table_counts_what_is_accepted_and_shows_the_pending_apart():
    table = milestone_table([DONE, LATE, PENDING], {}, LIMITS)
    assert '<td>已认定合计</td><td class="number">25\u00a0%</td>' in table
    assert "另有 25\u00a0% 已报待认定，不计入" in table
    assert "已报“已完成”（2026-11-20），待认定" in table
    assert "迟 4 天完成" in table


def test_timeline_draws_plan_fact_lateness_and_what_waits():
    figure = timeline_figure([DONE, LATE, PENDING], LIMITS, TODAY)
    names = {trace.name for trace in figure.data}
    assert {"基准计划", "实际完成（已认定）", "滞后 ≤ 45 天", "已报待认定"} <= names
    assert "滞后 > 45 天" not in names
