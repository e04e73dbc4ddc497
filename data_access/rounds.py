"""A unit's reports with every decision on them, as they stood at a moment."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection

from data_access.queries import load_queries
from data_access.reporting import Remark, ReviewEvent
from data_access.rows import fetch_all
from domain.workflow import ReviewAction, SubmissionState

_SQL = load_queries("rounds")


@dataclass(frozen=True, slots=True)
class ReportHistory:
    """One report: its period, and what was decided on it, oldest first."""

    submission_id: int
    period_name: str
    starts_on: date
    no_change: bool
    receipt_no: str | None
    events: list[ReviewEvent]
    remarks: list[Remark]

    @property
    def state(self) -> SubmissionState:
        return self.events[-1].to_state

    @property
    def version_no(self) -> int:
        return self.events[-1].version_no

    @property
    def round_no(self) -> int:
        return max(event.round_no for event in self.events)

    @property
    def submitted_at(self) -> datetime | None:
        """When it was last filed."""
        filed = [event for event in self.events if event.action is ReviewAction.SUBMIT]
        return filed[-1].happened_at if filed else None


@dataclass(frozen=True, slots=True)
class _Report:
    submission_id: int
    period_name: str
    starts_on: date
    no_change: bool
    receipt_no: str | None


def list_reports(
    connection: Connection, form_code: str, division_code: str, moment: datetime
) -> list[ReportHistory]:
    """Return the unit's reports on a form filed by the moment, newest period first."""
    key = {"division_code": division_code, "moment": moment}
    events: dict[int, list[ReviewEvent]] = defaultdict(list)
    for event in fetch_all(connection, _SQL["list_unit_events"], ReviewEvent, **key):
        events[event.submission_id].append(event)
    remarks: dict[datetime, list[Remark]] = defaultdict(list)
    for remark in fetch_all(connection, _SQL["list_unit_remarks"], Remark, **key):
        remarks[remark.happened_at].append(remark)
    return [
        ReportHistory(
            report.submission_id,
            report.period_name,
            report.starts_on,
            report.no_change,
            report.receipt_no,
            events[report.submission_id],
            [one for event in events[report.submission_id] for one in remarks[event.happened_at]],
        )
        for report in fetch_all(
            connection, _SQL["list_unit_reports"], _Report, form_code=form_code, **key
        )
    ]
