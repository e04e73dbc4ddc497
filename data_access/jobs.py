"""Jobs: long work that is asked for here, done by the worker, and watched on a page.

A job is a function registered under a kind. It works in transactions of its own, writes its
checkpoint in the transaction of what it has done, and so goes on exactly where a killed worker
left it. The queue is procrastinate's (schema job_queue); only `data_access.worker` imports it.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from data_access.database import transaction
from data_access.inbox import IN_APP
from data_access.queries import load_queries
from data_access.rows import fetch_all, fetch_one
from domain.access import Actor, Grant, Role
from domain.errors import InvalidAction, NotFound, NotPermitted, PortalError
from domain.jobs import UNDER_WAY, UNFINISHED, JobState
from domain.supervision import Notice

_SQL = load_queries("jobs")
WORK = "work"
CLOCK = "clock"
PROMPT = "prompt"  # short work that somebody waits for: no import stands before it
QUEUES = (CLOCK, WORK, PROMPT)


class JobStopped(Exception):
    """The job was asked to stop: cancelled by a person, or its worker is going down."""


class JobTakenOver(Exception):
    """Another worker has this job: this one was given up for dead."""


@dataclass(frozen=True, slots=True)
class Task:
    """One kind of job and the function that does it."""

    kind: str
    run: Callable[..., None]
    queue: str
    every: str | None
    """When the clock asks for it, as a cron line in UTC."""


_TASKS: dict[str, Task] = {}


def task(
    kind: str, *, every: str | None = None, queue: str = WORK
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Register `function(job, **arguments)` as a kind's work; `every` is a cron line in UTC."""

    def register(function: Callable[..., None]) -> Callable[..., None]:
        _TASKS[str(kind)] = Task(str(kind), function, CLOCK if every else queue, every)
        return function

    return register


def registered_tasks() -> list[Task]:
    """Return every task that an imported module has registered."""
    return list(_TASKS.values())


@dataclass(frozen=True, slots=True)
class JobRow:
    """One job as the page shows it."""

    job_id: int
    kind: str
    state: JobState
    attempts: int
    is_stopping: bool
    deferred_at: datetime | None
    started_at: datetime | None
    ended_at: datetime | None
    done: int
    total: int | None
    message: str
    error: dict[str, Any] | None
    """`type` and `details` of a PortalError, or `fault`: the number in the log."""
    requested_by: int | None
    requested_by_name: str | None
    stopped_by_name: str | None

    @property
    def ratio(self) -> float | None:
        """How far it is, 0–1; None where the whole is not known."""
        return self.done / self.total if self.total else None


def defer(
    connection: Connection,
    kind: str,
    arguments: Mapping[str, Any] | None = None,
    *,
    requested_by: Actor | None = None,
    lock: str | None = None,
    once: str | None = None,
    queue: str = WORK,
    at: datetime | None = None,
) -> int:
    """Ask for a job within the caller's transaction; return its id.

    With `at` it begins then, at the earliest. Jobs with the same `lock` run one after the other.
    Of `once` only one may wait: another one raises RuleViolation.
    """
    parameters = {
        "queue": queue,
        "at": at,
        "kind": str(kind),
        "lock": lock,
        "queueing_lock": once,
        "arguments": json.dumps(dict(arguments or {})),
        "requested_by": requested_by.user_id if requested_by else None,
    }
    return int(connection.execute(_SQL["defer"], parameters).scalar_one())


def list_jobs(
    connection: Connection, *, with_clock: bool = False, limit: int = 100
) -> list[JobRow]:
    """Return running jobs, then waiting ones, then the newest that ended."""
    return fetch_all(
        connection, _SQL["list_jobs"], JobRow, job_id=None, with_clock=with_clock, limit=limit
    )


def get(connection: Connection, job_id: int) -> JobRow:
    """Return one job; raise NotFound where there is none."""
    found = fetch_one(
        connection, _SQL["list_jobs"], JobRow, job_id=job_id, with_clock=True, limit=1
    )
    if found is None:
        raise NotFound(job_id=job_id)
    return found


def cancel(connection: Connection, actor: Actor, job_id: int) -> None:
    """Stop a job: at once while it waits, at its next step while it runs."""
    _require_hand_on(actor, get(connection, job_id), UNDER_WAY)
    connection.execute(_SQL["cancel"], {"job_id": job_id})
    connection.execute(_SQL["note_stop"], {"job_id": job_id, "user_id": actor.user_id})


def retry(connection: Connection, actor: Actor, job_id: int) -> None:
    """Let a job that failed or was stopped go on from its checkpoint."""
    _require_hand_on(actor, get(connection, job_id), UNFINISHED)
    connection.execute(_SQL["retry"], {"job_id": job_id})


def _require_hand_on(actor: Actor, job: JobRow, states: frozenset[JobState]) -> None:
    if not actor.has_role(Role.INFORMATION_CENTRE) and job.requested_by != actor.user_id:
        raise NotPermitted(job_id=job.job_id)
    if job.state not in states:
        raise InvalidAction(job_id=job.job_id, state=job.state)


def system_actor() -> Actor:
    """Return the portal's own hand: it sees the work data of every province."""
    with transaction(None, read_only=True) as connection:
        rows = connection.execute(_SQL["system_actor"]).all()
    roles = (Role.PLAN_BUREAU, Role.INFORMATION_CENTRE)
    grants = tuple(Grant(role, row.code, row.prefix) for row in rows if row.code for role in roles)
    return Actor(rows[0].user_id, rows[0].display_name, grants)


class RunningJob:
    """What a job's function is given: its checkpoint, its transactions, its way to report."""

    def __init__(
        self, job_id: int, kind: str, attempt: int, should_stop: Callable[[], bool] = lambda: False
    ) -> None:
        self.job_id = job_id
        self.kind = kind
        self.attempt = attempt
        self.actor = system_actor()
        self._should_stop = should_stop
        with transaction(self.actor, action=f"{kind}.start") as connection:
            parameters = {"job_id": job_id, "attempt": attempt}
            row = connection.execute(_SQL["start_attempt"], parameters).one_or_none()
        if row is None:
            raise JobTakenOver(job_id)
        self.checkpoint: dict[str, Any] = row.checkpoint
        self.requested_by: int | None = row.requested_by

    def check(self) -> None:
        """Raise JobStopped when somebody asked the job to stop: call it between steps."""
        if self._should_stop():
            raise JobStopped(self.job_id)

    @contextmanager
    def transaction(self, action: str = "") -> Iterator[Connection]:
        """Yield a connection on which the system acts; raise JobStopped instead when asked to."""
        self.check()
        with transaction(self.actor, action=action or self.kind) as connection:
            yield connection

    def report(
        self,
        connection: Connection,
        done: int,
        total: int | None = None,
        message: str = "",
        *,
        checkpoint: Mapping[str, Any] | None = None,
    ) -> None:
        """Say how far the job is; in the transaction of a step, `checkpoint` makes the step count.

        Raise JobTakenOver when another worker has the job: the step is then rolled back.
        """
        parameters = {
            "job_id": self.job_id,
            "attempt": self.attempt,
            "done": done,
            "total": total,
            "message": message,
            "checkpoint": None if checkpoint is None else json.dumps(dict(checkpoint)),
        }
        if connection.execute(_SQL["report"], parameters).first() is None:
            raise JobTakenOver(self.job_id)
        if checkpoint is not None:
            self.checkpoint = dict(checkpoint)

    def confirm(self) -> None:
        """Raise JobTakenOver when another worker has the job by now."""
        parameters = {"job_id": self.job_id, "attempt": self.attempt}
        with transaction(self.actor, read_only=True) as connection:
            if not connection.execute(_SQL["is_current"], parameters).scalar_one():
                raise JobTakenOver(self.job_id)


def note_failure(job_id: int, kind: str, error: BaseException | None, fault: str) -> None:
    """Write down why a job failed, and tell the information centre: a kind once a day.

    `fault` is the number under which the log says more.
    """
    said: dict[str, Any] = {"fault": fault}
    if isinstance(error, PortalError):
        said |= {"type": type(error).__name__, "details": error.details}
    elif error is not None:
        said["type"] = type(error).__name__
    with transaction(system_actor(), action="job.fail") as connection:
        parameters = {"job_id": job_id, "error": json.dumps(said, default=str)}
        connection.execute(_SQL["note_failure"], parameters)
        source = f"job:{kind}"
        codes = connection.execute(_SQL["information_centres"], {"source": source}).scalars()
        IN_APP.send(connection, [_notice(code, job_id, fault, source) for code in codes])


def _notice(division_code: str, job_id: int, fault: str, source: str) -> Notice:
    return Notice(
        role=Role.INFORMATION_CENTRE,
        division_code=division_code,
        title="后台任务失败",
        body=f"任务 {job_id} 未能完成（故障编号 {fault}）。请在“后台任务”页查看原因，处理后重试。",
        link=f"jobs?job={job_id}",
        source_table=source,
        source_id=job_id,
    )


def forget_old(connection: Connection) -> int:
    """Remove the records of jobs that ended long ago; return how many."""
    return connection.execute(_SQL["forget_jobs"]).rowcount


def expire_sessions(connection: Connection) -> int:
    """Close the sessions whose time is over, and return how many; forget what sign-ins left."""
    connection.execute(_SQL["forget_sign_ins"])
    return connection.execute(_SQL["expire_sessions"]).rowcount
