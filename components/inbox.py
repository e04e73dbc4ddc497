"""The inbox: how many messages wait, and the list of them."""

from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import streamlit as st

from components.labels import label
from data_access import inbox
from data_access.change_listener import Topic, mark
from data_access.database import transaction
from data_access.inbox import InboxMessage
from domain.access import Actor, Role

_PAGES = Path(__file__).parents[1] / "pages"


def unread_count(actor: Actor) -> int:
    """Return how many messages the actor has not opened."""
    reader = (actor.user_id, actor.prefixes, tuple(sorted(actor.roles)))
    return _unread(actor, reader, mark(Topic.INBOX))


@st.cache_resource(ttl="1m", max_entries=1000, show_spinner=False)
def _unread(
    _actor: Actor, reader: tuple[int, tuple[str, ...], tuple[str, ...]], marked: int
) -> int:
    with transaction(_actor, read_only=True) as connection:
        return inbox.count_unread(connection)


def mark_read(actor: Actor, *message_ids: int) -> None:
    """Note that the actor has read these messages."""
    with transaction(actor, action="inbox.read") as connection:
        inbox.mark_read(connection, actor, message_ids)
    _unread.clear()


def addressee(message: InboxMessage) -> str:
    """Return whom a message is for: the unit, or the office of the province."""
    units = (Role.CITY, Role.COUNTY, Role.TOWNSHIP)
    return message.division_name if message.role in units else label(message.role)


def find_page(link: str) -> tuple[Path, dict[str, str]] | None:
    """Return the page that a message opens and its parameters; None where there is no such page.

    >>> page, parameters = find_page("supervision?item=3")
    >>> page.name, parameters
    ('supervision.py', {'item': '3'})
    """
    parts = urlsplit(link)
    path = _PAGES / f"{parts.path.strip('/')}.py"
    return (path, dict(parse_qsl(parts.query))) if path.parent == _PAGES and path.exists() else None
