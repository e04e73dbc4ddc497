"""A unit, an indicator and comparisons of the assessment as a leader and a county meet them."""

import pytest

from components import assessment_reading as reading
from components import cached
from components.assessment_matrix import read_matrix
from tests.actors import COUNTY, PROVINCE
from tests.assessments import accept, assess, open_year, set_target
from tests.pages.reading import drawn, texts
from tests.standing import FAR, NEIGHBOUR

PLAN = "CITYPLAN2020"


@pytest.fixture(autouse=True)
def _fresh_caches():
    cached.st.cache_resource.clear()


@pytest.fixture
def year(owner):
    """Two years of two counties: one below its binding target, the other better, with a ratio."""
    open_year(owner, 2024)
    open_year(owner, 2025)
    set_target(owner, COUNTY, "CULT_LAND", 2035, 40)
    set_target(owner, NEIGHBOUR, "CULT_LAND", 2035, None)
    accept(owner, 2024, {COUNTY: {"CULT_LAND": "41"}})
    accept(
        owner,
        2025,
        {
            COUNTY: {"CULT_LAND": "39.5", "LIFE_15": (1, 2)},
            NEIGHBOUR: {"CULT_LAND": "60", "LIFE_15": (1, 8)},
        },
    )
    assess(owner)
    return 2025


def test_a_unit_says_what_is_broken_and_what_is_missing(open_page, leader, year):
    page = open_page(leader, "assessment_unit", code=COUNTY, year=str(year), set=PLAN)
    assert not page.exception
    said = drawn(page)
    assert "项指标中 2 项有数据" in said
    assert "突破约束性指标 1 项：耕地保有量。" in said
    assert "未填报" in said


def test_a_row_has_target_gap_change_place_and_leads_to_its_record(open_page, leader, year):
    page = open_page(leader, "assessment_unit", code=COUNTY, year=str(year), set=PLAN)
    said = drawn(page)
    row = said[said.index('<tr class="broken">') :]
    row = row[: row.index("</tr>")]
    assert "39.50" in row
    assert "40.00<small>2035 年</small>" in row
    assert ">-0.50<" in row
    assert ">-3.7%<" in row
    assert ">2/2<" in row
    assert f"assessment_figure?unit={COUNTY}&amp;code=CULT_LAND&amp;year={year}" in row


def test_a_target_that_was_not_issued_is_said_so(open_page, leader, year):
    page = open_page(leader, "assessment_unit", code=NEIGHBOUR, year=str(year), set=PLAN)
    assert "未下达" in drawn(page)


def test_a_unit_without_data_is_not_judged(open_page, leader, year):
    page = open_page(leader, "assessment_unit", code=NEIGHBOUR, year="2024", set=PLAN)
    assert not page.exception
    assert "尚无认定数据" in drawn(page)


def test_a_unit_outside_the_scope_is_not_shown(open_page, county, year):
    page = open_page(county, "assessment_unit", code=NEIGHBOUR, year=str(year))
    assert not page.exception
    assert "不在您的数据范围内" in page.info[0].value


def test_a_county_sees_no_place_and_no_neighbour_but_the_sums_of_its_kind(
    open_page, county, year, owner
):
    page = open_page(county, "assessment_unit", code=COUNTY, year=str(year), set=PLAN)
    assert not page.exception
    assert "位次未对市、县开放" in texts(page)
    said = drawn(page)
    assert NEIGHBOUR not in said
    assert "其他单位的数据不在您的数据范围内" in said
    matrix = read_matrix(reading.comparing(county), PLAN, None, year)
    assert len(matrix.rows) > 2  # what the sums of its kind and the province count


def test_a_dimension_in_the_address_shows_its_indicators_alone(open_page, leader, year):
    page = open_page(leader, "assessment_unit", code=COUNTY, year=str(year), set=PLAN)
    every = drawn(page).count('<tr class="group">')
    dimension = read_matrix(leader, PLAN, None, year).columns[0].dimension
    page = open_page(
        leader, "assessment_unit", code=COUNTY, year=str(year), set=PLAN, dimension=dimension
    )
    table = drawn(page).split('class="unit-table indicators entries"')[1]
    assert table.count('<tr class="group">') == 1 < every


def test_shares_are_of_sums_and_missing_is_never_normal(leader, year):
    matrix = read_matrix(leader, PLAN, None, year)
    rows = [row for row in matrix.rows if row.unit.code in (COUNTY, NEIGHBOUR)]
    columns = range(len(matrix.columns))
    one, other = (reading.tally([row], columns) for row in rows)
    both = reading.tally(rows, columns)
    assert (both.normal, both.rated) == (one.normal + other.normal, one.rated + other.rated)
    assert both.rated <= both.filled < both.total
    silent = [row for row in matrix.rows if row.standing.filled == 0]
    assert reading.tally(silent, columns).share is None


def test_an_indicator_says_who_stands_where_and_the_province_from_sums(open_page, leader, year):
    page = open_page(leader, "assessment_indicator", code="LIFE_15", year=str(year))
    assert not page.exception
    said = drawn(page)
    assert "2 个有数据" in said
    assert "全省 20.00 %" in said  # 1/2 with 1/8, not the mean of 50 % and 12.5 %
    assert said.index(f"code={COUNTY}&amp;year") < said.index(f"code={NEIGHBOUR}&amp;year")
    assert "设计假定" in said


def test_a_bar_lists_the_units_in_it(open_page, leader, year, owner):
    accept(owner, year, {FAR: {"LIFE_15": (1, 4)}})
    assess(owner)
    page = open_page(
        leader, "assessment_indicator", code="LIFE_15", year=str(year), low="20", high="50"
    )
    assert not page.exception
    assert "2 个单位" in drawn(page)  # the end of the last bar is in it
    page = open_page(
        leader, "assessment_indicator", code="LIFE_15", year=str(year), low="nan", high="1e999"
    )
    assert not page.exception
    assert 'class="bin"' not in drawn(page)


def test_the_province_opens_as_the_sum_of_its_counties(open_page, county, year):
    page = open_page(county, "assessment_figure", unit=PROVINCE, code="LIFE_15", year=str(year))
    assert not page.exception
    said = drawn(page) + texts(page)
    assert "20.00" in said
    assert "由全省各县合计得出" in said


def test_the_rule_is_the_one_in_force_and_every_set_defines_it(open_page, leader, year):
    said = drawn(open_page(leader, "assessment_indicator", code="CULT_LAND", year=str(year)))
    assert "度量 &lt; 1" in said
    for code in ("GH20", "XZ19", "TJ21"):
        assert code in said
    assert "未报齐" in said  # two counties are not the province


def test_an_indicator_that_is_none_leads_back(open_page, leader, year):
    page = open_page(leader, "assessment_indicator", code="NOTHING")
    assert not page.exception
    assert "没有这个指标" in page.info[0].value


def test_a_county_ranks_itself_alone(open_page, county, year):
    said = drawn(open_page(county, "assessment_indicator", code="CULT_LAND", year=str(year)))
    assert "1 个县级单位中 1 个有数据" in said
    assert NEIGHBOUR not in said


def test_a_county_learns_its_own_place_unless_the_bureau_forbids_it(owner, open_page, county, year):
    address = {"code": COUNTY, "year": str(year), "set": PLAN}
    said = drawn(open_page(county, "assessment_unit", **address))
    assert ">2/2<" in said
    assert "60.00" not in said
    assert "南昌县" not in said
    owner.execute("UPDATE portal_setting SET value = 'false' WHERE name = 'units_see_own_rank'")
    cached.st.cache_resource.clear()
    said = drawn(open_page(county, "assessment_unit", **address))
    assert ">2/2<" not in said
    assert "39.50" in said


def test_units_stand_side_by_side(open_page, leader, year):
    page = open_page(
        leader, "assessment_comparison", units=f"{COUNTY},{NEIGHBOUR}", year=str(year), set=PLAN
    )
    assert not page.exception
    said = drawn(page)
    assert "39.50" in said
    assert "60.00" in said
    assert "number broken" in said


def test_years_of_a_unit_stand_side_by_side(open_page, leader, year):
    page = open_page(
        leader, "assessment_comparison", way="years", unit=COUNTY, years="2024,2025", set=PLAN
    )
    assert not page.exception
    said = drawn(page)
    assert "41.00" in said
    assert "39.50" in said


def test_an_address_with_too_many_or_unknown_units_shows_what_it_can(open_page, leader, year):
    page = open_page(leader, "assessment_comparison", units=f"nothing,{COUNTY}", year="1890")
    assert not page.exception
    assert COUNTY in drawn(page)
