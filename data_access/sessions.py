"""Who is at the door: sign-in with its locks, one-time tickets, and sessions behind tokens.

A token and a ticket are random; the database keeps their SHA-256 alone.
"""

import asyncio
import secrets
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

import bcrypt
from sqlalchemy import Connection

from data_access.asking import ask
from data_access.database import single_statements, transaction
from data_access.queries import load_queries
from data_access.rows import fetch_all
from domain import clock
from domain.access import Actor, Grant, Role
from domain.errors import AccountLocked, SignInRefused
from domain.passwords import LONGEST_BYTES

_SQL = load_queries("sessions")
_LONGEST_USERNAME = 64
_FREE_FAILURES = 20  # of one address within 15 minutes: a county hall makes that many
_LONGEST_DELAY = 10.0  # seconds
# Matches no password; whoever is not there costs as much time as whoever is.
_NOBODY = "$2b$12$u2GXCI1Zy0hhVM3aNelIzetxlp4cs33gHA/CRY4acVN.7FfIINfJ."


@dataclass(frozen=True, slots=True)
class NewSession:
    """The token for the cookie, shown once, and how long it is good for."""

    token: str
    user_id: int
    seconds: int


@dataclass(frozen=True, slots=True)
class SessionRow:
    session_id: int
    user_id: int
    created_at: datetime
    last_seen_at: datetime
    expires_at: datetime
    address: str
    user_agent: str


def sign_in(username: str, password: str, address: str) -> str:
    """Return a one-time ticket, good for 60 seconds, for whoever knows the password.

    Raise AccountLocked or SignInRefused. The attempt counts as a failure from before the password
    is looked at, so attempts at once are no way around the lock; no connection is held while the
    hash is computed or a busy address waits.
    """
    name = normal_username(username)
    delay = _begin_attempt(name, address)
    time.sleep(delay)
    user_id = _check_password(name, password)
    if user_id is None:
        _note_lock(name, address)
        raise SignInRefused
    return _issue_ticket(user_id, name)


def normal_username(typed: str) -> str:
    """Return the name as it stands in the database, whatever was typed or pasted."""
    return typed.replace("\0", "").strip().lower()[:_LONGEST_USERNAME]


def address_delay(failures: int) -> float:
    """Return the seconds that an attempt waits after so many failures of its address."""
    return min(max(0, failures - _FREE_FAILURES) * 0.5, _LONGEST_DELAY)


def _begin_attempt(username: str, address: str) -> float:
    with transaction(None, action="session.attempt") as connection:
        connection.execute(_SQL["lock_username"], {"username": username})
        _refuse_locked(connection, username)
        failures = connection.execute(_SQL["address_failures"], {"address": address}).scalar_one()
        connection.execute(_SQL["insert_failure"], {"username": username, "address": address})
    return address_delay(failures)


def _refuse_locked(connection: Connection, username: str) -> None:
    until = connection.execute(_SQL["locked_until"], {"username": username}).scalar_one_or_none()
    if until is not None:
        raise AccountLocked(until=until)


def _check_password(username: str, password: str) -> int | None:
    with transaction(None, read_only=True) as connection:
        account = connection.execute(_SQL["password_of"], {"username": username}).one_or_none()
    matches = password_matches(password, account.password_hash if account else _NOBODY)
    return account.user_id if account and matches else None


def _note_lock(username: str, address: str) -> None:
    """Write the lock into the trail when this failure was the one that closed the account."""
    with transaction(None, action="account.lock") as connection:
        account = connection.execute(_SQL["password_of"], {"username": username}).one_or_none()
        locked = connection.execute(_SQL["locked_until"], {"username": username}).first()
        if account and locked:
            event = {"user_id": account.user_id, "kind": "locked", "address": address}
            connection.execute(_SQL["insert_event"], event)


def _issue_ticket(user_id: int, username: str) -> str:
    ticket = secrets.token_urlsafe(32)
    with transaction(None, action="session.ticket") as connection:
        connection.execute(_SQL["clear_failures"], {"username": username})
        parameters = {"ticket_hash": digest(ticket), "user_id": user_id}
        connection.execute(_SQL["insert_ticket"], parameters)
    return ticket


def open_session(ticket: str, address: str, user_agent: str) -> NewSession:
    """Take the ticket, once, and return a new session; raise SignInRefused where it is no good."""
    token = secrets.token_urlsafe(32)
    with transaction(None, action="session.open") as connection:
        user_id = connection.execute(
            _SQL["take_ticket"], {"ticket_hash": digest(ticket)}
        ).scalar_one_or_none()
        session = connection.execute(
            _SQL["insert_session"],
            {
                "token_hash": digest(token),
                "user_id": user_id,
                "address": address,
                "user_agent": user_agent.replace("\0", "")[:300],
            },
        ).one_or_none()
        if user_id is None or session is None:
            raise SignInRefused
        _note_own(connection, user_id, "signed_in", address)
    return NewSession(token=token, user_id=user_id, seconds=session.seconds)


def find_actor(token: str, *, touch: bool = True) -> Actor | None:
    """Return who the token stands for, with the grants of today; None once the session is over.

    `touch` counts the call as activity (written at most once a minute).
    """
    with single_statements() as connection:
        found = connection.scalar(_SQL["find_actor"], _session_of(token))
    if touch and found and found[0]["seen_long_ago"]:
        _touch(found[0]["session_id"])
    return _actor(found) if found else None


async def ask_actor(token: str, *, touch: bool = True) -> Actor | None:
    """Return what `find_actor` does, asked in the event loop: every request begins with it."""
    found = await ask(None, _SQL["find_actor"], **_session_of(token))
    if touch and found and found[0]["seen_long_ago"]:
        await asyncio.to_thread(_touch, found[0]["session_id"])
    return _actor(found) if found else None


def _session_of(token: str) -> dict[str, object]:
    return {"token_hash": digest(token), "today": clock.today()}


def _touch(session_id: int) -> None:
    with transaction(None) as connection:
        connection.execute(_SQL["touch_session"], {"session_id": session_id})


def actor_today(connection: Connection, user_id: int) -> Actor:
    """Return whom an account stands for today: without any grant once it is closed."""
    parameters = {"user_id": user_id, "today": clock.today()}
    rows = connection.execute(_SQL["actor_today"], parameters).mappings()
    return _actor([dict(row) for row in rows])


def _actor(rows: Sequence[Mapping[str, Any]]) -> Actor:
    """Build the actor from one row a grant, or one row without."""
    return Actor(
        user_id=rows[0]["user_id"],
        display_name=rows[0]["display_name"],
        grants=tuple(
            Grant(Role(row["role"]), row["division_code"], row["prefix"], row["subject"])
            for row in rows
            if row["role"] is not None
        ),
        must_change_password=rows[0]["must_change_password"],
    )


def alive_tokens(token_hashes: Collection[bytes]) -> frozenset[bytes]:
    """Return which of the hashes belong to sessions that still hold."""
    with transaction(None, read_only=True) as connection:
        found = connection.execute(_SQL["alive_tokens"], {"token_hashes": list(token_hashes)})
        return frozenset(bytes(row.token_hash) for row in found)


def close_session(token: str, address: str = "") -> None:
    """End the session of the token; one that has already ended stays as it is."""
    with transaction(None, action="session.close") as connection:
        user_id = connection.execute(
            _SQL["end_session"], {"token_hash": digest(token)}
        ).scalar_one_or_none()
        if user_id is not None:
            _note_own(connection, user_id, "signed_out", address)


def _note_own(connection: Connection, user_id: int, kind: str, address: str) -> None:
    """Write what somebody did to his own session: the trail names him, though no actor came."""
    connection.execute(_SQL["act_as"], {"user_id": str(user_id)})
    event = {"user_id": user_id, "kind": kind, "address": address}
    connection.execute(_SQL["insert_event"], event)


def list_sessions(connection: Connection, user_id: int) -> list[SessionRow]:
    """Return the sessions of an account that hold, the latest seen first."""
    return fetch_all(connection, _SQL["list_sessions"], SessionRow, user_id=user_id)


def revoke_sessions(
    connection: Connection,
    user_id: int,
    *,
    session_id: int | None = None,
    kept_token: str | None = None,
) -> int:
    """End all sessions of an account, or the one given, but not `kept_token`'s; return how many."""
    kept = digest(kept_token) if kept_token else None
    revoked = connection.execute(
        _SQL["revoke_sessions"],
        {"user_id": user_id, "session_id": session_id, "kept_token_hash": kept},
    ).rowcount
    if revoked:
        event = {"user_id": user_id, "kind": "sessions_revoked", "address": ""}
        connection.execute(_SQL["insert_event"], event)
    return revoked


def hash_password(password: str) -> str:
    """Return the bcrypt hash, the same as streamlit-authenticator's Hasher makes (about 0.2 s)."""
    return bcrypt.hashpw(password.encode(), bcrypt.gensalt()).decode()


def password_matches(password: str, password_hash: str) -> bool:
    """Tell whether the password belongs to the hash; take the same time for a hash that is none."""
    secret = password.encode(errors="replace")[:LONGEST_BYTES]
    usable = password_hash.startswith("$2")
    matches = bcrypt.checkpw(secret, (password_hash if usable else _NOBODY).encode())
    return matches and usable


def digest(token: str) -> bytes:
    """Return the SHA-256 under which the database keeps a token or ticket."""
    return sha256(token.encode()).digest()
