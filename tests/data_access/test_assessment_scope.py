"""Who sees which results of the assessment."""

from data_access import (
    assessment,
)
from data_access.database import transaction
from domain.access import Role
from tests.actors import COUNTY, PROVINCE, make_actor
from tests.assessments import NANCHANG, accept, assess


def test_a_county_sees_its_own_and_a_department_its_indicators(owner, bureau, county):
    figures = {unit: {"CULT_LAND": 10, "WATER_TOTAL": 2} for unit in NANCHANG}
    accept(owner, 2025, figures, bureau.user_id)
    assess(owner, "CULT_LAND", "WATER_TOTAL")
    water = make_actor(owner, "water", Role.DEPARTMENT, PROVINCE)
    owner.execute("UPDATE account_grant SET subject = '水利厅' WHERE user_id = %s", [water.user_id])
    both = ["CULT_LAND", "WATER_TOTAL"]
    with transaction(county, read_only=True) as connection:
        cells = assessment.list_cells(connection, 2025, both)
    assert {cell.division_code for cell in cells} == {COUNTY}
    with transaction(water, read_only=True) as connection:
        cells = assessment.list_cells(connection, 2025, both)
    assert {cell.canonical_code for cell in cells} == {"WATER_TOTAL"}
    assert len(cells) == 111


def test_a_place_is_among_all_and_told_of_ones_own(owner, bureau, city, county):
    figures = {"360102": {"CULT_LAND": 30}, COUNTY: {"CULT_LAND": 20}, "360733": {"CULT_LAND": 40}}
    accept(owner, 2025, figures, bureau.user_id)
    assess(owner, "CULT_LAND")

    def places(actor):
        with transaction(actor, read_only=True) as connection:
            found = assessment.list_places(connection, 2025, ["CULT_LAND"])
        return {each.division_code: (each.place, each.places) for each in found if each.value}

    everyone = {"360733": (1, 3), "360102": (2, 3), COUNTY: (3, 3)}
    assert places(bureau) == everyone
    assert places(county) == {COUNTY: (3, 3)}
    assert places(city) == {"360102": (2, 3), COUNTY: (3, 3)}
    owner.execute("UPDATE portal_setting SET value = 'false' WHERE name = 'units_see_own_rank'")
    assert places(county) == {COUNTY: (None, None)}
    assert places(bureau) == everyone
