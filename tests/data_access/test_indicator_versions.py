"""Formulas in versions: past years keep theirs, a release takes nothing back from the bureau."""

import pytest

from data_access import assessment, indicator_changes, indicator_versions, indicators
from data_access.database import transaction
from data_access.indicator_versions import EVERY_YEAR
from data_access.reference_data import REFERENCE, load_all
from domain.access import Role
from domain.errors import NotPermitted, RuleViolation
from tests.actors import COUNTY, PROVINCE, make_actor
from tests.assessments import accept, assess, result

RELEASED = "WATER_TOTAL * 10000 / POP_RESIDENT"
DOUBLED = "(WATER_TOTAL + WATER_TOTAL) * 10000 / POP_RESIDENT"


@pytest.fixture
def years(owner, bureau):
    for year in (2024, 2025):
        accept(owner, year, {COUNTY: {"WATER_TOTAL": 2, "POP_RESIDENT": 80}}, bureau.user_id)
    assess(owner)


def change(actor, formula, code="WATER_PC", from_year=2025, reason="口径调整"):
    with transaction(actor, action="indicator_formula.save") as connection:
        opened = indicators.get_canonical(connection, code)
        return indicator_changes.change_formula(
            connection, actor, opened, formula, reason=reason, from_year=from_year
        )


def value(owner, year, code="WATER_PC"):
    return result(owner, COUNTY, year, code)["value"]


def test_a_past_year_keeps_and_shows_the_formula_it_was_computed_with(owner, bureau, years):
    change(bureau, DOUBLED)
    assert (value(owner, 2024), value(owner, 2025)) == (250, 500)
    with transaction(bureau, read_only=True) as connection:
        before = assessment.explain(connection, COUNTY, 2024, "WATER_PC")
        after = assessment.explain(connection, COUNTY, 2025, "WATER_PC")
        versions = indicator_versions.list_formulas(connection, "WATER_PC")
    assert before.sentence == "2 × 10000 ÷ 80 = 250 m3/人"
    assert after.sentence == "(2 + 2) × 10000 ÷ 80 = 500 m3/人"
    assert (before.record.formula_version, after.record.formula_version) == (1, 2)
    assert [(each.version, each.valid_from_year, each.reason) for each in versions] == [
        (2, 2025, "口径调整"), (1, EVERY_YEAR, "随系统发布"),
    ]  # fmt: skip
    assert versions[0].made_by_name == bureau.display_name
    assess(owner)
    assert (value(owner, 2024), value(owner, 2025)) == (250, 500), "whenever it is assessed"


def test_a_mistake_is_corrected_in_every_year(owner, bureau, years):
    change(bureau, DOUBLED, from_year=EVERY_YEAR)
    assert (value(owner, 2024), value(owner, 2025)) == (500, 500)


def test_what_is_derived_above_follows_in_the_same_years(owner, bureau, years):
    owner.execute("UPDATE indicator_canonical SET unit = 'm3/人' WHERE canonical_code"
                  " = 'WATER_PER_GDP'")  # fmt: skip
    change(bureau, "WATER_PC * 1", "WATER_PER_GDP", from_year=EVERY_YEAR)
    change(bureau, DOUBLED)
    assert [value(owner, year, "WATER_PER_GDP") for year in (2024, 2025)] == [250, 500]
    # A correction of every year goes through the later version of the one above too.
    change(bureau, "WATER_PC * 3", "WATER_PER_GDP")
    change(bureau, RELEASED, from_year=EVERY_YEAR)
    assert [value(owner, year, "WATER_PER_GDP") for year in (2024, 2025)] == [250, 750]


def test_an_input_of_an_older_formula_still_computes_its_years(owner, bureau, years):
    change(bureau, "WATER_TOTAL * 10000 / POP_SERVED")
    accept(owner, 2024, {COUNTY: {"WATER_TOTAL": 2, "POP_RESIDENT": 100}}, bureau.user_id)
    owner.execute("SELECT assess(ARRAY[2024], ARRAY['POP_RESIDENT'])")
    assert value(owner, 2024) == 200
    assert value(owner, 2025) is None, "nobody filed whom the water served"


def test_a_change_has_a_reason_and_is_the_bureaus(owner, bureau, county, years):
    with pytest.raises(RuleViolation) as refused:
        change(bureau, DOUBLED, reason=" ")
    assert refused.value.details["constraint"] == "indicator_formula_has_reason"
    with pytest.raises(NotPermitted):
        change(county, DOUBLED)
    leader = make_actor(owner, "leader2", Role.LEADER, PROVINCE)
    with pytest.raises(Exception, match="row-level security"), transaction(leader) as connection:
        connection.exec_driver_sql(
            "INSERT INTO indicator_formula (canonical_code, version, valid_from_year, formula"
            ", formula_tree, formula_inputs, reason)"
            " VALUES ('WATER_PC', 9, 2000, 'GDP', '[]', '{GDP}', 'x')"
        )
    assert value(owner, 2025) == 250


def released(folder):
    """A next release whose file has another formula and another name of it."""
    text = (REFERENCE / "indicator_canonical.csv").read_text("utf-8")
    assert RELEASED in text
    text = text.replace(RELEASED, RELEASED + " * 1").replace("人均年用水量", "人均综合用水量")
    (folder / "indicator_canonical.csv").write_text(text, "utf-8")
    return folder


def kept(owner):
    return owner.execute(
        "SELECT formula, name, formula_inputs FROM indicator_canonical"
        " WHERE canonical_code = 'WATER_PC'"
    ).fetchone()


def versions_of(owner):
    return owner.execute(
        "SELECT version, valid_from_year, formula, reason FROM indicator_formula"
        " WHERE canonical_code = 'WATER_PC' ORDER BY version"
    ).fetchall()


def test_a_release_takes_nothing_back_from_the_bureau(owner, bureau, years, tmp_path):
    change(bureau, "WATER_TOTAL * 10000 / POP_SERVED")
    load_all(owner, released(tmp_path))
    inputs = ["POP_RESIDENT", "POP_SERVED", "WATER_TOTAL"]
    assert kept(owner) == ("WATER_TOTAL * 10000 / POP_SERVED", "人均综合用水量", inputs)
    assert len(versions_of(owner)) == 2


def test_what_the_bureau_never_touched_follows_a_release_as_a_version(
    owner, bureau, years, tmp_path
):
    load_all(owner, released(tmp_path))
    assert versions_of(owner) == [
        (1, EVERY_YEAR, RELEASED, "随系统发布"),
        (2, 2025, RELEASED + " * 1", "随系统升级更新"),
    ]
    assert kept(owner)[0] == RELEASED + " * 1"
    load_all(owner)
    assert len(versions_of(owner)) == 3, "the released file again is a version again"
