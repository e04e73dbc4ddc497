"""The jobs of large workbooks: one made for a download, one written into the drafts."""

from data_access import workbook_apply, workbook_exports
from data_access.jobs import RunningJob, task
from domain.jobs import JobKind


@task(JobKind.EXPORT_WORKBOOK)
def export_workbook(job: RunningJob, export_id: str) -> None:
    """Make the workbook that was asked for."""
    workbook_exports.run_job(job, export_id)


@task(JobKind.APPLY_WORKBOOK)
def apply_workbook(job: RunningJob, batch_id: int) -> None:
    """Write one batch into the drafts, all of it or nothing."""
    workbook_apply.run_job(job, batch_id)


@task(JobKind.FORGET_WORKBOOKS, every="35 18 * * *")
def forget_workbooks(job: RunningJob) -> None:
    """Forget batches whose time is over, and workbooks handed out half a year ago."""
    with job.transaction() as connection:
        workbook_exports.forget_old(connection)
