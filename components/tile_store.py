"""Tiles in the memory of one process: keyed by scope, as old as the counties they show.

A tile is served as it is while no county that it shows has moved. After a move it may be served
for some moments more, so that a storm of filings does not read every tile anew for each of them;
whoever asks for an older one waits for the new one.
"""

import asyncio
import gzip
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from threading import Lock
from time import monotonic

from starlette.concurrency import run_in_threadpool

from data_access import layers
from data_access.change_listener import Topic, county_mark, lies_in, mark
from data_access.database import transaction
from data_access.layers import MapLayer
from domain.access import Actor

_REREAD = 2.0  # seconds after which a tile that moved is read anew, while the old one is served
_OLDEST = 4.0  # seconds after which whoever asks for a tile that moved waits
_MOST_BYTES = 96_000_000
_CELL_ZOOM = 12

Key = tuple[tuple[str, ...], str, int, int, int]


@dataclass(frozen=True, slots=True)
class Tile:
    """A tile as it was read, with what would make it old."""

    body: bytes
    compressed: bytes
    etag: str
    counties: tuple[str, ...]
    map_mark: int
    village_mark: int
    read_at: float

    @property
    def size(self) -> int:
        return len(self.body) + len(self.compressed)


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The registry, and where the counties have their villages."""

    map_mark: int
    layers: dict[str, MapLayer]
    counties: dict[tuple[int, int], frozenset[str]]

    def counties_of(self, z: int, x: int, y: int) -> set[str]:
        """Return the counties whose villages a tile may show, with those just beside it."""
        if z >= _CELL_ZOOM:
            shift = z - _CELL_ZOOM
            columns = range((x >> shift) - 1, (x >> shift) + 2)
            rows = range((y >> shift) - 1, (y >> shift) + 2)
        else:
            shift = _CELL_ZOOM - z
            columns = range((x << shift) - 1, ((x + 1) << shift) + 1)
            rows = range((y << shift) - 1, ((y + 1) << shift) + 1)
        if len(columns) * len(rows) > len(self.counties):
            cells: Iterable[tuple[int, int]] = (
                cell for cell in self.counties if cell[0] in columns and cell[1] in rows
            )
        else:
            cells = ((column, row) for column in columns for row in rows)
        none: frozenset[str] = frozenset()
        return set().union(*(self.counties.get(cell, none) for cell in cells))


class TileStore:
    """The tiles of this process, the latest used last."""

    def __init__(self) -> None:
        self._tiles: OrderedDict[Key, Tile] = OrderedDict()
        self._size = 0
        self._reading: dict[Key, asyncio.Task[Tile]] = {}
        self._lock = Lock()
        self._catalogue: Catalogue | None = None

    async def catalogue(self) -> Catalogue:
        """Return the registry as it is now."""
        if self._catalogue is None or self._catalogue.map_mark != mark(Topic.MAP):
            self._catalogue = await run_in_threadpool(_read_catalogue)
        return self._catalogue

    async def tile(self, actor: Actor, layer: MapLayer, z: int, x: int, y: int) -> Tile:
        """Return a tile as the actor may see it, at most `_OLDEST` seconds behind the database."""
        scope = actor.prefixes if layer.has_answers or layer.is_scoped else ()
        key = (scope, layer.layer_code, z, x, y)
        kept = self._tiles.get(key)
        if kept is not None and kept.map_mark == mark(Topic.MAP):
            if kept.village_mark == county_mark(kept.counties):
                self._tiles.move_to_end(key)
                return kept
            age = monotonic() - kept.read_at
            if age < _OLDEST:
                if age > _REREAD:
                    self._read(actor, layer, key)
                return kept
        return await asyncio.shield(self._read(actor, layer, key))

    def clear(self) -> None:
        """Forget every tile."""
        self._tiles.clear()
        self._reading.clear()
        self._catalogue, self._size = None, 0

    def _read(self, actor: Actor, layer: MapLayer, key: Key) -> asyncio.Task[Tile]:
        """Read a tile once, however many ask for it."""
        task = self._reading.get(key)
        if task is None:
            task = asyncio.create_task(self._read_and_keep(actor, layer, key))
            self._reading[key] = task
            task.add_done_callback(lambda done: self._forget_task(key, done))
        return task

    def _forget_task(self, key: Key, done: asyncio.Task[Tile]) -> None:
        if self._reading.get(key) is done:
            del self._reading[key]
        if not done.cancelled():
            done.exception()  # whoever waited has it; a reread in the background asks again

    async def _read_and_keep(self, actor: Actor, layer: MapLayer, key: Key) -> Tile:
        scope, code, z, x, y = key
        catalogue = await self.catalogue()
        counties: tuple[str, ...] = ()
        if layer.has_answers:
            shown = catalogue.counties_of(z, x, y)
            counties = tuple(county for county in shown if lies_in(county, scope))
        # Marked before it is read: a change in between makes it old.
        marked, read_at = county_mark(counties), monotonic()
        body, compressed, etag = await run_in_threadpool(_read_tile, actor, code, z, x, y)
        tile = Tile(body, compressed, etag, counties, catalogue.map_mark, marked, read_at)
        self._keep(key, tile)
        return tile

    def _keep(self, key: Key, tile: Tile) -> None:
        with self._lock:
            before = self._tiles.pop(key, None)
            self._tiles[key] = tile
            self._size += tile.size - (before.size if before else 0)
            while self._size > _MOST_BYTES:
                _, oldest = self._tiles.popitem(last=False)
                self._size -= oldest.size


def _read_catalogue() -> Catalogue:
    marked = mark(Topic.MAP)
    with transaction(None, read_only=True) as connection:
        entries = layers.list_layers(connection)
        cells = layers.list_cells(connection)
    counties: dict[tuple[int, int], set[str]] = {}
    for cell in cells:
        counties.setdefault((cell.cell_x, cell.cell_y), set()).add(cell.county)
    return Catalogue(
        marked,
        {entry.layer_code: entry for entry in entries},
        {cell: frozenset(names) for cell, names in counties.items()},
    )


def _read_tile(actor: Actor, code: str, z: int, x: int, y: int) -> tuple[bytes, bytes, str]:
    body = layers.read_tile(actor, code, z, x, y)
    # The quickest level: a tile that changes is packed more often than it is sent.
    compressed = gzip.compress(body, compresslevel=1, mtime=0)
    return body, compressed, f'"{sha256(body).hexdigest()[:24]}"'


TILES = TileStore()
