"""What holds in the database whatever is filed, in whatever order; examples are rolled back."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from data_access import assessment
from data_access.database import transaction
from domain.assessment import Level, ratio, together
from tests.actors import CITY, COUNTY, PROVINCE
from tests.assessments import accept, open_year, set_target
from tests.standing import FAR, NEIGHBOUR

YEARS = (2024, 2025)
COUNTIES = (COUNTY, NEIGHBOUR, FAR)
ABOVE = {CITY: COUNTIES[:2], "360700": (FAR,), PROVINCE: COUNTIES}
# A binding floor, a share, and what a derived indicator needs.
FILED = ("CULT_LAND", "PARK_5", "WATER_TOTAL", "POP_RESIDENT")
CODES = (*FILED, "WATER_PC")
AMOUNTS = st.decimals("0.01", 500, places=2)
PARTS = st.tuples(AMOUNTS, AMOUNTS)


@st.composite
def filings(draw) -> list[tuple[int, str, dict[str, Any]]]:
    """Reports in the order of their acceptance; what a unit leaves out is missing."""
    units = st.sampled_from((*COUNTIES, CITY))
    told = draw(st.lists(st.tuples(st.sampled_from(YEARS), units), unique=True, min_size=1))
    return [(year, unit, _figures(draw)) for year, unit in told]


def _figures(draw) -> dict[str, Any]:
    found = {code: draw(st.none() | AMOUNTS) for code in FILED if code != "PARK_5"}
    found["PARK_5"] = draw(st.none() | PARTS)
    return {code: figure for code, figure in found.items() if figure is not None}


ISSUED = st.dictionaries(
    st.tuples(st.sampled_from((*COUNTIES, CITY, PROVINCE)), st.sampled_from(FILED)),
    st.none() | AMOUNTS,
    max_size=6,
)
IN_DATABASE = settings(
    deadline=None,
    max_examples=6,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.fixture
def years(owner):
    for year in YEARS:
        open_year(owner, year)


def results(owner) -> dict[tuple[int, str, str], dict[str, Any]]:
    rows = owner.execute(
        "SELECT report_year, division_code, canonical_code, value, parts, parts_expected"
        ", parts_value, level, is_breach, reference FROM assessment_result"
        " WHERE canonical_code = ANY (%s)",
        [list(CODES)],
    )
    names = [column.name for column in rows.description[3:]]
    return {row[:3]: dict(zip(names, row[3:], strict=True)) for row in rows}


def take_in(owner, told, targets, user_id):
    for (unit, code), value in targets.items():
        set_target(owner, unit, code, 2025, value)
    for year, unit, figures in told:
        accept(owner, year, {unit: figures}, user_id)
        owner.execute("SELECT assess(%s, %s)", [[year], [*figures, "WATER_PC"]])
    # What nobody filed is grey from the start of the year, and stays so.
    owner.execute("SELECT assess(codes => %s)", [list(CODES)])
    return results(owner)


@IN_DATABASE
@given(filings(), ISSUED, st.randoms(use_true_random=False))
def test_the_same_comes_of_every_order_and_keeps_to_the_rules(
    owner, bureau, years, told, targets, order
):
    with owner.transaction(force_rollback=True):
        found = take_in(owner, told, targets, bureau.user_id)
    shuffled = order.sample(told, len(told))
    if shuffled != told:
        with owner.transaction(force_rollback=True):
            assert take_in(owner, shuffled, targets, bureau.user_id) == found
    for (_, unit, code), row in found.items():
        keeps_to_the_rules(unit, code, row, targets.get((unit, code)))
    filed = {(year, unit): figures for year, unit, figures in told}
    for year in YEARS:
        for above, counties in ABOVE.items():
            own = [filed.get((year, unit), {}).get("PARK_5") for unit in counties]
            lies_between_its_parts(found[year, above, "PARK_5"], [each for each in own if each])


def keeps_to_the_rules(unit, code, row, aim):
    assert (row["level"] == "no_data") == (row["value"] is None)
    is_sum = unit == PROVINCE and code != "PARK_5"
    if is_sum:
        assert row["level"] in ("no_data", "unrated"), "the sum lacks most counties"
    elif code == "CULT_LAND" and aim and row["value"] is not None:
        assert row["is_breach"] == (row["value"] < aim)
        assert row["is_breach"] == (row["level"] == "severe")


def lies_between_its_parts(row, parts):
    ratios = [ratio(*each, Decimal(100)) for each in parts]
    if ratios:
        assert min(ratios) <= row["parts_value"] <= max(ratios)
        assert row["parts_value"] == together(parts, Decimal(100))


def test_a_breach_leads_the_unit_whatever_else_is_good(owner, bureau, years):
    """Through the access layer: the unit is called by its breach among green indicators."""
    set_target(owner, COUNTY, "CULT_LAND", 2025, 40)
    set_target(owner, COUNTY, "PARK_5", 2025, 10)
    accept(owner, 2025, {COUNTY: {"CULT_LAND": 39, "PARK_5": (99, 100)}}, bureau.user_id)
    owner.execute("SELECT assess(codes => %s)", [list(CODES)])
    with transaction(bureau, read_only=True) as connection:
        units = assessment.list_unit_levels(connection, 2025, CODES)
    own = next(each for each in units if each.division_code == COUNTY)
    assert (own.worst, own.breaches, own.normal) == (Level.SEVERE, 1, 1)
    assert all(each.normal == 0 for each in units if each.division_code != COUNTY)
