"""The overview as the leader and a county meet it, and the lists behind its figures."""

import re
from datetime import timedelta

import pytest
import streamlit as st

from components.figures import Figure
from domain.access import Role
from domain.clock import today
from tests.actors import COUNTY, make_actor
from tests.pages.reading import drawn
from tests.standing import FAR, NEIGHBOUR, accept, declare_plan, file_report


@pytest.fixture(autouse=True)
def fresh_reads():
    st.cache_resource.clear()


@pytest.fixture
def standing(owner, county, bureau, period_id):
    """One county 50 days late, one approved, one on its way; one plan without a date."""
    for code, completed, late_days in ((COUNTY, 1, 50), (NEIGHBOUR, 13, 0), (FAR, 3, 0)):
        report = file_report(owner, code, period_id, county)
        accept(owner, declare_plan(owner, code), report, bureau, completed, late_days)


@pytest.fixture
def overview(open_page, leader, standing):
    def opened(**query):
        page = open_page(leader, "overview", **query)
        assert not page.exception
        return page

    return opened


def test_the_answer_stands_on_top(overview):
    assert "111 个单位中 1 个已批复，1 个滞后，其中 1 个超过 45 天。" in drawn(overview())


def test_title_says_period_and_freshness(overview):
    text = drawn(overview())
    assert "2026年11月填报期" in text
    assert re.search(r"数据截至 <time data-portal-fresh>\d+月\d+日 \d\d:\d\d", text)


def test_a_late_unit_shows_by_how_much_since_when_and_who_answers(overview):
    card = drawn(overview()).split("<article")[1]
    since = today() - timedelta(days=50)
    for words in ("安义县", "<b>50</b> 天", f"自 {since}", "招标采购", "责任人 李四", "催办"):
        assert words in card


def test_filters_come_from_the_address(overview):
    page = overview(city="360700", colour_by="lateness")
    assert "19 个单位中 0 个已批复，没有单位滞后。" in drawn(page)
    assert "滞后 ≤ 15 天" in drawn(page)


def test_one_click_clears_the_filters(overview):
    page = overview(city="360700", kind="县")
    page.button(key="overview-clear").click().run()
    assert "111 个单位" in drawn(page)
    assert "city" not in page.query_params


@pytest.mark.parametrize("query", [{"city": "<b>"}, {"level": "x"}, {"kind": "'"}])
def test_a_filter_that_is_none_is_dropped(overview, query):
    assert "111 个单位" in drawn(overview(**query))


def test_a_past_day_says_so_and_takes_no_action(overview):
    page = overview(as_of=str(today() - timedelta(days=3)))
    assert "正在查看历史日期" in drawn(page)
    assert page.button(key="overview-remind-all").disabled
    assert "data-portal-action" not in drawn(page)
    assert "111 个单位中 0 个已批复" in drawn(page)


def test_remind_all_opens_the_dialog_for_the_late(overview):
    page = overview()
    page.button(key="overview-remind-all").click().run()
    assert not page.exception
    assert any("安义县" in area.value for area in page.text_area)


def test_a_county_sees_its_own_figures_alone(open_page, county, standing):
    text = drawn(open_page(county, "overview"))
    assert "1 个单位中 0 个已批复，1 个滞后" in text
    assert "会昌县" not in text
    assert "data-portal-action" not in text


def test_a_setting_lends_counties_the_ranking_without_the_people(
    open_page, county, owner, standing
):
    owner.execute("UPDATE portal_setting SET value = 'true' WHERE name = 'counties_see_ranking'")
    text = drawn(open_page(county, "overview"))
    assert "111 个单位中 1 个已批复，1 个滞后" in text
    assert "责任人 —" in text
    assert "data-portal-action" not in text


def test_an_auditor_has_no_overview(open_page, owner):
    auditor = make_actor(owner, "auditor", Role.SECURITY_AUDITOR, "360000")
    page = open_page(auditor, "overview")
    assert "个单位" not in drawn(page)


@pytest.mark.parametrize(
    ("figure", "counted", "of"),
    [
        (Figure.APPROVED, 1, 111),
        (Figure.LATE, 1, 111),
        (Figure.COMPLETENESS, 3, 111),
        (Figure.UNPLANNED, 108, 111),
    ],
)
def test_a_figure_opens_the_list_that_reproduces_it(
    open_page, leader, standing, figure, counted, of
):
    page = open_page(leader, "figures", figure=figure)
    assert not page.exception
    rows = page.dataframe[0].value
    assert len(rows) == of
    assert (rows["计入"] == "✓ 计入").sum() == counted
    assert f"{counted} ÷ {of}" in page.subheader[0].value


def test_the_mean_is_the_mean_of_its_list(overview, open_page, leader, standing):
    rows = open_page(leader, "figures", figure="mean").dataframe[0].value
    card = drawn(overview()).split('<span class="name">平均进度</span>')[1]
    shown = re.search(r'class="value">([\d.]+)<small>\s%', card)
    assert shown
    assert f"{rows['进度'].mean():.1f}" == shown[1]


def test_a_figure_leads_down_to_the_record(open_page, leader, county, bureau, standing):
    rows = open_page(leader, "figures", figure="late").dataframe[0].value
    row = rows.iloc[0]
    assert row["单位"] == f"/unit?code={COUNTY}#安义县"
    assert re.fullmatch(r"/submission\?id=\d+#填报 \d+", row["记录"])
    assert row["报送人"] == county.display_name
    assert row["认定或退回人"] == bureau.display_name
    assert row["版本"] == 1


def test_an_unknown_figure_shows_the_first(open_page, leader, standing):
    page = open_page(leader, "figures", figure="<script>")
    assert not page.exception
    assert "平均进度" in page.subheader[0].value
