"""Work that outlives a page: the kinds there are, and where one can stand."""

from enum import StrEnum


class JobState(StrEnum):
    """The words of the queue in the database."""

    WAITING = "todo"
    RUNNING = "doing"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    ABORTED = "aborted"


class JobKind(StrEnum):
    ANCHOR_TRAIL = "trail.anchor"
    ESCALATE_REMINDERS = "reminder.escalate"
    FORGET_UPLOADS = "upload.forget"
    EXPIRE_SESSIONS = "session.expire"
    FOLD_ROLLUP = "rollup.fold"
    DELIVER_EVENTS = "event.deliver"
    FORGET_JOBS = "job.forget"
    EXPORT_WORKBOOK = "workbook.export"
    APPLY_WORKBOOK = "workbook.apply"
    FORGET_WORKBOOKS = "workbook.forget"
    EXPORT_CSV = "csv.export"
    CHECK_CSV = "csv.check"
    APPLY_CSV = "csv.apply"
    DECIDE_IN_BULK = "review.bulk"
    COUNT_WAITING = "review.count"
    SETTLE_STOPPED = "review.settle"


# What ended without its result, and may be asked for again.
UNFINISHED = frozenset({JobState.FAILED, JobState.CANCELLED, JobState.ABORTED})
UNDER_WAY = frozenset({JobState.WAITING, JobState.RUNNING})
