"""Reads that many runs share, each wrapped once.

A key holds the data scope, so two counties never share a figure, and what moves with the data:
the version for today, the day itself for a past day, whose picture stays. What is kept is frozen
and handed out as it is, without a copy.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

import streamlit as st

from data_access import (
    compile_form,
    compile_overview,
    layers,
    overview,
    portal_settings,
    progress,
    township_review,
    village_form,
    village_overview,
)
from data_access.change_listener import Topic, mark
from data_access.database import Connection
from data_access.forms import load_form
from data_access.layers import DivisionLabel, Extent
from data_access.overview import AcceptedStage, Filing, Period
from data_access.read_replica import read
from data_access.township_review import Place as ReviewPlace
from data_access.village_overview import Year
from domain.access import Actor, Grant, Role
from domain.clock import today
from domain.compile_overview import Standing
from domain.forms import Form
from domain.overview import Stage
from domain.progress import LatenessLimits, UnitProgress
from domain.village_overview import Place
from domain.village_overview import Standing as VillageStanding

Scope = tuple[str, ...]
_TOWNSHIP_DIGITS = 9


@dataclass(frozen=True, slots=True)
class Frame:
    """What every figure of a dashboard rests on, besides the units: the day, settings, stages."""

    today: date
    version: str
    """Moves with every change that a dashboard or its map shows."""
    boundaries: int
    """Moves when boundaries or divisions are imported."""
    limits: LatenessLimits
    approved_stage: str
    stages: tuple[Stage, ...]
    everyone: Scope | None
    """The whole installation's scope where counties may see the ranking, else None."""

    @property
    def key(self) -> str:
        """What the keys of caches hold instead of the frame, which is slow to hash."""
        return f"{self.today} {self.version} {self.limits} {self.approved_stage}"

    @property
    def milestones(self) -> tuple[Stage, ...]:
        return tuple(stage for stage in self.stages if stage.is_milestone)


def read_frame(actor: Actor, day: date | None = None) -> Frame:
    """Return the stages, the version of the data, and the settings now or on a past day.

    This is what tells whether a cached read still holds: it is read anew when another process
    tells of a change, and each second whatever is told.
    """
    past = progress.moment_of(day)[0] if day is not None and day < today() else None
    return _frame(actor, past, today(), mark(Topic.DASHBOARD, Topic.SETTINGS, Topic.MAP))


@st.cache_resource(ttl="1s", max_entries=32, show_spinner=False)
def _frame(_actor: Actor, past: datetime | None, on: date, marked: int) -> Frame:
    """Read what is the same for everyone: nothing here depends on the data scope."""
    return read(_actor, lambda connection: _read_frame(connection, past, on))


def _read_frame(connection: Connection, past: datetime | None, on: date) -> Frame:
    settings = portal_settings.read_settings(connection, past)
    data = progress.data_version(connection)
    boundaries = layers.boundary_version(connection)
    stages = overview.list_stages(connection)
    roots = overview.list_roots(connection)
    return Frame(
        today=on,
        version=f"{data}-{boundaries}",
        boundaries=boundaries,
        limits=portal_settings.lateness_limits(settings),
        approved_stage=str(settings.get("approved_stage", "")),
        stages=tuple(stages),
        everyone=roots if settings.get("counties_see_ranking") is True else None,
    )


# A cache of what was made from a frame knows it by its key.
HASH_FRAME: dict[str | type, Callable[[Any], Any]] = {Frame: lambda frame: frame.key}


def scope_of(actor: Actor, frame: Frame) -> Scope:
    """Return the prefixes whose figures the actor may see: his own, or by a setting all."""
    if frame.everyone and actor.has_role(Role.CITY, Role.COUNTY):
        return frame.everyone
    return actor.prefixes


def units_on(actor: Actor, frame: Frame, day: date | None) -> tuple[UnitProgress, ...]:
    """Return the units whose figures the actor may see: now (None) or as of a past day."""
    moment, on = progress.moment_of(day)
    if on < today():
        return _past_units(actor, scope_of(actor, frame), moment, on)
    return _units_now(actor, scope_of(actor, frame), on, frame.version)


def units_at_month_ends(
    actor: Actor, frame: Frame, day: date, count: int
) -> list[tuple[UnitProgress, ...]]:
    """Return the units at the ends of the months before the day's own, oldest first."""
    return [
        _past_units(actor, scope_of(actor, frame), moment, moment.date())
        for moment in progress.month_ends(day, count)
    ]


def chosen(units: Iterable[UnitProgress], city: str | None, kind: str | None) -> list[UnitProgress]:
    """Return the units of a city (itself and its counties) and of a kind; None means all."""
    return [
        unit
        for unit in units
        if (city is None or city in (unit.code, unit.parent_code))
        and (kind is None or kind == unit.kind)
    ]


@st.cache_resource(ttl="15m", max_entries=128, show_spinner=False)
def _units_now(_actor: Actor, scope: Scope, day: date, version: str) -> tuple[UnitProgress, ...]:
    return _read_units(_actor, scope, progress.moment_of(None)[0], day)


@st.cache_resource(ttl="6h", max_entries=512, show_spinner=False)
def _past_units(
    _actor: Actor, scope: Scope, moment: datetime, day: date
) -> tuple[UnitProgress, ...]:
    return _read_units(_actor, scope, moment, day)


def _read_units(
    actor: Actor, scope: Scope, moment: datetime, day: date
) -> tuple[UnitProgress, ...]:
    if scope == actor.prefixes:
        return tuple(read(actor, lambda connection: progress.list_units(connection, moment, day)))
    # The setting lends the sight of every unit's figures, not of the people behind them.
    reader = replace(actor, grants=tuple(Grant(Role.LEADER, root, root) for root in scope))
    units = read(reader, lambda connection: progress.list_units(connection, moment, day))
    return tuple(replace(unit, responsible_name="") for unit in units)


@st.cache_resource(ttl="15m", max_entries=64, show_spinner=False)
def period_at(_actor: Actor, day: date | None, version: str) -> Period | None:
    """Return the reporting period that was open on a day."""
    moment = progress.moment_of(day)[0]
    return read(_actor, lambda connection: overview.find_period(connection, moment))


def filings_on(actor: Actor, day: date | None, version: str) -> dict[str, Filing]:
    """Return the reports of the period open on a day, by the unit's code."""
    return _filings(actor, actor.prefixes, day, version)


@st.cache_resource(ttl="15m", max_entries=32, show_spinner=False)
def _filings(_actor: Actor, scope: Scope, day: date | None, version: str) -> dict[str, Filing]:
    moment = progress.moment_of(day)[0]
    rows = read(_actor, lambda connection: overview.list_filings(connection, moment))
    return {row.code: row for row in rows}


def accepted_on(
    actor: Actor, day: date | None, version: str
) -> dict[str, tuple[AcceptedStage, ...]]:
    """Return the accepted stages on a day, by the unit's code."""
    return _accepted(actor, actor.prefixes, day, version)


@st.cache_resource(ttl="15m", max_entries=32, show_spinner=False)
def _accepted(
    _actor: Actor, scope: Scope, day: date | None, version: str
) -> dict[str, tuple[AcceptedStage, ...]]:
    moment = progress.moment_of(day)[0]
    rows = read(_actor, lambda connection: overview.list_accepted(connection, moment))
    stages: dict[str, list[AcceptedStage]] = {}
    for row in rows:
        stages.setdefault(row.code, []).append(row)
    return {code: tuple(accepted) for code, accepted in stages.items()}


def compile_standing(actor: Actor, day: date | None, version: str) -> tuple[Standing, Form]:
    """Return who compiles for whom on a day, as accepted then, with the form that names codes."""
    return _compile_standing(actor, actor.prefixes, day, today(), version)


@st.cache_resource(ttl="15m", max_entries=64, show_spinner=False)
def _compile_standing(
    _actor: Actor, scope: Scope, day: date | None, on: date, version: str
) -> tuple[Standing, Form]:
    moment, shown = progress.moment_of(day)
    return read(
        _actor,
        lambda connection: (
            compile_overview.read_standing(connection, moment, shown),
            load_form(connection, compile_form.FORM_CODE, 1),
        ),
    )


@st.cache_resource(ttl="15m", max_entries=8, show_spinner=False)
def village_years(_actor: Actor, on: date, version: str) -> tuple[Year, ...]:
    """Return the years of village evaluation opened so far, the newest first."""
    return tuple(read(_actor, village_overview.list_years))


def village_places(actor: Actor, year: Year, code: str, boundaries: int) -> tuple[Place, ...]:
    """Return the tops of what the actor may see in a year, and the divisions down to a code."""
    town = code[:_TOWNSHIP_DIGITS] if code.isdigit() else ""
    return _village_places(actor, actor.prefixes, year.day, town, boundaries)


@st.cache_resource(ttl="6h", max_entries=256, show_spinner=False)
def _village_places(
    _actor: Actor, scope: Scope, day: date, code: str, boundaries: int
) -> tuple[Place, ...]:
    return tuple(
        read(_actor, lambda connection: village_overview.list_places(connection, day, code))
    )


def village_standing(
    actor: Actor, frame: Frame, year: Year, before: Year | None, place: Place, by: str
) -> tuple[VillageStanding, Form]:
    """Return how a place's villages stand in a year, beside the year before, with the form's codes.

    The parts are its divisions of the level `by`.
    """
    years = (year,) if before is None else (year, before)
    key = f"{place.code} {by} {year.year} {year.day} {frame.version}"
    return _village_standing(actor, actor.prefixes, key, place, by, years)


@st.cache_resource(ttl="15m", max_entries=256, show_spinner=False)
def _village_standing(
    _actor: Actor, scope: Scope, key: str, _place: Place, by: str, _years: tuple[Year, ...]
) -> tuple[VillageStanding, Form]:
    def standing(connection: Connection) -> tuple[VillageStanding, Form]:
        parts = village_overview.list_parts(connection, _years[0].day, _place, by)
        return (
            village_overview.read_standing(connection, _place, parts, _years),
            load_form(connection, village_form.FORM_CODE, 1),
        )

    return read(_actor, standing)


def odd_reports(actor: Actor, period_id: int, place: ReviewPlace) -> list[int]:
    """Return the villages' reports in which something stands out.

    Those of a city or of the province, whose quartiles take a second, are a minute old at most.
    """
    key = (actor, actor.prefixes, period_id, place.prefix)
    return _odd_anew(*key) if place.level in ("county", "township") else _odd_kept(*key)


def _odd_anew(actor: Actor, scope: Scope, period_id: int, prefix: str) -> list[int]:
    return read(actor, lambda connection: township_review.list_odd(connection, period_id, prefix))


@st.cache_resource(ttl="1m", max_entries=64, show_spinner=False)
def _odd_kept(_actor: Actor, scope: Scope, period_id: int, prefix: str) -> list[int]:
    return _odd_anew(_actor, scope, period_id, prefix)


# Names, positions and outlines are visible to everyone signed in: one picture for all.
@st.cache_resource(ttl="6h", max_entries=64, show_spinner=False)
def extent_of(_actor: Actor, code: str | None, day: date, version: str) -> Extent | None:
    """Return the box of a division, or of everything drawn, on a day."""
    return layers.read_as_of(_actor, day, lambda connection: layers.get_extent(connection, code))


@st.cache_resource(ttl="6h", max_entries=64, show_spinner=False)
def shapes_of(_actor: Actor, level: str, day: date, boundaries: int) -> dict[str, tuple[str, str]]:
    """Return name and outline (GeoJSON text) of the divisions of a level on a day, by code."""
    features = layers.read_as_of(
        _actor, day, lambda connection: layers.list_features(connection, level)
    )
    return {feature.key: (str(feature.fields["name"]), feature.shape) for feature in features}


@st.cache_resource(ttl="6h", max_entries=64, show_spinner=False)
def hatches_of(_actor: Actor, level: str, day: date, boundaries: int) -> dict[str, str]:
    """Return the hatching (GeoJSON text) of the divisions of a level on a day, by code."""
    hatches = layers.read_as_of(
        _actor, day, lambda connection: layers.list_hatches(connection, level)
    )
    return {hatch.code: hatch.shape for hatch in hatches}


@st.cache_resource(ttl="6h", max_entries=64, show_spinner=False)
def labels_of(_actor: Actor, level: str, day: date, boundaries: int) -> tuple[DivisionLabel, ...]:
    """Return where the names of the divisions of a level are written on a day."""
    labels = layers.read_as_of(
        _actor, day, lambda connection: layers.list_labels(connection, level)
    )
    return tuple(labels)
