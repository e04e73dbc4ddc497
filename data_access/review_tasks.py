"""The worker's part of reviewing: bulk decisions take effect, and waiting reports are counted."""

from data_access import bulk_review, review_summaries, sessions
from data_access.database import transaction
from data_access.jobs import PROMPT, RunningJob, task
from domain.jobs import JobKind


@task(JobKind.DECIDE_IN_BULK, queue=PROMPT)
def decide_in_bulk(job: RunningJob, *, bulk_decision_id: int, user_id: int) -> None:
    """Carry out a bulk decision as the reviewer, with the rights he has by now.

    What is done stands in the items: after a kill the next attempt goes on with what is left.
    """
    settled = 1
    while settled:
        job.check()
        with transaction(None, read_only=True) as connection:
            reviewer = sessions.actor_today(connection, user_id)
        with transaction(reviewer, read_only=True) as connection:
            bulk = bulk_review.get(connection, bulk_decision_id)
        with transaction(reviewer, action=f"submission.{bulk.action.value}") as connection:
            settled = bulk_review.carry_out(
                connection, reviewer, bulk_decision_id, bulk_review.CHUNK
            )
            done = bulk.done + bulk.left_out + settled
            job.report(connection, done, done + max(0, bulk.pending - settled), "批量办理")


@task(JobKind.SETTLE_STOPPED, every="* * * * *")
def settle_stopped(job: RunningJob) -> None:
    """Leave out what the stopped jobs of bulk decisions left pending, and tell the reviewers."""
    with job.transaction() as connection:
        stopped = bulk_review.list_stopped(connection)
    for bulk_decision_id, user_id in stopped:
        job.check()
        with transaction(None, read_only=True) as connection:
            reviewer = sessions.actor_today(connection, user_id)
        with transaction(reviewer, action="review.settle") as connection:
            bulk_review.settle_stopped(connection, reviewer, bulk_decision_id)


@task(JobKind.COUNT_WAITING, every="* * * * *")
def count_waiting(job: RunningJob) -> None:
    """Count the waiting reports that came without their counts."""
    counted = 1
    while counted:
        with job.transaction() as connection:
            counted = review_summaries.write_missing(connection)
