"""What a verification finds of what was done to the trail."""

from pathlib import Path

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from data_access import trail
from data_access.trail import VerificationResult
from domain.trail import FindingKind
from tests.trail import entries, kinds, write


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
