"""The inbox, and the interface of everything that carries a message to people."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sqlalchemy import Connection

from data_access.queries import load_queries
from data_access.rows import fetch_all
from domain.access import Actor, Role
from domain.supervision import Notice

_SQL = load_queries("inbox")


class Sender(Protocol):
    """What carries notices: the inbox here; mail or a messenger take them from it later."""

    def send(self, connection: Connection, notices: Sequence[Notice]) -> None:
        """Hand the notices over within the transaction of what they tell about."""


class InboxSender:
    """Put notices into the inboxes of the portal."""

    def send(self, connection: Connection, notices: Sequence[Notice]) -> None:
        rows = [
            {
                "role": notice.role.value,
                "division_code": notice.division_code,
                "title": notice.title,
                "body": notice.body,
                "link": notice.link,
                "source_table": notice.source_table,
                "source_id": notice.source_id,
            }
            for notice in notices
        ]
        if rows:
            connection.execute(_SQL["send"], rows)


IN_APP: Sender = InboxSender()


@dataclass(frozen=True, slots=True)
class InboxMessage:
    inbox_message_id: int
    role: Role
    division_code: str
    division_name: str
    title: str
    body: str
    link: str
    sent_at: datetime
    read_at: datetime | None


def list_messages(
    connection: Connection, *, unread_only: bool = False, limit: int = 200
) -> list[InboxMessage]:
    """Return the newest messages to the actor's roles, each with when the actor read it."""
    return fetch_all(
        connection, _SQL["list_messages"], InboxMessage, unread_only=unread_only, limit=limit
    )


def count_unread(connection: Connection) -> int:
    """Return how many messages to the actor's roles the actor has not opened."""
    return int(connection.execute(_SQL["count_unread"]).scalar_one())


def mark_read(connection: Connection, actor: Actor, message_ids: Sequence[int]) -> None:
    """Note that the actor has read these messages; a second time changes nothing."""
    connection.execute(
        _SQL["mark_read"], {"user_id": actor.user_id, "message_ids": list(message_ids)}
    )
