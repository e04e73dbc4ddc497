"""The rules of forms as versioned data: who runs the forms changes them, and they remember."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from data_access.queries import load_queries
from data_access.rows import fetch_all
from domain.access import Actor, Role
from domain.check_rules import CheckRule, RuleFault, names_of, require_sound
from domain.errors import InvalidRule, NotFound, NotPermitted, StaleVersion
from domain.forms import Context, Form, Rule, Severity

_SQL = load_queries("check_rules")
KEEPERS = (Role.PLAN_BUREAU, Role.INFORMATION_CENTRE)


@dataclass(frozen=True, slots=True)
class RuleVersion:
    """One version of a rule, as the list of its past shows it."""

    version: int
    set_version: int
    expression: str
    message: str
    strength: Severity
    is_enabled: bool
    thresholds: dict[str, dict[str, Any]]
    reason: str
    made_at: datetime
    made_by_name: str | None
    """None for what came with the portal."""
    judged: int
    """Filed versions that it judged."""


@dataclass(frozen=True, slots=True)
class RuledForm:
    form_code: str
    version: int
    title: str


def current_set(connection: Connection, form_code: str) -> int:
    """Return the version of the form's rule set that judges now."""
    return int(connection.scalar(_SQL["current_set"], {"form_code": form_code}) or 0)


def list_rules(
    connection: Connection, form_code: str, set_version: int | None = None
) -> list[CheckRule]:
    """Return the form's rules in order, those switched off too, as they stand in a rule set."""
    version = current_set(connection, form_code) if set_version is None else set_version
    return fetch_all(
        connection, _SQL["list_rules"], CheckRule, form_code=form_code, set_version=version
    )


def rules_by_field(
    connection: Connection, form_code: str, set_version: int
) -> dict[tuple[str, str], tuple[Rule, ...]]:
    """Return what a form is checked by: group and field to the rules that are switched on."""
    found: dict[tuple[str, str], tuple[Rule, ...]] = {}
    for rule in list_rules(connection, form_code, set_version):
        if rule.is_enabled:
            place = rule.group_code, rule.field_code
            found[place] = (*found.get(place, ()), rule.as_rule())
    return found


def list_versions(connection: Connection, form_code: str, rule_code: str) -> list[RuleVersion]:
    """Return every version of a rule, the newest first."""
    return fetch_all(
        connection,
        _SQL["list_versions"],
        RuleVersion,
        form_code=form_code,
        rule_code=rule_code,
    )


def list_forms(connection: Connection) -> list[RuledForm]:
    """Return the forms in their newest version."""
    return fetch_all(connection, _SQL["list_forms"], RuledForm)


def any_unit(connection: Connection, form_code: str) -> str | None:
    """Return a unit that has filed or begun this form, None while there is none."""
    code = connection.scalar(_SQL["any_unit"], {"form_code": form_code})
    return str(code) if code else None


def facts_of(rules: Iterable[CheckRule], group: str, context: Context | None) -> dict[str, object]:
    """Return the names of facts that rules of the group may use, each with a value it may have.

    Without a unit to ask (`context`), these are the names that its rules use already.
    """
    known = [names_of(rule) for rule in rules if rule.group_code == group]
    facts: dict[str, object] = dict.fromkeys(name for names in known for name in names)
    if context is not None:
        facts |= dict(context.values)
        for row in context.rows.get(group, ())[:1]:
            facts |= dict(row.values)
    return facts


def change_rule(
    connection: Connection,
    actor: Actor,
    form: Form,
    changed: CheckRule,
    reason: str,
    facts: Mapping[str, object],
) -> int:
    """Keep a rule as it was changed from the version that `changed` carries; return the rule set.

    Raises NotPermitted, NotFound, StaleVersion when somebody changed it since, and InvalidRule
    with the fault of an expression, a threshold or a strength that cannot be.
    """
    if not actor.has_role(*KEEPERS):
        raise NotPermitted(rule_code=changed.rule_code)
    connection.execute(_SQL["lock"])
    rules = list_rules(connection, changed.form_code)
    current = next((each for each in rules if each.rule_code == changed.rule_code), None)
    if current is None:
        raise NotFound(rule_code=changed.rule_code)
    if current.version != changed.version:
        raise StaleVersion(rule_code=changed.rule_code)
    if changed == current:
        raise InvalidRule(fault=RuleFault.UNCHANGED)
    require_sound(form, changed, rules, facts, reason)
    set_version = connection.scalar(
        _SQL["add_set"],
        {"form_code": changed.form_code, "reason": reason.strip(), "user_id": actor.user_id},
    )
    kept = replace(changed, version=current.version + 1, set_version=int(set_version or 0))
    connection.execute(_SQL["add_rule"], parameters(kept))
    return kept.set_version


def parameters(rule: CheckRule) -> dict[str, object]:
    """Return a rule as the columns of its table."""
    return asdict(rule) | {"thresholds": json.dumps(rule.thresholds, ensure_ascii=False)}
