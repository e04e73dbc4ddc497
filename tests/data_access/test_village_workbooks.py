"""A township with its villages in Excel: two sheets out, filled in, back into the drafts."""

import pytest
from openpyxl import load_workbook

from data_access import workbook_apply, workbook_scopes
from data_access.database import transaction
from domain.access import Role
from domain.workflow import ReviewAction
from tests.actors import COUNTY, make_actor
from tests.csvs import handed_out
from tests.data_access.test_csv_batches import content_of
from tests.data_access.test_village_evaluation import saved
from tests.reports import act
from tests.villages import (
    add_natural_villages,
    open_village,
    open_village_period,
    pass_all_steps,
    villages_of,
)
from tests.workbooks import brought, counts, rows_of, taken, typed

pytestmark = pytest.mark.usefixtures("store")


def test_an_officer_fills_the_villages_of_the_township_in_excel(owner, tmp_path):
    villages = villages_of(owner, COUNTY)
    town = villages[0][:9]
    ours = [code for code in villages if code[:9] == town]
    add_natural_villages(owner, ours[0], 4)
    period_id = open_village_period(owner, 2026)
    officer = make_actor(owner, "officer", Role.TOWNSHIP, town)
    with transaction(officer, read_only=True) as connection:
        period = workbook_scopes.get_period(connection, period_id)
        scope = workbook_scopes.list_scopes(connection, officer, period)[0]
    assert [unit.code for unit in scope.units] == ours
    path = taken(officer, period_id, scope.key)
    book = load_workbook(path)
    assert sum(sheet.sheet_state == "visible" for sheet in book) == 3  # two groups and the guide
    first, natural = ours[0], f"{ours[0]}004"
    cells = {
        (first, "", "hukou_pop"): "１，２００",
        (first, natural, "hukou_pop"): 310,
        (first, natural, "in_erl"): "否",
        (ours[1], "", "hukou_pop"): "很多",
    }
    batch_id = brought(officer, typed(path, cells, tmp_path / "填好.xlsx"))
    found = counts(officer, batch_id)
    assert (found.new, found.changed, found.conflicting, found.refused) == (3, 0, 0, 1)
    refused = next(r for r in rows_of(officer, batch_id, limit=500) if r.kind == "refused")
    assert (refused.division_code, "不是整数" in refused.problem) == (ours[1], True)
    with transaction(officer, action="workbook.apply") as connection:
        assert workbook_apply.apply(connection, officer, batch_id) == 1
    content = content_of(officer, open_village(officer, period_id, first))
    assert content["form"]["hukou_pop"] == 1200
    assert content["natural_village"][3]["hukou_pop"] == 310
    assert content["natural_village"][3]["in_erl"] is False


@pytest.fixture
def accepted_twice(owner, officer, village) -> dict[int, int]:
    """A village that the province accepted in 2024 and in 2026: year to its registered people."""
    people = {2024: 1201, 2026: 1203}
    for year, number in people.items():
        opened = open_village(officer, open_village_period(owner, year), village)
        saved(officer, opened, lambda c, n=number: c | {"form": c["form"] | {"hukou_pop": n}})
        act(officer, opened.submission_id, ReviewAction.SUBMIT)
        pass_all_steps(owner, opened.submission_id)
    return people


def test_page_workbook_and_csv_start_from_the_year_before_the_asked_one(
    owner, officer, village, accepted_twice
):
    period_id = open_village_period(owner, 2025)
    book = load_workbook(taken(officer, period_id, f"{village[:9]}-all"))
    rows = next(rows for name, rows in handed_out(officer, period_id).items() if name == "行政村")
    in_csv = next(row for row in rows if village in row.values())
    page = content_of(officer, open_village(officer, period_id, village))["form"]
    assert page["hukou_pop"] == accepted_twice[2024]
    assert str(accepted_twice[2024]) in in_csv.values()
    assert str(accepted_twice[2026]) not in in_csv.values()
    in_book = {value for sheet in book for row in sheet.values for value in row}
    assert accepted_twice[2024] in in_book
    assert accepted_twice[2026] not in in_book
    assert (in_csv["填报年度"], 2026 in in_book) == ("2025", False)


def test_a_workbook_that_comes_back_is_compared_with_the_same_start(
    owner, officer, village, accepted_twice, tmp_path
):
    period_id = open_village_period(owner, 2025)
    path = taken(officer, period_id, f"{village[:9]}-all")
    batch_id = brought(
        officer, typed(path, {(village, "", "hukou_pop"): 1202}, tmp_path / "x.xlsx")
    )
    (row,) = [r for r in rows_of(officer, batch_id, limit=500) if r.kind == "changed"]
    assert (row.old_value, row.new_value) == (accepted_twice[2024], 1202)
