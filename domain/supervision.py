"""Supervision: who may remind and close, what a reminder is about, how an item moves.

Days to answer are working days of the calendar, which is data: the database counts them.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from domain.access import Actor, Role
from domain.errors import InvalidAction, NotPermitted
from domain.progress import PeriodState, UnitProgress

SUPERVISING_ROLES = (Role.LEADER, Role.PLAN_BUREAU)


class ReminderTopic(StrEnum):
    LATE_MILESTONE = "late_milestone"
    NOT_FILED = "not_filed"
    RETURNED = "returned"
    OTHER = "other"


class ReminderState(StrEnum):
    WAITING = "waiting"
    OVERDUE = "overdue"
    ESCALATED = "escalated"
    ANSWERED = "answered"


class ItemState(StrEnum):
    OPEN = "open"
    ANSWERED = "answered"
    CLOSED = "closed"


class NoteKind(StrEnum):
    FEEDBACK = "feedback"
    COMMENT = "comment"
    REOPEN = "reopen"
    CLOSE = "close"


@dataclass(frozen=True, slots=True)
class Notice:
    """A message to whoever holds a role on a division, now or when it is read."""

    role: Role
    division_code: str
    title: str
    body: str
    link: str = ""
    """The page it is about, as a path with its query: "supervision?item=3"."""
    source_table: str = ""
    source_id: int | None = None


def unit_role(level: str) -> Role:
    """Return the role that answers for a reporting unit of this level."""
    return {"city": Role.CITY, "village": Role.TOWNSHIP}.get(level, Role.COUNTY)


def escalation_role(parent_level: str) -> Role:
    """Return the role that hears of an unanswered reminder, at the level above the unit."""
    return Role.CITY if parent_level == "city" else Role.PLAN_BUREAU


def may_supervise(actor: Actor, unit_prefix: str) -> bool:
    """Tell whether the actor may remind the unit, open items for it and close them."""
    return any(actor.may_act_as(role, unit_prefix) for role in SUPERVISING_ROLES)


def answers_for(actor: Actor, division_code: str) -> bool:
    """Tell whether the actor is the unit: a grant on the very division, not on one above it."""
    return any(
        grant.division_code == division_code and grant.role in (Role.CITY, Role.COUNTY)
        for grant in actor.grants
    )


def applies(topic: ReminderTopic, unit: UnitProgress) -> bool:
    """Tell whether there is something of this topic to remind the unit of."""
    match topic:
        case ReminderTopic.LATE_MILESTONE:
            return unit.late_days > 0 and not unit.is_merged
        case ReminderTopic.NOT_FILED:
            return unit.period_state is PeriodState.NOT_FILED and unit.deadline_at is not None
        case ReminderTopic.RETURNED:
            return unit.period_state is PeriodState.RETURNED
        case ReminderTopic.OTHER:
            return True


def topics_for(units: Iterable[UnitProgress]) -> list[ReminderTopic]:
    """Return the topics that apply to at least one of the units, the gravest first."""
    collected = list(units)
    return [topic for topic in ReminderTopic if any(applies(topic, unit) for unit in collected)]


def reminder_state(
    answer_due_on: date,
    acknowledged_at: datetime | None,
    escalated_at: datetime | None,
    today: date,
) -> ReminderState:
    """Return where a reminder stands; the day it is due on still counts as in time."""
    if acknowledged_at is not None:
        return ReminderState.ANSWERED
    if escalated_at is not None:
        return ReminderState.ESCALATED
    return ReminderState.OVERDUE if today > answer_due_on else ReminderState.WAITING


_MOVES: dict[tuple[ItemState, NoteKind], ItemState] = {
    (ItemState.OPEN, NoteKind.FEEDBACK): ItemState.ANSWERED,
    (ItemState.ANSWERED, NoteKind.FEEDBACK): ItemState.ANSWERED,
    (ItemState.OPEN, NoteKind.COMMENT): ItemState.OPEN,
    (ItemState.ANSWERED, NoteKind.COMMENT): ItemState.ANSWERED,
    (ItemState.ANSWERED, NoteKind.REOPEN): ItemState.OPEN,
    (ItemState.CLOSED, NoteKind.REOPEN): ItemState.OPEN,
    (ItemState.OPEN, NoteKind.CLOSE): ItemState.CLOSED,
    (ItemState.ANSWERED, NoteKind.CLOSE): ItemState.CLOSED,
}


def open_notes(state: ItemState, actor: Actor, division_code: str, prefix: str) -> list[NoteKind]:
    """Return what the actor may write on an item of the unit in this state."""
    return [
        kind
        for kind in NoteKind
        if (state, kind) in _MOVES and _may_write(kind, actor, division_code, prefix)
    ]


def next_item_state(
    state: ItemState, kind: NoteKind, actor: Actor, division_code: str, prefix: str
) -> ItemState:
    """Return the state that the note leads to.

    Raises InvalidAction when the state has no such note, NotPermitted when others may write it.
    """
    if (state, kind) not in _MOVES:
        raise InvalidAction(state=state, action=kind)
    if not _may_write(kind, actor, division_code, prefix):
        raise NotPermitted(action=kind)
    return _MOVES[state, kind]


def _may_write(kind: NoteKind, actor: Actor, division_code: str, prefix: str) -> bool:
    supervises = may_supervise(actor, prefix)
    if kind is NoteKind.FEEDBACK:
        return answers_for(actor, division_code)
    if kind is NoteKind.COMMENT:
        return supervises or actor.may_act_as(Role.CITY, prefix)
    return supervises


def is_overdue(state: ItemState, deadline_on: date, today: date) -> bool:
    """Tell whether an item that is not closed has passed its deadline."""
    return state is not ItemState.CLOSED and today > deadline_on
