"""What holds for decisions on many, whatever was chosen: the same as one by one."""

from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from data_access import decisions, review_queue
from data_access.database import transaction
from data_access.reporting import get_submission
from domain.access import Role
from domain.errors import PortalError
from domain.review_filter import QueueFilter
from domain.workflow import ReviewAction
from tests.actors import PROVINCE, make_actor
from tests.queues import counties_of, make_waiting

_LEFT_BEHIND = {
    "submission": "SELECT submission_id, state, step_no, round_no, version_no, lock_version"
    ", receipt_no, due_on, filer_id FROM submission ORDER BY submission_id",
    "review_event": "SELECT submission_id, version_no, round_no, step_no, action, from_state"
    ", to_state, to_step_no, comment, user_id, role FROM review_event"
    " ORDER BY submission_id, review_event_id",
    "review_remark": "SELECT submission_id, field_path, reason FROM review_remark"
    " ORDER BY submission_id",
    "inbox_message": "SELECT role, division_code, title, body, link FROM inbox_message"
    " ORDER BY title, role, division_code",
    "outbox_event": "SELECT topic, subject, payload FROM outbox_event ORDER BY subject, payload",
    "submission_receipt": "SELECT submission_id, version_no, receipt_no FROM submission_receipt"
    " ORDER BY submission_id",
}


@pytest.fixture
def waiting(owner, county, city, bureau, period_id) -> list[int]:
    """南昌's counties before the city, and two units before the province."""
    first = make_waiting(owner, county.user_id, [period_id], counties_of(owner, "3601"))
    second = make_waiting(owner, county.user_id, [period_id], ["360400", "360500"], step_no=2)
    mine = make_waiting(owner, bureau.user_id, [period_id], ["360600"], step_no=2)
    return [*first, *second, *mine]


def left_behind(connection):
    """Return what the decisions wrote, but for ids and moments."""
    return {
        table: [tuple(row) for row in connection.execute(text(query))]
        for table, query in _LEFT_BEHIND.items()
    }


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    choice=st.dictionaries(st.integers(0, 13), st.sampled_from([2, 2, 2, 1]), min_size=1),
    action=st.sampled_from([ReviewAction.APPROVE, ReviewAction.RETURN]),
    by_province=st.booleans(),
)
def test_many_at_once_are_the_same_as_one_by_one(
    waiting, city, bureau, choice, action, by_province
):
    """Both end with a rollback, so that every example begins with the same reports."""
    actor = bureau if by_province else city
    known = dict(enumerate(waiting))
    seen = {known.get(index, 10_000 + index): version for index, version in choice.items()}
    with transaction(actor) as connection:
        singly = {}
        for number, version in seen.items():
            try:
                moved = decisions.review(connection, actor, number, version, action, "请核对")
                singly[number] = moved.state
            except PortalError as error:
                singly[number] = type(error)
        one_by_one = left_behind(connection)
        connection.rollback()
    with transaction(actor) as connection:
        outcomes = decisions.review_many(connection, actor, seen, action, "请核对")
        at_once = left_behind(connection)
        connection.rollback()
    together = {
        number: type(outcome) if isinstance(outcome, PortalError) else outcome.state
        for number, outcome in outcomes.items()
    }
    assert together == singly
    assert at_once == one_by_one


def test_the_queue_holds_exactly_what_the_rules_let_one_decide(owner, waiting, city, bureau):
    people = [
        city,
        bureau,
        make_actor(owner, "jiujiang", Role.CITY, "360400"),
        make_actor(owner, "leader", Role.LEADER, PROVINCE),
    ]
    for actor in people:
        with transaction(actor, read_only=True) as connection:
            queued = set(review_queue.list_seen(connection, actor, QueueFilter()))
            visible = connection.execute(text("SELECT submission_id FROM submission")).scalars()
            open_to_him = {
                number
                for number in visible.all()
                if any(
                    move.action is ReviewAction.APPROVE
                    for move in decisions.moves_of(
                        connection, actor, get_submission(connection, number)
                    )
                )
            }
        assert queued == open_to_him


def test_a_step_knows_since_when_it_waits_and_until_when(owner, waiting, city):
    """The city's three working days become the province's five, and end with the decision."""
    with transaction(city) as connection:
        decisions.review(connection, city, waiting[0], 2, ReviewAction.APPROVE)
        decisions.review(connection, city, waiting[1], 2, ReviewAction.RETURN, "请核对")
    rows = owner.execute(
        "SELECT due_on, due_on = add_working_days(CAST(timezone('Asia/Shanghai', waiting_since)"
        " AS date), CASE step_no WHEN 1 THEN 3 ELSE 5 END) FROM submission"
        " WHERE submission_id = ANY (%s) ORDER BY submission_id",
        [waiting[:3]],
    ).fetchall()
    assert [holds for _, holds in rows] == [True, None, True]
    assert isinstance(rows[0][0], date)
