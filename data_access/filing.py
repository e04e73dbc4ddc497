"""What a filer's page asks beside the report itself: for which units, and who has it now."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection

from data_access.queries import load_queries
from data_access.reporting import ReportingPeriod
from data_access.rows import fetch_all, fetch_one
from domain.access import Actor, Role
from domain.clock import today

_SQL = load_queries("filing")
FILING_ROLES = (Role.CITY, Role.COUNTY)


@dataclass(frozen=True, slots=True)
class FilingUnit:
    code: str
    name: str
    level: str
    prefix: str


@dataclass(frozen=True, slots=True)
class WaitingStep:
    step_name: str
    reviewer_name: str
    due_on: date | None


def list_units(connection: Connection, actor: Actor, period: ReportingPeriod) -> list[FilingUnit]:
    """Return the units the actor files this period's form for: a grant on the unit itself."""
    codes = [
        grant.division_code
        for grant in actor.grants
        if grant.role in FILING_ROLES and grant.subject in (None, period.form_code)
    ]
    return fetch_all(
        connection,
        _SQL["list_units"],
        FilingUnit,
        day=today(),
        form_code=period.form_code,
        form_version=period.form_version,
        codes=codes,
    )


def find_waiting_step(connection: Connection, submission_id: int) -> WaitingStep | None:
    """Return the review a report waits for, or None where it waits for none."""
    return fetch_one(connection, _SQL["review_due"], WaitingStep, submission_id=submission_id)
