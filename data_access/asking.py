"""Questions that are one statement and bring one value, asked in the event loop.

No thread, no pool and no transaction of their own: of a small answer those cost more than the
answer. Whoever asks bounds how many are under way; so many connections there are.
"""

import os
from collections.abc import Mapping
from functools import cache
from typing import Any

import psycopg
from psycopg.conninfo import make_conninfo
from sqlalchemy import TextClause, make_url

from data_access.database import OPTIONS, PATIENCE, actor_settings, driver_text
from domain.access import Actor
from domain.errors import DatabaseAway

_Connection = psycopg.AsyncConnection[tuple[Any, ...]]


async def ask(actor: Actor | None, question: TextClause, **parameters: object) -> Any:
    """Return the one value of a question that itself takes the actor: one round trip.

    It gets :user_id, :roles and :prefixes, and sets them for its own statement alone. A
    connection that was lost since the last question is replaced once; raise DatabaseAway.
    """
    url = os.environ["PORTAL_DATABASE_URL"]
    idle = _idle(url)
    asked = {**parameters, **actor_settings(actor)}
    if idle:
        connection = idle.pop()
        try:
            return await _answer(connection, idle, question, asked)
        except psycopg.OperationalError:
            if not connection.broken:
                raise
    return await _answer(await _connect(url), idle, question, asked)


async def _answer(
    connection: _Connection,
    idle: list[_Connection],
    question: TextClause,
    parameters: Mapping[str, object],
) -> Any:
    try:
        # Bytes as they are: as text a tile would be twice as long and be read twice.
        cursor = await connection.execute(driver_text(question), parameters, binary=True)
        row = await cursor.fetchone()
    except BaseException:
        if not connection.broken:
            await connection.close()
        raise
    idle.append(connection)
    return row[0] if row else None


async def _connect(url: str) -> _Connection:
    conninfo = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    conninfo = make_conninfo(conninfo, options=OPTIONS, connect_timeout=PATIENCE)
    try:
        return await psycopg.AsyncConnection.connect(conninfo, autocommit=True, prepare_threshold=0)
    except psycopg.OperationalError as error:
        raise DatabaseAway from error


@cache
def _idle(url: str) -> list[_Connection]:
    """Return the connections that wait for a question."""
    return []
