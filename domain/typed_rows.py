"""The rows of a content as Python values, as the rules of a form look at them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from domain.form_values import typed_value
from domain.forms import FORM_GROUP, Content, Context, Field, Form, rows_of
from domain.rule_names import Derived, Kind


@dataclass(frozen=True, slots=True)
class TypedRow:
    """Values of one row as Python values, None for what could not become one, and why not."""

    raw: Mapping[str, Any]
    values: dict[str, object]
    faults: Mapping[str, str]


Typed = Mapping[tuple[str, str], TypedRow]


def typed_rows(form: Form, content: Content) -> dict[tuple[str, str], TypedRow]:
    """Return each row of the content by (group, key); the form itself is (form, '')."""
    typed = {}
    for group in form.groups:
        for key, row in rows_of(content, group):
            typed[group, key] = _typed_row(form, group, row)
    return typed


def _typed_row(form: Form, group: str, row: Mapping[str, Any]) -> TypedRow:
    values, faults = dict[str, object](), dict[str, str]()
    for item in form.fields_of(group):
        value = row.get(item.code)
        if value is not None:  # asked here for speed: of a village most fields are empty
            try:
                value = typed_value(form, item, value)
            except ValueError as error:
                value, faults[item.code] = None, str(error)
        values[item.code] = value
    return TypedRow(row, values, faults)


class Rows:
    """The rows of a form with what they are together, each worked out once and when asked for."""

    def __init__(self, form: Form, typed: Typed, context: Context) -> None:
        self.typed, self._form, self._context = typed, form, context
        self._common: dict[tuple[str, tuple[str, str] | None], dict[str, object]] = {}
        self._together: dict[tuple[Kind, str, str], object] = {}
        self._before: dict[tuple[str, str], dict[str, Any]] | None = None

    def names(self, group: str, key: str) -> dict[str, object]:
        """Return what the rules of a row may name: unit, form, parent, facts, its own fields."""
        facts = self._context.find_row(group, key)
        parent = facts.parent if facts else None
        if (group, parent) not in self._common:
            self._common[group, parent] = self._common_names(group, parent)
        # A field that is not understood is not there for the rules of the others.
        return {
            **self._common[group, parent],
            **(facts.values if facts else {}),
            **self.typed[group, key].values,
        }

    def _common_names(self, group: str, parent: tuple[str, str] | None) -> dict[str, object]:
        names: dict[str, object] = {"today": self._context.today, **self._context.values}
        if group != FORM_GROUP:
            names |= self._prefixed(FORM_GROUP, "")
        return names | self._prefixed(*parent) if parent else names

    def _prefixed(self, group: str, key: str) -> dict[str, object]:
        row = self.typed.get((group, key))
        values = row.values if row else {}
        return {
            f"{group}_{item.code}": values.get(item.code) for item in self._form.fields_of(group)
        }

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
                for key, row in rows_of(self._context.last, group)
            }
        try:
            return typed_value(
                self._form, item, self._before.get((item.group, key), {}).get(item.code)
            )
        except ValueError:  # what was accepted under another description
            return None
