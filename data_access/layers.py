"""Map layers of the registry, and the pictures of divisions that the overview draws on."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TypeVar

from sqlalchemy import Connection

from data_access.asking import ask
from data_access.queries import load_queries
from data_access.read_replica import read
from data_access.rows import fetch_all, fetch_one
from domain.access import Actor
from domain.errors import NotFound

_SQL = load_queries("layers")
# About 3 km between the lines of a hatched division.
_HATCH_DEGREES = 0.035

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class MapLayer:
    """One row of the registry; `format` is geojson (the whole layer) or tile."""

    layer_code: str
    title: str
    format: str
    min_zoom: int
    max_zoom: int
    is_scoped: bool
    data_version: int
    has_answers: bool = False
    """Whether some of what it says is seen in the actor's scope alone."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A tile of zoom 12 and a county that has villages in it."""

    cell_x: int
    cell_y: int
    county: str


@dataclass(frozen=True, slots=True)
class Feature:
    """A feature of a layer: its fields and its geometry as GeoJSON text, EPSG:4490."""

    key: str
    fields: dict[str, object]
    shape: str


@dataclass(frozen=True, slots=True)
class DivisionLabel:
    """Where the name of a division is written, in degrees of EPSG:4490."""

    code: str
    name: str
    level: str
    longitude: float
    latitude: float
    room: float
    """From the place to the nearest border."""


@dataclass(frozen=True, slots=True)
class Hatch:
    """Parallel lines across a division as GeoJSON text, EPSG:4490."""

    code: str
    shape: str


@dataclass(frozen=True, slots=True)
class Extent:
    """A box in degrees of EPSG:4490."""

    west: float
    south: float
    east: float
    north: float


def get_layer(connection: Connection, layer_code: str) -> MapLayer:
    """Return a layer of the registry; raise NotFound."""
    layer = fetch_one(connection, _SQL["get_layer"], MapLayer, layer_code=layer_code)
    if layer is None:
        raise NotFound(layer_code=layer_code)
    return layer


def draw_as_of(connection: Connection, day: date) -> None:
    """Let divisions be drawn as they were on `day`, to the end of the transaction."""
    connection.execute(_SQL["set_picture_day"], {"day": day})


def read_as_of(actor: Actor, day: date, question: Callable[[Connection], Answer]) -> Answer:
    """Answer a question about divisions as they were drawn on `day`."""

    def dated(connection: Connection) -> Answer:
        draw_as_of(connection, day)
        return question(connection)

    return read(actor, dated)


def list_features(
    connection: Connection, layer_code: str, keys: list[str] | None = None
) -> list[Feature]:
    """Return the features of a layer, all or those with the keys; rings run clockwise."""
    return fetch_all(connection, _SQL["list_features"], Feature, layer_code=layer_code, keys=keys)


def list_layers(connection: Connection) -> list[MapLayer]:
    """Return every layer of the registry."""
    return fetch_all(connection, _SQL["list_layers"], MapLayer)


async def read_tiles(
    actor: Actor, layer_code: str, addresses: Sequence[tuple[int, int, int]]
) -> list[bytes]:
    """Return vector tiles (EPSG:3857) of a layer by zoom, column and row; b'' for nothing."""
    zs, xs, ys = (
        "{" + ",".join(map(str, numbers)) + "}" for numbers in zip(*addresses, strict=True)
    )
    tiles = await ask(actor, _SQL["read_tiles"], layer_code=layer_code, zs=zs, xs=xs, ys=ys)
    return [tile or b"" for tile in tiles]


def list_cells(connection: Connection) -> list[Cell]:
    """Return which counties have villages in which cells of zoom 12."""
    return fetch_all(connection, _SQL["list_cells"], Cell)


def boundary_version(connection: Connection) -> int:
    """Return what moves when boundaries or divisions are imported."""
    return int(connection.scalar(_SQL["boundary_version"]) or 0)


def list_labels(connection: Connection, level: str) -> list[DivisionLabel]:
    """Return where the names of the divisions of a level are written."""
    return fetch_all(connection, _SQL["list_labels"], DivisionLabel, level=level)


def list_boundaries(connection: Connection, level: str) -> list[str]:
    """Return the divisions of a level as they are kept, to 20 m: GeoJSON texts, EPSG:4490."""
    return list(connection.execute(_SQL["list_boundaries"], {"level": level}).scalars())


def list_hatches(connection: Connection, level: str) -> list[Hatch]:
    """Return the hatching of each division of a level."""
    return fetch_all(connection, _SQL["list_hatches"], Hatch, level=level, spacing=_HATCH_DEGREES)


def get_extent(connection: Connection, code: str | None = None) -> Extent | None:
    """Return the box of a division, or of everything; None without boundaries."""
    extent = fetch_one(connection, _SQL["get_extent"], Extent, code=code)
    return None if extent is None or extent.west is None else extent
