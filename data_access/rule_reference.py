"""The rules that an installation starts with, as a first rule set of each form.

A rule that somebody changed in the portal stays as he left it; one that nobody touched follows
the file, as a version of its own.
"""

import csv
import json
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import class_row, scalar_row
from psycopg.types.json import Jsonb

from domain.check_rules import Basis, CheckRule
from domain.forms import Severity

_COLUMNS = tuple(item.name for item in fields(CheckRule))
_FIRST, _LATER = "随系统发布", "随系统升级更新"
# Until this release thresholds were settings; what a province changed there goes on.
_OLD_SETTINGS = ["village_evaluation_limits", "contract_amount_limit"]


def load(connection: psycopg.Connection[Any], path: Path) -> int:
    """Load the rules of a CSV; return how many are new or changed. Nothing is taken away."""
    wanted = read(path)
    known = {(rule.form_code, rule.rule_code): rule for rule in _known(connection)}
    touched = set(connection.execute(_TOUCHED).fetchall())
    moved = _old_limits(connection)
    news: dict[str, list[CheckRule]] = {}
    for rule in wanted:
        key = rule.form_code, rule.rule_code
        if key not in known:
            limits = {name: moved[name] for name in rule.thresholds if name in moved}
            news.setdefault(rule.form_code, []).append(rule.with_limits(limits))
        elif key not in touched and _differs(rule, known[key]):
            later = replace(rule, version=known[key].version + 1)
            news.setdefault(rule.form_code, []).append(later)
    for form_code, rules in news.items():
        _add(connection, form_code, rules)
    connection.execute(_FORGET_HISTORY, [_OLD_SETTINGS])
    connection.execute(_FORGET_SETTINGS, [_OLD_SETTINGS])
    return sum(map(len, news.values()))


def read(path: Path) -> list[CheckRule]:
    """Return the rules of a CSV, each as its first version."""
    with path.open(encoding="utf-8", newline="") as file:
        return [_rule(row) for row in csv.DictReader(file)]


def _rule(row: dict[str, str]) -> CheckRule:
    return CheckRule(
        form_code=row["form_code"],
        rule_code=row["rule_code"],
        version=1,
        set_version=1,
        rule_order=int(row["rule_order"]),
        group_code=row["group_code"],
        field_code=row["field_code"],
        expression=row["expression"],
        message=row["message"],
        strength=Severity(row["strength"]),
        is_enabled=row["is_enabled"] == "true",
        thresholds=json.loads(row["thresholds"]),
        owner=row["owner"],
        basis=Basis(row["basis"]),
        basis_note=row["basis_note"],
    )


def _known(connection: psycopg.Connection[Any]) -> list[CheckRule]:
    with connection.cursor(row_factory=class_row(CheckRule)) as cursor:
        return cursor.execute(_NEWEST).fetchall()


def _differs(rule: CheckRule, known: CheckRule) -> bool:
    return replace(rule, version=known.version, set_version=known.set_version) != known


def _old_limits(connection: psycopg.Connection[Any]) -> dict[str, Any]:
    limits: dict[str, Any] = {}
    for name, value in connection.execute(_SETTINGS, [_OLD_SETTINGS]).fetchall():
        limits |= value if isinstance(value, dict) else {name: value}
    return limits


def _add(connection: psycopg.Connection[Any], form_code: str, rules: list[CheckRule]) -> None:
    with connection.cursor(row_factory=scalar_row) as cursor:
        reason = _FIRST if all(rule.version == 1 for rule in rules) else _LATER
        version = cursor.execute(_ADD_SET, {"form_code": form_code, "reason": reason}).fetchone()
    for rule in rules:
        row = {name: getattr(rule, name) for name in _COLUMNS}
        row |= {"set_version": version, "thresholds": Jsonb(dict(rule.thresholds))}
        connection.execute(_ADD_RULE, row)


_NEWEST = f"""
SELECT DISTINCT ON (form_code, rule_code) {", ".join(_COLUMNS)}
  FROM check_rule
 ORDER BY form_code, rule_code, version DESC
"""  # noqa: S608 - the columns are the fields of a class
_TOUCHED = """
SELECT DISTINCT rule.form_code, rule.rule_code
  FROM check_rule AS rule
  JOIN check_rule_set AS rule_set
    ON rule_set.form_code = rule.form_code AND rule_set.version = rule.set_version
 WHERE rule_set.made_by IS NOT NULL
"""
_SETTINGS = "SELECT name, value FROM portal_setting WHERE name = ANY (%s)"
_ADD_SET = """
INSERT INTO check_rule_set (form_code, version, reason)
SELECT %(form_code)s, coalesce(max(version), 0) + 1, %(reason)s
  FROM check_rule_set
 WHERE form_code = %(form_code)s
RETURNING version
"""
_ADD_RULE = """
INSERT INTO check_rule (form_code, rule_code, version, set_version, rule_order, group_code
     , field_code, expression, message, strength, is_enabled, thresholds, owner, basis, basis_note)
VALUES (%(form_code)s, %(rule_code)s, %(version)s, %(set_version)s, %(rule_order)s
      , %(group_code)s, %(field_code)s, %(expression)s, %(message)s, %(strength)s, %(is_enabled)s
      , %(thresholds)s, %(owner)s, %(basis)s, %(basis_note)s)
"""
_FORGET_HISTORY = "DELETE FROM portal_setting_history WHERE name = ANY (%s)"
_FORGET_SETTINGS = "DELETE FROM portal_setting WHERE name = ANY (%s)"
