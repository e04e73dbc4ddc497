"""Reminders: sent once, answered by the unit, passed on when nobody answers."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from data_access import reminders
from data_access.database import transaction
from domain.clock import today
from domain.errors import InvalidAction, NotFound, NotPermitted, RuleViolation
from domain.supervision import ReminderState, ReminderTopic
from tests.supervision import (
    ANYI,
    JINXIAN,
    NANCHANG,
    answer,
    escalate,
    only_reminder,
    remind,
    titles,
)


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
