"""The settings that a province, a year or a standard would change, as rows with their history."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from data_access.queries import load_queries
from data_access.rows import fetch_all
from domain.access import Actor, Role
from domain.errors import InvalidSetting, NotFound, NotPermitted, StaleVersion
from domain.progress import LatenessLimits
from domain.settings import fault_of

_SQL = load_queries("portal_settings")


@dataclass(frozen=True, slots=True)
class PortalSetting:
    name: str
    value: object
    description: str
    changed_at: datetime | None
    """None for the value the installation started with."""


def read_settings(connection: Connection, moment: datetime | None = None) -> dict[str, object]:
    """Return every setting by name, as JSON values; with `moment`, those in force then."""
    if moment is None:
        rows = connection.execute(_SQL["read_settings"])
    else:
        rows = connection.execute(_SQL["read_settings_at"], {"moment": moment})
    return {row.name: row.value for row in rows}


def lateness_limits(settings: Mapping[str, object]) -> LatenessLimits:
    """Return the days up to which lateness is yellow and orange."""
    days = settings.get("lateness_days")
    if not isinstance(days, dict):
        return LatenessLimits()
    return LatenessLimits(yellow=int(days["yellow"]), orange=int(days["orange"]))


def list_settings(connection: Connection) -> list[PortalSetting]:
    """Return every setting with the moment it was changed last."""
    return fetch_all(connection, _SQL["list_settings"], PortalSetting)


def village_numbers(connection: Connection) -> dict[str, str]:
    """Return the labels of the numbers that a village reports, by field."""
    return {row.code: row.label for row in connection.execute(_SQL["list_village_numbers"])}


def change_setting(
    connection: Connection, actor: Actor, name: str, seen: object, value: object
) -> None:
    """Change a setting from the value the actor saw.

    Raises NotPermitted, NotFound, InvalidSetting for a value of another shape or out of range, and
    StaleVersion when somebody changed it since.
    """
    if not actor.has_role(Role.INFORMATION_CENTRE):
        raise NotPermitted(name=name)
    current = connection.execute(_SQL["find_setting"], {"name": name}).one_or_none()
    if current is None:
        raise NotFound(name=name)
    if fault := fault_of(name, current.value, value):
        raise InvalidSetting(reason=fault)
    parameters = {"name": name, "seen": json.dumps(seen), "value": json.dumps(value)}
    if connection.execute(_SQL["change_setting"], parameters).one_or_none() is None:
        raise StaleVersion(name=name)
