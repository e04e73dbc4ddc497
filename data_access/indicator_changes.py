"""What the bureau changes of indicators: formulas and targets, assessed in the same transaction."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from data_access import assessment, indicator_warnings, indicators
from data_access.assessment import AssessedUnit
from data_access.inbox import IN_APP, Sender
from data_access.indicators import Canonical, IndicatorTarget
from data_access.queries import load_queries
from data_access.rows import fetch_all
from domain import expressions
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
    sender: Sender = IN_APP,
) -> Judged:
    """Compute a derived indicator otherwise, in every year, with all that is derived from it.

    Raises NotPermitted for anybody but the bureau, InvalidAction for what is filed, StaleVersion
    when somebody changed the formula since, InvalidFormula with a sentence for each fault.
    """
    code = opened.canonical_code
    if not actor.has_role(Role.PLAN_BUREAU):
        raise NotPermitted(canonical_code=code)
    connection.execute(_SQL["lock"])
    known = {each.canonical_code: each for each in indicators.list_canonicals(connection)}
    if known[code].value_kind is not ValueKind.DERIVED:
        raise InvalidAction(canonical_code=code)
    if known[code].formula != opened.formula:
        raise StaleVersion(canonical_code=code)
    indicators.save_formula(connection, actor, code, formula)
    codes = [code, *_derived_from(code, known)]
    # What is stored is expanded down to what is filed: those above are expanded anew.
    for above in codes[1:]:
        indicators.save_formula(connection, actor, above, known[above].formula or "")
    return _judge(connection, codes, sender)


def _derived_from(code: str, known: dict[str, Canonical]) -> list[str]:
    """Return the indicators whose formulas name this one, or one that does, nearest first."""
    found = [code]
    for name in found:
        found += [
            each.canonical_code
            for each in known.values()
            if each.formula
            and name in expressions.parse(each.formula).names
            and each.canonical_code not in found
        ]
    return found[1:]


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


def _judge(connection: Connection, codes: Sequence[str], sender: Sender) -> Judged:
    changed = assessment.assess(connection, codes=codes, raising=True) if codes else 0
    return Judged(changed, indicator_warnings.tell_raised(connection, sender))
