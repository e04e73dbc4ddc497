"""What the bureau changes of indicators: formulas and targets, assessed in the same transaction."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from data_access import assessment, indicator_versions, indicator_warnings, indicators
from data_access.assessment import AssessedUnit
from data_access.inbox import IN_APP, Sender
from data_access.indicators import Canonical, IndicatorTarget
from data_access.queries import load_queries
from data_access.rows import fetch_all
from domain.access import Actor, Role
from domain.assessment import ValueKind
from domain.errors import InvalidAction, NotPermitted, StaleVersion

_SQL = load_queries("indicator_changes")


@dataclass(frozen=True, slots=True)
class TargetChange:
    """A target as the actor saw it, None where there was none, and as it is to be."""

    opened: IndicatorTarget | None
    wanted: IndicatorTarget


@dataclass(frozen=True, slots=True)
class Judged:
    """How many results a change touched, and how many warning items it raised."""

    changed: int
    raised: int


def change_formula(
    connection: Connection,
    actor: Actor,
    opened: Canonical,
    formula: str,
    *,
    reason: str,
    from_year: int,
    sender: Sender = IN_APP,
) -> Judged:
    """Compute a derived indicator otherwise from a data year on, with all that is derived from it.

    Raises NotPermitted for anybody but the bureau, InvalidAction for what is filed, StaleVersion
    when somebody changed the formula since, InvalidFormula with a sentence for each fault,
    RuleViolation without a reason.
    """
    code = opened.canonical_code
    if not actor.has_role(Role.PLAN_BUREAU):
        raise NotPermitted(canonical_code=code)
    connection.execute(_SQL["lock"])
    current = indicators.get_canonical(connection, code)
    if current.value_kind is not ValueKind.DERIVED:
        raise InvalidAction(canonical_code=code)
    if current.formula != opened.formula:
        raise StaleVersion(canonical_code=code)
    codes = indicator_versions.save_formula(
        connection, actor, code, formula, reason=reason, from_year=from_year
    )
    years = [year for year in assessment.list_years(connection) if year >= from_year]
    return _judge(connection, codes, sender, years)


def list_target_units(connection: Connection) -> list[AssessedUnit]:
    """Return who may have targets, in the actor's scope: the province, cities and counties."""
    return fetch_all(connection, _SQL["list_target_units"], AssessedUnit)


def change_targets(
    connection: Connection,
    actor: Actor,
    changes: Sequence[TargetChange],
    sender: Sender = IN_APP,
) -> Judged:
    """Issue or change targets, all or none, and judge what depends on them.

    Raises NotPermitted for anybody but the bureau, StaleVersion when somebody changed one of them
    since, RuleViolation for what the table refuses.
    """
    if not actor.has_role(Role.PLAN_BUREAU):
        raise NotPermitted(action="target")
    connection.execute(_SQL["lock"])
    codes = sorted({each.wanted.canonical_code for each in changes})
    current = {
        _key(target): target
        for code in codes
        for target in indicators.list_targets(connection, canonical_code=code)
    }
    for each in changes:
        if current.get(_key(each.wanted)) != each.opened:
            raise StaleVersion(canonical_code=each.wanted.canonical_code)
        indicators.save_target(connection, actor, each.wanted)
    return _judge(connection, codes, sender)


def _key(target: IndicatorTarget) -> tuple[str, str, int]:
    return target.division_code, target.canonical_code, target.target_year


def _judge(
    connection: Connection,
    codes: Sequence[str],
    sender: Sender,
    years: Sequence[int] | None = None,
) -> Judged:
    is_idle = not codes or years == []
    changed = 0 if is_idle else assessment.assess(connection, years, codes, raising=True)
    return Judged(changed, indicator_warnings.tell_raised(connection, sender))
