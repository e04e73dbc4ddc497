"""Formulas and targets as the bureau changes them: what depends on them is assessed at once."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from data_access import indicator_changes, indicators
from data_access.database import transaction
from data_access.indicator_changes import TargetChange
from data_access.indicators import IndicatorTarget
from domain.assessment import TargetState
from domain.errors import InvalidAction, InvalidFormula, NotPermitted, RuleViolation, StaleVersion
from tests.actors import COUNTY
from tests.assessments import accept, assess, levels, result
from tests.standing import NEIGHBOUR


@pytest.fixture
def year(owner, bureau):
    accept(
        owner,
        2025,
        {
            COUNTY: {"CULT_LAND": 39, "WATER_TOTAL": 2, "POP_RESIDENT": 80},
            NEIGHBOUR: {"CULT_LAND": 60},
        },
        bureau.user_id,
    )
    assess(owner)


def target(unit=COUNTY, state=TargetState.ISSUED, value: int | None = 40, **more):
    wanted = None if value is None else Decimal(value)
    return IndicatorTarget(unit, "CULT_LAND", 2035, state, target_value=wanted, **more)


def change(actor, *changes):
    with transaction(actor, action="indicator_target.save") as connection:
        return indicator_changes.change_targets(connection, actor, changes)


def test_a_target_that_is_issued_judges_and_raises_at_once(owner, bureau, year):
    assert levels(owner, 2025, "CULT_LAND")[COUNTY] == "unrated"
    document = {"document_no": "赣自然资发〔2025〕1号", "issued_on": date(2025, 6, 30)}
    judged = change(bureau, TargetChange(None, target(**document)))
    assert judged.raised == 1
    assert levels(owner, 2025, "CULT_LAND")[COUNTY] == "severe"
    change(
        bureau, TargetChange(target(**document), target(state=TargetState.NOT_ISSUED, value=None))
    )
    assert result(owner, COUNTY, 2025, "CULT_LAND")["reason"] == "no_target"
    rows = owner.execute(
        "SELECT count(*) FROM row_change WHERE table_name = 'indicator_target'"
        " AND action = 'indicator_target.save' AND user_id = %s",
        [bureau.user_id],
    ).fetchone()
    assert rows == (2,)


def test_of_several_targets_all_are_kept_or_none(owner, bureau, year):
    wrong = target(NEIGHBOUR, value=None)
    with pytest.raises(RuleViolation) as refused:
        change(bureau, TargetChange(None, target()), TargetChange(None, wrong))
    assert refused.value.details["constraint"] == "indicator_target_issued_has_value"
    assert owner.execute("SELECT count(*) FROM indicator_target").fetchone() == (0,)


def test_who_was_slower_is_told(bureau, year):
    change(bureau, TargetChange(None, target()))
    with pytest.raises(StaleVersion):
        change(bureau, TargetChange(None, target(value=50)))


def test_targets_and_formulas_are_the_bureaus(county, bureau, year):
    with pytest.raises(NotPermitted):
        change(county, TargetChange(None, target()))
    with pytest.raises(NotPermitted):
        reckon(county, canonical(bureau, "WATER_PC"), "WATER_TOTAL / POP_RESIDENT")


def canonical(actor, code):
    with transaction(actor, read_only=True) as connection:
        return indicators.get_canonical(connection, code)


def reckon(actor, opened, formula, reason="口径调整", from_year=2025):
    with transaction(actor, action="indicator_formula.save") as connection:
        return indicator_changes.change_formula(
            connection, actor, opened, formula, reason=reason, from_year=from_year
        )


def test_a_changed_formula_computes_anew(owner, bureau, year):
    opened = canonical(bureau, "WATER_PC")
    assert result(owner, COUNTY, 2025, "WATER_PC")["value"] == 250
    judged = reckon(bureau, opened, "(WATER_TOTAL + WATER_TOTAL) * 10000 / POP_RESIDENT")
    assert judged.changed >= 1
    assert result(owner, COUNTY, 2025, "WATER_PC")["value"] == 500
    with pytest.raises(StaleVersion):
        reckon(bureau, opened, "WATER_TOTAL * 10000 / POP_RESIDENT")


def test_a_refused_formula_leaves_value_and_formula(owner, bureau, year):
    opened = canonical(bureau, "WATER_PC")
    with pytest.raises(InvalidFormula) as refused:
        reckon(bureau, opened, "WATER_TOTAL / POP_RESIDENT")
    assert "10000" in str(refused.value.details["problems"])
    assert canonical(bureau, "WATER_PC") == opened
    assert result(owner, COUNTY, 2025, "WATER_PC")["value"] == 250


def test_what_is_derived_from_a_derived_indicator_follows(owner, bureau, year):
    """The tree of the one above is stored expanded: it must not keep the old formula."""
    water, gdp = canonical(bureau, "WATER_PC"), canonical(bureau, "WATER_PER_GDP")
    owner.execute("UPDATE indicator_canonical SET unit = %s WHERE canonical_code = %s",
                  [water.unit, gdp.canonical_code])  # fmt: skip
    reckon(bureau, canonical(bureau, "WATER_PER_GDP"), "WATER_PC * 1")
    assert result(owner, COUNTY, 2025, "WATER_PER_GDP")["value"] == 250
    reckon(bureau, water, "(WATER_TOTAL + WATER_TOTAL) * 10000 / POP_RESIDENT")
    assert result(owner, COUNTY, 2025, "WATER_PER_GDP")["value"] == 500


def test_what_is_filed_has_no_formula(bureau):
    opened = replace(canonical(bureau, "WATER_TOTAL"), formula=None)
    with pytest.raises(InvalidAction):
        reckon(bureau, opened, "POP_RESIDENT * 1")
