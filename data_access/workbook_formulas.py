"""Conditions of a form as Excel formulas, for hints, and as Chinese words, for the guide.

What a condition uses beyond this small part of the language makes it untranslatable: None, and
there is no hint. A hint never decides anything; the check on the server does.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from data_access.workbook_layout import shown_codes
from domain.expressions import BadExpression, parse, tree
from domain.forms import Field, Form

Node = list[Any]
_FUNCTIONS = {"abs": "ABS", "len": "LEN", "max": "MAX", "min": "MIN", "round": "ROUND"}
_ORDER = {"<": "<", "<=": "<=", ">": ">", ">=": ">="}


class _Untranslatable(ValueError):
    """This part of the language has no counterpart."""


@dataclass(frozen=True, slots=True)
class Reference:
    """Where the value of a name stands, and of which field it is."""

    address: str
    item: Field | None = None


def find_field_of_name(form: Form, group: str, name: str) -> Field | None:
    """Return the field a name means in a group's conditions: own, `form_…` or a parent's."""
    own = form.find_field(group, name)
    if own:
        return own
    for other in form.groups:
        if name.startswith(f"{other}_") and other != group:
            found = form.find_field(other, name.removeprefix(f"{other}_"))
            if found:
                return found
    return None


def _node(condition: str | None) -> Node:
    try:
        return tree(parse(condition or "True"))
    except BadExpression as error:
        raise _Untranslatable(condition) from error


# EXCEL


def formula(form: Form, condition: str | None, names: Mapping[str, Reference]) -> str | None:
    """Return a condition as an Excel formula without its =, or None."""
    try:
        return _Excel(form, names).truth(_node(condition))
    except (_Untranslatable, KeyError, TypeError):
        return None


class _Excel:
    def __init__(self, form: Form, names: Mapping[str, Reference]) -> None:
        self._form, self._names = form, names

    def truth(self, node: Node) -> str:
        match node:
            case ["and" | "or" as word, *parts]:
                return f"{word.upper()}({','.join(map(self.truth, parts))})"
            case ["not", part]:
                return f"NOT({self.truth(part)})"
            case ["if", test, then, other]:
                return f"IF({self.truth(test)},{self.truth(then)},{self.truth(other)})"
            case ["const", bool(value)]:
                return "TRUE" if value else "FALSE"
            case ["name", name]:
                address = self._names[name].address
                return f'OR({address}=TRUE,{address}="是")'
            case ["compare", left, *pairs]:
                return self._comparisons(left, pairs)
        raise _Untranslatable(node)

    def _comparisons(self, left: Node, pairs: list[Any]) -> str:
        parts = []
        for operator, right in pairs:
            parts.append(self._comparison(left, operator, right))
            left = right
        return parts[0] if len(parts) == 1 else f"AND({','.join(parts)})"

    def _comparison(self, left: Node, operator: str, right: Node) -> str:
        match operator, right:
            case "in", ["list", *items]:
                return f"OR({','.join(self._equal(left, item) for item in items)})"
            case "not in", ["list", *items]:
                return f"NOT(OR({','.join(self._equal(left, item) for item in items)}))"
            case "==", _:
                return self._equal(left, right)
            case "!=", _:
                return f"NOT({self._equal(left, right)})"
        both = f"{self._value(left)}{_ORDER[operator]}{self._value(right)}"
        # Ordering something missing is false.
        given = [f'{self._value(["name", name])}<>""' for name in _names_in([left, right])]
        return f"AND({','.join([*dict.fromkeys(given), both])})"

    def _equal(self, left: Node, right: Node) -> str:
        if left[0] == "const" and right[0] != "const":
            left, right = right, left
        if right == ["const", None]:
            return f'{self._value(left)}=""'
        item = self._names[left[1]].item if left[0] == "name" and left[1] != "today" else None
        if item and right[0] == "const":
            return f"{self._value(left)}={_constant(_shown(self._form, item, right[1]))}"
        return f"{self._value(left)}={self._value(right)}"

    def _value(self, node: Node) -> str:
        match node:
            case ["const", value]:
                return _constant(value)
            case ["name", "today"]:
                return "TODAY()"
            case ["name", name]:
                return self._names[name].address
            case ["neg", part]:
                return f"-({self._value(part)})"
            case ["compute", operator, left, right]:
                return f"({self._value(left)}{operator}{self._value(right)})"
            case ["call", "days", start, end]:
                return f"({self._value(end)}-{self._value(start)})"
            case ["call", "round", part]:
                return f"ROUND({self._value(part)},0)"
            case ["call", name, *parts]:
                return f"{_FUNCTIONS[name]}({','.join(map(self._value, parts))})"
            case ["if", test, then, other]:
                return f"IF({self.truth(test)},{self._value(then)},{self._value(other)})"
        raise _Untranslatable(node)


def _names_in(node: object) -> Iterator[str]:
    if isinstance(node, list):
        if len(node) == 2 and node[0] == "name" and node[1] != "today":
            yield str(node[1])
        for part in node:
            yield from _names_in(part)


def _shown(form: Form, item: Field, value: object) -> object:
    if item.data_type == "code":
        return shown_codes(form.options(item)).get(str(value), value)
    if item.data_type == "boolean":
        return {True: "是", False: "否"}.get(value is True)
    return value


def _constant(value: object) -> str:
    if value is None:
        return '""'
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, int | float):
        return str(value)
    text = str(value).replace('"', '""')
    return f'"{text}"'


# WORDS


def words(form: Form, group: str, condition: str | None) -> str | None:
    """Return a condition as a person says it: “进展”为“已完成”; or None."""
    try:
        return _Words(form, group).truth(_node(condition))
    except (_Untranslatable, KeyError, TypeError):
        return None


class _Words:
    def __init__(self, form: Form, group: str) -> None:
        self._form, self._group = form, group

    def truth(self, node: Node) -> str:
        match node:
            case ["and" | "or" as word, *parts]:
                joint = "，且" if word == "and" else "，或"
                return joint.join(self._inner(part) for part in parts)
            case ["not", part]:
                return f"不满足（{self.truth(part)}）"
            case ["const", bool(value)]:
                return "始终" if value else "从不"
            case ["name", _]:
                return f"{self._value(node)}为“是”"
            case ["compare", left, [operator, right]]:
                return self._comparison(left, operator, right)
        raise _Untranslatable(node)

    def _inner(self, node: Node) -> str:
        text = self.truth(node)
        return f"（{text}）" if node[0] in ("and", "or") else text

    def _comparison(self, left: Node, operator: str, right: Node) -> str:
        if left[0] != "name":
            raise _Untranslatable(left)
        name, item = self._value(left), self._field(left)
        if right == ["const", None]:
            return f"{name}{'未填写' if operator == '==' else '已填写'}"
        if operator in ("in", "not in"):
            options = "或".join(self._value(part, item) for part in right[1:])
            return f"{name}{'为' if operator == 'in' else '不为'}{options}"
        return f"{name}{_verb(operator, item)}{self._value(right, item)}"

    def _field(self, node: Node) -> Field | None:
        return find_field_of_name(self._form, self._group, node[1])

    def _value(self, node: Node, beside: Field | None = None) -> str:
        match node:
            case ["const", value]:
                shown = _shown(self._form, beside, value) if beside else value
                return f"“{shown}”" if isinstance(shown, str) else str(shown)
            case ["name", "today"]:
                return "今天"
            case ["name", _]:
                item = self._field(node)
                if item:
                    return f"“{item.label}”"
        raise _Untranslatable(node)


def _verb(operator: str, item: Field | None) -> str:
    verbs: dict[str, tuple[str, str]] = {
        "==": ("为", "为"),
        "!=": ("不为", "不为"),
        "<": ("早于", "小于"),
        "<=": ("不晚于", "不大于"),
        ">": ("晚于", "大于"),
        ">=": ("不早于", "不小于"),
    }
    return verbs[operator][0 if item and item.data_type == "date" else 1]
