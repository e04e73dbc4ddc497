"""A township with its villages in Excel: two sheets out, filled in, back into the drafts."""

import pytest
from openpyxl import load_workbook

from data_access import workbook_apply, workbook_exports
from data_access.database import transaction
from domain.access import Role
from tests.actors import COUNTY, make_actor
from tests.data_access.test_csv_batches import content_of
from tests.data_access.test_workbook_batches import counts, rows_of
from tests.villages import add_natural_villages, open_village, open_village_period, villages_of
from tests.workbooks import brought, empty_store, taken, typed


@pytest.fixture(autouse=True)
def store(tmp_path, monkeypatch):
    empty_store(tmp_path, monkeypatch)


def test_an_officer_fills_the_villages_of_the_township_in_excel(owner, tmp_path):
    villages = villages_of(owner, COUNTY)
    town = villages[0][:9]
    ours = [code for code in villages if code[:9] == town]
    add_natural_villages(owner, ours[0], 4)
    period_id = open_village_period(owner, 2026)
    officer = make_actor(owner, "officer", Role.TOWNSHIP, town)
    with transaction(officer, read_only=True) as connection:
        period = workbook_exports.get_period(connection, period_id)
        scope = workbook_exports.list_scopes(connection, officer, period)[0]
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
