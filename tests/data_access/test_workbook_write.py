"""What a workbook looks like to those who open it, and how it comes back marked."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from openpyxl import load_workbook
from openpyxl.worksheet.worksheet import Worksheet

from data_access.workbook_formulas import Reference, formula, words
from data_access.workbook_layout import ERROR_SHEET, FIRST_ROW, HEADER_ROW, sheet_names
from data_access.workbook_mark import mark_workbook
from data_access.workbook_read import read_workbook
from data_access.workbook_write import write_workbook
from domain.errors import WorkbookRefused
from domain.forms import Field, File, Form, Severity
from domain.workbook import Mark, Refusal, WorkbookUnit
from tests.forms import compile_form, county_context, filled, plan_form, reference_form
from tests.sample_workbook import (
    FILLED,
    STAMP,
    changed,
    column_of,
    contents,
    expected,
    sample_content,
    sample_form,
    sample_unit,
    written,
)

FORM = sample_form()


def plan_workbook(tmp_path: Path) -> Path:
    context = county_context()
    content = filled(LAUNCH={"state": "completed", "completed_on": "2026-03-01"})
    unit = WorkbookUnit("360123", "安义县", "南昌市", 1, context, content, content)
    return written(tmp_path, unit, form=plan_form())


def headers(sheet: Worksheet) -> list[str]:
    return [str(cell.value) for cell in sheet[HEADER_ROW + 1]]


def test_sheets_follow_the_form(tmp_path):
    book = load_workbook(plan_workbook(tmp_path))
    assert book.sheetnames == ["填表说明", "填报信息", "编制方式", "进展", "_codes", "_portal"]
    assert [book[name].sheet_state for name in ("_codes", "_portal")] == ["veryHidden"] * 2
    assert book.active.title == "填报信息"
    sheet = book["进展"]
    assert headers(sheet)[:6] == ["单位代码", "单位", "#header", "上级项目", "项目", "*进展"]
    assert headers(sheet)[6] == "进展（上次认定）"
    assert sheet["A6"].value == "360123"
    assert sheet["A6"].number_format == "@"
    assert sheet["G6"].value == "已完成"
    assert sheet.column_dimensions["C"].hidden
    assert sheet.row_dimensions[3].hidden
    assert sheet.freeze_panes == "F6"
    assert sheet.auto_filter.ref.startswith("A5:")
    assert (sheet.page_setup.paperSize, sheet.page_setup.orientation) == (8, "landscape")
    assert "取自 2026-11-22 10:32" in sheet["A1"].value


def test_one_may_type_where_it_is_meant_and_look_at_all(tmp_path):
    sheet = load_workbook(plan_workbook(tmp_path))["进展"]
    assert sheet.protection.sheet
    assert not sheet.protection.formatColumns
    assert not sheet.protection.autoFilter
    locked = {header: cell.protection.locked for header, cell in zip(headers(sheet), sheet[6])}  # noqa: B905
    assert not locked["*进展"]
    assert locked["单位代码"]
    assert locked["进展（上次认定）"]
    assert locked["佐证材料（请在网页上传）"]


def test_hints_offer_and_never_stop(tmp_path):
    book = load_workbook(plan_workbook(tmp_path))
    found = book["进展"].data_validations.dataValidation
    assert {v.type for v in found} == {"list", "date"}
    assert {v.errorStyle for v in found} <= {"warning", "information"}
    lists = [v.formula1 for v in found if v.type == "list"]
    assert lists == ["codes_2"]
    assert book.defined_names["codes_2"].attr_text == "_codes!$B$1:$B$4"
    assert book["_codes"]["B3"].value == "已完成"


def test_conditions_grey_out_and_ask(tmp_path):
    sheet = load_workbook(plan_workbook(tmp_path))["进展"]
    rules = {
        str(area.sqref): [rule.formula[0] for rule in area.rules]
        for area in sheet.conditional_formatting
    }
    column = next(c.column_letter for c in sheet[5] if c.value == "△跳过理由")
    assert rules[f"{column}6:{column}8"][0].startswith("NOT(AND(NOT($")
    assert rules[f"{column}6:{column}8"][1].endswith('$F6="跳过")')


@pytest.mark.parametrize(
    ("condition", "excel", "chinese"),
    [
        ("True", "TRUE", "始终"),
        ("stage == '10'", '$B1="批复"', "“阶段”为“批复”"),
        ("stage in ('02', '10')", 'OR($B1="公示",$B1="批复")', "“阶段”为“公示”或“批复”"),
        ("done_on != None", 'NOT($C1="")', "“完成日期”已填写"),
        ("done_on < today", 'AND($C1<>"",$C1<TODAY())', "“完成日期”早于今天"),
        ("is_big and people > 3", 'AND(OR($D1=TRUE,$D1="是"),AND($E1<>"",$E1>3))',
         "“是否中心村”为“是”，且“人口”大于3"),
        ("not is_big", 'NOT(OR($D1=TRUE,$D1="是"))', "不满足（“是否中心村”为“是”）"),
        ("days(done_on, today) >= 30", 'AND($C1<>"",(TODAY()-$C1)>=30)', None),
        ("'10' == stage", '$B1="批复"', None),
        ("people not in (1, 2)", "NOT(OR($E1=1,$E1=2))", "“人口”不为1或2"),
        ("is_big == False", '$D1="否"', "“是否中心村”为“否”"),
        ("1 < people <= 9", 'AND(AND($E1<>"",1<$E1),AND($E1<>"",$E1<=9))', None),
        ("abs(-people + 3) * 2 > 1", 'AND($E1<>"",(ABS((-($E1)+3))*2)>1)', None),
        ("round(people) == people", "ROUND($E1,0)=$E1", None),
        ("(people if is_big else 0) > 3",
         'AND($D1<>"",$E1<>"",IF(OR($D1=TRUE,$D1="是"),$E1,0)>3)', None),
        ("is_big if people > 3 else True",
         'IF(AND($E1<>"",$E1>3),OR($D1=TRUE,$D1="是"),TRUE)', None),
        ("people", 'OR($E1=TRUE,$E1="是")', "“人口”为“是”"),
        ("people + 1", None, None),
        ("'x' in stage", None, None),
        ("unknown == 1", None, None),
        ("1 +", None, None),
    ],
)  # fmt: skip
def test_conditions_in_excel_and_in_words(condition, excel, chinese):
    names = {
        code: Reference(f"${letter}1", FORM.find_field("form", code))
        for letter, code in zip("BCDE", ("stage", "done_on", "is_big", "people"), strict=True)
    }
    assert formula(FORM, condition, names) == excel
    assert words(FORM, "form", condition) == chinese


def test_every_condition_of_the_forms_becomes_a_hint(tmp_path):
    """Form B's are simple; of Form A's those that look at facts of a stage need their columns."""
    form = compile_form()
    names = {f.code: Reference("$A1", f) for f in form.fields_of("contract")}
    for item in form.fields_of("contract"):
        for condition in filter(None, (item.visible_when, item.required_when)):
            assert formula(form, condition, names)
            assert words(form, "contract", condition)


def test_the_guide_says_it_in_words(tmp_path):
    sheet = load_workbook(plan_workbook(tmp_path))["填表说明"]
    lines = {row[2]: row for row in sheet.iter_rows(values_only=True) if row[2]}
    assert lines["跳过理由"][5] == "“进展”为“跳过”时"
    assert lines["进展"][7] == "未开始、进行中、已完成、跳过"
    assert "{" not in json.dumps(list(lines.values()), default=str, ensure_ascii=False)


def test_what_the_unit_attached_and_by_when(tmp_path):
    files = (File(7, "工作方案", "方案.pdf"),)
    content = filled(LAUNCH={"evidence": {"工作方案": 7, "领导小组文件": 8}})
    unit = WorkbookUnit("360123", "安义县", "", 1, county_context(files=files), content, {})
    stamp = replace(
        STAMP, form_code="plan_progress", deadline_at=datetime(2026, 12, 5, 10, tzinfo=UTC)
    )
    path = tmp_path / "workbook.xlsx"
    write_workbook(plan_form(), [unit], stamp, path)
    sheet = load_workbook(path)["进展"]
    column = headers(sheet).index("佐证材料（请在网页上传）")
    assert sheet[6][column].value == "工作方案（方案.pdf）、领导小组文件（已上传）"
    assert "报送截止 2026-12-05 18:00" in sheet["A1"].value


def test_odd_values_travel_as_what_they_are(tmp_path):
    odd = {"people": 10**16, "area": "0.12345678901234567", "done_on": "1899-12-31", "name": True}
    unit = sample_unit(sample_content(**odd))
    path = written(tmp_path, unit)
    assert contents(read_workbook(path, FORM)) == expected(FORM, unit)
    sheet = load_workbook(path)["village信息"]
    assert sheet.cell(FIRST_ROW + 1, column_of(sheet, "people")).value == "10000000000000000"


def test_sheets_of_one_name_are_told_apart():
    fields = tuple(Field(group, "a", "甲", "text", section="同/名") for group in ("form", "b"))
    form = Form("f", 1, "表", "2020", 1, fields, {})
    names = sheet_names(form)
    assert names["form"] == "同 名"
    assert len(set(names.values())) == 2
    village = reference_form("village_evaluation", "村庄评估")
    assert sheet_names(village) == {"form": "行政村", "natural_village": "自然村"}


# MARKED


def marked(tmp_path: Path, *marks: Mark) -> Path:
    target = tmp_path / "marked.xlsx"
    mark_workbook(written(tmp_path), target, marks)
    return target


def test_errors_come_back_at_their_cells(tmp_path):
    path = marked(
        tmp_path,
        Mark("village信息", 6, "people", "人口过多。", Severity.ERROR, "请核对。"),
        Mark("village信息", 7, "name", "=名称可疑", Severity.WARNING),
        Mark("form信息", 6, "", "整行有误", Severity.ERROR),
    )
    book = load_workbook(path)
    sheet, found = book["village信息"], book[ERROR_SHEET]
    people = sheet.cell(FIRST_ROW + 1, column_of(sheet, "people"))
    assert people.comment.text == "错误：人口过多。"
    assert people.value == 1234
    assert book["form信息"]["A6"].comment.text == "错误：整行有误"
    assert book.active.title == ERROR_SHEET
    assert found["A1"].value.startswith("共 3 处需要核对")
    assert [cell.value for cell in found[3]][1:] == [
        "错误", f"village信息!{people.coordinate}", "南昌县 · 第0村", "人口（人）", "1234",
        "人口过多。", "请核对。",
    ]  # fmt: skip
    assert found["C3"].hyperlink.location == f"'village信息'!{people.coordinate}"
    assert found["G4"].data_type == "s"
    first = next(iter(sheet.conditional_formatting))
    assert (str(first.sqref), first.rules[0].priority) == (people.coordinate, 1)


def test_all_else_stays_and_it_can_be_read_again(tmp_path):
    path = marked(tmp_path, Mark("village信息", 6, "people", "人口过多。", Severity.ERROR))
    reading = read_workbook(path, FORM)
    assert contents(reading) == expected(FORM, sample_unit(sample_content(**FILLED)))
    assert (reading.faults, reading.notes) == ((), ())
    sheet = load_workbook(path)["village信息"]
    assert sheet.protection.sheet
    assert sheet.freeze_panes
    assert len(sheet.data_validations.dataValidation) >= 5
    assert sheet.row_dimensions[3].hidden


def test_a_second_marking_replaces_the_first(tmp_path):
    path = marked(tmp_path, Mark("village信息", 6, "people", "甲", Severity.ERROR))
    changed(path, lambda sheet: sheet.row_dimensions.__getitem__(7).__setattr__("hidden", True))
    mark_workbook(path, path, [Mark("village信息", 7, "name", "乙", Severity.ERROR)])
    sheet = load_workbook(path)["village信息"]
    comments = [cell.comment.text for row in sheet.iter_rows() for cell in row if cell.comment]
    assert comments == ["错误：乙"]
    assert not sheet.row_dimensions[7].hidden
    ours = [
        str(area.sqref)
        for area in sheet.conditional_formatting
        for rule in area.rules
        if "portal-mark" in rule.formula[0]
    ]
    assert ours == ["E7"]


def test_a_plain_sheet_is_marked_by_its_letters(tmp_path):
    path = written(tmp_path)
    book = load_workbook(path)
    book.create_sheet("历史")["B2"] = "x"
    book.save(path)
    mark_workbook(path, path, [Mark("历史", 2, "B", "不认识", Severity.ERROR)])
    assert load_workbook(path)["历史"]["B2"].comment.text == "错误：不认识"


def test_an_unsafe_file_is_not_marked(tmp_path):
    path = tmp_path / "given.xlsx"
    path.write_bytes(b"%PDF")
    with pytest.raises(WorkbookRefused) as caught:
        mark_workbook(path, tmp_path / "marked.xlsx", [])
    assert caught.value.details["reason"] is Refusal.NOT_A_WORKBOOK
    assert not (tmp_path / "marked.xlsx").exists()
