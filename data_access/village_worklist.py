"""The villages an officer files for: how far each is, found by name or code, and the next one."""

from collections import Counter
from dataclasses import dataclass

from sqlalchemy import Connection

from data_access import reporting
from data_access.queries import load_queries
from data_access.reporting import ReportingPeriod
from data_access.rows import fetch_all, fetch_one
from data_access.village_form import FORM_CODE
from domain.access import Actor
from domain.clock import today
from domain.errors import NoOpenPeriod, NotFound
from domain.normalisation import searched
from domain.workflow import SubmissionState

_SQL = load_queries("village_worklist")
PAGE = 30  # villages
NOT_BEGUN = ""
"""The state of a village whose report nobody has opened."""
_IN_HAND = (NOT_BEGUN, SubmissionState.DRAFT, SubmissionState.RETURNED)
_OUT_OF_HAND = (SubmissionState.SUBMITTED, SubmissionState.FILED)


@dataclass(frozen=True, slots=True)
class VillageWork:
    code: str
    name: str
    town_code: str
    town_name: str
    state: str
    """A SubmissionState, or NOT_BEGUN."""
    submission_id: int | None
    draft_version: int | None
    lock_version: int | None


@dataclass(frozen=True, slots=True)
class Worklist:
    period: ReportingPeriod
    counts: dict[str, int]
    """State to number of the officer's villages."""
    villages: list[VillageWork]
    """Those of the page."""
    found: int
    """How many villages the search found in all."""
    next_code: str | None


@dataclass(frozen=True, slots=True)
class Township:
    """A township of the actor's villages: how many there are, and how many are out of his hands."""

    prefix: str
    name: str
    villages: int
    filed: int


@dataclass(frozen=True, slots=True)
class ReturnedLate:
    """A report of a closed period that was returned: it may be corrected and filed again."""

    code: str
    name: str
    town_name: str
    period_id: int
    period_name: str
    submission_id: int


@dataclass(frozen=True, slots=True)
class InHand:
    """A report that its filer may submit, in the version that stands now."""

    code: str
    name: str
    town_name: str
    submission_id: int
    draft_version: int
    lock_version: int


@dataclass(frozen=True, slots=True)
class Held:
    """All villages that an officer files for, in the order of their codes: 480 at most in a county.

    `town` is everywhere the code of one township, '' for all of them.
    """

    period: ReportingPeriod
    villages: list[VillageWork]

    def worklist(
        self, words: str = "", state: str | None = None, page: int = 1, town: str = ""
    ) -> Worklist:
        """Return one page of the villages of a state, with the words in the name or as the code."""
        within, words = self._within(town), searched(words)
        found = [
            each
            for each in within
            if state in (None, each.state) and (words in each.name or each.code.startswith(words))
        ]
        return Worklist(
            self.period,
            dict(Counter(each.state for each in within)),
            found[(page - 1) * PAGE : page * PAGE],
            len(found),
            next((each.code for each in self.villages if each.state in _IN_HAND), None),
        )

    def townships(self) -> list[Township]:
        """Return the townships, in the order of their codes."""
        towns = sorted({(each.town_code, each.town_name) for each in self.villages})
        villages = Counter(each.town_code for each in self.villages)
        filed = Counter(each.town_code for each in self.villages if each.state in _OUT_OF_HAND)
        return [Township(code, name, villages[code], filed[code]) for code, name in towns]

    def in_hand(self, town: str = "") -> list[InHand]:
        """Return the begun reports that the officer may submit."""
        return [
            InHand(
                each.code,
                each.name,
                each.town_name,
                each.submission_id,
                each.draft_version,
                each.lock_version,
            )
            for each in self._within(town)
            if each.submission_id and each.draft_version and each.lock_version
        ]

    def _within(self, town: str) -> list[VillageWork]:
        return [each for each in self.villages if town in ("", each.town_code)]


def read_held(connection: Connection, actor: Actor) -> Held:
    """Return the actor's villages; raise NoOpenPeriod where no period is open."""
    period = _open_period(connection)
    key = _key(connection, actor, period)
    return Held(period, fetch_all(connection, _SQL["list_held"], VillageWork, **key))


def list_returned(connection: Connection, actor: Actor) -> list[ReturnedLate]:
    """Return the actor's reports of closed periods that were returned, the newest period first."""
    key = {"day": today(), "prefixes": _prefixes(connection, actor), "form_code": FORM_CODE}
    return fetch_all(connection, _SQL["list_returned"], ReturnedLate, **key)


def find_village(
    connection: Connection, actor: Actor, code: str, period_id: int | None = None
) -> tuple[ReportingPeriod, VillageWork, str | None]:
    """Return the period, one of the actor's villages, and the code of the next to be filed.

    Of a closed period, a report that was begun. Raises NotFound for a village that is not the
    actor's to file, and NoOpenPeriod between periods where none is asked for.
    """
    opened = reporting.current_period(connection, FORM_CODE)
    if period_id is None or (opened and opened.period_id == period_id):
        period = opened or _open_period(connection)
    else:
        period = _known_period(connection, period_id)
    key = _key(connection, actor, period)
    village = fetch_one(connection, _SQL["find_village"], VillageWork, **key, code=code)
    if village is None or (period.closed_at and village.submission_id is None):
        raise NotFound(division_code=code)
    if opened is None:
        return period, village, None
    following = {**_key(connection, actor, opened), "code": code}
    return period, village, connection.scalar(_SQL["next_village"], following)


def _open_period(connection: Connection) -> ReportingPeriod:
    period = reporting.current_period(connection, FORM_CODE)
    if period is None:
        raise NoOpenPeriod(form_code=FORM_CODE)
    return period


def _known_period(connection: Connection, period_id: int) -> ReportingPeriod:
    periods = reporting.list_periods(connection, FORM_CODE)
    period = next((each for each in periods if each.period_id == period_id), None)
    if period is None:
        raise NotFound(period_id=period_id)
    return period


def _key(connection: Connection, actor: Actor, period: ReportingPeriod) -> dict[str, object]:
    prefixes = _prefixes(connection, actor)
    return {"day": today(), "period_id": period.period_id, "prefixes": prefixes}


def _prefixes(connection: Connection, actor: Actor) -> list[str]:
    """Return the prefixes of the villages that the actor files for, none within another."""
    roles = reporting.load_filers(connection, FORM_CODE).filer_roles
    granted = {
        grant.prefix
        for grant in actor.grants
        if grant.role in roles and grant.subject in (None, FORM_CODE)
    }
    wider = tuple(granted)
    return [one for one in granted if not any(one != it and one.startswith(it) for it in wider)]
