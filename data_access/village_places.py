"""Where a village and its natural villages lie today."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from data_access.queries import load_queries
from data_access.rows import fetch_all
from domain.clock import today

_SQL = load_queries("village_places")


@dataclass(frozen=True, slots=True)
class Place:
    """A point in degrees of EPSG:4490, and from where an officer moved it last, if one did."""

    code: str
    name: str
    is_village: bool
    longitude: float
    latitude: float
    former_longitude: float | None
    former_latitude: float | None
    moved_by: str | None
    moved_at: datetime | None
    reason: str


def list_places(connection: Connection, village: str) -> list[Place]:
    """Return the village, where its place is known, and its natural villages.

    Who moved a place is told to whose scope the village is in.
    """
    return fetch_all(connection, _SQL["list_places"], Place, day=today(), village=village)
