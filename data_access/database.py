"""The engine, and transactions that know who is acting."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from sqlalchemy import Connection, Engine, create_engine
from sqlalchemy.exc import IntegrityError, OperationalError

from data_access.queries import load_queries
from domain.access import Actor
from domain.errors import DatabaseAway, RuleViolation

# The type of what a transaction yields, for layers that only hand it on.
__all__ = ["Connection", "engine", "transaction"]

_SQL = load_queries("session")
_SERVER_OPTIONS = "-c statement_timeout=15s -c lock_timeout=4s -c TimeZone=Asia/Shanghai -c jit=off"


@cache
def engine() -> Engine:
    """Return the process's one engine; page runs, routes and the worker share its pool.

    An outside database may be reached as its owner: then every connection steps down to
    portal_app, so that row policies and missing rights bind the portal all the same.
    """
    return create_engine(
        _portal_url(),
        pool_size=8,
        max_overflow=8,
        pool_pre_ping=True,
        connect_args={"options": f"{_SERVER_OPTIONS} -c role=portal_app", "connect_timeout": 5},
    )


def _portal_url() -> str:
    url = os.environ["PORTAL_DATABASE_URL"]
    for scheme in ("postgresql://", "postgres://"):
        if url.startswith(scheme):
            return "postgresql+psycopg://" + url.removeprefix(scheme)
    return url


@contextmanager
def transaction(
    actor: Actor | None, *, read_only: bool = False, action: str = ""
) -> Iterator[Connection]:
    """Yield a connection whose transaction carries the actor; commit when the block ends.

    The row policies and the trail read the actor and the `action` (noun.verb) from it. None is
    the portal itself: it sees no work data. The block makes no `st.*` call: those are where
    Streamlit interrupts a script.
    """
    try:
        with engine().connect() as connection:
            connection.execution_options(postgresql_readonly=read_only)
            with connection.begin():
                connection.execute(_SQL["set_actor"], _settings(actor, action))
                yield connection
    except IntegrityError as error:
        raise RuleViolation(constraint=constraint_name(error)) from error
    except OperationalError as error:
        if error.connection_invalidated or "connect" in str(error.orig):
            raise DatabaseAway from error
        raise


def _settings(actor: Actor | None, action: str) -> dict[str, object]:
    return {
        "user_id": str(actor.user_id) if actor else "",
        "roles": "{" + ",".join(sorted(actor.roles if actor else ())) + "}",
        "prefixes": "{" + ",".join(actor.prefixes if actor else ()) + "}",
        "action": action,
    }


def constraint_name(error: IntegrityError) -> str | None:
    """Return the name of the promise that the database would not break."""
    diagnostics = getattr(error.orig, "diag", None)
    return getattr(diagnostics, "constraint_name", None)
