"""What one process keeps in memory, while another process changes it."""

import os
import subprocess
import sys
from collections.abc import Iterator

import psycopg
import pytest

from components import cached, inbox
from components.session import portal_facts
from data_access import village_overview
from data_access.change_listener import Topic, county_mark, is_listening, listening, mark
from data_access.database import transaction
from data_access.forms import load_form
from tests.actors import PROVINCE
from tests.paths import ROOT
from tests.patience import wait_until

AT_ONCE = 1.0  # seconds
OTHER_PROCESS = """
import sys, psycopg
with psycopg.connect(sys.argv[1]) as connection:
    connection.execute(sys.argv[2])
"""
LABEL = "UPDATE form_field SET label = label || '（改）' WHERE form_code = 'plan_progress'"
MESSAGE = (
    "INSERT INTO inbox_message (role, division_code, title, body)"
    f" VALUES ('leader', '{PROVINCE}', '通知', '内容')"
)
MOVED = "INSERT INTO village_moved (county_code) VALUES ('{}')"
CHANGES = {
    Topic.DASHBOARD: "INSERT INTO dashboard_change DEFAULT VALUES",
    Topic.SETTINGS: "UPDATE portal_setting SET value = '\"别名\"' WHERE name = 'system_name'",
    Topic.MAP: "UPDATE map_layer SET data_version = data_version + 1",
    Topic.FORMS: LABEL,
    Topic.INBOX: MESSAGE,
    Topic.ASSESSMENT: "UPDATE assessment_result SET level = level",
}


@pytest.fixture
def hearing(owner) -> Iterator[None]:
    with listening():
        assert is_listening(10)
        yield
    assert not is_listening()


def elsewhere(owner, statement: str) -> None:
    """Commit a change in another process."""
    command = [sys.executable, "-c", OTHER_PROCESS, owner.info.dsn, statement]
    subprocess.run(command, cwd=ROOT, env=os.environ, check=True)


@pytest.mark.parametrize("topic", Topic)
def test_a_mark_moves_when_another_process_commits_and_only_then(topic, hearing, owner):
    others = [each for each in Topic if each != topic]
    before, beside = mark(topic), mark(*others)
    with owner.transaction():
        owner.execute(CHANGES[topic])
        assert mark(topic) == before
    wait_until(lambda: mark(topic) != before, AT_ONCE)
    if topic is not Topic.SETTINGS:  # a setting is shown on the dashboard too
        assert mark(*others) == beside


def test_settings_forms_and_messages_are_seen_at_once(hearing, owner, leader):
    def label() -> str:
        with transaction(leader, read_only=True) as connection:
            return load_form(connection, "plan_progress", 1).fields[0].label

    unread, old = inbox.unread_count(leader), label()
    assert portal_facts().system_name != "别名"
    for topic in (Topic.SETTINGS, Topic.FORMS, Topic.INBOX):
        elsewhere(owner, CHANGES[topic])
    wait_until(lambda: portal_facts().system_name == "别名", AT_ONCE)
    wait_until(lambda: label() == old + "（改）", AT_ONCE)
    wait_until(lambda: inbox.unread_count(leader) == unread + 1, AT_ONCE)


def test_a_dashboard_is_drawn_anew_at_once(hearing, owner, leader):
    before = cached.read_frame(leader).version
    elsewhere(owner, CHANGES[Topic.DASHBOARD])
    wait_until(lambda: cached.read_frame(leader).version != before, AT_ONCE)


def test_without_its_connection_a_process_looks_by_the_clock_and_hears_again(hearing, owner):
    owner.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'"
        " OR (query LIKE '%pg_current_snapshot%' AND pid <> pg_backend_pid())"
    )
    wait_until(lambda: not is_listening(), AT_ONCE)
    deaf = mark(Topic.FORMS)
    wait_until(lambda: mark(Topic.FORMS) != deaf, AT_ONCE)
    assert is_listening(10)
    before = mark(Topic.FORMS)
    owner.execute(LABEL)
    wait_until(lambda: mark(Topic.FORMS) != before, AT_ONCE)


def test_a_county_is_told_of_its_own_villages_alone(hearing, owner):
    here, beside = county_mark(["360123"]), county_mark(["360102"])
    elsewhere(owner, MOVED.format("360123"))
    wait_until(lambda: county_mark(["360123"]) != here, AT_ONCE)
    assert county_mark(["360102"]) == beside


def test_who_began_first_and_ended_last_is_not_missed(hearing, owner):
    """A look between the two sees the later one alone; the number of a transaction says nothing."""
    slow, quick = county_mark(["360123"]), county_mark(["360102"])
    with psycopg.connect(owner.info.dsn) as first:
        first.execute(MOVED.format("360123"))
        owner.execute(MOVED.format("360102"))
        wait_until(lambda: county_mark(["360102"]) != quick, AT_ONCE)
        assert county_mark(["360123"]) == slow
        forget()
        forget()
    wait_until(lambda: county_mark(["360123"]) != slow, AT_ONCE)


def test_what_all_have_heard_is_forgotten(owner):
    owner.execute(MOVED.format("360123"))
    forget()
    assert owner.execute("SELECT count(county_code) FROM village_moved").fetchone() == (1,)
    forget()
    assert owner.execute("SELECT count(county_code) FROM village_moved").fetchone() == (0,)


def forget() -> None:
    with transaction(None) as connection:
        village_overview.forget_moves(connection)


def test_a_command_that_does_not_listen_keeps_nothing_for_long(owner):
    before = mark(Topic.SETTINGS)
    wait_until(lambda: mark(Topic.SETTINGS) != before, AT_ONCE)
