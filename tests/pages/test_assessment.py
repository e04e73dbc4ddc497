"""现状评估 as the leader and a county meet it: matrix, what a figure rests on, nothing invented."""

from decimal import Decimal

import pytest

from components import assessment as parts
from components import cached
from components.assessment_matrix import read_matrix
from tests.actors import COUNTY
from tests.assessments import accept, assess, open_year
from tests.pages.reading import drawn
from tests.standing import NEIGHBOUR


@pytest.fixture(autouse=True)
def _fresh_caches():
    cached.st.cache_resource.clear()


@pytest.fixture
def year(owner):
    """2025: one county below its binding target, its neighbour with one figure, others silent."""
    open_year(owner, 2025)
    owner.execute(
        "INSERT INTO indicator_target (division_code, canonical_code, target_year, state"
        ", target_value) VALUES (%s, 'CULT_LAND', 2035, 'issued', 40)",
        [COUNTY],
    )
    accept(
        owner,
        2025,
        {COUNTY: {"CULT_LAND": "39.5"}, NEIGHBOUR: {"CULT_LAND": "60"}},
    )
    assess(owner)
    return 2025


def test_before_a_year_was_opened_the_page_says_what_is_missing(open_page, leader):
    page = open_page(leader, "assessment")
    assert not page.exception
    assert "还没有开放过现状评估的填报期" in page.info[0].value


def test_the_leader_reads_how_many_are_red_and_what_is_missing(open_page, leader, year):
    page = open_page(leader, "assessment")
    assert not page.exception
    said = drawn(page)
    assert "1 个有红色预警，其中 1 个突破约束性指标" in said
    assert "个尚无认定数据，不作评价" in said
    assert "填报完整率" in said


def test_a_county_sees_itself_alone(open_page, county, year):
    said = drawn(open_page(county, "assessment"))
    assert "1 个单位中 1 个有红色预警" in said


def test_what_the_map_shows_is_a_list_too_the_gravest_first(open_page, leader, year):
    for by, told in (("worst", "红 1、橙 0"), ("CULT_LAND", "39.50 万亩")):
        said = drawn(open_page(leader, "assessment", view="map", by=by, set="CITYPLAN2020"))
        rows = said[said.index("map-list") :].split("<tr>")[2:]
        assert f"code={COUNTY}&amp;year={year}" in rows[0]
        assert "严重" in rows[0]
        assert told in rows[0]
        assert len(rows) > 90


def test_the_matrix_is_taken_away_as_a_table_with_gaps_empty(leader, year):
    matrix = read_matrix(leader, "CITYPLAN2020", None, year)
    heads = [column.head for column in parts.workbook_columns(matrix)]
    rows = {row[0]: row for row in parts.workbook_rows(matrix.rows)}
    land = heads.index("耕地保有量（万亩）")
    assert rows[COUNTY][land : land + 2] == [Decimal("39.5"), "严重"]
    silent = next(row for code, row in rows.items() if code not in (COUNTY, NEIGHBOUR))
    assert silent[land : land + 2] == [None, "缺数"]
    assert all(len(row) == len(heads) for row in rows.values())


def test_a_figure_says_what_it_is_compared_with_and_by_which_rule(open_page, leader, year):
    page = open_page(leader, "assessment_figure", unit=COUNTY, code="CULT_LAND", year=str(year))
    assert not page.exception
    said = drawn(page)
    assert (
        "安义县 2025 年耕地保有量为 39.50 万亩，较目标低 1.2%，属“严重”（突破约束性指标）。" in said
    )
    assert "约束下限型" in said
    assert "度量 &lt; 1" in said


def test_a_missing_figure_is_not_judged(open_page, leader, year):
    page = open_page(leader, "assessment_figure", unit=COUNTY, code="PBF_AREA", year=str(year))
    said = drawn(page)
    assert "安义县 2025 年永久基本农田保护面积未填报，不作评价。" in said
    assert "没有填报这项指标" in " ".join(note.value for note in page.caption)


def test_a_figure_outside_the_scope_is_not_found(open_page, county, year):
    page = open_page(county, "assessment_figure", unit=NEIGHBOUR, code="CULT_LAND", year=str(year))
    assert not page.exception
    assert page.error
    assert "耕地保有量为" not in drawn(page)
