"""Which names fit on a map at a zoom: those that would overlap give way to the more important."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

Point = tuple[float, float]

_TILE_PIXELS = 512
# A tile of zoom z is shown from z - 0.5 on, where names stand closest.
_HALF_A_ZOOM = 0.5
_PADDING = 4.0
# A name may stick out of its division's inner circle by this factor.
_OVERHANG = 1.4


@dataclass(frozen=True, slots=True)
class Name:
    """A name at a place, in degrees; the greater `priority` stays, `size` in pixels.

    `offsets` are pixels right of and below the place; the first that is free is taken. A name
    that must stay (`is_kept`) takes the first where none is free.
    """

    key: str
    text: str
    longitude: float
    latitude: float
    priority: float
    size: int
    offsets: tuple[tuple[int, int], ...] = ((0, 0),)
    is_kept: bool = False
    room: float | None = None
    """Degrees to the nearest border: the name waits for the zoom where it fits; None waits not."""


@dataclass(frozen=True, slots=True)
class Placed:
    """A name where it stands: `offset` pixels right of and below its place."""

    name: Name
    offset: tuple[int, int]


@dataclass(frozen=True, slots=True)
class _Box:
    west: float
    north: float
    east: float
    south: float

    def overlaps(self, other: "_Box") -> bool:
        return (
            self.west < other.east
            and other.west < self.east
            and self.north < other.south
            and other.north < self.south
        )


def fitting(names: Iterable[Name], zoom: int, marks: Iterable[Name] = ()) -> list[Placed]:
    """Return the names that can stand at a zoom beside each other and beside the marks."""
    taken = [_box(mark, (0, 0), zoom, padding=0) for mark in marks]
    placed: list[Placed] = []
    for name in sorted(names, key=lambda name: (-name.priority, name.key)):
        if not _has_room(name, zoom):
            continue
        boxes = {offset: _box(name, offset, zoom) for offset in name.offsets}
        free = [at for at, box in boxes.items() if not any(map(box.overlaps, taken))]
        if free or name.is_kept:
            offset = free[0] if free else name.offsets[0]
            taken.append(boxes[offset])
            placed.append(Placed(name, offset))
    return placed


def _has_room(name: Name, zoom: int) -> bool:
    """Tell whether the name is not much wider than its division."""
    if name.room is None:
        return True
    pixels: float = name.room / 360 * _TILE_PIXELS * 2**zoom
    return len(name.text) * name.size / 2 <= pixels * _OVERHANG


def in_tile(name: Name, z: int, x: int, y: int) -> bool:
    """Tell whether the name's place lies in a tile of the web's grid."""
    across, down = world(name.longitude, name.latitude)
    return (int(across * 2**z), int(down * 2**z)) == (x, y)


def world(longitude: float, latitude: float) -> tuple[float, float]:
    """Return a place in Web Mercator, 0–1 from west to east and from north to south.

    >>> world(0, 0)
    (0.5, 0.5)
    """
    down = (1 - math.asinh(math.tan(math.radians(latitude))) / math.pi) / 2
    return (longitude + 180) / 360, down


def _box(name: Name, offset: tuple[int, int], zoom: int, padding: float = _PADDING) -> _Box:
    pixels = _TILE_PIXELS * 2 ** (zoom - _HALF_A_ZOOM)
    across, down = world(name.longitude, name.latitude)
    x, y = across * pixels + offset[0], down * pixels + offset[1]
    half = len(name.text) * name.size / 2 + padding
    high = name.size / 2 + padding / 2
    return _Box(x - half, y - high, x + half, y + high)


@dataclass(frozen=True, slots=True)
class Border:
    """A straight piece of a border, and the place of the highest level that has it."""

    start: Point
    end: Point
    level: int


def borders(levels: Sequence[Iterable[Sequence[Point]]]) -> list[Border]:
    """Return each piece of the rings once, from the lowest level to the highest.

    The levels cover the same ground: a ring of a higher one runs along rings of those before.
    """
    pieces: dict[tuple[Point, Point], int] = {}
    for level, rings in enumerate(levels):
        for ring in rings:
            for start, end in pairwise(ring):
                pieces[min(start, end), max(start, end)] = level
    found = [Border(start, end, level) for (start, end), level in pieces.items()]
    return sorted(found, key=lambda border: border.level)
