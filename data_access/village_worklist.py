"""The villages an officer files for: how far each is, found by name or code, and the next one."""

from dataclasses import dataclass

from sqlalchemy import Connection

from data_access import reporting
from data_access.queries import load_queries
from data_access.reporting import ReportingPeriod
from data_access.rows import fetch_all, fetch_one
from data_access.village_form import FORM_CODE
from domain.access import Actor
from domain.clock import today
from domain.errors import NotFound

_SQL = load_queries("village_worklist")
PAGE = 30  # villages
NOT_BEGUN = ""
"""The state of a village whose report nobody has opened."""


@dataclass(frozen=True, slots=True)
class VillageWork:
    code: str
    name: str
    town_name: str
    state: str
    """A SubmissionState, or NOT_BEGUN."""
    submission_id: int | None
    found: int
    """How many villages the search found in all."""


@dataclass(frozen=True, slots=True)
class Worklist:
    period: ReportingPeriod
    counts: dict[str, int]
    """State to number of the officer's villages."""
    villages: list[VillageWork]
    next_code: str | None


@dataclass(frozen=True, slots=True)
class _Count:
    state: str
    villages: int


def read_worklist(
    connection: Connection,
    actor: Actor,
    words: str = "",
    state: str | None = None,
    page: int = 1,
    town: str = "",
) -> Worklist:
    """Return one page of the actor's villages; raise NotFound where no period is open.

    `town` is the beginning of the codes of one township, '' for all of them.
    """
    period, key = _period_and_key(connection, actor)
    asked = {"words": words, "state": state, "town": town}
    counts = fetch_all(connection, _SQL["count_states"], _Count, **key, town=town)
    shown = {"most": PAGE, "skipped": (page - 1) * PAGE}
    return Worklist(
        period,
        {each.state: each.villages for each in counts},
        fetch_all(connection, _SQL["list_villages"], VillageWork, **key, **shown, **asked),
        connection.scalar(_SQL["next_village"], {**key, "code": ""}),
    )


def find_village(
    connection: Connection, actor: Actor, code: str
) -> tuple[ReportingPeriod, VillageWork, str | None]:
    """Return the period, one of the actor's villages, and the code of the next to be filed.

    Raises NotFound for a village that is not the actor's to file, and where no period is open.
    """
    period, key = _period_and_key(connection, actor)
    village = fetch_one(connection, _SQL["find_village"], VillageWork, **key, code=code)
    if village is None:
        raise NotFound(division_code=code)
    return period, village, connection.scalar(_SQL["next_village"], {**key, "code": code})


@dataclass(frozen=True, slots=True)
class Township:
    """A township of the actor's villages: how many there are, and how many are out of his hands."""

    prefix: str
    name: str
    villages: int
    filed: int


@dataclass(frozen=True, slots=True)
class InHand:
    """A report that its filer may submit, in the version that stands now."""

    code: str
    name: str
    submission_id: int
    draft_version: int
    lock_version: int


def list_townships(connection: Connection, actor: Actor) -> list[Township]:
    """Return the townships of the actor's villages; raise NotFound where no period is open."""
    _, key = _period_and_key(connection, actor)
    return fetch_all(connection, _SQL["list_townships"], Township, **key)


def list_in_hand(connection: Connection, actor: Actor, town: str = "") -> list[InHand]:
    """Return the begun reports that the actor may submit, in the order of the codes."""
    _, key = _period_and_key(connection, actor)
    return fetch_all(connection, _SQL["list_in_hand"], InHand, **key, town=town)


def _period_and_key(
    connection: Connection, actor: Actor
) -> tuple[ReportingPeriod, dict[str, object]]:
    period = reporting.current_period(connection, FORM_CODE)
    if period is None:
        raise NotFound(form_code=FORM_CODE)
    roles = reporting.load_filers(connection, FORM_CODE).filer_roles
    prefixes = [
        grant.prefix
        for grant in actor.grants
        if grant.role in roles and grant.subject in (None, FORM_CODE)
    ]
    return period, {"day": today(), "period_id": period.period_id, "prefixes": prefixes}
