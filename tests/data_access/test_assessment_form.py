"""The form of status assessment from the draft to its levels, against PostGIS."""

from decimal import Decimal

import pytest
from openpyxl import load_workbook

from data_access import (
    assessment,
    decisions,
    filing,
    reporting,
    workbook_apply,
    workbook_batches,
)
from data_access.database import transaction
from domain.errors import InvalidContent
from domain.forms import Severity
from domain.workbook_diff import EntryKind
from domain.workflow import ReviewAction, SubmissionState
from tests.actors import COUNTY
from tests.assessments import LAND, fill, opened, opened_after_a_year, result, set_target
from tests.reports import act
from tests.workbooks import brought, empty_store, taken, typed

ROADS = {"ROAD_DENSITY": {"numerator": "60", "denominator": "10"}}


@pytest.fixture
def report(owner, county, bureau):
    return opened_after_a_year(owner, county, bureau)


def file_for_good(county, city, bureau, number):
    for actor, action in (
        (county, ReviewAction.SUBMIT),
        (city, ReviewAction.APPROVE),
        (bureau, ReviewAction.APPROVE),
    ):
        moved = act(actor, number, action)
    return moved


def problems_of(checked, code):
    return [each for each in checked.problems if each.path.startswith(f"indicator[{code}]")]


def sentences(checked, code):
    return [each.message for each in problems_of(checked, code)]


def test_last_year_stands_beside_and_nothing_is_filed_by_leaving_it(report, county):
    with transaction(county, read_only=True) as connection:
        state = filing.read_state(connection, county, report.submission_id)
    rows = {row["key"]: row for row in state.content["indicator"]}
    assert (rows["CULT_LAND"]["last_value"], rows["CULT_LAND"]["value"]) == ("31.5", None)
    assert len(rows) == 126  # what applies here and is not computed from others


def test_what_the_province_accepts_is_in_force_and_assessed(report, owner, county, city, bureau):
    set_target(owner, COUNTY, "CULT_LAND", 2035, "32")
    assert fill(county, report, LAND | ROADS).problems == []
    moved = file_for_good(county, city, bureau, report.submission_id)
    assert moved.state is SubmissionState.FILED
    with transaction(bureau, read_only=True) as connection:
        land = assessment.explain(connection, COUNTY, 2025, "CULT_LAND")
        roads = assessment.explain(connection, COUNTY, 2025, "ROAD_DENSITY")
    assert (land.record.value, land.record.level, land.record.is_breach) == (
        Decimal("31.2"), "severe", True,
    )  # fmt: skip
    assert (land.record.source, land.record.filed_by_name) == ("三调", county.display_name)
    assert land.record.accepted_by_name == bureau.display_name
    assert roads.record.value == Decimal(6)
    assert roads.sentence == "道路总长度 60 km ÷ 建成区面积 10 km2 = 6 km/km2"
    assert result(owner, COUNTY, 2025, "FOREST_COVER")["level"] == "no_data"


def test_a_basic_indicator_is_filled_or_says_why_not(report, county):
    with transaction(county) as connection:
        draft = reporting.get_submission(connection, report.submission_id)
    with pytest.raises(InvalidContent) as refused, transaction(county) as connection:
        decisions.submit(connection, county, report.submission_id, draft.lock_version)
    missing = [each.path for each in refused.value.details["problems"]]
    assert "indicator[CULT_LAND].value" in missing
    assert "indicator[ROAD_DENSITY].numerator" in missing


@pytest.mark.parametrize(
    ("code", "figures", "sentence"),
    [
        ("CULT_LAND", {"value": "三十一"}, "“三十一”"),
        ("CULT_LAND", {"value": "-3"}, "指标值不能为负数"),
        ("FOREST_COVER", {"numerator": "12", "denominator": "10"}, "超过 100%"),
        ("ROAD_DENSITY", {"numerator": "12", "denominator": "0"}, "分母须大于 0"),
        ("ROAD_DENSITY", {"numerator": "12"}, "请填写分母"),
        ("CO2_DROP", {"value": "101"}, "百分比 101 超过 100"),
    ],
)
def test_bad_figures_are_named_with_their_place_and_nothing_else_is_lost(
    report, county, code, figures, sentence
):
    checked = fill(county, report, LAND | {code: figures})
    found = problems_of(checked, code)
    assert any(sentence in each.message and each.severity is Severity.ERROR for each in found)
    assert all("·" in each.label for each in found)
    with transaction(county, read_only=True) as connection:
        kept = reporting.get_submission(connection, report.submission_id).draft_content
    rows = {row["key"]: row for row in kept["indicator"]}
    assert rows[code] | figures == rows[code]


@pytest.mark.parametrize(("above", "is_told"), [(70, False), (120, True)])
def test_what_is_no_share_may_exceed_a_hundred_percent(report, county, above, is_told):
    """Trade is no part of the product: its plausible range decides, and asks to explain."""
    figures = {"numerator": str(above), "denominator": "100"}
    found = problems_of(fill(county, report, {"OPENNESS": figures}), "OPENNESS")
    assert all(each.severity is not Severity.ERROR or "核实说明" in each.message for each in found)
    assert any("超出合理范围" in each.message for each in found) == is_told


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        ([{"key": "CULT_LANDS", "value": "1"}], "该行不属于本单位"),
        ([{"key": "CULT_LAND", "value": "1"}, {"key": "CULT_LAND", "value": "2"}], "有重复"),
    ],
)
def test_unknown_codes_and_two_values_are_refused_and_the_draft_stays(
    report, county, rows, sentence
):
    fill(county, report, LAND)
    with transaction(county, read_only=True) as connection:
        seen = reporting.get_submission(connection, report.submission_id)
    with pytest.raises(InvalidContent) as refused, transaction(county) as connection:
        filing.save_checked(
            connection, county, report.submission_id, {"indicator": rows}, seen.draft_version
        )
    assert any(sentence in each.message for each in refused.value.details["problems"])
    with transaction(county, read_only=True) as connection:
        kept = reporting.get_submission(connection, report.submission_id)
    assert (kept.draft_content, kept.draft_version) == (seen.draft_content, seen.draft_version)


def test_a_change_of_a_third_needs_an_explanation(report, county):
    bare = fill(county, report, {"CULT_LAND": {"value": "42"}})
    assert "31.5" in sentences(bare, "CULT_LAND")[0]
    assert any("请填写核实说明" in each for each in sentences(bare, "CULT_LAND"))
    told = fill(county, report, {"CULT_LAND": {"value": "42", "explanation": "区划调整"}})
    assert [each.severity for each in problems_of(told, "CULT_LAND")] == [Severity.WARNING]


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("2.1", "约为上年值的 1/15，疑为计量单位有误（似以“万公顷”填报）"),
        ("21000", "约为上年值的 666.7 倍，疑为计量单位有误（似以“公顷”填报）"),
        ("472", "约为上年值的 15 倍，疑为计量单位有误"),
    ],
)
def test_a_figure_in_another_unit_is_noticed(report, county, value, words):
    """31.5 万亩 are 2.1 万公顷, and 21,000 公顷."""
    told = fill(county, report, {"CULT_LAND": {"value": value, "explanation": "核对过"}})
    assert any(words in each and "以“万亩”计" in each for each in sentences(told, "CULT_LAND"))


def test_a_correction_after_the_acceptance_takes_its_place(report, owner, county, city, bureau):
    fill(county, report, LAND | ROADS)
    file_for_good(county, city, bureau, report.submission_id)
    with transaction(county) as connection:
        seen = reporting.get_submission(connection, report.submission_id)
        decisions.reopen(connection, county, report.submission_id, seen.lock_version)
    again = opened(county, report.period_id)
    fill(county, again, {"CULT_LAND": {"value": "31.4"}, "ROAD_DENSITY": {
        "numerator": None, "denominator": None, "explanation": "口径有误，撤回"}})  # fmt: skip
    file_for_good(county, city, bureau, report.submission_id)
    assert result(owner, COUNTY, 2025, "CULT_LAND")["value"] == Decimal("31.4")
    assert result(owner, COUNTY, 2025, "ROAD_DENSITY")["level"] == "no_data"
    with transaction(bureau, read_only=True) as connection:
        told = assessment.explain(connection, COUNTY, 2025, "CULT_LAND")
    assert [version.value for version in told.versions] == [Decimal("31.2"), Decimal("31.4")]


def test_unknown_codes_two_values_and_other_units_come_back_with_their_row(
    report, county, tmp_path, monkeypatch
):
    empty_store(tmp_path, monkeypatch)
    figures = {("CULT_LAND", "value"): 21000, ("GREEN_BLDG", "numerator"): 30,
               ("GREEN_BLDG", "denominator"): 10, ("PBF_AREA", "value"): 25}  # fmt: skip
    path = typed(
        taken(county, report.period_id, COUNTY),
        {(COUNTY, key, field): value for (key, field), value in figures.items()},
        tmp_path / "typed.xlsx",
    )
    spoil_rows(path)
    batch = brought(county, path)
    with transaction(county, read_only=True) as connection:
        rows = workbook_batches.all_rows(connection, batch)
    refused = {(r.row_key, r.row_no): r.reason or r.problem for r in rows if r.kind == "refused"}
    assert refused["WETLANDS", 9] == "unknown_row"
    twice = [why for (key, _), why in refused.items() if key == "ERL_BUILT"]
    assert len(twice) == 2
    assert all("是同一行，两行都未采用" in why for why in twice)
    told = {(row.row_key, row.field_code): row for row in rows}
    assert "似以“公顷”填报" in told["CULT_LAND", "value"].problem
    assert "超过 100%" in told["GREEN_BLDG", "numerator"].problem
    assert told["PBF_AREA", "value"].kind is EntryKind.NEW


def spoil_rows(path):
    """Give one row a code that nobody knows, and write another one a second time."""
    book = load_workbook(path)
    for sheet in book.worksheets:
        cells = [cell for row in sheet.iter_rows(min_row=2) for cell in row]
        for cell in cells:
            if str(cell.value).endswith("|WETLAND_AREA"):
                cell.value = str(cell.value).replace("WETLAND_AREA", "WETLANDS")
            if str(cell.value).endswith("|ERL_BUILT"):
                last = sheet.max_row + 1
                for same in sheet[cell.row]:
                    sheet.cell(last, same.column).value = same.value
    book.save(path)


def test_a_workbook_goes_out_and_back_and_every_bad_cell_is_named(
    report, county, tmp_path, monkeypatch
):
    empty_store(tmp_path, monkeypatch)
    cells = {
        ("CULT_LAND", "value"): "３１.２",  # full-width digits
        ("WETLAND_AREA", "value"): "很多",
        ("FOREST_COVER", "numerator"): 12,
        ("FOREST_COVER", "denominator"): 10,
        ("PBF_AREA", "unit"): "公顷",
    }
    book = taken(county, report.period_id, COUNTY)
    back = typed(
        book,
        {(COUNTY, key, field): value for (key, field), value in cells.items()},
        tmp_path / "back.xlsx",
    )
    batch = brought(county, back)
    with transaction(county, read_only=True) as connection:
        rows, _ = workbook_batches.list_rows(connection, batch)
        findings = {(row.row_key, row.field_code): row for row in rows}
    assert findings["CULT_LAND", "value"].kind is EntryKind.NEW
    assert "很多" in str(findings["WETLAND_AREA", "value"])
    assert findings["PBF_AREA", "unit"].kind is EntryKind.REFUSED
    with transaction(county, action="workbook.apply") as connection:
        workbook_apply.apply(connection, county, batch)
    with transaction(county, read_only=True) as connection:
        state = filing.read_state(connection, county, report.submission_id)
    kept = {row["key"]: row for row in state.content["indicator"]}
    assert kept["CULT_LAND"]["value"] == "31.2"
    assert kept["PBF_AREA"]["unit"] == "万亩"
    told = [each for each in state.problems if each.path == "indicator[FOREST_COVER].numerator"]
    assert "超过 100%" in told[0].message
