"""The settings that a province, a year or a standard would change, as rows."""

from sqlalchemy import Connection

from data_access.queries import load_queries
from domain.progress import LatenessLimits

_SQL = load_queries("portal_settings")


def read_settings(connection: Connection) -> dict[str, object]:
    """Return every setting by name, as JSON values."""
    return {name: value for name, value in connection.execute(_SQL["read_settings"])}


def lateness_limits(settings: dict[str, object]) -> LatenessLimits:
    """Return the days up to which lateness is yellow and orange."""
    days = settings.get("lateness_days")
    if not isinstance(days, dict):
        return LatenessLimits()
    return LatenessLimits(yellow=int(days["yellow"]), orange=int(days["orange"]))
