"""The rules page, as the bureau meets it."""

import pytest

from data_access.forms import forget_forms
from domain.workflow import ReviewAction
from tests.actors import COUNTY
from tests.data_access.test_check_rules import save
from tests.reports import act
from tests.rules import find_rule
from tests.villages import (
    add_natural_villages,
    open_village,
    open_village_period,
    villages_of,
)

FORM, TIMES, RESIDENTS = "village_evaluation", "CZ106", "CZ140"


def opened(open_page, bureau, rule):
    return open_page(bureau, "rules", form=FORM, rule=rule)


def widget(widgets, part):
    """Return the input of the opened rule; its key ends with what it is for."""
    return next(one for one in widgets if str(one.key).endswith(f"-{part}"))


def test_the_page_counts_the_rules_and_finds_one(open_page, bureau):
    page = open_page(bureau, "rules", form=FORM)
    assert "村庄规划评估共 68 条规则**，启用 68 条" in page.markdown[0].value
    page.text_input(key="rules-words").input("人均可支配").run()
    assert list(page.dataframe[0].value["编号"]) == ["CZ126"]
    page.text_input(key="rules-words").input("没有这样的规则").run()
    assert "没有符合条件的规则" in page.info[0].value


def test_a_threshold_is_changed_with_a_reason_and_stands_in_the_past(open_page, bureau):
    page = opened(open_page, bureau, TIMES)
    assert "超过户籍人口 … 人的 3 倍" in " ".join(each.value for each in page.markdown)
    widget(page.number_input, "resident_times_limit").set_value(4.0).run()
    assert "本年尚无已报送的填报" in page.info[0].value
    widget(page.button, "save").click().run()
    assert page.error[0].value == "规则未保存：请填写改动理由，最多 500 字。"
    widget(page.text_area, "reason").input("按会议纪要").run()
    widget(page.button, "save").click().run()
    forget_forms()
    assert "已保存规则 CZ106 的新版本（规则集第 2 版）" in page.success[0].value
    assert find_rule(FORM, TIMES).limits == {"resident_times_limit": 4}
    said = [each.value for each in page.caption]
    assert "按会议纪要；常住人口不超过户籍人口的倍数：3 → 4 倍" in said


def test_a_rule_is_switched_off(open_page, bureau):
    page = opened(open_page, bureau, RESIDENTS)
    widget(page.toggle, "enabled").set_value(False).run()
    widget(page.text_area, "reason").input("试行期间不查").run()
    widget(page.button, "save").click().run()
    forget_forms()
    assert not find_rule(FORM, RESIDENTS).is_enabled
    page.segmented_control(key="rules-state").set_value("停用").run()
    assert list(page.dataframe[0].value["编号"]) == [RESIDENTS]


def test_an_expression_that_cannot_be_is_a_sentence(open_page, bureau):
    page = opened(open_page, bureau, TIMES)
    widget(page.text_area, "expression").input("resident_pop / hukou_pop <= 3").run()
    widget(page.text_area, "reason").input("试").run()
    widget(page.button, "save").click().run()
    assert "除数可能为零，请改用 max(…, 1) 等写法" in page.error[0].value
    widget(page.text_area, "expression").input("resident_pop <= people").run()
    widget(page.button, "save").click().run()
    assert page.error[-1].value == "规则未保存：条件中有不认识的名称（people）。"


@pytest.fixture
def filed(owner, county):
    village = villages_of(owner, COUNTY)[0]
    add_natural_villages(owner, village)
    submission = open_village(county, open_village_period(owner, 2026), village)
    save(county, submission, resident_pop=1700)
    act(county, submission.submission_id, ReviewAction.SUBMIT)
    return submission


def test_what_a_change_would_hit_is_said_before_it_is_saved(open_page, bureau, filed):
    page = opened(open_page, bureau, RESIDENTS)
    widget(page.number_input, "resident_percent_hint").set_value(130.0).run()
    assert "现行规则命中 0 份，改动后命中 1 份" in page.info[0].value
