"""Who hears of a decision: the next reviewers of a report, or the unit that filed it."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection

from data_access.inbox import IN_APP, Sender
from data_access.queries import load_queries
from data_access.rows import fetch_all
from domain.access import Role
from domain.supervision import Notice, unit_role
from domain.workflow import Move, ReviewAction, SubmissionState

_SQL = load_queries("decision_notices")


@dataclass(frozen=True, slots=True)
class _Report:
    """A report with one division that reviews its waiting step, where one waits."""

    form_code: str
    filed_from_above: bool
    submission_id: int
    receipt_no: str | None
    division_code: str
    period_id: int
    division_name: str
    level: str
    period_name: str
    form_title: str
    step_name: str | None
    step_role: str | None
    reviewer_code: str | None


def tell(
    connection: Connection, moves: Mapping[int, Move], comment: str, sender: Sender = IN_APP
) -> None:
    """Tell whose turn it is after the moves, by submission.

    What a filer takes into his own hands concerns nobody else.
    """
    own = (ReviewAction.WITHDRAW, ReviewAction.REOPEN)
    told = [number for number, move in moves.items() if move.action not in own]
    if not told:
        return
    reports = fetch_all(connection, _SQL["describe_reports"], _Report, submission_ids=told)
    sender.send(
        connection,
        [_notice(each, moves[each.submission_id], comment) for each in reports],
    )


def _notice(report: _Report, move: Move, comment: str) -> Notice:
    subject = f"{report.division_name}{report.period_name}{report.form_title}"
    if move.target.state is SubmissionState.SUBMITTED and report.step_role and report.reviewer_code:
        role, code = Role(report.step_role), report.reviewer_code
        title, body = f"待审核：{subject}", f"{subject}已报送，等待{report.step_name}。"
    else:
        role, code = unit_role(report.level), report.division_code
        title, body = _outcome(subject, move, comment, report.receipt_no)
    number, returned = report.submission_id, move.target.state is SubmissionState.RETURNED
    link = f"report?form={report.form_code}" if returned else f"submission?id={number}"
    if returned and report.filed_from_above:
        link = f"village?code={report.division_code}&period={report.period_id}"
    return Notice(role, code, title, body, link, "submission", number)


def _outcome(subject: str, move: Move, comment: str, receipt_no: str | None) -> tuple[str, str]:
    if move.target.state is SubmissionState.RETURNED:
        return f"已退回：{subject}", f"请按退回意见修改后重新报送：{comment.strip()}"
    return f"已备案：{subject}", f"{subject}已经省级审核备案，回执编号 {receipt_no or '—'}。"
