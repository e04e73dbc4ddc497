"""预警规则 as the bureau changes them and a county reads them."""

import pytest

from components import cached
from tests.actors import COUNTY
from tests.assessments import accept, assess, levels, result, set_target
from tests.pages.reading import drawn

BANDS = "assessment-rules-1-bands"


@pytest.fixture(autouse=True)
def _fresh_caches():
    cached.st.cache_resource.clear()


@pytest.fixture
def year(owner, bureau):
    """A county 3 % above its binding floor."""
    set_target(owner, COUNTY, "CULT_LAND", 2035, 100)
    figures = {"CULT_LAND": 103, "WATER_TOTAL": 2, "POP_RESIDENT": 80}
    accept(owner, 2025, {COUNTY: figures}, bureau.user_id)
    assess(owner)


def place_of(page, profile: str, level: str) -> int:
    """Return the row of the table of bands."""
    [table] = page.data_editor
    rows = table.value
    found = rows[(rows["模型"] == profile) & rows["等级"].str.contains(level)]
    return int(found.index[0])


def type_band(page, profile: str, level: str, **ends: object):
    row = place_of(page, profile, level)
    page.session_state[BANDS] = {
        "edited_rows": {row: ends}, "added_rows": [], "deleted_rows": []}  # fmt: skip
    return page.run()


def test_a_county_reads_the_rules_in_words_and_changes_nothing(open_page, county, year):
    page = open_page(county, "assessment_rules")
    assert not page.exception
    said = drawn(page)
    assert "2025 年按第 1 版“监测评估预警规则（2020 版）”评级，连续 2 年黄升一级" in said
    assert "1.01 ≤ 度量 &lt; 1.02" in said
    page = open_page(county, "assessment_rules", view="draft")
    assert not page.data_editor
    for view in ("limits", "formulas"):
        page = open_page(county, "assessment_rules", view=view)
        assert not page.exception
        assert [each.label for each in page.button] == ["退出登录"]


def test_the_bureau_sees_what_new_rules_would_do_before_it_keeps_them(
    owner, open_page, bureau, year
):
    page = open_page(bureau, "assessment_rules", view="draft")
    assert not page.exception
    type_band(page, "约束下限型", "提示", 上限="1.05")
    page.text_input(key="assessment-rules-1-title").set_value("预警规则（2026 版）")
    page.text_input(key="assessment-rules-1-note").set_value("赣自然资发〔2026〕1号")
    page.button(key="assessment-rules-preview").click().run()
    assert page.info[0].value.startswith(
        "按新规则，最新年度有 1 项等级变化（单位 × 指标）：1 项变重"
    )
    assert levels(owner, 2025, "CULT_LAND")[COUNTY] == "normal"
    page.button(key="assessment-rules-save").click().run()
    assert not page.exception
    assert page.success[0].value.startswith(
        "已保存第 2 版，自 2025 年度起采用：1 项结果变化，生成预警事项 1 项"
    )
    assert "2025 年按第 2 版“预警规则（2026 版）”评级" in drawn(page)
    assert levels(owner, 2025, "CULT_LAND")[COUNTY] == "hint"


def test_bands_that_leave_a_gap_are_said_while_they_are_typed(open_page, bureau, year):
    page = open_page(bureau, "assessment_rules", view="draft")
    type_band(page, "约束下限型", "提示", 下限="1.015")
    assert page.error[0].value == (
        "“约束下限型”的蓝与黄之间有空档（1.01 至 1.015），其中的数会被判为正常。"
    )
    assert page.button(key="assessment-rules-save").disabled


def test_what_is_missing_is_said_and_nothing_is_kept(owner, open_page, bureau, year):
    page = open_page(bureau, "assessment_rules", view="draft")
    page.number_input(key="assessment-rules-1-year").set_value(2020)
    page.button(key="assessment-rules-save").click().run()
    said = [each.value for each in page.error]
    assert "请填写依据说明：为什么改，依据什么。" in said
    assert "首个数据年度应在 2025 至 2035 之间：以前年度保持原来的规则。" in said
    assert owner.execute("SELECT count(*) FROM assessment_rules").fetchone() == (1,)


def test_the_bureau_sets_the_limits_of_the_levels(owner, open_page, bureau):
    page = open_page(bureau, "assessment_rules", view="limits")
    page.number_input(key="assessment-limit-severe-5").set_value(3).run()
    page.button(key="assessment-limits").click().run()
    assert page.success[0].value == "已保存处置时限：严重 3 个工作日。"
    page.number_input(key="assessment-limit-severe-3").set_value(0).run()
    page.button(key="assessment-limits").click().run()
    assert page.error[0].value == "处置时限应为 1 至 250 个工作日，请修改。"


def test_a_formula_is_refused_beside_its_field_and_computes_when_it_is_right(
    owner, open_page, bureau, year
):
    page = open_page(bureau, "assessment_rules", view="formulas", code="WATER_PC")
    assert "用水总量 × 10000 ÷ 常住人口" in page.markdown[0].value
    page.text_area[0].set_value("WATER_TOTAL / POP_RESIDENT").run()
    page.button(key="assessment-formula-save").click().run()
    assert page.error[0].value == "计算式与单位“m3/人”相差 10000 倍，请乘以换算系数 10000。"
    page.text_area[0].set_value("(WATER_TOTAL + WATER_TOTAL) * 10000 / POP_RESIDENT").run()
    page.button(key="assessment-formula-save").click().run()
    assert page.error[0].value == "请填写修改说明：依据的文件，或改正了什么。"
    page.text_input[0].set_value("用水口径调整")
    page.button(key="assessment-formula-save").click().run()
    said = "已保存“人均年用水量”的算式，自 2025 年度起的数值已重新计算"
    assert page.success[0].value.startswith(said)
    versions = page.dataframe[0].value
    assert list(versions["版本"]) == [2, 1]
    assert list(versions["适用"]) == ["自 2025 年度起", "自最早年度起"]
    assert versions.loc[0, "说明"] == "用水口径调整"
    assert result(owner, COUNTY, 2025, "WATER_PC")["value"] == 500
