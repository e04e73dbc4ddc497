"""The rows of a content as Python values, as the rules of a form look at them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from domain.form_values import typed_value
from domain.forms import Content, Context, Field, Form, rows_of
from domain.rule_names import Derived, Kind


@dataclass(frozen=True, slots=True)
class TypedRow:
    """Values of one row as Python values, and what could not become one."""

    raw: Mapping[str, Any]
    values: Mapping[str, object]
    faults: Mapping[str, str]


Typed = Mapping[tuple[str, str], TypedRow]


def typed_rows(form: Form, content: Content) -> dict[tuple[str, str], TypedRow]:
    """Return each row of the content by (group, key); the form itself is (form, '')."""
    typed = {}
    for group in form.groups:
        for key, row in rows_of(content, group):
            values, faults = {}, {}
            for item in form.fields_of(group):
                try:
                    values[item.code] = typed_value(form, item, row.get(item.code))
                except ValueError as error:
                    faults[item.code] = str(error)
            typed[group, key] = TypedRow(row, values, faults)
    return typed


class Rows:
    """The rows of a form with what they are together, each worked out once and when asked for."""

    def __init__(self, form: Form, typed: Typed, context: Context) -> None:
        self.typed, self._form, self._last = typed, form, context.last
        self._together: dict[tuple[Kind, str, str], object] = {}
        self._before: dict[tuple[str, str], dict[str, Any]] | None = None

    def derived(self, what: Derived, key: str) -> object:
        """Return what a name stands for: of the group together, or of the row as accepted last."""
        if what.kind is Kind.LAST and what.field:
            return self._last_of(what.field, key)
        place = what.kind, what.group, what.field.code if what.field else ""
        if place not in self._together:
            self._together[place] = self._of_group(what)
        return self._together[place]

    def _of_group(self, what: Derived) -> object:
        rows = [row.values for (group, _), row in self.typed.items() if group == what.group]
        if what.kind is Kind.COUNT or what.field is None:
            return len(rows)
        values = [row.get(what.field.code) for row in rows]
        known: list[Any] = [value for value in values if value is not None]
        if what.kind is Kind.MISSING:
            return len(values) - len(known)
        return sum(known) if known else None

    def _last_of(self, item: Field, key: str) -> object:
        if self._before is None:
            self._before = {
                (group, key): row
                for group in self._form.groups
                for key, row in rows_of(self._last, group)
            }
        try:
            return typed_value(
                self._form, item, self._before.get((item.group, key), {}).get(item.code)
            )
        except ValueError:  # what was accepted under another description
            return None
