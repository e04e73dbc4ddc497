"""Indicators that layers can say: areas, overlaps, services within a distance.

A rule names its measure and its layers (table spatial_indicator); a layer is whatever the registry
map_layer has under that name. What is computed stands beside what is filed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import Connection

from data_access.queries import load_queries
from data_access.rows import fetch_all
from domain.access import Actor, Role
from domain.errors import NotPermitted

_SQL = load_queries("spatial_indicators")


@dataclass(frozen=True, slots=True)
class SpatialRule:
    """How an indicator is computed; with `missing_layers` it is not connected (未接入)."""

    canonical_code: str
    measure: str
    layer_code: str
    land_classes: list[str]
    other_layer_code: str | None
    distance_m: Decimal | None
    definition: str
    missing_layers: list[str]


def list_spatial_rules(connection: Connection) -> list[SpatialRule]:
    """Return every spatial indicator with the layers it lacks."""
    return fetch_all(connection, _SQL["list_rules"], SpatialRule)


def compute(connection: Connection, actor: Actor, year: int, divisions: Sequence[str]) -> int:
    """Compute every spatial indicator of the divisions for a data year, from the layers of now.

    Areas are ellipsoidal, of what lies within the boundary. Returns how many were computed; raises
    NotPermitted for anybody but the bureau and the information centre.
    """
    if not actor.has_role(Role.PLAN_BUREAU, Role.INFORMATION_CENTRE):
        raise NotPermitted(year=year)
    rules = list_spatial_rules(connection)
    for division in divisions:
        for rule in rules:
            connection.execute(
                _SQL["compute"],
                {
                    "division_code": division,
                    "year": year,
                    "canonical_code": rule.canonical_code,
                    "is_connected": not rule.missing_layers,
                },
            )
    return len(divisions) * sum(not rule.missing_layers for rule in rules)
