"""Jobs for the tests of the worker: imported by the worker process as by the test."""

import os
import signal
import socket

from sqlalchemy import text

from data_access.jobs import RunningJob, task
from domain.errors import NotFound

STEPS = 20


@task("test.count")
def count(job: RunningJob, *, steps: int = STEPS, die_at: int | None = None) -> None:
    """Write one message a step; kill the worker at `die_at`, in the middle of that step."""
    for step in range(int(job.checkpoint.get("step", 0)), steps):
        with job.transaction("test.count") as connection:
            connection.execute(
                text("INSERT INTO outbox_event (topic, subject, payload) VALUES ('t', :s, '{}')"),
                {"s": str(step)},
            )
            if step == die_at and job.attempt == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            job.report(connection, step + 1, steps, "计数", checkpoint={"step": step + 1})


@task("test.fail")
def fail(job: RunningJob) -> None:
    raise NotFound(plan_id=7)


@task("test.crash")
def crash(job: RunningJob) -> None:
    raise ZeroDivisionError


@task("test.greedy")
def greedy(job: RunningJob) -> None:
    """Ask for more memory than the worker may have."""
    bytearray(64 << 30)


@task("test.wait")
def wait(job: RunningJob) -> None:
    """Run until asked to stop."""
    while True:
        with job.transaction() as connection:
            job.report(connection, 1, None, "等待")


@task("test.cut")
def cut(job: RunningJob) -> None:
    """Lose the database connection the first time."""
    with job.transaction() as connection:
        if job.attempt == 0:
            wire = os.dup(connection.connection.driver_connection.fileno())
            socket.socket(fileno=wire).shutdown(socket.SHUT_RDWR)
        job.report(connection, 1, 1)
