"""Villages and natural villages: identities and positions, added many at a time."""

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date

from sqlalchemy import Connection

from data_access.bulk_load import one_trail_entry
from data_access.queries import load_queries

_SQL = load_queries("villages")
AT_ONCE = 10_000
Progress = Callable[[int, int], None]
"""Is told how many rows of how many are done."""


def quietly(done: int, total: int) -> None:
    """Tell nobody."""


@dataclass(frozen=True, slots=True)
class Places:
    """Named places by code, column by column; degrees of EPSG:4490."""

    codes: list[str] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    longitudes: list[float] = field(default_factory=list)
    latitudes: list[float] = field(default_factory=list)

    def columns(self) -> dict[str, list[str] | list[float]]:
        return {name: getattr(self, name) for name in self.__slots__}

    def digest(self) -> str:
        """Return the SHA-256 of the rows."""
        return digest(zip(*self.columns().values(), strict=True))


def digest(rows: Iterable[tuple[object, ...]]) -> str:
    """Return the SHA-256 of the rows, as the trail keeps it for a load."""
    lines = "".join("\t".join(map(str, row)) + "\n" for row in rows)
    return hashlib.sha256(lines.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Load:
    """What all rows of a load have in common."""

    valid_from: date
    action: str
    is_demo: bool = False
    say: Progress = quietly


def add_natural_villages(owner: Connection, places: Places, load: Load) -> None:
    """Add natural villages with one entry of the trail for all of them."""
    _add(owner, "natural_village", places, load)


def add_division_locations(owner: Connection, places: Places, load: Load) -> None:
    """Add the positions of divisions that have none, with one entry of the trail."""
    _add(owner, "division_location", places, load)


def _add(owner: Connection, table: str, places: Places, load: Load) -> None:
    total = len(places.codes)
    if not total:
        return
    common = {"valid_from": load.valid_from, "is_demo": load.is_demo}
    with one_trail_entry(owner, table, total, places.digest(), load.action):
        for start in range(0, total, AT_ONCE):
            end = min(start + AT_ONCE, total)
            part = {name: values[start:end] for name, values in places.columns().items()}
            owner.execute(_SQL[f"add_{table}s"], part | common)
            load.say(end, total)
