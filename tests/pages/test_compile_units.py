"""编制单位 as the leader and a county meet it."""

from io import BytesIO

import openpyxl
import pytest

from components import cached
from data_access.table_workbook import Column, table_workbook
from domain.access import Role
from domain.workflow import ReviewAction
from tests.actors import make_actor
from tests.contracts import LEAD, fill, open_quarter, opened, uscc
from tests.pages.reading import drawn
from tests.reports import act


@pytest.fixture(autouse=True)
def _fresh_caches():
    cached.st.cache_resource.clear()


@pytest.fixture
def accepted(owner, county, city, bureau, plan_id):
    """安义县's contract, accepted."""
    report = opened(county, open_quarter(owner))
    fill(owner, county, report)
    for actor, action in (
        (county, ReviewAction.SUBMIT),
        (city, ReviewAction.APPROVE),
        (bureau, ReviewAction.APPROVE),
    ):
        act(actor, report.submission_id, action)
    return report.submission_id


def test_before_anything_was_accepted_the_page_says_so(open_page, leader):
    page = open_page(leader, "compile_units")
    assert not page.exception
    assert "72 个填报单位中还没有经省级认定的签约合同" in drawn(page)


def test_the_leader_reads_who_is_contracted_and_by_whom(open_page, leader, accepted):
    page = open_page(leader, "compile_units")
    said = drawn(page)
    assert "72 个单位中 1 个总体规划已签约，1 个项目由“演示规划设计研究院”承担；" in said
    assert "演示规划设计研究院" in said
    assert "286.5" in said
    [table] = page.dataframe
    [row] = table.value.to_dict("records")
    assert (row["单位"], row["合同状态"], row["合同金额（万元）"]) == ("安义县", "已签约", 286.5)
    assert row["回执"].startswith("B")


def test_a_compile_unit_has_an_address_of_its_own(open_page, leader, accepted):
    page = open_page(leader, "compile_units", unit=uscc(LEAD))
    assert page.title[0].value == "演示规划设计研究院"
    assert uscc(LEAD) in drawn(page)
    assert len(page.dataframe[0].value) == 1


def test_an_address_that_names_nobody_shows_them_all(open_page, leader, accepted):
    page = open_page(leader, "compile_units", unit="=1+1", show="x", status="9", city="0")
    assert "没有这家编制单位" in page.warning[0].value
    assert "72 个单位中 1 个" in drawn(page)


def test_who_is_not_contracted_is_listed_with_the_reason(open_page, leader, accepted):
    page = open_page(leader, "compile_units", show="uncontracted")
    rows = page.dataframe[0].value
    assert len(rows) == 71
    assert set(rows["合同状态"]) == {"尚无认定的填报"}


def test_another_county_sees_its_own_units_and_no_amount(open_page, owner, accepted):
    stranger = make_actor(owner, "jinxian", Role.COUNTY, "360124")
    said = drawn(open_page(stranger, "compile_units"))
    assert "1 个填报单位中还没有经省级认定的签约合同" in said
    assert "286.5" not in said
    assert "演示规划设计研究院" not in said
    page = open_page(stranger, "compile_units", unit=uscc(LEAD))
    assert "没有这家编制单位" in page.warning[0].value


def test_a_workbook_of_a_table_keeps_texts_texts_and_says_demo():
    content = table_workbook(
        "编制单位", "截至今天", [Column("单位"), Column("金额", "#,##0.0")],
        [["=HYPERLINK(\"http://x\")", 12.5], ["@SUM(1)", None], ["360123", 3]], is_demo=True,
    )  # fmt: skip
    sheet = openpyxl.load_workbook(BytesIO(content)).active
    rows = list(sheet.iter_rows(min_row=4, values_only=True))
    assert rows == [('=HYPERLINK("http://x")', 12.5), ("@SUM(1)", None), ("360123", 3)]
    assert [sheet.cell(row, 1).data_type for row in (4, 5, 6)] == ["s", "s", "s"]
    assert "演示数据" in sheet["A2"].value
