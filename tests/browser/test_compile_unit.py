"""A county files a contract of a consortium, its lead chosen from the units that are known."""

import re

import psycopg
import pytest
from playwright.sync_api import Page, expect

from data_access.demo.pdf import make_pdf
from domain.uscc import check_character

SAVED = re.compile(r"已保存 \d\d:\d\d:\d\d")
# A county with one plan, of which it never reported a contract.
SILENT = """
SELECT grants.division_code
  FROM account_grant AS grants
  JOIN admin_division_version AS division ON division.code = grants.division_code
 WHERE role = 'county' AND kind = '县' AND division_code NOT IN (
       SELECT division_code FROM submission WHERE form_code = 'compile_unit')
   AND 1 = (SELECT count(*) FROM plan WHERE plan.division_code = grants.division_code)
 ORDER BY grants.division_code LIMIT 1
"""
MEMBER = "91360100MA35YAN02"

CONTRACT = {
    "招标公告日期": "2024-03-01",
    "中标（成交）日期": "2024-04-01",
    "合同编号": "HT-1",
    "合同金额（万元）": "320.50",
    "合同签订日期": "2024-04-20",
    "合同约定完成日期": "2027-04-20",
    "项目负责人": "周工",
    "项目负责人电话": "13800000001",
    "项目组人数（人）": "12",
    "委托部门": "县自然资源局",
    "委托方联系人": "吴主任",
    "委托方联系电话": "0791-83400000",
}


@pytest.fixture(scope="module")
def county(database: psycopg.Connection) -> str:
    row = database.execute(SILENT).fetchone()
    assert row, "the demo has no county that never filed its compile units"
    return str(row[0])


def test_a_consortium_is_filed_with_a_known_unit_that_fills_its_fields(
    page_as, database, county, tmp_path
):
    known = database.execute(
        "SELECT uscc, name, cert_no FROM compile_unit ORDER BY name"
    ).fetchone()
    page = page_as(f"county_{county}", "/report?form=compile_unit")
    expect(page.get_by_text("编制单位信息填报")).to_be_visible()
    card = page.locator("details.row").first
    field(card, "填报联系人", page).fill("张三")
    field(card, "联系电话", page).fill("13800000000")
    fill_contract(card)
    expect(field(card, "联合体成员名称")).to_be_hidden()
    choose(card, "是否联合体", "是")

    field(card, "牵头单位名称").press_sequentially(known[1][:2])
    card.get_by_role("option").filter(has_text=known[0]).click()
    expect(field(card, "牵头单位统一社会信用代码")).to_have_value(known[0])
    expect(field(card, "牵头单位资质证书编号")).to_have_value(known[2])
    expect(card.get_by_text("已按名录带出")).to_be_visible()

    fill_member(card)
    for item in ("合同扫描件", "资质证书扫描件"):
        upload(page, card, item, tmp_path)
    page.get_by_text(SAVED).wait_for()

    page.get_by_role("button", name="提交", exact=True).click()
    expect(page.get_by_text("等待").first).to_be_visible()
    row = database.execute(
        "SELECT unit1_uscc, unit2_name, CAST(contract_amount AS text), cardinality(evidence_ids)"
        "  FROM filed_contract JOIN plan USING (plan_id)"
        " WHERE filed_contract.division_code = %s AND is_headline",
        [county],
    ).fetchone()
    assert row == (known[0], "演示测绘院", "320.50", 2)


def fill_contract(card) -> None:
    choose(card, "合同状态", "已签约")
    for label, text in CONTRACT.items():
        field(card, label).fill(text)
    choose(card, "采购方式", "公开招标")
    choose(card, "项目负责人是否注册城乡规划师", "是")


def fill_member(card) -> None:
    """Fill in the other unit of the consortium, its code with a wrong last character first."""
    field(card, "联合体成员名称").fill("演示测绘院")
    choose(card, "联合体成员类型", "测绘地理信息单位")
    choose(card, "联合体成员资质等级", "乙级")
    field(card, "联合体成员统一社会信用代码").fill(MEMBER + "0")
    field(card, "联合体成员统一社会信用代码").blur()
    expect(card.get_by_text("末位校验码须相符").first).to_be_visible()
    field(card, "联合体成员统一社会信用代码").fill(MEMBER + check_character(MEMBER))


def field(card, label: str, page: Page | None = None):
    return (page or card).get_by_label(label, exact=True).first


def choose(card, label: str, option: str) -> None:
    group = card.get_by_role("radiogroup", name=label, exact=True)
    group.get_by_text(option, exact=True).click()


def upload(page: Page, card, item: str, folder) -> None:
    path = folder / f"{item}.pdf"
    path.write_bytes(make_pdf(item, ["演示"], "演示数据"))
    with page.expect_file_chooser() as chosen:
        card.get_by_role("button", name=f"上传{item}").click()
    chosen.value.set_files(path)
    expect(card.get_by_role("button", name=f"替换{item}")).to_be_visible()
