"""A form's rows as a spreadsheet: what is pasted stays as pasted, and is judged beside the cell."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from domain.forms import Context, Field, Form, Row, Rule
from tests.browser.form_desk import SAVED, FormDesk, paste

KINDS = {"k": {"a": "甲类情形", "b": "乙类情形", "c": "丙类情形"}}
FIELDS = (
    Field("form", "note", "备注", "text", "填报信息"),
    Field("village", "name", "名称", "text", "基本情况", length="20", required_when="True"),
    Field("village", "kind", "类别", "code", "基本情况", code_table="k"),
    Field("village", "area", "面积", "decimal", "基本情况", length="8,2", unit="公顷",
          rules=(Rule("area >= 0", "面积不能为负数。"),)),
    Field("village", "people", "人口", "integer", "基本情况", length="6"),
    Field("village", "begun_on", "开工日期", "date", "时间"),
    Field("village", "done", "是否完成", "boolean", "时间"),
    Field("village", "code", "编码", "text", "时间", length="12"),
    Field("village", "reason", "说明", "text", "说明", visible_when="kind == 'b'"),
    Field("village", "given", "下达数", "integer", "说明", read_only=True),
    Field("village", "remark", "备注", "long_text", "说明", length="200"),
)  # fmt: skip
ROWS = 60
# What a clerk's sheet holds: good, bad, odd, and one that a spreadsheet puts in quotes.
GOOD = ["青山村", "甲类情形", "1,234.56", "３２０", "2026年3月1日", "是", "007", "", "", "无"]
BAD = [
    "绿水村",
    "不知道",
    "约 3 公顷",
    "12.5",
    "明年三月",
    "也许",
    "1e5",
    "说明在此",
    "88",
    "甲\n乙",
]
STORED_GOOD = {
    "name": "青山村", "kind": "a", "area": "1234.56", "people": 320,
    "begun_on": "2026-03-01", "done": True, "code": "007", "reason": None, "remark": "无",
}  # fmt: skip
STORED_BAD = {
    "name": "绿水村", "kind": "不知道", "area": "约 3 公顷", "people": "12.5",
    "begun_on": "明年三月", "done": "也许", "code": "1e5", "reason": "说明在此", "remark": "甲\n乙",
}  # fmt: skip
OpenDesk = Callable[..., Page]


def village_form(rows: int = ROWS) -> tuple[Form, Context]:
    """Return a form of one group with every type of field, and its rows."""
    form = Form("villages", 1, "村庄", "1", 1, FIELDS, KINDS)
    lines = [Row(str(number), f"第{number}村") for number in range(1, rows + 1)]
    return form, Context(date(2026, 11, 22), {}, {"village": lines})


@pytest.fixture
def desk() -> FormDesk:
    return FormDesk(*village_form())


@pytest.fixture
def open_desk(browser: Browser) -> Iterator[OpenDesk]:
    """Return a function that opens a desk in a browser of its own, and closes it afterwards."""
    pages: list[Page] = []

    def opened(desk: FormDesk, size: tuple[int, int] = (1366, 768)) -> Page:
        pages.append(desk.open(browser, size))
        return pages[-1]

    yield opened
    for page in pages:
        page.context.close()


@pytest.fixture
def grid(desk: FormDesk, open_desk: OpenDesk) -> Page:
    """The form with its grid open and its first cell selected."""
    page = open_desk(desk)
    cell(page, 0, 0).click()
    return page


def cell(page: Page, row: int, column: int) -> Locator:
    return page.locator(f"#grid-village-{row}-{column}")


def is_saved(page: Page) -> None:
    expect(page.locator(".save-state")).to_have_text(SAVED)


def test_thirty_rows_of_good_and_bad_stand_as_pasted_and_are_judged_beside_the_cell(desk, grid):
    paste(grid, [GOOD, BAD] * 15)
    is_saved(grid)
    stored = desk.content["village"]
    for row in range(30):
        expected = STORED_BAD if row % 2 else STORED_GOOD
        assert {field: stored[row][field] for field in expected} == expected
        assert stored[row]["given"] is None
    assert stored[30]["name"] is None
    # The server's normal form replaces what it understood; the rest is as it was pasted.
    expect(cell(grid, 0, 2)).to_have_text("1234.56")
    expect(cell(grid, 0, 4)).to_have_text("2026-03-01")
    for column, text in {1: "不知道", 2: "约 3 公顷", 3: "12.5", 4: "明年三月", 5: "也许"}.items():
        expect(cell(grid, 1, column)).to_have_text(text)
        expect(cell(grid, 1, column)).to_have_attribute("aria-invalid", "true")
    expect(cell(grid, 1, 4)).to_have_attribute(
        "title", "“明年三月”不是日期，请按 2026-03-01 的样式填写。"
    )
    said = grid.locator(".grid-message")
    expect(said).to_contain_text("已粘贴 30 行 × 10 列，写入 270 格。")
    expect(said).to_contain_text("第 2、4、6、8、10 行等共 15 行：下达数为只读，未改动 15 格。")
    expect(said).to_contain_text("有 15 格（灰底）按当前填写情况不需填写")
    expect(grid.locator(".heading", has_text="开工日期").locator(".wrong")).to_have_text("15")
    expect(grid.locator(".row-title", has_text="第2村").first.locator(".wrong")).to_have_text("5")

    grid.reload()
    expect(cell(grid, 1, 4)).to_have_text("明年三月")
    expect(cell(grid, 0, 4)).to_have_text("2026-03-01")


def test_a_paste_is_one_step_back_and_forth_even_after_it_was_saved(desk, grid):
    grid.keyboard.type("原来的")
    grid.keyboard.press("Enter")
    is_saved(grid)
    cell(grid, 0, 0).click()
    paste(grid, [GOOD, BAD])
    is_saved(grid)
    grid.keyboard.press("Control+z")
    expect(cell(grid, 0, 0)).to_have_text("原来的")
    expect(cell(grid, 1, 4)).to_have_text("")
    is_saved(grid)
    assert [desk.value("village", row, "name") for row in (0, 1)] == ["原来的", None]
    grid.keyboard.press("Control+y")
    expect(cell(grid, 1, 4)).to_have_text("明年三月")
    is_saved(grid)
    assert desk.value("village", 1, "code") == "1e5"


def test_what_is_taken_back_before_it_was_saved_leaves_nothing_to_save(desk, grid):
    grid.keyboard.type("甲")
    grid.keyboard.press("Enter")
    grid.keyboard.press("Control+z")
    expect(grid.locator(".save-state")).to_contain_text("已保存")
    assert desk.value("village", 0, "name") is None


def test_what_does_not_fit_is_said_and_can_be_taken_back(desk, grid):
    cell(grid, 2, 8).click()
    grid.keyboard.press("Control+End")
    paste(grid, [["一", "二", "三"], ["四", "五", "六"]])
    said = grid.locator(".grid-message")
    expect(said).to_contain_text(
        "复制的内容有 2 行 × 3 列，从所选位置起放不下：后 1 行、右侧 2 列没有粘贴"
    )
    is_saved(grid)
    assert desk.value("village", ROWS - 1, "remark") == "一"
    said.get_by_role("button", name="撤销").click()
    is_saved(grid)
    assert desk.value("village", ROWS - 1, "remark") is None


def test_the_keys_of_a_spreadsheet(desk, grid):
    grid.keyboard.type("甲村")
    grid.keyboard.press("Tab")
    grid.keyboard.type("乙类")
    grid.keyboard.press("Enter")
    expect(cell(grid, 0, 1)).to_have_text("乙类情形")
    grid.keyboard.press("Control+Home")
    grid.keyboard.press("F2")
    grid.keyboard.press("End")
    grid.keyboard.type("（改）")
    grid.keyboard.press("Enter")
    expect(cell(grid, 0, 0)).to_have_text("甲村（改）")
    grid.keyboard.type("不要")
    grid.keyboard.press("Escape")
    expect(cell(grid, 1, 0)).to_have_text("")
    # Shift selects, Ctrl+D fills down; what is copied comes back as it was.
    grid.keyboard.press("Control+Home")
    for key in ("ArrowRight", "ArrowDown", "ArrowDown"):
        grid.keyboard.press(f"Shift+{key}")
    grid.keyboard.press("Control+d")
    expect(cell(grid, 2, 0)).to_have_text("甲村（改）")
    expect(cell(grid, 2, 1)).to_have_text("乙类情形")
    grid.keyboard.press("Control+c")
    assert (
        grid.evaluate("navigator.clipboard.readText()").splitlines() == ["甲村（改）\t乙类情形"] * 3
    )
    cell(grid, 5, 0).click()
    grid.keyboard.press("Control+v")
    expect(cell(grid, 7, 1)).to_have_text("乙类情形")
    grid.keyboard.press("Control+x")
    expect(cell(grid, 7, 1)).to_have_text("")
    is_saved(grid)
    assert desk.value("village", 2, "kind") == "b"
    assert desk.value("village", 7, "kind") is None


def test_an_input_method_reaches_the_cell_with_its_first_key(desk, grid):
    method = grid.context.new_cdp_session(grid)
    for text in ("q", "qing", "青"):
        method.send(
            "Input.imeSetComposition", {"text": text, "selectionStart": 1, "selectionEnd": 1}
        )
    assert desk.saves == []
    method.send("Input.insertText", {"text": "青山"})
    grid.keyboard.press("Enter")
    expect(cell(grid, 0, 0)).to_have_text("青山")
    is_saved(grid)
    assert desk.value("village", 0, "name") == "青山"


def test_what_is_typed_and_pasted_without_a_network_survives_a_reload(desk, grid):
    desk.is_away = True
    paste(grid, [GOOD, BAD])
    expect(grid.locator(".save-state")).to_contain_text("未保存")
    cell(grid, 3, 0).click()
    grid.keyboard.type("正在输入")
    grid.once("dialog", lambda dialog: dialog.accept())
    grid.reload()
    expect(cell(grid, 1, 4)).to_have_text("明年三月")
    expect(cell(grid, 3, 0)).to_have_text("正在输入")
    assert desk.saves == []
    desk.is_away = False
    is_saved(grid)
    assert desk.value("village", 1, "begun_on") == "明年三月"
    assert desk.value("village", 3, "name") == "正在输入"


def test_errors_lead_from_the_list_to_their_cell_and_filters_keep_what_is_wrong(desk, grid):
    paste(grid, [GOOD, BAD])
    is_saved(grid)
    grid.get_by_text("问题清单（5）").click()
    grid.locator(".grid-list").get_by_role("button", name="第2村 · 开工日期").click()
    expect(cell(grid, 1, 4)).to_have_class("c error chosen active")
    expect(grid.locator(".grid-detail")).to_contain_text("不是日期")
    grid.get_by_label("筛选行").select_option(label="有问题的行")
    expect(grid.locator(".row-title")).to_have_count(1)
    expect(grid.locator(".row-title")).to_contain_text("第2村")


def test_a_report_that_came_back_shows_what_was_changed_since(desk, open_desk):
    desk.content["village"][0] |= {"name": "青山村", "area": "12.5"}
    desk.send_back("village[1].name", "请填全名")
    page = open_desk(desk)
    reasons = page.locator(".remarks")
    expect(reasons).to_contain_text("尚未修改，上次提交：青山村")
    expect(reasons).to_contain_text("退回后还没有修改内容")
    cell(page, 0, 0).click()
    paste(page, [["大青山村"]])
    is_saved(page)
    expect(reasons).to_contain_text("已修改：青山村 → 大青山村")
    reasons.get_by_text("退回后已修改 1 处").click()
    expect(reasons.locator(".corrected li")).to_have_text("第1村 · 名称：青山村 → 大青山村")
    expect(cell(page, 0, 0)).to_have_class("c remarked differs chosen active")
    expect(page.locator(".grid-detail")).to_contain_text("上次提交：青山村")
    page.get_by_label("筛选行").select_option(label="退回后修改的行")
    expect(page.locator(".row-title")).to_have_count(1)
    cell(page, 0, 0).click()
    paste(page, [["青山村"]])
    expect(reasons).to_contain_text("退回后还没有修改内容")


def test_cards_and_grid_are_two_views_of_one_form(desk, grid):
    paste(grid, [["甲村", "乙类情形"]])
    is_saved(grid)
    grid.get_by_role("button", name="卡片", exact=True).click()
    first = grid.locator("details.row").first
    expect(first.get_by_label("名称", exact=True)).to_have_value("甲村")
    first.get_by_label("名称", exact=True).fill("改名村")
    grid.reload()
    expect(grid.locator("details.row").first.get_by_label("名称", exact=True)).to_have_value(
        "改名村"
    )
    grid.get_by_role("button", name="表格", exact=True).click()
    expect(cell(grid, 0, 0)).to_have_text("改名村")
    cell(grid, 0, 0).click()
    cell(grid, 0, 7).dblclick()
    grid.keyboard.type("从表格填写")
    grid.keyboard.press("Enter")
    grid.locator(".row-title").first.get_by_role("button").click()
    card = grid.get_by_role("dialog", name="第1村")
    expect(card.get_by_label("说明", exact=True)).to_have_value("从表格填写")
    card.get_by_label("说明", exact=True).fill("从卡片填写")
    card.get_by_role("button", name="关闭").click()
    expect(cell(grid, 0, 7)).to_have_text("从卡片填写")


def test_of_two_people_the_grid_asks_which_value_stands(desk, grid):
    desk.save_elsewhere("village", 0, "name", "他人填的")
    paste(grid, [["我填的", "甲类情形"]])
    conflict = grid.get_by_role("alertdialog", name="内容冲突")
    expect(conflict).to_contain_text("他人填的")
    conflict.get_by_role("button", name="全部采用我的").click()
    conflict.get_by_role("button", name="按所选保存").click()
    is_saved(grid)
    expect(cell(grid, 0, 0)).to_have_text("我填的")
    assert desk.value("village", 0, "name") == "我填的"


def test_a_save_in_one_tab_keeps_what_waits_in_another(desk, grid):
    desk.save_elsewhere("village", 0, "name", "他人填的")
    beside = grid.context.new_page()
    beside.goto(grid.url)
    cell(beside, 1, 0).click()
    paste(grid, [["我填的"]])
    expect(grid.get_by_role("alertdialog", name="内容冲突")).to_contain_text("我填的")
    paste(beside, [["邻页填的"]])
    is_saved(beside)
    waiting = "Object.entries(localStorage).filter(([key]) => key.includes('outbox')).flat().join()"
    assert "我填的" in grid.evaluate(waiting)
    assert "邻页填的" not in grid.evaluate(waiting)


def test_an_option_that_facts_rule_out_cannot_be_chosen_and_says_why(open_desk):
    rule = (Rule("kind != 'c' or level == 'town'", "“丙类情形”仅适用于镇区。"),)
    fields = tuple(replace(item, rules=rule) if item.code == "kind" else item for item in FIELDS)
    form, context = village_form()
    facts = replace(context, values={"level": "village"})
    desk = FormDesk(replace(form, fields=fields), facts)
    page = open_desk(desk)
    cell(page, 0, 1).dblclick()
    offered = page.locator(".choices")
    offered.get_by_role("option", name="丙类情形").click(force=True)
    expect(offered.get_by_role("option", name="丙类情形")).to_contain_text("仅适用于镇区")
    offered.get_by_role("option", name="乙类情形").click()
    expect(cell(page, 0, 1)).to_have_text("乙类情形")
    page.get_by_role("button", name="卡片", exact=True).click()
    expect(page.get_by_role("radio", name="丙类情形").first).to_be_disabled()


def test_a_phone_has_cards_and_never_asks_for_the_grid(desk, open_desk):
    page = open_desk(desk, (390, 844))
    expect(page.locator("details.row")).to_have_count(ROWS)
    expect(page.get_by_role("button", name="表格", exact=True)).to_have_count(0)
    assert not desk.gave_grid


def test_five_hundred_rows_of_forty_five_columns_answer_while_somebody_types(open_desk):
    kinds = [("text", "50"), ("decimal", "14,2"), ("date", None)] * 15
    wide = [
        Field("village", f"f{number}", f"第{number}列", kind, f"第{number // 9}部分", length=length)
        for number, (kind, length) in enumerate(kinds)
    ]
    form = Form("wide", 1, "宽表", "1", 1, tuple(wide), {})
    rows = [Row(str(number), f"第{number}村") for number in range(500)]
    desk = FormDesk(form, Context(date(2026, 11, 22), {}, {"village": rows}))
    page = open_desk(desk)
    cell(page, 0, 0).click()
    paste(page, [["文字", "1,234.5", "2026/3/1"] * 15] * 500)
    expect(cell(page, 0, 2)).to_have_text("2026-03-01")
    is_saved(page)
    assert desk.value("village", 499, "f44") == "2026-03-01"
    took = page.evaluate(
        """() => {
          let at = document.activeElement;
          while (at.shadowRoot?.activeElement) at = at.shadowRoot.activeElement;
          const begun = performance.now();
          for (const letter of "abcdefghij") {
            at.value += letter;
            at.dispatchEvent(new InputEvent("input", { bubbles: true, composed: true }));
          }
          return (performance.now() - begun) / 10;
        }"""
    )
    assert took < 250, f"{took} ms a key"
