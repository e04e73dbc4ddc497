"""Plan-preparation progress as the province accepted it, now or at any past moment."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from sqlalchemy import Connection

from data_access.queries import load_queries
from data_access.rows import fetch_all
from domain.clock import BEIJING, now, today
from domain.errors import NotFound
from domain.progress import Disposition, MilestoneState, UnitProgress

_SQL = load_queries("progress")


@dataclass(frozen=True, slots=True)
class MilestoneView:
    """One stage of one plan as accepted at a moment; `pending_*` is filed and not yet accepted."""

    plan_id: int
    plan_type: str
    plan_name: str
    is_headline: bool
    disposition: Disposition
    plan_type_name: str
    stage_code: str
    stage_order: int
    stage_name: str
    responsible: str
    evidence_items: list[str]
    minimum_days: int | None
    weight_ratio: float
    state: MilestoneState
    baseline_on: date | None
    replanned_on: date | None
    replan_reason: str | None
    started_on: date | None
    completed_on: date | None
    skip_reason: str | None
    late_reason: str | None
    evidence_ids: list[int]
    submission_id: int | None
    version_no: int | None
    import_source: str | None
    """File and row, where the stage was accepted from a sheet of before the portal."""
    accepted_by_name: str | None
    accepted_at: datetime | None
    pending_state: str | None
    pending_completed_on: date | None
    late_days: int | None


def moment_of(day: date | None) -> tuple[datetime, date]:
    """Return the moment and the day that an as-of date means: its last instant in Beijing.

    None and today mean now; a day to come is today.
    """
    if day is None or day >= today():
        return now(), today()
    return datetime.combine(day + timedelta(days=1), time(), BEIJING) - timedelta(
        microseconds=1
    ), day


def list_units(connection: Connection, moment: datetime, day: date) -> list[UnitProgress]:
    """Return the reporting units in the actor's scope as they stood at the moment."""
    return fetch_all(
        connection, _SQL["list_units"], UnitProgress, moment=moment, day=day, code=None
    )


def get_unit(connection: Connection, code: str, moment: datetime, day: date) -> UnitProgress:
    """Return one reporting unit; raise NotFound outside the actor's scope."""
    for unit in fetch_all(
        connection, _SQL["list_units"], UnitProgress, moment=moment, day=day, code=code
    ):
        return unit
    raise NotFound(code=code)


def month_ends(day: date, count: int) -> list[datetime]:
    """Return the last instants of the `count` months before the day's own, oldest first."""
    moments: list[datetime] = []
    first = day.replace(day=1)
    for _ in range(count):
        moments.append(datetime.combine(first, time(), BEIJING) - timedelta(microseconds=1))
        first = (first - timedelta(days=1)).replace(day=1)
    return moments[::-1]


def list_milestones(
    connection: Connection, code: str, moment: datetime, day: date
) -> list[MilestoneView]:
    """Return every stage of every plan of a unit, the headline plan first."""
    return fetch_all(
        connection, _SQL["list_milestones"], MilestoneView, code=code, moment=moment, day=day
    )


def data_version(connection: Connection) -> str:
    """Return what moves with each committed change that a dashboard shows; compare for equality."""
    return str(connection.scalar(_SQL["data_version"]))
