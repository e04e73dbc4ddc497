"""The form of status assessment from the draft to its levels, against PostGIS."""

from decimal import Decimal
from zipfile import ZipFile

import pytest
from openpyxl import load_workbook

from data_access import (
    assessment,
    decisions,
    drafts,
    filing,
    reporting,
    workbook_apply,
    workbook_batches,
    workbook_exports,
)
from data_access.database import transaction
from domain.access import Role
from domain.errors import DraftConflict, InvalidContent, NotPermitted, RuleViolation
from domain.forms import Severity
from domain.workbook_diff import EntryKind
from domain.workflow import ReviewAction, SubmissionState
from tests.actors import COUNTY, PROVINCE, make_actor
from tests.assessments import accept, fill, open_year, opened, result, set_target
from tests.reports import act
from tests.workbooks import brought, empty_store, taken, typed

LAND = {"CULT_LAND": {"value": "31.2", "source": "三调"}}
ROADS = {"ROAD_DENSITY": {"numerator": "60", "denominator": "10"}}


@pytest.fixture
def report(owner, county, city, bureau):
    accept(owner, 2024, {COUNTY: {"CULT_LAND": "31.5"}}, bureau.user_id)
    return opened(county, open_year(owner, 2025))


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


# DEPARTMENTS


@pytest.fixture
def water(owner):
    """The water department of the whole province."""
    actor = make_actor(owner, "water", Role.DEPARTMENT, PROVINCE)
    owner.execute("UPDATE account_grant SET subject = '水利厅' WHERE user_id = %s", [actor.user_id])
    return actor


def test_a_department_sees_and_fills_its_own_rows_and_files_nothing(report, county, water):
    fill(county, report, LAND)
    with transaction(water, read_only=True) as connection:
        state = filing.read_state(connection, water, report.submission_id)
    keys = {row["key"] for row in state.content["indicator"]}
    assert "WATER_TOTAL" in keys
    assert "CULT_LAND" not in keys
    assert state.is_editable
    assert state.actions == frozenset()
    assert all(item.read_only for item in state.form.fields_of("form"))
    assert state.content["form"]["contact_phone"] != "13800000000"
    fill(water, report, {"WATER_TOTAL": {"value": "2.4"}})
    with transaction(county, read_only=True) as connection:
        kept = reporting.get_submission(connection, report.submission_id).draft_content
    rows = {row["key"]: row for row in kept["indicator"]}
    assert (rows["WATER_TOTAL"]["value"], rows["CULT_LAND"]["value"]) == ("2.4", "31.2")
    assert kept["form"]["contact_phone"] == "13800000000"
    with pytest.raises(NotPermitted):
        act(water, report.submission_id, ReviewAction.SUBMIT)


def test_the_database_itself_keeps_a_department_to_its_rows(report, county, water):
    fill(county, report, LAND)
    with transaction(county, read_only=True) as connection:
        seen = reporting.get_submission(connection, report.submission_id)
    content = seen.draft_content
    next(row for row in content["indicator"] if row["key"] == "CULT_LAND")["value"] = "99"
    with pytest.raises(RuleViolation) as refused, transaction(water) as connection:
        drafts.save_draft(connection, water, report.submission_id, content, seen.draft_version)
    assert refused.value.details["constraint"] == "submission_draft_own_indicators"


def test_in_its_own_session_a_department_reads_no_row_of_others(
    report, owner, county, city, bureau, water
):
    """Whatever is asked of the database: drafts and filed versions hold its own rows alone."""
    fill(county, report, LAND | {"WATER_TOTAL": {"value": "2.4"}})
    act(county, report.submission_id, ReviewAction.SUBMIT)
    asked = {
        "drafts": "SELECT count(*) FROM submission_draft",
        "versions": "SELECT count(*) FROM submission_version WHERE content <> '{}'",
        "own draft": f"SELECT content FROM draft_of_department({report.submission_id})",
        "own version": f"SELECT content FROM versions_of_department({report.submission_id})",
    }
    with transaction(water, read_only=True) as connection:
        seen = {name: connection.exec_driver_sql(query).scalar() for name, query in asked.items()}
    assert (seen["drafts"], seen["versions"]) == (0, 0)
    for name in ("own draft", "own version"):
        assert "contact_phone" not in seen[name]["form"]
        values = {row["key"]: row["value"] for row in seen[name]["indicator"]}
        assert values["WATER_TOTAL"] == "2.4"
        assert "CULT_LAND" not in values
    with transaction(county, read_only=True) as connection:
        for name in ("own draft", "own version"):
            assert connection.exec_driver_sql(asked[name]).scalar() is None
        assert connection.exec_driver_sql(asked["drafts"]).scalar() == 1


def test_a_department_may_be_the_first_to_open_a_report(owner, county, water):
    report = opened(water, open_year(owner, 2025))
    fill(water, report, {"WATER_TOTAL": {"value": "2.4"}})
    fill(county, report, LAND)
    fill(water, opened(water, report.period_id), {"WATER_TOTAL": {"value": "2.5"}})
    with transaction(county, read_only=True) as connection:
        kept = reporting.get_submission(connection, report.submission_id)
    rows = {row["key"]: row["value"] for row in kept.draft_content["indicator"] if "value" in row}
    assert (rows["CULT_LAND"], rows["WATER_TOTAL"]) == ("31.2", "2.5")
    assert kept.draft_content["form"]["contact_phone"] == "13800000000"


def test_of_a_department_and_the_unit_the_slower_one_is_told(report, county, water):
    with transaction(water, read_only=True) as connection:
        seen = filing.read_state(connection, water, report.submission_id)
    fill(county, report, LAND)
    with pytest.raises(DraftConflict) as told, transaction(water) as connection:
        filing.save_checked(connection, water, report.submission_id, seen.content,
                            seen.submission.draft_version)  # fmt: skip
    keys = {row["key"] for row in told.value.details["content"]["indicator"]}
    assert "CULT_LAND" not in keys


def test_a_department_reads_no_other_form(submission, water):
    with pytest.raises(NotPermitted), transaction(water, read_only=True) as connection:
        filing.read_state(connection, water, submission.submission_id)


def test_a_department_is_offered_every_unit_of_its_grant(report, water):
    with transaction(water, read_only=True) as connection:
        [period] = [
            each
            for each in reporting.list_current_periods(connection)
            if each.form_code == "status_assessment"
        ]
        assert len(filing.list_units(connection, water, period)) == 111


# EXCEL THERE AND BACK


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


def test_a_department_takes_and_brings_its_own_rows_alone(
    report, county, water, tmp_path, monkeypatch
):
    empty_store(tmp_path, monkeypatch)
    fill(county, report, LAND | {"WATER_TOTAL": {"value": "2.1"}})
    book = taken(water, report.period_id, COUNTY)
    with ZipFile(book) as parts:
        inside = "".join(parts.read(name).decode("utf-8", "replace") for name in parts.namelist())
    assert "WATER_TOTAL" in inside
    for hidden in ("CULT_LAND", "耕地保有量", "31.2", "13800000000", "李四"):
        assert hidden not in inside
    batch = brought(
        water, typed(book, {(COUNTY, "WATER_TOTAL", "value"): 2.4}, tmp_path / "b.xlsx")
    )
    with transaction(water, action="workbook.apply") as connection:
        assert workbook_apply.apply(connection, water, batch) == 1
    with transaction(county, read_only=True) as connection:
        kept = reporting.get_submission(connection, report.submission_id).draft_content
    rows = {row["key"]: row for row in kept["indicator"]}
    assert (rows["WATER_TOTAL"]["value"], rows["CULT_LAND"]["value"]) == ("2.4", "31.2")
    assert kept["form"]["contact_phone"] == "13800000000"
    [filed] = workbook_apply.submit_all(water, batch)
    assert isinstance(filed.error, NotPermitted)


def test_a_department_that_brings_the_units_own_workbook_learns_and_changes_nothing_of_others(
    report, county, water, tmp_path, monkeypatch
):
    empty_store(tmp_path, monkeypatch)
    cells = {(COUNTY, "CULT_LAND", "value"): 99, (COUNTY, "WATER_TOTAL", "value"): 2.4}
    book = typed(taken(county, report.period_id, COUNTY), cells, tmp_path / "of_the_county.xlsx")
    fill(county, report, LAND)
    batch = brought(water, book)
    with transaction(water, read_only=True) as connection:
        rows = workbook_batches.all_rows(connection, batch)
    assert {row.kind for row in rows if row.row_key == "CULT_LAND"} <= {EntryKind.REFUSED}
    assert {row.old_value for row in rows if row.row_key == "CULT_LAND"} <= {None}
    assert all(row.group_code != "form" for row in rows)
    with transaction(water, action="workbook.apply") as connection:
        workbook_apply.apply(connection, water, batch)
    with transaction(county, read_only=True) as connection:
        kept = reporting.get_submission(connection, report.submission_id).draft_content
    values = {row["key"]: row["value"] for row in kept["indicator"]}
    assert (values["CULT_LAND"], values["WATER_TOTAL"]) == ("31.2", "2.4")


def test_a_department_is_offered_the_workbooks_of_what_it_fills(report, submission, water):
    with transaction(water, read_only=True) as connection:
        current = reporting.list_current_periods(connection)
        offered = workbook_exports.list_offered(connection, water, current)
        assert [period.form_code for period in offered] == ["status_assessment"]
        assert "plan_progress" in {period.form_code for period in current}
        scopes = workbook_exports.list_scopes(connection, water, offered[0])
        others = [p for p in current if p.form_code != "status_assessment"]
        foreign = workbook_exports.get_period(connection, others[0].period_id)
        assert workbook_exports.list_scopes(connection, water, foreign) == []
    assert len(scopes[0].units) == 111
