"""What the map of villages says beside its tiles: counts by colour, a search, one village."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection

from data_access.queries import load_queries
from data_access.rows import fetch_all, fetch_one
from domain.normalisation import searched

_SQL = load_queries("village_map")
MOST_FOUND = 12


@dataclass(frozen=True, slots=True)
class Count:
    """Points of a county with one value of what colours the map; None where nothing is known."""

    county: str
    value: str | None
    points: int


@dataclass(frozen=True, slots=True)
class Area:
    """A city or a county."""

    code: str
    name: str
    level: str
    parent_code: str
    prefix: str


@dataclass(frozen=True, slots=True)
class Found:
    """A village or natural village that a search found."""

    code: str
    name: str
    layer_code: str
    village_name: str
    above: str | None


@dataclass(frozen=True, slots=True)
class VillageCard:
    """One village: who it is for everyone, where it stands for those whose scope covers it."""

    code: str
    division_code: str
    name: str
    layer_code: str
    village_name: str
    longitude: float
    latitude: float
    above: str | None
    natural_villages: int
    submission_id: int | None
    state: str | None
    village_class: str | None
    eval_conclusion: str | None
    geohazard_level: str | None


@dataclass(frozen=True, slots=True)
class Word:
    table_code: str
    code: str
    name: str


def count_standing(
    connection: Connection, layer_code: str, column: str, prefix: str
) -> list[Count]:
    """Return how many points of a layer have which value, by county, within the actor's scope."""
    return fetch_all(
        connection,
        _SQL["count_standing"],
        Count,
        layer_code=layer_code,
        column=column,
        prefix=prefix,
    )


def list_areas(connection: Connection, day: date) -> list[Area]:
    """Return cities and counties of a day."""
    return fetch_all(connection, _SQL["list_areas"], Area, day=day)


def search_villages(connection: Connection, words: str, prefix: str) -> list[Found]:
    """Return villages by a part of their name or the beginning of their code."""
    sought = {"words": searched(words), "prefix": prefix, "most": MOST_FOUND}
    return fetch_all(connection, _SQL["search_villages"], Found, **sought)


def find_village(connection: Connection, code: str) -> VillageCard | None:
    """Return one village or natural village; its answers in the actor's scope alone."""
    return fetch_one(connection, _SQL["get_village"], VillageCard, code=code)


def list_words(connection: Connection) -> list[Word]:
    """Return the names of the codes that colour the map, in order."""
    return fetch_all(connection, _SQL["list_words"], Word)
