"""Reminders: sent, acknowledged with a reply, passed to the level above when left unanswered."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection

from data_access.inbox import IN_APP, Sender
from data_access.queries import load_queries
from data_access.rows import fetch_all
from data_access.supervision_desks import SUPERVISORS, Desk, Recipient, supervised_recipients
from domain.access import Actor
from domain.clock import month_day
from domain.errors import InvalidAction, NotFound, NotPermitted
from domain.supervision import (
    Notice,
    ReminderState,
    ReminderTopic,
    answers_for,
    escalation_role,
    reminder_state,
)

_SQL = load_queries("reminders")


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
    recipients = supervised_recipients(connection, actor, [order.division_code for order in orders])
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
        connection, _SQL["list_sender_desks"], Desk, reminder_id=reminder_id, roles=SUPERVISORS
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


def escalate_due(connection: Connection, today: date, sender: Sender = IN_APP) -> int:
    """Pass reminders left unanswered beyond their day to the level above; return how many."""
    escalated = fetch_all(connection, _SQL["escalate_due"], EscalatedReminder, today=today)
    sender.send(connection, [escalation_notice(each) for each in escalated])
    return len(escalated)


def escalation_notice(reminder: EscalatedReminder) -> Notice:
    """Return what the level above hears of a reminder that was left unanswered."""
    due = month_day(reminder.answer_due_on)
    return Notice(
        role=escalation_role(reminder.parent_level),
        division_code=reminder.parent_code,
        title=f"{reminder.division_name}逾期未回复催办",
        body=f"{reminder.division_name}未在{due}前回复省厅催办，现升级至贵单位，请督促其尽快回复。",
        link=f"supervision?reminder={reminder.reminder_id}",
        source_table="reminder",
        source_id=reminder.reminder_id,
    )
