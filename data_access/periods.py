"""Reporting periods: opening, following who has not filed, extending, closing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from sqlalchemy import Connection

from data_access.inbox import IN_APP, Sender
from data_access.queries import load_queries
from data_access.rows import fetch_all, fetch_one
from data_access.supervision_desks import get_recipients
from domain.access import Actor, Role
from domain.clock import BEIJING
from domain.errors import InvalidAction, NotFound, NotPermitted
from domain.periods import period_start
from domain.progress import PeriodState, Share
from domain.supervision import Notice, unit_role

_SQL = load_queries("periods")
RUNNING_ROLES = (Role.PLAN_BUREAU, Role.INFORMATION_CENTRE)


@dataclass(frozen=True, slots=True)
class Filing:
    """Where one unit stands in one period; `deadline_at` includes its extension."""

    code: str
    name: str
    level: str
    kind: str
    prefix: str
    parent_code: str
    parent_name: str
    submission_id: int | None
    period_state: PeriodState
    no_change: bool
    submitted_at: datetime | None
    deadline_at: datetime
    is_extended: bool
    on_time: bool
    reminded_at: datetime | None

    @property
    def is_filed(self) -> bool:
        """In and not returned, as completeness counts it."""
        return self.period_state in (PeriodState.SUBMITTED, PeriodState.FILED)


@dataclass(frozen=True, slots=True)
class FilingFigures:
    """The counts of one period; the shares are those of the overview."""

    completeness: Share
    timeliness: Share
    no_change: int
    returned: int
    extended: int


@dataclass(frozen=True, slots=True)
class Extension:
    period_extension_id: int
    period_id: int
    period_name: str
    division_code: str
    division_name: str
    deadline_at: datetime
    reason: str
    granted_by_name: str
    granted_at: datetime


@dataclass(frozen=True, slots=True)
class Rhythm:
    """A form with the months of its periods: 1 is monthly, 3 quarterly."""

    form_code: str
    title: str
    period_months: int
    filed_from_above: bool
    """Whether its units are too many for a list: they are counted by area."""


@dataclass(frozen=True, slots=True)
class AreaFiling:
    """How far the units of one county are, of a form that is filed from above."""

    code: str
    name: str
    parent_name: str
    units: int
    filed: int
    returned: int
    townships: list[str]


@dataclass(frozen=True, slots=True)
class _Id:
    id: int


def may_run_periods(actor: Actor) -> bool:
    """Tell whether the actor opens, extends and closes periods."""
    return actor.has_role(*RUNNING_ROLES)


def end_of(day: date) -> datetime:
    """Return the last moment of a day in Beijing: what a deadline on that day means."""
    return datetime.combine(day, time.max, BEIJING)


def list_rhythms(connection: Connection) -> list[Rhythm]:
    """Return how often each form is filed, the form that is filed most often first."""
    found = fetch_all(connection, _SQL["list_rhythms"], Rhythm)
    return sorted(found, key=lambda rhythm: rhythm.period_months)


def default_deadline(connection: Connection, month: date) -> date:
    """Return the day of the month on which reports are due (setting `period_deadline_day`)."""
    setting = connection.execute(_SQL["deadline_day"]).scalar_one()
    last = (month.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
    return month.replace(day=max(1, min(int(setting), last.day)))


def open_period(
    connection: Connection,
    actor: Actor,
    form_code: str,
    day: date,
    deadline_on: date,
    *,
    name: str,
    notice: str,
    sender: Sender = IN_APP,
) -> int:
    """Open the period that holds the day, under the newest form and workflow; tell every unit.

    `notice` is what the units read. Return the period's id.
    """
    _require_runner(actor)
    rhythms = {each.form_code: each for each in list_rhythms(connection)}
    if form_code not in rhythms:
        raise NotFound(form_code=form_code)
    opened = fetch_one(
        connection,
        _SQL["open_period"],
        _Id,
        form_code=form_code,
        name=name,
        starts_on=period_start(day, rhythms[form_code].period_months),
        deadline_at=end_of(deadline_on),
        opened_by=actor.user_id,
    )
    if opened is None:
        raise NotFound(form_code=form_code)
    title, source = f"{name}填报期已开启", ("reporting_period", opened.id)
    told, link = _told_of(connection, opened.id, rhythms[form_code])
    sender.send(
        connection, [Notice(role, code, title, notice, link, *source) for role, code in told]
    )
    return opened.id


def _told_of(
    connection: Connection, period_id: int, rhythm: Rhythm
) -> tuple[list[tuple[Role, str]], str]:
    """Return who is told of a period, and the page where they file."""
    if rhythm.filed_from_above:
        return _filers_above(list_filing_by_area(connection, period_id)), "villages"
    filings = list_filing(connection, period_id)
    told = [(unit_role(each.level), each.code) for each in filings]
    return told, f"report?form={rhythm.form_code}"


def _filers_above(areas: Sequence[AreaFiling]) -> list[tuple[Role, str]]:
    """Return who is told of units that are filed from above: each county and each township."""
    counties = [(Role.COUNTY, area.code) for area in areas]
    return counties + [(Role.TOWNSHIP, code) for area in areas for code in area.townships]


def _require_runner(actor: Actor) -> None:
    if not may_run_periods(actor):
        raise NotPermitted(action="period")


def close_period(connection: Connection, actor: Actor, period_id: int) -> None:
    """Close an open period; raise InvalidAction when it is closed already."""
    _require_runner(actor)
    if not connection.execute(_SQL["close_period"], {"period_id": period_id}).rowcount:
        raise InvalidAction(period_id=period_id)


def extend(
    connection: Connection,
    actor: Actor,
    period_id: int,
    codes: Sequence[str],
    deadline_on: date,
    reason: str,
    *,
    title: str,
    body: str,
    sender: Sender = IN_APP,
) -> None:
    """Extend the deadline of the units to the end of a day, with a reason, and tell them.

    Raises InvalidAction for a closed period, RuleViolation when the day is not later.
    """
    _require_runner(actor)
    recipients = get_recipients(connection, codes)
    for recipient in recipients:
        if not actor.covers(recipient.prefix):
            raise NotPermitted(code=recipient.code)
    inserted = connection.execute(
        _SQL["extend"],
        {
            "period_id": period_id,
            "codes": [recipient.code for recipient in recipients],
            "deadline_at": end_of(deadline_on),
            "reason": reason.strip(),
            "granted_by": actor.user_id,
        },
    ).rowcount
    if inserted != len(recipients):
        raise InvalidAction(period_id=period_id)
    form_code = connection.scalar(_SQL["get_form_code"], {"period_id": period_id})
    link = f"report?form={form_code}"
    sender.send(
        connection,
        [
            Notice(each.role, each.code, title, body, link, "reporting_period", period_id)
            for each in recipients
        ],
    )


def list_filing(connection: Connection, period_id: int) -> list[Filing]:
    """Return every unit in the actor's scope that must file, with where its report stands."""
    return fetch_all(connection, _SQL["list_filing"], Filing, period_id=period_id)


def list_filing_by_area(connection: Connection, period_id: int) -> list[AreaFiling]:
    """Return how far the counties in the actor's scope are, of a form that is filed from above."""
    return fetch_all(connection, _SQL["list_filing_by_area"], AreaFiling, period_id=period_id)


def filing_figures(filings: Sequence[Filing]) -> FilingFigures:
    """Count a period's filings, as domain.progress.summarise counts units."""
    filed = [filing for filing in filings if filing.is_filed]
    return FilingFigures(
        completeness=Share(len(filed), len(filings)),
        timeliness=Share(sum(filing.on_time for filing in filed), len(filings)),
        no_change=sum(filing.no_change for filing in filed),
        returned=sum(filing.period_state is PeriodState.RETURNED for filing in filings),
        extended=sum(filing.is_extended for filing in filings),
    )


def list_extensions(
    connection: Connection,
    *,
    period_id: int | None = None,
    division_code: str | None = None,
    moment: datetime | None = None,
) -> list[Extension]:
    """Return the extensions in the actor's scope, newest first, granted up to the moment."""
    return fetch_all(
        connection,
        _SQL["list_extensions"],
        Extension,
        period_id=period_id,
        division_code=division_code,
        moment=moment,
    )
