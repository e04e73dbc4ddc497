"""Accounts and grants: what the administrator may do, and what nobody may."""

from datetime import date, timedelta

import psycopg
import pytest
from sqlalchemy.exc import ProgrammingError

from data_access import accounts, sessions
from data_access.database import transaction
from domain import clock
from domain.access import Actor, Grant, Role
from domain.errors import (
    InvalidAction,
    NotFound,
    NotPermitted,
    RuleViolation,
    SignInRefused,
    WeakPassword,
)
from domain.passwords import password_fault

PASSWORD = "Jing-Tai 2026"


@pytest.fixture
def administrator(owner: psycopg.Connection) -> Actor:
    """The administrator of accounts in the information centre."""
    with transaction(None, read_only=True) as connection:
        system = accounts.system_actor(connection)
    with transaction(system, action="account.create") as connection:
        made = accounts.create_account(connection, username="admin1", display_name="管理员")
        accounts.grant(connection, made.user_id, Role.INFORMATION_CENTRE, "360000")
    return Actor(made.user_id, "管理员", (Grant(Role.INFORMATION_CENTRE, "360000", "36"),))


@pytest.fixture
def clerk(administrator: Actor) -> Actor:
    """A county clerk whose password is PASSWORD."""
    with transaction(administrator, action="account.create") as connection:
        made = accounts.create_account(
            connection,
            username="clerk",
            display_name="张科员",
            phone="13812345678",
            password=PASSWORD,
        )
        accounts.grant(connection, made.user_id, Role.COUNTY, "360123")
    return Actor(made.user_id, "张科员", (Grant(Role.COUNTY, "360123", "360123"),))


def listed(administrator: Actor, username: str) -> accounts.AccountRow:
    with transaction(administrator, read_only=True) as connection:
        rows = accounts.list_accounts(connection)
    return next(row for row in rows if row.username == username)


def refused(constraint: str):
    return pytest.raises(RuleViolation, match=constraint)


def test_a_new_account_has_a_password_that_meets_the_policy(administrator):
    with transaction(administrator) as connection:
        made = accounts.create_account(connection, username=" Clerk2 ", display_name="李科员")
    assert made.username == "clerk2"
    assert password_fault(made.password, made.username) is None
    assert sessions.sign_in("clerk2", made.password, "10.0.0.1")
    assert listed(administrator, "clerk2").must_change_password


@pytest.mark.parametrize(
    ("username", "constraint"),
    [("clerk", "account_username_once"), ("张三", "account_username_form")],
)
def test_a_username_is_taken_once_and_in_form(administrator, clerk, username, constraint):
    with refused(constraint), transaction(administrator) as connection:
        accounts.create_account(connection, username=username, display_name="王科员")


def test_a_weak_first_password_is_refused(administrator):
    with pytest.raises(WeakPassword), transaction(administrator) as connection:
        accounts.create_account(
            connection, username="clerk", display_name="张科员", password="12345"
        )


def test_creating_is_on_record_without_the_password(administrator, clerk, owner):
    entries = owner.execute(
        "SELECT user_id, action, after::text FROM row_change WHERE table_name = 'account'"
        " ORDER BY row_change_id DESC LIMIT 1"
    ).fetchall()
    assert entries[0][:2] == (administrator.user_id, "account.create")
    assert "$2b$" not in entries[0][2]


def test_the_telephone_is_masked(administrator, clerk):
    assert listed(administrator, "clerk").phone == "138****5678"


@pytest.mark.parametrize(("phone", "shown"), [("12", "****"), ("", ""), (None, None)])
def test_a_short_telephone_shows_nothing(phone, shown):
    assert accounts.masked_phone(phone) == shown


@pytest.mark.parametrize("role", [Role.PLAN_BUREAU, Role.SECURITY_AUDITOR, Role.COUNTY])
def test_the_administrator_neither_reviews_nor_audits_nor_files(administrator, role):
    with refused("account_grant_separation"), transaction(administrator) as connection:
        accounts.grant(connection, administrator.user_id, role, "360000")


def test_roles_that_never_meet_may_follow_each_other(administrator, clerk):
    with transaction(administrator) as connection:
        (held,) = listed(administrator, "clerk").grants
        accounts.end_grant(connection, held.grant_id)
        accounts.grant(connection, clerk.user_id, Role.SECURITY_AUDITOR, "360000")
    assert [each.role for each in listed(administrator, "clerk").grants] == [
        Role.COUNTY,
        Role.SECURITY_AUDITOR,
    ]


def test_a_grant_ends_at_once_and_only_once(administrator, clerk):
    (held,) = listed(administrator, "clerk").grants
    assert held.holds_on(clock.today())
    with transaction(administrator) as connection:
        accounts.end_grant(connection, held.grant_id)
    (ended,) = listed(administrator, "clerk").grants
    assert not ended.holds_on(clock.today())
    with pytest.raises(InvalidAction), transaction(administrator) as connection:
        accounts.end_grant(connection, held.grant_id)


def test_the_same_grant_is_given_once(administrator, clerk):
    with refused("account_grant_once"), transaction(administrator) as connection:
        accounts.grant(connection, clerk.user_id, Role.COUNTY, "360123")


def test_a_grant_does_not_end_before_it_begins(administrator, clerk):
    yesterday: date = clock.today() - timedelta(days=1)
    with (
        refused("account_grant_ends_not_before_start"),
        transaction(administrator) as connection,
    ):
        accounts.grant(connection, clerk.user_id, Role.CITY, "360100", valid_to=yesterday)


def test_a_grant_needs_a_division(administrator, clerk):
    with pytest.raises(NotFound), transaction(administrator) as connection:
        accounts.grant(connection, clerk.user_id, Role.COUNTY, "999999")


def test_who_is_no_administrator_gives_nothing(clerk):
    with (
        pytest.raises(ProgrammingError, match="row-level security"),
        transaction(clerk) as connection,
    ):
        accounts.grant(connection, clerk.user_id, Role.PLAN_BUREAU, "360000")


def test_who_is_no_administrator_closes_nobody(administrator, clerk):
    for act in (accounts.disable, accounts.reset_password):
        with pytest.raises(NotPermitted), transaction(clerk) as connection:
            act(connection, administrator.user_id)
    assert listed(administrator, "admin1").disabled_at is None


def test_a_locked_account_is_seen_and_unlocked(administrator, clerk, owner):
    for _ in range(5):
        with pytest.raises(SignInRefused):
            sessions.sign_in("clerk", "wrong", "10.0.0.1")
    assert listed(administrator, "clerk").locked_until is not None
    with transaction(administrator, action="account.unlock") as connection:
        accounts.unlock(connection, clerk.user_id)
    assert listed(administrator, "clerk").locked_until is None
    assert sessions.sign_in("clerk", PASSWORD, "10.0.0.1")
    logged = owner.execute(
        "SELECT user_id FROM row_change WHERE action = 'account.unlock'"
    ).fetchall()
    assert logged == [(administrator.user_id,)]


def test_a_reset_ends_the_sessions_and_asks_for_a_new_password(administrator, clerk):
    token = open_session()
    with transaction(administrator, action="account.reset") as connection:
        password = accounts.reset_password(connection, clerk.user_id)
    assert sessions.find_actor(token) is None
    renewed = open_session(password)
    assert sessions.find_actor(renewed).must_change_password


def test_ones_own_password_needs_the_old_one_and_ends_the_other_sessions(clerk):
    here, elsewhere = open_session(), open_session()
    with pytest.raises(SignInRefused), transaction(clerk) as connection:
        accounts.change_password(connection, clerk.user_id, "wrong", "Xin Kou Ling 9")
    with pytest.raises(WeakPassword, match="same_as_before"), transaction(clerk) as connection:
        accounts.change_password(connection, clerk.user_id, PASSWORD, PASSWORD)
    with transaction(clerk, action="account.password") as connection:
        accounts.change_password(
            connection, clerk.user_id, PASSWORD, "Xin Kou Ling 9", kept_token=here
        )
    assert sessions.find_actor(elsewhere) is None
    assert not sessions.find_actor(here).must_change_password


def test_one_session_is_revoked_and_the_other_goes_on(administrator, clerk):
    one, other = open_session(), open_session()
    with transaction(administrator, action="session.revoke") as connection:
        latest = sessions.list_sessions(connection, clerk.user_id)
        oldest = min(latest, key=lambda row: row.session_id)
        sessions.revoke_sessions(connection, clerk.user_id, session_id=oldest.session_id)
    assert sessions.find_actor(one) is None
    assert sessions.find_actor(other) is not None


def test_a_disabled_account_can_be_opened_again(administrator, clerk):
    with transaction(administrator) as connection:
        accounts.disable(connection, clerk.user_id)
    assert listed(administrator, "clerk").disabled_at is not None
    with transaction(administrator) as connection:
        accounts.enable(connection, clerk.user_id)
    assert open_session()


@pytest.mark.parametrize("act", [accounts.unlock, accounts.disable, accounts.reset_password])
def test_nobody_acts_on_the_portals_own_account(administrator, act):
    with transaction(None, read_only=True) as connection:
        system = accounts.system_actor(connection)
    with pytest.raises(NotFound), transaction(administrator) as connection:
        act(connection, system.user_id)


def test_the_portals_own_hand_covers_the_province(owner):
    with transaction(None, read_only=True) as connection:
        assert accounts.system_actor(connection).prefixes == ("36",)


def test_an_unknown_username_is_not_found(administrator):
    with pytest.raises(NotFound), transaction(administrator) as connection:
        accounts.find_user_id(connection, "nobody")


def open_session(password: str = PASSWORD) -> str:
    ticket = sessions.sign_in("clerk", password, "10.0.0.1")
    return sessions.open_session(ticket, "10.0.0.1", "test").token
