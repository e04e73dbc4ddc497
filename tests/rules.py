"""Rules of forms for tests: a new one, and one that is changed as its keepers change it."""

from dataclasses import replace

import psycopg

from data_access import check_rules, rule_changes
from data_access.database import transaction
from data_access.forms import forget_forms
from domain.access import Actor
from domain.check_rules import CheckRule


def add_rule(
    owner: psycopg.Connection,
    form_code: str,
    path: str,
    expression: str,
    *,
    strength: str = "error",
) -> None:
    """Add a rule to a form, in a rule set of its own; `path` is group.field."""
    group, _, field = path.partition(".")
    row = owner.execute(
        "INSERT INTO check_rule_set (form_code, version, reason)"
        " SELECT %s, coalesce(max(version), 0) + 1, '试验' FROM check_rule_set"
        " WHERE form_code = %s RETURNING version",
        [form_code, form_code],
    ).fetchone()
    assert row is not None
    owner.execute(
        "INSERT INTO check_rule (form_code, rule_code, version, set_version, rule_order, group_code"
        ", field_code, expression, message, strength, owner, basis)"
        " VALUES (%s, %s, 1, %s, 900, %s, %s, %s, '请核对。', %s, '试验', 'assumed')",
        [form_code, f"ZZ{row[0]:03}", row[0], group, field, expression, strength],
    )
    forget_forms()


def find_rule(form_code: str, rule_code: str) -> CheckRule:
    """Return a rule as it stands."""
    with transaction(None, read_only=True) as connection:
        rules = check_rules.list_rules(connection, form_code)
    return next(rule for rule in rules if rule.rule_code == rule_code)


def change(actor: Actor, rule: CheckRule, reason: str = "按会议意见调整", **changes: object) -> int:
    """Change a rule as its keeper does; return the rule set. `limits` are thresholds by name."""
    limits = changes.pop("limits", {})
    assert isinstance(limits, dict)
    changed = replace(rule.with_limits(limits), **changes)  # type: ignore[arg-type]
    with transaction(actor, action="rule.change") as connection:
        version = rule_changes.change_rule(connection, actor, changed, reason)
    forget_forms()
    return version
