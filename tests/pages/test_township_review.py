"""村庄审核 as a county and the province meet it: townships, the sample, what stands out."""

import pytest
from streamlit.testing.v1 import AppTest

from data_access import reporting
from data_access.database import transaction
from domain.access import Role
from domain.sampling import SampleRule
from tests.actors import COUNTY, make_actor
from tests.pages.reading import texts
from tests.queues import make_waiting
from tests.township import sampling_period, villages_waiting
from tests.villages import villages_of


@pytest.fixture
def period(owner) -> int:
    return sampling_period(owner)


@pytest.fixture
def township(owner) -> list[str]:
    codes = villages_of(owner, COUNTY)
    return [code for code in codes if code[:9] == codes[0][:9]]


@pytest.fixture
def waiting(owner, period, township) -> dict[str, int]:
    filer = make_actor(owner, "filer", Role.COUNTY, COUNTY)
    people = {code: 1000 + 10 * number for number, code in enumerate(villages_of(owner, COUNTY))}
    return villages_waiting(owner, period, filer.user_id, people | {township[0]: 9000})


def html(page) -> str:
    return " ".join(str(each.value) for each in page.get("html"))


def press(page, words):
    next(each for each in page.button if words in each.label).click().run()
    return page


def test_a_county_sees_its_townships_and_draws_a_sample_of_each(
    open_page, owner, county, waiting, township
):
    page = open_page(county, "township_review")
    assert not page.exception
    towns = {code[:9] for code in waiting}
    assert f"有 {len(waiting)} 个村等待县级初审；{len(waiting)} 个还没有抽样" in html(page)
    assert all(f"unit={town}" in html(page) for town in towns)
    # The figure of what stands out opens the villages that it counts.
    assert f"unit={township[0][:9]}&amp;only=odd" in html(page)
    page = press(page, "抽取样本")
    assert not page.exception
    assert f"unit={township[0][:9]}&amp;only=unseen" in html(page)
    assert "还没有抽样" not in html(page)
    drawn = owner.execute("SELECT division_code FROM review_sample ORDER BY 1").fetchall()
    assert {code for (code,) in drawn} == towns


def test_a_township_lists_its_sample_and_is_drawn_again_with_a_reason_only(
    open_page, owner, county, waiting, township
):
    page = press(open_page(county, "township_review", unit=township[0][:9]), "抽取样本")
    assert html(page).count("待看</small>") == 2
    page = press(page, "重新抽样")
    assert page.error[0].value == "重新抽样须写明理由。"
    page.text_area[0].input("样本集中在一处").run()
    page = press(page, "重新抽样")
    assert not page.error
    reasons = owner.execute("SELECT reason FROM review_sample ORDER BY draw_no").fetchall()
    assert reasons == [("",), ("样本集中在一处",)]
    assert "样本集中在一处" in html(page)


def test_who_opens_a_sampled_village_has_looked_at_it(
    open_page, owner, county, leader, waiting, township
):
    press(open_page(county, "township_review", unit=township[0][:9]), "抽取样本")
    (number,) = owner.execute(
        "SELECT submission_id FROM review_sample_village WHERE is_sampled LIMIT 1"
    ).fetchone()
    open_page(leader, "submission", id=str(number))
    looks = "SELECT user_id FROM review_sample_look WHERE submission_id = %s"
    assert not owner.execute(looks, [number]).fetchall()
    page = open_page(county, "submission", id=str(number))
    assert any("本村已抽中" in each.value for each in page.info)
    assert owner.execute(looks, [number]).fetchall() == [(county.user_id,)]
    # Villages of one name are many: beside it stands where it lies.
    assert any(each.value.startswith("南昌市 安义县 ") for each in page.caption)


def test_a_village_says_what_stands_out_in_it(open_page, county, waiting, township):
    page = open_page(county, "submission", id=str(waiting[township[0]]))
    found = next(each.value for each in page.warning if "异常值" in each.value)
    assert "户籍人口 9,000 人，高于" in found
    assert "村的正常范围" in found


@pytest.mark.parametrize("unit", ["360124", "36", "x'", "999999"])
def test_a_place_that_is_not_ones_own_is_not_there(open_page, county, waiting, unit):
    page = open_page(county, "township_review", unit=unit)
    assert not page.exception
    assert page.error[0].value.startswith("记录不存在，或不在您的数据范围内")


def test_the_province_goes_down_by_city(open_page, owner, bureau, period, county):
    codes = villages_of(owner, COUNTY)[:3]
    make_waiting(owner, county.user_id, [period], codes, step_no=3)
    page = open_page(bureau, "township_review")
    assert not page.exception
    assert "unit=3601" in html(page)
    assert "3 个村等待省级审核" in html(page)
    page = open_page(bureau, "township_review", unit="3601", period=str(period), step="3")
    assert f"unit={COUNTY}" in html(page)


def test_a_sample_that_nobody_confirmed_is_said_to_be_assumed(open_page, owner, county, period):
    owner.execute("UPDATE reporting_period SET sample_is_assumed = true")
    page = open_page(county, "township_review")
    assert "抽样：每个乡镇 10%，至少 2 个（默认值，规划局尚未确认）" in texts(page)


def test_without_a_period_the_page_says_so(open_page, county):
    page = open_page(county, "township_review")
    assert page.info[0].value == "还没有开放过村庄规划评估的填报期。"


def test_the_bureau_sets_the_sample_of_a_period(open_page, owner, bureau, period):
    page = open_page(bureau, "periods", form="village_evaluation")
    assert "审核抽样：每个乡镇（县级初审）或县（设区市、省级审核） 10%，至少 2 个" in texts(page)
    with transaction(bureau, read_only=True) as connection:
        (shown,) = reporting.list_periods(connection, "village_evaluation")

    def script(actor: object, period: object, rule: object) -> None:
        from components.periods import sample_dialog

        sample_dialog(actor, period, rule)

    asked = {"actor": bureau, "period": shown, "rule": SampleRule(10, 2)}
    dialog = AppTest.from_function(script, default_timeout=20, kwargs=asked).run()
    dialog.number_input[0].set_value(0)
    dialog = press(dialog, "保存")
    assert dialog.error[0].value.startswith("抽样比例应为 1 至 100")
    dialog.number_input[0].set_value(20)
    press(dialog, "保存")
    rule = owner.execute("SELECT sample_percent, sample_least FROM reporting_period").fetchone()
    assert rule == (20, 2)
    trail = owner.execute(
        "SELECT count(*) FROM row_change WHERE action = 'reporting_period.sample'"
    )
    assert trail.fetchone() == (1,)
