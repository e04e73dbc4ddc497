"""Who hears of supervision: the unit that is reminded, and the desk that asked."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from data_access.queries import load_queries
from data_access.rows import fetch_all
from domain.access import Actor, Role
from domain.errors import NotFound, NotPermitted
from domain.supervision import SUPERVISING_ROLES, may_supervise, unit_role

_SQL = load_queries("supervision_desks")
SUPERVISORS = [role.value for role in SUPERVISING_ROLES]


@dataclass(frozen=True, slots=True)
class Recipient:
    """A division as a message finds it."""

    code: str
    name: str
    level: str
    prefix: str

    @property
    def role(self) -> Role:
        return unit_role(self.level)


@dataclass(frozen=True, slots=True)
class Desk:
    """A role on a division that hears of what it asked for."""

    role: Role
    division_code: str


def get_recipients(connection: Connection, codes: Sequence[str]) -> list[Recipient]:
    """Return the divisions; raise NotFound when one of the codes is not in force."""
    found = fetch_all(connection, _SQL["list_recipients"], Recipient, codes=list(codes))
    for code in set(codes) - {each.code for each in found}:
        raise NotFound(code=code)
    return found


def supervised_recipients(
    connection: Connection, actor: Actor, codes: Sequence[str]
) -> dict[str, Recipient]:
    """Return the recipients by code; raise NotPermitted for one the actor does not supervise."""
    recipients = get_recipients(connection, codes)
    for recipient in recipients:
        if not may_supervise(actor, recipient.prefix):
            raise NotPermitted(code=recipient.code)
    return {recipient.code: recipient for recipient in recipients}
