"""Where a village lies: what is asked before its position is corrected."""

import math
import unicodedata
from enum import StrEnum

from domain.errors import PositionRefused

Position = tuple[float, float]
"""Longitude and latitude, degrees of EPSG:4490."""

_RADIUS = 6_371_008.8  # metres, of a sphere with the earth's mean radius
_SEEN = 1e-6  # degrees that a page shows, about a decimetre


class PositionFault(StrEnum):
    UNREADABLE = "unreadable"
    ELSEWHERE = "elsewhere"
    FAR = "far"
    OTHER_TOWNSHIP = "other_township"
    NOTHING_TO_RESTORE = "nothing_to_restore"


def metres_between(one: Position, other: Position) -> float:
    """Return the distance over ground in metres, true to half a percent.

    >>> round(metres_between((115.9, 28.6), (115.9, 28.61)))
    1112
    """
    (east, north), (to_east, to_north) = (map(math.radians, place) for place in (one, other))
    half = math.sin((to_north - north) / 2) ** 2
    half += math.cos(north) * math.cos(to_north) * math.sin((to_east - east) / 2) ** 2
    return 2 * _RADIUS * math.asin(math.sqrt(half))


def is_same(one: Position | None, other: Position | None) -> bool:
    """Tell whether two positions are one and the same as pages show them."""
    if one is None or other is None:
        return one is other
    return all(abs(a - b) < _SEEN for a, b in zip(one, other, strict=True))


def read_number(text: object) -> float:
    """Return a coordinate as a number; full-width digits and stray units are meant well.

    >>> read_number("１１５．９０１２°"), read_number(" 28.6 ")
    (115.9012, 28.6)

    Raises PositionRefused for what is no number.
    """
    plain = unicodedata.normalize("NFKC", str(text)).replace(",", "").strip().rstrip("°EeNnm米 ")
    try:
        number = float(plain)
    except ValueError:
        raise PositionRefused(reason=PositionFault.UNREADABLE) from None
    if not math.isfinite(number):
        raise PositionRefused(reason=PositionFault.UNREADABLE)
    return number


def require_degrees(longitude: float, latitude: float) -> Position:
    """Return the position; raise PositionRefused for what lies nowhere on the earth."""
    if not (abs(longitude) <= 180 and abs(latitude) <= 90):
        raise PositionRefused(reason=PositionFault.ELSEWHERE)
    return longitude, latitude


def doubt(metres: float | None, limit_km: float, in_township: bool | None) -> PositionFault | None:
    """Return why a move asks for a reason, None where it does not; None in is unknown.

    >>> doubt(5000, 3, True), doubt(200, 3, False), doubt(None, 3, None)
    (<PositionFault.FAR: 'far'>, <PositionFault.OTHER_TOWNSHIP: 'other_township'>, None)
    """
    if in_township is False:
        return PositionFault.OTHER_TOWNSHIP
    if metres is not None and metres > limit_km * 1000:
        return PositionFault.FAR
    return None
