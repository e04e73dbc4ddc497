"""The settings page, as the information centre meets it."""

import pytest

from domain.access import Role
from tests.actors import PROVINCE, make_actor


@pytest.fixture
def page(open_page, owner):
    return open_page(make_actor(owner, "centre", Role.INFORMATION_CENTRE, PROVINCE), "settings")


def save(page, name, typed):
    """Type a value and press the button of its own form."""
    page.text_input(key=f"settings-{name}-value").input(typed)
    return save_form(page, name)


def save_form(page, name):
    """Press the button of a setting's own form."""
    button = next(one for one in page.button if f"settings-{name}" in (one.form_id or ""))
    return button.click().run()


def value_of(owner, name):
    query = "SELECT value FROM portal_setting WHERE name = %s"
    return owner.execute(query, [name]).fetchone()[0]


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("每月底", "不是有效的取值"),
        ("32", "超出允许的范围"),
        ("25.5", "类型不对"),
        ("NaN", "类型不对"),
        ("null", "类型不对"),
        ("", "不是有效的取值"),
    ],
)
def test_value_that_will_not_do_is_a_sentence_and_changes_nothing(page, owner, typed, words):
    page = save(page, "period_deadline_day", typed)
    assert words in page.error[0].value
    assert value_of(owner, "period_deadline_day") == 25


def test_a_value_is_changed(page, owner):
    assert not save(page, "period_deadline_day", "20").error
    assert value_of(owner, "period_deadline_day") == 20


def test_the_limits_of_lateness_are_two_numbers_in_order(page, owner):
    page.text_input(key="settings-lateness_days-yellow").input("50")
    assert "lateness" not in str(save_form(page, "lateness_days").error[0].value)
    assert value_of(owner, "lateness_days") == {"yellow": 15, "orange": 45}
    page.text_input(key="settings-lateness_days-yellow").input("20")
    assert not save_form(page, "lateness_days").error
    assert value_of(owner, "lateness_days") == {"yellow": 20, "orange": 45}


def test_types_of_plan_are_chosen_by_name(page, owner):
    chooser = page.multiselect(key="settings-declarable_plan_types-city")
    assert "SPECIAL" not in chooser.options
    chooser.unselect("SPECIAL")
    assert not save_form(page, "declarable_plan_types").error
    assert value_of(owner, "declarable_plan_types")["city"] == ["DETAIL"]


def test_whether_data_is_invented_cannot_be_switched(page):
    assert not [one for one in page.toggle if "is_demo" in one.key]


def test_reasons_are_lines_and_fields_are_chosen_by_their_names(page, owner):
    page.text_area(key="settings-return_reasons-value").input("材料不全。\n\n日期不符。")
    assert not save_form(page, "return_reasons").error
    assert value_of(owner, "return_reasons") == ["材料不全。", "日期不符。"]
    fields = page.multiselect(key="settings-village_outlier_fields-value")
    assert "户籍人口" in fields.options
    fields.set_value(["households"])
    assert not save_form(page, "village_outlier_fields").error
    assert value_of(owner, "village_outlier_fields") == ["households"]
