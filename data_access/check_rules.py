"""The rules of forms as versioned data: as they stand, as they stood, and how often they judged."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from data_access.queries import load_queries
from data_access.rows import fetch_all
from domain.check_rules import CheckRule
from domain.forms import Rule, Severity

_SQL = load_queries("check_rules")


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
    """Return the forms that have rules, in their newest version."""
    return fetch_all(connection, _SQL["list_forms"], RuledForm)
