"""What the overview reads beside the units' progress, and the records behind its figures."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection

from data_access.queries import load_queries
from data_access.rows import fetch_all, fetch_one
from domain.overview import Stage
from domain.progress import MilestoneState

_SQL = load_queries("overview")


@dataclass(frozen=True, slots=True)
class Period:
    """A reporting period of plan progress."""

    period_id: int
    name: str
    starts_on: date
    ends_on: date
    deadline_at: datetime


@dataclass(frozen=True, slots=True)
class Filing:
    """The record of one unit's report in a period: who filed it and who decided on it."""

    code: str
    submission_id: int
    version_no: int
    filed_by: str
    filed_at: datetime
    decided_by: str | None
    decided_at: datetime | None


@dataclass(frozen=True, slots=True)
class AcceptedStage:
    """One stage of a headline plan as accepted, and its source: a report, or (None) an import."""

    code: str
    stage_order: int
    stage_name: str
    state: MilestoneState
    weight_ratio: float
    baseline_on: date | None
    completed_on: date | None
    submission_id: int | None
    version_no: int | None
    filed_by: str
    filed_at: datetime
    decided_by: str
    decided_at: datetime


def list_stages(connection: Connection) -> list[Stage]:
    """Return the stages of the headline plans in order."""
    return fetch_all(connection, _SQL["list_stages"], Stage)


def list_roots(connection: Connection) -> tuple[str, ...]:
    """Return the prefixes that cover every division of the installation."""
    return tuple(connection.scalars(_SQL["list_roots"]))


def find_period(connection: Connection, moment: datetime) -> Period | None:
    """Return the period that was open at the moment, if any."""
    return fetch_one(connection, _SQL["find_period"], Period, moment=moment)


def list_filings(connection: Connection, moment: datetime) -> list[Filing]:
    """Return the reports of the period that was open at the moment."""
    return fetch_all(connection, _SQL["list_filings"], Filing, moment=moment)


def list_accepted(connection: Connection, moment: datetime) -> list[AcceptedStage]:
    """Return every accepted stage of the headline plans at the moment."""
    return fetch_all(connection, _SQL["list_accepted"], AcceptedStage, moment=moment)
