"""Warning items: raised by a change of level, assigned, answered, closed, escalated."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import Connection

from data_access.inbox import IN_APP, Sender
from data_access.queries import load_queries
from data_access.rows import fetch_all
from domain.access import Actor, Role
from domain.assessment import Level
from domain.errors import InvalidAction, NotFound, NotPermitted, StaleVersion
from domain.supervision import (
    ItemState,
    NoteKind,
    Notice,
    is_overdue,
    may_supervise,
    next_item_state,
    open_notes,
    unit_role,
)

_SQL = load_queries("indicator_warnings")


@dataclass(frozen=True, slots=True)
class IndicatorWarning:
    """A unit's indicator that became worse: what is to be done about it, by when."""

    indicator_warning_id: int
    division_code: str
    division_name: str
    parent_name: str
    prefix: str
    canonical_code: str
    indicator_name: str
    unit: str
    decimals: int
    report_year: int
    rule_version: int
    from_level: Level
    level: Level
    state: ItemState
    lock_version: int
    responsible: str
    raised_at: datetime
    due_on: date
    escalated_at: datetime | None
    closed_by_name: str | None
    closed_at: datetime | None
    value: Decimal | None
    reference: Decimal | None
    is_breach: bool | None
    standing_level: str | None
    """The level as it is now: it may have come back to normal while the item is open."""
    matching: int
    """How many items the question has, on all its pages."""

    def overdue(self, today: date) -> bool:
        return is_overdue(self.state, self.due_on, today)

    def notes_open_to(self, actor: Actor) -> list[NoteKind]:
        return open_notes(self.state, actor, self.division_code, self.prefix)


@dataclass(frozen=True, slots=True)
class WarningNote:
    """One step of an item's history; the portal's own steps have no writer."""

    indicator_warning_note_id: int
    indicator_warning_id: int
    kind: str
    body: str
    written_by_name: str | None
    written_at: datetime


@dataclass(frozen=True, slots=True)
class LevelCount:
    level: Level
    items: int
    overdue: int


@dataclass(frozen=True, slots=True)
class _Escalated:
    indicator_warning_id: int
    division_code: str
    division_name: str
    indicator_name: str
    due_on: date
    level_name: str
    escalation_role: Role
    desk_code: str
    unit_level: str


@dataclass(frozen=True, slots=True)
class _Raised:
    indicator_warning_id: int
    division_code: str
    unit_level: str
    indicator_name: str
    level_name: str
    due_on: date
    report_year: int


def list_warnings(
    connection: Connection,
    *,
    division_code: str | None = None,
    canonical_code: str | None = None,
    in_hand: bool = False,
    state: ItemState | None = None,
    level: Level | None = None,
    overdue_on: date | None = None,
    city: str | None = None,
    named: str | None = None,
    skipped: int = 0,
    limit: int = 1000,
    warning_id: int | None = None,
) -> list[IndicatorWarning]:
    """Return the items in the actor's scope: those in hand first, the gravest and oldest first.

    `overdue_on` keeps those that are overdue on that day, `city` a city with its counties, `named`
    is a part of the unit's or the indicator's name.
    """
    return fetch_all(
        connection,
        _SQL["list_warnings"],
        IndicatorWarning,
        division_code=division_code,
        canonical_code=canonical_code,
        in_hand=in_hand,
        state=state,
        level=level,
        overdue_on=overdue_on,
        city=city,
        named=named,
        skipped=skipped,
        limit=limit,
        warning_id=warning_id,
    )


def get_warning(connection: Connection, warning_id: int) -> IndicatorWarning:
    """Return one item; raise NotFound outside the actor's scope."""
    for found in list_warnings(connection, warning_id=warning_id):
        return found
    raise NotFound(warning_id=warning_id)


def list_notes(connection: Connection, warning_id: int) -> list[WarningNote]:
    """Return an item's history, oldest first."""
    return fetch_all(connection, _SQL["list_notes"], WarningNote, warning_id=warning_id)


def count_in_hand(connection: Connection, today: date) -> list[LevelCount]:
    """Return how many items are in hand at each level, and how many of them are overdue."""
    return fetch_all(connection, _SQL["count_in_hand"], LevelCount, today=today)


def assign(connection: Connection, actor: Actor, opened: IndicatorWarning, person: str) -> None:
    """Name who is responsible; raise NotPermitted for who neither supervises nor is the city.

    Raises StaleVersion when somebody was faster, InvalidAction for a closed item.
    """
    current = _same_version(connection, opened)
    if not (may_supervise(actor, current.prefix) or actor.may_act_as(Role.CITY, current.prefix)):
        raise NotPermitted(warning_id=current.indicator_warning_id)
    if current.state is ItemState.CLOSED:
        raise InvalidAction(state=current.state, action="assign")
    _insert_note(connection, actor.user_id, current, "assign", f"责任人：{person.strip()}")
    _move(connection, current, current.state, responsible=person.strip())


def write_note(
    connection: Connection,
    actor: Actor,
    opened: IndicatorWarning,
    kind: NoteKind,
    body: str,
    *,
    due_on: date | None = None,
    sender: Sender = IN_APP,
) -> None:
    """Answer, comment, send back or close the item the actor opened, and tell the other side.

    `due_on` sets a new limit when it is sent back. Raises StaleVersion when somebody was faster,
    NotPermitted and InvalidAction as domain.supervision.next_item_state.
    """
    current = _same_version(connection, opened)
    state = next_item_state(current.state, kind, actor, current.division_code, current.prefix)
    _insert_note(connection, actor.user_id, current, kind, body.strip())
    _move(
        connection,
        current,
        state,
        step=0 if kind is NoteKind.COMMENT else 1,
        closed_by=actor.user_id if state is ItemState.CLOSED else None,
        due_on=due_on,
    )
    if kind is not NoteKind.FEEDBACK:
        level = "city" if current.prefix.endswith("00") or len(current.prefix) == 4 else "county"
        title = f"预警事项有新意见：{current.indicator_name}"
        sender.send(connection, [_notice(current, unit_role(level), title, body.strip())])


def _same_version(connection: Connection, opened: IndicatorWarning) -> IndicatorWarning:
    current = get_warning(connection, opened.indicator_warning_id)
    if current.lock_version != opened.lock_version:
        raise StaleVersion(warning_id=opened.indicator_warning_id)
    return current


def _move(
    connection: Connection,
    current: IndicatorWarning,
    state: ItemState,
    *,
    step: int = 1,
    responsible: str | None = None,
    closed_by: int | None = None,
    due_on: date | None = None,
) -> None:
    moved = connection.execute(
        _SQL["move"],
        {
            "warning_id": current.indicator_warning_id,
            "lock_version": current.lock_version,
            "state": state,
            "version_step": step,
            "responsible": responsible,
            "closed_by": closed_by,
            "due_on": due_on,
        },
    ).rowcount
    if not moved:
        raise StaleVersion(warning_id=current.indicator_warning_id)


def _insert_note(
    connection: Connection, user_id: int | None, item: IndicatorWarning, kind: str, body: str
) -> None:
    connection.execute(
        _SQL["insert_note"],
        {
            "warning_id": item.indicator_warning_id,
            "division_code": item.division_code,
            "kind": kind,
            "body": body,
            "user_id": user_id,
        },
    )


def _notice(item: IndicatorWarning, role: Role, title: str, body: str) -> Notice:
    return Notice(
        role=role,
        division_code=item.division_code,
        title=title,
        body=body,
        link=_link(item.indicator_warning_id),
        source_table="indicator_warning",
        source_id=item.indicator_warning_id,
    )


def _link(warning_id: int) -> str:
    return f"indicator_warnings?id={warning_id}"


def tell_raised(connection: Connection, sender: Sender = IN_APP) -> int:
    """Tell each unit of the items that this transaction raised; return how many there are."""
    by_unit: dict[str, list[_Raised]] = defaultdict(list)
    raised = fetch_all(connection, _SQL["list_raised"], _Raised)
    for each in raised:
        by_unit[each.division_code].append(each)
    sender.send(connection, [_raised_notice(items) for items in by_unit.values()])
    return len(raised)


def _raised_notice(items: list[_Raised]) -> Notice:
    first = min(items, key=lambda each: each.due_on)
    names = "、".join(f"{each.indicator_name}（{each.level_name}）" for each in items[:5])
    more = f"等 {len(items)} 项" if len(items) > 5 else ""
    return Notice(
        role=unit_role(first.unit_level),
        division_code=first.division_code,
        title=f"{first.report_year} 年评估有 {len(items)} 项指标预警",
        body=f"{names}{more}，最早须在 {first.due_on} 前反馈。",
        link="indicator_warnings" if len(items) > 1 else _link(first.indicator_warning_id),
        source_table="indicator_warning",
        source_id=first.indicator_warning_id,
    )


def escalate_due(connection: Connection, today: date, sender: Sender = IN_APP) -> int:
    """Pass items left unanswered beyond their day to the level above; return how many."""
    escalated = fetch_all(connection, _SQL["escalate_due"], _Escalated, today=today)
    for each in escalated:
        connection.execute(
            _SQL["insert_note"],
            {
                "warning_id": each.indicator_warning_id,
                "division_code": each.division_code,
                "kind": "escalate",
                "body": f"逾期未反馈（{each.due_on} 到期），已升级。",
                "user_id": None,
            },
        )
    sender.send(connection, [_escalation_notice(each) for each in escalated])
    return len(escalated)


def _escalation_notice(item: _Escalated) -> Notice:
    # A city's own items are the province's to follow.
    is_citys = item.escalation_role is Role.CITY and item.unit_level == "city"
    return Notice(
        role=Role.PLAN_BUREAU if is_citys else item.escalation_role,
        division_code=item.desk_code,
        title=f"{item.division_name}逾期未反馈预警：{item.indicator_name}",
        body=f"{item.level_name}等级，应在 {item.due_on} 前反馈，现升级至贵单位，请督促。",
        link=_link(item.indicator_warning_id),
        source_table="indicator_warning",
        source_id=item.indicator_warning_id,
    )
