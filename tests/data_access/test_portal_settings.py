"""Settings change under the administrator's hand, and the past keeps its own."""

import pytest

from data_access import portal_settings
from data_access.database import transaction
from domain.access import Role
from domain.clock import now
from domain.errors import InvalidSetting, NotPermitted, StaleVersion
from tests.actors import PROVINCE, make_actor

LIMITS = {"yellow": 15, "orange": 45}


@pytest.fixture
def administrator(owner):
    return make_actor(owner, "centre", Role.INFORMATION_CENTRE, PROVINCE)


def change(actor, name, seen, value):
    with transaction(actor, action="setting.change") as connection:
        portal_settings.change_setting(connection, actor, name, seen, value)


def limits_at(actor, moment=None):
    with transaction(actor, read_only=True) as connection:
        return portal_settings.read_settings(connection, moment)["lateness_days"]


def test_a_past_moment_keeps_the_limits_it_was_shown_with(administrator, owner):
    before = now()
    change(administrator, "lateness_days", LIMITS, {"yellow": 10, "orange": 30})
    assert limits_at(administrator) == {"yellow": 10, "orange": 30}
    assert limits_at(administrator, before) == LIMITS
    logged = owner.execute(
        "SELECT action, after -> 'value' FROM row_change WHERE table_name = 'portal_setting'"
        " AND operation = 'UPDATE'"
    ).fetchall()
    assert logged == [("setting.change", {"yellow": 10, "orange": 30})]


def test_of_two_administrators_the_later_is_told(administrator):
    change(administrator, "period_deadline_day", 25, 20)
    with pytest.raises(StaleVersion):
        change(administrator, "period_deadline_day", 25, 28)


@pytest.mark.parametrize(
    ("name", "seen", "value"),
    [
        ("period_deadline_day", 25, 32),
        ("period_deadline_day", 25, "25"),
        ("period_deadline_day", 25, True),
        ("period_deadline_day", 25, 25.5),
        ("is_demo", False, True),
        ("lateness_days", LIMITS, {"yellow": 45, "orange": 15}),
        ("lateness_days", LIMITS, {"yellow": 15}),
        ("system_name", "江西省国土空间规划“一张图”实施监督信息系统", "  "),
    ],
)
def test_value_of_another_shape_or_out_of_range_is_refused(administrator, name, seen, value):
    with pytest.raises(InvalidSetting):
        change(administrator, name, seen, value)


def test_only_the_information_centre_changes_settings(bureau):
    with pytest.raises(NotPermitted):
        change(bureau, "period_deadline_day", 25, 20)
