"""村庄评估 as the leader and a county meet it."""

import pytest

from components import cached
from domain.access import Role
from tests.actors import COUNTY, make_actor
from tests.pages.reading import drawn
from tests.villages import (
    add_natural_villages,
    open_village,
    open_village_period,
    villages_of,
)

YEAR = 2026


@pytest.fixture(autouse=True)
def _fresh_caches():
    cached.st.cache_resource.clear()


def test_before_any_year_was_opened_the_page_says_so(open_page, leader):
    page = open_page(leader, "village_overview")
    assert not page.exception
    assert "还没有开放过" in page.info[0].value


def test_the_leader_goes_down_to_a_county_and_its_villages(open_page, owner, leader):
    open_village_period(owner, YEAR)
    village = villages_of(owner, COUNTY)[0]
    county = make_actor(owner, "filer", Role.COUNTY, COUNTY)
    period = owner.execute("SELECT period_id FROM reporting_period").fetchone()[0]
    open_village(county, period, village)
    page = open_page(leader, "village_overview")
    assert not page.exception
    assert "14,807 个行政村中 0 个已备案（0.0\u00a0%）" in drawn(page)
    assert "待审核 0 个，已退回 0 个，未报 14,807 个" in drawn(page)
    assert "还没有经省级认定的评估" in drawn(page)
    # The figures of a ranking open the villages that they count.
    opened = "year=2026&amp;division=360100&amp;show=state%3Afiled"
    assert f'href="village_overview?{opened}"' in " ".join(
        str(one.value) for one in page.get("html")
    )
    page = open_page(leader, "village_overview", division=COUNTY, show="state:draft")
    assert not page.exception
    assert "草稿的村 1 ÷ 应报村" in drawn(page)
    assert list(page.dataframe[0].value["代码"]) == [village]


def test_a_county_sees_no_village_of_another(open_page, owner):
    open_village_period(owner, YEAR)
    stranger = make_actor(owner, "jinxian", Role.COUNTY, "360124")
    page = open_page(stranger, "village_overview", division=COUNTY, show="x:=1", year="1", page="9")
    assert "不在您的查看范围内" in page.warning[0].value
    assert {code[:6] for code in page.dataframe[0].value["代码"]} == {"360124"}


def test_a_natural_village_has_an_address_below_its_village(open_page, owner, leader):
    period = open_village_period(owner, YEAR)
    village = villages_of(owner, COUNTY)[0]
    add_natural_villages(owner, village, 3)
    county = make_actor(owner, "filer", Role.COUNTY, COUNTY)
    open_village(county, period, village)
    page = open_page(leader, "village_overview", division=village)
    assert not page.exception
    assert "3 个自然村中 0 个已认定（0.0\u00a0%）" in drawn(page)
    assert f"division={village}002" in drawn(page)
    page = open_page(leader, "village_overview", division=f"{village}002")
    assert not page.exception
    assert "还没有经省级认定的评估" in page.info[0].value


def test_a_village_out_of_scope_has_no_record(open_page, owner):
    open_village_period(owner, YEAR)
    stranger = make_actor(owner, "jinxian", Role.COUNTY, "360124")
    page = open_page(stranger, "village_overview", division=villages_of(owner, COUNTY)[0])
    assert "不在您的查看范围内" in page.warning[0].value
