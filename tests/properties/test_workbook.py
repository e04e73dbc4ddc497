"""A workbook there and back: the same content, for every form and whatever a clerk does to it."""

import random
import re
import tempfile
import unicodedata
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook
from openpyxl.worksheet.worksheet import Worksheet

from data_access.reporting_forms import FORMS
from data_access.workbook_layout import (
    CODE_ROW,
    EXACT_BELOW,
    FIRST_ROW,
    HEADER_ROW,
    KEPT,
    shown_codes,
)
from data_access.workbook_read import read_workbook
from domain.forms import FORM_GROUP, Content, Context, Field, Form, Row
from domain.workbook import WorkbookUnit
from tests.forms import county_context, reference_form
from tests.sample_workbook import Contents, contents, expected, sample_form, written

SLOW = {
    "deadline": None,
    "max_examples": 10,
    "phases": [Phase.explicit, Phase.reuse, Phase.generate],
    "suppress_health_check": [HealthCheck.too_slow, HealthCheck.data_too_large],
}
TODAY = date(2026, 11, 22)
SCIENTIFIC = re.compile(r"\s*[+-]?\d+(\.\d+)?[eE]\+?\d+\s*")
SHAPES = ["=1+1", "+86", "-", "@SUM(A1)", "'0012", "007", "TRUE", KEPT[:-1]]
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=30).filter(
    lambda text: not SCIENTIFIC.fullmatch(unicodedata.normalize("NFKC", text))
) | st.sampled_from([*SHAPES, "_x0041_", "\t\r\n a"])
# The clerk's stand-in, openpyxl, loses control signs and whatever looks like an escape.
SIMPLE_TEXTS = st.text(
    st.characters(exclude_categories=["Cs", "Cc", "Nd"], exclude_characters="_"), max_size=30
) | st.sampled_from(SHAPES)
UNDERSTOOD = {
    "integer": st.integers(-(10**20), 10**20),
    "decimal": st.decimals(-(10**14), 10**14, places=4).map(str),
    "date": st.dates(date(1800, 1, 1)).map(str),
    "boolean": st.booleans(),
    "phone": st.sampled_from(["13800000000", "0791-86881234"]),
    "evidence": st.none(),
}
ODD = st.sampled_from(["约三百", "?", "2026年", "不详", "１２", "86881234"])


FORM_CODES = [*FORMS, "sample"]


@cache
def form_of(form_code: str) -> Form:
    return sample_form() if form_code == "sample" else reference_form(form_code, form_code)


@cache
def context_of(form_code: str) -> Context:
    """Return two rows in each group of a form; Form A's stand under one another."""
    if form_code == "plan_progress":
        return county_context()
    groups = [group for group in form_of(form_code).groups if group != FORM_GROUP]
    return Context(
        TODAY, rows={group: [Row(f"{group}/{i}", f"第{i}项") for i in "12"] for group in groups}
    )


def values_of(form: Form, item: Field, *, odd: bool) -> st.SearchStrategy[object]:
    """Return what a field may hold; with `odd`, also what its check refuses."""
    if item.data_type == "code":
        known: st.SearchStrategy[object] = st.sampled_from(list(form.options(item)))
    else:
        known = UNDERSTOOD.get(item.data_type, TEXTS if odd else SIMPLE_TEXTS)
    return st.none() | known | (ODD if odd and item.data_type != "evidence" else st.nothing())


@st.composite
def filled_units(draw: Any, form: Form, *, odd: bool = True) -> list[WorkbookUnit]:
    """Draw one or two units with content."""
    context = context_of(form.form_code)
    units = []
    for code in draw(st.sampled_from([["360121"], ["360121", "360122"]])):
        content: Content = {}
        for group in form.groups:
            fields = st.fixed_dictionaries(
                {f.code: values_of(form, f, odd=odd) for f in form.fields_of(group)}
            )
            if group == FORM_GROUP:
                content[group] = draw(fields)
                continue
            content[group] = [
                {"key": row.key, **row.identity, **draw(fields)}
                for row in context.rows.get(group, ())
            ]
        units.append(WorkbookUnit(code, f"单位{code}", "某市", 1, context, content, {}))
    return units


def differences(found: Contents, wanted: Contents) -> list[tuple[object, ...]]:
    """Return each value that is not as it was; rows that are missing or too many too."""
    return [
        (*row, code, found.get(row, {}).get(code, "—"), wanted.get(row, {}).get(code, "—"))
        for row in found.keys() | wanted.keys()
        for code in found.get(row, {}).keys() | wanted.get(row, {}).keys()
        if found.get(row, {}).get(code, "—") != wanted.get(row, {}).get(code, "—")
    ]


@pytest.mark.parametrize("form_code", FORM_CODES)
@settings(**SLOW)
@given(data=st.data())
def test_what_is_exported_and_imported_is_the_same(form_code, data):
    form = form_of(form_code)
    units = data.draw(filled_units(form))
    # What the province accepted stands beside and is never read.
    units[0] = replace(units[0], accepted=units[-1].content)
    with tempfile.TemporaryDirectory() as folder:
        reading = read_workbook(written(Path(folder), *units, form=form), form)
    assert differences(contents(reading), expected(form, *units)) == []
    assert (reading.faults, reading.notes) == ((), ())


@pytest.mark.parametrize("form_code", FORM_CODES)
@settings(**SLOW)
@given(data=st.data(), seed=st.integers(0, 2**32))
def test_order_and_harmless_mangling_change_nothing(form_code, data, seed):
    form = form_of(form_code)
    units = data.draw(filled_units(form, odd=False))
    with tempfile.TemporaryDirectory() as folder:
        path = written(Path(folder), *units, form=form)
        mangle(path, form, random.Random(seed))
        reading = read_workbook(path, form)
    assert differences(contents(reading), expected(form, *units)) == []
    assert reading.faults == ()


# WHAT CLERKS AND THEIR PROGRAMS DO


def mangle(path: Path, form: Form, dice: random.Random) -> None:
    """Move sheets, rows and columns; retype cells as people and programs do."""
    book = load_workbook(path)
    fields = {f"{f.group}.{f.code}": f for f in form.fields}
    for sheet in book.worksheets[1 : 1 + len(form.groups)]:
        _retype(sheet, form, fields, dice)
        _move(sheet, dice)
        sheet.title = f"{sheet.title[:20]} 改"
    book.move_sheet(book.worksheets[0], dice.randint(0, 3))
    book.save(path)


def _retype(sheet: Worksheet, form: Form, fields: Mapping[str, Field], dice: random.Random) -> None:
    for column in range(1, sheet.max_column + 1):
        item = fields.get(str(sheet.cell(CODE_ROW + 1, column).value))
        for number in range(FIRST_ROW + 1, sheet.max_row + 1):
            cell = sheet.cell(number, column)
            if item and item.data_type != "evidence" and cell.value is not None:
                typed = dice.choice(_ways(form, item, cell.value))
                cell.value = typed
                cell.data_type = "s" if isinstance(typed, str) else cell.data_type
            elif column == 1 and cell.value:
                cell.value = dice.choice([cell.value, int(cell.value), f" {cell.value}"])


def _ways(form: Form, item: Field, value: Any) -> list[Any]:
    """Return ways of writing the same."""
    if item.data_type == "date" and hasattr(value, "date"):
        day = value.date()
        serial = (day - date(1899, 12, 30)).days
        texts = [f"{day.year}年{day.month}月{day.day}日", f" {day:%Y/%m/%d}", _wide(str(day))]
        return [value, *texts, f"{day:%Y%m%d}", *([serial] if 20_000 <= serial < 80_000 else [])]
    if item.data_type in ("integer", "decimal") and isinstance(value, int):
        return [value, float(value), f" {value}\u3000", _wide(str(value)), f"{value:,}"]
    if item.data_type == "code":
        code = {name: code for code, name in shown_codes(form.options(item)).items()}[value]
        number = [int(code)] if code.isdecimal() and int(code) < EXACT_BELOW else []
        return [value, f" {value}\n", _wide(value), code, *number]
    if item.data_type == "boolean":
        return [value, f"{value} ", value == "是"]
    if item.data_type == "phone":
        return [value, _wide(value), f"{value} "]
    return [value, f"  {value}\u3000"]


def _wide(text: str) -> str:
    return "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text)


def _move(sheet: Worksheet, dice: random.Random) -> None:
    """Sort the rows and put the columns in another order."""
    head = HEADER_ROW + 1
    grid = [
        [(cell.value, cell.data_type, cell.number_format) for cell in row]
        for row in sheet.iter_rows()
    ]
    rows = [*range(head), *dice.sample(range(head, len(grid)), len(grid) - head)]
    columns = dice.sample(range(len(grid[0])), len(grid[0]))
    for number, row in enumerate(rows, 1):
        for place, column in enumerate(columns, 1):
            cell = sheet.cell(number, place)
            cell.value, cell.data_type, cell.number_format = grid[row][column]
