"""Sentences made from data: how a unit stands, what it is reminded of."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from components.labels import label
from data_access.progress import MilestoneView
from domain.clock import BEIJING, moment, month_day
from domain.progress import Lateness, LatenessLimits, MilestoneState, PeriodState, UnitProgress
from domain.supervision import ReminderTopic


def day_text(day: date, today: date) -> str:
    """Return a date as a sentence has it, with its year where that is not this one.

    >>> day_text(date(2026, 10, 21), date(2026, 11, 22))
    '10月21日'
    >>> day_text(date(2025, 3, 1), date(2026, 1, 1))
    '2025年3月1日'
    """
    text = month_day(day)
    return text if day.year == today.year else f"{day.year}年{text}"


def percent(ratio: float) -> str:
    """Return a ratio as percent with at most one decimal, in one piece where a line ends.

    >>> percent(0.46), percent(0.635)
    ('46\\xa0%', '63.5\\xa0%')
    """
    return f"{round(ratio * 100, 1):g}\u00a0%"


def names_text(names: Sequence[str], shown: int = 3) -> str:
    """Return the names in a sentence, the rest as a count.

    >>> names_text(["安义县", "进贤县"]), names_text(["甲", "乙", "丙", "丁"])
    ('安义县、进贤县', '甲、乙、丙等 4 个单位')
    """
    head = "、".join(names[:shown])
    return head if len(names) <= shown else f"{head}等 {len(names)} 个单位"


def unit_headline(
    unit: UnitProgress, milestones: Sequence[MilestoneView], limits: LatenessLimits, today: date
) -> str:
    """Return the answer to "how does this unit stand", of its headline plan alone."""
    if unit.plan_id is None:
        return f"{unit.name}：尚未登记总体规划。"
    if unit.is_merged:
        return (
            f"{unit.name}：总体规划并入{unit.parent_name}编制（省级已认定），"
            "不计入平均进度和滞后名单。"
        )
    headline = [row for row in milestones if row.is_headline]
    done = sum(row.state is MilestoneState.COMPLETED for row in headline)
    start = (
        f"{unit.name}：总体规划已完成 {done}/{len(headline)} 个阶段"
        f"（{percent(unit.accepted_ratio)}）"
    )
    return f"{start}，{_standing(unit, headline, limits, today)}。"


def _standing(
    unit: UnitProgress, headline: Sequence[MilestoneView], limits: LatenessLimits, today: date
) -> str:
    lateness = unit.lateness(limits)
    if lateness is Lateness.UNPLANNED:
        return "尚未认定计划日期（未定计划）"
    late = late_stages(headline)
    if late and unit.late_since is not None:
        first = late[0]
        return (
            f"第 {first.stage_order} 阶段“{first.stage_name}”滞后 {unit.late_days} 天"
            f"（自 {day_text(unit.late_since, today)}起）"
        )
    waiting = [row for row in headline if row.state in _UNFINISHED and row.baseline_on]
    if not waiting:
        return "全部计划阶段均已完成"
    following = min(waiting, key=lambda row: (row.baseline_on or today, row.stage_order))
    assert following.baseline_on is not None
    return (
        f"按期推进，下一阶段“{following.stage_name}”计划于"
        f" {day_text(following.baseline_on, today)}完成"
    )


_UNFINISHED = (MilestoneState.NOT_STARTED, MilestoneState.RUNNING)


def late_stages(milestones: Sequence[MilestoneView]) -> list[MilestoneView]:
    """Return the stages that are late now, the one late longest first."""
    late = [row for row in milestones if (row.late_days or 0) > 0 and row.state in _UNFINISHED]
    return sorted(late, key=lambda row: (-(row.late_days or 0), row.stage_order))


def lateness_since(unit: UnitProgress, limits: LatenessLimits) -> date | None:
    """Return the day on which the unit came into the class of lateness it is in."""
    if unit.late_since is None or unit.is_merged:
        return None
    passed = {Lateness.ORANGE: limits.yellow, Lateness.RED: limits.orange}
    return unit.late_since + timedelta(days=passed.get(unit.lateness(limits), 0) + 1)


def report_standing(unit: UnitProgress, now: datetime) -> str:
    """Return where the unit's report of the period stands, and by when it is due."""
    if unit.deadline_at is None:
        return "尚未开启填报期"
    due = unit.deadline_at.astimezone(BEIJING)
    if unit.period_state is PeriodState.NOT_FILED:
        days = (now.astimezone(BEIJING).date() - due.date()).days
        return f"未报，截止 {moment(due)}" if now <= due else f"未报，已逾期 {max(days, 1)} 天"
    if unit.period_state is PeriodState.RETURNED:
        return "已退回，待修改重报"
    words = label(unit.period_state) + ("（本期无变化）" if unit.no_change else "")
    filed = f"，{moment(unit.submitted_at)} 报送" if unit.submitted_at else ""
    return f"{words}{filed}" + ("" if unit.on_time else "（逾期）")


THIS_PROGRESS = "本期编制进度"


def reminder_fact(
    unit: UnitProgress, topic: ReminderTopic, now: datetime, report: str = THIS_PROGRESS
) -> str:
    """Return what the unit is reminded of, from data; nothing for other topics.

    `report` is the form and period that the unit's state and deadline are of.
    """
    today = now.astimezone(BEIJING).date()
    if topic is ReminderTopic.LATE_MILESTONE and unit.late_since is not None:
        return (
            f"{unit.name}总体规划“{unit.late_stage_name}”阶段应于"
            f" {day_text(unit.late_since, today)}完成，截至 {day_text(today, today)}"
            f"已滞后 {unit.late_days} 天。"
        )
    if topic is ReminderTopic.NOT_FILED and unit.deadline_at is not None:
        return f"{unit.name}{report}{_missing(unit.deadline_at, now, today)}。"
    if topic is ReminderTopic.RETURNED:
        return f"{unit.name}{report}填报已被退回，尚未修改重报。"
    return ""


def _missing(deadline_at: datetime, now: datetime, today: date) -> str:
    if now <= deadline_at:
        return f"尚未报送，截止时间为 {moment(deadline_at)}"
    due = deadline_at.astimezone(BEIJING).date()
    return f"应于 {day_text(due, today)}前报送，已逾期 {max((today - due).days, 1)} 天"


def reminder_request(topic: ReminderTopic, answer_due_on: date, today: date) -> str:
    """Return what every reminded unit is asked to do."""
    due = day_text(answer_due_on, today)
    asked = {
        ReminderTopic.LATE_MILESTONE: f"请查明原因，于 {due}前回复整改措施和预计完成日期。",
        ReminderTopic.NOT_FILED: f"请尽快报送，并于 {due}前回复办理情况。",
        ReminderTopic.RETURNED: f"请按退回意见修改后重新报送，并于 {due}前回复办理情况。",
        ReminderTopic.OTHER: f"请于 {due}前回复办理情况。",
    }
    return asked[topic]
