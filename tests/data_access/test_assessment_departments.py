"""Departments in the assessment of a unit: they see, fill and bring their own rows alone."""

from zipfile import ZipFile

import pytest

from data_access import (
    drafts,
    filing,
    reporting,
    workbook_apply,
    workbook_batches,
    workbook_scopes,
)
from data_access.database import transaction
from domain.access import Role
from domain.errors import DraftConflict, NotPermitted, RuleViolation
from domain.workbook_diff import EntryKind
from domain.workflow import ReviewAction
from tests.actors import COUNTY, PROVINCE, make_actor
from tests.assessments import LAND, fill, open_year, opened, opened_after_a_year
from tests.reports import act
from tests.workbooks import brought, empty_store, taken, typed


@pytest.fixture
def report(owner, county, bureau):
    return opened_after_a_year(owner, county, bureau)


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
        offered = workbook_scopes.list_offered(connection, water, current)
        assert [period.form_code for period in offered] == ["status_assessment"]
        assert "plan_progress" in {period.form_code for period in current}
        scopes = workbook_scopes.list_scopes(connection, water, offered[0])
        others = [p for p in current if p.form_code != "status_assessment"]
        foreign = workbook_scopes.get_period(connection, others[0].period_id)
        assert workbook_scopes.list_scopes(connection, water, foreign) == []
    assert len(scopes[0].units) == 111
