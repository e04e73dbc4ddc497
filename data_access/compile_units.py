"""Compile units that are known: searched while somebody fills in a form."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection

from data_access.queries import load_queries
from data_access.rows import fetch_all

_SQL = load_queries("compile_units")
_MOST_FOUND = 8
_SHORTEST_QUESTION = 2  # characters


@dataclass(frozen=True, slots=True)
class KnownUnit:
    """A compile unit as the contracts accepted last have it."""

    uscc: str
    name: str
    unit_type: str | None
    grade: str | None
    cert_no: str | None
    cert_valid: date | None
    province: str | None

    def fields(self) -> dict[str, str | None]:
        """Return what fills a form, by the second half of the fields' codes (unit1_name)."""
        return {
            "uscc": self.uscc,
            "name": self.name,
            "type": self.unit_type,
            "grade": self.grade,
            "cert_no": self.cert_no,
            "cert_valid": self.cert_valid.isoformat() if self.cert_valid else None,
            "province": self.province,
        }


def list_known(connection: Connection) -> list[KnownUnit]:
    """Return every compile unit that is known, by name."""
    return fetch_all(connection, _SQL["list_known"], KnownUnit)


def search(connection: Connection, asked: str) -> list[KnownUnit]:
    """Return the units whose code or name holds the text, the closest first; at most eight."""
    text = asked.strip()
    if len(text) < _SHORTEST_QUESTION:
        return []
    plain = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return fetch_all(
        connection,
        _SQL["search"],
        KnownUnit,
        pattern=f"%{plain}%",
        asked=text,
        limit=_MOST_FOUND,
    )
