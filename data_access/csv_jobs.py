"""The jobs of CSV: a file made for a download, one read and compared, one written into drafts."""

from data_access import csv_apply, csv_check, csv_exports, csv_rules
from data_access.csv_batches import Tell, get_batch
from data_access.database import transaction
from data_access.jobs import RunningJob, task
from data_access.workbook_exports import actor_of
from domain.csv_data import CsvState
from domain.jobs import JobKind


@task(JobKind.EXPORT_CSV)
def export_csv(job: RunningJob, export_id: str) -> None:
    """Make the file that was asked for."""
    csv_exports.run_job(job, export_id)


@task(JobKind.CHECK_CSV)
def check_csv(job: RunningJob, batch_id: int) -> None:
    """Read one file, compare it with the drafts, and ask the rules of what would stand then."""
    actor = actor_of(job.requested_by)
    with transaction(actor, read_only=True) as connection:
        state = get_batch(connection, batch_id).state
    if state is CsvState.CHECKING:  # a job that comes again after its end has nothing left to do
        csv_check.check(actor, batch_id, _teller(job))
    csv_rules.judge(actor, batch_id, _teller(job))


@task(JobKind.APPLY_CSV)
def apply_csv(job: RunningJob, batch_id: int) -> None:
    """Write one batch into the drafts, all of it or nothing."""
    actor = actor_of(job.requested_by)
    csv_apply.write(actor, batch_id, _teller(job))
    csv_rules.judge(actor, batch_id, _teller(job))  # where it had to be compared anew


def _teller(job: RunningJob) -> Tell:
    """Say how far it is beside the transaction that works; a job that was stopped ends there."""

    def tell(done: int, total: int, message: str) -> None:
        with job.transaction() as beside:
            job.report(beside, done, total, message)

    return tell
