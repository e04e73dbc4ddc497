"""Tiles in the memory of one process: keyed by scope, as old as the counties they show.

A tile is served as it is while no county that it shows has moved. After a move it may be served
for some moments more, so that a storm of filings does not read every tile anew for each of them;
whoever asks for an older one waits for the new one.
"""

import asyncio
import gzip
from collections import OrderedDict
from collections.abc import Sequence
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

_WITH_BESIDE = 10  # zoom from which a tile that is not there is read with those beside it
_READERS = 2  # statements under way at once
_MOST_TOGETHER = 8  # tiles of one statement

Scope = tuple[str, ...]
Key = tuple[Scope, str, int, int, int]
Address = tuple[int, int, int]
Packed = tuple[bytes, bytes, str]
"""A tile, the same compressed, and its ETag."""


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
    settled: dict[Address, tuple[str, ...]]
    """The counties of every tile down to zoom 12 that has villages."""

    def counties_of(self, z: int, x: int, y: int) -> tuple[str, ...]:
        """Return the counties whose villages a tile shows; below zoom 12 those of its cell."""
        shift = max(z - _CELL_ZOOM, 0)
        return self.settled.get((z - shift, x >> shift, y >> shift), ())


class Desk:
    """Reads tiles in few statements: those that are asked for while others are read go together."""

    def __init__(self) -> None:
        self._waiting: dict[tuple[Scope, str], dict[Address, asyncio.Future[Packed]]] = {}
        self._actors: dict[tuple[Scope, str], Actor] = {}
        self._reading: set[asyncio.Task[None]] = set()

    def read(
        self, actor: Actor, scope: Scope, code: str, address: Address
    ) -> asyncio.Future[Packed]:
        """Return one tile when it is there; whoever has the same scope may have asked for it."""
        waiting = self._waiting.setdefault((scope, code), {})
        self._actors[scope, code] = actor
        answer = waiting.setdefault(address, asyncio.get_running_loop().create_future())
        # In the next turn of the loop: what arrived with it goes with it.
        asyncio.get_running_loop().call_soon(self._begin)
        return answer

    def _begin(self) -> None:
        while self._waiting and len(self._reading) < _READERS:
            (scope, code), waiting = next(iter(self._waiting.items()))
            together = dict(list(waiting.items())[:_MOST_TOGETHER])
            for address in together:
                del waiting[address]
            del self._waiting[scope, code]
            actor = self._actors.pop((scope, code))
            if waiting:  # behind those of others
                self._waiting[scope, code], self._actors[scope, code] = waiting, actor
            task = asyncio.create_task(_answer(actor, code, together))
            self._reading.add(task)
            task.add_done_callback(self._end)

    def _end(self, task: asyncio.Task[None]) -> None:
        self._reading.discard(task)
        self._begin()


async def _answer(actor: Actor, code: str, asked: dict[Address, asyncio.Future[Packed]]) -> None:
    try:
        tiles = await run_in_threadpool(_read_tiles, actor, code, list(asked))
    except Exception as error:  # each who asked is told, whatever it is
        for answer in asked.values():
            answer.set_exception(error)
        return
    for answer, tile in zip(asked.values(), tiles, strict=True):
        answer.set_result(tile)


class TileStore:
    """The tiles of this process, the latest used last."""

    def __init__(self) -> None:
        self._tiles: OrderedDict[Key, Tile] = OrderedDict()
        self._size = 0
        self._reading: dict[Key, asyncio.Task[Tile]] = {}
        self._lock = Lock()
        self._catalogue: Catalogue | None = None
        self._desk = Desk()

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
        reading = self._read(actor, layer, key)
        if kept is None and layer.has_answers and z >= _WITH_BESIDE:
            for beside in _beside(key):
                if beside not in self._tiles:
                    self._read(actor, layer, beside)
        return await asyncio.shield(reading)

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
        shown = catalogue.counties_of(z, x, y) if layer.has_answers else ()
        counties = tuple(county for county in shown if lies_in(county, scope))
        # Marked before it is read: a change in between makes it old.
        marked, read_at = county_mark(counties), monotonic()
        if layer.has_answers and not shown:
            body, compressed, etag = _pack(b"")
        else:
            body, compressed, etag = await self._desk.read(actor, scope, code, (z, x, y))
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


def _beside(key: Key) -> list[Key]:
    """Return the three others of the tile above: whoever looks at one looks at them next."""
    scope, code, z, x, y = key
    return [
        (scope, code, z, column, row)
        for column in (x, x ^ 1)
        for row in (y, y ^ 1)
        if (column, row) != (x, y)
    ]


def _read_catalogue() -> Catalogue:
    marked = mark(Topic.MAP)
    with transaction(None, read_only=True) as connection:
        entries = layers.list_layers(connection)
        cells = layers.list_cells(connection)
    counties: dict[Address, set[str]] = {}
    for cell in cells:
        for zoom in range(_CELL_ZOOM + 1):
            shift = _CELL_ZOOM - zoom
            tile = zoom, cell.cell_x >> shift, cell.cell_y >> shift
            counties.setdefault(tile, set()).add(cell.county)
    return Catalogue(
        marked,
        {entry.layer_code: entry for entry in entries},
        {address: tuple(names) for address, names in counties.items()},
    )


def _read_tiles(actor: Actor, code: str, addresses: Sequence[Address]) -> list[Packed]:
    return [_pack(body) for body in layers.read_tiles(actor, code, addresses)]


def _pack(body: bytes) -> Packed:
    # The quickest level: a tile that changes is packed more often than it is sent.
    compressed = gzip.compress(body, compresslevel=1, mtime=0)
    return body, compressed, f'"{sha256(body).hexdigest()[:24]}"'


TILES = TileStore()
