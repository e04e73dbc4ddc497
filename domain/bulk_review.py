"""A decision on many reports: what it may touch, what it leaves out, and when it holds.

It touches only what the reviewer saw, in the version he saw it. Each report is a decision of its
own: it happens whole or not at all, and one that cannot is left out with its reason.
"""

from enum import StrEnum

from domain.access import Actor
from domain.errors import InvalidAction, NotFound, PortalError, StaleVersion
from domain.workflow import Unit

MOST_AT_ONCE = 20_000
ACTIONS = ("approve", "return")


class ItemState(StrEnum):
    PENDING = "pending"
    DONE = "done"
    LEFT_OUT = "left_out"
    UNDONE = "undone"


class LeftOut(StrEnum):
    """Why a report of a bulk decision was not decided."""

    GONE = "gone"
    CHANGED = "changed"
    NOT_WAITING = "not_waiting"
    NOT_YOURS = "not_yours"
    OWN_FILING = "own_filing"
    HAS_ERRORS = "has_errors"
    PENDING_ELSEWHERE = "pending_elsewhere"
    REFUSED = "refused"
    BUSY = "busy"
    STOPPED = "stopped"


def left_out_by(error: PortalError, actor: Actor, unit: Unit, filer_id: int | None) -> LeftOut:
    """Return the reason that an error of a single decision is for a bulk one."""
    if isinstance(error, NotFound):
        return LeftOut.GONE
    if isinstance(error, StaleVersion):
        return LeftOut.CHANGED
    if isinstance(error, InvalidAction):
        return LeftOut.NOT_WAITING
    return LeftOut.OWN_FILING if is_own_filing(actor, unit, filer_id) else LeftOut.NOT_YOURS


def is_own_filing(actor: Actor, unit: Unit, filer_id: int | None) -> bool:
    """Tell whether the actor filed the report, or files for its unit."""
    return actor.user_id == filer_id or any(
        grant.division_code == unit.code for grant in actor.grants
    )
