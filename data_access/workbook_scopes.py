"""What may be asked for as one workbook or CSV: periods, and in them a unit or an area of units."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection

from data_access.queries import load_queries
from data_access.reporting import ReportingPeriod, load_filers
from data_access.rows import fetch_all, fetch_one
from domain.access import Actor, Role
from domain.clock import today
from domain.errors import NotFound
from domain.workflow import fills, only_contributes

_SQL = load_queries("workbook_scopes")


@dataclass(frozen=True, slots=True)
class Period:
    period_id: int
    form_code: str
    form_title: str
    name: str
    starts_on: date
    deadline_at: datetime
    form_version: int
    workflow_version: int
    closed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Unit:
    code: str
    name: str
    prefix: str
    parent_name: str


@dataclass(frozen=True, slots=True)
class Scope:
    """What may be asked for as one workbook: a unit, or all units of an area."""

    key: str
    name: str
    units: tuple[Unit, ...]


@dataclass(frozen=True, slots=True)
class _Area:
    code: str
    name: str
    prefix: str


def get_period(connection: Connection, period_id: int) -> Period:
    """Return the period with its form; raise NotFound."""
    found = fetch_one(connection, _SQL["get_period"], Period, period_id=period_id)
    if found is None:
        raise NotFound(period_id=period_id)
    return found


def list_offered(
    connection: Connection, actor: Actor, periods: Sequence[ReportingPeriod]
) -> list[Period]:
    """Return the periods of which the actor takes workbooks: a department where it fills in."""
    found = [get_period(connection, each.period_id) for each in periods]
    return [period for period in found if _concerns(connection, actor, period)]


def _concerns(connection: Connection, actor: Actor, period: Period) -> bool:
    filers = load_filers(connection, period.form_code)
    fills_some = actor.roles & {*filers.contributor_roles, *filers.filer_roles}
    # A township has no units of a form that it does not fill in.
    reads_some = not only_contributes(filers, actor) and actor.roles != {Role.TOWNSHIP}
    return bool(fills_some) or reads_some


def list_scopes(connection: Connection, actor: Actor, period: Period) -> list[Scope]:
    """Return what the actor may ask for: first what he files himself, then areas, then units."""
    units = list_units(connection, period)
    filers = load_filers(connection, period.form_code)
    own = [unit for unit in units if fills(filers, unit.code, actor)]
    scopes = [_of_unit(unit) for unit in own]
    if only_contributes(filers, actor):
        return [*_areas(connection, own), *scopes]
    if len(own) > 1:
        scopes.insert(0, Scope("own", f"本账号填报的 {len(own)} 个单位", tuple(own)))
    if filers.filed_from_above:
        return _areas(connection, units) or scopes
    if any(grant.role is not Role.COUNTY for grant in actor.grants):
        scopes += _areas(connection, units)
        scopes += [_of_unit(unit) for unit in units if unit not in own]
    return scopes


def get_scope(connection: Connection, actor: Actor, period: Period, key: str) -> Scope:
    """Return one of the actor's scopes by its key; raise NotFound."""
    for scope in list_scopes(connection, actor, period):
        if scope.key == key:
            return scope
    raise NotFound(scope=key)


def list_units(connection: Connection, period: Period) -> list[Unit]:
    """Return the units of the actor's scope that must file the period's form."""
    return fetch_all(
        connection,
        _SQL["list_units"],
        Unit,
        day=today(),
        form_code=period.form_code,
        form_version=period.form_version,
    )


def _of_unit(unit: Unit) -> Scope:
    return Scope(unit.code, unit.name, (unit,))


def _areas(connection: Connection, units: Sequence[Unit]) -> list[Scope]:
    """Return the areas of several units; one with the same units as a wider one is left out."""
    units = sorted(units, key=lambda unit: unit.prefix)
    prefixes = [unit.prefix for unit in units]
    scopes: dict[tuple[str, ...], Scope] = {}
    for area in fetch_all(connection, _SQL["list_areas"], _Area, day=today()):
        first, end = (bisect_left(prefixes, area.prefix + end) for end in ("", ":"))
        inside = tuple(units[first:end])
        if len(inside) < 2:
            continue
        codes = tuple(unit.code for unit in inside)
        name = f"{area.name}（{len(inside)} 个单位）"
        scopes.setdefault(codes, Scope(f"{area.code}-all", name, inside))
    return list(scopes.values())
