"""What the pages of units and indicators read: each wrapped once, kept until the data moves.

Whoever sees a part of the province compares it with sums over all of it (counts of levels, the
province's own figures) and learns the place of his own units; figures of single units outside his
scope he is shown only where a setting lends him the ranking.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import streamlit as st

from components import cached
from components.assessment_matrix import Matrix, Row, scope_key
from data_access import assessment, indicators, overview
from data_access.assessment import AssessedUnit, Place, Point, UnitResult
from data_access.change_listener import Topic, mark
from data_access.database import Connection
from data_access.indicators import Canonical, Indicator, Rules, WarningProfile
from data_access.read_replica import read
from domain.access import Actor, Grant, Role
from domain.assessment import Level


@dataclass(frozen=True, slots=True)
class Tally:
    """Levels counted over units and indicators; shares are of these sums, never averaged."""

    normal: int
    rated: int
    filled: int
    total: int

    @property
    def share(self) -> float | None:
        """The share of normal among what is rated; None where nothing is."""
        return self.normal / self.rated if self.rated else None


def tally(rows: Sequence[Row], columns: Sequence[int]) -> Tally:
    """Return the counts of some columns of some rows.

    Missing is not rated, so it is never counted as normal.
    """
    levels = [row.levels[at] for row in rows for at in columns]
    return Tally(
        normal=levels.count(Level.NORMAL),
        rated=sum(level.rank >= 0 for level in levels),
        filled=sum(level is not Level.NO_DATA for level in levels),
        total=len(levels),
    )


def dimensions_of(matrix: Matrix) -> dict[str, list[int]]:
    """Return the places of the columns of each dimension, in the set's order."""
    found: dict[str, list[int]] = {}
    for at, column in enumerate(matrix.columns):
        found.setdefault(column.dimension, []).append(at)
    return found


def comparing(actor: Actor) -> Actor:
    """Return who reads what is shown as sums alone: the whole province for cities and counties."""
    if not actor.roles <= {Role.CITY, Role.COUNTY}:
        return actor
    roots = _roots(actor, mark(Topic.MAP))
    return replace(actor, grants=tuple(Grant(Role.LEADER, root, root) for root in roots))


def ranking(actor: Actor) -> Actor | None:
    """Return who reads places among all units; None where the ranking is not open to the actor."""
    wider = comparing(actor)
    if wider is actor or cached.read_frame(actor).everyone:
        return wider
    return None


@st.cache_resource(ttl="15m", max_entries=4, show_spinner=False)
def _roots(_actor: Actor, marked: int) -> tuple[str, ...]:
    return read(_actor, overview.list_roots)


def canonicals(actor: Actor) -> Mapping[str, Canonical]:
    """Return everything that is filed or derived, by its code."""
    return _canonicals(actor, mark(Topic.ASSESSMENT))


@st.cache_resource(ttl="15m", max_entries=4, show_spinner=False)
def _canonicals(_actor: Actor, marked: int) -> Mapping[str, Canonical]:
    return {each.canonical_code: each for each in read(_actor, indicators.list_canonicals)}


def units_of(actor: Actor) -> Mapping[str, AssessedUnit]:
    """Return the units that the actor may see, by code: each city before its counties."""
    return _units(actor, scope_key(actor), mark(Topic.ASSESSMENT, Topic.MAP))


@st.cache_resource(ttl="15m", max_entries=64, show_spinner=False)
def _units(_actor: Actor, scope: object, marked: int) -> Mapping[str, AssessedUnit]:
    return {unit.code: unit for unit in read(_actor, assessment.list_units)}


def province_of(actor: Actor) -> str:
    """Return the province's code, '' before its cities are known."""
    units = units_of(comparing(actor)).values()
    return next((unit.parent_code for unit in units if unit.level == "city"), "")


def results_of(actor: Actor, code: str, year: int) -> Mapping[str, UnitResult]:
    """Return a unit's year, or the province's, by canonical code."""
    return _results(actor, scope_key(actor), code, year, mark(Topic.ASSESSMENT))


@st.cache_resource(ttl="15m", max_entries=1024, show_spinner=False)
def _results(
    _actor: Actor, scope: object, code: str, year: int, marked: int
) -> Mapping[str, UnitResult]:
    rows = read(_actor, lambda connection: assessment.list_unit_results(connection, code, year))
    return {row.canonical_code: row for row in rows}


def places_of(actor: Actor, year: int) -> Mapping[str, tuple[Place, ...]]:
    """Return the actor's units by indicator, with their place among all cities or all counties."""
    return _places(actor, scope_key(actor), year, mark(Topic.ASSESSMENT, Topic.SETTINGS))


@st.cache_resource(ttl="15m", max_entries=32, show_spinner=False)
def _places(
    _actor: Actor, scope: object, year: int, marked: int
) -> Mapping[str, tuple[Place, ...]]:
    codes = list(canonicals(_actor))
    found: dict[str, list[Place]] = {}
    for place in read(_actor, lambda connection: assessment.list_places(connection, year, codes)):
        found.setdefault(place.canonical_code, []).append(place)
    return {code: tuple(places) for code, places in found.items()}


def series_of(actor: Actor, code: str) -> Mapping[str, tuple[Point, ...]]:
    """Return every year of a unit, or of the province, by canonical code."""
    return _series(actor, scope_key(actor), code, mark(Topic.ASSESSMENT))


@st.cache_resource(ttl="15m", max_entries=256, show_spinner=False)
def _series(
    _actor: Actor, scope: object, code: str, marked: int
) -> Mapping[str, tuple[Point, ...]]:
    codes = list(canonicals(_actor))
    found: dict[str, list[Point]] = {}
    for point in read(_actor, lambda connection: assessment.list_series(connection, [code], codes)):
        found.setdefault(point.canonical_code, []).append(point)
    return {each: tuple(points) for each, points in found.items()}


@dataclass(frozen=True, slots=True)
class Defined:
    """An indicator as every set defines it, and the rule in force for a year."""

    canonical: Canonical
    definitions: tuple[Indicator, ...]
    standards: Mapping[str, str]
    """The standard of each set, by the set's code."""
    rules: Rules
    profile: WarningProfile


def definition_of(actor: Actor, code: str, year: int) -> Defined:
    """Return what an indicator is and the rule it is judged by in a year; raise NotFound."""
    return _definition(actor, code, year, mark(Topic.ASSESSMENT))


def standards_of(connection: Connection) -> dict[str, str]:
    """Return what each set is called and the standard it is taken from, by its code."""
    sets = indicators.list_sets(connection)
    return {each.set_code: f"{each.title}（{each.standard}）" for each in sets}


@st.cache_resource(ttl="15m", max_entries=256, show_spinner=False)
def _definition(_actor: Actor, code: str, year: int, marked: int) -> Defined:
    def ask(connection: Connection) -> Defined:
        canonical = indicators.get_canonical(connection, code)
        version = assessment.rules_of(connection, year)
        profiles = indicators.list_profiles(connection, version)
        rules = indicators.list_rules(connection)
        return Defined(
            canonical,
            tuple(indicators.list_indicators(connection, canonical_code=code)),
            standards_of(connection),
            next(each for each in rules if each.rule_version == version),
            next(each for each in profiles if each.profile_code == canonical.profile_code),
        )

    return read(_actor, ask)
