"""Invented natural villages and places of villages, from one seed: no public source has them.

The villages themselves and the counties' boundaries are real. Each county is parted among its
townships, each township among its villages, and round each village lie its natural villages:
grouped as people would expect, and never outside the county.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import chain, groupby
from random import Random
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from sqlalchemy import Connection

from data_access.administration import owner_transaction
from data_access.demo.village_names import name_natural_villages
from data_access.queries import load_queries
from data_access.rows import fetch_all
from data_access.villages import Load, Places, add_division_locations, add_natural_villages
from domain import clock

_SQL = load_queries("villages_demo")
_SEED = 20201117
_ACTION = "demo.load"
_FIRST_DAY = date(2019, 1, 1)
# What was reported in 2020; another province's demo gets as many for each village.
_TOTAL, _TOTAL_VILLAGES = 138_389, 14_807
_LARGEST = 80
_SHARE_OF_LARGE = 0.01

_METRES = 111_320.0  # of a degree of latitude
_NEAREST, _FARTHEST = 300.0, 2_500.0  # metres from the middle of the village
# Villages keep this far from the border of their county, so that all round them is ground.
_MARGIN = 400.0
_GROUND_PER_VILLAGE = 24
_GOLDEN_ANGLE = np.pi * (3 - 5**0.5)

Points = NDArray[np.float64]  # shape (n, 2)
Numbers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class County:
    """A county, the codes of its villages in order, and its polygon as WKB in EPSG:4490."""

    code: str
    villages: list[str]
    boundary: bytes


@dataclass(frozen=True, slots=True)
class Invention:
    """The places of the villages, and their natural villages."""

    villages: Places
    natural_villages: Places


def load(owner_url: str, *, seed: int = _SEED) -> int:
    """Load the invented places in one transaction; return how many natural villages there are."""
    with owner_transaction(owner_url, action=_ACTION) as owner:
        invented = invent(list_counties(owner), seed)
        for add, places in (
            (add_division_locations, invented.villages),
            (add_natural_villages, invented.natural_villages),
        ):
            add(owner, places, Load(_FIRST_DAY, _ACTION, is_demo=True))
        return len(invented.natural_villages.codes)


def list_counties(owner: Connection) -> list[County]:
    """Return the counties that have villages today."""
    return fetch_all(owner, _SQL["list_counties"], County, day=clock.today())


def invent(counties: Sequence[County], seed: int) -> Invention:
    """Return the same invention for the same counties and seed."""
    sizes = spread(sum(len(county.villages) for county in counties), seed)
    ends = np.cumsum([len(county.villages) for county in counties])[:-1]
    extent = shapely.total_bounds(shapely.from_wkb([county.boundary for county in counties]))
    villages: list[Places] = []
    natural: list[Places] = []
    for county, own in zip(counties, np.split(sizes, ends), strict=True):
        middles, points = _lay_out(county, own, np.random.default_rng([seed, int(county.code)]))
        southness = (extent[3] - middles[:, 1]) / (extent[3] - extent[1])
        names = _names(Random(f"{seed} {county.code}"), own, southness)
        villages.append(_places(county.villages, [""] * len(middles), middles))
        natural.append(_places(_codes(county.villages, own), names, points))
    return Invention(_join(villages), _join(natural))


def spread(villages: int, seed: int) -> Numbers:
    """Return how many natural villages each village has: 1 to 80, most of them about 9."""
    chance = np.random.default_rng(seed)
    mean = _TOTAL / _TOTAL_VILLAGES
    sizes = 1 + chance.poisson(chance.gamma(6, (mean - 1.25) / 6, villages))
    large = chance.random(villages) < _SHARE_OF_LARGE
    sizes[large] = 20 + np.minimum(chance.exponential(18, int(large.sum())), _LARGEST - 20)
    missing = round(villages * mean) - int(sizes.sum())
    while missing:
        common = np.flatnonzero((sizes > 4) & (sizes < 16))
        chosen = chance.permutation(common)[: abs(missing)]
        sizes[chosen] += np.sign(missing)
        missing -= len(chosen) * int(np.sign(missing))
    return sizes


def _names(random: Random, sizes: Numbers, southness: NDArray[np.float64]) -> list[str]:
    named = (
        name_natural_villages(random, count, share)
        for count, share in zip(sizes.tolist(), southness.tolist(), strict=True)
    )
    return list(chain.from_iterable(named))


def _codes(villages: Sequence[str], sizes: Numbers) -> list[str]:
    return [
        f"{village}{number:03}"
        for village, size in zip(villages, sizes.tolist(), strict=True)
        for number in range(1, size + 1)
    ]


def _places(codes: list[str], names: list[str], points: Points) -> Places:
    return Places(codes, names, points[:, 0].tolist(), points[:, 1].tolist())


def _join(parts: Sequence[Places]) -> Places:
    joined = Places()
    for part in parts:
        for column, values in part.columns().items():
            getattr(joined, column).extend(values)
    return joined


def _lay_out(county: County, sizes: Numbers, chance: np.random.Generator) -> tuple[Points, Points]:
    """Return the middles of the villages and the natural villages, in degrees."""
    boundary = shapely.from_wkb(county.boundary)
    shapely.prepare(boundary)
    plane = _Plane(*shapely.get_coordinates(boundary.centroid)[0])
    townships = [len(list(group)) for _, group in groupby(county.villages, key=_township)]
    ground = _ground(boundary, plane, _GROUND_PER_VILLAGE * len(county.villages), chance)
    middles = plane.metres(ground)[_middles_of_villages(plane.metres(ground), townships, chance)]
    scattered = _scatter(middles, sizes, plane, boundary, chance)
    return np.round(plane.degrees(middles), 6), scattered


def _township(village: str) -> str:
    return village[:9]


@dataclass(frozen=True, slots=True)
class _Plane:
    """Metres round a place: near enough for distances within a county."""

    longitude: float
    latitude: float

    def metres(self, degrees: Points) -> Points:
        return (degrees - (self.longitude, self.latitude)) * self.scale

    def degrees(self, metres: Points) -> Points:
        return metres / self.scale + (self.longitude, self.latitude)

    @property
    def scale(self) -> Points:
        """Metres of a degree, east and north."""
        return np.array([_METRES * np.cos(np.radians(self.latitude)), _METRES])


def _ground(boundary: Any, plane: _Plane, needed: int, chance: np.random.Generator) -> Points:
    """Return points all over the county, none near its border, in degrees."""
    inner = boundary.buffer(-_MARGIN / plane.scale[0])
    inner = boundary if inner.is_empty else inner
    shapely.prepare(inner)
    west, south, east, north = inner.bounds
    found = np.empty((0, 2))
    while len(found) < needed:
        tried = chance.uniform((west, south), (east, north), (2 * needed, 2))
        found = np.concatenate([found, tried[shapely.contains_xy(inner, tried[:, 0], tried[:, 1])]])
    return found[:needed]


def _middles_of_villages(
    ground: Points, townships: Sequence[int], chance: np.random.Generator
) -> Numbers:
    """Part the ground among townships, and each part among its villages; return rows of ground."""
    seats, owner = _part(ground, np.array(townships), chance)
    found: list[Numbers] = []
    taken = np.zeros(len(ground), dtype=bool)
    for number, (seat, villages) in enumerate(zip(seats, townships, strict=True)):
        near = (
            np.linalg.norm(ground - ground[seat], axis=1) + 1e9 * (owner != number) + 1e12 * taken
        )
        own = np.argsort(near)[: max(4 * villages, int(((owner == number) & ~taken).sum()))]
        chosen = own[_part(ground[own], np.ones(villages, dtype=int), chance)[0]]
        taken[chosen] = True
        found.append(chosen)
    return np.concatenate(found)


def _part(ground: Points, weights: Numbers, chance: np.random.Generator) -> tuple[Numbers, Numbers]:
    """Spread centres over the ground, each with room by its weight (Lloyd's way).

    Returns the rows of ground that are the centres, all different, and the centre of each row.
    """
    rows = chance.choice(len(ground), len(weights), replace=False)
    owner = _nearest(ground, ground[rows], weights)
    for _ in range(6):
        sizes = np.maximum(np.bincount(owner, minlength=len(weights)), 1)[:, None]
        sums = np.stack(
            [np.bincount(owner, ground[:, axis], len(weights)) for axis in (0, 1)], axis=1
        )
        distance = np.linalg.norm(ground - (sums / sizes)[owner], axis=1)
        order = np.lexsort((distance, owner))
        held, first = np.unique(owner[order], return_index=True)
        rows[held] = order[first]  # a centre whose ground others took stays where it was
        owner = _nearest(ground, ground[rows], weights)
    return rows, owner


def _nearest(ground: Points, centres: Points, weights: Numbers) -> Numbers:
    east, north = ground.T[:, :, None] - centres.T[:, None, :]
    found: Numbers = ((east**2 + north**2) / weights).argmin(axis=1)
    return found


def _scatter(
    middles: Points, sizes: Numbers, plane: _Plane, boundary: Any, chance: np.random.Generator
) -> Points:
    """Lay the natural villages round their middles, in degrees, inside the boundary."""
    village = np.repeat(np.arange(len(sizes)), sizes)
    number = np.arange(len(village)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    share = np.sqrt((number + chance.random(len(village))) / sizes[village])
    reach = _reach(middles)[village]
    phase = chance.uniform(0, 2 * np.pi, len(sizes))[village]
    angle = phase + number * _GOLDEN_ANGLE + chance.normal(0, 0.3, len(village))
    points = np.empty((len(village), 2))
    left = np.arange(len(village))
    while len(left):
        distance = (_NEAREST + (reach[left] - _NEAREST) * share[left])[:, None]
        direction = np.stack([np.cos(angle[left]), np.sin(angle[left])], axis=1)
        points[left] = np.round(plane.degrees(middles[village[left]] + distance * direction), 6)
        left = left[~shapely.contains_xy(boundary, points[left, 0], points[left, 1])]
        angle[left] = chance.uniform(0, 2 * np.pi, len(left))
        share[left] *= 0.8  # nearer each time: at the nearest there is ground all round
    return points


def _reach(middles: Points) -> NDArray[np.float64]:
    """Return how far each village's natural villages lie: three quarters of the way to the next."""
    if len(middles) < 2:
        return np.full(len(middles), _FARTHEST)
    east, north = middles.T[:, :, None] - middles.T[:, None, :]
    apart = np.hypot(east, north)
    np.fill_diagonal(apart, np.inf)
    reach: NDArray[np.float64] = np.clip(0.75 * apart.min(axis=1), 2 * _NEAREST, _FARTHEST)
    return reach
