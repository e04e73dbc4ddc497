"""What a filer's page shows around the form: where the report stands, which unit, other plans."""

from collections.abc import Sequence

import streamlit as st

from components.session import errors_shown
from components.supervision import action_button
from data_access import decisions, plans
from data_access.database import transaction
from data_access.filing import FilingUnit, WaitingStep
from data_access.plans import PlanType
from data_access.reporting import ReportingPeriod, Submission
from domain.access import Actor
from domain.clock import BEIJING, moment, month_day, now
from domain.workflow import SubmissionState


def filing_sentence(submission: Submission, waiting: WaitingStep | None) -> str:
    """Return what happened to the report, and what comes next, in Markdown."""
    report = f"{submission.division_name}{submission.period_name}{submission.form_title}"
    change = "（本期无变化）" if submission.no_change else ""
    if submission.state is SubmissionState.FILED:
        filed = moment(submission.filed_at) if submission.filed_at else ""
        return f"{report}{change}已于 {filed} 备案，回执编号 **{submission.receipt_no}**。"
    if submission.state is SubmissionState.SUBMITTED:
        sent = moment(submission.submitted_at) if submission.submitted_at else ""
        return f"已于 {sent} 提交{report}{change}，{_waiting_words(waiting)}。"
    due = _deadline_words(submission)
    if submission.state is SubmissionState.RETURNED:
        return f"{report}被退回，请按退回意见修改后重新提交，{due}。"
    if submission.standing_receipt_no:
        return (
            f"{report}的变更尚未提交；此前备案的内容（回执编号 "
            f"**{submission.standing_receipt_no}**）在变更备案之前仍然有效。"
        )
    return f"{report}尚未提交，{due}。"


def _waiting_words(waiting: WaitingStep | None) -> str:
    if waiting is None:
        return "等待审核"
    step = waiting.step_name
    # 设区市初审 of 南昌市 is 南昌市初审; a step of the province is named as it is.
    who = f"{waiting.reviewer_name}{step[-2:]}" if step.startswith("设区市") else step
    due = waiting.due_on
    return f"等待**{who}**" + (f"（预计 {month_day(due)}前）" if due else "")


def _deadline_words(submission: Submission) -> str:
    """Return the deadline in Beijing's time with the days that are left."""
    deadline = submission.deadline_at.astimezone(BEIJING)
    days = (deadline.date() - now().date()).days
    if deadline < now():
        return f"**截止时间 {moment(deadline)} 已过，请尽快提交**"
    left = "**今天截止**" if days == 0 else f"还有 **{days}** 天"
    return f"截止 {moment(deadline)}，{left}"


def period_chooser(periods: Sequence[ReportingPeriod]) -> ReportingPeriod:
    """Return the open period to file in: one of each form; ask where there are several forms."""
    offered = {period.form_code: period for period in periods}
    shown = offered.get(st.query_params.get("form", ""), periods[0])
    if len(periods) > 1:
        # By code: Streamlit takes a default that is a dataclass for the list of its fields.
        chosen = st.segmented_control(
            "填报表单", list(offered), default=shown.form_code,
            key=f"report-form-{shown.form_code}",
            format_func=lambda code: f"{offered[code].form_title} · {offered[code].name}",
            label_visibility="collapsed", required=True,
        )  # fmt: skip
        if chosen is not None and chosen != shown.form_code:
            st.query_params["form"] = chosen
            st.rerun()
    return shown


def reopen_button(actor: Actor, submission: Submission) -> None:
    """Offer to report a change of what was filed in this period."""
    if not st.button(
        "报送变更", key="report-reopen", help="本期备案后又有变化时使用，另走一轮审核"
    ):
        return
    with errors_shown():
        with transaction(actor, action="submission.reopen") as connection:
            decisions.reopen(connection, actor, submission.submission_id, submission.lock_version)
        st.rerun()


@st.dialog("放弃变更")
def abandon_dialog(actor: Actor, submission: Submission) -> None:
    """Ask once more before a change is given up."""
    st.markdown(
        f"此前备案的内容（回执编号 **{submission.standing_receipt_no}**）恢复为当前内容，"
        "本次变更的草稿不再报送。以后仍可再次报送变更。"
    )
    if action_button("放弃变更", "report-abandon-send"):
        with errors_shown():
            with transaction(actor, action="submission.abandon") as connection:
                decisions.abandon(
                    connection, actor, submission.submission_id, submission.lock_version
                )
            st.rerun()


def unit_chooser(units: Sequence[FilingUnit]) -> FilingUnit:
    """Return the unit to file for; ask where there are several."""
    if len(units) == 1:
        return units[0]
    asked = st.query_params.get("unit")
    codes = [unit.code for unit in units]
    chosen = st.selectbox(
        "填报单位",
        units,
        index=codes.index(asked) if asked in codes else 0,
        format_func=lambda unit: unit.name,
        key="report-unit",
        width=320,
    )
    st.query_params["unit"] = chosen.code
    return chosen


@st.dialog("申报其他规划")
def declare_dialog(actor: Actor, unit: FilingUnit, types: Sequence[PlanType]) -> None:
    """Ask for a plan's type and name, and declare it for the unit."""
    st.caption(f"{unit.name}另行组织编制的专项、详细或乡镇规划，在此申报后逐期填报进度。")
    chosen = st.selectbox(
        "规划类型", types, format_func=lambda item: item.name, key="report-declare-type"
    )
    name = st.text_input(
        "规划名称", key="report-declare-name", max_chars=60, placeholder="请填规划全称"
    )
    if not action_button("申报", "report-declare-send"):
        return
    if not name.strip():
        st.error("请填写规划名称。")
        return
    with errors_shown():
        with transaction(actor, action="plan.declare") as connection:
            plans.declare(connection, actor, unit.code, chosen.code, name)
        st.rerun()
