"""指标目标 as the bureau enters them and a county reads its own."""

from datetime import date

import pytest

from components import cached
from components.indicator_targets import STATES
from domain.access import Role
from domain.target_sheet import read_sheet
from tests.actors import CITY, COUNTY, PROVINCE, make_actor
from tests.assessments import accept, assess, levels, set_target
from tests.pages.reading import drawn
from tests.standing import NEIGHBOUR

LAND = {"code": "CULT_LAND"}


@pytest.fixture(autouse=True)
def _fresh_caches():
    cached.st.cache_resource.clear()


@pytest.fixture
def year(owner, bureau):
    accept(owner, 2025, {COUNTY: {"CULT_LAND": 39}}, bureau.user_id)
    set_target(owner, NEIGHBOUR, "CULT_LAND", 2035, None)
    assess(owner)


def type_row(page, unit: str, **cells: object):
    [table] = page.data_editor
    row = int(table.value.index[table.value["单位"] == unit][0])
    page.session_state[table.key] = {
        "edited_rows": {row: cells}, "added_rows": [], "deleted_rows": []}  # fmt: skip
    return page.run()


def test_the_page_opens_on_an_indicator_that_has_targets(open_page, bureau, year):
    page = open_page(bureau, "indicator_targets")
    assert not page.exception
    assert "0 个已下达、1 个未下达" in drawn(page)


def test_what_is_issued_stands_before_what_is_only_announced(owner, open_page, bureau, year):
    set_target(owner, NEIGHBOUR, "FOREST_LAND", 2035, 20)
    set_target(owner, COUNTY, "FOREST_LAND", 2035, 30)
    page = open_page(bureau, "indicator_targets")
    offered = page.selectbox[0].options
    assert [name.partition("（")[0] for name in offered[:2]] == ["林地保有量", "耕地保有量"]


def test_the_bureau_issues_a_target_and_its_level_follows(owner, open_page, bureau, year):
    page = open_page(bureau, "indicator_targets", **LAND)
    assert not page.exception
    assert "111 个单位中 0 个已下达、1 个未下达，110 个没有录入。" in drawn(page)
    cells = {
        "状态": "已下达",
        "目标值（万亩）": "40",
        "下达文号": "赣〔2025〕1号",
        "下达日期": "2025/6/30",
    }
    type_row(page, "安义县", **cells)
    page.button(key="targets-save").click().run()
    assert not page.exception
    assert page.success[0].value.startswith("已保存 耕地保有量 2035 年 1 个单位的目标")
    assert "生成预警事项 1 项" in page.success[0].value
    assert levels(owner, 2025, "CULT_LAND")[COUNTY] == "severe"
    kept = owner.execute(
        "SELECT target_value, document_no, issued_on FROM indicator_target"
        " WHERE division_code = %s", [COUNTY]).fetchone()  # fmt: skip
    assert kept == (40, "赣〔2025〕1号", date(2025, 6, 30))
    assert "1 个已下达、1 个未下达" in drawn(page)


def test_what_cannot_be_is_said_by_unit_and_nothing_is_written(owner, open_page, bureau, year):
    page = open_page(bureau, "indicator_targets", **LAND)
    type_row(page, "安义县", **{"目标值（万亩）": "四十"})
    assert page.error[0].value == "安义县：请选择状态：已下达或未下达。"
    assert page.button(key="targets-save").disabled
    type_row(page, "安义县", **{"状态": "已下达", "目标值（万亩）": "四十"})
    assert page.error[0].value == "安义县：目标值“四十”不是数，请只填数字。"
    type_row(
        page,
        "安义县",
        **{"状态": "已下达", "目标值（万亩）": "40", "基期年": "2035", "基期值（万亩）": "1"},
    )
    assert page.error[0].value == "安义县：基期年 2035 应早于目标年 2035。"
    assert owner.execute("SELECT count(*) FROM indicator_target").fetchone() == (1,)


def test_a_new_target_year_is_typed_and_then_filled_in(owner, open_page, bureau, year):
    page = open_page(bureau, "indicator_targets", **LAND)
    page.text_input(key="targets-new-year-None").set_value("2030").run()
    assert "耕地保有量 2030 年目标：全省没有录入；111 个单位中 0 个已下达" in drawn(page)
    type_row(page, "南昌市", **{"状态": "未下达"})
    page.button(key="targets-save").click().run()
    rows = owner.execute(
        "SELECT state FROM indicator_target WHERE division_code = %s AND target_year = 2030", [CITY]
    ).fetchall()
    assert rows == [("not_issued",)]


def test_the_province_has_targets_of_its_own(owner, open_page, bureau, year):
    page = open_page(bureau, "indicator_targets", **LAND)
    type_row(page, "江西省", **{"状态": "已下达", "目标值（万亩）": "4000"})
    page.button(key="targets-save").click().run()
    assert "全省已下达；111 个单位中" in drawn(page)
    kept = owner.execute(
        "SELECT target_value FROM indicator_target WHERE division_code = %s", [PROVINCE]
    ).fetchone()
    assert kept == (4000,)


def test_a_workbook_is_seen_before_it_is_written(owner, open_page, bureau, year):
    heads = ["单位", "区划代码", "指标代码", "目标年", "状态", "目标值（万亩）"]
    rows = [
        heads,
        ["安义县", COUNTY, "CULT_LAND", 2030.0, "已下达", 40.0],
        ["南昌市", CITY, "CULT_LAND", 2030.0, "已下达", "很多"],
    ]
    page = open_page(bureau, "indicator_targets", **LAND)
    page.session_state["target-workbook-sheet"] = read_sheet(rows, STATES, {})
    page.run()
    wanted, faults = (each.value for each in page.dataframe[:2])
    assert (wanted.loc[0, "原为"], wanted.loc[0, "改为"]) == ("没有录入", "40 万亩")
    assert faults.loc[0, "原因"] == "目标值“很多”不是数，请只填数字。"
    page.button(key="targets-write").click().run()
    assert not page.exception
    assert page.success[0].value.startswith("已按工作簿写入 1 项目标")
    kept = owner.execute(
        "SELECT division_code, target_value FROM indicator_target WHERE target_year = 2030"
    ).fetchall()
    assert kept == [(COUNTY, 40)]


def test_somebody_elses_change_is_told_and_not_overwritten(owner, open_page, bureau, year):
    page = open_page(bureau, "indicator_targets", **LAND)
    set_target(owner, COUNTY, "CULT_LAND", 2035, 50)
    page.run()
    assert page.warning[0].value.startswith("本表刚被他人修改，已重新读取。")


def test_a_county_reads_its_own_targets_alone(open_page, county, year):
    page = open_page(county, "indicator_targets", **LAND)
    assert not page.exception
    assert not page.data_editor
    assert "还没有录入目标" in page.info[0].value


def test_a_city_reads_its_own_and_its_counties(owner, open_page, city, year):
    set_target(owner, COUNTY, "CULT_LAND", 2035, 40, (2019, 41))
    page = open_page(city, "indicator_targets", **LAND)
    rows = page.dataframe[0].value.set_index("单位")
    assert rows.loc["安义县", "目标值（万亩）"] == 40
    assert rows.loc["南昌县", "状态"] == "未下达"
    assert len(rows) == 10


def test_a_department_is_offered_its_own_indicators(owner, open_page, year):
    water = make_actor(owner, "water", Role.DEPARTMENT, PROVINCE)
    owner.execute("UPDATE account_grant SET subject = '水利厅' WHERE user_id = %s", [water.user_id])
    page = open_page(water, "indicator_targets")
    assert "您的范围内还没有指标目标" in page.info[0].value
    set_target(owner, COUNTY, "WATER_TOTAL", 2035, 3)
    page = open_page(water, "indicator_targets")
    assert list(page.selectbox[0].options) == ["用水总量（亿m³）"]
