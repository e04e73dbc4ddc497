"""What a form's content must meet: types, required fields, and the form's own rules.

A rule is asked only when every field it names is there: missing is missing. A rule that waits for a
reference that is not delivered, or that fails, makes the field 未校验: seen, and not in the way.
What a warning finds has to be explained in its row, where the row has a field for it.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from domain.expressions import BadExpression, EvaluationFailed, evaluate, parse
from domain.forms import (
    EXPLANATION,
    FORM_GROUP,
    UNDELIVERED,
    Content,
    Context,
    Field,
    Form,
    Problem,
    ProblemKind,
    Rule,
    Severity,
    Values,
    label_of,
    path_of,
    rows_of,
)
from domain.rule_names import find_derived, rule_of
from domain.typed_rows import Rows, typed_rows

PLACEHOLDER = re.compile(r"\{([a-z_][a-z0-9_]*)\}")


@dataclass(frozen=True, slots=True)
class BrokenRule:
    """An expression of the form that cannot be evaluated: its owner has to know."""

    form_code: str
    version: int
    path: str
    expression: str
    reason: str


Report = Callable[[BrokenRule], None]


def check(
    form: Form, content: Content, context: Context, report: Report = lambda broken: None
) -> list[Problem]:
    """Return what is wrong (error), doubtful (warning, hint) or not checked in the content.

    `report` is told of every expression of the form itself that fails.
    """
    checkers = _checkers(form, content, context, report)
    return [problem for checker in checkers.values() for problem in checker.problems()]


class _Names(dict[str, object]):
    """The names of a row; what is derived from others is worked out when a rule asks for it."""

    def __init__(self, known: Mapping[str, object], more: Callable[[str], object]) -> None:
        super().__init__(known)
        self._more = more

    def __missing__(self, name: str) -> object:
        self[name] = value = self._more(name)
        return value


class _RowChecker:
    """Checks one row: its names are its own fields, its parent's, the row's facts, the unit's."""

    def __init__(
        self,
        form: Form,
        context: Context,
        report: Report,
        group: str,
        key: str,
        rows: Rows,
    ) -> None:
        self._form, self._context, self._report = form, context, report
        self._group, self._key, self._rows = group, key, rows
        self._row = rows.typed[group, key]
        self._facts = context.find_row(group, key)
        self._names = _Names(rows.names(group, key), self._derived)
        self._required: dict[str | None, bool] = {}
        self._found_hidden: frozenset[str] | None = None
        self._verdicts: dict[str, Problem | None] = {}

    def problems(self) -> list[Problem]:
        """Return what is wrong with the row; nothing is, of most of its fields."""
        hidden = self.hidden
        self._names |= dict.fromkeys(hidden)
        values, faults = self._row.values, self._row.faults
        found: list[Problem] = []
        for item in self._form.fields_of(self._group):
            if item.code in hidden:
                continue
            if values[item.code] is None or item.data_type == "evidence":
                fault = faults.get(item.code)
                if fault:
                    found.append(self._problem(item, fault, ProblemKind.FORMAT))
                    continue
                found += self._missing(item)
            for rule in item.rules:
                problem = self._verdict(item, rule)
                if problem:
                    found.append(problem)
        return [*found, *self._unexplained(found)]

    def _unexplained(self, found: list[Problem]) -> Iterator[Problem]:
        """Ask for the explanation of the row's warnings, where there is a field for it."""
        item = self._form.find_field(self._group, EXPLANATION)
        warnings = [each.label for each in found if each.severity is Severity.WARNING]
        if item and warnings and self._row.values.get(EXPLANATION) is None:
            message = f"有 {len(warnings)} 项警告，请填写{item.label}。"
            yield self._problem(item, message, ProblemKind.MISSING)

    def _derived(self, name: str) -> object:
        """Return what a name stands for that is neither field nor fact; raise KeyError."""
        if code := rule_of(name):
            known = self._form.find_rule(self._group, code)
            return known is None or self._finds_nothing(*known)
        derived = find_derived(self._form, self._group, name)
        if derived is None:
            raise KeyError(name)
        return self._rows.derived(derived, self._key)

    def _finds_nothing(self, item: Field, rule: Rule) -> bool:
        problem = None if item.code in self.hidden else self._verdict(item, rule)
        return problem is None or problem.severity is Severity.UNCHECKED

    @property
    def hidden(self) -> frozenset[str]:
        """The codes of the row's fields that are not shown."""
        if self._found_hidden is None:
            self._found_hidden = self._find_hidden()
        return self._found_hidden

    @property
    def holds_hidden(self) -> bool:
        """Whether something stands in a field that is not shown."""
        values, faults = self._row.values, self._row.faults
        return any(values[code] is not None or code in faults for code in self.hidden)

    def _find_hidden(self) -> frozenset[str]:
        return frozenset(
            item.code
            for condition, fields in self._form.fields_by_condition(self._group).items()
            if condition and not self._holds(fields[0], condition, when_empty=True)
            for item in fields
        )

    def _missing(self, item: Field) -> Iterator[Problem]:
        """Ask for what a field without a value should have, or for its files."""
        if item.required_when not in self._required:
            holds = self._holds(item, item.required_when, when_empty=False)
            self._required[item.required_when] = holds
        required = self._required[item.required_when]
        if item.data_type == "evidence":
            yield from self._file_problems(item, self._row.values[item.code], required)
        elif required:
            yield self._problem(item, f"请填写{item.label}。", ProblemKind.MISSING)

    def _file_problems(self, item: Field, value: object, required: bool) -> Iterator[Problem]:
        given = value if isinstance(value, dict) else {}
        items = self._facts.file_items if self._facts else ()
        files = {file.file_id: file for file in self._facts.files} if self._facts else {}
        for name, number in given.items():
            file = files.get(number)
            if file is None or name not in items:
                message = f"“{name}”所附文件不存在或已移除，请重新上传。"
                yield self._problem(item, message, ProblemKind.RULE)
            elif file.note:
                yield self._problem(item, file.note, ProblemKind.RULE, Severity.HINT)
        missing = [name for name in items if name not in given]
        if required and missing:
            message = f"还缺佐证材料：{'、'.join(missing)}（每项须有一个可打开的文件）。"
            yield self._problem(item, message, ProblemKind.MISSING)

    def _verdict(self, item: Field, rule: Rule) -> Problem | None:
        """Return what the rule finds; rules that ask for each other are asked once."""
        if not rule.code:
            return self._judge(item, rule)
        if rule.code not in self._verdicts:
            self._verdicts[rule.code] = None
            self._verdicts[rule.code] = self._judge(item, rule)
        return self._verdicts[rule.code]

    def _judge(self, item: Field, rule: Rule) -> Problem | None:
        try:
            expression, names, is_known = rule.bound, self._names, True
            for name in expression.names:
                value = names[name]
                if value is None:
                    is_known = False
                elif value is UNDELIVERED:
                    return self._unchecked(item, "所依据的参考数据尚未下达")
            if not is_known or evaluate(expression, names):
                return None
        except (BadExpression, EvaluationFailed, KeyError) as error:
            self._tell(item, rule.expression, error)
            return self._unchecked(item, "校验规则有误，已通知信息中心")
        return self._problem(item, fill(rule, self._names), ProblemKind.RULE, rule.severity)

    def _holds(self, item: Field, expression: str | None, *, when_empty: bool) -> bool:
        """Evaluate a condition; ordering something missing is false, and so is a broken condition
        of being required: a field nobody can judge must not stand in the way.
        """
        if not expression:
            return when_empty
        names = self._names_in(item, expression)
        if names is None:
            return when_empty
        try:
            return bool(evaluate(parse(expression), self._names))
        except EvaluationFailed as error:
            if all(self._names[name] not in (None, UNDELIVERED) for name in names):
                self._tell(item, expression, error)
                return when_empty
            return False

    def _names_in(self, item: Field, expression: str) -> frozenset[str] | None:
        """Return the names of an expression; None, and reported, where it cannot be read."""
        try:
            names = parse(expression).names
        except BadExpression as error:
            self._tell(item, expression, error)
            return None
        if not names <= self._names.keys():
            unknown = ", ".join(sorted(names - self._names.keys()))
            self._tell(item, expression, f"unknown names: {unknown}")
            return None
        return names

    def _tell(self, item: Field, expression: str, reason: object) -> None:
        path = path_of(self._group, self._key, item.code)
        form = self._form
        self._report(BrokenRule(form.form_code, form.version, path, expression, str(reason)))

    def _unchecked(self, item: Field, reason: str) -> Problem:
        message = f"未校验：{reason}，不影响提交。"
        return self._problem(item, message, ProblemKind.RULE, Severity.UNCHECKED)

    def _problem(
        self,
        item: Field,
        message: str,
        kind: ProblemKind,
        severity: Severity = Severity.ERROR,
    ) -> Problem:
        path = path_of(self._group, self._key, item.code)
        return Problem(path, label_of(self._form, path, self._context), message, severity, kind)


def fill(rule: Rule, names: Values) -> str:
    """Put values into a rule's sentence: only plain names, so it can reach nothing else."""

    def value(found: re.Match[str]) -> str:
        name = found[1]
        try:
            known = rule.limits[name] if name in rule.limits else names[name]
        except KeyError:
            return found[0]
        return "—" if known is None else str(known)

    return PLACEHOLDER.sub(value, rule.message)


def visible_fields(form: Form, content: Content, context: Context) -> dict[str, bool]:
    """Return for each path of the content whether its field is shown."""
    checkers = _checkers(form, content, context, lambda broken: None)
    return {
        path_of(group, key, item.code): item.code not in checker.hidden
        for (group, key), checker in checkers.items()
        for item in form.fields_of(group)
    }


def without_hidden(form: Form, content: Content, context: Context) -> Content:
    """Return the content as it is filed: a field that is not shown holds nothing."""
    return _shown_only(form, content, _checkers(form, content, context, lambda broken: None))


def check_without_hidden(
    form: Form, content: Content, context: Context, report: Report = lambda broken: None
) -> tuple[Content, list[Problem]]:
    """Return the content as it is filed, and what is wrong with that.

    Where nothing stands in a field that is not shown, which is nearly always, both come from
    looking at each row once.
    """
    checkers = _checkers(form, content, context, report)
    filed = _shown_only(form, content, checkers)
    if any(checker.holds_hidden for checker in checkers.values()):
        return filed, check(form, filed, context, report)
    return filed, [problem for checker in checkers.values() for problem in checker.problems()]


def _checkers(
    form: Form, content: Content, context: Context, report: Report
) -> dict[tuple[str, str], _RowChecker]:
    typed = typed_rows(form, content)
    rows = Rows(form, typed, context)
    return {place: _RowChecker(form, context, report, *place, rows) for place in typed}


def _shown_only(
    form: Form, content: Content, checkers: Mapping[tuple[str, str], _RowChecker]
) -> Content:
    result: Content = {}
    for group in form.groups:
        rows = [
            row | dict.fromkeys(checkers[group, key].hidden) for key, row in rows_of(content, group)
        ]
        result[group] = rows[0] if group == FORM_GROUP else rows
    return result
