"""A form described once: the description draws it, checks it, compares it, names its columns.

Content is JSON, the same in drafts, filed versions and imports: `{"form": {field: value},
"<group>": [{"key": …, field: value}, …]}`. Dates are ISO texts, decimals are texts, missing is
null. A field has a path: `form.contact_phone`, `milestone[12/LAUNCH].completed_on`.
What its values mean is in form_values, what a person reads of them in form_texts, how contents
differ in form_diff; the rules that content must meet are asked in form_rules.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from functools import cached_property
from typing import Any

from domain.expressions import Expression, bind, parse

Content = dict[str, Any]
Values = Mapping[str, object]
FORM_GROUP = "form"
IDENTITY = "key"
EXPLANATION = "explanation"
"""The field of a group in which a row's warnings are explained: required as soon as it has one."""
_PATH = re.compile(r"(?P<group>\w+)(?:\[(?P<key>[^\]]*)\])?\.(?P<field>\w+)")
LAST = "last_"


class Severity(StrEnum):
    """How strong a finding is: it blocks filing, it asks for an explanation, or it is only said."""

    ERROR = "error"
    WARNING = "warning"
    HINT = "hint"
    UNCHECKED = "unchecked"


class ProblemKind(StrEnum):
    MISSING = "missing"
    FORMAT = "format"
    RULE = "rule"


class _Undelivered:
    """The value of a reference that this installation does not have yet."""

    def __repr__(self) -> str:
        return "UNDELIVERED"


UNDELIVERED = _Undelivered()


@dataclass(frozen=True)
class Rule:
    """An expression that must hold, and the sentence for when it does not."""

    expression: str
    message: str
    code: str = ""
    severity: Severity = Severity.ERROR
    limits: Values = field(default_factory=dict)
    """Thresholds by the name that expression and sentence call them."""

    @cached_property
    def bound(self) -> Expression:
        """The expression, read once, with its thresholds; BadExpression where it is none."""
        return bind(parse(self.expression), self.limits)


@dataclass(frozen=True, slots=True)
class Field:
    """One field of one group, as the table form_field describes it."""

    group: str
    code: str
    label: str
    data_type: str
    section: str = ""
    length: str | None = None
    unit: str | None = None
    code_table: str | None = None
    required_when: str | None = None
    visible_when: str | None = None
    rules: tuple[Rule, ...] = ()
    help: str | None = None
    sensitivity: str = "open"
    column_name: str | None = None
    read_only: bool = False
    """Whether the portal says it: the row's own fact of this name, whatever is sent."""
    lookup: str | None = None
    """The list that offers what is known already, such as compile-units."""


@dataclass(frozen=True)
class Form:
    form_code: str
    version: int
    title: str
    code_version: str
    rule_version: int
    """The rule set that its rules are of."""
    fields: tuple[Field, ...]
    codes: Mapping[str, Mapping[str, str]]
    """Code tables by name, each code to its name in the order in which they are offered."""

    @cached_property
    def groups(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(item.group for item in self.fields))

    def fields_of(self, group: str) -> tuple[Field, ...]:
        """Return the fields of one group, in order."""
        return self._by_group.get(group, ())

    def fields_by_condition(self, group: str) -> Mapping[str | None, tuple[Field, ...]]:
        """Return the fields of one group by the condition under which they are shown."""
        return self._by_condition[group]

    @cached_property
    def _by_condition(self) -> dict[str, dict[str | None, tuple[Field, ...]]]:
        return {
            group: {
                condition: tuple(item for item in fields if item.visible_when == condition)
                for condition in dict.fromkeys(item.visible_when for item in fields)
            }
            for group, fields in self._by_group.items()
        }

    def find_field(self, group: str, code: str) -> Field | None:
        """Return the field, or None."""
        return self._by_code.get((group, code))

    @cached_property
    def _by_group(self) -> dict[str, tuple[Field, ...]]:
        return {g: tuple(item for item in self.fields if item.group == g) for g in self.groups}

    @cached_property
    def _by_code(self) -> dict[tuple[str, str], Field]:
        return {(item.group, item.code): item for item in self.fields}

    def find_rule(self, group: str, code: str) -> tuple[Field, Rule] | None:
        """Return a rule of the group with the field it speaks of, None where it is not asked."""
        return self._rules.get((group, code))

    @cached_property
    def _rules(self) -> dict[tuple[str, str], tuple[Field, Rule]]:
        return {(i.group, rule.code): (i, rule) for i in self.fields for rule in i.rules}

    @cached_property
    def looks_back(self) -> bool:
        """Whether a rule compares with what was accepted last."""
        sources = (rule.expression for item in self.fields for rule in item.rules)
        return any(LAST in source for source in sources)

    def options(self, item: Field) -> Mapping[str, str]:
        """Return the codes a field may hold, with their names."""
        return self.codes.get(item.code_table or "", {})


@dataclass(frozen=True, slots=True)
class File:
    """A stored file that a row may name as evidence."""

    file_id: int
    item: str
    name: str
    sha256: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """What is known about one row of a group beside what is typed into it."""

    key: str
    label: str
    identity: Mapping[str, object] = field(default_factory=dict)
    """Columns that say which row this is; they travel with the content, unchanged."""
    parent: tuple[str, str] | None = None
    """(group, key) of the row this one stands under; its values are names `<group>_<field>`."""
    values: Values = field(default_factory=dict)
    """Names its rules may use."""
    defaults: Values = field(default_factory=dict)
    locked: frozenset[str] = frozenset()
    files: tuple[File, ...] = ()
    file_items: tuple[str, ...] = ()
    hint: str = ""
    badge: str = ""
    is_open: bool = True
    is_accepted: bool = False
    """Whether the province accepted something of this row, which is shown beside what is typed."""


@dataclass(frozen=True)
class Context:
    """What a form is checked against: the day, facts about the unit, and its rows."""

    today: date
    values: Values = field(default_factory=dict)
    rows: Mapping[str, Sequence[Row]] = field(default_factory=dict)
    references: Mapping[str, Values] = field(default_factory=dict)
    """What rules that span rows compare with, by its key; it never goes to the browser."""
    is_accepted: bool = False
    """Whether the province accepted a form before, whose fields are shown beside what is typed."""
    last: Content = field(default_factory=dict)
    """What was accepted before, for rules that compare with it."""

    def find_row(self, group: str, key: str) -> Row | None:
        """Return the row, or None where the unit has no such row."""
        return self._by_key.get((group, key))

    @cached_property
    def _by_key(self) -> dict[tuple[str, str], Row]:
        return {(group, row.key): row for group, rows in self.rows.items() for row in rows}


@dataclass(frozen=True, slots=True)
class Problem:
    path: str
    label: str
    message: str
    severity: Severity
    kind: ProblemKind = ProblemKind.RULE


def path_of(group: str, key: str, code: str) -> str:
    """Return the path of a field: form.contact_phone, milestone[12/LAUNCH].completed_on."""
    return f"{FORM_GROUP}.{code}" if group == FORM_GROUP else f"{group}[{key}].{code}"


def split_path(path: str) -> tuple[str, str, str] | None:
    """Return (group, key, field) of a path, or None for what is not one."""
    found = _PATH.fullmatch(path)
    return (found["group"], found["key"] or "", found["field"]) if found else None


def label_of(form: Form, path: str, context: Context | None = None) -> str:
    """Return what a person calls the field: 启动部署 · 实际完成日期."""
    parts = split_path(path)
    return cell_label(form, *parts, context) if parts else path


def cell_label(form: Form, group: str, key: str, code: str, context: Context | None = None) -> str:
    """Return what a person calls a field of a row; its path where the form has none such."""
    item = form.find_field(group, code)
    if item is None:
        return path_of(group, key, code)
    return " · ".join([*_row_labels(group, key, context), item.label])


def _row_labels(group: str, key: str, context: Context | None) -> list[str]:
    """Name the row; its parent too, where there are several to choose from."""
    if group == FORM_GROUP:
        return []
    row = context.find_row(group, key) if context else None
    if context is None or row is None:
        return [key]
    if row.parent and len(context.rows.get(row.parent[0], ())) > 1:
        return [*_row_labels(*row.parent, context), row.label]
    return [row.label]


def rows_of(content: Content, group: str) -> list[tuple[str, dict[str, Any]]]:
    """Return (key, values) of each row of a group; the form itself is one row with the key ''."""
    if group == FORM_GROUP:
        fields = content.get(FORM_GROUP)
        return [("", fields if isinstance(fields, dict) else {})]
    rows = content.get(group)
    rows = rows if isinstance(rows, list) else []
    return [(str(row.get(IDENTITY, "")), row) for row in rows if isinstance(row, dict)]


def with_all_rows(form: Form, content: Content, context: Context) -> Content:
    """Return the content with every row and field of the form, missing ones empty."""
    result: Content = {}
    for group in form.groups:
        known = dict(rows_of(content, group))
        if group == FORM_GROUP:
            result[group] = {f.code: known[""].get(f.code) for f in form.fields_of(group)}
        else:
            result[group] = [
                _complete_row(form, group, row, known.get(row.key))
                for row in context.rows.get(group, ())
            ]
    return result


def _complete_row(form: Form, group: str, row: Row, known: dict[str, Any] | None) -> Content:
    given = dict(row.defaults) if known is None else known
    fields = {item.code: given.get(item.code) for item in form.fields_of(group)}
    return {IDENTITY: row.key, **row.identity, **fields}


def with_facts(form: Form, content: Content, context: Context) -> Content:
    """Return the content with its read-only fields as the facts of unit and rows have them now."""
    result = dict(content)
    for group in form.groups:
        told = [item.code for item in form.fields_of(group) if item.read_only]
        if not told:
            continue
        if group == FORM_GROUP:
            facts = {code: context.values.get(code) for code in told}
            result[group] = rows_of(content, group)[0][1] | facts
            continue
        result[group] = [
            values | {code: row.values.get(code) for code in told} if row else values
            for key, values in rows_of(content, group)
            for row in [context.find_row(group, key)]
        ]
    return result
