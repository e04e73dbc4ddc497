"""A transaction of the portal: it carries who acts, and nothing of it is left for the next."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import InternalError

from data_access.database import engine, transaction
from domain.access import Actor, Grant, Role
from domain.errors import DatabaseAway

CLERK = Actor(7, "张科员", (Grant(Role.COUNTY, "360123", "360123"),))
SAID = text(
    "SELECT current_setting('app.user_id'), current_setting('app.roles')"
    ", current_setting('app.prefixes'), current_setting('app.action')"
    ", current_setting('plan_cache_mode'), current_setting('transaction_read_only')"
)
BACKEND = text("SELECT pg_backend_pid()")


def test_a_transaction_says_who_acts_and_how(owner):
    with transaction(CLERK, action="draft.save", planned_once=True) as connection:
        assert tuple(connection.execute(SAID).one()) == (
            "7", "{county}", "{360123}", "draft.save", "force_generic_plan", "off",
        )  # fmt: skip


def test_nothing_of_it_is_left_for_the_next(owner):
    with transaction(CLERK, action="it's \\ said", planned_once=True) as connection:
        first = connection.scalar(BACKEND)
        assert connection.scalar(text("SELECT current_setting('app.action')")) == "it's \\ said"
    with transaction(None, read_only=True) as connection:
        assert connection.scalar(BACKEND) == first  # the same connection, from the pool
        assert tuple(connection.execute(SAID).one()) == ("", "{}", "{}", "", "auto", "on")


def test_what_only_reads_cannot_write(owner):
    with (
        pytest.raises(InternalError, match="read-only transaction"),
        transaction(CLERK, read_only=True) as connection,
    ):
        connection.execute(text("UPDATE account SET display_name = 'x'"))


def test_a_connection_that_breaks_as_it_begins_is_the_database_being_away(owner, monkeypatch):
    with transaction(None) as connection:
        backend = connection.scalar(BACKEND)
    # As if it broke after it had been looked at.
    monkeypatch.setattr("data_access.database._has_something_to_say", lambda socket: False)
    owner.execute("SELECT pg_terminate_backend(%s, 5000)", [backend])
    with pytest.raises(DatabaseAway), transaction(None):
        pass
    with transaction(None) as connection:
        assert connection.scalar(BACKEND) != backend
    assert engine().pool.checkedout() == 0
