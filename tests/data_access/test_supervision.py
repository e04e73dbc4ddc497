"""Reminders, escalation, supervision items and the inbox, against PostGIS."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, timedelta

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from data_access import inbox, reminders, supervision_items
from data_access.database import transaction
from data_access.reminders import Dispatch, ReminderOrder
from data_access.supervision_items import ItemOrder
from domain.access import Actor, Grant, Role
from domain.clock import today
from domain.errors import InvalidAction, NotFound, NotPermitted, RuleViolation, StaleVersion
from domain.supervision import ItemState, NoteKind, ReminderState, ReminderTopic

ANYI, JINXIAN, NANCHANG, JIUJIANG = "360123", "360124", "360100", "360400"
LATE = ReminderTopic.LATE_MILESTONE


@dataclass
class People:
    leader: Actor
    bureau: Actor
    city: Actor
    county: Actor
    neighbour: Actor
    system: Actor


@pytest.fixture
def people(owner: psycopg.Connection) -> People:
    """One account for each role that supervision concerns, with its grant."""

    def actor(name: str, role: Role, code: str, prefix: str) -> Actor:
        row = owner.execute(
            "INSERT INTO account (username, display_name, password_hash) VALUES (%s, %s, '!')"
            " RETURNING user_id",
            (f"{name}.test", name),
        ).fetchone()
        owner.execute(
            "INSERT INTO account_grant (user_id, role, division_code, prefix, valid_from)"
            " VALUES (%s, %s, %s, %s, '2020-01-01')",
            (row[0], role, code, prefix),
        )
        return Actor(row[0], name, (Grant(role, code, prefix),))

    [(system_id,)] = owner.execute("SELECT user_id FROM account WHERE username = 'system'")
    return People(
        leader=actor("leader", Role.LEADER, "360000", "36"),
        bureau=actor("bureau", Role.PLAN_BUREAU, "360000", "36"),
        city=actor("city", Role.CITY, NANCHANG, "3601"),
        county=actor("county", Role.COUNTY, ANYI, "360123"),
        neighbour=actor("neighbour", Role.COUNTY, JINXIAN, "360124"),
        system=Actor(system_id, "系统", (Grant(Role.PLAN_BUREAU, "360000", "36"),)),
    )


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


def test_reminding_reaches_every_unit_and_leaves_one_trail_entry_each(people, owner):
    assert remind(people.leader, ANYI, JINXIAN, NANCHANG).sent == [NANCHANG, ANYI, JINXIAN]
    assert [titles(a) for a in (people.county, people.neighbour, people.city)] == [
        ["催办：进度滞后"]
    ] * 3
    trail = owner.execute(
        "SELECT division_code, action, user_id FROM row_change"
        " WHERE table_name = 'reminder' ORDER BY division_code"
    ).fetchall()
    assert trail == [
        (code, "reminder.send", people.leader.user_id) for code in (NANCHANG, ANYI, JINXIAN)
    ]
    assert owner.execute(
        "SELECT count(DISTINCT transaction_id) FROM row_change WHERE table_name = 'reminder'"
    ).fetchone() == (1,)


def test_answer_is_due_after_three_working_days(people, owner):
    with transaction(people.leader, read_only=True) as connection:
        # 2026-11-20 is a Friday.
        assert reminders.answer_due_on(connection, date(2026, 11, 20)) == date(2026, 11, 25)
    owner.execute("UPDATE portal_setting SET value = '5' WHERE name LIKE 'reminder_answer%'")
    with transaction(people.leader, read_only=True) as connection:
        assert reminders.answer_due_on(connection, date(2026, 11, 20)) == date(2026, 11, 27)


def test_unit_is_reminded_of_a_topic_once_a_day(people):
    remind(people.leader, ANYI)
    again = remind(people.bureau, ANYI, JINXIAN)
    assert (again.sent, again.already_today) == ([JINXIAN], [ANYI])
    assert remind(people.bureau, ANYI, topic=ReminderTopic.NOT_FILED).sent == [ANYI]
    assert len(titles(people.county)) == 2


def test_unit_is_reminded_of_each_forms_report_on_the_same_day(people):
    not_filed = ReminderTopic.NOT_FILED
    assert remind(people.bureau, ANYI, topic=not_filed).sent == [ANYI]
    assert remind(people.bureau, ANYI, topic=not_filed, form="compile_unit").sent == [ANYI]
    again = remind(people.leader, ANYI, topic=not_filed, form="compile_unit")
    assert again.already_today == [ANYI]


def test_unit_may_be_reminded_again_the_next_day(people, owner):
    remind(people.leader, ANYI)
    owner.execute("UPDATE reminder SET sent_at = sent_at - interval '1 day'")
    assert remind(people.leader, ANYI).sent == [ANYI]


def test_of_two_senders_at_once_one_reminds(people):
    with ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(lambda actor: remind(actor, ANYI), (people.leader, people.bureau)))
    assert sorted(len(each.sent) for each in outcomes) == [0, 1]
    assert len(titles(people.county)) == 1


@pytest.mark.parametrize("sender", ["city", "county"])
def test_units_do_not_remind_each_other(people, sender):
    with pytest.raises(NotPermitted):
        remind(getattr(people, sender), JINXIAN)


def test_database_itself_refuses_a_reminder_from_a_county(people):
    with pytest.raises(ProgrammingError), transaction(people.county) as connection:
        connection.execute(
            text(
                "INSERT INTO reminder (division_code, topic, message, sent_by, answer_due_on)"
                " VALUES (:code, 'other', '…', :user_id, current_date)"
            ),
            {"code": ANYI, "user_id": people.county.user_id},
        )


def test_unknown_unit_stops_the_whole_dispatch(people):
    with pytest.raises(NotFound):
        remind(people.leader, ANYI, "999999")
    assert titles(people.county) == []


def test_reply_closes_the_reminder_and_reaches_the_sender(people):
    remind(people.leader, ANYI)
    waiting = only_reminder(people.county)
    assert waiting.state(today()) is ReminderState.WAITING
    answer(people.county, waiting.reminder_id)
    answered = only_reminder(people.leader)
    assert (answered.state(today()), answered.reply, answered.acknowledged_by_name) == (
        ReminderState.ANSWERED,
        "已安排，月底前完成。",
        "county",
    )
    assert titles(people.leader) == ["安义县已回复催办"]
    assert titles(people.bureau) == []


def test_reminder_is_answered_by_the_unit_and_nobody_else(people):
    remind(people.leader, ANYI)
    reminder_id = only_reminder(people.county).reminder_id
    for other in (people.city, people.bureau):
        with pytest.raises(NotPermitted):
            answer(other, reminder_id)
    with pytest.raises(NotFound):
        answer(people.neighbour, reminder_id)


def test_second_answer_is_told_that_it_is_late(people):
    remind(people.leader, ANYI)
    reminder_id = only_reminder(people.county).reminder_id
    answer(people.county, reminder_id)
    with pytest.raises(InvalidAction):
        answer(people.county, reminder_id, "再次回复")
    assert only_reminder(people.county).reply == "已安排，月底前完成。"


def test_empty_reply_is_refused_by_the_schema(people):
    remind(people.leader, ANYI)
    with pytest.raises(RuleViolation) as caught:
        answer(people.county, only_reminder(people.county).reminder_id, "  ")
    assert caught.value.details == {"constraint": "reminder_acknowledged_with_reply"}


def test_unanswered_reminder_goes_to_the_city_once(people, owner):
    remind(people.leader, ANYI)
    due = only_reminder(people.leader).answer_due_on
    assert escalate(people.system, due) == 0
    assert escalate(people.system, due + timedelta(1)) == 1
    assert escalate(people.system, due + timedelta(2)) == 0
    assert titles(people.city) == ["安义县逾期未回复催办"]
    assert only_reminder(people.city).state(due) is ReminderState.ESCALATED
    [(user_id, action)] = owner.execute(
        "SELECT user_id, action FROM row_change"
        " WHERE table_name = 'reminder' AND operation = 'UPDATE'"
    ).fetchall()
    assert (user_id, action) == (people.system.user_id, "reminder.escalate")


def test_city_that_does_not_answer_goes_to_the_bureau(people):
    remind(people.leader, NANCHANG)
    due = only_reminder(people.leader).answer_due_on
    assert escalate(people.system, due + timedelta(1)) == 1
    assert titles(people.bureau) == ["南昌市逾期未回复催办"]


def test_answered_reminder_is_not_escalated(people):
    remind(people.leader, ANYI)
    reminder = only_reminder(people.leader)
    answer(people.county, reminder.reminder_id)
    assert escalate(people.system, reminder.answer_due_on + timedelta(30)) == 0


def test_escalated_reminder_can_still_be_answered(people):
    remind(people.leader, ANYI)
    reminder = only_reminder(people.leader)
    escalate(people.system, reminder.answer_due_on + timedelta(1))
    answer(people.county, reminder.reminder_id)
    assert only_reminder(people.leader).state(today()) is ReminderState.ANSWERED


def test_past_moment_shows_the_reminder_as_it_stood(people, owner):
    remind(people.leader, ANYI)
    owner.execute("UPDATE reminder SET sent_at = now() - interval '9 days'")
    answer(people.county, only_reminder(people.county).reminder_id)
    with transaction(people.leader, read_only=True) as connection:
        now = connection.execute(text("SELECT now()")).scalar_one()
        [then] = reminders.list_reminders(connection, moment=now - timedelta(days=3))
        assert (then.acknowledged_at, then.reply) == (None, None)
        assert reminders.list_reminders(connection, moment=now - timedelta(days=10)) == []


def test_item_runs_from_opening_over_feedback_and_reopening_to_its_close(people, owner):
    item_id = open_item(people.leader)
    write(people.county, item(people.county, item_id), NoteKind.FEEDBACK, "已公示")
    write(
        people.leader,
        item(people.leader, item_id),
        NoteKind.REOPEN,
        "缺公告",
        deadline_on=today() + timedelta(30),
    )
    reopened = item(people.leader, item_id)
    assert (reopened.state, reopened.deadline_on) == (ItemState.OPEN, today() + timedelta(30))
    write(people.county, reopened, NoteKind.FEEDBACK, "已补公告")
    write(people.bureau, item(people.bureau, item_id), NoteKind.CLOSE, "同意销号")
    closed = item(people.leader, item_id)
    assert (closed.state, closed.closed_by_name) == (ItemState.CLOSED, "bureau")
    with transaction(people.county, read_only=True) as connection:
        notes = supervision_items.list_notes(connection, [item_id])
    assert [note.kind for note in notes] == ["feedback", "reopen", "feedback", "close"]
    assert len(titles(people.county)) == 3
    assert len(titles(people.leader)) == 2
    actions = owner.execute(
        "SELECT DISTINCT action FROM row_change WHERE table_name LIKE 'supervision%' ORDER BY 1"
    ).fetchall()
    assert [action for (action,) in actions] == [
        f"supervision_item.{verb}" for verb in ("close", "feedback", "open", "reopen")
    ]


def test_somebody_elses_step_in_between_makes_the_page_old(people):
    opened = item(people.leader, open_item(people.leader))
    write(people.county, opened, NoteKind.FEEDBACK)
    with pytest.raises(StaleVersion):
        write(people.leader, opened, NoteKind.CLOSE)


def test_comment_makes_nobodys_page_old(people):
    opened = item(people.leader, open_item(people.leader))
    write(people.city, opened, NoteKind.COMMENT)
    write(people.leader, opened, NoteKind.CLOSE)


def test_of_two_closing_at_once_one_is_told_he_is_late(people):
    opened = item(people.leader, open_item(people.leader))

    def close(actor: Actor) -> str:
        try:
            write(actor, opened, NoteKind.CLOSE)
        except StaleVersion:
            return "late"
        return "closed"

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(close, (people.leader, people.bureau))) == ["closed", "late"]


def test_unit_neither_closes_its_item_nor_opens_one(people):
    opened = item(people.county, open_item(people.leader))
    with pytest.raises(NotPermitted):
        write(people.county, opened, NoteKind.CLOSE)
    with pytest.raises(NotPermitted):
        open_item(people.county)
    with pytest.raises(ProgrammingError), transaction(people.county) as connection:
        connection.execute(
            text(
                "UPDATE supervision_item SET state = 'closed', closed_at = now(), closed_by = :me"
            ),
            {"me": people.county.user_id},
        )


def test_neighbour_sees_neither_item_nor_reminder(people):
    item_id = open_item(people.leader)
    remind(people.leader, ANYI)
    with pytest.raises(NotFound):
        item(people.neighbour, item_id)
    with transaction(people.neighbour, read_only=True) as connection:
        assert reminders.list_reminders(connection) == []
        assert supervision_items.list_items(connection) == []
        assert supervision_items.list_notes(connection, [item_id]) == []


def test_closed_item_takes_no_feedback(people):
    opened = item(people.leader, open_item(people.leader))
    write(people.leader, opened, NoteKind.CLOSE)
    with pytest.raises(InvalidAction):
        write(people.county, item(people.county, opened.supervision_item_id), NoteKind.FEEDBACK)


def test_deadline_in_the_past_is_refused(people):
    with pytest.raises(RuleViolation) as caught:
        open_item(people.leader, deadline_on=today() - timedelta(1))
    assert caught.value.details == {"constraint": "supervision_item_deadline_after_opening"}
    assert titles(people.county) == []


def test_item_is_overdue_the_day_after_its_deadline(people):
    opened = item(people.leader, open_item(people.leader, deadline_on=today()))
    assert not opened.overdue(today())
    assert opened.overdue(today() + timedelta(1))


def test_past_moment_shows_the_item_as_it_stood(people, owner):
    item_id = open_item(people.leader)
    owner.execute("UPDATE supervision_item SET opened_at = now() - interval '9 days'")
    write(people.leader, item(people.leader, item_id), NoteKind.CLOSE)
    with transaction(people.leader, read_only=True) as connection:
        now = connection.execute(text("SELECT now()")).scalar_one()
        [then] = supervision_items.list_items(connection, moment=now - timedelta(days=3))
        assert (then.state, then.closed_at) == (ItemState.OPEN, None)


def test_reading_a_message_counts_for_its_reader_alone(people, owner):
    successor_id = owner.execute(
        "INSERT INTO account (username, display_name, password_hash)"
        " VALUES ('successor', '继任', '!') RETURNING user_id"
    ).fetchone()[0]
    successor = Actor(successor_id, "继任", people.county.grants)
    remind(people.leader, ANYI)
    assert (unread(people.county), unread(successor), unread(people.neighbour)) == (1, 1, 0)
    for _ in range(2):
        with transaction(people.county, action="inbox.read") as connection:
            [message] = inbox.list_messages(connection)
            inbox.mark_read(connection, people.county, [message.inbox_message_id])
    assert (unread(people.county), unread(successor)) == (0, 1)


def test_message_of_another_unit_cannot_be_marked(people, owner):
    remind(people.leader, ANYI)
    with transaction(people.county, read_only=True) as connection:
        [message] = inbox.list_messages(connection)
    with transaction(people.neighbour) as connection:
        inbox.mark_read(connection, people.neighbour, [message.inbox_message_id])
    assert owner.execute("SELECT count(*) FROM inbox_reading").fetchone() == (0,)
