"""What the trail records of a change, by one writer and by many."""

import threading
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DataError

from data_access import database
from data_access.trail import describe
from tests.trail import add_notes, entries, write


def test_change_is_recorded_with_who_what_and_where(note, owner):
    write("INSERT INTO note VALUES (1, '360123', '原')")
    write("UPDATE note SET body = '改' WHERE note_id = 1", action="note.correct")
    write("DELETE FROM note WHERE note_id = 1", actor=None, action="")
    assert entries(
        owner, "operation", "row_key", "before ->> 'body'", "after ->> 'body'", "user_id", "action"
    ) == [
        ("INSERT", "1", None, "原", 7, "note.save"),
        ("UPDATE", "1", "原", "改", 7, "note.correct"),
        ("DELETE", "1", "改", None, None, None),
    ]
    assert set(entries(owner, "division_code", "database_login")) == {("360123", "portal")}


def test_change_outside_the_portal_shows_the_login(note, owner):
    owner.execute("INSERT INTO note VALUES (1)")
    assert entries(owner, "user_id", "database_login") == [(None, "owner")]


def test_update_that_changes_nothing_leaves_nothing(note, owner):
    write("INSERT INTO note VALUES (1)", "UPDATE note SET body = body")
    assert entries(owner, "operation") == [("INSERT",)]


def test_change_that_is_rolled_back_leaves_no_entry_and_no_gap(note, owner, verify):
    write("INSERT INTO note VALUES (1)")
    with pytest.raises(DataError):
        write("UPDATE note SET n = 1", "SELECT 1 / 0")
    write(
        "UPDATE note SET n = 2",
        "SAVEPOINT before",
        "UPDATE note SET n = 3",
        "ROLLBACK TO SAVEPOINT before",
        "UPDATE note SET n = 4",
    )
    assert entries(owner, "after ->> 'n'") == [("0",), ("2",), ("4",)]
    assert verify().is_whole


def test_entries_of_one_transaction_stand_in_one_chain(note, owner, verify):
    add_notes(20)
    assert len(set(entries(owner, "chain_no"))) == 1
    assert verify().is_whole


def test_secret_never_stands_in_the_trail_but_its_change_does(note, owner):
    write("INSERT INTO note (note_id, secret) VALUES (1, 'hunter2')", "UPDATE note SET n = 1")
    write("UPDATE note SET secret = 'correct horse'", "UPDATE note SET secret = NULL")
    assert entries(
        owner, "before -> 'secret' ->> 'redacted'", "after -> 'secret' ->> 'redacted'"
    ) == [
        (None, "changed"),
        ("unchanged", "unchanged"),
        ("changed", "changed"),
        ("changed", None),
    ]
    everything = str(entries(owner, "before", "after"))
    assert "hunter2" not in everything
    assert "horse" not in everything


def test_password_hashes_and_tokens_are_redacted_in_the_portals_tables(owner):
    secret = owner.execute(
        "SELECT attrelid::regclass::text, attname FROM pg_attribute JOIN audited_table"
        " ON attrelid = to_regclass(table_name)"
        " WHERE attname ~ 'password_hash|token|secret|ticket' AND NOT attname = ANY (redacted)"
    ).fetchall()
    assert secret == []


def test_key_of_several_columns_is_joined(owner):
    owner.execute("CREATE TABLE pair (b text, a integer, PRIMARY KEY (a, b))")
    owner.execute("SELECT audit_table('pair')")
    owner.execute("INSERT INTO pair VALUES ('x', 1)")
    assert owner.execute("SELECT row_key FROM row_change WHERE table_name = 'pair'").fetchall() == [
        ("1,x",)
    ]


@pytest.mark.parametrize(
    "columns", ["n integer", "secret text PRIMARY KEY", "n integer PRIMARY KEY"]
)
def test_table_that_cannot_be_named_or_redacted_is_refused(owner, columns):
    owner.execute(f"CREATE TABLE odd ({columns})")
    with pytest.raises(psycopg.errors.RaiseException):
        owner.execute("SELECT audit_table('odd', '{secret}')")


def test_bulk_load_of_the_owner_is_one_entry(note, owner, verify):
    with owner.transaction():
        owner.execute("SET LOCAL app.bulk_load = 'on'")
        owner.execute("INSERT INTO note SELECT generate_series(1, 500)")
        owner.execute("SELECT log_bulk_load('note', 500, 'ab12', 'village.import')")
    owner.execute("INSERT INTO note VALUES (501)")
    assert entries(
        owner, "operation", "row_key", "after ->> 'row_count'", "after ->> 'digest'"
    ) == [
        ("BULK", "*", "500", "ab12"),
        ("INSERT", "501", None, None),
    ]
    assert verify().is_whole


def test_writer_does_not_wait_for_another_transaction_to_end(note, owner, verify):
    add_notes(20)
    engine = create_engine(database.engine().url, pool_size=20)
    with engine.connect() as slow:
        slow.execute(text("SET lock_timeout = '1ms'"))
        slow.execute(text("UPDATE note SET n = 1 WHERE note_id = 0"))
        for i in range(1, 20):
            with engine.begin() as quick:
                quick.execute(text("SET lock_timeout = '1ms'"))
                quick.execute(text("UPDATE note SET n = 1 WHERE note_id = :i"), {"i": i})
        assert len(entries(owner, "row_key")) == 20 + 19
        assert verify().is_whole
        slow.commit()
    engine.dispose()
    assert len(entries(owner, "row_key")) == 20 + 20
    assert verify().is_whole


def test_64_transactions_may_be_open_at_once(note, owner, verify, cluster):
    add_notes(64)
    url = f"host={cluster} user=portal dbname=portal_test"
    connections = [psycopg.connect(url) for _ in range(64)]
    for i, connection in enumerate(connections):
        connection.execute("SET LOCAL lock_timeout = '1ms'")
        connection.execute("UPDATE note SET n = 1 WHERE note_id = %s", [i])
    for connection in connections:
        connection.commit()
        connection.close()
    assert len(set(entries(owner, "chain_no")[64:])) == 64
    assert verify().is_whole


def test_sixteen_writers_cause_no_false_alarm(note, owner, verify, anchor):
    add_notes(16)
    stop = threading.Event()

    def keep_writing(i: int) -> int:
        written = 0
        while not stop.is_set():
            write("UPDATE note SET n = n + 1 WHERE note_id = :i", i=i)
            written += 1
        return written

    def keep_anchoring() -> int:
        lines = 0
        while not stop.is_set():
            lines += anchor() is not None
        return lines

    with ThreadPoolExecutor(17) as pool:
        writers = [pool.submit(keep_writing, i) for i in range(16)]
        anchoring = pool.submit(keep_anchoring)
        try:
            results = [verify() for _ in range(6)]
        finally:
            stop.set()
        written = sum(writer.result() for writer in writers)
        assert anchoring.result() > 1
    assert [describe(f) for result in results for f in result.findings] == []
    assert results[-1].entries > results[0].entries
    assert len(entries(owner, "row_key")) == 16 + written
    anchor()
    final = verify()
    assert (final.is_whole, final.not_anchored) == (True, 0)
