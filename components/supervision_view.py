"""A reminder and a supervision item as cards, with the actions open to the actor."""

from collections.abc import Sequence
from datetime import date
from html import escape
from pathlib import Path
from typing import Literal

import streamlit as st

from components.labels import label
from components.sentences import day_text
from components.supervision import acknowledge_dialog, note_dialog
from data_access.reminders import Reminder
from data_access.supervision_items import SupervisionItem, SupervisionNote
from domain.access import Actor
from domain.clock import moment
from domain.supervision import ItemState, NoteKind, ReminderState, answers_for

_STYLES = Path(__file__).parents[1] / "assets" / "supervision.css"
_Color = Literal["red", "blue", "green", "violet", "gray"]
_REMINDER_COLORS: dict[ReminderState, _Color] = {
    ReminderState.WAITING: "blue",
    ReminderState.OVERDUE: "red",
    ReminderState.ESCALATED: "red",
    ReminderState.ANSWERED: "green",
}
_ITEM_COLORS: dict[ItemState, _Color] = {
    ItemState.OPEN: "blue",
    ItemState.ANSWERED: "violet",
    ItemState.CLOSED: "gray",
}
_ICONS = {
    NoteKind.FEEDBACK: ":material/reply:",
    NoteKind.COMMENT: ":material/comment:",
    NoteKind.REOPEN: ":material/undo:",
    NoteKind.CLOSE: ":material/task_alt:",
}


def load_styles() -> None:
    """Bring the styles of the unit page, supervision, inbox and periods into the page."""
    st.html(_STYLES)


def reminder_card(actor: Actor, reminder: Reminder, today: date, *, may_act: bool = True) -> None:
    """Draw a reminder with its reply; the unit it was sent to may answer."""
    state = reminder.state(today)
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.badge(label(state), color=_REMINDER_COLORS[state])
            st.markdown(f"**{reminder.division_name}** · {label(reminder.topic)}", width="content")
        st.html(reminder_history(reminder, today))
        if may_act and state is not ReminderState.ANSWERED:
            _answer_button(actor, reminder)


def _answer_button(actor: Actor, reminder: Reminder) -> None:
    key = f"acknowledge-open-{reminder.reminder_id}"
    if answers_for(actor, reminder.division_code) and st.button(
        "签收并回复", key=key, type="primary", icon=":material/reply:"
    ):
        acknowledge_dialog(actor, reminder)


def reminder_history(reminder: Reminder, today: date) -> str:
    """Return who sent it, what escalated, what was answered, in order."""
    steps = [
        history_step(
            reminder.message,
            f"{reminder.sent_by_name} · {moment(reminder.sent_at)} 发出 · 应于"
            f" {day_text(reminder.answer_due_on, today)}前回复",
        )
    ]
    if reminder.escalated_at:
        steps.append(
            history_step(
                "逾期未回复，已升级至上一级主管部门。", f"系统 · {moment(reminder.escalated_at)}"
            )
        )
    if reminder.acknowledged_at:
        answered = f"{reminder.acknowledged_by_name} · {moment(reminder.acknowledged_at)} 回复"
        steps.append(history_step(reminder.reply or "", answered, own=True))
    return f'<ul class="unit-history">{"".join(steps)}</ul>'


def history_step(text: str, by: str, *, own: bool = False) -> str:
    """Return one step of a history: what was written, and by whom; the unit's own stand out."""
    body = escape(text).replace("\n", "<br>")
    return f'<li{" class=own" if own else ""}>{body}<div class="by">{escape(by)}</div></li>'


def item_card(
    actor: Actor,
    item: SupervisionItem,
    notes: Sequence[SupervisionNote],
    today: date,
    *,
    may_act: bool = True,
) -> None:
    """Draw a supervision item with its history, and a button for each note open to the actor."""
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.badge(label(item.state), color=_ITEM_COLORS[item.state])
            if item.overdue(today):
                st.badge(f"超期 {(today - item.deadline_on).days} 天", color="red")
            st.markdown(f"**{item.division_name}** · {item.title}", width="content")
        st.html(item_history(item, notes, today))
        if may_act:
            _note_buttons(actor, item)


def item_history(item: SupervisionItem, notes: Sequence[SupervisionNote], today: date) -> str:
    """Return what was asked and everything written since, in order."""
    opened = (
        f"{item.opened_by_name} · {moment(item.opened_at)} 立项 · 责任人 {item.responsible}"
        f" · {day_text(item.deadline_on, today)}前办结"
    )
    steps = [history_step(item.requirement, opened)]
    for note in notes:
        by = f"{note.written_by_name} · {moment(note.written_at)} {label(note.kind)}"
        steps.append(history_step(note.body, by, own=note.kind is NoteKind.FEEDBACK))
    return f'<ul class="unit-history">{"".join(steps)}</ul>'


def _note_buttons(actor: Actor, item: SupervisionItem) -> None:
    kinds = item.notes_open_to(actor)
    if not kinds:
        return
    with st.container(horizontal=True, gap="small"):
        for kind in kinds:
            primary = kind in (NoteKind.FEEDBACK, NoteKind.CLOSE)
            if st.button(
                label(kind),
                key=f"note-open-{item.supervision_item_id}-{kind}",
                icon=_ICONS[kind],
                type="primary" if primary else "secondary",
            ):
                note_dialog(actor, item, kind)
