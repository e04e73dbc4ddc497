"""Formulas of computed indicators: what is refused, what they compute, who changes them."""

import pytest

from data_access import (
    assessment,
    indicator_versions,
    indicators,
)
from data_access.database import transaction
from domain import indicator_formulas
from domain.errors import InvalidFormula, NotPermitted
from tests.actors import COUNTY
from tests.assessments import accept, result


def save(connection, actor, formula):
    return indicator_versions.save_formula(
        connection, actor, "WATER_PC", formula, reason="试算", from_year=2025
    )


@pytest.mark.parametrize(
    ("formula", "sentence"),
    [
        ("WATER_TOTAL / POP_RESIDENT", "请乘以换算系数 10000"),
        ("WATER_TOTAL * 10000 / TRADES", "“TRADES”不是指标代码"),
        ("WATER_TOTAL * 10000 / WETLAND_AREA", "可能除以零"),
        ("WATER_TOTAL * 10000 / GDP", "与“人均年用水量”的单位“m3/人”不符"),
        ("WATER_TOTAL + POP_RESIDENT", "单位不同"),
        ("WATER_PC * 1", "成环"),
        ("__import__('os')", "无法识别"),
        ("WATER_TOTAL ** 9", "无法识别"),
        ("WATER_TOTAL * 100 / POP_RESIDENT", "请乘以换算系数 100"),
        ("(WATER_TOTAL + WATER_TOTAL) / 2 / POP_RESIDENT", "请乘以换算系数 10000"),
    ],
)
def test_a_formula_that_cannot_be_is_refused_with_a_sentence(bureau, formula, sentence):
    with pytest.raises(InvalidFormula) as refused, transaction(bureau) as connection:
        save(connection, bureau, formula)
    assert sentence in refused.value.details["problems"][0]


def test_a_mean_is_of_the_unit_of_what_it_is_the_mean_of(owner, bureau):
    accept(owner, 2025, {COUNTY: {"WATER_TOTAL": "2.4", "POP_RESIDENT": 80}}, bureau.user_id)
    with transaction(bureau, action="formula.save") as connection:
        save(connection, bureau, "(WATER_TOTAL + WATER_TOTAL) / 2 * 10000 / POP_RESIDENT")
        assessment.assess(connection, codes=["WATER_TOTAL"])
    assert result(owner, COUNTY, 2025, "WATER_PC")["value"] == 300


def test_a_formula_is_the_bureaus_to_change_and_computes_at_once(owner, bureau, county):
    formula = "(WATER_TOTAL - WATER_TOTAL + WATER_TOTAL) * 10000 / POP_RESIDENT"
    with pytest.raises(NotPermitted), transaction(county) as connection:
        save(connection, county, formula)
    accept(owner, 2025, {COUNTY: {"WATER_TOTAL": "2.4", "POP_RESIDENT": 80}}, bureau.user_id)
    with transaction(bureau, action="formula.save") as connection:
        save(connection, bureau, formula)
        assessment.assess(connection, codes=["WATER_TOTAL", "POP_RESIDENT"])
        told = assessment.explain(connection, COUNTY, 2025, "WATER_PC")
    assert told.record.value == 300
    assert told.sentence == "(2.4 - 2.4 + 2.4) × 10000 ÷ 80 = 300 m3/人"


def test_the_stored_trees_are_those_of_the_formulas(owner, bureau):
    with transaction(bureau, read_only=True) as connection:
        known = {
            each.canonical_code: indicator_formulas.Named(
                each.name, each.unit, each.typical_min, each.typical_max, each.formula
            )
            for each in indicators.list_canonicals(connection)
        }
    rows = owner.execute(
        "SELECT canonical_code, formula, formula_tree, formula_inputs FROM indicator_canonical"
        " WHERE formula IS NOT NULL"
    ).fetchall()
    assert len(rows) == 3
    for code, formula, tree, inputs in rows:
        assert indicator_formulas.problems(code, formula, known) == []
        expanded = indicator_formulas.expanded(code, formula, known)
        assert (tree, set(inputs)) == (expanded.tree, expanded.inputs)
