"""A rule of a form as its keepers have it, and what it may become.

An expression is tried before it is kept: read, its names known, asked with every number at zero
and at one, so that a division by zero is met at the desk and not by an officer in a village.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any

from domain.errors import InvalidRule
from domain.expressions import BadExpression, EvaluationFailed, evaluate
from domain.form_rules import PLACEHOLDER, BrokenRule, check
from domain.forms import (
    EXPLANATION,
    FORM_GROUP,
    Content,
    Context,
    Field,
    Form,
    ProblemKind,
    Row,
    Rule,
    Severity,
    rows_of,
)
from domain.rule_names import Kind, find_derived, rule_of

STRENGTHS = (Severity.ERROR, Severity.WARNING, Severity.HINT)
_LONGEST_REASON = 500
_MOST = Decimal(10) ** 12


class Basis(StrEnum):
    SOURCED = "sourced"
    KNOWN = "known"
    ASSUMED = "assumed"


class RuleFault(StrEnum):
    UNREADABLE = "unreadable"
    UNKNOWN_NAME = "unknown_name"
    UNKNOWN_PLACEHOLDER = "unknown_placeholder"
    CYCLE = "cycle"
    DIVISION_BY_ZERO = "division_by_zero"
    FAILS = "fails"
    NOT_EXPLAINABLE = "not_explainable"
    THRESHOLD = "threshold"
    NO_REASON = "no_reason"
    NO_MESSAGE = "no_message"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class CheckRule:
    """One version of a rule; the names are those of the table check_rule."""

    form_code: str
    rule_code: str
    version: int
    set_version: int
    rule_order: int
    group_code: str
    field_code: str
    expression: str
    message: str
    strength: Severity
    is_enabled: bool
    thresholds: Mapping[str, Mapping[str, Any]]
    owner: str
    basis: Basis
    basis_note: str

    def as_rule(self) -> Rule:
        """Return the rule as a form is checked by it."""
        return Rule(self.expression, self.message, self.rule_code, self.strength, self.limits)

    @property
    def limits(self) -> dict[str, int | Decimal]:
        return {name: _number(each["value"]) for name, each in self.thresholds.items()}

    def with_limits(self, limits: Mapping[str, int | Decimal]) -> "CheckRule":
        """Return the rule with other thresholds, whose labels and units stay."""
        changed = {
            name: {**each, "value": _plain(limits.get(name, _number(each["value"])))}
            for name, each in self.thresholds.items()
        }
        return replace(self, thresholds=changed)


def _listed(names: Sequence[str]) -> str:
    return f"（{'、'.join(names)}）"


def _number(value: object) -> int | Decimal:
    return value if isinstance(value, int) else Decimal(str(value))


def _plain(value: int | Decimal) -> int | float:
    """Return a number as JSON keeps it."""
    return int(value) if value == int(value) else float(value)


def require_sound(
    form: Form,
    rule: CheckRule,
    others: Iterable[CheckRule],
    facts: Mapping[str, object],
    reason: str,
) -> None:
    """Raise InvalidRule with what stands against keeping the rule.

    `others` are the form's rules, `facts` the names of the unit and of a row of the rule's group,
    each with a value it may have.
    """
    if not reason.strip() or len(reason) > _LONGEST_REASON:
        raise InvalidRule(fault=RuleFault.NO_REASON)
    if not rule.message.strip():
        raise InvalidRule(fault=RuleFault.NO_MESSAGE)
    if not all(0 <= limit < _MOST for limit in rule.limits.values()):
        raise InvalidRule(fault=RuleFault.THRESHOLD)
    explains = form.find_field(rule.group_code, EXPLANATION) is not None
    if rule.strength is Severity.WARNING and not explains:
        raise InvalidRule(fault=RuleFault.NOT_EXPLAINABLE)
    _require_names(form, rule, facts)
    _require_no_cycle(rule, [other for other in others if other.rule_code != rule.rule_code])
    _require_evaluates(form, rule, facts)


def _require_names(form: Form, rule: CheckRule, facts: Mapping[str, object]) -> None:
    unknown = sorted(n for n in names_of(rule) if not is_known(form, rule.group_code, n, facts))
    if unknown:
        raise InvalidRule(fault=RuleFault.UNKNOWN_NAME, names=_listed(unknown))
    quoted = set(PLACEHOLDER.findall(rule.message)) - rule.limits.keys()
    unknown = sorted(n for n in quoted if not is_known(form, rule.group_code, n, facts))
    if unknown:
        raise InvalidRule(fault=RuleFault.UNKNOWN_PLACEHOLDER, names=_listed(unknown))


def names_of(rule: CheckRule) -> frozenset[str]:
    """Return the names of a rule that are not its thresholds; raise InvalidRule."""
    try:
        return rule.as_rule().bound.names
    except BadExpression as error:
        raise InvalidRule(fault=RuleFault.UNREADABLE) from error


def is_known(form: Form, group: str, name: str, facts: Mapping[str, object]) -> bool:
    """Tell whether a rule of the group may use the name."""
    if name in facts or name == "today" or rule_of(name):
        return True
    return _field_of(form, group, name) is not None or find_derived(form, group, name) is not None


def _field_of(form: Form, group: str, name: str) -> Field | None:
    """Return the field that a name is: the row's own, or one of the form or of another group."""
    own = form.find_field(group, name)
    if own or group == FORM_GROUP:
        return None if name == EXPLANATION else own
    for other in form.groups:
        found = form.find_field(other, name.removeprefix(f"{other}_"))
        if other != group and name.startswith(f"{other}_") and found:
            return found
    return None


def _require_no_cycle(rule: CheckRule, others: Sequence[CheckRule]) -> None:
    """Refuse a rule that asks, through others, for its own verdict."""
    asks = {
        each.rule_code: {code for name in names_of(each) if (code := rule_of(name))}
        for each in (*others, rule)
        if each.group_code == rule.group_code
    }
    missing = sorted(asks[rule.rule_code] - asks.keys())
    if missing:
        raise InvalidRule(fault=RuleFault.UNKNOWN_NAME, names=_listed(missing))
    reached, ahead = set[str](), [rule.rule_code]
    while ahead:
        for code in asks.get(ahead.pop(), set()) - reached:
            if code == rule.rule_code:
                raise InvalidRule(fault=RuleFault.CYCLE, names=_listed(sorted(reached | {code})))
            reached.add(code)
            ahead.append(code)


def _require_evaluates(form: Form, rule: CheckRule, facts: Mapping[str, object]) -> None:
    for number in (0, 1):
        values = {
            name: _sample(form, rule.group_code, name, facts, number) for name in names_of(rule)
        }
        require_evaluates(rule, values)


def require_evaluates(rule: CheckRule, values: Mapping[str, object]) -> bool:
    """Return whether the rule holds for the values; raise InvalidRule where it fails."""
    try:
        return bool(evaluate(rule.as_rule().bound, values))
    except EvaluationFailed as error:
        is_division = isinstance(error.__cause__, ZeroDivisionError | InvalidOperation)
        fault = RuleFault.DIVISION_BY_ZERO if is_division else RuleFault.FAILS
        raise InvalidRule(fault=fault) from error


def _sample(form: Form, group: str, name: str, facts: Mapping[str, object], number: int) -> object:
    """Return a value that the name may have."""
    derived = find_derived(form, group, name)
    item = _field_of(form, group, name)
    if item is None and derived and derived.kind in (Kind.LAST, Kind.SUM):
        item = derived.field
    if item is not None:
        return _sample_of(form, item, number)
    if name == "today":
        return date(2026, 1, 1)
    if derived or rule_of(name):
        return number
    value = facts.get(name)
    return number if value is None else value


def _sample_of(form: Form, item: Field, number: int) -> object:
    match item.data_type:
        case "integer":
            return number
        case "decimal":
            return Decimal(number)
        case "boolean":
            return bool(number)
        case "date":
            return date(2026, 1, 1 + number)
        case "code":
            return next(iter(form.options(item)), "")
        case "evidence":
            return {}
    return "甲" * number


# WHAT A RULE WOULD FIND


@dataclass(frozen=True, slots=True)
class Sample:
    """A filed report, what the unit had filed for good before, and the day it was filed."""

    content: Content
    last: Content
    day: date


def groups_of(form: Form, rule: CheckRule, others: Iterable[CheckRule]) -> set[str]:
    """Return the groups of content that the rule asks about."""
    return {item.group for item in _fields_of(form, _asked(rule, others))} | {rule.group_code}


def count_hits(
    form: Form, rule: CheckRule, others: Sequence[CheckRule], samples: Sequence[Sample]
) -> int | None:
    """Return in how many of the reports the rule finds something, 0 where it is switched off.

    None where it asks for facts that a filed report does not keep. Raises InvalidRule where it
    cannot be evaluated.
    """
    if not rule.is_enabled:
        return 0
    rules = _asked(rule, others)
    if any(_is_fact(form, each, name) for each in rules for name in names_of(each)):
        return None
    small = _only(form, rules)
    broken: list[BrokenRule] = []
    hits = sum(_is_hit(small, sample, broken) for sample in samples)
    if broken:
        raise InvalidRule(fault=RuleFault.FAILS)
    return hits


def _asked(rule: CheckRule, others: Iterable[CheckRule]) -> list[CheckRule]:
    """Return the rule and the others whose verdicts it asks for; those count for nothing here."""
    known = {each.rule_code: each for each in others if each.rule_code != rule.rule_code}
    asked, ahead = [replace(rule, strength=Severity.ERROR)], [rule]
    while ahead:
        for name in names_of(ahead.pop()):
            found = known.pop(rule_of(name) or "", None)
            if found and found.is_enabled:
                asked.append(replace(found, strength=Severity.HINT))
                ahead.append(found)
    return asked


def _is_fact(form: Form, rule: CheckRule, name: str) -> bool:
    return name != "today" and not is_known(form, rule.group_code, name, {})


def _fields_of(form: Form, rules: Iterable[CheckRule]) -> list[Field]:
    """Return the fields that the rules name or speak of, in the order of the form."""
    wanted = set[tuple[str, str]]()
    for rule in rules:
        wanted.add((rule.group_code, rule.field_code))
        for name in names_of(rule):
            item = _field_of(form, rule.group_code, name)
            derived = find_derived(form, rule.group_code, name)
            if item is None and derived:
                item = derived.field or next(iter(form.fields_of(derived.group)), None)
            if item:
                wanted.add((item.group, item.code))
    return [item for item in form.fields if (item.group, item.code) in wanted]


def _only(form: Form, rules: Sequence[CheckRule]) -> Form:
    """Return the form with these rules and the fields they name, and nothing else to meet."""

    def bare(item: Field) -> Field:
        own = tuple(
            rule.as_rule()
            for rule in rules
            if (rule.group_code, rule.field_code) == (item.group, item.code)
        )
        return replace(item, rules=own, required_when=None, visible_when=None)

    return replace(form, fields=tuple(map(bare, _fields_of(form, rules))))


def _is_hit(form: Form, sample: Sample, broken: list[BrokenRule]) -> bool:
    rows = {
        group: [Row(key, key) for key, _ in rows_of(sample.content, group)]
        for group in form.groups
        if group != FORM_GROUP
    }
    found = check(
        form, sample.content, Context(sample.day, rows=rows, last=sample.last), broken.append
    )
    return any(each.severity is Severity.ERROR and each.kind is ProblemKind.RULE for each in found)
