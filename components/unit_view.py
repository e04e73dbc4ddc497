"""The parts of the unit page, as HTML made from data."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from html import escape

from components.labels import label
from components.map import LATENESS_SYMBOLS
from components.review import round_list
from components.sentences import day_text, late_stages, lateness_since, percent, report_standing
from data_access.contacts import ContactLine
from data_access.evidence import Evidence
from data_access.progress import MilestoneView
from data_access.rounds import ReportHistory
from domain.clock import BEIJING, moment
from domain.forms import Context, Form
from domain.progress import (
    Lateness,
    LatenessLimits,
    MilestoneState,
    UnitProgress,
    lateness_of,
)

_RECENT = 6
_NONE = '<span class="quiet">—</span>'


def unit_cards(
    unit: UnitProgress,
    milestones: Sequence[MilestoneView],
    reports: Sequence[ReportHistory],
    contacts: Sequence[ContactLine],
    limits: LatenessLimits,
    now: datetime,
) -> str:
    """Return the five figures of a unit; each links to the records it stands on."""
    headline = [row for row in milestones if row.is_headline]
    done = sum(row.state is MilestoneState.COMPLETED for row in headline)
    cards = [
        _card(
            "认定进度（总体规划）",
            "并入市级" if unit.is_merged else percent(unit.accepted_ratio),
            _bar(unit),
            "#milestones",
        ),
        _card(
            "已完成阶段",
            f"{done} <small>/ {len(headline)} 个</small>",
            escape(f"最近：{unit.stage_name}" if unit.stage_name else "尚无认定的阶段"),
            "#milestones",
        ),
        _late_card(unit, limits, now.astimezone(BEIJING).date()),
        _report_card(unit, reports, now),
        _contact_card(unit, contacts),
    ]
    return f'<div class="unit-cards">{"".join(cards)}</div>'


def _card(name: str, value: str, note: str, link: str = "") -> str:
    shown = f'<a href="{escape(link)}" target="_self">{value}</a>' if link else value
    return (
        f'<div class="unit-card"><div class="name">{name}</div>'
        f'<div class="value">{shown}</div><div class="note">{note}</div></div>'
    )


def _bar(unit: UnitProgress) -> str:
    if unit.is_merged:
        return "不计入平均进度"
    pending = f"，另有 {percent(unit.pending_ratio)} 待认定" if unit.pending_ratio else ""
    return (
        '<div class="unit-bar">'
        f'<span class="accepted" style="width:{unit.accepted_ratio * 100:.2f}%"></span>'
        f'<span class="pending" style="width:{unit.pending_ratio * 100:.2f}%"></span></div>'
        f"省级认定{pending}"
    )


def _late_card(unit: UnitProgress, limits: LatenessLimits, today: date) -> str:
    lateness = unit.lateness(limits)
    since = lateness_since(unit, limits)
    if lateness in (Lateness.MERGED, Lateness.UNPLANNED):
        return _card("滞后", label(lateness), "不计入滞后名单", "#milestones")
    if since is None:
        return _card("滞后", mark(lateness, "按期"), "没有滞后的阶段", "#milestones")
    return _card(
        "滞后",
        mark(lateness, f"{unit.late_days} 天"),
        f"{label(lateness)}，自 {day_text(since, today)}起",
        "#late",
    )


def _report_card(unit: UnitProgress, reports: Sequence[ReportHistory], now: datetime) -> str:
    standing, _, note = report_standing(unit, now).partition("，")
    filed = unit.submitted_at is not None and reports
    link = f"submission?id={reports[0].submission_id}" if filed else ""
    return _card("本期报送", standing, note or "&nbsp;", link)


def _contact_card(unit: UnitProgress, contacts: Sequence[ContactLine]) -> str:
    if not contacts:
        return _card("责任人", escape(unit.responsible_name or "未填报"), "尚无联系方式")
    first, *others = contacts
    note = "　".join(escape(line.value) for line in others)
    if any(line.is_masked for line in others):
        note += "（已脱敏）"
    return _card(escape(first.label), escape(first.value), note)


def mark(lateness: Lateness, text: str) -> str:
    """Return a text with the symbol of its class of lateness: never by colour alone."""
    symbol = f"<i>{LATENESS_SYMBOLS.get(lateness, '●')}</i>"
    return f'<span class="unit-mark {lateness.value}">{symbol}{escape(text)}</span>'


def late_list(milestones: Sequence[MilestoneView], limits: LatenessLimits, today: date) -> str:
    """Return why the headline plan is late: each stage, since when, moved to when, and why."""
    late = late_stages([row for row in milestones if row.is_headline])
    items = "".join(f"<li>{_late_item(row, limits, today)}</li>" for row in late)
    return f'<ul class="unit-late" id="late">{items}</ul>' if late else ""


def _late_item(row: MilestoneView, limits: LatenessLimits, today: date) -> str:
    assert row.baseline_on is not None
    days = row.late_days or 0
    parts = [
        f"第 {row.stage_order} 阶段“{escape(row.stage_name)}”应于"
        f" {day_text(row.baseline_on, today)}完成，"
        + mark(lateness_of(days, limits), f"滞后 {days} 天")
    ]
    if row.replanned_on:
        parts.append(
            f"认定调整至 {day_text(row.replanned_on, today)}"
            + (f"（{_clause(row.replan_reason)}）" if row.replan_reason else "")
        )
    parts.append(f"滞后原因：{_clause(row.late_reason)}" if row.late_reason else "未说明滞后原因")
    if row.responsible:
        parts.append(f"责任单位：{escape(row.responsible)}")
    return "；".join(parts) + "。"


def _clause(text: str) -> str:
    """Return a text somebody wrote as a part of a sentence: without its own full stop."""
    return escape(text.strip().rstrip("。；;."))


_WEIGHT = "权重"
_HEADS = ("阶段", _WEIGHT, "进展", "基准计划", "调整后", "实际完成", "偏差", "佐证材料", "认定",
          "依据")  # fmt: skip
_KINDS = {_WEIGHT: "number", "基准计划": "day", "调整后": "day", "实际完成": "day"}


def milestone_table(
    milestones: Sequence[MilestoneView],
    evidence: Mapping[int, Evidence],
    limits: LatenessLimits,
) -> str:
    """Return one plan's stages with plan, fact, evidence, accepter and version; totals below."""
    rows = "".join(_milestone_row(row, evidence, limits) for row in milestones)
    accepted = sum(row.weight_ratio for row in milestones if row.state is MilestoneState.COMPLETED)
    pending = sum(row.weight_ratio for row in milestones if _is_pending(row))
    note = f"另有 {percent(pending)} 已报待认定，不计入" if pending else ""
    heads = "".join(
        f"<th{' class=number' if name == _WEIGHT else ''}>{name}</th>" for name in _HEADS
    )
    return (
        '<div class="unit-scroll" id="milestones"><table class="unit-table stacked">'
        f"<thead><tr>{heads}</tr></thead><tbody>{rows}"
        f'<tr class="total"><td>已认定合计</td><td class="number">{percent(accepted)}</td>'
        f'<td colspan="8" class="quiet">{note}</td></tr></tbody></table></div>'
    )


def _is_pending(row: MilestoneView) -> bool:
    return row.pending_state == MilestoneState.COMPLETED and (
        row.state is not MilestoneState.COMPLETED
    )


def _milestone_row(
    row: MilestoneView, evidence: Mapping[int, Evidence], limits: LatenessLimits
) -> str:
    state = label(row.state)
    if row.pending_state:
        filed = f"（{row.pending_completed_on}）" if row.pending_completed_on else ""
        pending = label(MilestoneState(row.pending_state))
        state += f'<br><span class="quiet">已报“{pending}”{filed}，待认定</span>'
    cells = (
        f"{row.stage_order}　{escape(row.stage_name)}",
        percent(row.weight_ratio),
        f"{state}{_reason(row.skip_reason)}",
        _day(row.baseline_on),
        _day(row.replanned_on),
        _day(row.completed_on),
        _deviation(row, limits),
        _evidence_links(row, evidence),
        _accepter(row),
        _version_link(row),
    )
    drawn = "".join(
        f'<td class="{_KINDS.get(head, "")}" data-head="{head}"><div>{cell}</div></td>'
        for head, cell in zip(_HEADS, cells, strict=True)
    )
    return f"<tr{' class=pending' if row.pending_state else ''}>{drawn}</tr>"


def _day(day: date | None) -> str:
    return day.isoformat() if day else _NONE


def _reason(reason: str | None) -> str:
    return f'<br><span class="quiet">{escape(reason)}</span>' if reason else ""


def _deviation(row: MilestoneView, limits: LatenessLimits) -> str:
    """Return how the stage stands against its accepted baseline."""
    if row.state is MilestoneState.SKIPPED or row.baseline_on is None:
        return _NONE
    if row.state is not MilestoneState.COMPLETED or row.completed_on is None:
        days = row.late_days or 0
        return mark(lateness_of(days, limits), f"滞后 {days} 天") if days else _NONE
    days = (row.completed_on - row.baseline_on).days
    if days > 0:
        return f"迟 {days} 天完成"
    return f"提前 {-days} 天" if days else "如期"


def _evidence_links(row: MilestoneView, evidence: Mapping[int, Evidence]) -> str:
    found = [evidence[number] for number in row.evidence_ids if number in evidence]
    links = [
        f'<a href="/api/evidence/{one.evidence_id}" target="_blank"'
        f' title="{escape(one.file_name)}">{escape(one.item)}</a>'
        for one in found
    ]
    return "<br>".join(links) or _NONE


def _accepter(row: MilestoneView) -> str:
    if row.accepted_at is None:
        return _NONE
    return (
        f"{escape(row.accepted_by_name or '')}<br>"
        f'<span class="quiet">{row.accepted_at.astimezone(BEIJING):%Y-%m-%d %H:%M}</span>'
    )


def _version_link(row: MilestoneView) -> str:
    if row.import_source is not None:
        return f"历史导入：{escape(row.import_source)}"
    if row.submission_id is None:
        return _NONE
    return f'<a href="submission?id={row.submission_id}" target="_self">第 {row.version_no} 版</a>'


def other_plan_rows(milestones: Sequence[MilestoneView]) -> str:
    """Return the plans beside the headline one, counted apart, one row each."""
    plans: dict[int, list[MilestoneView]] = defaultdict(list)
    for row in milestones:
        if not row.is_headline:
            plans[row.plan_id].append(row)
    rows = "".join(_plan_row(stages) for stages in plans.values())
    return (
        '<div class="unit-scroll"><table class="unit-table"><thead><tr><th>规划</th><th>类型</th>'
        '<th class="number">阶段</th><th class="number">认定进度</th><th>最近完成</th>'
        '<th class="number">滞后（天）</th></tr></thead>'
        f"<tbody>{rows}</tbody></table></div>"
    )


def _plan_row(stages: Sequence[MilestoneView]) -> str:
    done = [row for row in stages if row.state is MilestoneState.COMPLETED]
    late = max((row.late_days or 0 for row in stages), default=0)
    return (
        f"<tr><td>{escape(stages[0].plan_name)}</td><td>{escape(stages[0].plan_type_name)}</td>"
        f'<td class="number">{len(done)} / {len(stages)}</td>'
        f'<td class="number">{percent(sum(row.weight_ratio for row in done))}</td>'
        f"<td>{escape(done[-1].stage_name) if done else _NONE}</td>"
        f'<td class="number">{late or _NONE}</td></tr>'
    )


def report_list(reports: Sequence[ReportHistory], form: Form, context: Context) -> str:
    """Return every report with its rounds folded under it; the newest stands open."""
    drawn = [
        f'<details class="unit-report"{" open" if number == 0 else ""}>'
        f"<summary>{_report_summary(report)}</summary>"
        f"{round_list(report.events, report.remarks, form, context)}</details>"
        for number, report in enumerate(reports)
    ]
    older = "".join(drawn[_RECENT:])
    folded = f"<details><summary>更早的 {len(drawn) - _RECENT} 期</summary>{older}</details>"
    return "".join(drawn[:_RECENT]) + (folded if older else "")


def _report_summary(report: ReportHistory) -> str:
    words = [
        f"<b>{escape(report.period_name)}</b>",
        label(report.state) + ("（本期无变化）" if report.no_change else ""),
        f"第 {report.version_no} 版",
    ]
    if report.round_no > 1:
        words.append(f"共 {report.round_no} 轮")
    if report.submitted_at:
        words.append(f"{moment(report.submitted_at)} 报送")
    if report.receipt_no:
        words.append(f"回执 {escape(report.receipt_no)}")
    words.append(f'<a href="submission?id={report.submission_id}" target="_self">查看填报</a>')
    return "".join(f"<span>{word}</span>" for word in words)
