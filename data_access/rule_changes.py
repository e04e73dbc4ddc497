"""Change a rule of a form: tried first, kept as a new version with its reason, heard of at once."""

import json
from collections.abc import Iterable
from dataclasses import asdict, replace

from sqlalchemy import Connection

from data_access import rule_preview
from data_access.check_rules import list_forms, list_rules
from data_access.form_checks import form_context
from data_access.forms import load_form
from data_access.queries import load_queries
from domain.access import Actor, Role
from domain.check_rules import CheckRule, RuleFault, count_hits, names_of, require_sound
from domain.errors import InvalidRule, NotFound, NotPermitted, StaleVersion
from domain.forms import Context, Form

_SQL = load_queries("rule_changes")
KEEPERS = (Role.PLAN_BUREAU, Role.INFORMATION_CENTRE)


def change_rule(connection: Connection, actor: Actor, changed: CheckRule, reason: str) -> int:
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
    _try(connection, changed, rules, reason)
    return _keep(connection, actor, changed, reason)


def _try(connection: Connection, changed: CheckRule, rules: list[CheckRule], reason: str) -> None:
    newest = {each.form_code: each.version for each in list_forms(connection)}
    form = load_form(connection, changed.form_code, newest[changed.form_code])
    context = _any_context(connection, form)
    require_sound(form, changed, rules, facts_of(rules, changed.group_code, context), reason)
    samples = rule_preview.read_samples(connection, form, [changed], rules, rule_preview.SAMPLE)
    count_hits(form, changed, rules, samples)


def _any_context(connection: Connection, form: Form) -> Context | None:
    """Return the facts of a unit that has begun this form, None while there is none."""
    unit = connection.scalar(_SQL["any_unit"], {"form_code": form.form_code})
    try:
        return form_context(connection, form.form_code, str(unit)) if unit else None
    except NotFound:  # a unit that has been merged since
        return None


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


def _keep(connection: Connection, actor: Actor, changed: CheckRule, reason: str) -> int:
    added = {"form_code": changed.form_code, "reason": reason.strip(), "user_id": actor.user_id}
    set_version = int(connection.scalar(_SQL["add_set"], added) or 0)
    kept = replace(changed, version=changed.version + 1, set_version=set_version)
    thresholds = json.dumps(kept.thresholds, ensure_ascii=False)
    connection.execute(_SQL["add_rule"], asdict(kept) | {"thresholds": thresholds})
    return set_version
