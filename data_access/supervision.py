"""Reminders and supervision items: sending, answering, escalating, closing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection

from data_access.inbox import IN_APP, Sender
from data_access.queries import load_queries
from data_access.rows import fetch_all, fetch_one
from domain.access import Actor, Role
from domain.errors import InvalidAction, NotFound, NotPermitted, StaleVersion
from domain.supervision import (
    SUPERVISING_ROLES,
    ItemState,
    NoteKind,
    Notice,
    ReminderState,
    ReminderTopic,
    answers_for,
    escalation_role,
    is_overdue,
    may_supervise,
    next_item_state,
    open_notes,
    reminder_state,
    unit_role,
)

_SQL = load_queries("supervision")


@dataclass(frozen=True, slots=True)
class Recipient:
    """A division as a message finds it."""

    code: str
    name: str
    level: str
    prefix: str

    @property
    def role(self) -> Role:
        return unit_role(self.level)


@dataclass(frozen=True, slots=True)
class ReminderOrder:
    """What is to be sent to one unit."""

    division_code: str
    topic: ReminderTopic
    form_code: str
    title: str
    message: str


@dataclass(frozen=True, slots=True)
class SentReminder:
    reminder_id: int
    division_code: str
    topic: ReminderTopic


@dataclass(frozen=True, slots=True)
class Dispatch:
    """The outcome of sending: units reached, and units already reminded of the topic today."""

    sent: list[str]
    already_today: list[str]


@dataclass(frozen=True, slots=True)
class Reminder:
    reminder_id: int
    division_code: str
    division_name: str
    parent_name: str
    prefix: str
    topic: ReminderTopic
    message: str
    sent_by_name: str
    sent_at: datetime
    answer_due_on: date
    acknowledged_by_name: str | None
    acknowledged_at: datetime | None
    reply: str | None
    escalated_at: datetime | None

    def state(self, today: date) -> ReminderState:
        return reminder_state(self.answer_due_on, self.acknowledged_at, self.escalated_at, today)


@dataclass(frozen=True, slots=True)
class EscalatedReminder:
    reminder_id: int
    division_code: str
    division_name: str
    answer_due_on: date
    parent_code: str
    parent_level: str


@dataclass(frozen=True, slots=True)
class ItemOrder:
    """A supervision item to be opened for one unit."""

    division_code: str
    title: str
    requirement: str
    responsible: str
    deadline_on: date


@dataclass(frozen=True, slots=True)
class SupervisionItem:
    supervision_item_id: int
    division_code: str
    division_name: str
    parent_name: str
    prefix: str
    title: str
    requirement: str
    responsible: str
    deadline_on: date
    state: ItemState
    lock_version: int
    opened_by: int
    opened_by_name: str
    opened_at: datetime
    closed_by_name: str | None
    closed_at: datetime | None

    def overdue(self, today: date) -> bool:
        return is_overdue(self.state, self.deadline_on, today)

    def notes_open_to(self, actor: Actor) -> list[NoteKind]:
        return open_notes(self.state, actor, self.division_code, self.prefix)


@dataclass(frozen=True, slots=True)
class SupervisionNote:
    supervision_note_id: int
    supervision_item_id: int
    kind: NoteKind
    body: str
    written_by_name: str
    written_at: datetime


@dataclass(frozen=True, slots=True)
class _Id:
    id: int


@dataclass(frozen=True, slots=True)
class _Desk:
    """A role on a division that hears of what it asked for."""

    role: Role
    division_code: str


def get_recipients(connection: Connection, codes: Sequence[str]) -> list[Recipient]:
    """Return the divisions; raise NotFound when one of the codes is not in force."""
    found = fetch_all(connection, _SQL["list_recipients"], Recipient, codes=list(codes))
    for code in set(codes) - {each.code for each in found}:
        raise NotFound(code=code)
    return found


def answer_due_on(connection: Connection, today: date) -> date:
    """Return the day by which a reminder sent today is to be answered (working days)."""
    due: date = connection.execute(_SQL["answer_due_on"], {"today": today}).scalar_one()
    return due


def send_reminders(
    connection: Connection,
    actor: Actor,
    orders: Sequence[ReminderOrder],
    today: date,
    sender: Sender = IN_APP,
) -> Dispatch:
    """Remind every unit in one go; a unit reminded today of the topic, for the same form,
    is left alone and named.
    """
    recipients = _supervised(connection, actor, [order.division_code for order in orders])
    sent = fetch_all(
        connection,
        _SQL["insert_reminders"],
        SentReminder,
        codes=[order.division_code for order in orders],
        topics=[order.topic for order in orders],
        form_codes=[order.form_code for order in orders],
        messages=[order.message for order in orders],
        sent_by=actor.user_id,
        answer_due_on=answer_due_on(connection, today),
    )
    by_code = {order.division_code: order for order in orders}
    sender.send(
        connection,
        [_reminder_notice(each, by_code[each.division_code], recipients) for each in sent],
    )
    reached = {each.division_code for each in sent}
    return Dispatch(
        sent=[code for code in recipients if code in reached],
        already_today=[code for code in recipients if code not in reached],
    )


def _supervised(connection: Connection, actor: Actor, codes: Sequence[str]) -> dict[str, Recipient]:
    """Return the recipients by code; raise NotPermitted for one the actor does not supervise."""
    recipients = get_recipients(connection, codes)
    for recipient in recipients:
        if not may_supervise(actor, recipient.prefix):
            raise NotPermitted(code=recipient.code)
    return {recipient.code: recipient for recipient in recipients}


def _reminder_notice(
    sent: SentReminder, order: ReminderOrder, recipients: dict[str, Recipient]
) -> Notice:
    return Notice(
        role=recipients[sent.division_code].role,
        division_code=sent.division_code,
        title=order.title,
        body=order.message,
        link=f"supervision?reminder={sent.reminder_id}",
        source_table="reminder",
        source_id=sent.reminder_id,
    )


def list_reminders(
    connection: Connection,
    *,
    division_code: str | None = None,
    reminder_id: int | None = None,
    moment: datetime | None = None,
    limit: int = 1000,
) -> list[Reminder]:
    """Return the reminders in the actor's scope, newest first, as they stood at the moment."""
    return fetch_all(
        connection,
        _SQL["list_reminders"],
        Reminder,
        division_code=division_code,
        reminder_id=reminder_id,
        moment=moment,
        limit=limit,
    )


def get_reminder(connection: Connection, reminder_id: int) -> Reminder:
    """Return one reminder; raise NotFound outside the actor's scope."""
    for reminder in list_reminders(connection, reminder_id=reminder_id):
        return reminder
    raise NotFound(reminder_id=reminder_id)


def acknowledge(
    connection: Connection,
    actor: Actor,
    reminder_id: int,
    reply: str,
    title: str,
    sender: Sender = IN_APP,
) -> None:
    """Acknowledge a reminder with a reply, for the unit; tell who sent it, under `title`.

    Raises NotPermitted for anybody but the unit, InvalidAction when it was answered before.
    """
    reminder = get_reminder(connection, reminder_id)
    if not answers_for(actor, reminder.division_code):
        raise NotPermitted(reminder_id=reminder_id)
    saved = connection.execute(
        _SQL["acknowledge"],
        {"reminder_id": reminder_id, "user_id": actor.user_id, "reply": reply.strip()},
    ).rowcount
    if not saved:
        raise InvalidAction(reminder_id=reminder_id)
    desks = fetch_all(
        connection, _SQL["list_sender_desks"], _Desk, reminder_id=reminder_id, roles=_ROLES
    )
    sender.send(
        connection,
        [
            Notice(
                role=desk.role,
                division_code=desk.division_code,
                title=title,
                body=reply.strip(),
                link=f"supervision?reminder={reminder_id}",
                source_table="reminder",
                source_id=reminder_id,
            )
            for desk in desks
        ],
    )


_ROLES = [role.value for role in SUPERVISING_ROLES]


def escalate_due(connection: Connection, today: date, sender: Sender = IN_APP) -> int:
    """Pass reminders left unanswered beyond their day to the level above; return how many."""
    escalated = fetch_all(connection, _SQL["escalate_due"], EscalatedReminder, today=today)
    sender.send(connection, [escalation_notice(each) for each in escalated])
    return len(escalated)


def escalation_notice(reminder: EscalatedReminder) -> Notice:
    """Return what the level above hears of a reminder that was left unanswered."""
    due = f"{reminder.answer_due_on.month}月{reminder.answer_due_on.day}日"
    return Notice(
        role=escalation_role(reminder.parent_level),
        division_code=reminder.parent_code,
        title=f"{reminder.division_name}逾期未回复催办",
        body=f"{reminder.division_name}未在{due}前回复省厅催办，现升级至贵单位，请督促其尽快回复。",
        link=f"supervision?reminder={reminder.reminder_id}",
        source_table="reminder",
        source_id=reminder.reminder_id,
    )


def open_items(
    connection: Connection,
    actor: Actor,
    orders: Sequence[ItemOrder],
    sender: Sender = IN_APP,
) -> list[int]:
    """Open a supervision item for each order and tell the units; return the items' ids."""
    recipients = _supervised(connection, actor, [order.division_code for order in orders])
    ids: list[int] = []
    notices: list[Notice] = []
    for order in orders:
        item_id = _insert_item(connection, actor, order)
        ids.append(item_id)
        notices.append(
            Notice(
                role=recipients[order.division_code].role,
                division_code=order.division_code,
                title=f"督办：{order.title.strip()}",
                body=order.requirement.strip(),
                link=f"supervision?item={item_id}",
                source_table="supervision_item",
                source_id=item_id,
            )
        )
    sender.send(connection, notices)
    return ids


def _insert_item(connection: Connection, actor: Actor, order: ItemOrder) -> int:
    saved = fetch_one(
        connection,
        _SQL["insert_item"],
        _Id,
        division_code=order.division_code,
        title=order.title.strip(),
        requirement=order.requirement.strip(),
        responsible=order.responsible.strip(),
        deadline_on=order.deadline_on,
        opened_by=actor.user_id,
    )
    assert saved is not None
    return saved.id


def list_items(
    connection: Connection,
    *,
    division_code: str | None = None,
    item_id: int | None = None,
    moment: datetime | None = None,
) -> list[SupervisionItem]:
    """Return the items in the actor's scope as they stood at the moment, earliest due first."""
    return fetch_all(
        connection,
        _SQL["list_items"],
        SupervisionItem,
        division_code=division_code,
        item_id=item_id,
        moment=moment,
    )


def get_item(connection: Connection, item_id: int) -> SupervisionItem:
    """Return one item; raise NotFound outside the actor's scope."""
    for item in list_items(connection, item_id=item_id):
        return item
    raise NotFound(item_id=item_id)


def list_notes(connection: Connection, item_ids: Sequence[int]) -> list[SupervisionNote]:
    """Return what was written on the items, oldest first."""
    return fetch_all(connection, _SQL["list_notes"], SupervisionNote, item_ids=list(item_ids))


def write_note(
    connection: Connection,
    actor: Actor,
    opened: SupervisionItem,
    kind: NoteKind,
    body: str,
    *,
    title: str,
    deadline_on: date | None = None,
    sender: Sender = IN_APP,
) -> None:
    """Write on the item the actor opened, move its state, and tell the other side.

    `deadline_on` sets a new deadline when the item is sent back. Raises StaleVersion when somebody
    was faster, NotPermitted and InvalidAction as domain.supervision.next_item_state.
    """
    current = get_item(connection, opened.supervision_item_id)
    if current.lock_version != opened.lock_version:
        raise StaleVersion(item_id=opened.supervision_item_id)
    state = next_item_state(current.state, kind, actor, current.division_code, current.prefix)
    _insert_note(connection, actor, current, kind, body.strip())
    moved = connection.execute(
        _SQL["move_item"],
        {
            "item_id": current.supervision_item_id,
            "lock_version": current.lock_version,
            "state": state,
            "version_step": 0 if kind is NoteKind.COMMENT else 1,
            "closed_by": actor.user_id if state is ItemState.CLOSED else None,
            "deadline_on": deadline_on,
        },
    ).rowcount
    if not moved:
        raise StaleVersion(item_id=current.supervision_item_id)
    sender.send(connection, _note_notices(connection, current, kind, title, body.strip()))


def _insert_note(
    connection: Connection, actor: Actor, item: SupervisionItem, kind: NoteKind, body: str
) -> None:
    connection.execute(
        _SQL["insert_note"],
        {
            "item_id": item.supervision_item_id,
            "division_code": item.division_code,
            "kind": kind,
            "body": body,
            "user_id": actor.user_id,
        },
    )


def _note_notices(
    connection: Connection, item: SupervisionItem, kind: NoteKind, title: str, body: str
) -> list[Notice]:
    """The unit's feedback goes to who opened the item; everything else to the unit."""
    desks = (
        fetch_all(
            connection,
            _SQL["list_opener_desks"],
            _Desk,
            item_id=item.supervision_item_id,
            roles=_ROLES,
        )
        if kind is NoteKind.FEEDBACK
        else [
            _Desk(each.role, each.code) for each in get_recipients(connection, [item.division_code])
        ]
    )
    return [
        Notice(
            role=desk.role,
            division_code=desk.division_code,
            title=title,
            body=body,
            link=f"supervision?item={item.supervision_item_id}",
            source_table="supervision_item",
            source_id=item.supervision_item_id,
        )
        for desk in desks
    ]
