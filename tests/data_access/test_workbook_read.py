"""A workbook comes back from a clerk: understood, or a fault that names the cell."""

import subprocess
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

import pytest
from openpyxl import load_workbook
from openpyxl.worksheet.worksheet import Worksheet

from data_access.workbook_layout import FIRST_ROW, KEPT
from data_access.workbook_mark import mark_workbook
from data_access.workbook_read import read_workbook
from domain.forms import Severity
from domain.workbook import FaultKind, Mark
from tests.forms import county_context, filled, plan_form
from tests.sample_workbook import (
    FILLED,
    STAMP,
    changed,
    column_of,
    contents,
    expected,
    first_value,
    put,
    rewritten,
    sample_content,
    sample_form,
    sample_unit,
    set_cell,
    written,
)

FORM = sample_form()
UNIT = sample_unit(sample_content(**FILLED))


def village_rows(path: Path) -> list[dict]:
    return [dict(r.values) for r in read_workbook(path, FORM).rows if r.group == "village"]


@pytest.mark.parametrize(
    ("shown", "number", "understood"),
    [
        ("0%", 0.45, "45"),
        ("0.00%", 0.07, "7"),
        ("0.000%;[Red]-0.000%", 0.12345, "12.345"),
        ("General", 0.45, "0.45"),
        ('0.0"%"', 0.45, "0.45"),
    ],
)
def test_a_percentage_is_read_as_excel_shows_it(tmp_path, shown, number, understood):
    def retype(sheet: Worksheet) -> None:
        cell = sheet.cell(FIRST_ROW + 1, column_of(sheet, "area"))
        cell.number_format, cell.value = shown, number

    percents = [replace(f, unit="%") if f.code == "area" else f for f in FORM.fields]
    form = replace(FORM, fields=tuple(percents))
    path = changed(written(tmp_path, form=form), retype)
    reading = read_workbook(path, form)
    first = next(row for row in reading.rows if row.group == "village")
    assert first.values["area"] == understood
    named = [note for note in reading.notes if "按显示的百分数读取" in note]
    assert len(named) == (understood != "0.45")
    # The same cell in a column of hectares stays the number it is.
    assert first_value(path, "area") == f"{number}"


def faults(path: Path) -> list[tuple[FaultKind, int, str]]:
    return [(f.kind, f.row_no, f.field) for f in read_workbook(path, FORM).faults]


def test_what_was_written_is_read(tmp_path):
    other = sample_unit(sample_content("360122", 2, name="@甲"), "360122", 2)
    reading = read_workbook(written(tmp_path, UNIT, other), FORM)
    assert contents(reading) == expected(FORM, UNIT, other)
    assert (reading.faults, reading.notes) == ((), ())
    assert reading.stamp == STAMP


def test_form_a_comes_back(tmp_path):
    content = filled(LAUNCH={"state": "completed", "completed_on": "2026-03-01", "note": "-"})
    unit = UNIT.__class__("360123", "安义县", "南昌市", 1, county_context(), content, content)
    form = plan_form()
    reading = read_workbook(written(tmp_path, unit, form=form), form)
    assert contents(reading) == expected(form, unit)
    assert reading.faults == ()


@pytest.mark.parametrize(
    ("code", "typed", "understood"),
    [
        ("people", "１，２３４ ", 1234),
        ("people", "'1234", 1234),
        ("people", 1234.0, 1234),
        ("people", 3.7, 3.7),
        ("people", "约三百", "约三百"),
        ("area", 0.1 + 0.2, "0.3"),
        ("area", "12.50", "12.5"),
        ("area", 1e-7, "0.0000001"),
        ("done_on", "2026年3月1日", "2026-03-01"),
        ("done_on", "2026.3.1", "2026-03-01"),
        ("done_on", 46082, "2026-03-01"),
        ("done_on", "46082", "2026-03-01"),
        ("done_on", 20260301, "2026-03-01"),
        ("done_on", 2026, "2026"),
        ("done_on", date(2026, 3, 1), "2026-03-01"),
        ("done_on", datetime(2026, 3, 1, 8, 30), "2026-03-01 08:30:00"),  # noqa: DTZ001
        ("stage", 1, "01"),
        ("stage", " 公 示", "02"),
        ("stage", "启动(一)", "01"),
        ("stage", "'02", "02"),
        ("stage", "没有", "没有"),
        ("alike", "同名（b）", "b"),
        ("is_big", "否", False),
        ("is_big", True, True),
        ("phone", 13800000000, "13800000000"),
        ("phone", "０７９１－８６８８１２３４", "0791-86881234"),
        ("name", 360121, "360121"),
        ("name", "\u3000甲 村 ", "甲 村"),
        ("name", "+86", "+86"),
        ("name", None, None),
        ("remark", "   ", None),
    ],
)
def test_habits_of_excel_are_understood(tmp_path, code, typed, understood):
    path = written(tmp_path)

    def retype(sheet: Worksheet) -> None:
        cell = sheet.cell(FIRST_ROW + 1, column_of(sheet, code))
        if not isinstance(typed, date):
            cell.number_format = "General"
        cell.value = typed
        if isinstance(typed, str):
            cell.data_type = "s"

    assert first_value(changed(path, retype), code) == understood


@pytest.mark.parametrize("typed", [3.60121e14 * 1000, "3.6E+14", "３．６Ｅ＋１４"])
def test_a_code_that_turned_scientific_is_a_fault(tmp_path, typed):
    path = put(written(tmp_path), "name", typed)
    assert faults(path) == [(FaultKind.SCIENTIFIC, 6, "name")]
    assert "name" not in village_rows(path)[0]


def test_days_counted_from_1904_are_understood(tmp_path):
    path = written(tmp_path)
    book = load_workbook(path)
    book.epoch = datetime(1904, 1, 1)  # noqa: DTZ001
    sheet = book["village信息"]
    set_cell(sheet, "done_on", 44620)
    sheet.cell(FIRST_ROW + 1, column_of(sheet, "done_on")).number_format = "General"
    book.save(path)
    assert first_value(path, "done_on") == "2026-03-01"


def test_columns_may_move_and_be_renamed(tmp_path):
    path = written(tmp_path)

    def shuffle(sheet: Worksheet) -> None:
        one, other = column_of(sheet, "name"), column_of(sheet, "phone")
        for number in range(3, sheet.max_row + 1):
            a, b = sheet.cell(number, one), sheet.cell(number, other)
            a.value, b.value = b.value, a.value
            a.data_type = b.data_type = "s"
        sheet.cell(5, column_of(sheet, "area")).value = "面积（亩）"

    reading = read_workbook(changed(path, shuffle), FORM)
    assert contents(reading) == expected(FORM, UNIT)
    assert reading.columns["village信息", "name"] == "M"
    assert reading.notes == (
        "工作表“village信息”：面积（公顷）（现为“面积（亩）”）列的标题已改名，仍按原来的字段读取。",
    )


def test_what_is_deleted_is_not_touched_and_what_is_added_is_noted(tmp_path):
    path = written(tmp_path)

    def cut(sheet: Worksheet) -> None:
        sheet.delete_cols(column_of(sheet, "area"))
        sheet.delete_rows(FIRST_ROW + 2)
        sheet.insert_rows(FIRST_ROW + 1, 2)
        sheet.cell(5, 30).value = "我的备注"
        sheet.cell(FIRST_ROW + 3, 30).value = "记得核对"
        sheet.cell(FIRST_ROW + 9, 1).value = "填表人：张三"

    reading = read_workbook(changed(path, cut), FORM)
    rows = [row for row in reading.rows if row.group == "village"]
    assert [row.key for row in rows] == ["360121/000", "360121/002"]
    assert all("area" not in row.values for row in rows)
    assert reading.faults == ()
    assert [note.partition("：")[2] for note in reading.notes] == [
        "没有面积列，这些内容不改动。",
        "AD（我的备注）列不属于本表单，未读取。",
        "第 14 行不是表中的行，未读取。",
    ]


def test_rows_in_doubt_are_faults(tmp_path):
    path = written(tmp_path)

    def copy(sheet: Worksheet) -> None:
        for cell in sheet[FIRST_ROW + 1]:
            sheet.cell(FIRST_ROW + 4, cell.column).value = cell.value
        sheet.cell(FIRST_ROW + 2, 1).value = "360122"
        set_cell(sheet, "name", "新村", row=5)

    path = changed(path, copy)
    assert sorted(faults(path)) == [
        (FaultKind.CODE_DIFFERS, 7, ""),
        (FaultKind.DUPLICATE_ROW, 6, ""),
        (FaultKind.DUPLICATE_ROW, 9, ""),
        (FaultKind.NEW_ROW, 11, ""),
    ]
    messages = [fault.message for fault in read_workbook(path, FORM).faults]
    assert "与第 9 行是同一行，两行都未采用。请只保留一行。" in messages
    assert len(village_rows(path)) == 1


def test_a_unit_code_may_have_become_a_number(tmp_path):
    path = changed(
        written(tmp_path), lambda sheet: sheet.cell(FIRST_ROW + 1, 1).__setattr__("value", 360121)
    )
    assert faults(path) == []
    assert len(village_rows(path)) == 3


def test_cells_in_doubt_are_faults(tmp_path):
    path = written(tmp_path)

    def spoil(sheet: Worksheet) -> None:
        column = column_of(sheet, "people")
        sheet.merge_cells(
            start_row=FIRST_ROW + 1, end_row=FIRST_ROW + 2, start_column=column, end_column=column
        )
        set_cell(sheet, "area", "=1+1")
        sheet.cell(FIRST_ROW + 2, column_of(sheet, "area")).value = "#N/A"

    path = changed(path, spoil)
    found = faults(path)
    assert (FaultKind.MERGED, 6, "people") in found
    assert (FaultKind.MERGED, 7, "people") in found
    assert (FaultKind.FORMULA_WITHOUT_VALUE, 6, "area") in found
    assert (FaultKind.EXCEL_ERROR, 7, "area") in found
    assert len(found) == 4
    assert set(village_rows(path)[0]) == {f.code for f in FORM.fields} - {
        "people",
        "area",
        "files",
    }


def test_a_formula_counts_as_its_result(tmp_path):
    def compute(name: str, content: bytes) -> bytes:
        return content.replace(b"<v>1234</v>", b"<f>617*2</f><v>1234</v>", 1)

    reading = read_workbook(rewritten(written(tmp_path), compute), FORM)
    assert contents(reading) == expected(FORM, UNIT)
    assert {note.partition("：")[2] for note in reading.notes} == {
        "F6是公式，按其计算结果读取。",
        "G6是公式，按其计算结果读取。",
    }


def test_a_column_copied_is_a_fault(tmp_path):
    def copy(sheet: Worksheet) -> None:
        for number in range(1, sheet.max_row + 1):
            value = sheet.cell(number, column_of(sheet, "people")).value
            sheet.cell(number, sheet.max_column if number > 1 else 30).value = value

    path = changed(written(tmp_path), copy)
    assert faults(path) == [(FaultKind.DUPLICATE_COLUMN, 5, "people")] * 2
    assert "people" not in village_rows(path)[0]


def test_a_unit_code_that_turned_scientific_is_not_the_units(tmp_path):
    path = changed(
        written(tmp_path), lambda sheet: sheet.cell(FIRST_ROW + 1, 1).__setattr__("value", 3.6e20)
    )
    assert faults(path) == [(FaultKind.CODE_DIFFERS, 6, "")]


def test_without_the_mark_of_headers_the_row_before_the_data_is_theirs(tmp_path):
    path = changed(written(tmp_path), lambda sheet: sheet.cell(5, 3).__setattr__("value", None))
    reading = read_workbook(path, FORM)
    assert contents(reading) == expected(FORM, UNIT)
    assert (reading.faults, reading.notes) == ((), ())


def test_hidden_rows_and_other_sheets_are_noted(tmp_path):
    path = written(tmp_path)
    book = load_workbook(path)
    book["village信息"].row_dimensions[FIRST_ROW + 1].hidden = True
    book["village信息"].title = "我的村庄"
    book.move_sheet("我的村庄", -2)
    book.create_sheet("草稿").cell(1, 1).value = 1
    del book["form信息"]
    book.save(path)
    reading = read_workbook(path, FORM)
    assert {row.sheet for row in reading.rows} == {"我的村庄"}
    assert len(reading.rows) == 3
    assert reading.notes == (
        "工作表“我的村庄”：有 1 行被隐藏或筛选掉，同样已读取。",
        "没有找到工作表“form信息”，该表的内容不改动。",
        "工作表“草稿”不属于本表单，未读取。",
    )


def test_a_sheet_copied_twice_is_read_once(tmp_path):
    path = written(tmp_path)
    book = load_workbook(path)
    book.copy_worksheet(book["village信息"])
    book.save(path)
    assert faults(path) == [(FaultKind.DUPLICATE_SHEET, 0, "")]


def test_a_text_too_long_for_excel_is_kept_as_it_is(tmp_path):
    unit = sample_unit(sample_content(**{**FILLED, "remark": "长" * 40_000}))
    path = written(tmp_path, unit)
    assert "remark" not in village_rows(path)[0]
    assert load_workbook(path)["village信息"]["F6"].value == KEPT


def test_libreoffice_opens_and_saves_it_without_loss(tmp_path):
    path = written(tmp_path)
    mark_workbook(path, path, [Mark("village信息", 6, "people", "请核对", Severity.ERROR)])
    saved = libreoffice(path, tmp_path)
    reading = read_workbook(saved, FORM)
    assert contents(reading) == expected(FORM, UNIT)
    assert (reading.faults, reading.notes) == ((), ())
    book = load_workbook(saved)
    sheet = book["village信息"]
    assert "请核对" in sheet.cell(FIRST_ROW + 1, column_of(sheet, "people")).comment.text
    assert sheet.protection.sheet
    assert sheet.row_dimensions[3].hidden
    assert len(sheet.data_validations.dataValidation) >= 5
    assert sheet.cell(FIRST_ROW + 1, column_of(sheet, "name")).value == "=1+1"
    assert sheet.cell(FIRST_ROW + 1, column_of(sheet, "name")).data_type == "s"


def libreoffice(path: Path, tmp_path: Path) -> Path:
    """Return the workbook as LibreOffice saves it again."""
    folder = tmp_path / "saved"
    subprocess.run(
        [
            *("soffice", "--headless", f"-env:UserInstallation=file://{tmp_path}/profile"),
            *("--convert-to", "xlsx", "--outdir", str(folder), str(path)),
        ],
        check=True,
        capture_output=True,
        timeout=120,
    )
    return folder / path.name
