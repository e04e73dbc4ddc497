"""The outbox: what others are to be told, written with the business and delivered afterwards."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import Connection

from data_access.queries import load_queries
from data_access.rows import fetch_all

_SQL = load_queries("outbox")


@dataclass(frozen=True, slots=True)
class OutboxEvent:
    event_id: UUID
    """Stays the same however often it is delivered: the receiver tells repetitions by it."""
    topic: str
    subject: str
    payload: dict[str, Any]
    created_at: datetime


class Delivery(Protocol):
    """What carries events out of the portal; it raises where it could not."""

    def deliver(self, event: OutboxEvent) -> None: ...


class NoReceiver:
    """Nobody outside listens yet: an event counts as delivered."""

    def deliver(self, event: OutboxEvent) -> None:
        return


DELIVERY: Delivery = NoReceiver()


def deliver_waiting(
    connection: Connection, delivery: Delivery | None = None, *, limit: int = 100
) -> int:
    """Deliver waiting events in their order, at least once each; return how many."""
    events = fetch_all(connection, _SQL["take_waiting"], OutboxEvent, limit=limit)
    for event in events:
        (delivery or DELIVERY).deliver(event)
        connection.execute(_SQL["mark_delivered"], {"event_id": event.event_id})
    return len(events)
