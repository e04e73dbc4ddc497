"""What is inserted by the statement is recorded like each row alone."""

import psycopg
import pytest

from domain.trail import FindingKind
from tests.trail import write


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
