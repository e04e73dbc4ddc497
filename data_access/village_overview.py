"""Village evaluations as the leader reads them: sums by division, and the villages behind each."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import Connection

from data_access.queries import load_queries
from data_access.rows import fetch_all, fetch_one
from data_access.village_form import FORM_CODE
from domain.village_overview import Amount, Counts, Place, Standing, counts_of

_SQL = load_queries("village_overview")
_SOURCES = {
    "asked": "asked_villages",
    "unreported": "asked_villages",
    "state": "villages_in_state",
    "in_time": "villages_in_time",
}


@dataclass(frozen=True, slots=True)
class Year:
    """A year that was opened, and the day whose villages it asks."""

    year: int
    name: str
    deadline_at: datetime
    day: date


@dataclass(frozen=True, slots=True)
class Village:
    """One village of a list, with what was accepted of the year; None is not said."""

    code: str
    name: str
    town_name: str
    county_name: str
    state: str
    submitted_at: datetime | None
    village_class: str | None
    plan_status: str | None
    eval_conclusion: str | None
    geohazard_points: int | None
    flood_risk: bool | None
    natural_cnt: int | None
    hukou_pop: int | None
    resident_pop: int | None
    submission_id: int | None
    receipt_no: str


@dataclass(frozen=True, slots=True)
class Record:
    """What a year says of one village; `facts` are the accepted fields, None before that."""

    code: str
    name: str
    submission_id: int | None
    state: str
    submitted_at: datetime | None
    facts: dict[str, object] | None


@dataclass(frozen=True, slots=True)
class NaturalVillage:
    """One natural village, with the accepted fields of a year or None."""

    code: str
    name: str
    facts: dict[str, object] | None


@dataclass(frozen=True, slots=True)
class Difference:
    """A sum that is not what a full recount finds."""

    division_code: str
    report_year: int
    measure: str
    code: str
    kept: Decimal
    counted: Decimal


@dataclass(frozen=True, slots=True)
class MapDifference:
    """What the map shows of a village, its sign or its points in a cell, and a recount does not."""

    division_code: str
    shown: str
    kept: str
    counted: str


def list_years(connection: Connection) -> list[Year]:
    """Return the years opened so far, the newest first."""
    return fetch_all(connection, _SQL["list_years"], Year, form_code=FORM_CODE)


def list_places(connection: Connection, day: date, code: str) -> list[Place]:
    """Return the tops of the actor's scope on a day, and the divisions from there down to a code.

    The code may be of a village or a natural village; the last division is then its township.
    """
    return fetch_all(connection, _SQL["list_places"], Place, day=day, code=code)


def list_parts(connection: Connection, day: date, place: Place, level: str) -> list[Place]:
    """Return the divisions of a level above the villages within a place, in the actor's scope."""
    within = {"prefix": place.prefix, "level": level}
    return fetch_all(connection, _SQL["list_parts"], Place, day=day, **within)


def read_standing(
    connection: Connection, place: Place, parts: Sequence[Place], years: Sequence[Year]
) -> Standing:
    """Return how the villages of a place stand in a year, and each of its parts, of one level.

    `years` are that year and, where there was one, the year before.
    """
    year = years[0].year
    asked = _count_asked(connection, place, parts, years)
    key = {"level": place.level, "code": place.code}
    numbers = [one.year for one in years]
    sums = fetch_all(connection, _SQL["sum_all"], Amount, years=numbers, **key)
    whole = counts_of([*sums, *asked])
    return Standing(
        place=place,
        year=year,
        now=whole.get((place.code, year), Counts()),
        before=whole.get((place.code, year - 1), Counts()),
        parts=_parts(connection, parts, asked, year),
    )


def _count_asked(
    connection: Connection, place: Place, parts: Sequence[Place], years: Sequence[Year]
) -> list[Amount]:
    on = {"years": [one.year for one in years], "days": [one.day for one in years]}
    whole = {"whole": place.code, "year": years[0].year}
    codes = [place.code, *(part.code for part in parts)]
    return fetch_all(connection, _SQL["count_asked"], Amount, codes=codes, **on, **whole)


def _parts(
    connection: Connection, parts: Sequence[Place], asked: Sequence[Amount], year: int
) -> tuple[tuple[Place, Counts], ...]:
    if not parts:
        return ()
    within = {"level": parts[0].level, "codes": [part.code for part in parts]}
    ranked = fetch_all(connection, _SQL["sum_parts"], Amount, year=year, **within)
    counts = counts_of([*ranked, *asked])
    return tuple((part, counts.get((part.code, year), Counts())) for part in parts)


def list_villages(
    connection: Connection,
    year: Year,
    prefix: str,
    measure: str,
    codes: Sequence[str],
    *,
    skipped: int = 0,
    most: int | None = None,
) -> list[Village]:
    """Return the villages behind a figure, in order of their codes; None is without an end."""
    common = {"day": year.day, "year": year.year, "form_code": FORM_CODE}
    figure = {"prefix": prefix, "measure": measure, "codes": list(codes)}
    page = {"skipped": skipped, "most": most}
    query = _SQL[_SOURCES.get(measure, "accepted_villages")]
    found = list(connection.scalars(query, common | figure | page))
    return fetch_all(connection, _SQL["list_villages"], Village, villages=found, **common)


def find_record(connection: Connection, year: Year, code: str) -> Record | None:
    """Return what a year says of a village; None where it is none or outside the scope."""
    asked = {"code": code, "day": year.day, "year": year.year, "form_code": FORM_CODE}
    return fetch_one(connection, _SQL["get_record"], Record, **asked)


def list_natural_villages(connection: Connection, year: Year, code: str) -> list[NaturalVillage]:
    """Return the natural villages of a village, in order of their codes."""
    asked = {"code": code, "day": year.day, "year": year.year}
    return fetch_all(connection, _SQL["list_natural_villages"], NaturalVillage, **asked)


def fold(connection: Connection) -> int:
    """Make one row of the rows of each sum, up to the province; return how many rows that moved."""
    return int(connection.execute(_SQL["fold"]).scalar_one())


def forget_moves(connection: Connection) -> None:
    """Forget which counties' villages moved, where every process has heard of it."""
    connection.execute(_SQL["forget_moves"])


def list_differences(connection: Connection) -> list[Difference]:
    """Return every sum that is not what a full recount finds; the owner's right."""
    return fetch_all(connection, _SQL["list_differences"], Difference)


def count_sums(connection: Connection) -> int:
    """Return how many sums are kept."""
    return int(connection.execute(_SQL["count_sums"]).scalar_one())


def list_map_differences(connection: Connection) -> list[MapDifference]:
    """Return every sign and cell of the map that a full recount finds otherwise; owner's right."""
    return fetch_all(connection, _SQL["list_map_differences"], MapDifference)


def count_map_rows(connection: Connection) -> int:
    """Return how many signs and cells with points the map has."""
    return int(connection.execute(_SQL["count_map_rows"]).scalar_one())


def rebuild(connection: Connection) -> None:
    """Count every sum anew, and what the map shows, while nobody files; the owner's right."""
    connection.execute(_SQL["rebuild"])
    connection.execute(_SQL["rebuild_map"])
