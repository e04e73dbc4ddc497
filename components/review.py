"""What a reviewer reads and answers: changes beside the accepted values, rounds, the decision."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from urllib.parse import parse_qsl

import streamlit as st

from components.labels import label
from components.links import page_path
from components.state_words import moment_text
from data_access import review_queue
from data_access.bulk_review import BulkDecision
from data_access.database import Connection
from data_access.reporting import Remark, ReviewEvent, Submission
from data_access.review_queue import Neighbours
from domain.access import Actor
from domain.clock import BEIJING
from domain.comparison import FieldPair
from domain.forms import Context, Form, Problem, Severity, label_of, split_path
from domain.review_filter import read_query
from domain.workflow import Move, ReviewAction

_WHOLE_REPORT = ""
# Where a report was opened from, by whether it was the desk of villages.
_QUEUES = {False: ("review_queue", "审核队列"), True: ("township_review", "村庄审核")}


@dataclass(frozen=True, slots=True)
class Decision:
    action: ReviewAction
    comment: str
    remarks: list[tuple[str, str]]
    """Field path and reason, of a return."""


def problem_summary(problems: Sequence[Problem]) -> str:
    """Return one line that counts what the checks found, '' when they found nothing."""
    counts = Counter(problem.severity for problem in problems)
    return "，".join(f"{counts[kind]} 项{label(kind)}" for kind in Severity if counts[kind])


def decision_form(
    submission: Submission, moves: Sequence[Move], labels: Mapping[str, str]
) -> Decision | None:
    """Draw the reviewer's form; return the decision in the run that sends it, else None.

    `labels` are the fields a reason may point at, path to words. The version is part of every
    key, so an answer belongs to the version it was given for.
    """
    key = f"submission-{submission.submission_id}-{submission.lock_version}"
    actions = [move.action for move in moves if move.action is not ReviewAction.WITHDRAW]
    action = st.radio(
        "审核结论", actions, format_func=label, horizontal=True, key=f"{key}-action", index=None
    )
    returning = action is ReviewAction.RETURN
    remarks = _remark_inputs(key, labels) if returning else []
    comment = st.text_area(
        "退回意见（必填）" if returning else "审核意见",
        key=f"{key}-comment",
        placeholder="请写明需要修改什么、依据是什么" if returning else "可不填",
    )
    sent = st.button("提交审核结论", type="primary", key=f"{key}-send", disabled=action is None)
    if not sent or action is None:
        return None
    return Decision(action, comment.strip(), remarks)


def _remark_inputs(key: str, labels: Mapping[str, str]) -> list[tuple[str, str]]:
    chosen = st.multiselect(
        "需要修改的填报项",
        list(labels),
        format_func=lambda path: labels[path],
        key=f"{key}-paths",
        placeholder="选择填报项，逐项写明理由",
    )
    remarks = [
        (path, st.text_input(f"“{labels[path]}”的退回理由", key=f"{key}-reason-{path}").strip())
        for path in chosen
    ]
    return [(path, reason) for path, reason in remarks if reason]


def round_list(
    events: Sequence[ReviewEvent],
    remarks: Sequence[Remark],
    form: Form,
    context: Context,
) -> str:
    """Return the decisions of every round as HTML, each return with its reasons and replies."""
    by_moment: dict[object, list[Remark]] = {}
    for remark in remarks:
        by_moment.setdefault(remark.happened_at, []).append(remark)
    items = "".join(
        _event_item(event, by_moment.get(event.happened_at, []), form, context) for event in events
    )
    return f'<ol class="portal-rounds">{items}</ol>'


def _event_item(event: ReviewEvent, remarks: Sequence[Remark], form: Form, context: Context) -> str:
    reasons = "".join(
        f"<li><b>{escape(_field_label(form, remark.field_path, context))}</b>："
        f"{escape(remark.reason)}{_reply(remark)}</li>"
        for remark in remarks
        if event.action is ReviewAction.RETURN
    )
    moment = f"{event.happened_at.astimezone(BEIJING):%Y-%m-%d %H:%M}"
    # What a return says in general is the reason for no field, and has its reply there.
    said_below = any(remark.field_path == _WHOLE_REPORT for remark in remarks)
    comment = f"<p>{escape(event.comment)}</p>" if event.comment and not said_below else ""
    return (
        f'<li class="portal-event-{event.action.value}"><span class="portal-event-head">'
        f"第 {event.round_no} 轮 · {escape(event.step_name)} · <b>{label(event.action)}</b>"
        f"（第 {event.version_no} 版）</span><span class='portal-event-by'>"
        f"{escape(event.user_name)} {moment}{_bulk(event)}</span>"
        f"{comment}{f'<ul>{reasons}</ul>' if reasons else ''}</li>"
    )


def _bulk(event: ReviewEvent) -> str:
    return f" · 批量办理（第 {event.bulk_decision_id} 批）" if event.bulk_decision_id else ""


def _reply(remark: Remark) -> str:
    if not remark.reply:
        return '<div class="portal-reply portal-missing">尚未答复</div>'
    return (
        f'<div class="portal-reply">答复（{escape(remark.replied_by_name or "")}）：'
        f"{escape(remark.reply)}</div>"
    )


def _field_label(form: Form, path: str, context: Context) -> str:
    return "总体意见" if path == _WHOLE_REPORT else label_of(form, path, context)


def reviewable_paths(form: Form, changes: Sequence[FieldPair], context: Context) -> dict[str, str]:
    """Return the fields a reason may point at: what changed first, then every field."""
    paths = {change.path: change.label for change in changes}
    for group in form.groups:
        for row in context.rows.get(group, ()) if group != "form" else ():
            for item in form.fields_of(group):
                path = f"{group}[{row.key}].{item.code}"
                paths.setdefault(path, label_of(form, path, context))
    return {path: words for path, words in paths.items() if split_path(path)}


_keys = st.components.v2.component(
    "review_keys",
    js=(Path(__file__).parents[1] / "assets" / "review_keys.js").read_text("utf-8"),
    isolate_styles=False,
)


def work_through(connection: Connection, actor: Actor, submission_id: int) -> Neighbours | None:
    """Return what stands beside the report in the queue it was opened from, where it stands."""
    query = st.query_params.get("from")
    if query is None:
        return None
    return review_queue.find_neighbours(connection, actor, read_query(query), submission_id)


def queue_links(neighbours: Neighbours | None) -> None:
    """Draw the way back to the queue, and to the reports before and after; with their keys."""
    query = st.query_params.get("from", "")
    with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        page, words = _QUEUES[read_query(query).desk]
        _link("queue", page, f"返回{words}", dict(parse_qsl(query)))
        if neighbours:
            st.caption(f"第 {neighbours.place:,} 份，共 {neighbours.waiting:,} 份", width="content")
            for name, words, number in (
                ("previous", "上一份", neighbours.previous_id),
                ("next", "下一份", neighbours.next_id),
            ):
                if number is not None:
                    _link(name, "submission", words, {"id": str(number), "from": query})
        with st.container(key="submission-help", width="content"):
            st.caption("快捷键按 ?", width="content")
    _keys(key="review-keys", height=1)


def go_on(neighbours: Neighbours | None) -> None:
    """Open the next report of the queue after a decision; the queue where there is none."""
    query = st.query_params.get("from", "")
    if neighbours and neighbours.next_id is not None:
        following = {"id": str(neighbours.next_id), "from": query}
        st.switch_page(page_path("submission"), query_params=following)
    page, _ = _QUEUES[read_query(query).desk]
    st.switch_page(page_path(page), query_params=dict(parse_qsl(query)))


def _link(name: str, page: str, words: str, query: Mapping[str, str]) -> None:
    with st.container(key=f"submission-{name}", width="content"):
        st.page_link(page_path(page), label=words, query_params=dict(query), width="content")


def warn_of_change(submission: Submission, events: Sequence[ReviewEvent]) -> None:
    """Say so when somebody has decided while an answer was being given: it was not sent.

    The keys of an answer carry the version it is for, so an older one is still there in this run.
    """
    answers = re.compile(rf"submission-{submission.submission_id}-(\d+)-action")
    older = [
        key
        for key, value in st.session_state.items()
        if value is not None
        and (found := answers.fullmatch(str(key)))
        and int(found[1]) != submission.lock_version
    ]
    if older and events:
        last = events[-1]
        st.warning(
            f"您打开之后，{last.user_name}已于 {moment_text(last.happened_at)}"
            f" {label(last.action)}本件。以下是最新的状态，您填写的结论没有提交，请核对。"
        )


def warn_of_pending(pending: BulkDecision | None) -> None:
    """Say so when the report waits in a bulk decision: a decision taken here comes first."""
    if pending is None:
        return
    st.info(
        f"{pending.user_name}已批量{label(pending.action)}本件"
        f"（第 {pending.bulk_decision_id} 批），"
        f"{pending.effect_at.astimezone(BEIJING):%H:%M:%S} 生效，此前可由办理人在审核队列中撤销。"
        "如在此另行审核，以此处的结论为准。"
    )
