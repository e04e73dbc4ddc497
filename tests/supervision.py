"""Reminders and supervision items as their people send, answer and read them."""

from dataclasses import dataclass
from datetime import date, timedelta

from data_access import inbox, reminders, supervision_items
from data_access.database import transaction
from data_access.reminders import Dispatch, ReminderOrder
from data_access.supervision_items import ItemOrder
from domain.access import Actor
from domain.clock import today
from domain.supervision import NoteKind, ReminderTopic

ANYI, JINXIAN, NANCHANG = "360123", "360124", "360100"
LATE = ReminderTopic.LATE_MILESTONE


@dataclass
class People:
    leader: Actor
    bureau: Actor
    city: Actor
    county: Actor
    neighbour: Actor
    system: Actor


def remind(
    actor: Actor, *codes: str, topic: ReminderTopic = LATE, form: str = "plan_progress"
) -> Dispatch:
    orders = [
        ReminderOrder(code, topic, form, "催办：进度滞后", f"{code}请尽快完成。") for code in codes
    ]
    with transaction(actor, action="reminder.send") as connection:
        return reminders.send_reminders(connection, actor, orders, today())


def only_reminder(actor: Actor) -> reminders.Reminder:
    with transaction(actor, read_only=True) as connection:
        [reminder] = reminders.list_reminders(connection)
    return reminder


def answer(actor: Actor, reminder_id: int, reply: str = "已安排，月底前完成。") -> None:
    with transaction(actor, action="reminder.acknowledge") as connection:
        reminders.acknowledge(connection, actor, reminder_id, reply, "安义县已回复催办")


def escalate(actor: Actor, day: date) -> int:
    with transaction(actor, action="reminder.escalate") as connection:
        return reminders.escalate_due(connection, day)


def titles(actor: Actor) -> list[str]:
    with transaction(actor, read_only=True) as connection:
        return [message.title for message in inbox.list_messages(connection)]


def unread(actor: Actor) -> int:
    with transaction(actor, read_only=True) as connection:
        return inbox.count_unread(connection)


def open_item(actor: Actor, code: str = ANYI, deadline_on: date | None = None) -> int:
    order = ItemOrder(
        code, "总体规划公示", "限期完成公示", "局长", deadline_on or today() + timedelta(14)
    )
    with transaction(actor, action="supervision_item.open") as connection:
        [item_id] = supervision_items.open_items(connection, actor, [order])
    return item_id


def item(actor: Actor, item_id: int) -> supervision_items.SupervisionItem:
    with transaction(actor, read_only=True) as connection:
        return supervision_items.get_item(connection, item_id)


def write(
    actor: Actor, opened: supervision_items.SupervisionItem, kind: NoteKind, body="说明", **kw
):
    with transaction(actor, action=f"supervision_item.{kind}") as connection:
        supervision_items.write_note(connection, actor, opened, kind, body, title="督办", **kw)
