"""Workbooks for tests: a form with every type of field, units, and the hands of a clerk."""

import zipfile
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from openpyxl import load_workbook
from openpyxl.worksheet.worksheet import Worksheet

from data_access.workbook_layout import FIRST_ROW, field_code
from data_access.workbook_read import read_workbook
from data_access.workbook_write import write_workbook
from domain.form_values import normalise
from domain.forms import Content, Context, Field, Form, Row, rows_of, with_all_rows
from domain.workbook import Reading, Stamp, WorkbookUnit

STAMP = Stamp(
    export_id="e-1",
    form_code="sample",
    form_version=1,
    period_id=7,
    period_name="2026年11月",
    taken_at=datetime(2026, 11, 22, 2, 32, tzinfo=UTC),
    is_demo=True,
)
CODES = {
    "stage": {"01": "启动（一）", "02": "公示", "10": "批复"},
    "alike": {"a": "同名", "b": "同名", "c": "其他"},
}
FILLED: Mapping[str, Any] = {
    "name": "=1+1",
    "remark": "第一行\n-第二行",
    "people": 1234,
    "area": "12.5",
    "done_on": "2026-03-01",
    "stage": "01",
    "alike": "b",
    "is_big": True,
    "phone": "0791-86881234",
}
Contents = dict[tuple[str, str, str], dict[str, object]]
"""(unit, group, key) to the values of its fields."""


def sample_form() -> Form:
    """Return a form with every type of field, in one group of the unit and one of rows."""
    return Form("sample", 1, "样表", "2020", 1, (*_fields("form"), *_fields("village")), CODES)


def _fields(group: str) -> tuple[Field, ...]:
    def made(code: str, label: str, data_type: str, **more: Any) -> Field:
        return Field(group, code, label, data_type, section=f"{group}信息", **more)

    return (
        made("name", "名称", "text", length="50", required_when="True", help="全称。"),
        made("remark", "情况", "long_text", length="1000"),
        made("people", "人口", "integer", unit="人", length="9"),
        made("area", "面积", "decimal", unit="公顷", length="12,4"),
        made("done_on", "完成日期", "date", required_when="stage == '10'"),
        made("stage", "阶段", "code", code_table="stage"),
        made("alike", "同名项", "code", code_table="alike", visible_when="is_big == True"),
        made("is_big", "是否中心村", "boolean"),
        made("phone", "电话", "phone"),
        made("files", "附件", "evidence"),
    )


def sample_unit(
    content: Content, code: str = "360121", rows: int = 3, accepted: Content | None = None
) -> WorkbookUnit:
    """Return a unit with some rows."""
    facts = [Row(f"{code}/{i:03}", f"第{i}村", {"village": i}) for i in range(rows)]
    context = Context(date(2026, 11, 22), rows={"village": facts})
    return WorkbookUnit(code, "南昌县", "南昌市", 1, context, content, accepted or {})


def sample_content(code: str = "360121", rows: int = 3, **values: Any) -> Content:
    """Return content whose every row holds these values."""
    villages = [{"key": f"{code}/{i:03}", "village": i, **values} for i in range(rows)]
    return {"form": dict(values), "village": villages}


def written(tmp_path: Path, *units: WorkbookUnit, form: Form | None = None) -> Path:
    """Return a workbook of these units; of one filled unit without any."""
    form = form or sample_form()
    target = tmp_path / "workbook.xlsx"
    stamp = STAMP if form.form_code == "sample" else _stamp_of(form)
    write_workbook(form, units or (sample_unit(sample_content(**FILLED)),), stamp, target)
    return target


def _stamp_of(form: Form) -> Stamp:
    return Stamp("e-2", form.form_code, form.version, 7, "2026年11月", STAMP.taken_at, False)


def changed(path: Path, change: Callable[[Worksheet], None], sheet: str = "village信息") -> Path:
    """Let a clerk change one sheet of a workbook and save it."""
    book = load_workbook(path)
    change(book[sheet])
    book.save(path)
    return path


def put(path: Path, code: str, value: object, row: int = 0) -> Path:
    """Put a value into the column of a field of the group of rows."""
    return changed(path, lambda sheet: set_cell(sheet, code, value, row))


def set_cell(sheet: Worksheet, code: str, value: object, row: int = 0) -> None:
    """Set a cell of a field's column, rows of data counted from 0."""
    sheet.cell(FIRST_ROW + 1 + row, column_of(sheet, code)).value = value


def column_of(sheet: Worksheet, code: str) -> int:
    """Return the column of a field of the group of rows, from 1."""
    wanted = field_code(Field("village", code, "", ""))
    return next(cell.column for cell in sheet[3] if cell.value == wanted)


def contents(reading: Reading) -> Contents:
    """Return what was read."""
    return {(r.division_code, r.group, r.key): dict(r.values) for r in reading.rows}


def expected(form: Form, *units: WorkbookUnit) -> Contents:
    """Return what reading must give back of these units: the normal form of their content."""
    found: Contents = {}
    for unit in units:
        whole = normalise(form, with_all_rows(form, unit.content, unit.context))
        for group in form.groups:
            codes = [f.code for f in form.fields_of(group) if f.data_type != "evidence"]
            for key, row in rows_of(whole, group):
                found[unit.division_code, group, key] = {code: row.get(code) for code in codes}
    return found


def first_value(path: Path, code: str) -> object:
    """Return what is read in the first row of the group of rows."""
    rows = [row for row in read_workbook(path, sample_form()).rows if row.group == "village"]
    return rows[0].values[code]


def rewritten(path: Path, change: Callable[[str, bytes], bytes | None], **added: bytes) -> Path:
    """Return the workbook with parts changed, left out (None) and added."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            kept = change(name, content)
            if kept is not None:
                archive.writestr(name, kept)
        for name, content in added.items():
            archive.writestr(name.replace("__", "/").replace("_dot_", "."), content)
    return path
