"""The door: who may come in, who waits, and how a session ends."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from data_access import accounts, sessions
from data_access.database import transaction
from domain.access import Actor, Role
from domain.errors import AccountLocked, SignInRefused

PASSWORD = "Jing-Tai 2026"


@pytest.fixture
def clerk(owner: psycopg.Connection) -> int:
    """A county clerk whose password is PASSWORD."""
    with transaction(accounts_administrator()) as connection:
        made = accounts.create_account(
            connection, username="clerk", display_name="张科员", password=PASSWORD
        )
        accounts.grant(connection, made.user_id, Role.COUNTY, "360123")
    return made.user_id


def accounts_administrator() -> Actor:
    with transaction(None, read_only=True) as connection:
        return accounts.system_actor(connection)


def fail(times: int, username: str = "clerk", address: str = "10.0.0.1") -> None:
    for _ in range(times):
        with pytest.raises(SignInRefused):
            sessions.sign_in(username, "wrong", address)


def session_of(address: str = "10.0.0.1") -> sessions.NewSession:
    ticket = sessions.sign_in("clerk", PASSWORD, address)
    return sessions.open_session(ticket, address, "test")


def test_the_right_password_opens_a_session_with_todays_grants(clerk):
    actor = sessions.find_actor(session_of().token)
    assert actor is not None
    assert (actor.user_id, actor.roles, actor.prefixes) == (clerk, {Role.COUNTY}, ("360123",))
    assert actor.must_change_password


def test_the_event_loop_is_told_the_same(clerk, owner):
    token = session_of().token
    assert asyncio.run(sessions.ask_actor(token)) == sessions.find_actor(token)
    assert asyncio.run(sessions.ask_actor("nobody's")) is None
    stale = "last_seen_at < now() - interval '1 minute'"
    owner.execute("UPDATE portal_session SET last_seen_at = now() - interval '2 minutes'")
    asyncio.run(sessions.ask_actor(token, touch=False))
    assert owner.execute(f"SELECT {stale} FROM portal_session").fetchone() == (True,)
    asyncio.run(sessions.ask_actor(token))
    assert owner.execute(f"SELECT {stale} FROM portal_session").fetchone() == (False,)


def test_a_name_is_taken_as_people_type_it(clerk):
    assert sessions.sign_in("  Clerk\0 ", PASSWORD, "10.0.0.1")


def test_five_failures_lock_the_account_for_a_quarter_of_an_hour(clerk, owner):
    fail(5)
    with pytest.raises(AccountLocked) as refused:
        sessions.sign_in("clerk", PASSWORD, "10.0.0.1")
    until = refused.value.details["until"]
    assert timedelta(minutes=14) < until - datetime.now(UTC) <= timedelta(minutes=15)


def test_an_unknown_name_gets_the_same_answers(clerk):
    fail(5, username="nobody")
    with pytest.raises(AccountLocked):
        sessions.sign_in("nobody", PASSWORD, "10.0.0.1")


def test_a_lock_ends_by_itself(clerk, owner):
    fail(5)
    owner.execute("UPDATE sign_in_failure SET happened_at = happened_at - interval '16 minutes'")
    assert sessions.sign_in("clerk", PASSWORD, "10.0.0.1")


def test_failures_far_apart_do_not_lock(clerk, owner):
    fail(4)
    owner.execute("UPDATE sign_in_failure SET happened_at = happened_at - interval '16 minutes'")
    fail(4)
    assert sessions.sign_in("clerk", PASSWORD, "10.0.0.1")


def test_a_success_forgets_the_failures(clerk):
    fail(4)
    sessions.sign_in("clerk", PASSWORD, "10.0.0.1")
    fail(4)
    assert sessions.sign_in("clerk", PASSWORD, "10.0.0.1")


def test_guessing_at_once_is_no_way_around_the_lock(clerk, owner):
    def guess(number: int) -> type[Exception]:
        try:
            sessions.sign_in("clerk", f"guess {number}", "10.0.0.1")
        except (SignInRefused, AccountLocked) as refusal:
            return type(refusal)
        raise AssertionError

    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(guess, range(12)))
    assert answers.count(SignInRefused) == 5
    assert answers.count(AccountLocked) == 7


def test_a_lock_stands_in_the_trail(clerk, owner):
    fail(5)
    logged = owner.execute(
        "SELECT after ->> 'kind', action FROM row_change WHERE table_name = 'account_event'"
    ).fetchall()
    assert logged == [("locked", "account.lock")]


def test_a_busy_address_waits_longer_and_longer_but_comes_in(clerk, owner, monkeypatch):
    waits = []
    monkeypatch.setattr(sessions.time, "sleep", waits.append)
    owner.execute(
        "INSERT INTO sign_in_failure (username, address)"
        " SELECT 'guess' || n, '10.0.0.1' FROM generate_series(1, 25) AS n"
    )
    assert sessions.sign_in("clerk", PASSWORD, "10.0.0.1")
    sessions.sign_in("clerk", PASSWORD, "10.0.0.2")
    assert waits == [2.5, 0]
    assert sessions.address_delay(10_000) == 10


def test_nobody_waits_on_a_connection_of_the_pool(clerk, monkeypatch):
    from data_access import database

    def held(seconds: float) -> None:
        assert database.engine().pool.checkedout() == 0

    monkeypatch.setattr(sessions.time, "sleep", held)
    assert sessions.sign_in("clerk", PASSWORD, "10.0.0.1")


def test_an_unknown_name_costs_a_comparison_too(clerk, monkeypatch):
    compared = []
    check = sessions.bcrypt.checkpw
    monkeypatch.setattr(
        sessions.bcrypt, "checkpw", lambda *given: compared.append(given[1]) or check(*given)
    )
    fail(1, username="nobody")
    fail(1, username="system")
    fail(1)
    costs = {bytes(each).split(b"$")[2] for each in compared}
    assert len(compared) == 3
    assert costs == {b"12"}


@pytest.mark.parametrize("password", ["", "x" * 500, "口令" * 60, "\ud800", "a\0b"])
def test_whatever_is_pasted_as_a_password_is_only_wrong(clerk, password):
    with pytest.raises(SignInRefused):
        sessions.sign_in("clerk", password, "10.0.0.1")


def test_a_ticket_is_good_once(clerk):
    ticket = sessions.sign_in("clerk", PASSWORD, "10.0.0.1")
    sessions.open_session(ticket, "10.0.0.1", "test")
    with pytest.raises(SignInRefused):
        sessions.open_session(ticket, "10.0.0.1", "test")


def test_a_ticket_is_good_for_a_minute(clerk, owner):
    ticket = sessions.sign_in("clerk", PASSWORD, "10.0.0.1")
    owner.execute("UPDATE sign_in_ticket SET created_at = created_at - interval '61 seconds'")
    with pytest.raises(SignInRefused):
        sessions.open_session(ticket, "10.0.0.1", "test")


@pytest.mark.parametrize("token", ["", "invented", "x" * 10_000, "\0"])
def test_an_invented_token_is_nobody(clerk, token):
    assert sessions.find_actor(token) is None


def test_the_database_knows_no_token(clerk, owner):
    token = session_of().token
    stored = owner.execute("SELECT portal_session::text FROM portal_session").fetchall()
    assert token not in str(stored)


@pytest.mark.parametrize(
    "what_happened",
    [
        "UPDATE portal_session SET revoked_at = now()",
        "UPDATE portal_session SET expires_at = now()",
        "UPDATE portal_session SET last_seen_at = now() - interval '61 minutes'",
        "UPDATE account SET disabled_at = now() WHERE username = 'clerk'",
    ],
)
def test_a_session_that_is_over_is_nobody(clerk, owner, what_happened):
    token = session_of().token
    assert sessions.alive_tokens([sessions.digest(token)])
    owner.execute(what_happened)
    assert sessions.find_actor(token) is None
    assert not sessions.alive_tokens([sessions.digest(token)])


def test_the_timeouts_are_settings(clerk, owner):
    owner.execute("UPDATE portal_setting SET value = '0.5' WHERE name = 'session_hours'")
    owner.execute("UPDATE portal_setting SET value = '5' WHERE name = 'session_idle_minutes'")
    session = session_of()
    assert session.seconds == 1800
    owner.execute("UPDATE portal_session SET last_seen_at = now() - interval '6 minutes'")
    assert sessions.find_actor(session.token) is None


def test_activity_is_noted_at_most_once_a_minute(clerk, owner):
    token = session_of().token
    seen = "SELECT last_seen_at FROM portal_session"
    first = owner.execute(seen).fetchone()
    sessions.find_actor(token)
    assert owner.execute(seen).fetchone() == first
    owner.execute("UPDATE portal_session SET last_seen_at = now() - interval '2 minutes'")
    sessions.find_actor(token, touch=False)
    assert owner.execute(f"{seen} WHERE now() - last_seen_at > interval '1 minute'").fetchone()
    sessions.find_actor(token)
    assert owner.execute(f"{seen} WHERE now() - last_seen_at < interval '1 minute'").fetchone()


def test_a_grant_counts_on_its_days(clerk, owner):
    token = session_of().token
    owner.execute("UPDATE account_grant SET valid_from = current_date + 2")
    assert sessions.find_actor(token).grants == ()


def test_sign_out_ends_one_session_and_leaves_its_name_in_the_trail(clerk, owner):
    one, other = session_of().token, session_of().token
    sessions.close_session(one)
    sessions.close_session(one)
    assert sessions.find_actor(one) is None
    assert sessions.find_actor(other) is not None
    logged = owner.execute(
        "SELECT user_id, action FROM row_change WHERE after ->> 'kind' = 'signed_out'"
    ).fetchall()
    assert logged == [(clerk, "session.close")]


def test_a_disabled_account_does_not_come_in(clerk, owner):
    ticket = sessions.sign_in("clerk", PASSWORD, "10.0.0.1")
    owner.execute("UPDATE account SET disabled_at = now() WHERE username = 'clerk'")
    with pytest.raises(SignInRefused):
        sessions.sign_in("clerk", PASSWORD, "10.0.0.1")
    with pytest.raises(SignInRefused):
        sessions.open_session(ticket, "10.0.0.1", "test")
