"""What the trail refuses: to be switched off, changed, or read by others."""

import psycopg

from data_access import trail
from data_access.database import transaction
from data_access.trail import TrailFilter
from tests.trail import AUDITOR, FILER, entries, write


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
