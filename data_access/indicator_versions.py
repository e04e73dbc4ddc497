"""Formulas of derived indicators in versions: a year keeps the one it was computed with."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from data_access.assessment import list_years
from data_access.indicators import get_canonical, list_canonicals
from data_access.queries import load_queries
from data_access.rows import fetch_all
from domain import expressions, indicator_formulas
from domain.access import Actor, Role
from domain.errors import InvalidFormula, NotPermitted
from domain.indicator_formulas import Named

_SQL = load_queries("indicator_versions")
EVERY_YEAR = 2000
"""The first data year of a formula that is for all of them."""


@dataclass(frozen=True, slots=True)
class FormulaVersion:
    """A formula with the first data year it is for; `made_by_name` is None for the portal's own."""

    canonical_code: str
    version: int
    valid_from_year: int
    formula: str
    reason: str
    made_by_name: str | None
    made_at: datetime


def list_formulas(
    connection: Connection, canonical_code: str | None = None
) -> list[FormulaVersion]:
    """Return the versions of an indicator's formula, or of all, the last one first."""
    return fetch_all(
        connection, _SQL["list_formulas"], FormulaVersion, canonical_code=canonical_code
    )


def first_year(connection: Connection) -> int:
    """Return the data year that a changed formula is for unless it is for every year."""
    return max(list_years(connection), default=EVERY_YEAR)


def formulas_of(versions: Iterable[FormulaVersion], year: int) -> dict[str, str]:
    """Return the formula of each derived indicator in a year: the one made last that reaches it."""
    found: dict[str, str] = {}
    for each in sorted(versions, key=lambda each: each.version):
        if each.valid_from_year <= year:
            found[each.canonical_code] = each.formula
    return found


def save_formula(
    connection: Connection,
    actor: Actor,
    canonical_code: str,
    formula: str,
    *,
    reason: str,
    from_year: int,
) -> list[str]:
    """Let an indicator be derived so from a data year on; its values are assessed afterwards.

    Returns it and what is derived from it: their formulas are expanded anew. Raises InvalidFormula
    with a sentence for each fault: unknown names, units that do not fit, division by what may be
    zero, a circle. Raises NotPermitted for anybody but the bureau, RuleViolation without a reason.
    """
    if not actor.has_role(Role.PLAN_BUREAU):
        raise NotPermitted(canonical_code=canonical_code)
    get_canonical(connection, canonical_code)
    versions = list_formulas(connection)
    later = {each.valid_from_year for each in versions if each.valid_from_year > from_year}
    starts = [from_year, *sorted(later)]
    known = _known(connection, formulas_of(versions, starts[-1]))
    problems = indicator_formulas.problems(canonical_code, formula, known)
    if problems:
        raise InvalidFormula(canonical_code=canonical_code, problems=problems)
    codes = [canonical_code, *_derived_from(canonical_code, versions)]
    for code in codes:
        last = None
        for year in starts:
            texts = formulas_of(versions, year) | {canonical_code: formula}
            expanded = indicator_formulas.expanded(code, texts[code], _known(connection, texts))
            kept = (texts[code], expanded.tree)
            if kept != last:
                row = {"canonical_code": code, "from_year": year, "formula": texts[code]}
                row |= {"tree": json.dumps(expanded.tree), "inputs": sorted(expanded.inputs)}
                row |= {"reason": reason.strip(), "user_id": actor.user_id}
                connection.execute(_SQL["add_formula"], row)
            last = kept
    return codes


def _known(connection: Connection, formulas: dict[str, str]) -> dict[str, Named]:
    return {
        each.canonical_code: Named(
            each.name,
            each.unit,
            each.typical_min,
            each.typical_max,
            formulas.get(each.canonical_code),
        )
        for each in list_canonicals(connection)
    }


def _derived_from(code: str, versions: Iterable[FormulaVersion]) -> list[str]:
    """Return the indicators whose formulas name this one, or one that does, nearest first."""
    names = [(each.canonical_code, expressions.parse(each.formula).names) for each in versions]
    found = [code]
    for name in found:
        found += dict.fromkeys(
            above for above, used in names if name in used and above not in found
        )
    return found[1:]
