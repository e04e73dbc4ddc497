"""Jobs are done once, go on after a kill, stop when asked, and never fail in silence."""

import os
import subprocess
import sys
from contextlib import contextmanager
from importlib import import_module

import pytest
from procrastinate.schema import SchemaManager

from data_access import file_store, inbox, jobs, outbox
from data_access.database import transaction
from data_access.jobs import JobTakenOver, RunningJob
from data_access.worker import TASK_MODULES
from domain.access import Role
from domain.errors import InvalidAction, NotFound, NotPermitted, RuleViolation
from domain.jobs import JobKind, JobState
from tests.actors import PROVINCE, make_actor
from tests.data_access import job_tasks
from tests.paths import ROOT
from tests.patience import wait_until

for _module in TASK_MODULES:
    import_module(_module)
CLOCK_TASKS = [each for each in jobs.registered_tasks() if each.every]
PATIENCE = 60  # seconds
RUN = (
    "from data_access.worker import Pace, run_worker;"
    "run_worker(modules=['tests.data_access.job_tasks'],"
    " pace=Pace(heartbeat=0.2, dead_after=1, grace=1))"
)


@pytest.fixture
def centre(owner):
    return make_actor(owner, "centre", Role.INFORMATION_CENTRE, PROVINCE)


@contextmanager
def worker(tmp_path):
    """Run a worker process for the length of the block."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PORTAL_DATA_DIR": str(tmp_path)}
    with (tmp_path / "worker.log").open("ab") as log:
        process = subprocess.Popen([sys.executable, "-c", RUN], env=environment, stderr=log)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(PATIENCE)


def defer(kind, actor=None, **options):
    with transaction(None) as connection:
        return jobs.defer(connection, kind, requested_by=actor, **options)


def job(job_id):
    with transaction(None, read_only=True) as connection:
        return jobs.get(connection, job_id)


def until(job_id, holds):
    """Return the job once it is as wanted; the database tells, no clock is trusted."""
    wait_until(lambda: holds(job(job_id)), PATIENCE)
    return job(job_id)


def counted(owner):
    return [
        int(row[0]) for row in owner.execute("SELECT subject FROM outbox_event ORDER BY created_at")
    ]


def test_schema_is_the_installed_library_s():
    migration = (ROOT / "data_access/migrations/0009_job.sql").read_text("utf-8")
    assert SchemaManager.get_schema() in migration


def test_job_is_part_of_the_transaction_that_asks_for_it(owner):
    with transaction(None) as connection:
        jobs.defer(connection, "test.count")
        connection.rollback()
    assert owner.execute("SELECT count(*) FROM job_queue.procrastinate_jobs").fetchone() == (0,)


def test_job_of_which_one_may_wait_is_refused_twice(owner):
    defer("test.count", once="import")
    with pytest.raises(RuleViolation) as refusal:
        defer("test.count", once="import")
    assert refusal.value.details["constraint"] == "procrastinate_jobs_queueing_lock_idx_v1"


def test_portal_owns_nothing_of_the_queue(owner):
    assert owner.execute(
        "SELECT count(*) FROM pg_class WHERE relnamespace = CAST('job_queue' AS regnamespace)"
        " AND relowner <> CAST('owner' AS regrole)"
    ).fetchone() == (0,)
    with pytest.raises(Exception, match="permission denied"), transaction(None) as connection:
        connection.exec_driver_sql("CREATE TABLE job_queue.mine ()")


def test_worker_does_a_job_and_says_how_far_it_came(owner, centre, tmp_path):
    job_id = defer("test.count", centre)
    with worker(tmp_path):
        done = until(job_id, lambda found: found.state is JobState.SUCCEEDED)
    assert (done.done, done.total, done.ratio, done.message) == (20, 20, 1.0, "计数")
    assert done.requested_by_name == "centre先生"
    assert done.deferred_at <= done.started_at <= done.ended_at
    assert sorted(counted(owner)) == list(range(20))


def test_killed_worker_s_job_is_finished_exactly_by_another(owner, tmp_path):
    job_id = defer("test.count", arguments={"die_at": 7})
    with worker(tmp_path) as first:
        first.wait(PATIENCE)
        assert first.returncode == -9
    assert job(job_id).state is JobState.RUNNING
    with worker(tmp_path):
        done = until(job_id, lambda found: found.state is JobState.SUCCEEDED)
    assert done.attempts == 2
    assert sorted(counted(owner)) == list(range(20))


def test_failed_job_tells_why_and_tells_the_information_centre_once(owner, centre, tmp_path):
    first, second = defer("test.fail"), defer("test.fail")
    with worker(tmp_path):
        failed = until(first, lambda found: found.state is JobState.FAILED)
        until(second, lambda found: found.state is JobState.FAILED)
    assert failed.error["type"] == "NotFound"
    assert failed.error["details"] == {"plan_id": 7}
    assert failed.error["fault"] in (tmp_path / "worker.log").read_text("utf-8")
    with transaction(centre, read_only=True) as connection:
        (message,) = inbox.list_messages(connection)
    assert failed.error["fault"] in message.body


def test_fault_of_the_program_fails_the_job_and_not_the_worker(owner, tmp_path):
    crashed = defer("test.crash")
    greedy = defer("test.greedy")
    counting = defer("test.count")
    with worker(tmp_path):
        until(counting, lambda found: found.state is JobState.SUCCEEDED)
    assert job(crashed).error["type"] == "ZeroDivisionError"
    assert job(greedy).error["type"] == "MemoryError"


def test_lost_connection_fails_no_job(owner, tmp_path):
    job_id = defer("test.cut")
    with worker(tmp_path):
        done = until(job_id, lambda found: found.state is JobState.SUCCEEDED)
    assert (done.done, done.error) == (1, None)


def test_cancelled_job_stops_at_its_next_step_and_can_go_on(owner, centre, tmp_path):
    job_id = defer("test.wait")
    with worker(tmp_path):
        until(job_id, lambda found: found.done == 1)
        with transaction(centre) as connection:
            jobs.cancel(connection, centre, job_id)
        stopped = until(job_id, lambda found: found.state is JobState.ABORTED)
    assert stopped.stopped_by_name == "centre先生"
    with transaction(centre) as connection:
        jobs.retry(connection, centre, job_id)
    assert job(job_id).state is JobState.WAITING


def test_worker_told_to_stop_puts_its_job_back(owner, tmp_path):
    job_id = defer("test.wait")
    with worker(tmp_path) as process:
        until(job_id, lambda found: found.done == 1)
        process.terminate()
        assert process.wait(PATIENCE) == 0
    assert job(job_id).state is JobState.WAITING


def test_waiting_job_is_cancelled_at_once(centre):
    job_id = defer("test.count")
    with transaction(centre) as connection:
        jobs.cancel(connection, centre, job_id)
    assert job(job_id).state is JobState.CANCELLED
    with pytest.raises(InvalidAction), transaction(centre) as connection:
        jobs.cancel(connection, centre, job_id)


def test_only_who_asked_and_the_information_centre_lay_hand_on_a_job(county, centre, bureau):
    job_id = defer("test.count", county)
    with pytest.raises(NotPermitted), transaction(bureau) as connection:
        jobs.cancel(connection, bureau, job_id)
    with transaction(county) as connection:
        jobs.cancel(connection, county, job_id)
    with transaction(centre) as connection:
        jobs.retry(connection, centre, job_id)
    with pytest.raises(NotFound):
        job(job_id + 1)


def test_worker_given_up_for_dead_writes_nothing_when_it_comes_back(owner):
    job_id = defer("test.count")
    old = RunningJob(job_id, "test.count", 0)
    new = RunningJob(job_id, "test.count", 1)
    with pytest.raises(JobTakenOver):
        job_tasks.count(old)
    assert counted(owner) == []
    with pytest.raises(JobTakenOver):
        old.confirm()
    with pytest.raises(JobTakenOver):
        RunningJob(job_id, "test.count", 0)
    new.confirm()


def test_clock_jobs_show_only_when_they_fail_until_they_succeed_again(owner):
    owner.execute(
        "INSERT INTO job_queue.procrastinate_jobs (queue_name, task_name, status) VALUES"
        " ('clock', 'trail.anchor', 'failed'), ('clock', 'trail.anchor', 'succeeded')"
        ", ('clock', 'trail.anchor', 'failed'), ('work', 'x', 'succeeded')"
    )
    with transaction(None, read_only=True) as connection:
        shown = jobs.list_jobs(connection)
        assert sorted(found.state for found in shown) == [JobState.FAILED, JobState.SUCCEEDED]
        assert len(jobs.list_jobs(connection, with_clock=True)) == 4


def test_old_records_are_forgotten(owner):
    owner.execute(
        "INSERT INTO job_queue.procrastinate_jobs (queue_name, task_name, status)"
        " VALUES ('clock', 'a', 'todo'), ('clock', 'b', 'todo'), ('work', 'c', 'todo')"
    )
    owner.execute("UPDATE job_queue.procrastinate_jobs SET status = 'doing'")
    owner.execute(
        "UPDATE job_queue.procrastinate_jobs SET status = 'succeeded' WHERE task_name <> 'a'"
    )
    owner.execute("UPDATE job_queue.procrastinate_events SET at = now() - interval '2 days'")
    with transaction(None) as connection:
        assert jobs.forget_old(connection) == 1
    left = owner.execute("SELECT task_name FROM job_queue.procrastinate_jobs ORDER BY 1").fetchall()
    assert left == [("a",), ("c",)]


def test_every_kind_of_job_has_its_task():
    assert set(JobKind) <= {each.kind for each in jobs.registered_tasks()}


@pytest.mark.parametrize("task", CLOCK_TASKS, ids=lambda task: task.kind)
def test_clock_s_job_runs_on_an_empty_portal(owner, tmp_path, monkeypatch, task):
    monkeypatch.setenv("PORTAL_DATA_DIR", str(tmp_path))
    file_store.root.cache_clear()
    task.run(RunningJob(defer(task.kind), task.kind, 0))
    file_store.root.cache_clear()


def test_outbox_is_delivered_once_and_in_order(owner):
    owner.execute(
        "INSERT INTO outbox_event (topic, subject, payload, created_at) VALUES"
        " ('t', 'second', '{}', now()), ('t', 'first', '{}', now() - interval '1 hour')"
    )
    delivered = []

    class Receiver:
        def deliver(self, event):
            delivered.append(event.subject)

    for _ in range(2):
        with transaction(None) as connection:
            outbox.deliver_waiting(connection, Receiver())
    assert delivered == ["first", "second"]


def test_session_whose_time_is_over_is_closed(owner, county):
    owner.execute(
        "INSERT INTO portal_session (token_hash, user_id, expires_at)"
        " VALUES ('a', %(user)s, now() - interval '1 s'), ('b', %(user)s, now() + interval '1 h')",
        {"user": county.user_id},
    )
    with transaction(None) as connection:
        assert jobs.expire_sessions(connection) == 1


def test_old_tickets_and_failures_are_forgotten(owner, county):
    """What may still let somebody in, lock a name or be asked about stays."""
    owner.execute(
        "INSERT INTO sign_in_ticket (ticket_hash, user_id, created_at) VALUES"
        " ('\\x01', %(user)s, now() - interval '2 days'), ('\\x02', %(user)s, now())",
        {"user": county.user_id},
    )
    owner.execute(
        "INSERT INTO sign_in_failure (username, address, happened_at) VALUES"
        " ('long_ago', '127.0.0.1', now() - interval '91 days'), ('today', '127.0.0.1', now())"
    )
    with transaction(None, action="session.expire") as connection:
        jobs.expire_sessions(connection)
    assert owner.execute("SELECT ticket_hash FROM sign_in_ticket").fetchall() == [(b"\x02",)]
    assert owner.execute("SELECT username FROM sign_in_failure").fetchall() == [("today",)]
