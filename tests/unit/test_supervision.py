"""Who may remind, answer and close; where reminders and items stand."""

from datetime import UTC, date, datetime

import pytest

from domain.access import Actor, Grant, Role
from domain.errors import InvalidAction, NotPermitted
from domain.progress import Disposition, PeriodState, UnitProgress
from domain.supervision import (
    ItemState,
    NoteKind,
    ReminderState,
    ReminderTopic,
    answers_for,
    escalation_role,
    may_supervise,
    next_item_state,
    open_notes,
    reminder_state,
    topics_for,
    unit_role,
)

DUE = date(2026, 11, 25)
LEADER = Actor(1, "厅长", (Grant(Role.LEADER, "360000", "36"),))
CITY = Actor(2, "南昌市", (Grant(Role.CITY, "360100", "3601"),))
COUNTY = Actor(3, "安义县", (Grant(Role.COUNTY, "360123", "360123"),))
CENTRE = Actor(4, "信息中心", (Grant(Role.INFORMATION_CENTRE, "360000", "36"),))
ANYI = ("360123", "360123")


def unit(**changes: object) -> UnitProgress:
    values: dict[str, object] = {
        "code": "360123", "name": "安义县", "level": "county", "kind": "县", "prefix": "360123",
        "parent_code": "360100", "parent_name": "南昌市", "plan_id": 1,
        "disposition": Disposition.COMPILING, "accepted_ratio": 0.46, "pending_ratio": 0.0,
        "stage_order": 7, "stage_name": "征求意见", "stage_count": 14, "late_days": 0,
        "late_since": None, "late_stage_name": "", "planned_stages": 14,
        "period_state": PeriodState.FILED, "no_change": False, "submitted_at": None,
        "on_time": True, "deadline_at": datetime(2026, 11, 25, tzinfo=UTC),
        "responsible_name": "",
    }  # fmt: skip
    return UnitProgress(**(values | changes))  # type: ignore[arg-type]


def test_topics_are_what_the_units_have_to_be_reminded_of():
    assert topics_for([unit()]) == [ReminderTopic.OTHER]
    late, silent = unit(late_days=32), unit(period_state=PeriodState.NOT_FILED)
    assert topics_for([late, silent]) == [
        ReminderTopic.LATE_MILESTONE,
        ReminderTopic.NOT_FILED,
        ReminderTopic.OTHER,
    ]
    assert ReminderTopic.RETURNED in topics_for([unit(period_state=PeriodState.RETURNED)])


def test_merged_unit_is_never_late_and_without_a_period_nobody_is_missing():
    assert topics_for([unit(late_days=32, disposition=Disposition.MERGED)]) == ["other"]
    assert topics_for([unit(period_state=PeriodState.NOT_FILED, deadline_at=None)]) == ["other"]


@pytest.mark.parametrize(
    ("answered", "escalated", "day", "state"),
    [
        (None, None, DUE, ReminderState.WAITING),
        (None, None, date(2026, 11, 26), ReminderState.OVERDUE),
        (None, datetime(2026, 11, 26, tzinfo=UTC), date(2026, 11, 26), ReminderState.ESCALATED),
        (
            datetime(2026, 11, 27, tzinfo=UTC),
            datetime(2026, 11, 26, tzinfo=UTC),
            date(2026, 11, 28),
            ReminderState.ANSWERED,
        ),
    ],
)
def test_reminder_stands_where_its_dates_put_it(answered, escalated, day, state):
    assert reminder_state(DUE, answered, escalated, day) is state


def test_leader_supervises_and_unit_answers_for_itself_alone():
    assert may_supervise(LEADER, "360123")
    assert not any(may_supervise(actor, "360123") for actor in (CITY, COUNTY, CENTRE))
    assert answers_for(COUNTY, "360123")
    assert not answers_for(CITY, "360123")
    assert answers_for(CITY, "360100")


def test_each_actor_is_offered_what_he_may_write():
    offered = {
        actor.display_name: open_notes(ItemState.ANSWERED, actor, *ANYI)
        for actor in (LEADER, CITY, COUNTY, CENTRE)
    }
    assert offered == {
        "厅长": [NoteKind.COMMENT, NoteKind.REOPEN, NoteKind.CLOSE],
        "南昌市": [NoteKind.COMMENT],
        "安义县": [NoteKind.FEEDBACK],
        "信息中心": [],
    }


@pytest.mark.parametrize("state", ItemState)
@pytest.mark.parametrize("kind", NoteKind)
def test_what_is_not_offered_is_refused(state, kind):
    for actor in (LEADER, CITY, COUNTY, CENTRE):
        if kind in open_notes(state, actor, *ANYI):
            next_item_state(state, kind, actor, *ANYI)
        else:
            with pytest.raises((InvalidAction, NotPermitted)):
                next_item_state(state, kind, actor, *ANYI)


def test_unanswered_reminder_goes_one_level_up():
    assert (unit_role("county"), escalation_role("city")) == (Role.COUNTY, Role.CITY)
    assert (unit_role("city"), escalation_role("province")) == (Role.CITY, Role.PLAN_BUREAU)
