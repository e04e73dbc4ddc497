"""A map as a picture for documents, drawn on the server: no browser, no map service."""

import json
import math
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from functools import cache
from io import BytesIO

from PIL import Image, ImageDraw, ImageFont

from domain.briefing import MapDrawing

_WIDTH = 1400  # pixels of the finished picture: 16 cm at some 220 dpi
_FINER = 2  # drawn larger and scaled down, which smooths the lines
_MARGIN = 12
_BORDER, _PAPER, _MARK, _CITY = "#FFFFFF", "#FFFFFF", "#1B2733", "#5B6B7A"
# The first that is on the machine; without any the map stands without names.
_FACES = ("NotoSansCJK-Regular.ttc", "msyh.ttc", "wqy-zenhei.ttc", "wqy-microhei.ttc", "simhei.ttf")
_Ring = list[tuple[float, float]]


def draw_map(drawing: MapDrawing) -> bytes:
    """Return the map (EPSG:4490) as a PNG, north up, true to scale in the middle latitude.

    Returns b'' where there is nothing to draw.
    """
    outlines = [(shape, _polygons(shape.outline)) for shape in drawing.shapes]
    places = [place for _, polygons in outlines for rings in polygons for place in rings[0]]
    if not places:
        return b""
    frame = _Frame(places)
    picture = Image.new("RGB", frame.size, _PAPER)
    pen = ImageDraw.Draw(picture)
    for shape, polygons in outlines:
        for rings in polygons:
            frame.fill(pen, rings, shape.colour)
    for border in drawing.borders:
        for rings in _polygons(border):
            frame.line(pen, rings[0])
    for shape, polygons in outlines:
        if shape.mark:
            frame.mark(pen, max(polygons, key=lambda rings: abs(_area(rings[0])))[0])
    face = _find_face()
    for name in drawing.names if face else ():
        frame.name(pen, (name.longitude, name.latitude), name.text, face)
    return _png(picture)


def _png(picture: Image.Image) -> bytes:
    width, height = picture.size
    small = picture.resize((width // _FINER, height // _FINER), Image.Resampling.LANCZOS)
    target = BytesIO()
    small.save(target, "PNG", optimize=True)
    return target.getvalue()


@cache
def _find_face() -> ImageFont.FreeTypeFont | None:
    for face in _FACES:
        with suppress(OSError):
            return ImageFont.truetype(face, 34 * _FINER)
    return None


def _polygons(outline: str) -> list[list[_Ring]]:
    shape = json.loads(outline)
    if shape["type"] == "Polygon":
        return [list(_rings(shape["coordinates"]))]
    return [list(_rings(polygon)) for polygon in shape["coordinates"]]


def _rings(polygon: Iterable[Iterable[Sequence[float]]]) -> Iterator[_Ring]:
    for ring in polygon:
        yield [(place[0], place[1]) for place in ring]


class _Frame:
    """Where a place in degrees stands on the picture."""

    def __init__(self, places: Sequence[tuple[float, float]]) -> None:
        self._west = min(x for x, _ in places)
        self._north = max(y for _, y in places)
        south = min(y for _, y in places)
        self._narrowing = math.cos(math.radians((self._north + south) / 2))
        across = (max(x for x, _ in places) - self._west) * self._narrowing
        self._scale = (_WIDTH - 2 * _MARGIN) * _FINER / max(across, 1e-6)
        height = (self._north - south) * self._scale + 2 * _MARGIN * _FINER
        # A single long county must not become a picture of several pages.
        if height > 1.4 * _WIDTH * _FINER:
            self._scale *= 1.4 * _WIDTH * _FINER / height
            height = 1.4 * _WIDTH * _FINER
        self.size = (_WIDTH * _FINER, round(height))
        self._indent = (self.size[0] - across * self._scale) / 2

    def fill(self, pen: ImageDraw.ImageDraw, rings: list[_Ring], colour: str) -> None:
        """Fill a polygon; its holes become paper, which the divisions within them cover."""
        for index, ring in enumerate(rings):
            line = [self._at(place) for place in ring]
            pen.polygon(line, fill=_PAPER if index else colour)
            pen.line([*line, line[0]], fill=_BORDER, width=_FINER * 2, joint="curve")

    def line(self, pen: ImageDraw.ImageDraw, ring: _Ring) -> None:
        """Draw the border of a division that others lie in."""
        line = [self._at(place) for place in ring]
        pen.line([*line, line[0]], fill=_CITY, width=_FINER * 3, joint="curve")

    def name(
        self,
        pen: ImageDraw.ImageDraw,
        place: tuple[float, float],
        text: str,
        face: ImageFont.FreeTypeFont | None,
    ) -> None:
        """Write a name in the middle of its place, outlined so that it reads on every fill."""
        pen.text(
            self._at(place),
            text,
            fill=_MARK,
            font=face,
            anchor="mm",
            stroke_width=3 * _FINER,
            stroke_fill=_BORDER,
        )

    def mark(self, pen: ImageDraw.ImageDraw, ring: _Ring) -> None:
        """Set a small triangle into the middle of a division."""
        x, y = self._at(_middle(ring))
        size = 13 * _FINER
        pen.polygon(
            [(x, y - size), (x - size, y + size * 0.8), (x + size, y + size * 0.8)],
            fill=_MARK,
            outline=_BORDER,
            width=_FINER * 2,
        )

    def _at(self, place: tuple[float, float]) -> tuple[float, float]:
        x = (place[0] - self._west) * self._narrowing * self._scale + self._indent
        return x, (self._north - place[1]) * self._scale + _MARGIN * _FINER


def _area(ring: _Ring) -> float:
    """Return twice the signed area of a ring."""
    return sum(
        x1 * y2 - x2 * y1 for (x1, y1), (x2, y2) in zip(ring, ring[1:] + ring[:1], strict=True)
    )


def _middle(ring: _Ring) -> tuple[float, float]:
    """Return the centroid of a ring; its mean place where it has no area."""
    area = _area(ring)
    if not area:
        return sum(x for x, _ in ring) / len(ring), sum(y for _, y in ring) / len(ring)
    pairs = list(zip(ring, ring[1:] + ring[:1], strict=True))
    x = sum((x1 + x2) * (x1 * y2 - x2 * y1) for (x1, y1), (x2, y2) in pairs)
    y = sum((y1 + y2) * (x1 * y2 - x2 * y1) for (x1, y1), (x2, y2) in pairs)
    return x / (3 * area), y / (3 * area)
