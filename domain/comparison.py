"""Two versions of one report side by side, field by field, files by what is in them."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from domain.form_diff import ChangeKind
from domain.form_texts import text_of
from domain.form_values import flatten
from domain.forms import FORM_GROUP, Content, Context, Field, Form, label_of, rows_of, split_path

_NUMBER = re.compile(r"-?\d+(\.\d+)?")


class FileChange(StrEnum):
    SAME = "same"
    ADDED = "added"
    REMOVED = "removed"
    REPLACED = "replaced"
    SENT_AGAIN = "sent_again"
    """Another upload of the very same file."""


@dataclass(frozen=True, slots=True)
class StoredFile:
    file_id: int
    name: str
    sha256: str


@dataclass(frozen=True, slots=True)
class FilePair:
    """One item of evidence on both sides."""

    item: str
    left: StoredFile | None
    right: StoredFile | None

    @property
    def change(self) -> FileChange:
        if self.left is None or self.right is None:
            return FileChange.ADDED if self.left is None else FileChange.REMOVED
        if self.left.file_id == self.right.file_id:
            return FileChange.SAME
        same = self.left.sha256 and self.left.sha256 == self.right.sha256
        return FileChange.SENT_AGAIN if same else FileChange.REPLACED


@dataclass(frozen=True, slots=True)
class FieldPair:
    """One field on both sides; `change` is None where they say the same."""

    path: str
    label: str
    section: str
    left: str
    right: str
    change: ChangeKind | None
    files: tuple[FilePair, ...] = ()
    name: str = ""
    """The label without the row it stands in."""
    unit: str = ""


@dataclass(frozen=True, slots=True)
class RowPair:
    """What was compared of one row of a group; the form itself is a row without a heading.

    `change` tells of a row that stands on one side alone, None of one on both.
    """

    heading: str
    key: str
    change: ChangeKind | None
    pairs: tuple[FieldPair, ...]

    @property
    def changed(self) -> int:
        return sum(pair.change is not None for pair in self.pairs)


def by_row(
    pairs: Sequence[FieldPair], left: Content, right: Content, context: Context
) -> list[RowPair]:
    """Return the fields by the row they stand in; of rows of one kind those that differ first.

    Rows under a row of another group keep their order.
    """
    known: dict[tuple[str, str], list[FieldPair]] = {}
    for pair in pairs:
        group, key, _ = split_path(pair.path) or (FORM_GROUP, "", "")
        known.setdefault((group, key), []).append(pair)
    before, after = _row_keys(left), _row_keys(right)
    rows = [
        (group, _row_pair(group, key, fields, before, after))
        for (group, key), fields in known.items()
    ]
    groups = list(dict.fromkeys(group for group, _ in rows))

    def place(numbered: tuple[int, tuple[str, RowPair]]) -> tuple[int, bool, int]:
        number, (group, row) = numbered
        facts = context.find_row(group, row.key)
        is_free = group != FORM_GROUP and not (facts and facts.parent)
        return groups.index(group), is_free and not row.changed, number

    return [row for _, (_, row) in sorted(enumerate(rows), key=place)]


def _row_pair(
    group: str,
    key: str,
    fields: Sequence[FieldPair],
    before: Mapping[str, set[str]],
    after: Mapping[str, set[str]],
) -> RowPair:
    first = fields[0]
    heading = (
        first.label.removesuffix(first.name).removesuffix(" · ") if group != FORM_GROUP else ""
    )
    was, stands = key in before.get(group, set()), key in after.get(group, set())
    change = (
        None
        if was == stands or group == FORM_GROUP
        else (ChangeKind.REMOVED if was else ChangeKind.ADDED)
    )
    return RowPair(heading, key, change, tuple(fields))


def _row_keys(content: Content) -> dict[str, set[str]]:
    return {group: {key for key, _ in rows_of(content, group)} for group in content}


def compare(
    form: Form, left: Content, right: Content, context: Context, files: Mapping[int, StoredFile]
) -> list[FieldPair]:
    """Return every field that says something on either side, in the order of the form.

    `files` are the stored files that the contents name, by their ids.
    """
    before, after = flatten(form, left), flatten(form, right)
    paths = [*after, *(path for path in before if path not in after)]
    return [
        _pair(form, path, before.get(path), after.get(path), context, files)
        for path in paths
        if before.get(path) is not None or after.get(path) is not None
    ]


def file_ids(form: Form, *contents: Content) -> set[int]:
    """Return the ids of all files that the contents name."""
    return {
        number
        for content in contents
        for value in flatten(form, content).values()
        if isinstance(value, dict)
        for number in value.values()
        if isinstance(number, int)
    }


def _pair(
    form: Form,
    path: str,
    left: object,
    right: object,
    context: Context,
    files: Mapping[int, StoredFile],
) -> FieldPair:
    item = _field(form, path)
    pairs = _file_pairs(left, right, files) if item and item.data_type == "evidence" else ()
    return FieldPair(
        path=path,
        label=label_of(form, path, context),
        section=item.section if item else "",
        left=_text(form, path, left, context),
        right=_text(form, path, right, context),
        change=None if item and item.read_only else _change(left, right, pairs),
        files=pairs,
        name=item.label if item else "",
        unit=(item.unit or "") if item else "",
    )


def _text(form: Form, path: str, value: object, context: Context) -> str:
    """Return a value as a person reads it, an amount with its thousands apart."""
    text = text_of(form, path, value, context)
    item = _field(form, path)
    is_amount = item is not None and item.unit and item.data_type in ("integer", "decimal")
    return f"{Decimal(text):,}" if is_amount and _NUMBER.fullmatch(text) else text


def _field(form: Form, path: str) -> Field | None:
    parts = split_path(path)
    return form.find_field(parts[0], parts[2]) if parts else None


def _change(left: object, right: object, pairs: tuple[FilePair, ...]) -> ChangeKind | None:
    if left is None or right is None:
        return ChangeKind.ADDED if left is None else ChangeKind.REMOVED
    if pairs:
        unchanged = {FileChange.SAME, FileChange.SENT_AGAIN}
        return None if all(pair.change in unchanged for pair in pairs) else ChangeKind.CHANGED
    return None if left == right else ChangeKind.CHANGED


def _file_pairs(
    left: object, right: object, files: Mapping[int, StoredFile]
) -> tuple[FilePair, ...]:
    before = left if isinstance(left, dict) else {}
    after = right if isinstance(right, dict) else {}

    def stored(number: object) -> StoredFile | None:
        if not isinstance(number, int):
            return None
        return files.get(number, StoredFile(number, "", ""))

    items = [*after, *(item for item in before if item not in after)]
    return tuple(
        FilePair(item, stored(before.get(item)), stored(after.get(item))) for item in items
    )
