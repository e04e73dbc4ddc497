"""Where a city says another figure than its counties together, and why nothing is said yet."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import Connection

from data_access.queries import load_queries
from data_access.rows import fetch_all

_SQL = load_queries("discrepancies")


@dataclass(frozen=True, slots=True)
class Discrepancy:
    """A city's figure that differs from what its counties have together.

    Where counties are missing, those that filed have more than the city already.
    """

    city_code: str
    city_name: str
    division_code: str
    report_year: int
    canonical_code: str
    city_value: Decimal
    counties_value: Decimal
    parts: int
    parts_expected: int
    found_at: datetime

    @property
    def missing(self) -> int:
        """How many counties have no value yet."""
        return self.parts_expected - self.parts


@dataclass(frozen=True, slots=True)
class Waiting:
    """A city's figure that is compared with its counties only when the missing ones have filed."""

    city_code: str
    city_name: str
    canonical_code: str
    parts: int
    parts_expected: int

    @property
    def missing(self) -> int:
        """How many counties have no value yet."""
        return self.parts_expected - self.parts


def list_discrepancies(
    connection: Connection, year: int | None = None, division_code: str | None = None
) -> list[Discrepancy]:
    """Return where a city and its counties differ, each once: all in scope, or of one unit."""
    return fetch_all(
        connection, _SQL["list_discrepancies"], Discrepancy, year=year, division_code=division_code
    )


def list_waiting(
    connection: Connection, year: int, canonical_code: str | None = None
) -> list[Waiting]:
    """Return what is not compared yet: of the actor's cities, or of the city above the actor."""
    return fetch_all(
        connection, _SQL["list_waiting"], Waiting, year=year, canonical_code=canonical_code
    )
