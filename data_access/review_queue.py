"""What waits for a reviewer: a page of it, how much there is, and the filters he keeps.

Filtering, sorting and paging happen in the database, in one function (`review_queue`) that the
page, the count, the whole choice and a report's neighbours share.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection

from data_access.queries import load_queries
from data_access.rows import fetch_all, fetch_one
from domain.access import Actor, Role
from domain.bulk_review import MOST_AT_ONCE
from domain.clock import today
from domain.errors import NotFound
from domain.review_filter import ODD, PAGE_SIZE, UNSEEN, QueueFilter

_SQL = load_queries("review_queue")
_FILERS = (Role.CITY, Role.COUNTY)


@dataclass(frozen=True, slots=True)
class WaitingReport:
    """One row of the queue; counts are None for a version that nobody has counted yet."""

    submission_id: int
    lock_version: int
    form_code: str
    form_title: str
    period_name: str
    division_code: str
    division_name: str
    parent_name: str
    step_name: str
    round_no: int
    no_change: bool
    filer_name: str
    submitted_at: datetime
    due_on: date | None
    errors: int | None
    warnings: int | None
    changes: int | None
    attachments: int | None
    new_attachments: int | None
    pending_action: str | None
    """What somebody has decided in bulk and has not taken effect yet."""
    pending_at: datetime | None
    pending_by: str | None
    pending_id: int | None
    is_own_pending: bool


@dataclass(frozen=True, slots=True)
class QueueCount:
    waiting: int
    overdue: int


@dataclass(frozen=True, slots=True)
class Neighbours:
    """Where a report stands in a filtered queue, from 1, and what is beside it."""

    place: int
    waiting: int
    previous_id: int | None
    next_id: int | None


@dataclass(frozen=True, slots=True)
class QueuePeriod:
    period_id: int
    form_code: str
    form_title: str
    name: str


@dataclass(frozen=True, slots=True)
class QueueStep:
    form_code: str
    step_no: int
    name: str


@dataclass(frozen=True, slots=True)
class SavedFilter:
    saved_filter_id: int
    name: str
    query: str


def list_page(connection: Connection, actor: Actor, asked: QueueFilter) -> list[WaitingReport]:
    """Return one page of what waits for the actor's decision."""
    return fetch_all(
        connection,
        _SQL["list_page"],
        WaitingReport,
        **queue_parameters(connection, actor, asked),
        page_size=PAGE_SIZE,
        skipped=(asked.page - 1) * PAGE_SIZE,
    )


def count_queue(connection: Connection, actor: Actor, asked: QueueFilter) -> QueueCount:
    """Return how many reports the filter leaves, and how many of them are overdue."""
    parameters = queue_parameters(connection, actor, asked)
    found = fetch_one(connection, _SQL["count_queue"], QueueCount, **parameters)
    assert found is not None  # an aggregate always has its row
    return found


def list_seen(connection: Connection, actor: Actor, asked: QueueFilter) -> dict[int, int]:
    """Return every report that the filter leaves, with the version that stands now."""
    parameters = queue_parameters(connection, actor, asked)
    rows = connection.execute(_SQL["list_seen"], {**parameters, "most": MOST_AT_ONCE})
    return {row.submission_id: row.lock_version for row in rows}


def find_neighbours(
    connection: Connection, actor: Actor, asked: QueueFilter, submission_id: int
) -> Neighbours | None:
    """Return what stands beside a report in the filtered queue; None for one that left it."""
    parameters = queue_parameters(connection, actor, asked)
    return fetch_one(
        connection, _SQL["find_neighbours"], Neighbours, **parameters, submission_id=submission_id
    )


def list_periods(connection: Connection) -> list[QueuePeriod]:
    """Return the periods to choose from: what is open, and what has something waiting."""
    return fetch_all(connection, _SQL["list_periods"], QueuePeriod)


def list_steps(connection: Connection, actor: Actor) -> list[QueueStep]:
    """Return the steps of every form that the actor's roles decide."""
    roles = [role.value for role in actor.roles]
    return fetch_all(connection, _SQL["list_steps"], QueueStep, held_roles=roles)


def queue_parameters(connection: Connection, actor: Actor, asked: QueueFilter) -> Mapping[str, Any]:
    """Return what the database's function `review_queue` is asked with."""
    return {
        "held_roles": [grant.role.value for grant in actor.grants],
        "held_prefixes": [grant.prefix for grant in actor.grants],
        "user_id": actor.user_id,
        "own_units": [g.division_code for g in actor.grants if g.role in _FILERS],
        "today": today(),
        "form": asked.form or None,
        "period": asked.period,
        "step": asked.step,
        "round": asked.round,
        "unit_prefixes": _unit_prefixes(connection, asked.unit) if asked.unit else None,
        "warned": asked.warned,
        "overdue": asked.overdue,
        "unchanged": asked.unchanged,
        **_named(connection, actor, asked),
        "sort": asked.sort.value,
        "direction": -1 if asked.desc else 1,
    }


def _unit_prefixes(connection: Connection, text: str) -> list[str]:
    parameters = {"text": text, "pattern": _pattern(text), "today": today()}
    return list(connection.execute(_SQL["find_units"], parameters).scalars())


def _named(connection: Connection, actor: Actor, asked: QueueFilter) -> dict[str, object]:
    units: list[str] | None = None
    filers: list[int] = []
    if asked.q:
        named = {"text": asked.q, "pattern": _pattern(asked.q)}
        found = connection.execute(_SQL["find_named"], named).one()
        units, filers = found.units, found.filers
    if asked.only:
        picked = _picked(connection, actor, asked)
        # Of a township's villages the name is searched for, not who filed them.
        units, filers = [code for code in picked if units is None or code in units], []
    return {"named_units": units, "named_filers": None if units is None else filers}


def _picked(connection: Connection, actor: Actor, asked: QueueFilter) -> list[str]:
    """Return the villages `only` asks for: of the sample, or with something that stands out."""
    parameters = {
        "period": asked.period,
        "step": asked.step,
        "within": asked.unit,
        "user_id": actor.user_id,
        "unseen": asked.only == UNSEEN,
    }
    query = "find_odd" if asked.only == ODD else "find_sampled"
    return list(connection.execute(_SQL[query], parameters).scalars())


def _pattern(text: str) -> str:
    """Return the text for ILIKE, whose signs stand for themselves."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


# SAVED FILTERS


def list_saved_filters(connection: Connection) -> list[SavedFilter]:
    """Return the filters that the actor keeps."""
    return fetch_all(connection, _SQL["list_saved_filters"], SavedFilter)


def save_filter(connection: Connection, actor: Actor, name: str, asked: QueueFilter) -> int:
    """Keep a filter under a name, instead of an older one of that name; return its id."""
    parameters = {"user_id": actor.user_id, "name": name.strip(), "query": asked.to_query()}
    return int(connection.execute(_SQL["save_filter"], parameters).scalar_one())


def remove_filter(connection: Connection, saved_filter_id: int) -> None:
    """Forget one of the actor's filters; raise NotFound for another's."""
    parameters = {"saved_filter_id": saved_filter_id}
    if connection.execute(_SQL["remove_filter"], parameters).one_or_none() is None:
        raise NotFound(saved_filter_id=saved_filter_id)
