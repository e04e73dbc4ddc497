"""What the auditor finds in the trail."""

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import text

from data_access import trail
from data_access.database import transaction
from data_access.trail import TrailFilter
from domain.errors import TooBroad
from tests.trail import AUDITOR, add_notes, write


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
