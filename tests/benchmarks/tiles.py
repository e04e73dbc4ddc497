"""Tiles of villages over HTTP with 8 clients, beside bare ST_AsMVT and tipg in the same run."""

import asyncio
import math
import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from importlib.util import find_spec
from statistics import median

import psycopg

from tests.benchmarks.figures import Figure, percentile
from tests.benchmarks.portal import BenchPortal
from tests.ports import free_port

_CLIENTS = 8
_LAYER = "natural_village"
_MOST = 1500  # tiles asked of one zoom
_ROUNDS = 5
_PEER_TILES = 150
_CACHED = 10_000
_FILED = 20  # villages a second
_FILING_SECONDS = 10  # long enough for every tile to be read anew some times
_PROBES = 5
_BARE = (
    "SELECT ST_AsMVT(tile, 'natural_village') FROM ("
    "SELECT code AS key, name, ST_AsMVTGeom(location_3857, ST_TileEnvelope(%s, %s, %s)) AS shape"
    "  FROM natural_village"
    " WHERE valid_to IS NULL AND location_3857 && ST_TileEnvelope(%s, %s, %s)) AS tile"
)
_FILE = (
    "UPDATE submission SET lock_version = lock_version + 1 WHERE submission_id = ("
    " SELECT submission_id FROM village_standing WHERE submission_id IS NOT NULL OFFSET %s LIMIT 1)"
)
_TURN = (
    "UPDATE submission SET state = CASE state WHEN 'draft' THEN 'submitted' ELSE 'draft' END"
    ", step_no = CASE state WHEN 'draft' THEN 1 ELSE 0 END WHERE submission_id = %s"
)
Tile = tuple[int, int, int]


def tile_figures(portal: BenchPortal) -> list[Figure]:
    """Measure rates, sizes and freshness of the tiles of natural villages."""
    token = portal.token_of(portal.usernames("leader")[0])
    with psycopg.connect(portal.owner_url) as owner:
        box = owner.execute(
            "SELECT ST_XMin(box), ST_YMin(box), ST_XMax(box), ST_YMax(box)"
            "  FROM (SELECT ST_Extent(location) AS box FROM natural_village) AS extent"
        ).fetchone()
    assert box is not None
    figures = _sizes(portal, token, box)
    for zoom in (9, 10, 11, 12, 13, 14):
        figures += _uncached(portal, token, zoom)
    return figures + _cached(portal, token, box)


def _sizes(portal: BenchPortal, token: str, box: tuple[float, ...]) -> list[Figure]:
    sizes = asyncio.run(_ask(portal.url, token, _addresses(_tiles(box, 6)))).sizes
    view = asyncio.run(_ask(portal.url, token, _addresses(_tiles(box, 7)))).sizes
    return [
        Figure("largest z 6 tile, compressed", max(sizes) / 1000, "kB", 150),
        Figure("province view (z 7), compressed", sum(view) / 1000, "kB", 400),
    ]


def _uncached(portal: BenchPortal, token: str, zoom: int) -> list[Figure]:
    tiles = _settled(portal, zoom)
    rounds = [_one_round(portal, token, tiles) for _ in range(_ROUNDS)]
    rate, bare, share = (median(figures) for figures in zip(*rounds, strict=True))
    beside = f"bare ST_AsMVT {bare:,.0f}/s"
    if find_spec("tipg"):
        with _tipg(portal) as url:
            peer = asyncio.run(_ask(url, "", _peer_addresses(tiles[:_PEER_TILES])))
        beside += f", tipg {peer.rate:,.0f}/s ({rate / peer.rate:.1f} ×)"
    if zoom <= 11:
        return [
            Figure(f"uncached z {zoom}", rate, "/s", beside=beside),
            Figure(f"uncached z {zoom}, of bare", share * 100, "%", 60, at_least=True),
        ]
    return [Figure(f"uncached z {zoom}", rate, "/s", 800, at_least=True, beside=beside)]


def _settled(portal: BenchPortal, zoom: int) -> list[Tile]:
    """Return tiles that have natural villages: a tile of nothing is no work for either side."""
    with psycopg.connect(portal.owner_url) as owner:
        places = owner.execute(
            "SELECT ST_X(location), ST_Y(location) FROM natural_village WHERE valid_to IS NULL"
        ).fetchall()
    tiles = sorted({(zoom, *_tile_of(*place, zoom)) for place in places})
    random.Random(zoom).shuffle(tiles)
    return tiles[:_MOST]


def _one_round(portal: BenchPortal, token: str, tiles: list[Tile]) -> tuple[float, float, float]:
    """Return our rate with nothing in memory, the bare rate after it, and their ratio."""
    with psycopg.connect(portal.owner_url, autocommit=True) as owner:
        owner.execute("NOTIFY portal_change, 'map'")
    time.sleep(0.2)
    # The registry is read anew after the notice; that is not a tile's doing.
    asyncio.run(_ask(portal.url, token, _addresses([(14, 0, 0)] * _CLIENTS)))
    ours = asyncio.run(_ask(portal.url, token, _addresses(tiles))).rate
    bare = _bare_rate(portal, tiles)
    return ours, bare, ours / bare


def _cached(portal: BenchPortal, token: str, box: tuple[float, ...]) -> list[Figure]:
    tiles = [tile for zoom in (8, 9, 10) for tile in _tiles(box, zoom)]
    asyncio.run(_ask(portal.url, token, _addresses(tiles)))
    chosen = random.Random(1).choices(_addresses(tiles), k=_CACHED)
    quiet = asyncio.run(_ask(portal.url, token, chosen))
    with _filing(portal):
        busy = _ask_for(portal, token, chosen, _FILING_SECONDS)
        oldest = max(_age(portal, token, number) for number in range(_PROBES))
    filed = f"{_FILED} villages a second filed"
    return [
        Figure("cached", quiet.rate, "/s", 1500, at_least=True),
        Figure("cached, p95", percentile(quiet.milliseconds, 0.95), "ms", 10),
        Figure("cached, while filing", busy.rate, "/s", 1500, at_least=True, beside=filed),
        Figure("cached, while filing, p95", percentile(busy.milliseconds, 0.95), "ms", 10),
        Figure("oldest tile, while filing", oldest, "s", 10, beside=filed),
    ]


def _ask_for(portal: BenchPortal, token: str, addresses: list[str], seconds: float) -> "_Answers":
    """Ask for the addresses again and again, as long as it takes."""
    answers = _Answers()
    while answers.seconds < seconds:
        more = asyncio.run(_ask(portal.url, token, addresses))
        answers.milliseconds += more.milliseconds
        answers.sizes += more.sizes
        answers.seconds += more.seconds
    return answers


class _Answers:
    """What a round of requests came to."""

    def __init__(self) -> None:
        self.milliseconds: list[float] = []
        self.sizes: list[int] = []
        self.seconds = 0.0
        self.body = b""

    @property
    def rate(self) -> float:
        return len(self.sizes) / self.seconds


async def _ask(url: str, token: str, addresses: list[str]) -> _Answers:
    """Ask for the addresses with 8 clients, each on one connection."""
    answers = _Answers()
    host, port = url.removeprefix("http://").split(":")
    began = time.perf_counter()
    await asyncio.gather(
        *(
            _client(host, int(port), token, addresses[number::_CLIENTS], answers)
            for number in range(_CLIENTS)
        )
    )
    answers.seconds = time.perf_counter() - began
    return answers


async def _client(
    host: str, port: int, token: str, addresses: list[str], answers: _Answers
) -> None:
    reader, writer = await asyncio.open_connection(host, port)
    for address in addresses:
        began = time.perf_counter()
        writer.write(
            f"GET {address} HTTP/1.1\r\nHost: {host}\r\nAccept-Encoding: gzip\r\n"
            f"Cookie: portal_session={token}\r\n\r\n".encode()
        )
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        assert head[9:12] in (b"200", b"204"), head
        length = head.partition(b"content-length:")[2].partition(b"\r\n")[0]
        answers.body = await reader.readexactly(int(length or 0))
        answers.milliseconds.append((time.perf_counter() - began) * 1000)
        answers.sizes.append(len(answers.body))
    writer.close()


def _tiles(box: tuple[float, ...], zoom: int) -> list[Tile]:
    west, south, east, north = box
    left, top = _tile_of(west, north, zoom)
    right, bottom = _tile_of(east, south, zoom)
    return [(zoom, x, y) for x in range(left, right + 1) for y in range(top, bottom + 1)]


def _tile_of(longitude: float, latitude: float, zoom: int) -> tuple[int, int]:
    turned = math.asinh(math.tan(math.radians(latitude))) / math.pi
    return int((longitude + 180) / 360 * 2**zoom), int((1 - turned) / 2 * 2**zoom)


def _addresses(tiles: list[Tile]) -> list[str]:
    return [f"/tiles/{_LAYER}/{z}/{x}/{y}" for z, x, y in tiles]


def _peer_addresses(tiles: list[Tile]) -> list[str]:
    path = "/collections/public.natural_village/tiles/WebMercatorQuad"
    asked = "geom-column=location_3857&properties=code,name"
    return [f"{path}/{z}/{x}/{y}?{asked}" for z, x, y in tiles]


def _bare_rate(portal: BenchPortal, tiles: list[Tile]) -> float:
    def work(part: list[Tile]) -> None:
        with psycopg.connect(portal.portal_url, autocommit=True, prepare_threshold=0) as bare:
            bare.execute("SET ROLE portal_app")
            bare.execute(_BARE, (*part[0], *part[0]))
            ready.wait()
            for tile in part:
                bare.execute(_BARE, (*tile, *tile)).fetchone()

    parts = [tiles[number::_CLIENTS] for number in range(_CLIENTS)]
    ready = threading.Barrier(_CLIENTS + 1)
    with ThreadPoolExecutor(_CLIENTS) as pool:
        done = [pool.submit(work, part) for part in parts]
        ready.wait()
        began = time.perf_counter()
        for each in done:
            each.result()
        return len(tiles) / (time.perf_counter() - began)


@contextmanager
def _filing(portal: BenchPortal) -> Iterator[None]:
    """File 20 villages a second, one transaction each, while the block runs."""
    ending = threading.Event()

    def work() -> None:
        with psycopg.connect(portal.owner_url, autocommit=True) as owner:
            number = 0
            while not ending.wait(1 / _FILED):
                number += 37
                owner.execute(_FILE, [number % 10_000])

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        ending.set()
        thread.join()


def _age(portal: BenchPortal, token: str, number: int) -> float:
    """Change the state of one village; return the seconds until its tile is another one."""
    with psycopg.connect(portal.owner_url, autocommit=True) as owner:
        row = owner.execute(
            "SELECT submission_id, ST_X(location), ST_Y(location)"
            "  FROM village_standing JOIN village_point USING (division_code)"
            " WHERE state = 'draft' ORDER BY division_code OFFSET %s LIMIT 1",
            [number * 100],
        ).fetchone()
        assert row is not None
        address = _addresses([(14, *_tile_of(row[1], row[2], 14))])[0].replace(_LAYER, "village")
        before = asyncio.run(_ask(portal.url, token, [address])).body
        owner.execute(_TURN, [row[0]])
        began = time.perf_counter()
        while asyncio.run(_ask(portal.url, token, [address])).body == before:
            assert time.perf_counter() - began < 60
            time.sleep(0.05)
        return time.perf_counter() - began


@contextmanager
def _tipg(portal: BenchPortal) -> Iterator[str]:
    """Serve the same table with tipg, its caches off and no limit on features."""
    port = free_port()
    peer = subprocess.Popen(
        [sys.executable, "-m", "uvicorn", "tipg.main:app", "--port", str(port), "--no-access-log"],
        env={
            **os.environ,
            "DATABASE_URL": portal.owner_url,
            "TIPG_MAX_FEATURES_PER_TILE": "1000000",
            "TIPG_CATALOG_TTL": "3600",
            "TIPG_CACHE_CONTROL": "no-store",
            "TIPG_DB_SCHEMAS": '["public"]',
        },
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}"
    try:
        for _ in range(900):
            try:
                asyncio.run(_ask(url, "", [_peer_addresses([(14, 13400, 6850)])[0]]))
                break
            except (OSError, AssertionError, asyncio.IncompleteReadError):
                assert peer.poll() is None, "tipg ended while starting"
                time.sleep(0.2)
        yield url
    finally:
        peer.terminate()
        peer.wait(30)
