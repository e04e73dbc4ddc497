"""Three values a cell: whatever was typed and saved meanwhile, nothing is lost."""

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from domain.form_values import flatten, normal_value
from domain.forms import rows_of, with_all_rows
from domain.workbook import Fault, FaultKind, ReadRow
from domain.workbook_diff import Decision, EntryKind, applied, chosen, compare
from tests.forms import county_context, filled, plan_form

FORM, CONTEXT = plan_form(), county_context()
START = with_all_rows(FORM, filled(), CONTEXT)
CELLS = [
    (group, key, item.code)
    for group in FORM.groups
    for key, _ in rows_of(START, group)
    for item in FORM.fields_of(group)
    if item.data_type != "evidence"
]
VALUES = st.sampled_from(
    [None, "running", "completed", "not_started", "2026-03-01", "2026-02-30", "说明", "13800000001"]
)
EDITS = st.dictionaries(st.sampled_from(CELLS), VALUES, max_size=8)


def edited(content, edits):
    return applied(FORM, CONTEXT, content, edits.items())


def read(content):
    """Return what the library reads of a workbook that holds this content."""
    return [
        ReadRow(
            group,
            number,
            "360123",
            group,
            key,
            {
                item.code: normal_value(FORM, item, row.get(item.code))
                for item in FORM.fields_of(group)
                if item.data_type != "evidence"
            },
        )
        for group in FORM.groups
        for number, (key, row) in enumerate(rows_of(content, group), 5)
    ]


def told(diff):
    return {(e.path, e.kind, e.because, e.sentence, str(e.old), str(e.new)) for e in diff.entries}


def all_mine(diff):
    return {(e.group, e.key, e.field): Decision.MINE for e in diff.entries}


@settings(deadline=None)
@given(EDITS, EDITS, EDITS)
def test_applying_and_uploading_again_changes_nothing(before, meanwhile, typed):
    base = edited(START, before)
    current, rows = edited(base, meanwhile), read(edited(base, typed))
    first = compare(FORM, CONTEXT, base, current, rows)
    result = edited(current, dict(chosen(first.entries, all_mine(first))))
    again = compare(FORM, CONTEXT, base, result, rows)
    assert flatten(FORM, edited(result, dict(chosen(again.entries, {})))) == flatten(FORM, result)
    # A value that is now there may uncover a field whose cell was refused before, never more.
    hidden = {e.path for e in first.entries if e.because == "hidden"}
    assert {e.path for e in again.offered} <= hidden


@settings(deadline=None)
@given(EDITS, EDITS, EDITS, st.randoms(use_true_random=False))
def test_the_order_of_the_rows_says_nothing(before, meanwhile, typed, chance: random.Random):
    base = edited(START, before)
    current, rows = edited(base, meanwhile), read(edited(base, typed))
    mixed = rows.copy()
    chance.shuffle(mixed)
    assert compare(FORM, CONTEXT, base, current, rows) == compare(
        FORM, CONTEXT, base, current, mixed
    )


@settings(deadline=None)
@given(EDITS, EDITS)
def test_an_untouched_workbook_changes_nothing_whatever_others_saved(before, meanwhile):
    base = edited(START, before)
    current = edited(base, meanwhile)
    diff = compare(FORM, CONTEXT, base, current, read(base))
    assert (diff.entries, diff.unchanged) == ((), len(CELLS))


@settings(deadline=None)
@given(EDITS, EDITS, EDITS)
def test_what_nobody_typed_stays_as_it_stands(before, meanwhile, typed):
    base = edited(START, before)
    current, workbook = edited(base, meanwhile), edited(base, typed)
    diff = compare(FORM, CONTEXT, base, current, read(workbook))
    old, new = flatten(FORM, base), flatten(FORM, workbook)
    result = flatten(FORM, edited(current, dict(chosen(diff.entries, all_mine(diff)))))
    for path, value in flatten(FORM, current).items():
        if old[path] == new[path]:
            assert result[path] == value
        else:
            assert result[path] in (value, new[path])


@settings(deadline=None)
@given(EDITS, st.sampled_from(CELLS))
def test_a_refused_row_changes_nothing(typed, cell):
    group, key, code = cell
    rows = read(edited(START, typed))
    fault = Fault("s", 5, "D", code, FaultKind.EXCEL_ERROR, {"found": "#REF!"}, "1", group, key)
    diff = compare(FORM, CONTEXT, START, START, rows, [fault])
    assert all(
        entry.kind is EntryKind.REFUSED
        for entry in diff.entries
        if (entry.group, entry.key) == (group, key)
    )
    result = flatten(FORM, edited(START, dict(chosen(diff.entries, all_mine(diff)))))
    kept = flatten(FORM, START)
    for entry in diff.entries:
        if entry.kind is EntryKind.REFUSED:
            assert result[entry.path] == kept[entry.path]


@settings(deadline=None)
@given(EDITS, EDITS)
def test_a_report_that_is_not_in_hand_takes_nothing(meanwhile, typed):
    current = edited(START, meanwhile)
    diff = compare(FORM, CONTEXT, START, current, read(edited(START, typed)), in_hand=False)
    assert diff.offered == ()
