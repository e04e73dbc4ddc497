"""填报详情: one report, two of its versions side by side and, for its reviewer, the decision."""

import streamlit as st

from components.comparison import choose, chosen_pairs, comparison_table, rows_sentence
from components.labels import label
from components.navigation import READERS
from components.review import (
    decision_form,
    go_on,
    problem_summary,
    queue_links,
    reviewable_paths,
    round_list,
    warn_of_change,
    warn_of_pending,
    work_through,
)
from components.session import errors_shown, page_frame, require_actor
from components.state_words import state_sentence
from components.township_review import village_notes
from components.village_map import where_lies
from data_access import bulk_review, comparison, decisions, form_checks, reporting
from data_access.database import transaction
from data_access.forms import load_form
from domain.comparison import by_row, compare, file_ids
from domain.form_texts import mask
from domain.receipts import receipt_holds
from domain.workflow import ReviewAction

actor = require_actor(*READERS)
number = st.query_params.get("id", "")
if not number.isdigit() or len(number) > 18:
    page_frame("填报详情")
    st.info("请从审核队列或单位详情打开一份填报。")
    st.stop()

with errors_shown(stop=True), transaction(actor, read_only=True) as connection:
    submission = reporting.get_submission(connection, int(number))
    form = load_form(connection, submission.form_code, submission.form_version)
    context = form_checks.form_context(
        connection, submission.form_code, submission.division_code, submission.starts_on
    )
    versions = reporting.list_versions(connection, submission.submission_id)
    newest = versions[-1] if versions else None
    sides = comparison.list_sides(connection, submission.submission_id)
    files = comparison.find_files(connection, file_ids(form, *(side.content for side in sides)))
    events = reporting.list_events(connection, submission.submission_id)
    remarks = reporting.list_all_remarks(connection, submission.submission_id)
    moves = decisions.moves_of(connection, actor, submission)
    pending = bulk_review.find_pending(connection, submission.submission_id)
    neighbours = work_through(connection, actor, submission.submission_id)
    steps = reporting.load_workflow(
        connection, submission.form_code, submission.workflow_version
    ).steps_for(submission.level)
    problems = (
        form_checks.check_filed(
            connection,
            load_form(connection, submission.form_code, newest.form_version, newest.rule_version),
            submission.submission_id,
            submission.division_code,
            newest.content,
            newest.submitted_at,
        )
        if newest
        else []
    )

page_frame(
    f"{submission.division_name} · {form.title} · {submission.period_name}",
    where_lies(submission.division_code, submission.parent_name),
)
if notice := st.session_state.pop("notice", None):
    st.success(notice)
may_decide = any(move.action is ReviewAction.APPROVE for move in moves)
if may_decide or neighbours:
    queue_links(neighbours)
st.markdown(state_sentence(submission, steps))
warn_of_change(submission, events)
warn_of_pending(pending)
if may_decide:
    village_notes(actor, submission)
if newest is None:
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

may_see_contact = may_decide or actor.may_see_contact(submission.prefix)
left, right = st.columns([2, 1], gap="large") if may_decide else (st.container(), None)
with left:
    chosen = choose(sides)
    before = mask(form, chosen.left.content, may_see_contact=may_see_contact)
    after = mask(form, chosen.right.content, may_see_contact=may_see_contact)
    pairs = compare(form, before, after, context, files)
    changed = [pair for pair in pairs if pair.change is not None]
    said = comparison.remarks_between(remarks, chosen.left, chosen.right)
    shown = versions[-1] if chosen.right is sides[-1] else None
    findings = problem_summary(problems) if shown else ""
    if findings:
        st.warning(f"自动校验：{findings}，见各项说明。")
    if shown is None:
        st.info("右侧不是最新的一版；审核结论针对最新的一版。")
    drawn = chosen_pairs(pairs, said, chosen.shown)
    by_rows = rows_sentence(by_row(pairs, before, after, context))
    st.markdown(
        f"**{len(changed)} 项不同**，所列 {len(drawn)} 项" + (f"。{by_rows}" if by_rows else "")
    )
    if drawn:
        rows = by_row(drawn, before, after, context)
        table = comparison_table(rows, said, problems if shown else [], chosen.left, chosen.right)
        st.html(table)
    else:
        st.info("没有符合所选显示方式的填报项。")
    st.markdown("**审核记录**")
    st.html(round_list(events, remarks, form, context))
    st.caption(
        f"第 {newest.version_no} 版，表单第 {newest.form_version} 版，"
        f"规则第 {newest.rule_version} 版，代码表 {newest.code_version} 版，"
        f"流程第 {newest.workflow_version} 版；"
        f"内容校验值 {newest.content_sha256[:16]}…"
    )

if right is not None:
    with right, st.container(key="submission-decision"):
        st.markdown("**审核**")
        decision = decision_form(submission, moves, reviewable_paths(form, changed, context))
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
                go_on(neighbours)
