"""Tiles in the memory of one process: keyed by scope, as old as the counties they show.

A tile is served as it is while no county that it shows has moved. After a move it may be served
for some moments more, so that a storm of filings does not read every tile anew for each of them;
whoever asks for an older one waits for the new one.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from time import monotonic

from isal import igzip
from starlette.concurrency import run_in_threadpool

from data_access import layers
from data_access.change_listener import Topic, county_mark, lies_in, mark
from data_access.database import transaction
from data_access.layers import MapLayer
from domain.access import Actor

_REREAD = 2.0  # seconds after which a tile that moved is read anew, while the old one is served
_OLDEST = 4.0  # seconds after which whoever asks for a tile that moved waits
_MOST_BYTES = 64_000_000
_BESIDE_CONTENT = 600  # bytes that a tile takes beside its content
_CELL_ZOOM = 12

_WITH_BESIDE = 10  # zoom from which a tile that is not there is read with those beside it
_READERS = 4  # statements under way at once
_MOST_TOGETHER = 4  # tiles of one statement

Scope = tuple[str, ...]
Key = tuple[Scope, str, int, int, int]
Address = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Tile:
    """A tile as it was read, compressed (b'' for nothing), with what would make it old."""

    compressed: bytes
    etag: str
    counties: tuple[str, ...]
    map_mark: int
    village_mark: int
    read_at: float

    @property
    def size(self) -> int:
        return len(self.compressed) + _BESIDE_CONTENT


@dataclass(frozen=True, slots=True)
class Wanted:
    """A tile that is being read, with the marks from before: a change in between makes it old."""

    key: Key
    counties: tuple[str, ...]
    map_mark: int
    village_mark: int
    asked_at: float
    tile: asyncio.Future[Tile]

    def packed(self, body: bytes) -> Tile:
        """Return the tile of what was read."""
        # The quickest level: a tile that changes is packed more often than it is sent.
        compressed = igzip.compress(body, compresslevel=1, mtime=0) if body else b""
        etag = f'"{sha256(compressed).hexdigest()[:24]}"'
        return Tile(
            compressed, etag, self.counties, self.map_mark, self.village_mark, self.asked_at
        )


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

    def __init__(self, done: Callable[[Wanted, bytes | BaseException], None]) -> None:
        self._done = done
        self._waiting: dict[tuple[Scope, str], list[Wanted]] = {}
        self._actors: dict[tuple[Scope, str], Actor] = {}
        self._reading: set[asyncio.Task[None]] = set()

    def put(self, actor: Actor, wanted: Wanted) -> None:
        """Let a tile be read, for whoever has the same scope."""
        asked = wanted.key[:2]
        self._waiting.setdefault(asked, []).append(wanted)
        self._actors[asked] = actor
        # In the next turn of the loop: what arrived with it goes with it.
        asyncio.get_running_loop().call_soon(self._begin)

    def _begin(self) -> None:
        while self._waiting and len(self._reading) < _READERS:
            asked = next(iter(self._waiting))
            waiting, actor = self._waiting.pop(asked), self._actors.pop(asked)
            if rest := waiting[_MOST_TOGETHER:]:  # behind those of others
                self._waiting[asked], self._actors[asked] = rest, actor
            task = asyncio.create_task(self._read(actor, waiting[:_MOST_TOGETHER]))
            self._reading.add(task)
            task.add_done_callback(self._end)

    async def _read(self, actor: Actor, together: Sequence[Wanted]) -> None:
        addresses = [each.key[2:] for each in together]
        read: Sequence[bytes | BaseException]
        try:
            read = await layers.read_tiles(actor, together[0].key[1], addresses)
        except (Exception, asyncio.CancelledError) as error:  # each who asked is told
            read = [error] * len(together)
        for wanted, body in zip(together, read, strict=True):
            self._done(wanted, body)

    def _end(self, task: asyncio.Task[None]) -> None:
        self._reading.discard(task)
        self._begin()


class TileStore:
    """The tiles of this process, the latest used last; they are read in one event loop."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Forget every tile."""
        self._tiles: OrderedDict[Key, Tile] = OrderedDict()
        self._size = 0
        self._wanted: dict[Key, Wanted] = {}
        self._catalogue: Catalogue | None = None
        self._cataloguing = asyncio.Lock()
        self._desk = Desk(self._keep)

    async def catalogue(self) -> Catalogue:
        """Return the registry as it is now."""
        if self._catalogue is None or self._catalogue.map_mark != mark(Topic.MAP):
            async with self._cataloguing:  # once, however many ask
                if self._catalogue is None or self._catalogue.map_mark != mark(Topic.MAP):
                    self._catalogue = await run_in_threadpool(_read_catalogue)
        return self._catalogue

    async def tile(self, actor: Actor, layer: MapLayer, z: int, x: int, y: int) -> Tile:
        """Return a tile as the actor may see it, at most `_OLDEST` seconds behind the database."""
        scope = actor.prefixes if layer.has_answers or layer.is_scoped else ()
        key = (scope, layer.layer_code, z, x, y)
        kept = self._tiles.get(key)
        catalogue = await self.catalogue()
        if kept is not None and kept.map_mark == catalogue.map_mark:
            if kept.village_mark == county_mark(kept.counties):
                self._tiles.move_to_end(key)
                return kept
            age = monotonic() - kept.read_at
            if age < _OLDEST:
                if age > _REREAD:
                    self._want(actor, layer, key, catalogue)
                return kept
        wanted = self._want(actor, layer, key, catalogue)
        if kept is None and layer.has_answers and z >= _WITH_BESIDE:
            for beside in _beside(key):
                if beside not in self._tiles:
                    self._want(actor, layer, beside, catalogue)
        return await asyncio.shield(wanted.tile)

    def _want(self, actor: Actor, layer: MapLayer, key: Key, catalogue: Catalogue) -> Wanted:
        """Let a tile be read once, however many ask for it."""
        wanted = self._wanted.get(key)
        if wanted is None:
            scope, _, z, x, y = key
            shown = catalogue.counties_of(z, x, y) if layer.has_answers else ()
            counties = tuple(county for county in shown if lies_in(county, scope))
            tile = asyncio.get_running_loop().create_future()
            marks = catalogue.map_mark, county_mark(counties)
            wanted = self._wanted[key] = Wanted(key, counties, *marks, monotonic(), tile)
            if layer.has_answers and not shown:
                self._keep(wanted, b"")
            else:
                self._desk.put(actor, wanted)
        return wanted

    def _keep(self, wanted: Wanted, read: bytes | BaseException) -> None:
        """Keep the tile that was read, and give it to those who wait for it."""
        self._wanted.pop(wanted.key, None)
        if isinstance(read, BaseException):
            wanted.tile.set_exception(read)
            wanted.tile.exception()  # nobody may wait for it: of a reread, of one beside
            return
        before = self._tiles.pop(wanted.key, None)
        tile = self._tiles[wanted.key] = wanted.packed(read)
        self._size += tile.size - (before.size if before else 0)
        while self._size > _MOST_BYTES:
            _, oldest = self._tiles.popitem(last=False)
            self._size -= oldest.size
        wanted.tile.set_result(tile)


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


TILES = TileStore()
