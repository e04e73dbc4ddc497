"""The trail in the database: what it records, what it refuses, and what a verification finds."""

import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import sql
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.exc import DataError
from sqlalchemy.pool import NullPool

from data_access import database, trail
from data_access.database import transaction
from data_access.migrate import migrate
from data_access.trail import TrailFilter, VerificationResult, describe
from data_access.trail_anchors import anchor_path
from domain.access import Actor, Grant, Role
from domain.errors import NotPermitted, TooBroad
from domain.trail import FindingKind

AUDITOR = Actor(9, "审计员", (Grant(Role.SECURITY_AUDITOR, "360000", "36"),))
FILER = Actor(7, "填报员", (Grant(Role.COUNTY, "360123", "360123"),))


@pytest.fixture(scope="module")
def template(cluster: Path, template: str) -> str:
    """A migrated database without reference data: these tests need none and copy it often."""
    name = "trail_template"
    with psycopg.connect(f"host={cluster} user=owner dbname=postgres", autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name}")
    with psycopg.connect(f"host={cluster} user=owner dbname={name}") as connection:
        migrate(connection)
    return name


@pytest.fixture
def note(owner: psycopg.Connection) -> str:
    """A table of the tests' own under the trail, with a secret column; the trail begins with it."""
    owner.execute(
        "CREATE TABLE note (note_id integer PRIMARY KEY, division_code text, body text"
        ", n integer NOT NULL DEFAULT 0, secret text)"
    )
    owner.execute("SELECT audit_table('note', '{secret}')")
    owner.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON note TO portal_app")
    return "note"


@pytest.fixture
def owners(owner: psycopg.Connection, cluster: Path) -> Iterator[Engine]:
    """Connections of the owner, as the commands of `./portal` use them."""
    url = f"postgresql+psycopg://owner@/portal_test?host={cluster}"
    engine = create_engine(url, poolclass=NullPool)
    yield engine
    engine.dispose()


@pytest.fixture
def verify(owners: Engine, tmp_path: Path) -> Callable[[], VerificationResult]:
    def run() -> VerificationResult:
        with owners.begin() as connection:
            return trail.verify(connection, tmp_path)

    return run


@pytest.fixture
def anchor(owners: Engine, tmp_path: Path) -> Callable[[], int | None]:
    def run() -> int | None:
        with owners.begin() as connection:
            return trail.anchor(connection, tmp_path)

    return run


def write(
    *statements: str, actor: Actor | None = FILER, action: str = "note.save", **values: object
) -> None:
    """Run statements in one transaction of the portal."""
    with transaction(actor, action=action) as connection:
        for statement in statements:
            connection.execute(text(statement), values)


def add_notes(count: int) -> None:
    """Add notes 0, 1, 2 … in one transaction: an entry each."""
    write("INSERT INTO note SELECT generate_series(0, :last)", last=count - 1)


def entries(owner: psycopg.Connection, *columns: str) -> list[tuple[object, ...]]:
    """Read the entries about notes, oldest first."""
    names = sql.SQL(", ").join(map(sql.SQL, columns))
    query = sql.SQL("SELECT {} FROM row_change WHERE table_name = 'note' ORDER BY row_change_id")
    return owner.execute(query.format(names)).fetchall()


def kinds(result: VerificationResult) -> list[FindingKind]:
    return [finding.kind for finding in result.findings]


# What is recorded


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


# What is refused


def test_portal_cannot_switch_the_trail_off(note, owner):
    write("SET LOCAL app.bulk_load = 'on'", "INSERT INTO note VALUES (1)")
    assert entries(owner, "operation") == [("INSERT",)]


def test_owner_in_the_portals_role_cannot_switch_it_off_either(note, owner):
    with owner.transaction():
        owner.execute("SET LOCAL ROLE portal_app")
        owner.execute("SET LOCAL app.bulk_load = 'on'")
        owner.execute("INSERT INTO note VALUES (1)")
    assert entries(owner, "operation") == [("INSERT",)]


FOR_NOBODY_IN_THE_PORTAL = [
    "INSERT INTO row_change OVERRIDING SYSTEM VALUE SELECT * FROM row_change",
    "UPDATE row_change SET user_id = 1",
    "DELETE FROM row_change",
    "TRUNCATE row_change",
    "UPDATE trail_head SET chain_seq = 0",
    "SELECT * FROM trail_head",
    "DELETE FROM trail_anchor",
    "UPDATE trail_anchor SET anchor_no = 0",
    "DELETE FROM audited_table",
    "ALTER TABLE note DISABLE TRIGGER note_row_change",
    "ALTER TABLE row_change DISABLE TRIGGER ALL",
    "DROP TRIGGER note_row_change ON note",
    "TRUNCATE note",
    "SET session_replication_role = replica",
    "SELECT log_bulk_load('note', 1, '', '')",
    "SELECT append_row_change('note', '1', 'INSERT', NULL, NULL, NULL, NULL)",
    "SELECT audit_table('note')",
    "CREATE TEMP TABLE fake (note_id integer);"
    "CREATE TRIGGER t AFTER INSERT ON fake FOR EACH ROW"
    " EXECUTE FUNCTION record_row_change('{}', 'note_id')",
]


def refused(connection: psycopg.Connection, statement: str) -> bool:
    """Tell whether the statement fails for want of a right."""
    try:
        with connection.transaction(force_rollback=True):
            connection.execute(statement)
    except psycopg.errors.InsufficientPrivilege:
        return True
    return False


def test_portal_cannot_touch_the_trail(note, cluster):
    with psycopg.connect(f"host={cluster} user=portal dbname=portal_test") as portal:
        taken = [one for one in FOR_NOBODY_IN_THE_PORTAL if not refused(portal, one)]
    assert taken == []


def test_even_the_owner_is_refused_by_mistake(note, owner):
    assert refused(owner, "UPDATE row_change SET user_id = 1")
    assert refused(owner, "DELETE FROM row_change")
    assert refused(owner, "TRUNCATE row_change")
    assert refused(owner, "TRUNCATE note")


def test_session_that_plays_replica_leaves_a_trail_all_the_same(note, owner):
    owner.execute("SET session_replication_role = replica")
    owner.execute("INSERT INTO note VALUES (1)")
    assert entries(owner, "operation") == [("INSERT",)]


def test_only_the_auditor_reads_the_trail(note, owner):
    write("INSERT INTO note VALUES (1)")
    with transaction(FILER, read_only=True) as connection:
        assert trail.search(connection, TrailFilter()) == []
    with transaction(AUDITOR, read_only=True) as connection:
        assert len(trail.search(connection, TrailFilter(table_name="note"))) == 1


# Many writers


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


# What a verification finds


@pytest.fixture
def tampering(note, owner: psycopg.Connection) -> psycopg.Connection:
    """Sixty entries about three notes, and a superuser whose session no trigger sees."""
    write("INSERT INTO note SELECT i, '360123', '原' FROM generate_series(0, 2) AS i")
    for n in range(1, 20):
        write("UPDATE note SET n = :n", n=n)
    owner.execute("SET session_replication_role = replica")
    return owner


def longest_chain(owner: psycopg.Connection) -> tuple[int, int]:
    """Return the number and length of the longest chain: six entries or more."""
    row = owner.execute(
        "SELECT chain_no, chain_seq FROM trail_head ORDER BY chain_seq DESC LIMIT 1"
    ).fetchone()
    assert row is not None
    return int(row[0]), int(row[1])


TAMPERING = {
    "after altered": ("UPDATE row_change SET after = '{{}}' WHERE {here}", FindingKind.ALTERED),
    "user altered": ("UPDATE row_change SET user_id = 1 WHERE {here}", FindingKind.ALTERED),
    "time altered": (
        "UPDATE row_change SET happened_at = 'infinity' WHERE {here}",
        FindingKind.ALTERED,
    ),
    "hash altered": ("UPDATE row_change SET hash = '\\x00' WHERE {here}", FindingKind.ALTERED),
    "removed": ("DELETE FROM row_change WHERE {here}", FindingKind.REMOVED),
    "removed and closed up": (
        "DELETE FROM row_change WHERE {here};"
        "UPDATE row_change SET chain_seq = -chain_seq"
        " WHERE chain_no = {chain} AND chain_seq > {seq};"
        "UPDATE row_change SET chain_seq = -chain_seq - 1 WHERE chain_seq < 0",
        FindingKind.REMOVED,
    ),
    "inserted": (
        "UPDATE row_change SET chain_seq = -chain_seq"
        " WHERE chain_no = {chain} AND chain_seq >= {seq};"
        "UPDATE row_change SET chain_seq = -chain_seq + 1 WHERE chain_seq < 0;"
        "INSERT INTO row_change OVERRIDING SYSTEM VALUE SELECT (json_populate_record(row_change"
        ", json_build_object('row_change_id', 10000, 'chain_seq', {seq}))).* FROM row_change"
        " WHERE chain_no = {chain} AND chain_seq = {seq} + 1",
        FindingKind.INSERTED,
    ),
    "swapped": (
        "UPDATE row_change SET chain_seq = -1 WHERE {here};"
        "UPDATE row_change SET chain_seq = {seq}"
        " WHERE chain_no = {chain} AND chain_seq = {seq} + 1;"
        "UPDATE row_change SET chain_seq = {seq} + 1 WHERE chain_seq = -1",
        FindingKind.SWAPPED,
    ),
}


def verify_after(owners: Engine, data_dir: Path, *statements: str) -> VerificationResult:
    """Tamper in a transaction that is rolled back, and verify inside it."""
    with owners.connect() as connection:
        driver = connection.connection.driver_connection
        driver.execute("SET LOCAL session_replication_role = replica")
        for statement in statements:
            driver.execute(statement)
        return trail.verify(connection, data_dir)


def test_each_way_of_tampering_is_found_and_named(tampering, owners, tmp_path):
    chain, _ = longest_chain(tampering)
    here = f"chain_no = {chain} AND chain_seq = 3"
    named = {}
    for way, (statements, _kind) in TAMPERING.items():
        steps = statements.format(here=here, chain=chain, seq=3).split(";")
        first = verify_after(owners, tmp_path, *steps).findings[0]
        named[way] = (first.kind, first.chain_no, first.first_seq)
    assert named == {way: (kind, chain, 3) for way, (_, kind) in TAMPERING.items()}


def test_removed_tail_is_found_by_the_head(tampering, verify):
    chain, length = longest_chain(tampering)
    tampering.execute(
        "DELETE FROM row_change WHERE chain_no = %s AND chain_seq > %s", [chain, length - 2]
    )
    [finding] = verify().findings
    assert (finding.kind, finding.first_seq, finding.last_seq) == (
        FindingKind.REMOVED,
        length - 1,
        length,
    )


def test_removed_tail_and_head_are_found_by_the_anchor(tampering, verify, anchor):
    anchor()
    chain, length = longest_chain(tampering)
    tampering.execute(
        "DELETE FROM row_change WHERE chain_no = %s AND chain_seq > %s", [chain, length - 2]
    )
    put_heads_right(tampering)
    assert kinds(verify()) == [FindingKind.REMOVED]


def test_evidence_of_a_removed_tail_survives_further_writing(tampering, verify):
    chain, length = longest_chain(tampering)
    tampering.execute(
        "DELETE FROM row_change WHERE chain_no = %s AND chain_seq = %s", [chain, length]
    )
    tampering.execute("SET session_replication_role = origin")
    tampering.execute("SELECT set_config('app.trail_chain', %s, false)", [str(chain)])
    tampering.execute("INSERT INTO note VALUES (100)")
    assert verify().findings[0].kind is FindingKind.REMOVED


REHASH = """
DO $$
DECLARE
    entry row_change; previous bytea;
BEGIN
    FOR entry IN SELECT * FROM row_change ORDER BY chain_no, chain_seq LOOP
        IF entry.chain_seq = 1 THEN
            previous := decode(repeat('00', 32), 'hex');
        END IF;
        UPDATE row_change SET previous_hash = previous, hash = sha256(previous || convert_to(CAST(
            jsonb_build_array(entry.row_change_id, entry.chain_no, entry.chain_seq, entry.table_name
          , entry.row_key, entry.operation, entry.before, entry.after, entry.user_id, entry.action
          , entry.division_code, entry.database_login, CAST(entry.transaction_id AS text)
          , CAST(extract(epoch FROM entry.happened_at) * 1000000 AS bigint)) AS text), 'UTF8'))
         WHERE row_change_id = entry.row_change_id RETURNING hash INTO previous;
    END LOOP;
END
$$
"""


def put_heads_right(owner: psycopg.Connection) -> None:
    owner.execute(
        "UPDATE trail_head SET chain_seq = last.chain_seq, hash = last.hash"
        " FROM (SELECT DISTINCT ON (chain_no) chain_no, chain_seq, hash FROM row_change"
        " ORDER BY chain_no, chain_seq DESC) AS last WHERE last.chain_no = trail_head.chain_no"
    )


def test_rehashing_without_a_change_comes_to_the_same_hashes(tampering, verify):
    before = tampering.execute("SELECT hash FROM row_change ORDER BY 1").fetchall()
    tampering.execute(REHASH)
    assert tampering.execute("SELECT hash FROM row_change ORDER BY 1").fetchall() == before


def test_rehashed_chain_is_found_by_the_anchor(tampering, verify, anchor):
    anchor()
    chain, _ = longest_chain(tampering)
    tampering.execute(
        "UPDATE row_change SET user_id = 1 WHERE chain_no = %s AND chain_seq = 3", [chain]
    )
    tampering.execute(REHASH)
    put_heads_right(tampering)
    [finding] = verify().findings
    assert finding.kind is FindingKind.REHASHED
    assert finding.chain_no == chain
    assert finding.first_seq <= 3 <= finding.last_seq


def test_disabled_trigger_is_found(note, owner, verify):
    owner.execute("ALTER TABLE note DISABLE TRIGGER note_row_change")
    [finding] = verify().findings
    assert (finding.kind, finding.table_name) == (FindingKind.TRIGGER_OFF, "note")


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    victim=st.integers(0, 59),
    change=st.sampled_from(
        [
            "UPDATE row_change SET after = after || jsonb_build_object('n', -1)"
            " WHERE row_change_id = {id}",
            "UPDATE row_change SET division_code = '360200' WHERE row_change_id = {id}",
            "UPDATE row_change SET happened_at = happened_at + interval '1 microsecond'"
            " WHERE row_change_id = {id}",
            "UPDATE row_change SET transaction_id = '1' WHERE row_change_id = {id}",
            "UPDATE row_change SET chain_seq = 5000 WHERE row_change_id = {id}",
            "UPDATE row_change SET chain_no = 64 WHERE row_change_id = {id}",
            "DELETE FROM row_change WHERE row_change_id = {id}",
        ]
    ),
)
def test_whatever_is_done_to_an_entry_is_found(tampering, owners, tmp_path, victim, change):
    ids = entries(tampering, "row_change_id")
    statement = change.format(id=ids[victim % len(ids)][0])
    assert verify_after(owners, tmp_path, statement).found > 0


# Anchors


def test_anchor_says_what_is_not_anchored_yet(note, verify, anchor):
    write("INSERT INTO note VALUES (1)")
    before = verify()
    assert before.not_anchored == before.entries
    assert before.oldest_not_anchored_at is not None
    anchor()
    write("UPDATE note SET n = 1")
    after = verify()
    assert (after.not_anchored, after.anchors, after.is_whole) == (1, 1, True)


def test_nothing_new_is_not_anchored_again(note, anchor, tmp_path):
    write("INSERT INTO note VALUES (1)")
    assert [anchor(), anchor()] == [1, None]
    assert len(anchor_path(tmp_path).read_bytes().splitlines()) == 1


def test_later_line_names_only_the_chains_that_grew(note, anchor, tmp_path):
    write("INSERT INTO note VALUES (1)")
    anchor()
    write("UPDATE note SET n = 1")
    anchor()
    lines = [json.loads(line) for line in anchor_path(tmp_path).read_text().splitlines()]
    assert len(lines[1]["heads"]) == 1
    assert lines[1]["complete_at"] == lines[0]["complete_at"] == 0


def test_worker_can_anchor_through_the_portals_login(note, verify, tmp_path):
    write("INSERT INTO note VALUES (1)")
    with transaction(None, action="trail.anchor") as connection:
        assert trail.anchor(connection, tmp_path) == 1
    assert verify().not_anchored == 0


def test_auditor_can_verify_through_the_portals_login(note, tmp_path):
    write("INSERT INTO note VALUES (1)")
    with transaction(AUDITOR, read_only=True) as connection:
        assert trail.verify(connection, tmp_path).is_whole
    with pytest.raises(NotPermitted), transaction(FILER, read_only=True) as connection:
        trail.verify(connection, tmp_path)


def anchor_often(anchor: Callable[[], int | None], times: int) -> None:
    write("INSERT INTO note VALUES (1)")
    anchor()
    for n in range(1, times):
        write("UPDATE note SET n = :n", n=n)
        anchor()


@pytest.fixture
def anchored(note, anchor, tmp_path: Path) -> Path:
    """An anchor file of five lines."""
    anchor_often(anchor, 5)
    return anchor_path(tmp_path)


def test_long_anchor_file_names_all_heads_now_and_then(note, anchor, verify, tmp_path):
    anchor_often(anchor, 105)
    result = verify()
    assert (result.is_whole, result.anchors, result.not_anchored) == (True, 105, 0)
    lines = anchor_path(tmp_path).read_text().splitlines()
    assert len({json.loads(line)["complete_at"] for line in lines}) == 2


def edit(path: Path, change: Callable[[list[bytes]], list[bytes]]) -> None:
    path.write_bytes(b"".join(change(path.read_bytes().splitlines(keepends=True))))


def later(line: bytes) -> bytes:
    return line.replace(b'"anchored_at":"20', b'"anchored_at":"19')


def test_edited_line_is_named(anchored, verify):
    edit(anchored, lambda lines: [*lines[:2], later(lines[2]), *lines[3:]])
    [finding] = verify().findings
    assert (finding.kind, finding.first_seq) == (FindingKind.ANCHORS_EDITED, 3)


def test_edited_last_line_is_named(anchored, verify):
    edit(anchored, lambda lines: [*lines[:-1], later(lines[-1])])
    [finding] = verify().findings
    assert (finding.kind, finding.first_seq) == (FindingKind.ANCHORS_EDITED, 5)


def test_line_that_is_no_line_is_named_and_the_next_anchor_begins_anew(anchored, verify, anchor):
    edit(anchored, lambda lines: [*lines[:-1], b"{}\n"])
    assert FindingKind.ANCHORS_EDITED in kinds(verify())
    write("UPDATE note SET n = -1")
    assert anchor() is not None
    result = verify()
    assert set(kinds(result)) == {FindingKind.ANCHORS_EDITED}
    assert result.not_anchored == 0


def test_removed_line_is_found(anchored, verify):
    edit(anchored, lambda lines: [*lines[:2], *lines[3:]])
    assert FindingKind.ANCHORS_EDITED in kinds(verify())


def test_shortened_file_is_found(anchored, verify):
    edit(anchored, lambda lines: lines[:-2])
    [finding] = verify().findings
    assert (finding.kind, finding.first_seq, finding.last_seq) == (
        FindingKind.ANCHORS_SHORTENED,
        4,
        5,
    )


def test_missing_file_is_found(anchored, verify):
    anchored.unlink()
    [finding] = verify().findings
    assert (finding.kind, finding.last_seq) == (FindingKind.ANCHORS_SHORTENED, 5)


def test_half_a_line_after_a_power_cut_is_no_tampering(anchored, verify, anchor):
    with anchored.open("ab") as file:
        file.write(b'{"anchor_no":6,"anch')
    assert verify().is_whole
    write("UPDATE note SET n = -1")
    assert anchor() == 6
    assert verify().is_whole


def test_anchor_whose_transaction_fails_is_still_an_anchor(note, owners, verify, anchor, tmp_path):
    write("INSERT INTO note VALUES (1)")
    with owners.connect() as connection:
        assert trail.anchor(connection, tmp_path) == 1
        connection.rollback()
    assert verify().is_whole
    write("UPDATE note SET n = 1")
    assert anchor() == 2
    assert verify().is_whole


def test_anchors_made_at_once_do_not_fork_the_file(note, verify, owners, tmp_path):
    write("INSERT INTO note VALUES (1)")

    def change_and_anchor(n: int) -> None:
        write("UPDATE note SET n = :n", n=n + 1)
        with owners.begin() as connection:
            trail.anchor(connection, tmp_path)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(change_and_anchor, range(40)))
    assert verify().is_whole


# Search


def found(**wanted: Any) -> list[str]:
    """Return the keys of the notes whose entries match."""
    with transaction(AUDITOR, read_only=True) as connection:
        changes = trail.search(connection, TrailFilter(table_name="note", **wanted))
    return [change.row_key for change in changes]


def test_search_asks_for_what_the_auditor_wants(note):
    write("INSERT INTO note VALUES (1, '360123', '甲')", actor=None, action="")
    write("INSERT INTO note VALUES (2, '360124', '乙')")
    write("INSERT INTO note VALUES (3, '360200', '带着的\"引号\"')", action="note.correct")
    assert found() == ["3", "2", "1"]
    assert found(row_key="2") == ["2"]
    assert found(user_id=7) == ["3", "2"]
    assert found(division_prefix="3601") == ["2", "1"]
    assert found(division_prefix="360124") == ["2"]
    assert found(action="note.") == ["3", "2"]
    assert found(action="note.correct") == ["3"]
    assert found(operation="DELETE") == []
    assert found(words='的"引号"') == ["3"]
    assert found(words="%") == []
    assert found(since=datetime(2020, 1, 1, tzinfo=UTC)) == ["3", "2", "1"]
    assert found(until=datetime(2020, 1, 1, tzinfo=UTC)) == []


def test_search_that_takes_too_long_says_so(note):
    add_notes(2000)
    with transaction(AUDITOR, read_only=True) as connection:
        connection.execute(text("SET LOCAL statement_timeout = '1ms'"))
        with pytest.raises(TooBroad):
            trail.search(connection, TrailFilter(words="没有这样的内容"))


def test_search_goes_on_where_the_page_before_ended(note):
    add_notes(5)
    wanted = TrailFilter(table_name="note")
    with transaction(AUDITOR, read_only=True) as connection:
        first = trail.search(connection, wanted, limit=3)
        rest = trail.search(connection, wanted, until_id=first[-1].row_change_id)
    assert [change.row_key for change in [*first, *rest]] == ["4", "3", "2", "1", "0"]


def test_tables_and_columns_have_their_chinese_names(owner):
    with transaction(AUDITOR, read_only=True) as connection:
        tables = {table.name: table.title for table in trail.list_tables(connection)}
        columns = {c.name: c.title for c in trail.list_columns(connection, "account")}
    assert tables["account"] == "账号"
    assert columns["display_name"] == "姓名"


# What is inserted by the statement


@pytest.fixture
def line(owner: psycopg.Connection) -> str:
    """A table whose inserts are recorded by statement, beside one that is recorded row by row."""
    for name in ("line", "single"):
        owner.execute(
            f"CREATE TABLE {name} (batch integer, no integer, division_code text, body jsonb"
            ", PRIMARY KEY (batch, no))"
        )
        owner.execute("SELECT audit_table(CAST(%s AS regclass))", [name])
        owner.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {name} TO portal_app")
    owner.execute("SELECT audit_inserts_by_statement('line')")
    return "line"


_LINES = """
INSERT INTO {} SELECT n % 3, n, '36012' || n % 10, jsonb_build_object('名', n, 'quote', '"')
  FROM generate_series(1, :count) AS n
"""


def recorded(owner: psycopg.Connection, table: str) -> list[tuple[object, ...]]:
    """Read what the trail says of a table, without places and hashes."""
    return owner.execute(
        "SELECT operation, row_key, before, after, user_id, action, division_code, database_login"
        "  FROM row_change WHERE table_name = %s ORDER BY row_change_id",
        [table],
    ).fetchall()


def test_rows_of_a_statement_are_recorded_like_each_of_them_alone(line, owner, verify):
    write("INSERT INTO single VALUES (9, 0)", _LINES.format("line"), count=2003)
    write(_LINES.format("single"), "UPDATE line SET no = -no WHERE no = 5", count=2003)
    write("DELETE FROM line WHERE no = -5")
    *inserts, update, delete = recorded(owner, "line")
    assert inserts == recorded(owner, "single")[1:]
    assert (update[0], update[1], delete[0], delete[1]) == ("UPDATE", "2,-5", "DELETE", "2,-5")
    assert verify().is_whole


def test_statement_without_rows_leaves_nothing(line, owner, verify):
    write(_LINES.format("line"), count=0)
    assert recorded(owner, "line") == []
    assert verify().is_whole


def test_statement_that_is_rolled_back_leaves_no_entry_and_no_gap(line, owner, verify):
    write(_LINES.format("line"), "SAVEPOINT before", _LINES.format("single"),
          "INSERT INTO line VALUES (7, 7), (7, 8)", "ROLLBACK TO SAVEPOINT before",
          "INSERT INTO line VALUES (8, 8), (8, 9)", count=3)  # fmt: skip
    assert [row[1] for row in recorded(owner, "line")] == ["1,1", "2,2", "0,3", "8,8", "8,9"]
    assert recorded(owner, "single") == []
    assert verify().is_whole


def test_nobody_keeps_the_head_where_it_is(line, owner, verify):
    for deferred in ("DEFERRED", "IMMEDIATE"):
        write(f"SET CONSTRAINTS ALL {deferred}",
              "SELECT set_config('app.trail_last_entry', '1', true)",
              f"INSERT INTO line SELECT {len(deferred)}, n FROM generate_series(1, 3) AS n",
              "SELECT set_config('app.trail_last_entry', '1', true)",
              f"INSERT INTO single SELECT {len(deferred)}, n FROM generate_series(1, 3) AS n",
              "SELECT set_config('app.trail_last_entry', '1', true)")  # fmt: skip
        assert verify().is_whole


def test_silent_load_by_statement_is_the_owners(line, owner, verify):
    with owner.transaction():
        owner.execute("SET LOCAL app.bulk_load = 'on'")
        owner.execute("INSERT INTO line VALUES (1, 1), (1, 2)")
    assert recorded(owner, "line") == []
    write("SET LOCAL app.bulk_load = 'on'", "INSERT INTO line VALUES (2, 1), (2, 2)")
    assert [row[1] for row in recorded(owner, "line")] == ["2,1", "2,2"]


@pytest.mark.parametrize("trigger", ["row_change", "rows_added"])
@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE line DISABLE TRIGGER line_{}",
        "ALTER TABLE line ENABLE TRIGGER line_{}",
        "DROP TRIGGER line_{} ON line",
    ],
)
def test_either_trigger_that_is_off_is_found(line, owner, verify, trigger, change):
    assert verify().is_whole
    owner.execute(change.format(trigger))
    [finding] = verify().findings
    assert (finding.kind, finding.table_name) == (FindingKind.TRIGGER_OFF, "line")


def test_trigger_that_records_only_some_changes_is_found(note, owner, verify):
    owner.execute("DROP TRIGGER note_row_change ON note")
    owner.execute(
        "CREATE TRIGGER note_row_change AFTER INSERT OR UPDATE OF body OR DELETE ON note"
        " FOR EACH ROW EXECUTE FUNCTION record_row_change('{secret}', 'note_id')"
    )
    owner.execute("ALTER TABLE note ENABLE ALWAYS TRIGGER note_row_change")
    [finding] = verify().findings
    assert (finding.kind, finding.table_name) == (FindingKind.TRIGGER_OFF, "note")


def test_secrets_are_not_recorded_by_statement(note, owner):
    with pytest.raises(psycopg.errors.RaiseException):
        owner.execute("SELECT audit_inserts_by_statement('note')")
