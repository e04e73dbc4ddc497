"""How two contents of a form differ, field by field.

What the portal says itself (a read-only field, such as the year of the report) is no change: nobody
made it.
"""

from dataclasses import dataclass
from enum import StrEnum

from domain.form_texts import text_of
from domain.form_values import flatten, normal_value
from domain.forms import Content, Context, Form, label_of, rows_of, split_path


class ChangeKind(StrEnum):
    ADDED = "added"
    CHANGED = "changed"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class Change:
    """One field that differs; `old_text` and `new_text` are what a person reads."""

    path: str
    label: str
    old: object
    new: object
    kind: ChangeKind
    old_text: str
    new_text: str


def diff(
    form: Form, old: Content | None, new: Content, context: Context | None = None
) -> list[Change]:
    """Return every field that differs, in the order of the form."""
    before, after = flatten(form, old or {}), flatten(form, new)
    paths = [*after, *(path for path in before if path not in after)]
    return [
        _change(form, path, before.get(path), after.get(path), context)
        for path in paths
        if before.get(path) != after.get(path) and not says_itself(form, path)
    ]


def says_itself(form: Form, path: str) -> bool:
    """Tell whether a path is a field that the portal says itself, whatever is sent."""
    parts = split_path(path)
    item = form.find_field(parts[0], parts[2]) if parts else None
    return item is not None and item.read_only


def count_changes(form: Form, old: Content, new: Content) -> int:
    """Return how many fields differ: as many as `diff` lists."""
    count = 0
    for group in form.groups:
        before, after = dict(rows_of(old, group)), dict(rows_of(new, group))
        for key in {**before, **after}:
            was, now = before.get(key, {}), after.get(key, {})
            for item in form.fields_of(group):
                if item.read_only:
                    continue
                one, other = was.get(item.code), now.get(item.code)
                if one is other:  # of a village most fields are empty on both sides
                    continue
                # False equals 0, and yet one may be an answer and the other none.
                is_plain = not isinstance(one, list | dict)
                is_same = is_plain and type(one) is type(other) and one == other
                count += not is_same and (
                    normal_value(form, item, one) != normal_value(form, item, other)
                )
    return count


def _change(form: Form, path: str, old: object, new: object, context: Context | None) -> Change:
    kinds = {(True, False): ChangeKind.ADDED, (False, True): ChangeKind.REMOVED}
    return Change(
        path=path,
        label=label_of(form, path, context),
        old=old,
        new=new,
        kind=kinds.get((old is None, new is None), ChangeKind.CHANGED),
        old_text=text_of(form, path, old, context),
        new_text=text_of(form, path, new, context),
    )
