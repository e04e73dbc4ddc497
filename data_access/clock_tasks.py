"""What the clock asks for: each line says when, in UTC."""

from data_access import (
    indicator_warnings,
    jobs,
    outbox,
    reminders,
    trail,
    uploads,
    village_overview,
)
from data_access.jobs import RunningJob, task
from data_access.settings import read_settings
from domain import clock
from domain.jobs import JobKind


@task(JobKind.ANCHOR_TRAIL, every="* * * * *")
def anchor_trail(job: RunningJob) -> None:
    """Write the heads of the trail's chains into the file outside the database."""
    with job.transaction() as connection:
        trail.anchor(connection, read_settings().data_dir)


@task(JobKind.DELIVER_EVENTS, every="* * * * *")
def deliver_events(job: RunningJob) -> None:
    """Deliver what waits in the outbox, a hundred events a transaction."""
    delivered = 1
    while delivered:
        with job.transaction() as connection:
            delivered = outbox.deliver_waiting(connection)


@task(JobKind.ESCALATE_REMINDERS, every="*/10 * * * *")
def escalate_reminders(job: RunningJob) -> None:
    """Pass unanswered reminders, and warnings of indicators, to the level above."""
    with job.transaction() as connection:
        reminders.escalate_due(connection, clock.today())
        indicator_warnings.escalate_due(connection, clock.today())


@task(JobKind.EXPIRE_SESSIONS, every="*/10 * * * *")
def expire_sessions(job: RunningJob) -> None:
    """Close the sessions whose time is over; forget old tickets and failures."""
    with job.transaction() as connection:
        jobs.expire_sessions(connection)


@task(JobKind.FOLD_ROLLUP, every="*/5 * * * *")
def fold_rollup(job: RunningJob) -> None:
    """Make one row of the rows of each sum of village evaluations; forget what all have heard."""
    with job.transaction() as connection:
        village_overview.fold(connection)
        village_overview.forget_moves(connection)


@task(JobKind.FORGET_UPLOADS, every="15 18 * * *")
def forget_uploads(job: RunningJob) -> None:
    """Forget the uploads that were given up."""
    with job.transaction() as connection:
        uploads.remove_abandoned(connection)


@task(JobKind.FORGET_JOBS, every="25 18 * * *")
def forget_jobs(job: RunningJob) -> None:
    """Forget jobs that ended long ago."""
    with job.transaction() as connection:
        jobs.forget_old(connection)
