"""Decisions on many reports: what they touch, what they leave out, how they are undone and done."""

from dataclasses import replace

import pytest
from sqlalchemy import text

from data_access import bulk_review, decisions, inbox, jobs, review_queue, review_tasks, sessions
from data_access.database import transaction
from data_access.jobs import RunningJob
from domain.access import Role
from domain.bulk_review import MOST_AT_ONCE, ItemState, LeftOut
from domain.errors import InvalidAction, NotFound, RuleViolation, StaleVersion, TooBroad
from domain.jobs import JobKind
from domain.review_filter import QueueFilter
from domain.workflow import ReviewAction
from tests.actors import make_actor
from tests.queues import counties_of, make_waiting

APPROVE, RETURN = ReviewAction.APPROVE, ReviewAction.RETURN
REASON = "佐证材料不全，请补充。"


@pytest.fixture
def waiting(owner, county, city, bureau, period_id) -> list[int]:
    """Nine counties' reports of one month, before 南昌市."""
    return make_waiting(owner, county.user_id, [period_id], counties_of(owner, "3601"))


def seen(owner, ids) -> dict[int, int]:
    query = "SELECT submission_id, lock_version FROM submission WHERE submission_id = ANY (%s)"
    return dict(owner.execute(query, [list(ids)]).fetchall())


def ask(actor, action, comment, versions):
    with transaction(actor, action="review.bulk") as connection:
        return bulk_review.decide(connection, actor, action, comment, versions)


def carry_out(owner, bulk):
    """Do what the worker does when the moment has come."""
    (job_id,) = owner.execute(
        "SELECT id FROM job_queue.procrastinate_jobs WHERE task_name = %s"
        " AND CAST(args ->> 'bulk_decision_id' AS bigint) = %s",
        [JobKind.DECIDE_IN_BULK, bulk.bulk_decision_id],
    ).fetchone()
    review_tasks.decide_in_bulk(
        RunningJob(job_id, JobKind.DECIDE_IN_BULK, 0),
        bulk_decision_id=bulk.bulk_decision_id,
        user_id=bulk.user_id,
    )


def reread(actor, bulk):
    with transaction(actor, read_only=True) as connection:
        return bulk_review.get(connection, bulk.bulk_decision_id)


def left_out(actor, bulk):
    with transaction(actor, read_only=True) as connection:
        items = bulk_review.list_items(connection, bulk.bulk_decision_id)
    return {item.submission_id: item.left_out for item in items}


def states(owner, ids):
    query = "SELECT submission_id, state, step_no FROM submission WHERE submission_id = ANY (%s)"
    return {number: (state, step) for number, state, step in owner.execute(query, [list(ids)])}


def test_what_waits_for_two_grants_waits_once(owner, waiting, city):
    """One grant lies within the other; a third, of a role without a turn here, adds nothing."""
    within = replace(city.grants[0], division_code="360121", prefix="360121")
    elsewhere = replace(within, role=Role.COUNTY)
    held = replace(city, grants=(within, *city.grants, within, elsewhere))
    # His own unit's report is not his to decide.
    with transaction(held, read_only=True) as connection:
        found = review_queue.count_queue(connection, held, QueueFilter())
        page = review_queue.list_page(connection, held, QueueFilter())
    assert found.waiting == len(page) == len({each.submission_id for each in page})
    assert {each.submission_id for each in page} <= set(waiting)
    with transaction(city, read_only=True) as connection:
        assert review_queue.count_queue(connection, city, QueueFilter()).waiting == len(waiting)
    assert found.waiting == len(waiting) - 1


def test_nothing_happens_before_its_moment_and_everything_then(owner, waiting, city):
    bulk = ask(city, APPROVE, "同意", seen(owner, waiting))
    assert (bulk.pending, bulk.left_out, bulk.done) == (len(waiting), 0, 0)
    assert (bulk.effect_at - bulk.decided_at).total_seconds() == 30
    assert set(states(owner, waiting).values()) == {("submitted", 1)}
    carry_out(owner, bulk)
    assert set(states(owner, waiting).values()) == {("submitted", 2)}
    assert (reread(city, bulk).done, reread(city, bulk).pending) == (len(waiting), 0)
    events = owner.execute(
        "SELECT submission_id, user_id, comment, bulk_decision_id FROM review_event"
        " WHERE action = 'approve' ORDER BY submission_id"
    ).fetchall()
    expected = [(number, city.user_id, "同意", bulk.bulk_decision_id) for number in waiting]
    assert events == expected


def test_trail_names_the_bulk_decision_of_each_report(owner, waiting, city):
    bulk = ask(city, RETURN, REASON, seen(owner, waiting))
    carry_out(owner, bulk)
    entries = owner.execute(
        "SELECT user_id, action, after ->> 'bulk_decision_id', after ->> 'comment'"
        " FROM row_change WHERE table_name = 'review_event' AND after ->> 'action' = 'return'"
    ).fetchall()
    assert entries == [
        (city.user_id, "submission.return", str(bulk.bulk_decision_id), REASON)
    ] * len(waiting)


def test_a_return_needs_its_reason(owner, waiting, city):
    with pytest.raises(RuleViolation) as refusal:
        ask(city, RETURN, "  ", seen(owner, waiting))
    assert refusal.value.details["constraint"] == "bulk_decision_return_has_comment"
    assert owner.execute("SELECT count(*) FROM bulk_decision").fetchone() == (0,)


def test_only_a_review_can_be_asked_for_in_bulk(owner, waiting, city):
    for action, versions in ((ReviewAction.SUBMIT, seen(owner, waiting)), (APPROVE, {})):
        with pytest.raises(InvalidAction):
            ask(city, action, "", versions)


def test_what_it_leaves_out_is_listed_with_its_reason(owner, waiting, city, bureau, county):
    changed, stepped, own, erroneous, elsewhere, hidden, *rest = waiting
    versions = seen(owner, waiting)
    owner.execute("UPDATE submission SET lock_version = 9 WHERE submission_id = %s", [changed])
    owner.execute("UPDATE submission SET step_no = 2 WHERE submission_id = %s", [stepped])
    owner.execute(
        "UPDATE submission SET filer_id = %s WHERE submission_id = %s", [city.user_id, own]
    )
    owner.execute("UPDATE submission_check SET errors = 1 WHERE submission_id = %s", [erroneous])
    other = make_actor(owner, "second", Role.CITY, "360100")
    first = ask(other, APPROVE, "", {elsewhere: versions[elsewhere]})
    assert first.pending == 1
    owner.execute(
        "UPDATE submission SET state = 'returned', step_no = 0 WHERE submission_id = %s", [hidden]
    )
    bulk = ask(city, APPROVE, "", versions)
    assert left_out(city, bulk) == {
        changed: LeftOut.CHANGED,
        stepped: LeftOut.NOT_YOURS,
        own: LeftOut.OWN_FILING,
        erroneous: LeftOut.HAS_ERRORS,
        elsewhere: LeftOut.PENDING_ELSEWHERE,
        hidden: LeftOut.NOT_WAITING,
    }
    assert (bulk.pending, bulk.left_out) == (len(rest), 6)


def test_a_report_out_of_sight_is_not_counted(owner, waiting, city):
    (far,) = make_waiting(owner, city.user_id, [1], ["360402"])
    bulk = ask(city, APPROVE, "", seen(owner, [waiting[0], far]))
    assert (bulk.chosen, bulk.pending, bulk.left_out) == (2, 1, 0)


def test_all_or_one_can_be_undone_until_it_happens(owner, waiting, city, bureau):
    bulk = ask(city, RETURN, REASON, seen(owner, waiting))
    with transaction(city, action="review.undo") as connection:
        assert bulk_review.undo(connection, city, bulk.bulk_decision_id, waiting[:1]) == 1
    carry_out(owner, bulk)
    after = states(owner, waiting)
    assert after.pop(waiting[0]) == ("submitted", 1)
    assert set(after.values()) == {("returned", 0)}
    with pytest.raises(StaleVersion), transaction(city) as connection:
        bulk_review.undo(connection, city, bulk.bulk_decision_id)


def test_undone_as_a_whole_nothing_happens(owner, waiting, city):
    bulk = ask(city, RETURN, REASON, seen(owner, waiting))
    with transaction(city) as connection:
        assert bulk_review.undo(connection, city, bulk.bulk_decision_id) == len(waiting)
    carry_out(owner, bulk)
    assert set(states(owner, waiting).values()) == {("submitted", 1)}
    # What was taken back may be decided again.
    assert ask(city, APPROVE, "", seen(owner, waiting)).pending == len(waiting)


def test_nobody_undoes_what_another_decided(owner, waiting, city):
    other = make_actor(owner, "second", Role.CITY, "360100")
    bulk = ask(city, APPROVE, "", seen(owner, waiting))
    with pytest.raises(NotFound), transaction(other) as connection:
        bulk_review.undo(connection, other, bulk.bulk_decision_id)


def test_the_filer_sees_nothing_of_it_before_it_happens(owner, waiting, city, county):
    bulk = ask(city, RETURN, REASON, seen(owner, waiting))
    with pytest.raises(NotFound):
        reread(county, bulk)
    with transaction(county, read_only=True) as connection:
        assert connection.execute(text("SELECT count(*) FROM bulk_decision_item")).scalar() == 0
    carry_out(owner, bulk)
    assert reread(county, bulk).action is RETURN


def test_what_changed_meanwhile_is_left_out_when_it_happens(owner, waiting, city, county):
    bulk = ask(city, APPROVE, "", seen(owner, waiting))
    with transaction(city) as connection:
        versions = seen(owner, waiting[:1])
        decisions.review(connection, city, waiting[0], versions[waiting[0]], RETURN, REASON)
    carry_out(owner, bulk)
    assert left_out(city, bulk) == {waiting[0]: LeftOut.CHANGED}
    assert reread(city, bulk).done == len(waiting) - 1


@pytest.mark.parametrize(
    "revocation",
    [
        "UPDATE account SET disabled_at = now() WHERE user_id = %s",
        "UPDATE account_grant SET valid_from = valid_from - 9, valid_to = current_date - 1"
        " WHERE user_id = %s",
    ],
)
def test_who_lost_his_rights_meanwhile_decides_nothing(owner, waiting, city, revocation):
    bulk = ask(city, APPROVE, "", seen(owner, waiting))
    owner.execute(revocation, [city.user_id])
    carry_out(owner, bulk)
    assert set(states(owner, waiting).values()) == {("submitted", 1)}
    assert set(left_out(city, bulk).values()) == {LeftOut.NOT_YOURS}


def test_one_report_that_the_database_refuses_takes_no_other_with_it(owner, waiting, city):
    owner.execute(
        "ALTER TABLE review_event ADD CONSTRAINT not_this CHECK"
        f" (submission_id <> {waiting[3]} OR action <> 'approve')"
    )
    bulk = ask(city, APPROVE, "", seen(owner, waiting))
    carry_out(owner, bulk)
    assert left_out(city, bulk) == {waiting[3]: LeftOut.REFUSED}
    assert states(owner, waiting)[waiting[3]] == ("submitted", 1)
    assert reread(city, bulk).done == len(waiting) - 1


def test_of_one_units_months_each_is_compared_with_the_one_before(owner, county, bureau, period_id):
    """Accepted together, the later report says nothing new where it repeats the earlier one."""
    (october,) = owner.execute(
        "INSERT INTO reporting_period (form_code, name, starts_on, ends_on, deadline_at"
        ", form_version, workflow_version)"
        " SELECT form_code, '2026年10月', '2026-10-01', '2026-10-31', deadline_at, 1, 1"
        "  FROM reporting_period WHERE period_id = %s RETURNING period_id",
        [period_id],
    ).fetchone()
    units = counties_of(owner, "3601")[:3]
    months = [period_id, october]
    numbers = make_waiting(owner, county.user_id, months, units, step_no=2)
    owner.execute(
        "INSERT INTO plan (division_code, plan_type, name, is_headline)"
        " SELECT code, 'MASTER_COUNTY', code, true FROM unnest(%s::text[]) AS code",
        [units],
    )
    # The first unit is late in the later report, the others say what they said.
    owner.execute(
        "INSERT INTO filed_milestone (submission_id, version_no, division_code, plan_id, stage_code"
        ", state, planned_on, late_reason)"
        " SELECT submission_id, 1, submission.division_code, plan_id, stage_code, 'not_started'"
        ", date '2026-01-01'"
        ", CASE WHEN period_id = %s AND submission.division_code = %s THEN '征求意见' END"
        "  FROM submission JOIN plan USING (division_code)"
        "  JOIN plan_stage USING (plan_type) WHERE stage_order = 1",
        [october, units[0]],
    )
    carry_out(owner, ask(bureau, APPROVE, "", seen(owner, numbers)))
    accepted = owner.execute(
        "SELECT division_code, late_reason FROM accepted_milestone ORDER BY accepted_milestone_id"
    ).fetchall()
    assert sorted(accepted[:3]) == [(unit, None) for unit in units]
    assert accepted[3:] == [(units[0], "征求意见")]


def test_what_somebody_holds_is_left_out_and_the_others_go_on(owner, waiting, city):
    bulk = ask(city, APPROVE, "", seen(owner, waiting))
    with owner.transaction():
        owner.execute("SELECT FROM submission WHERE submission_id = %s FOR UPDATE", [waiting[2]])
        with transaction(city, action="submission.approve") as connection:
            connection.execute(text("SET LOCAL lock_timeout = '50ms'"))
            bulk_review.carry_out(connection, city, bulk.bulk_decision_id, bulk_review.CHUNK)
    assert left_out(city, bulk) == {waiting[2]: LeftOut.BUSY}
    assert reread(city, bulk).done == len(waiting) - 1


def test_more_than_can_be_decided_at_once_is_refused(city):
    with pytest.raises(TooBroad):
        ask(city, APPROVE, "", dict.fromkeys(range(1, MOST_AT_ONCE + 2), 1))


def test_a_kill_between_chunks_repeats_and_loses_nothing(owner, waiting, city, monkeypatch):
    """The chunk under way is rolled back as a whole; the next attempt goes on with the rest."""
    monkeypatch.setattr(bulk_review, "CHUNK", 2)
    bulk = ask(city, APPROVE, "", seen(owner, waiting))
    calls = []
    real = decisions.review_many

    def dies_at_the_third(*arguments, **named):
        calls.append(1)
        outcome = real(*arguments, **named)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return outcome

    monkeypatch.setattr(decisions, "review_many", dies_at_the_third)
    with pytest.raises(KeyboardInterrupt):
        carry_out(owner, bulk)
    assert reread(city, bulk).done == 4
    carry_out(owner, bulk)
    assert reread(city, bulk).done == len(waiting)
    approvals = owner.execute(
        "SELECT submission_id FROM review_event WHERE action = 'approve' ORDER BY submission_id"
    ).fetchall()
    assert [number for (number,) in approvals] == waiting


def test_the_job_begins_at_the_moment_it_takes_effect(owner, waiting, city):
    bulk = ask(city, APPROVE, "", seen(owner, waiting))
    found = owner.execute(
        "SELECT queue_name, scheduled_at FROM job_queue.procrastinate_jobs WHERE task_name = %s",
        [JobKind.DECIDE_IN_BULK],
    ).fetchall()
    assert found == [(jobs.PROMPT, bulk.effect_at)]


@pytest.mark.parametrize("end", ["cancelled", "aborted", "failed"])
def test_what_a_stopped_job_left_is_left_out_and_told(owner, waiting, city, end):
    bulk = ask(city, APPROVE, "", seen(owner, waiting))
    with transaction(city) as connection:
        bulk_review.undo(connection, city, bulk.bulk_decision_id, waiting[:1])
    settle()
    assert reread(city, bulk).pending == len(waiting) - 1  # its job still waits for its moment
    owner.execute("UPDATE job_queue.procrastinate_jobs SET status = %s", [end])
    settle()
    after = reread(city, bulk)
    assert (after.pending, after.undone, after.left_out) == (0, 1, len(waiting) - 1)
    assert set(left_out(city, bulk).values()) == {LeftOut.STOPPED}
    assert set(states(owner, waiting).values()) == {("submitted", 1)}
    settle()
    with transaction(city, read_only=True) as connection:
        (told,) = [m for m in inbox.list_messages(connection) if m.link == "review_queue"]
    assert f"{len(waiting) - 1} 份" in told.title


def settle():
    """Do what the clock asks for each minute."""
    review_tasks.settle_stopped(RunningJob(1, JobKind.SETTLE_STOPPED, 0))


def test_items_say_where_they_stand(owner, waiting, city):
    bulk = ask(city, APPROVE, "", seen(owner, waiting))
    with transaction(city, read_only=True) as connection:
        items = bulk_review.list_items(connection, bulk.bulk_decision_id, ItemState.PENDING)
        assert [
            recent.bulk_decision_id for recent in bulk_review.list_recent(connection, city)
        ] == [bulk.bulk_decision_id]
        assert sessions.actor_today(connection, city.user_id) == city
    assert {item.submission_id for item in items} == set(waiting)
