"""Villages and natural villages: identities and positions, with their history."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection

from data_access.queries import load_queries

_SQL = load_queries("villages")


@dataclass(frozen=True, slots=True)
class Places:
    """Named places by code, column by column; degrees of EPSG:4490."""

    codes: Sequence[str]
    names: Sequence[str]
    longitudes: Sequence[float]
    latitudes: Sequence[float]

    def digest(self) -> str:
        """Return the SHA-256 of the rows."""
        rows = zip(self.codes, self.names, self.longitudes, self.latitudes, strict=True)
        lines = "".join(f"{code}\t{name}\t{x!r}\t{y!r}\n" for code, name, x, y in rows)
        return hashlib.sha256(lines.encode()).hexdigest()


def add_natural_villages(
    owner: Connection, places: Places, *, valid_from: date, action: str, is_demo: bool = False
) -> None:
    """Add natural villages with one entry of the trail for all of them."""
    _add(owner, "natural_village", places, valid_from, action, is_demo)


def add_division_locations(
    owner: Connection, places: Places, *, valid_from: date, action: str, is_demo: bool = False
) -> None:
    """Add the positions of divisions that have none, with one entry of the trail."""
    _add(owner, "division_location", places, valid_from, action, is_demo)


def _add(
    owner: Connection, table: str, places: Places, valid_from: date, action: str, is_demo: bool
) -> None:
    columns = {
        "codes": list(places.codes),
        "names": list(places.names),
        "longitudes": list(places.longitudes),
        "latitudes": list(places.latitudes),
    }
    owner.execute(_SQL["begin_bulk_load"])
    owner.execute(_SQL[f"add_{table}s"], columns | {"valid_from": valid_from, "is_demo": is_demo})
    owner.execute(_SQL["end_bulk_load"])
    owner.execute(
        _SQL["log_bulk_load"],
        {
            "table_name": table,
            "row_count": len(places.codes),
            "digest": places.digest(),
            "action": action,
        },
    )
