"""Two versions beside each other: files by their content, fields by their values."""

from datetime import date

import pytest

from domain.comparison import FileChange, FilePair, StoredFile, compare, file_ids
from domain.forms import ChangeKind, Context, Field, Form

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
    return {"form": {"note": None, "days": None, "proof": None} | values}


def pairs(left, right):
    files = {one.file_id: one for one in (OLD, AGAIN, OTHER)}
    return {
        pair.path: pair for pair in compare(FORM, content(**left), content(**right), CONTEXT, files)
    }


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
