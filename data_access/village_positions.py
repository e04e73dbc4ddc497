"""Correct where a village or a natural village lies: by who files for it, and taken back again."""

from dataclasses import dataclass
from datetime import date

import numpy as np
from sqlalchemy import Connection

from data_access import reporting
from data_access.portal_settings import read_settings
from data_access.queries import load_queries
from data_access.rows import fetch_one
from data_access.village_form import FORM_CODE
from data_access.village_import_crs import GEOGRAPHIC, TAKEN, to_degrees
from domain.access import Actor
from domain.clock import today
from domain.errors import NotFound, NotPermitted, PositionRefused, StaleVersion
from domain.positions import (
    Position,
    PositionFault,
    doubt,
    is_same,
    metres_between,
    read_number,
    require_degrees,
)
from domain.workflow import filing_role

_SQL = load_queries("village_positions")
_FAR = "position_far_km"
_VILLAGE_DIGITS, _TOWNSHIP_DIGITS, _COUNTY_DIGITS = 12, 9, 6


@dataclass(frozen=True, slots=True)
class Examined:
    """What is known of a new position before it is saved."""

    position: Position
    metres: float | None
    """From the present position; None where there is none."""
    in_county: bool | None
    """None where nobody has drawn the county."""
    doubt: PositionFault | None
    """Why a reason must be given."""


@dataclass(frozen=True, slots=True)
class _Place:
    code: str
    name: str
    longitude: float | None
    latitude: float | None

    @property
    def position(self) -> Position | None:
        return _position(self.longitude, self.latitude)


@dataclass(frozen=True, slots=True)
class _Former:
    longitude: float | None
    latitude: float | None


@dataclass(frozen=True, slots=True)
class _Correction:
    correction_id: int
    longitude: float
    latitude: float
    to_longitude: float
    to_latitude: float

    @property
    def position(self) -> Position:
        return self.to_longitude, self.to_latitude

    @property
    def former(self) -> Position:
        return self.longitude, self.latitude


def read_position(east: object, north: object, epsg: int = GEOGRAPHIC[0]) -> Position:
    """Return typed coordinates of any system that lists may come in, in degrees of EPSG:4490.

    Raises PositionRefused where they are no numbers or lie nowhere.
    """
    if epsg not in TAKEN:
        raise PositionRefused(reason=PositionFault.UNREADABLE)
    given = np.array([read_number(east)]), np.array([read_number(north)])
    (longitude,), (latitude,) = to_degrees(*given, epsg)
    return require_degrees(float(longitude), float(latitude))


def examine(connection: Connection, actor: Actor, code: str, position: Position) -> Examined:
    """Return what a correction to this position would mean; raise NotFound, NotPermitted."""
    require_officer(connection, actor, code)
    return _examined(connection, _get_place(connection, code), position)


def correct(
    connection: Connection,
    actor: Actor,
    code: str,
    position: Position,
    seen: Position | None,
    reason: str = "",
) -> Examined:
    """Correct a position that the actor saw as `seen`; the former one stays readable by its days.

    Sent again, the same correction changes nothing. Raises NotFound, NotPermitted, StaleVersion
    where it lies elsewhere by now, PositionRefused without a reason where one is needed, and
    RuleViolation outside the county.
    """
    require_officer(connection, actor, code)
    place = _get_place(connection, code)
    examined = _examined(connection, place, position)
    if is_same(place.position, position):
        return examined
    if examined.doubt and not reason.strip() and examined.in_county is not False:
        raise PositionRefused(reason=examined.doubt)
    _write(connection, code, position, seen, reason=reason.strip() or None)
    return examined


def restore(connection: Connection, actor: Actor, code: str) -> Position:
    """Take the last correction back; return where the place lies again.

    Raises PositionRefused where nothing is left to take back.
    """
    require_officer(connection, actor, code)
    place = _get_place(connection, code)
    last = fetch_one(connection, _SQL["last_correction"], _Correction, code=code)
    # Whatever moved it since, such as an import, knows better than what was before.
    if last is None or not is_same(last.position, place.position):
        raise PositionRefused(reason=PositionFault.NOTHING_TO_RESTORE)
    _write(connection, code, last.former, place.position, restores=last.correction_id)
    return last.former


def count_corrections(connection: Connection, village: str) -> int:
    """Return how often a position in the village was corrected, as far as the actor may see."""
    return int(connection.scalar(_SQL["count_corrections"], {"village": village}) or 0)


def require_officer(connection: Connection, actor: Actor, code: str) -> None:
    """Raise NotFound outside the actor's scope, NotPermitted for who files for no villages."""
    village = code[:_VILLAGE_DIGITS]
    if not village.startswith(tuple(actor.prefixes)):
        raise NotFound(division_code=village)
    if filing_role(reporting.load_filers(connection, FORM_CODE), village, actor) is None:
        raise NotPermitted(division_code=village)


def _get_place(connection: Connection, code: str) -> _Place:
    place = fetch_one(connection, _SQL["get_place"], _Place, day=today(), code=code)
    if place is None:
        raise NotFound(division_code=code)
    return place


def _examined(connection: Connection, place: _Place, position: Position) -> Examined:
    known, day = place.position, today()
    metres = metres_between(known, position) if known else None
    code = place.code
    in_county = _lies_within(connection, code[:_COUNTY_DIGITS], position, day)
    in_township = _lies_within(connection, code[:_TOWNSHIP_DIGITS], position, day)
    limit = read_settings(connection).get(_FAR)
    limit_km = float(limit) if isinstance(limit, int | float) else float("inf")
    return Examined(position, metres, in_county, doubt(metres, limit_km, in_township))


def _lies_within(connection: Connection, code: str, position: Position, day: date) -> bool | None:
    parameters = {"code": code, "longitude": position[0], "latitude": position[1], "day": day}
    found = connection.scalar(_SQL["lies_within"], parameters)
    return None if found is None else bool(found)


def _write(
    connection: Connection,
    code: str,
    position: Position,
    seen: Position | None,
    *,
    reason: str | None = None,
    restores: int | None = None,
) -> None:
    parameters = {
        "code": code,
        "longitude": position[0],
        "latitude": position[1],
        "day": today(),
        "reason": reason,
        "restores": restores,
    }
    former = fetch_one(connection, _SQL["correct"], _Former, **parameters)
    if former is None or not is_same(_position(former.longitude, former.latitude), seen):
        raise StaleVersion(code=code)


def _position(longitude: float | None, latitude: float | None) -> Position | None:
    return None if longitude is None or latitude is None else (longitude, latitude)
