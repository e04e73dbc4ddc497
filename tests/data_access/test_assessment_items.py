"""Warning items: when one is made, how it goes on, when it moves up, how it ends."""

import pytest

from data_access import (
    indicator_warnings,
)
from data_access.database import transaction
from domain.assessment import (
    Level,
)
from domain.clock import today
from domain.errors import NotPermitted
from domain.supervision import ItemState, NoteKind
from tests.actors import COUNTY, PROVINCE
from tests.assessments import accept, assess, set_target


@pytest.fixture
def warned(owner, county, city, bureau):
    """安义县's land fell below its limit in the newest year."""
    set_target(owner, COUNTY, "CULT_LAND", 2035, 100)
    accept(owner, 2024, {COUNTY: {"CULT_LAND": 110}}, bureau.user_id)
    accept(owner, 2025, {COUNTY: {"CULT_LAND": 99}}, bureau.user_id)
    assess(owner, "CULT_LAND", raising=True)
    with transaction(county, read_only=True) as connection:
        [item] = indicator_warnings.list_warnings(connection)
    return item


def test_a_change_of_level_makes_one_item_with_its_limit(warned, owner, county):
    assert (warned.from_level, warned.level, warned.state) == (
        Level.NORMAL,
        Level.SEVERE,
        ItemState.OPEN,
    )
    [due] = owner.execute("SELECT add_working_days(current_date, 5)").fetchone()
    assert warned.due_on == due
    assess(owner, "CULT_LAND", raising=True)
    with transaction(county, read_only=True) as connection:
        assert len(indicator_warnings.list_warnings(connection)) == 1
        [note] = indicator_warnings.list_notes(connection, warned.indicator_warning_id)
    assert (note.kind, note.body, note.written_by_name) == ("raised", "正常 → 严重", None)


def test_an_item_goes_from_assignment_to_closing_and_keeps_its_history(
    warned, county, city, bureau
):
    with transaction(city) as connection:
        indicator_warnings.assign(connection, city, warned, "李科长")
    with transaction(county) as connection:
        item = indicator_warnings.get_warning(connection, warned.indicator_warning_id)
        indicator_warnings.write_note(connection, county, item, NoteKind.FEEDBACK, "已组织复垦。")
    with transaction(county, read_only=True) as connection:
        item = indicator_warnings.get_warning(connection, warned.indicator_warning_id)
    with pytest.raises(NotPermitted), transaction(county) as connection:
        indicator_warnings.write_note(connection, county, item, NoteKind.CLOSE, "自行销号")
    with transaction(bureau) as connection:
        item = indicator_warnings.get_warning(connection, warned.indicator_warning_id)
        assert (item.state, item.responsible) == (ItemState.ANSWERED, "李科长")
        indicator_warnings.write_note(connection, bureau, item, NoteKind.CLOSE, "整改到位。")
    with transaction(county, read_only=True) as connection:
        item = indicator_warnings.get_warning(connection, warned.indicator_warning_id)
        notes = indicator_warnings.list_notes(connection, warned.indicator_warning_id)
    assert (item.state, item.closed_by_name) == (ItemState.CLOSED, bureau.display_name)
    assert [note.kind for note in notes] == ["raised", "assign", "feedback", "close"]


def test_an_item_left_alone_goes_to_the_level_above(warned, owner, bureau):
    owner.execute("UPDATE indicator_warning SET due_on = current_date - 1")
    with transaction(bureau) as connection:
        assert indicator_warnings.escalate_due(connection, today()) == 1
        assert indicator_warnings.escalate_due(connection, today()) == 0
    [told] = owner.execute("SELECT role, division_code FROM inbox_message").fetchall()
    assert told == ("leader", PROVINCE)


def test_a_figure_that_recovers_is_noted_and_closed_by_a_person(warned, owner, bureau):
    accept(owner, 2025, {COUNTY: {"CULT_LAND": 120}}, bureau.user_id)
    assess(owner, "CULT_LAND", raising=True)
    with transaction(bureau, read_only=True) as connection:
        item = indicator_warnings.get_warning(connection, warned.indicator_warning_id)
        notes = indicator_warnings.list_notes(connection, warned.indicator_warning_id)
    assert (item.level, item.standing_level, item.state) == (Level.SEVERE, "normal", ItemState.OPEN)
    assert notes[-1].body == "严重 → 正常"
