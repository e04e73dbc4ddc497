"""A workbook's cells beside what went out and what stands now, case by case."""

from datetime import date

import pytest

from domain.forms import with_all_rows
from domain.workbook import Fault, FaultKind, ReadRow
from domain.workbook_diff import Because, Decision, EntryKind, applied, chosen, compare
from tests.forms import county_context, filled, plan_form

FORM, CONTEXT = plan_form(), county_context()
BASE = with_all_rows(FORM, filled(LAUNCH={"state": "running", "note": "旧"}), CONTEXT)


def launch(**values):
    return [ReadRow("milestone", 5, "360123", "milestone", "1/LAUNCH", values)]


def compared(rows, current=BASE, context=CONTEXT, **more):
    return compare(FORM, context, BASE, current, rows, **more)


def saved(**values):
    """Return the draft after somebody else saved these fields of the first stage."""
    return applied(
        FORM,
        CONTEXT,
        BASE,
        [(("milestone", "1/LAUNCH", code), value) for code, value in values.items()],
    )


@pytest.mark.parametrize(
    ("now", "typed", "kind"),
    [
        ("旧", "新", EntryKind.CHANGED),
        ("旧", None, EntryKind.CHANGED),
        ("他人", "新", EntryKind.CONFLICTING),
        (None, "新", EntryKind.CONFLICTING),
        ("他人", "旧", None),
        ("新", "新", None),
    ],
)
def test_three_values_decide(now, typed, kind):
    diff = compared(launch(note=typed), saved(note=now))
    assert [entry.kind for entry in diff.entries] == ([kind] if kind else [])


def test_a_value_where_there_was_none_is_new():
    (entry,) = compared(launch(started_on="2026-03-01")).entries
    assert (entry.kind, entry.old, entry.new) == (EntryKind.NEW, None, "2026-03-01")


def test_a_cell_not_understood_keeps_its_row_out_and_says_why():
    diff = compared(launch(started_on="三月初", note="新"))
    assert [entry.kind for entry in diff.entries] == [EntryKind.REFUSED] * 2
    assert "不是日期" in diff.entries[0].sentence
    assert diff.entries[1].because is Because.ROW_REFUSED


def test_a_fault_of_the_reading_keeps_its_row_out():
    fault = Fault(
        "milestone", 5, "F", "started_on", FaultKind.EXCEL_ERROR, {"found": "#REF!"},
        "360123", "milestone", "1/LAUNCH",
    )  # fmt: skip
    diff = compared(launch(note="新"), faults=[fault])
    assert {entry.kind for entry in diff.entries} == {EntryKind.REFUSED}
    assert "#REF!" in diff.entries[0].sentence


def test_a_row_the_unit_does_not_have_is_refused():
    rows = [ReadRow("milestone", 9, "360123", "milestone", "7/OTHER", {"note": "x"})]
    (entry,) = compared(rows).entries
    assert (entry.kind, entry.because, entry.field) == (EntryKind.REFUSED, Because.UNKNOWN_ROW, "")


def test_a_locked_cell_is_refused_alone():
    context = county_context(baseline_on=date(2027, 12, 31))
    diff = compared(launch(planned_on="2028-01-31", note="新"), context=context)
    assert [(entry.field, entry.kind, entry.because) for entry in diff.entries] == [
        ("planned_on", EntryKind.REFUSED, Because.LOCKED),
        ("note", EntryKind.CHANGED, None),
    ]


def test_what_is_typed_into_a_hidden_field_is_refused_unless_the_row_shows_it():
    hidden = compared(launch(skip_reason="无需编制")).entries
    assert [(entry.kind, entry.because) for entry in hidden] == [
        (EntryKind.REFUSED, Because.HIDDEN)
    ]
    shown = compared(launch(state="skipped", skip_reason="无需编制")).entries
    assert {entry.kind for entry in shown} == {EntryKind.CHANGED, EntryKind.NEW}


def test_a_conflict_is_taken_only_where_it_was_decided_so():
    diff = compared(launch(note="新"), saved(note="他人"))
    cell = ("milestone", "1/LAUNCH", "note")
    assert list(chosen(diff.entries, {})) == []
    assert list(chosen(diff.entries, {cell: Decision.THEIRS})) == []
    assert list(chosen(diff.entries, {cell: Decision.MINE})) == [(cell, "新")]
