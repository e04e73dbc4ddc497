"""Supervision items from their opening to their close."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from data_access import reminders, supervision_items
from data_access.database import transaction
from domain.access import Actor
from domain.clock import today
from domain.errors import InvalidAction, NotFound, NotPermitted, RuleViolation, StaleVersion
from domain.supervision import ItemState, NoteKind
from tests.supervision import (
    ANYI,
    item,
    open_item,
    remind,
    titles,
    write,
)


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
