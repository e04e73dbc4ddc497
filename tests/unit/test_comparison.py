"""Two versions beside each other: files by their content, fields by their values."""

from dataclasses import replace
from datetime import date

import pytest

from components.comparison import comparison_table, rows_sentence
from data_access.comparison import Side
from domain.comparison import FileChange, FilePair, StoredFile, by_row, compare, file_ids
from domain.form_diff import ChangeKind, count_changes, diff
from domain.forms import Context, Field, Form, Row

OLD, AGAIN = StoredFile(1, "a.pdf", "aa"), StoredFile(2, "b.pdf", "aa")
OTHER, UNKNOWN = StoredFile(3, "c.pdf", "cc"), StoredFile(9, "", "")
FORM = Form(
    "f",
    1,
    "表",
    "1",
    1,
    (
        Field("form", "note", "说明", "text"),
        Field("form", "days", "天数", "integer"),
        Field("form", "proof", "材料", "evidence"),
        Field("form", "year", "填报年度", "integer", read_only=True),
    ),
    {},
)
CONTEXT = Context(date(2026, 11, 22))


@pytest.mark.parametrize(
    ("left", "right", "change"),
    [
        (OLD, OLD, FileChange.SAME),
        (OLD, AGAIN, FileChange.SENT_AGAIN),
        (OLD, OTHER, FileChange.REPLACED),
        (OLD, UNKNOWN, FileChange.REPLACED),
        (UNKNOWN, StoredFile(8, "", ""), FileChange.REPLACED),
        (None, OLD, FileChange.ADDED),
        (OLD, None, FileChange.REMOVED),
    ],
)
def test_files_are_compared_by_what_is_in_them(left, right, change):
    assert FilePair("合同", left, right).change is change


def content(**values):
    return {"form": {"note": None, "days": None, "proof": None, "year": None} | values}


def pairs(left, right):
    files = {one.file_id: one for one in (OLD, AGAIN, OTHER)}
    return {
        pair.path: pair for pair in compare(FORM, content(**left), content(**right), CONTEXT, files)
    }


def test_amounts_have_their_unit_and_their_thousands_apart():
    amounts = tuple(
        Field("form", code, code, kind, unit=unit)
        for code, kind, unit in (
            ("people", "integer", "人"),
            ("area", "decimal", "公顷"),
            ("year", "integer", None),
            ("note", "text", None),
        )
    )
    said = {"people": 1402, "area": "12345.6780", "year": 2027, "note": "1402"}
    shown = compare(replace(FORM, fields=amounts), {"form": {}}, {"form": said}, CONTEXT, {})
    assert {pair.path.removeprefix("form."): (pair.right, pair.unit) for pair in shown} == {
        "people": ("1,402", "人"),
        "area": ("12,345.678", "公顷"),
        "year": ("2027", ""),
        "note": ("1402", ""),
    }


def test_what_the_portal_says_itself_is_shown_and_no_change():
    before, after = {"note": "甲", "year": 2025}, {"note": "乙", "year": 2026}
    found = pairs(before, after)
    assert (found["form.year"].left, found["form.year"].right) == ("2025", "2026")
    assert [path for path, pair in found.items() if pair.change] == ["form.note"]
    assert count_changes(FORM, content(**before), content(**after)) == 1
    assert [c.path for c in diff(FORM, content(**before), content(**after))] == ["form.note"]


def test_what_is_empty_on_both_sides_is_not_listed():
    assert list(pairs({"note": "甲"}, {"note": "乙"})) == ["form.note"]


def test_each_field_says_how_it_differs():
    found = pairs({"note": "甲", "proof": {"合同": 1}}, {"days": 3, "proof": {"合同": 3}})
    assert {path: pair.change for path, pair in found.items()} == {
        "form.note": ChangeKind.REMOVED,
        "form.days": ChangeKind.ADDED,
        "form.proof": ChangeKind.CHANGED,
    }
    assert [each.item for each in found["form.proof"].files] == ["合同"]


def test_the_same_file_sent_again_is_no_change():
    found = pairs({"proof": {"合同": 1}}, {"proof": {"合同": 2}})["form.proof"]
    assert found.change is None
    assert found.files[0].change is FileChange.SENT_AGAIN


def test_all_files_of_both_sides_are_looked_up():
    assert file_ids(FORM, content(proof={"合同": 1}), content(proof={"合同": 3}), {}) == {1, 3}


HAMLETS = Form(
    "v",
    1,
    "村",
    "1",
    1,
    (
        Field("form", "note", "说明", "text"),
        Field("hamlet", "people", "人口", "integer"),
        Field("hamlet", "name", "名称", "text"),
    ),
    {},
)
KNOWN = Context(
    date(2026, 11, 22),
    rows={
        "hamlet": [Row(key, label) for key, label in (("1", "上湾"), ("2", "下湾"), ("3", "石桥"))]
    },
)


def hamlets(**people):
    rows = [{"key": key[1:], "people": count, "name": "甲"} for key, count in people.items()]
    return {"form": {"note": "同"}, "hamlet": rows}


def rows_of_two(left, right, context=KNOWN):
    return by_row(compare(HAMLETS, left, right, context, {}), left, right, context)


def test_rows_are_told_as_new_gone_changed_and_the_same_with_the_same_ones_last():
    rows = rows_of_two(hamlets(_1=5, _2=7, _4=2), hamlets(_1=5, _2=8, _3=9))
    assert [(row.heading, row.change, row.changed) for row in rows] == [
        ("", None, 0),
        ("下湾", None, 1),
        ("石桥", ChangeKind.ADDED, 2),
        ("4", ChangeKind.REMOVED, 2),
        ("上湾", None, 0),
    ]
    assert [pair.name for pair in rows[1].pairs] == ["人口", "名称"]


def test_rows_under_a_row_of_another_group_keep_their_order():
    staged = replace(KNOWN, rows={"hamlet": [
        Row("1", "上湾", parent=("form", "")), Row("2", "下湾", parent=("form", ""))
    ]})  # fmt: skip
    rows = rows_of_two(hamlets(_1=5, _2=7), hamlets(_1=5, _2=8), staged)
    assert [row.key for row in rows if row.key] == ["1", "2"]


def test_eighty_rows_are_told_in_one_line_each_where_one_side_has_none():
    many = {f"_{number}": number for number in range(1, 81)}
    rows = rows_of_two({"form": {}, "hamlet": []}, hamlets(**many))
    assert rows_sentence(rows) == "分行看：新增 80 行，减少 0 行，有变化 0 行，未变 0 行"
    side = Side(0, 0, {}, None)
    table = comparison_table(rows, [], [], side, side)
    assert table.count("整行新增") == 80
    assert "人口 80；名称 甲" in table
