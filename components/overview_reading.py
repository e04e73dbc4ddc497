"""What the overview shows and of which units: read once for everybody who sees the same."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import streamlit as st

from components import cached
from components.map import ColourBy, Level, Palette, Picture
from data_access import progress
from domain.access import Actor
from domain.overview import Group, late_units, rank
from domain.progress import LatenessLimits, Summary, UnitProgress, summarise

_MONTHS = 12


@dataclass(frozen=True, slots=True)
class Filters:
    """What the overview is asked to show; the address of the page carries it."""

    level: Level
    colour_by: ColourBy
    city: str | None
    kind: str | None
    as_of: date | None
    """A past day, None for today."""

    @property
    def is_past(self) -> bool:
        return self.as_of is not None

    def query(self) -> dict[str, str]:
        """Return what another page needs to speak of the same units on the same day."""
        fields = {"city": self.city, "kind": self.kind}
        return {**{name: value for name, value in fields.items() if value}, **self.day_query()}

    def day_query(self) -> dict[str, str]:
        """Return the past day alone, nothing for today."""
        return {"as_of": self.as_of.isoformat()} if self.as_of else {}


@dataclass(frozen=True, slots=True)
class Overview:
    """Everything that the overview draws, of the chosen units alone."""

    frame: cached.Frame
    units: tuple[UnitProgress, ...]
    summary: Summary
    months: tuple[Summary, ...]
    """At the ends of the months before, oldest first."""

    @property
    def limits(self) -> LatenessLimits:
        return self.frame.limits

    @property
    def late(self) -> list[UnitProgress]:
        return late_units(self.units, self.limits)

    def on_map(self, level: Level) -> list[UnitProgress]:
        """Return the units that the map shows at a level."""
        return [unit for unit in self.units if unit.level == level]


def read_overview(actor: Actor, frame: cached.Frame, filters: Filters) -> Overview:
    """Return the figures of the chosen units, today's or a past day's, with the months before."""
    return _overview(actor, cached.scope_of(actor, frame), frame, filters)


@st.cache_resource(ttl="15m", max_entries=256, show_spinner=False, hash_funcs=cached.HASH_FRAME)
def _overview(
    _actor: Actor, scope: cached.Scope, frame: cached.Frame, filters: Filters
) -> Overview:
    day = progress.moment_of(filters.as_of)[1]
    units = cached.units_on(_actor, frame, filters.as_of)
    months = cached.units_at_month_ends(_actor, frame, day, _MONTHS)
    return Overview(
        frame=frame,
        units=tuple(_chosen(units, filters)),
        summary=_summary(units, filters, frame),
        months=tuple(_summary(month, filters, frame) for month in months),
    )


def _chosen(units: Sequence[UnitProgress], filters: Filters) -> list[UnitProgress]:
    return cached.chosen(units, filters.city, filters.kind)


def _summary(units: Sequence[UnitProgress], filters: Filters, frame: cached.Frame) -> Summary:
    return summarise(_chosen(units, filters), frame.limits, approved_stage=frame.approved_stage)


def rank_cities(overview: Overview) -> list[Group]:
    """Return the cities, each with its counties, the furthest first."""
    names = {unit.code: unit.name for unit in overview.units}
    return rank_groups(overview, lambda unit: _city_of(unit, names))


def rank_groups(
    overview: Overview, group_of: Callable[[UnitProgress], tuple[str, str]]
) -> list[Group]:
    """Return the groups of `group_of` (key and name of a unit's group), the furthest first."""
    return rank(
        overview.units, group_of, overview.limits, approved_stage=overview.frame.approved_stage
    )


def _city_of(unit: UnitProgress, names: Mapping[str, str]) -> tuple[str, str]:
    if unit.level == Level.CITY:
        return unit.code, unit.name
    return unit.parent_code, names.get(unit.parent_code, unit.parent_name)


def picture_of(filters: Filters, frame: cached.Frame) -> Picture:
    """Return what the map shows under the filters."""
    return Picture(
        level=filters.level,
        colour_by=filters.colour_by,
        as_of=filters.as_of,
        city=filters.city,
        kind=filters.kind,
        version=frame.version,
    )


def palette_of(filters: Filters, frame: cached.Frame) -> Palette:
    """Return how units are coloured under the filters."""
    return Palette(filters.colour_by, frame.limits, frame.milestones)
