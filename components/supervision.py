"""The dialogs of supervision: remind, acknowledge, open an item, write on it, extend a deadline.

A dialog is opened by a button and never by a fragment that refreshes itself, so that what is
half typed stays. The outcome is shown in the dialog; closing it redraws the page.
"""

from collections.abc import Sequence
from datetime import date, timedelta

import streamlit as st

from components.labels import label
from components.sentences import (
    THIS_PROGRESS,
    day_text,
    names_text,
    reminder_fact,
    reminder_request,
)
from components.session import errors_shown
from data_access import periods, reminders, supervision_items
from data_access.database import transaction
from data_access.progress_form import FORM_CODE as PLAN_PROGRESS
from data_access.reminders import Reminder, ReminderOrder
from data_access.reporting import ReportingPeriod
from data_access.supervision_items import ItemOrder, SupervisionItem
from domain.access import Actor
from domain.clock import now, today
from domain.progress import UnitProgress
from domain.supervision import NoteKind, ReminderTopic, applies, may_supervise, topics_for

_OUTCOME = "supervision-outcome"
_ITEM_DAYS = 14


def may_remind(actor: Actor, units: Sequence[UnitProgress]) -> bool:
    """Tell whether the actor may remind all of these units."""
    return bool(units) and all(may_supervise(actor, unit.prefix) for unit in units)


def forget_outcome() -> None:
    """Let the next dialog begin afresh."""
    st.session_state.pop(_OUTCOME, None)


def outcome_shown() -> bool:
    """Show what the dialog did, if it has done it."""
    outcome = st.session_state.get(_OUTCOME)
    if outcome is None:
        return False
    (st.success if outcome.startswith("已") else st.info)(outcome)
    if action_button("关闭", "supervision-close"):
        forget_outcome()
        st.rerun()
    return True


def action_button(caption: str, key: str, *, disabled: bool = False) -> bool:
    """Draw a dialog's one action, at its bottom right."""
    with st.container(horizontal=True, horizontal_alignment="right"):
        return st.button(caption, key=key, type="primary", disabled=disabled)


def finish(outcome: str) -> None:
    """Show what the dialog did in its place."""
    st.session_state[_OUTCOME] = outcome
    st.rerun(scope="fragment")


@st.dialog("催办", width="medium", on_dismiss=forget_outcome)
def remind_dialog(
    actor: Actor,
    units: Sequence[UnitProgress],
    topic: ReminderTopic | None = None,
    report: str = THIS_PROGRESS,
    form_code: str = PLAN_PROGRESS,
) -> None:
    """Let the actor remind one or many units; the message is prefilled from their data.

    `topic` is chosen to begin with, where it applies to one of them; else the gravest. `report`
    names the form and period that the units' states and deadlines are of, `form_code` that form.
    """
    if outcome_shown():
        return
    with transaction(actor, read_only=True) as connection:
        due = reminders.answer_due_on(connection, today())
    topics = topics_for(units)
    if report != THIS_PROGRESS:  # late stages are no matter of one report
        topics = [each for each in topics if each is not ReminderTopic.LATE_MILESTONE]
    topic = st.radio(
        "事由",
        topics,
        topics.index(topic) if topic in topics else 0,
        format_func=label,
        horizontal=True,
        key="remind-topic",
    )
    chosen = [unit for unit in units if applies(topic, unit)]
    st.markdown(f"**发送至** {names_text([unit.name for unit in chosen], 8)}")
    if len(chosen) < len(units):
        left_out = len(units) - len(chosen)
        st.caption(f"另有 {left_out} 个单位没有“{label(topic)}”的情况，本次不发送。")
    orders = _reminder_orders(chosen, topic, due, report, form_code)
    st.caption(f"应于 {day_text(due, today())}前回复；逾期未回复，自动升级至上一级主管部门。")
    empty = any(not order.message.strip() for order in orders)
    if action_button("发送催办", "remind-send", disabled=empty or not orders):
        _send(actor, chosen, orders)


def _reminder_orders(
    units: Sequence[UnitProgress], topic: ReminderTopic, due: date, report: str, form_code: str
) -> list[ReminderOrder]:
    """Draw the message, whole for one unit, the common part for many; return what to send."""
    request = reminder_request(topic, due, today())
    facts = [reminder_fact(unit, topic, now(), report) for unit in units]
    single = len(units) == 1
    text = st.text_area(
        "催办内容" if single else "统一要求（附在各单位情况之后）",
        f"{facts[0]}{request}" if single else request,
        height=120,
        max_chars=1000,
        key=f"remind-text-{topic}-{units[0].code if single else len(units)}",
    )
    if not single and any(facts):
        with st.container(height=180, border=True):
            st.markdown("\n".join(f"- {fact}" for fact in facts))
    title = f"催办：{label(topic)}"
    body = text or ""
    return [
        ReminderOrder(unit.code, topic, form_code, title, body if single else f"{fact}{body}")
        for unit, fact in zip(units, facts, strict=True)
    ]


def _send(actor: Actor, units: Sequence[UnitProgress], orders: Sequence[ReminderOrder]) -> None:
    names = {unit.code: unit.name for unit in units}
    with errors_shown():
        with transaction(actor, action="reminder.send") as connection:
            dispatch = reminders.send_reminders(connection, actor, orders, today())
        finish(_dispatch_text(dispatch, names))


def _dispatch_text(dispatch: reminders.Dispatch, names: dict[str, str]) -> str:
    sent = [names[code] for code in dispatch.sent]
    again = [names[code] for code in dispatch.already_today]
    parts = [f"已向{names_text(sent)}发出催办，等待签收回复。"] if sent else []
    if again:
        parts.append(f"{names_text(again)}今日已就同一事由催办过，未重复发送。")
    return "".join(parts)


@st.dialog("签收并回复", on_dismiss=forget_outcome)
def acknowledge_dialog(actor: Actor, reminder: Reminder) -> None:
    """Let the unit acknowledge a reminder with its reply."""
    if outcome_shown():
        return
    st.markdown(f"> {reminder.message}")
    reply = st.text_area(
        "回复",
        height=140,
        max_chars=1000,
        placeholder="原因、整改措施、预计完成日期",
        key=f"acknowledge-{reminder.reminder_id}",
    )
    if action_button("签收并回复", "acknowledge-send"):
        with errors_shown():
            with transaction(actor, action="reminder.acknowledge") as connection:
                reminders.acknowledge(
                    connection,
                    actor,
                    reminder.reminder_id,
                    reply or "",
                    f"{reminder.division_name}已回复催办（{label(reminder.topic)}）",
                )
            finish("已签收并回复，催办单位将收到您的回复。")


@st.dialog("督办立项", width="medium", on_dismiss=forget_outcome)
def item_dialog(actor: Actor, units: Sequence[UnitProgress]) -> None:
    """Let the actor open a supervision item for each of the units."""
    if outcome_shown():
        return
    key = units[0].code if len(units) == 1 else str(len(units))
    st.markdown(f"**责任单位** {names_text([unit.name for unit in units], 8)}")
    title = st.text_input("事项", _item_title(units), max_chars=100, key=f"item-title-{key}")
    facts = "".join(reminder_fact(unit, topics_for([unit])[0], now()) for unit in units[:1])
    requirement = st.text_area(
        "要求",
        f"{facts if len(units) == 1 else ''}请制定整改计划，明确节点，按期办结并反馈。",
        height=110,
        max_chars=1000,
        key=f"item-requirement-{key}",
    )
    left, right = st.columns(2)
    default = units[0].responsible_name if len(units) == 1 else ""
    responsible = left.text_input(
        "责任人", default or "分管负责人", max_chars=60, key=f"item-responsible-{key}"
    )
    deadline = right.date_input(
        "办结期限", today() + timedelta(days=_ITEM_DAYS), format="YYYY-MM-DD", key=f"item-due-{key}"
    )
    if action_button("立项督办", "item-open"):
        orders = [
            ItemOrder(unit.code, title or "", requirement or "", responsible or "", deadline)
            for unit in units
        ]
        _open(actor, units, orders)


def _item_title(units: Sequence[UnitProgress]) -> str:
    stages = {unit.late_stage_name for unit in units if unit.late_days > 0}
    return f"总体规划“{stages.pop()}”阶段滞后整改" if len(stages) == 1 else "总体规划编制进度整改"


def _open(actor: Actor, units: Sequence[UnitProgress], orders: Sequence[ItemOrder]) -> None:
    with errors_shown():
        with transaction(actor, action="supervision_item.open") as connection:
            supervision_items.open_items(connection, actor, orders)
        due = day_text(orders[0].deadline_on, today())
        finish(f"已对{names_text([unit.name for unit in units])}立项督办，{due}前办结。")


_NOTE_HELP = {
    NoteKind.FEEDBACK: "说明办理情况、完成时间和佐证。",
    NoteKind.COMMENT: "责任单位会收到这条意见。",
    NoteKind.REOPEN: "说明还缺什么，可以给出新的办结期限。",
    NoteKind.CLOSE: "写明销号依据。",
}


@st.dialog("督办办理", on_dismiss=forget_outcome)
def note_dialog(actor: Actor, item: SupervisionItem, kind: NoteKind) -> None:
    """Let the actor write feedback, a comment, a return or the closing of an item."""
    if outcome_shown():
        return
    st.markdown(f"**{label(kind)}** · {item.division_name} · {item.title}")
    version = f"{item.supervision_item_id}-{item.lock_version}-{kind}"
    body = st.text_area(
        "内容", height=130, max_chars=1000, placeholder=_NOTE_HELP[kind], key=f"note-{version}"
    )
    deadline = None
    if kind is NoteKind.REOPEN:
        deadline = st.date_input(
            "办结期限",
            max(item.deadline_on, today()),
            format="YYYY-MM-DD",
            key=f"note-due-{version}",
        )
    if action_button(label(kind), "note-send"):
        _write(actor, item, kind, body or "", deadline)


def _write(
    actor: Actor, item: SupervisionItem, kind: NoteKind, body: str, deadline: date | None
) -> None:
    with errors_shown():
        with transaction(actor, action=f"supervision_item.{kind}") as connection:
            supervision_items.write_note(
                connection,
                actor,
                item,
                kind,
                body,
                title=f"督办{label(kind)}：{item.title}（{item.division_name}）",
                deadline_on=deadline,
            )
        reached = "立项单位" if kind is NoteKind.FEEDBACK else item.division_name
        finish(f"已记录{label(kind)}，{reached}将收到消息。")


@st.dialog("延长报送期限", on_dismiss=forget_outcome)
def extend_dialog(actor: Actor, period: ReportingPeriod, units: Sequence[tuple[str, str]]) -> None:
    """Let the actor extend the deadline of units, given as (code, name), with a reason."""
    if outcome_shown():
        return
    names = [name for _, name in units]
    st.markdown(f"**{period.name}** · {names_text(names, 8)}")
    later = max(period.deadline_at.date(), today()) + timedelta(days=5)
    deadline = st.date_input("延至（含当日）", later, format="YYYY-MM-DD", key="extend-due")
    reason = st.text_area("理由", height=100, max_chars=300, key="extend-reason")
    if action_button("批准延期", "extend-send"):
        due = day_text(deadline, today())
        with errors_shown():
            with transaction(actor, action="period_extension.grant") as connection:
                periods.extend(
                    connection,
                    actor,
                    period.period_id,
                    [code for code, _ in units],
                    deadline,
                    reason or "",
                    title=f"{period.name}报送期限延至 {due}",
                    body=f"经批准，{period.name}报送期限延至 {due}。理由：{(reason or '').strip()}",
                )
            finish(f"已将{names_text(names)}的{period.name}报送期限延至 {due}，并已通知。")
