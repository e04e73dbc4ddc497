"""Accounts and their dated grants, as the administrator and the commands keep them.

Every function runs inside one `transaction(actor, action="account.…")` of the caller.
"""

from dataclasses import dataclass, replace
from datetime import date, datetime

from sqlalchemy import Connection

from data_access import sessions
from data_access.queries import load_queries
from data_access.rows import fetch_all
from domain import clock
from domain.access import Actor, Grant, Role
from domain.errors import InvalidAction, NotFound, NotPermitted, SignInRefused, WeakPassword
from domain.passwords import PasswordFault, check_password, make_password

_SQL = load_queries("accounts")


@dataclass(frozen=True, slots=True)
class GrantRow:
    """One role on one division; `valid_to` is the first day on which it no longer holds."""

    grant_id: int
    user_id: int
    role: Role
    division_code: str
    division_name: str
    subject: str | None
    valid_from: date
    valid_to: date | None

    def holds_on(self, day: date) -> bool:
        return self.valid_from <= day and (self.valid_to is None or day < self.valid_to)


@dataclass(frozen=True, slots=True)
class AccountRow:
    """One account as the administrator sees it; the middle of the telephone is masked."""

    user_id: int
    username: str
    display_name: str
    organisation: str
    phone: str | None
    must_change_password: bool
    is_demo: bool
    created_at: datetime
    disabled_at: datetime | None
    locked_until: datetime | None
    last_signed_in_at: datetime | None
    open_sessions: int
    grants: tuple[GrantRow, ...] = ()


@dataclass(frozen=True, slots=True)
class NewAccount:
    """The account and its first password, which is shown once and kept nowhere."""

    user_id: int
    username: str
    password: str


@dataclass(frozen=True, slots=True)
class DivisionChoice:
    code: str
    name: str
    level: str


def create_account(
    connection: Connection,
    *,
    username: str,
    display_name: str,
    organisation: str = "",
    phone: str | None = None,
    password: str | None = None,
    must_change_password: bool = True,
    is_demo: bool = False,
) -> NewAccount:
    """Add an account; make up its first password where none is given.

    Raise WeakPassword, or RuleViolation for a username that is taken or malformed. The grants
    come with `grant`, in the same transaction.
    """
    name = username.strip().lower()
    chosen = password or make_password()
    check_password(chosen, name)
    user_id = connection.execute(
        _SQL["insert_account"],
        {
            "username": name,
            "display_name": display_name.strip(),
            "organisation": organisation.strip(),
            "phone": (phone or "").strip() or None,
            "password_hash": sessions.hash_password(chosen),
            "must_change_password": must_change_password,
            "is_demo": is_demo,
        },
    ).scalar_one()
    return NewAccount(user_id=user_id, username=name, password=chosen)


def list_accounts(connection: Connection) -> list[AccountRow]:
    """Return every account but the portal's own, those in use first, with all their grants."""
    grants = fetch_all(connection, _SQL["list_grants"], GrantRow, user_id=None, today=clock.today())
    of_user: dict[int, list[GrantRow]] = {}
    for each in grants:
        of_user.setdefault(each.user_id, []).append(each)
    rows = fetch_all(connection, _SQL["list_accounts"], AccountRow)
    return [
        replace(row, phone=masked_phone(row.phone), grants=tuple(of_user.get(row.user_id, ())))
        for row in rows
    ]


def masked_phone(phone: str | None) -> str | None:
    """Return a telephone number with its middle hidden: 138****5678."""
    if not phone:
        return phone
    shown = max(0, (len(phone) - 4) // 2)
    return phone[:shown] + "****" + phone[shown + 4 :]


def find_user_id(connection: Connection, username: str) -> int:
    """Return the account of a username; raise NotFound."""
    found = connection.execute(_SQL["user_id_of"], {"username": username.strip().lower()})
    user_id: int | None = found.scalar_one_or_none()
    if user_id is None:
        raise NotFound(username=username)
    return user_id


def grantable_divisions(connection: Connection) -> list[DivisionChoice]:
    """Return the divisions of today, in the order of their codes."""
    return fetch_all(connection, _SQL["grantable_divisions"], DivisionChoice, today=clock.today())


def grant(
    connection: Connection,
    user_id: int,
    role: Role,
    division_code: str,
    *,
    subject: str | None = None,
    valid_from: date | None = None,
    valid_to: date | None = None,
    granted_by: int | None = None,
) -> int:
    """Give an account a role on a division from one day to the day before another; return its id.

    Raise NotFound for an unknown division, RuleViolation for roles that one person may not join.
    """
    granted = connection.execute(
        _SQL["insert_grant"],
        {
            "user_id": user_id,
            "role": role,
            "division_code": division_code,
            "subject": subject or None,
            "valid_from": valid_from or clock.today(),
            "valid_to": valid_to,
            "granted_by": granted_by,
        },
    )
    grant_id: int | None = granted.scalar_one_or_none()
    if grant_id is None:
        raise NotFound(division_code=division_code)
    return grant_id


def end_grant(connection: Connection, grant_id: int) -> None:
    """Take a grant back from today on; raise InvalidAction where it has already ended."""
    ended = connection.execute(_SQL["end_grant"], {"grant_id": grant_id, "today": clock.today()})
    if ended.first() is None:
        raise InvalidAction(grant_id=grant_id)


def unlock(connection: Connection, user_id: int) -> None:
    """Forget the failed sign-ins of an account, so that its owner may try again at once."""
    username = _account(connection, user_id).username
    connection.execute(_SQL["clear_failures"], {"username": username})
    connection.execute(_SQL["insert_event"], {"user_id": user_id, "kind": "unlocked"})


def reset_password(connection: Connection, user_id: int, password: str | None = None) -> str:
    """Give an account a new first password, end its sessions and its lock; return the password."""
    username = _account(connection, user_id).username
    chosen = password or make_password()
    check_password(chosen, username)
    _set_password(connection, user_id, chosen, must_change=True)
    connection.execute(_SQL["clear_failures"], {"username": username})
    sessions.revoke_sessions(connection, user_id)
    return chosen


def change_password(
    connection: Connection, user_id: int, current: str, new: str, *, kept_token: str | None = None
) -> None:
    """Change one's own password and end one's other sessions.

    Raise SignInRefused when `current` is wrong, WeakPassword when `new` is no better.
    """
    account = _account(connection, user_id)
    if not sessions.password_matches(current, account.password_hash):
        raise SignInRefused
    check_password(new, account.username)
    if new == current:
        raise WeakPassword(reason=PasswordFault.SAME_AS_BEFORE)
    _set_password(connection, user_id, new, must_change=False)
    sessions.revoke_sessions(connection, user_id, kept_token=kept_token)


def disable(connection: Connection, user_id: int) -> None:
    """Close an account and end its sessions; its records and its name stay."""
    _account(connection, user_id)
    _set_disabled(connection, user_id, disabled=True)
    sessions.revoke_sessions(connection, user_id)


def enable(connection: Connection, user_id: int) -> None:
    """Open an account that was disabled; its password and its grants are as they were."""
    _account(connection, user_id)
    _set_disabled(connection, user_id, disabled=False)


def system_actor(connection: Connection) -> Actor:
    """Return the portal's own hand, over the whole province: the worker and the commands use it."""
    rows = connection.execute(_SQL["system_actor"], {"today": clock.today()}).all()
    return Actor(
        user_id=rows[0].user_id,
        display_name=rows[0].display_name,
        grants=tuple(
            Grant(Role.INFORMATION_CENTRE, row.code, row.prefix) for row in rows if row.code
        ),
    )


@dataclass(frozen=True, slots=True)
class _Account:
    username: str
    password_hash: str


def _account(connection: Connection, user_id: int) -> _Account:
    found = connection.execute(_SQL["username_of"], {"user_id": user_id}).one_or_none()
    if found is None:
        raise NotFound(user_id=user_id)
    return _Account(username=found.username, password_hash=found.password_hash)


def _set_disabled(connection: Connection, user_id: int, *, disabled: bool) -> None:
    changed = connection.execute(
        _SQL["set_disabled"], {"user_id": user_id, "disabled": disabled}
    ).rowcount
    if not changed:  # the row policy lets nobody but the administrator
        raise NotPermitted(user_id=user_id)


def _set_password(
    connection: Connection, user_id: int, password: str, *, must_change: bool
) -> None:
    changed = connection.execute(
        _SQL["set_password"],
        {
            "user_id": user_id,
            "password_hash": sessions.hash_password(password),
            "must_change_password": must_change,
        },
    ).rowcount
    if not changed:
        raise NotPermitted(user_id=user_id)
