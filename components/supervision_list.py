"""The lists of reminders and items: one sentence, filters kept in the address, a table."""

from collections.abc import Sequence
from datetime import date
from typing import Any, NoReturn, TypeVar

import streamlit as st

from components.labels import label
from components.url_parameters import choice_parameter, set_parameter
from data_access.reminders import Reminder
from data_access.supervision_items import SupervisionItem
from domain.clock import BEIJING
from domain.supervision import ItemState, ReminderState

ALL = "全部"
# What wants attention is told by a symbol too, not by a word among words.
_MARKS = {ReminderState.OVERDUE: "▲ ", ReminderState.ESCALATED: "■ "}
_URGENCY = (
    ReminderState.ESCALATED,
    ReminderState.OVERDUE,
    ReminderState.WAITING,
    ReminderState.ANSWERED,
)
_Listed = TypeVar("_Listed", Reminder, SupervisionItem)


def reminder_sentence(reminders: Sequence[Reminder], today: date) -> str:
    """Return how many reminders wait for an answer, how many beyond their day."""
    states = [reminder.state(today) for reminder in reminders]
    late = sum(state in (ReminderState.OVERDUE, ReminderState.ESCALATED) for state in states)
    waiting = late + states.count(ReminderState.WAITING)
    if not waiting:
        return f"**共 {len(states)} 件催办，均已回复。**" if states else "**没有催办。**"
    tail = f"，其中 **{late} 件逾期未回复**" if late else "，均在回复期限内"
    return f"**{waiting} 件催办待回复**{tail}；另有 {len(states) - waiting} 件已回复。"


def item_sentence(items: Sequence[SupervisionItem], today: date) -> str:
    """Return how many items are in hand, how many beyond their deadline."""
    in_hand = [item for item in items if item.state is not ItemState.CLOSED]
    late = sum(item.overdue(today) for item in in_hand)
    answered = sum(item.state is ItemState.ANSWERED for item in in_hand)
    if not in_hand:
        return f"**共 {len(items)} 件督办，均已销号。**" if items else "**没有督办事项。**"
    tail = f"，其中 **{late} 件超期**" if late else "，均在办结期限内"
    return (
        f"**{len(in_hand)} 件督办未销号**{tail}；{answered} 件已反馈待销号，"
        f"{len(items) - len(in_hand)} 件已销号。"
    )


def by_urgency(reminders: Sequence[Reminder], today: date) -> list[Reminder]:
    """Return the reminders with the unanswered ones first, the overdue before the others."""
    order = list(_URGENCY)
    return sorted(reminders, key=lambda reminder: order.index(reminder.state(today)))


def filter_bar(rows: Sequence[_Listed], states: Sequence[str], key: str) -> list[_Listed]:
    """Draw the filters by state, city and name; return the rows that pass. One click clears."""
    cities = sorted({row.parent_name for row in rows})
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        state = _choice("状态", "state", list(dict.fromkeys(states)), key)
        city = _choice("上级", "city", cities, key) if len(cities) > 1 else None
        name = _name(key)
        if (state or city or name) and st.button("清除筛选", key=f"supervision-clear-{key}"):
            for parameter in ("state", "city", "unit"):
                set_parameter(parameter, None)
            st.rerun()
    return [
        row
        for row, word in zip(rows, states, strict=True)
        if (state is None or word == state)
        and (city is None or row.parent_name == city)
        and (not name or name in row.division_name)
    ]


def _choice(caption: str, parameter: str, options: list[str], key: str) -> str | None:
    asked = choice_parameter(parameter, options)
    chosen = st.selectbox(
        caption,
        [ALL, *options],
        index=options.index(asked) + 1 if asked else 0,
        key=f"supervision-{key}-{parameter}-{asked}",
        width=160,
    )
    value = None if chosen == ALL else chosen
    if value != asked:
        _filter_again(parameter, value)
    return value


def _filter_again(parameter: str, value: str | None) -> NoReturn:
    """Put the filter into the address; what was opened before may not be in the list any more."""
    for name, now in ((parameter, value), ("reminder", None), ("item", None)):
        set_parameter(name, now)
    st.rerun()


def _name(key: str) -> str:
    asked = st.query_params.get("unit", "")[:20]
    typed = st.text_input(
        "单位名称", asked, key=f"supervision-{key}-name-{asked}", placeholder="如 安义", width=160
    )
    name = (typed or "").strip()
    if name != asked:
        _filter_again("unit", name)
    return name


def reminder_table(rows: Sequence[Reminder], today: date, opened: int | None) -> int | None:
    """Draw the reminders; return the id of the one whose row was chosen."""
    table = [
        {
            "状态": _MARKS.get(row.state(today), "") + label(row.state(today)),
            "单位": row.division_name,
            "上级": row.parent_name,
            "事由": label(row.topic),
            "发出": f"{row.sent_at.astimezone(BEIJING):%Y-%m-%d}",
            "应回复": row.answer_due_on.isoformat(),
            "回复": (
                f"{row.acknowledged_at.astimezone(BEIJING):%Y-%m-%d}"
                if row.acknowledged_at
                else "—"
            ),
            "发出人": row.sent_by_name,
        }
        for row in rows
    ]
    return _choose(table, [row.reminder_id for row in rows], opened, "reminders")


def item_table(rows: Sequence[SupervisionItem], today: date, opened: int | None) -> int | None:
    """Draw the items; return the id of the one whose row was chosen."""
    table = [
        {
            "状态": ("■ 超期 · " if row.overdue(today) else "") + label(row.state),
            "单位": row.division_name,
            "办结期限": row.deadline_on.isoformat(),
            "事项": row.title,
            "责任人": row.responsible,
            "上级": row.parent_name,
            "立项": f"{row.opened_at.astimezone(BEIJING):%Y-%m-%d}",
        }
        for row in rows
    ]
    return _choose(table, [row.supervision_item_id for row in rows], opened, "items")


def _choose(
    table: list[dict[str, Any]], ids: Sequence[int], opened: int | None, key: str
) -> int | None:
    position = ids.index(opened) if opened in ids else None
    chosen = st.dataframe(
        table,
        hide_index=True,
        on_select="rerun",
        selection_mode="single-row",
        selection_default={"selection": {"rows": [] if position is None else [position]}},
        key=f"supervision-{key}-{len(ids)}-{ids[0]}",
        height=min(38 + 35 * len(ids), 620),
        placeholder="—",
    )
    rows = chosen["selection"]["rows"]
    return ids[rows[0]] if rows and rows[0] < len(ids) else None
