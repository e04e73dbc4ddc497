"""Writing under the trail, and reading what it says of the tests' own table."""

import psycopg
from psycopg import sql
from sqlalchemy import text

from data_access.database import transaction
from data_access.trail import VerificationResult
from domain.access import Actor, Grant, Role
from domain.trail import FindingKind

AUDITOR = Actor(9, "审计员", (Grant(Role.SECURITY_AUDITOR, "360000", "36"),))
FILER = Actor(7, "填报员", (Grant(Role.COUNTY, "360123", "360123"),))


def write(
    *statements: str, actor: Actor | None = FILER, action: str = "note.save", **values: object
) -> None:
    """Run statements in one transaction of the portal."""
    with transaction(actor, action=action) as connection:
        for statement in statements:
            connection.execute(text(statement), values)


def add_notes(count: int) -> None:
    """Add notes 0, 1, 2 … in one transaction: an entry each."""
    write("INSERT INTO note SELECT generate_series(0, :last)", last=count - 1)


def entries(owner: psycopg.Connection, *columns: str) -> list[tuple[object, ...]]:
    """Read the entries about notes, oldest first."""
    names = sql.SQL(", ").join(map(sql.SQL, columns))
    query = sql.SQL("SELECT {} FROM row_change WHERE table_name = 'note' ORDER BY row_change_id")
    return owner.execute(query.format(names)).fetchall()


def kinds(result: VerificationResult) -> list[FindingKind]:
    return [finding.kind for finding in result.findings]
