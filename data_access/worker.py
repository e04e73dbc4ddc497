"""The worker: one process that does the jobs, and the clock's, until it is told to stop.

Jobs run in threads, so that the heartbeat goes on beside them. A worker whose heartbeat ceased is
taken for dead and its jobs go on elsewhere, from their checkpoints. Anything the worker cannot
mend by itself, such as a database that went away, ends it: the supervisor starts it again.
"""

import asyncio
import logging
import os
import resource
import secrets
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import procrastinate
from procrastinate.exceptions import JobAborted
from procrastinate.jobs import Job, Status
from procrastinate.retry import BaseRetryStrategy, RetryDecision
from procrastinate.worker import Worker
from sqlalchemy import make_url

from data_access import jobs
from data_access.change_listener import listening
from data_access.jobs import JobStopped, JobTakenOver, RunningJob, Task
from data_access.settings import Refusal, read_settings
from domain.errors import DatabaseAway

_LOG = logging.getLogger("portal.worker")
_OPTIONS = "-c search_path=job_queue,public -c role=portal_app -c TimeZone=Asia/Shanghai"
_MOST_ATTEMPTS = 5  # a job that keeps taking its worker down with it
_MISSED_BY = 86_400  # seconds: what the clock asked for while nothing ran is done afterwards
TASK_MODULES = (
    "data_access.clock_tasks",
    "data_access.review_tasks",
    "data_access.workbook_jobs",
    "data_access.csv_jobs",
)


@dataclass(frozen=True, slots=True)
class Pace:
    """How often a worker shows that it lives, and when it is taken for dead; seconds."""

    heartbeat: float = 5
    dead_after: float = 20
    poll: float = 1
    """How late a job that waits for its moment may begin; one that does not begins at once."""
    grace: float = 6
    """What running jobs get when the worker is told to stop; the supervisor waits for 10."""


def run_worker(
    data_dir: Path | None = None,
    *,
    modules: Sequence[str] = TASK_MODULES,
    pace: Pace = Pace(),
) -> None:
    """Do jobs until SIGTERM or SIGINT; raise Refusal without a database."""
    if data_dir is not None:
        os.environ["PORTAL_DATA_DIR"] = str(data_dir)
    settings = read_settings()
    if settings.database_url is None:
        raise Refusal("The worker is started by ./portal run, which tells it the database.")
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s %(message)s")
    _LOG.setLevel(logging.INFO)
    for module in modules:
        import_module(module)
    _limit_memory(settings.worker_memory_mb)
    with listening():
        asyncio.run(_work(settings.database_url, pace))


def _limit_memory(megabytes: int) -> None:
    """A job that wants more fails with MemoryError; the machine and the others go on."""
    limit = megabytes * 1024 * 1024
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


async def _work(database_url: str, pace: Pace) -> None:
    app = build_app(database_url)
    async with app.open_async():
        workers = [_worker(app, queue, pace) for queue in jobs.QUEUES]
        _stop_on_signals(workers)
        ended = [asyncio.create_task(worker.run()) for worker in workers]
        watch = asyncio.create_task(_resume_stalled(app, pace))
        await asyncio.wait([*ended, watch], return_when=asyncio.FIRST_COMPLETED)
        for worker in workers:
            worker.stop()
        await asyncio.gather(*ended)
        watch.cancel()


def _worker(app: procrastinate.App, queue: str, pace: Pace) -> Worker:
    return Worker(
        app,
        queues=[queue],
        name=queue,
        concurrency=1,
        fetch_job_polling_interval=pace.poll,
        shutdown_graceful_timeout=pace.grace,
        install_signal_handlers=False,
        update_heartbeat_interval=pace.heartbeat,
        stalled_worker_timeout=pace.dead_after,
    )


def _stop_on_signals(workers: Sequence[Worker]) -> None:
    def stop() -> None:
        for worker in workers:
            worker.stop()

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop)


def build_app(database_url: str) -> procrastinate.App:
    """Return procrastinate's application with every registered task."""
    conninfo = make_url(database_url).set(drivername="postgresql")
    connector = procrastinate.PsycopgConnector(
        conninfo=conninfo.render_as_string(hide_password=False),
        kwargs={"options": _OPTIONS, "connect_timeout": 5},
        min_size=1,
        max_size=6,
    )
    app = procrastinate.App(connector=connector, periodic_defaults={"max_delay": _MISSED_BY})
    for each in jobs.registered_tasks():
        _register(app, each)
    return app


def _register(app: procrastinate.App, each: Task) -> None:
    known = app.task(
        name=each.kind,
        queue=each.queue,
        lock=each.kind if each.every else None,
        queueing_lock=each.kind if each.every else None,
        pass_context=True,
        retry=_GoOn(),
    )(_runner(each))
    if each.every:
        app.periodic(cron=each.every)(known)


class _GoOn(BaseRetryStrategy):
    """A job that was stopped by no fault of its own waits for better times, and goes on."""

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:
        if isinstance(exception, JobAborted):  # its worker goes down
            return RetryDecision(retry_in={"seconds": 0})
        if isinstance(exception, DatabaseAway):
            return RetryDecision(retry_in={"seconds": 2})
        return None


def _runner(each: Task) -> Callable[..., None]:
    def run(context: procrastinate.JobContext, **arguments: object) -> None:
        if each.every:
            arguments.pop("timestamp", None)  # when the clock asked
        job_id, attempt = context.job.id, context.job.attempts
        assert job_id is not None
        try:
            job = RunningJob(job_id, each.kind, attempt, context.should_abort)
            each.run(job, **arguments)
            job.confirm()
        except JobStopped:
            raise JobAborted from None
        except JobTakenOver:
            _LOG.critical("job %s has another worker by now: this one ends", job_id)
            os._exit(70)
        except DatabaseAway:
            raise
        except Exception as error:
            _note_failure(job_id, each.kind, error)
            raise

    return run


def _note_failure(job_id: int, kind: str, error: Exception | None) -> None:
    fault = secrets.token_hex(4)
    _LOG.error("fault %s: job %s (%s) failed", fault, job_id, kind, exc_info=error)
    try:
        jobs.note_failure(job_id, kind, error, fault)
    except Exception:
        _LOG.exception("fault %s could not be written down", fault)


async def _resume_stalled(app: procrastinate.App, pace: Pace) -> None:
    """Queue again what a dead worker left; give up what keeps killing its workers."""
    while True:
        for job in await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=pace.dead_after):
            assert job.id is not None
            if job.attempts + 1 < _MOST_ATTEMPTS:
                _LOG.warning("job %s lost its worker and goes on", job.id)
                await app.job_manager.retry_job(job)
            else:
                await app.job_manager.finish_job(job, Status.FAILED, delete_job=False)
                await asyncio.to_thread(_note_failure, job.id, job.task_name, None)
        await asyncio.sleep(pace.dead_after / 2)
