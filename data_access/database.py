"""The engine, and transactions that know who is acting."""

import os
import select
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache, lru_cache
from types import MappingProxyType
from typing import Any

import psycopg
from psycopg.sql import Literal
from sqlalchemy import Connection, Engine, TextClause, create_engine, event, make_url
from sqlalchemy.exc import DBAPIError, IntegrityError, InvalidatePoolError, OperationalError

from domain.access import Actor
from domain.errors import DatabaseAway, RuleViolation

# The type of what a transaction yields, for layers that only hand it on.
__all__ = ["Connection", "Engine", "engine", "single_statements", "transaction"]

OPTIONS = (
    "-c statement_timeout=15s -c lock_timeout=4s -c TimeZone=Asia/Shanghai -c jit=off"
    " -c role=portal_app"
)
"""How every connection of the portal begins."""
_DIALECT = make_url("postgresql+psycopg://").get_dialect()()
PATIENCE = 5
"""Seconds to connect in."""


@cache
def engine() -> Engine:
    """Return the process's one engine; page runs, routes and the worker share its pool."""
    made = build_engine(os.environ["PORTAL_DATABASE_URL"])
    event.listen(made, "checkout", _refuse_ended)
    return made


def _refuse_ended(connection: Any, record: object, proxy: object) -> None:
    """Have a connection replaced that the server has ended: its socket has something to say.

    A question to the server would say as much, and cost every transaction a round trip.
    """
    if connection.closed or _has_something_to_say(connection.fileno()):
        raise InvalidatePoolError


def _has_something_to_say(socket: int) -> bool:
    waiting = select.poll()
    waiting.register(socket, select.POLLIN)
    return bool(waiting.poll(0))


@cache
def _committing(pool: Engine) -> Engine:
    return pool.execution_options(isolation_level="AUTOCOMMIT")


@contextmanager
def single_statements() -> Iterator[Connection]:
    """Yield a connection of nobody on which each statement is a transaction of its own."""
    with faults_named(), _committing(engine()).connect() as connection:
        yield connection


def build_engine(
    url: str, *, connect_args: Mapping[str, object] = MappingProxyType({}), **pool: Any
) -> Engine:
    """Return an engine of the portal's login.

    An outside database may be reached as its owner: then every connection steps down to
    portal_app, so that row policies and missing rights bind the portal all the same.
    """
    connecting: dict[str, object] = {
        "options": OPTIONS,
        "connect_timeout": PATIENCE,
        **connect_args,
    }
    settings = {"pool_size": 8, "max_overflow": 8, **pool}
    return create_engine(
        make_url(url).set(drivername="postgresql+psycopg"), connect_args=connecting, **settings
    )


@cache
def driver_text(question: TextClause) -> bytes:
    """Return a question as the driver writes it."""
    return str(question.compile(dialect=_DIALECT)).encode()


@contextmanager
def transaction(
    actor: Actor | None, *, read_only: bool = False, action: str = "", planned_once: bool = False
) -> Iterator[Connection]:
    """Yield a connection whose transaction carries the actor; commit when the block ends.

    The row policies and the trail read the actor and the `action` (noun.verb) from it. None is
    the portal itself: it sees no work data. The block makes no `st.*` call: those are where
    Streamlit interrupts a script. `planned_once` is for what thousands do, each with a report of
    his own: a statement is then planned once a connection, whatever it asks for.
    """
    with (
        faults_named(),
        engine().connect() as connection,
        acting(connection, actor, read_only=read_only, action=action, planned_once=planned_once),
    ):
        yield connection


@contextmanager
def acting(
    connection: Connection,
    actor: Actor | None,
    *,
    read_only: bool,
    action: str = "",
    planned_once: bool = False,
) -> Iterator[None]:
    """Hold a transaction that carries the actor; its faults stay the driver's own."""
    mode = "READ ONLY" if read_only else "READ WRITE"
    planning = "force_generic_plan" if planned_once else "auto"
    with connection.begin():
        begin_as(connection, actor, action=action, mode=mode, planning=planning)
        yield


def begin_as(
    connection: Connection,
    actor: Actor | None,
    *,
    action: str = "",
    mode: str = "READ WRITE",
    planning: str = "auto",
) -> None:
    """Begin the transaction and say who acts, in one round trip: every page pays for it.

    The driver would send BEGIN by itself before the first statement, and wait for the answer. What
    is set lasts until the end of the transaction. Raises what a statement of SQLAlchemy does.
    """
    named = tuple(actor_settings(actor).values())
    statement = _beginning(mode, *named, action, planning)
    answer = _driver(connection).pgconn.exec_(statement)
    if answer.status != psycopg.pq.ExecStatus.COMMAND_OK:
        error = psycopg.OperationalError(answer.error_message.decode(errors="replace"))
        raise _refusal(connection, statement, error)


def ask_driver(
    connection: Connection, question: TextClause, parameters: Mapping[str, object]
) -> psycopg.Cursor[tuple[Any, ...]]:
    """Return the driver's cursor of a statement; raises what SQLAlchemy does.

    What SQLAlchemy keeps of a statement and its answer takes two thirds of the time of both.
    """
    statement = driver_text(question)
    try:
        return _driver(connection).execute(statement, parameters)
    except psycopg.Error as error:
        raise _refusal(connection, statement, error) from error


def _driver(connection: Connection) -> psycopg.Connection[tuple[Any, ...]]:
    driver = connection.connection.driver_connection
    assert isinstance(driver, psycopg.Connection)
    return driver


def _refusal(connection: Connection, statement: bytes, error: psycopg.Error) -> Exception:
    driver = _driver(connection)
    is_lost = driver.broken or driver.pgconn.status == psycopg.pq.ConnStatus.BAD
    if is_lost:
        connection.invalidate(error)
    return DBAPIError.instance(
        statement.decode(),
        None,
        error,
        psycopg.Error,
        connection_invalidated=is_lost,
        dialect=connection.dialect,
    )


@lru_cache(maxsize=4096)
def _beginning(
    mode: str, user_id: str, roles: str, prefixes: str, action: str, planning: str
) -> bytes:
    settings = {
        "app.user_id": user_id,
        "app.roles": roles,
        "app.prefixes": prefixes,
        "app.action": action,
        "plan_cache_mode": planning,
    }
    said = (f"SET LOCAL {name} TO {Literal(value).as_string()}" for name, value in settings.items())
    return "; ".join((f"BEGIN {mode}", *said)).encode()


@contextmanager
def faults_named() -> Iterator[None]:
    """Turn what the database refuses, and its absence, into the errors of the portal."""
    try:
        yield
    except IntegrityError as error:
        raise RuleViolation(constraint=constraint_name(error)) from error
    except OperationalError as error:
        if error.connection_invalidated or "connect" in str(error.orig):
            raise DatabaseAway from error
        raise


def actor_settings(actor: Actor | None) -> dict[str, str]:
    """Return the actor as the row policies and the trail read it."""
    return {
        "user_id": str(actor.user_id) if actor else "",
        "roles": "{" + ",".join(sorted(actor.roles if actor else ())) + "}",
        "prefixes": "{" + ",".join(actor.prefixes if actor else ()) + "}",
    }


def constraint_name(error: IntegrityError) -> str | None:
    """Return the name of the promise that the database would not break."""
    diagnostics = getattr(error.orig, "diag", None)
    return getattr(diagnostics, "constraint_name", None)
