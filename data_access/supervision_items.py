"""Supervision items: opened for a unit, written on by both sides, closed by who supervises."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection

from data_access.inbox import IN_APP, Sender
from data_access.queries import load_queries
from data_access.rows import fetch_all, fetch_one
from data_access.supervision_desks import SUPERVISORS, Desk, get_recipients, supervised_recipients
from domain.access import Actor
from domain.errors import NotFound, StaleVersion
from domain.supervision import ItemState, NoteKind, Notice, is_overdue, next_item_state, open_notes

_SQL = load_queries("supervision_items")


@dataclass(frozen=True, slots=True)
class ItemOrder:
    """A supervision item to be opened for one unit."""

    division_code: str
    title: str
    requirement: str
    responsible: str
    deadline_on: date


@dataclass(frozen=True, slots=True)
class SupervisionItem:
    supervision_item_id: int
    division_code: str
    division_name: str
    parent_name: str
    prefix: str
    title: str
    requirement: str
    responsible: str
    deadline_on: date
    state: ItemState
    lock_version: int
    opened_by: int
    opened_by_name: str
    opened_at: datetime
    closed_by_name: str | None
    closed_at: datetime | None

    def overdue(self, today: date) -> bool:
        return is_overdue(self.state, self.deadline_on, today)

    def notes_open_to(self, actor: Actor) -> list[NoteKind]:
        return open_notes(self.state, actor, self.division_code, self.prefix)


@dataclass(frozen=True, slots=True)
class SupervisionNote:
    supervision_note_id: int
    supervision_item_id: int
    kind: NoteKind
    body: str
    written_by_name: str
    written_at: datetime


@dataclass(frozen=True, slots=True)
class _Id:
    id: int


def open_items(
    connection: Connection,
    actor: Actor,
    orders: Sequence[ItemOrder],
    sender: Sender = IN_APP,
) -> list[int]:
    """Open a supervision item for each order and tell the units; return the items' ids."""
    recipients = supervised_recipients(connection, actor, [order.division_code for order in orders])
    ids: list[int] = []
    notices: list[Notice] = []
    for order in orders:
        item_id = _insert_item(connection, actor, order)
        ids.append(item_id)
        notices.append(
            Notice(
                role=recipients[order.division_code].role,
                division_code=order.division_code,
                title=f"督办：{order.title.strip()}",
                body=order.requirement.strip(),
                link=f"supervision?item={item_id}",
                source_table="supervision_item",
                source_id=item_id,
            )
        )
    sender.send(connection, notices)
    return ids


def _insert_item(connection: Connection, actor: Actor, order: ItemOrder) -> int:
    saved = fetch_one(
        connection,
        _SQL["insert_item"],
        _Id,
        division_code=order.division_code,
        title=order.title.strip(),
        requirement=order.requirement.strip(),
        responsible=order.responsible.strip(),
        deadline_on=order.deadline_on,
        opened_by=actor.user_id,
    )
    assert saved is not None
    return saved.id


def list_items(
    connection: Connection,
    *,
    division_code: str | None = None,
    item_id: int | None = None,
    moment: datetime | None = None,
) -> list[SupervisionItem]:
    """Return the items in the actor's scope as they stood at the moment, earliest due first."""
    return fetch_all(
        connection,
        _SQL["list_items"],
        SupervisionItem,
        division_code=division_code,
        item_id=item_id,
        moment=moment,
    )


def get_item(connection: Connection, item_id: int) -> SupervisionItem:
    """Return one item; raise NotFound outside the actor's scope."""
    for item in list_items(connection, item_id=item_id):
        return item
    raise NotFound(item_id=item_id)


def list_notes(connection: Connection, item_ids: Sequence[int]) -> list[SupervisionNote]:
    """Return what was written on the items, oldest first."""
    return fetch_all(connection, _SQL["list_notes"], SupervisionNote, item_ids=list(item_ids))


def write_note(
    connection: Connection,
    actor: Actor,
    opened: SupervisionItem,
    kind: NoteKind,
    body: str,
    *,
    title: str,
    deadline_on: date | None = None,
    sender: Sender = IN_APP,
) -> None:
    """Write on the item the actor opened, move its state, and tell the other side.

    `deadline_on` sets a new deadline when the item is sent back. Raises StaleVersion when somebody
    was faster, NotPermitted and InvalidAction as domain.supervision.next_item_state.
    """
    current = get_item(connection, opened.supervision_item_id)
    if current.lock_version != opened.lock_version:
        raise StaleVersion(item_id=opened.supervision_item_id)
    state = next_item_state(current.state, kind, actor, current.division_code, current.prefix)
    _insert_note(connection, actor, current, kind, body.strip())
    moved = connection.execute(
        _SQL["move_item"],
        {
            "item_id": current.supervision_item_id,
            "lock_version": current.lock_version,
            "state": state,
            "version_step": 0 if kind is NoteKind.COMMENT else 1,
            "closed_by": actor.user_id if state is ItemState.CLOSED else None,
            "deadline_on": deadline_on,
        },
    ).rowcount
    if not moved:
        raise StaleVersion(item_id=current.supervision_item_id)
    sender.send(connection, _note_notices(connection, current, kind, title, body.strip()))


def _insert_note(
    connection: Connection, actor: Actor, item: SupervisionItem, kind: NoteKind, body: str
) -> None:
    connection.execute(
        _SQL["insert_note"],
        {
            "item_id": item.supervision_item_id,
            "division_code": item.division_code,
            "kind": kind,
            "body": body,
            "user_id": actor.user_id,
        },
    )


def _note_notices(
    connection: Connection, item: SupervisionItem, kind: NoteKind, title: str, body: str
) -> list[Notice]:
    """The unit's feedback goes to who opened the item; everything else to the unit."""
    desks = (
        fetch_all(
            connection,
            _SQL["list_opener_desks"],
            Desk,
            item_id=item.supervision_item_id,
            roles=SUPERVISORS,
        )
        if kind is NoteKind.FEEDBACK
        else [
            Desk(each.role, each.code) for each in get_recipients(connection, [item.division_code])
        ]
    )
    return [
        Notice(
            role=desk.role,
            division_code=desk.division_code,
            title=title,
            body=body,
            link=f"supervision?item={item.supervision_item_id}",
            source_table="supervision_item",
            source_id=item.supervision_item_id,
        )
        for desk in desks
    ]
