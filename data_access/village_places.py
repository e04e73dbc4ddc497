"""Where a village and its natural villages lie today."""

from dataclasses import dataclass

from sqlalchemy import Connection

from data_access.queries import load_queries
from data_access.rows import fetch_all
from domain.clock import today

_SQL = load_queries("village_places")


@dataclass(frozen=True, slots=True)
class Place:
    """A point in degrees of EPSG:4490."""

    code: str
    name: str
    is_village: bool
    longitude: float
    latitude: float


def list_places(connection: Connection, village: str) -> list[Place]:
    """Return the village, where its place is known, and its natural villages."""
    return fetch_all(connection, _SQL["list_places"], Place, day=today(), village=village)
