"""What came back in a workbook, cell by cell: three values decide, what went out, what stands now,
and what was typed.

Whoever did not touch a cell changes nothing, whatever others did to it since. Nothing that is
refused reaches the content: a cell that is not understood keeps its whole row out, since the
cells of a row belong together.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from domain.form_rules import visible_fields
from domain.form_values import typed_value
from domain.forms import (
    FORM_GROUP,
    Content,
    Context,
    Field,
    Form,
    Row,
    path_of,
    rows_of,
    with_all_rows,
)
from domain.workbook import Fault, ReadRow


class EntryKind(StrEnum):
    NEW = "new"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    CONFLICTING = "conflicting"
    REFUSED = "refused"


class Because(StrEnum):
    """Why an entry is not taken; what is not understood has a sentence of its own instead."""

    NOT_YOURS = "not_yours"
    NOT_IN_HAND = "not_in_hand"
    UNKNOWN_ROW = "unknown_row"
    LOCKED = "locked"
    HIDDEN = "hidden"
    ROW_REFUSED = "row_refused"


class Decision(StrEnum):
    MINE = "mine"
    THEIRS = "theirs"


class BatchState(StrEnum):
    OPEN = "open"
    APPLYING = "applying"
    APPLIED = "applied"
    DISCARDED = "discarded"


class BatchRefusal(StrEnum):
    """Why a workbook that can be read is not taken all the same."""

    UNKNOWN_EXPORT = "unknown_export"
    NOT_YOUR_UNITS = "not_your_units"


GOOD = frozenset({EntryKind.NEW, EntryKind.CHANGED})
_OFFERED = GOOD | {EntryKind.CONFLICTING}


@dataclass(frozen=True, slots=True)
class Entry:
    """One cell that says something; `old` stands in the draft, `new` in the workbook."""

    sheet: str
    row_no: int
    group: str
    key: str
    field: str
    """Empty where the whole row is refused."""
    kind: EntryKind
    old: object = None
    new: object = None
    because: Because | None = None
    sentence: str = ""
    """What is not understood, and what to do; empty where `because` says it."""

    @property
    def path(self) -> str:
        return path_of(self.group, self.key, self.field)

    def refused(self, because: Because) -> "Entry":
        """Return the entry as one that is not taken."""
        return replace(self, kind=EntryKind.REFUSED, because=because)


@dataclass(frozen=True, slots=True)
class UnitDiff:
    """Every cell of one unit that says something, and how many say nothing."""

    entries: tuple[Entry, ...]
    unchanged: int

    @property
    def offered(self) -> tuple[Entry, ...]:
        """The entries that may be taken: good ones and conflicts."""
        return tuple(entry for entry in self.entries if entry.kind in _OFFERED)


Cell = tuple[str, str, str]
"""Group, key and field."""
_Rows = Mapping[tuple[str, str], Mapping[str, object]]
_NOTHING: Mapping[str, object] = {}


def compare(
    form: Form,
    context: Context,
    base: Content,
    current: Content,
    rows: Sequence[ReadRow],
    faults: Sequence[Fault] = (),
    *,
    in_hand: bool = True,
) -> UnitDiff:
    """Compare what was read of one unit with what it was given and what its draft holds now.

    Both contents are in their normal form, as what was read is. `in_hand` says whether the report
    is with its filer; otherwise every change is refused.
    """
    comparer = _Comparer(form, context, _by_row(form, base), _by_row(form, current), in_hand)
    bad = {(fault.group, fault.key) for fault in faults}
    entries = [_not_understood(fault) for fault in faults]
    unchanged = 0
    for row in rows:
        found, same = comparer.row(row, is_bad=(row.group, row.key) in bad)
        entries += found
        unchanged += same
    entries = _without_hidden(form, context, current, entries)
    return UnitDiff(tuple(sorted(entries, key=_place(form))), unchanged)


def applied(
    form: Form, context: Context, current: Content, values: Iterable[tuple[Cell, object]]
) -> Content:
    """Return the content with these cells set; every row of the form is there."""
    by_row: dict[tuple[str, str], dict[str, object]] = defaultdict(dict)
    for (group, key, code), value in values:
        by_row[group, key][code] = value
    result = with_all_rows(form, current, context)
    for group in form.groups:
        changed = [row | by_row.get((group, key), {}) for key, row in rows_of(result, group)]
        result[group] = changed[0] if group == FORM_GROUP else changed
    return result


def chosen(
    entries: Iterable[Entry], decisions: Mapping[Cell, Decision]
) -> Iterator[tuple[Cell, object]]:
    """Return the cells to set: all that is good, and each conflict decided for the workbook."""
    for entry in entries:
        cell = (entry.group, entry.key, entry.field)
        if entry.kind in GOOD or (
            entry.kind is EntryKind.CONFLICTING and decisions.get(cell) is Decision.MINE
        ):
            yield cell, entry.new


class _Comparer:
    """Compares row after row of one unit."""

    def __init__(
        self, form: Form, context: Context, base: _Rows, current: _Rows, in_hand: bool
    ) -> None:
        self._form, self._context, self._in_hand = form, context, in_hand
        self._base, self._current = base, current

    def row(self, row: ReadRow, *, is_bad: bool) -> tuple[list[Entry], int]:
        """Return the entries of one row, and how many of its cells say nothing."""
        facts = self._context.find_row(row.group, row.key)
        if facts is None and row.group != FORM_GROUP:
            return [_whole_row(row, Because.UNKNOWN_ROW)], 0
        fields = [item for item in self._form.fields_of(row.group) if item.code in row.values]
        known = [self._entry(row, item, facts) for item in fields]
        entries = [entry for entry in known if entry is not None]
        if is_bad or any(entry.sentence for entry in entries):
            entries = [e if e.sentence else e.refused(Because.ROW_REFUSED) for e in entries]
        return entries, len(known) - len(entries)

    def _entry(self, row: ReadRow, item: Field, facts: Row | None) -> Entry | None:
        place, new = (row.group, row.key), row.values[item.code]
        now = self._current.get(place, _NOTHING).get(item.code)
        before = self._base.get(place, _NOTHING).get(item.code)
        if new in (now, before):
            return None
        kind = EntryKind.CHANGED if now is not None else EntryKind.NEW
        if now != before:
            kind = EntryKind.CONFLICTING
        entry = Entry(row.sheet, row.row_no, row.group, row.key, item.code, kind, now, new)
        if not self._in_hand:
            return entry.refused(Because.NOT_IN_HAND)
        if item.read_only or (facts is not None and item.code in facts.locked):
            return entry.refused(Because.LOCKED)
        return self._judged(entry, item)

    def _judged(self, entry: Entry, item: Field) -> Entry:
        try:
            typed_value(self._form, item, entry.new)
        except ValueError as error:
            return replace(entry, kind=EntryKind.REFUSED, sentence=str(error))
        return entry


def _by_row(form: Form, content: Content) -> _Rows:
    return {(group, key): row for group in form.groups for key, row in rows_of(content, group)}


def _not_understood(fault: Fault) -> Entry:
    return Entry(
        fault.sheet,
        fault.row_no,
        fault.group,
        fault.key,
        fault.field,
        EntryKind.REFUSED,
        new=fault.details.get("found"),
        sentence=fault.message,
    )


def _whole_row(row: ReadRow, because: Because) -> Entry:
    return Entry(row.sheet, row.row_no, row.group, row.key, "", EntryKind.REFUSED, because=because)


def _without_hidden(
    form: Form, context: Context, current: Content, entries: list[Entry]
) -> list[Entry]:
    """Refuse what was typed into a field that the rest of what was typed leaves hidden."""
    offered = [entry for entry in entries if entry.kind in _OFFERED]
    conditional = {
        (item.group, item.code)
        for group in form.groups
        for item in form.fields_of(group)
        if item.visible_when
    }
    if not any((entry.group, entry.field) in conditional for entry in offered):
        return entries
    cells = (((e.group, e.key, e.field), e.new) for e in offered)
    content = applied(form, context, current, cells)
    shown = visible_fields(form, _touched(form, context, content, offered), context)
    return [
        entry.refused(Because.HIDDEN)
        if entry.kind in _OFFERED and entry.new is not None and not shown.get(entry.path, True)
        else entry
        for entry in entries
    ]


def _touched(form: Form, context: Context, content: Content, entries: Iterable[Entry]) -> Content:
    """Return only the rows that a condition on these entries can ask: their own and the parents."""
    places = {(entry.group, entry.key) for entry in entries}
    for group, key in tuple(places):
        row = context.find_row(group, key)
        if row is not None and row.parent is not None:
            places.add(row.parent)
    result: Content = {FORM_GROUP: content[FORM_GROUP]} if FORM_GROUP in form.groups else {}
    for group in form.groups:
        if group != FORM_GROUP:
            kept = [row for key, row in rows_of(content, group) if (group, key) in places]
            result[group] = kept
    return result


def _place(form: Form) -> Callable[[Entry], tuple[int, int, str, int, str]]:
    """Return a sort key: the order of the workbook, whatever order its rows were read in."""
    fields = {(item.group, item.code): number for number, item in enumerate(form.fields)}
    groups = {group: number for number, group in enumerate(form.groups)}

    def place(entry: Entry) -> tuple[int, int, str, int, str]:
        number = fields.get((entry.group, entry.field), -1)
        return (groups.get(entry.group, -1), entry.row_no, entry.key, number, entry.sentence)

    return place
