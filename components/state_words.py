"""Where a report stands, in one sentence: who has it now, and by when."""

from collections.abc import Sequence
from datetime import datetime

from data_access.reporting import Submission
from domain.clock import BEIJING, moment, now
from domain.workflow import SubmissionState, WorkflowStep


def moment_text(at: datetime | None) -> str:
    """Return a time as 11月22日 10:32, — for none."""
    return moment(at) if at else "—"


def state_sentence(submission: Submission, steps: Sequence[WorkflowStep]) -> str:
    """Return what happened last and what comes next."""
    if submission.state is SubmissionState.FILED:
        return (
            f"已备案（{moment_text(submission.filed_at)}），回执编号 **{submission.receipt_no}**，"
            f"校验值 `{(submission.receipt_hash or '')[:16]}…`。"
        )
    if submission.state is SubmissionState.SUBMITTED:
        step = next((s for s in steps if s.step_no == submission.step_no), None)
        return (
            f"第 {submission.round_no} 轮，{submission.filer_name or '填报人'}于"
            f" {moment_text(submission.submitted_at)} 报送，"
            f"等待**{step.name if step else '审核'}**。"
        )
    if submission.state is SubmissionState.RETURNED:
        return (
            f"已退回，进入第 {submission.round_no} 轮，"
            f"等待{submission.division_name}修改后重新报送。"
        )
    return (
        f"填报中，截止 {moment_text(submission.deadline_at)}{_days_left(submission.deadline_at)}。"
    )


def _days_left(deadline: datetime) -> str:
    days = (deadline.astimezone(BEIJING).date() - now().date()).days
    if deadline < now():
        return f"，已逾期 {max(-days, 0)} 天"
    return f"，还有 {days} 天" if days else "，今日截止"
