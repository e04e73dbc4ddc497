"""What a reviewer reads and answers: changes beside the accepted values, rounds, the decision."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

import streamlit as st

from components.labels import label
from data_access.reporting import Remark, ReviewEvent, Submission
from domain.clock import BEIJING
from domain.forms import Change, Context, Form, Problem, Severity, label_of, split_path
from domain.workflow import Move, ReviewAction

_WHOLE_REPORT = ""


@dataclass(frozen=True, slots=True)
class Decision:
    action: ReviewAction
    comment: str
    remarks: list[tuple[str, str]]
    """Field path and reason, of a return."""


def change_table(changes: Sequence[Change], problems: Sequence[Problem] = ()) -> str:
    """Return the changes as an HTML table, evidence as links, warnings beside their field."""
    notes: dict[str, list[Problem]] = {}
    for problem in problems:
        notes.setdefault(problem.path, []).append(problem)
    rows = "".join(_change_row(change, notes.get(change.path, [])) for change in changes)
    return (
        '<div class="portal-scroll"><table class="portal-table"><thead><tr><th>填报项</th>'
        "<th>变化</th><th>上次认定</th><th>本次填报</th></tr></thead>"
        f"<tbody>{rows}</tbody></table></div>"
    )


def _change_row(change: Change, problems: Sequence[Problem]) -> str:
    notes = "".join(
        f'<div class="portal-note portal-{problem.severity.value}">{escape(problem.message)}</div>'
        for problem in problems
    )
    return (
        f"<tr><td>{escape(change.label)}</td><td>{label(change.kind)}</td>"
        f'<td class="portal-old">{_value(change.old, change.old_text)}</td>'
        f'<td class="portal-new">{_value(change.new, change.new_text)}{notes}</td></tr>'
    )


def _value(value: object, text: str) -> str:
    """Draw a value; a file is a link that opens it."""
    if not isinstance(value, dict):
        return escape(text).replace("\n", "<br>")
    return "<br>".join(
        f'<a href="/api/evidence/{int(number)}" target="_blank">{escape(str(item))}</a>'
        for item, number in value.items()
        if isinstance(number, int)
    )


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
        f"{escape(event.user_name)} {moment}</span>"
        f"{comment}{f'<ul>{reasons}</ul>' if reasons else ''}</li>"
    )


def _reply(remark: Remark) -> str:
    if not remark.reply:
        return '<div class="portal-reply portal-missing">尚未答复</div>'
    return (
        f'<div class="portal-reply">答复（{escape(remark.replied_by_name or "")}）：'
        f"{escape(remark.reply)}</div>"
    )


def _field_label(form: Form, path: str, context: Context) -> str:
    return "总体意见" if path == _WHOLE_REPORT else label_of(form, path, context)


def reviewable_paths(form: Form, changes: Sequence[Change], context: Context) -> dict[str, str]:
    """Return the fields a reason may point at: what changed first, then every field."""
    paths = {change.path: change.label for change in changes}
    for group in form.groups:
        for row in context.rows.get(group, ()) if group != "form" else ():
            for item in form.fields_of(group):
                path = f"{group}[{row.key}].{item.code}"
                paths.setdefault(path, label_of(form, path, context))
    return {path: words for path, words in paths.items() if split_path(path)}
