"""填报详情: one report with its changes, versions, rounds and, for its reviewer, the decision."""

import streamlit as st

from components.labels import label
from components.links import page_path
from components.review import (
    change_table,
    decision_form,
    problem_summary,
    reviewable_paths,
    round_list,
)
from components.session import errors_shown, page_frame, require_actor
from components.state_words import state_sentence
from data_access import decisions, form_checks, reporting
from data_access.database import transaction
from data_access.forms import load_form
from domain.access import Role
from domain.forms import diff, mask
from domain.receipts import receipt_holds
from domain.workflow import ReviewAction

actor = require_actor(Role.LEADER, Role.PLAN_BUREAU, Role.CITY, Role.COUNTY)
number = st.query_params.get("id", "")
if not number.isdigit() or len(number) > 18:
    page_frame("填报详情")
    st.info("请从审核队列或单位详情打开一份填报。")
    st.stop()

with errors_shown(stop=True), transaction(actor, read_only=True) as connection:
    submission = reporting.get_submission(connection, int(number))
    form = load_form(connection, submission.form_code, submission.form_version)
    context = form_checks.form_context(connection, submission.form_code, submission.division_code)
    versions = reporting.list_versions(connection, submission.submission_id)
    before = reporting.previous_content(connection, submission.submission_id)
    events = reporting.list_events(connection, submission.submission_id)
    remarks = reporting.list_all_remarks(connection, submission.submission_id)
    moves = decisions.moves_of(connection, actor, submission)
    steps = reporting.load_workflow(
        connection, submission.form_code, submission.workflow_version
    ).steps_for(submission.level)
    problems = (
        form_checks.check_submission(
            connection,
            submission.form_code,
            submission.form_version,
            submission.division_code,
            versions[-1].content,
        )
        if versions
        else []
    )

page_frame(f"{submission.division_name} · {form.title} · {submission.period_name}")
st.markdown(state_sentence(submission, steps))
if not versions:
    st.info("该单位本期尚未报送，草稿只有填报单位可见。")
    st.stop()

if submission.receipt_no and submission.receipt_hash and submission.filed_at:
    holds = receipt_holds(
        submission.receipt_no,
        submission.receipt_hash,
        versions[-1].content,
        submission.filed_at,
    )
    if holds:
        st.caption(f"回执校验：一致（按备案内容重新计算，{submission.receipt_hash}）")
    else:
        st.error("回执校验：不一致，备案内容与回执不符，请联系信息中心核查审计日志。")

may_decide = any(move.action is ReviewAction.APPROVE for move in moves)
may_see_contact = may_decide or actor.has_role(Role.PLAN_BUREAU, Role.COUNTY, Role.CITY)
shown = versions[-1]
bases = {"上次认定": before} | {
    f"第 {version.version_no} 版（第 {version.round_no} 轮）": version.content
    for version in versions[:-1]
}
left, right = st.columns([2, 1], gap="large") if may_decide else (st.container(), None)
with left:
    basis = st.segmented_control(
        "对比", list(bases), default="上次认定", required=True, key=f"submission-{number}-basis"
    )
    changes = diff(
        form,
        mask(form, bases[basis or "上次认定"], may_see_contact=may_see_contact),
        mask(form, shown.content, may_see_contact=may_see_contact),
        context,
    )
    if findings := problem_summary(problems):
        st.warning(f"自动校验：{findings}，见各项说明。")
    if changes:
        st.markdown(f"**与“{basis}”相比，{len(changes)} 项不同**")
        st.html(change_table(changes, problems))
    else:
        st.info("与所选版本相比没有变化。")
    st.markdown("**审核记录**")
    st.html(round_list(events, remarks, form, context))
    st.caption(
        f"第 {shown.version_no} 版，表单第 {shown.form_version} 版，"
        f"规则第 {shown.rule_version} 版，代码表 {shown.code_version} 版，"
        f"流程第 {shown.workflow_version} 版；"
        f"内容校验值 {shown.content_sha256[:16]}…"
    )

if right is not None:
    with right:
        st.markdown("**审核**")
        decision = decision_form(submission, moves, reviewable_paths(form, changes, context))
        if decision is not None:
            with errors_shown():
                with transaction(actor, action=f"submission.{decision.action.value}") as connection:
                    decisions.review(
                        connection,
                        actor,
                        submission.submission_id,
                        submission.lock_version,
                        decision.action,
                        decision.comment,
                        decision.remarks,
                    )
                st.session_state["notice"] = (
                    f"已{label(decision.action)}{submission.division_name}"
                    f"{submission.period_name}{form.title}。"
                )
                st.switch_page(page_path("review_queue"))
