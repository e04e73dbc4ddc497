"""Form B from the draft to the list of known units, against PostGIS."""

from decimal import Decimal

import pytest

from data_access import compile_units, decisions, form_checks, periods, reporting
from data_access.database import transaction
from data_access.forms import load_form
from domain.access import Role
from domain.errors import InvalidAction, InvalidContent, NotFound, NotPermitted, PeriodClosed
from domain.progress import PeriodState
from domain.workflow import ReviewAction, SubmissionState
from tests.actors import COUNTY, make_actor
from tests.contracts import FORM, LEAD, MEMBER, fill, open_quarter, opened, uscc
from tests.reports import act


@pytest.fixture
def quarter(owner, city, bureau, plan_id):
    return open_quarter(owner)


@pytest.fixture
def report(quarter, county):
    return opened(county, quarter)


def file_for_good(county, city, bureau, number):
    for actor, action in (
        (county, ReviewAction.SUBMIT),
        (city, ReviewAction.APPROVE),
        (bureau, ReviewAction.APPROVE),
    ):
        moved = act(actor, number, action)
    return moved


def problems_of(checked):
    return {problem.path.partition("].")[2]: problem for problem in checked.problems}


def test_72_units_file_it_and_the_draft_says_what_is_known_of_the_plan(quarter, county, bureau):
    report = opened(county, quarter)
    [row] = report.draft_content["contract"]
    assert (row["county_code"], row["county_name"]) == (COUNTY, "安义县")
    assert (row["plan_type"], row["plan_level"], row["progress_stage"]) == ("11", "3", None)
    with transaction(bureau, read_only=True) as connection:
        assert len(periods.list_filing(connection, quarter)) == 72


def test_a_district_does_not_file_it(quarter, owner):
    district = make_actor(owner, "donghu", Role.COUNTY, "360102")
    with pytest.raises(NotFound):
        opened(district, quarter, "360102")


def test_an_accepted_contract_is_a_fact_with_its_unit_known(report, owner, county, city, bureau):
    assert fill(owner, county, report).problems == []
    moved = file_for_good(county, city, bureau, report.submission_id)
    assert moved.state is SubmissionState.FILED
    [row] = owner.execute(
        "SELECT contract_amount, is_consortium, array_length(evidence_ids, 1), accepted_by"
        "  FROM accepted_contract"
    ).fetchall()
    assert row == (Decimal("286.50"), False, 2, bureau.user_id)
    with transaction(county, read_only=True) as connection:
        assert [unit.name for unit in compile_units.search(connection, "设计研")] == [
            "演示规划设计研究院"
        ]
        assert [unit.uscc for unit in compile_units.search(connection, LEAD[:9])] == [uscc(LEAD)]
        assert compile_units.search(connection, "%%") == []
        receipt = reporting.get_submission(connection, report.submission_id).receipt_no
    assert receipt.startswith("B")
    assert owner.execute("SELECT receipt_no FROM submission_receipt").fetchall() == [(receipt,)]


def test_every_change_leaves_a_trail(report, owner, county, city, bureau):
    fill(owner, county, report)
    file_for_good(county, city, bureau, report.submission_id)
    rows = owner.execute(
        "SELECT table_name, user_id, action FROM row_change"
        " WHERE table_name IN ('filed_contract', 'accepted_contract', 'compile_unit')"
    ).fetchall()
    assert sorted((table, user_id) for table, user_id, _ in rows) == [
        ("accepted_contract", bureau.user_id),
        ("compile_unit", bureau.user_id),
        ("filed_contract", county.user_id),
    ]


def test_before_signing_only_the_state_is_asked_and_what_is_hidden_is_not_filed(
    report, owner, county
):
    checked = fill(owner, county, report, contract_status="1")
    assert [problem.message for problem in checked.problems] == []
    act(county, report.submission_id, ReviewAction.SUBMIT)
    [row] = owner.execute("SELECT contract_amount, unit1_uscc FROM filed_contract").fetchall()
    assert row == (None, None)


def test_a_consortium_is_filed_with_both_its_members(report, owner, county, city, bureau):
    member = {
        "is_consortium": True,
        "unit2_uscc": uscc(MEMBER),
        "unit2_name": "演示测绘院",
        "unit2_type": "4",
        "unit2_grade": "2",
    }
    assert fill(owner, county, report, **member).problems == []
    file_for_good(county, city, bureau, report.submission_id)
    known = owner.execute("SELECT name FROM compile_unit ORDER BY name").fetchall()
    assert {name for (name,) in known} == {"演示规划设计研究院", "演示测绘院"}


def test_the_facts_of_a_plan_cannot_be_sent_otherwise(report, owner, county):
    fill(owner, county, report, county_name="别的县", plan_level="1", progress_stage="批复")
    with transaction(county, read_only=True) as connection:
        [row] = reporting.get_submission(connection, report.submission_id).draft_content["contract"]
    assert (row["county_name"], row["plan_level"], row["progress_stage"]) == ("安义县", "3", None)


def test_after_filing_a_change_of_the_quarter_is_a_new_round_and_every_version_stays(
    report, owner, county, city, bureau
):
    fill(owner, county, report)
    file_for_good(county, city, bureau, report.submission_id)
    with transaction(county) as connection:
        filed = reporting.get_submission(connection, report.submission_id)
        decisions.reopen(connection, county, filed.submission_id, filed.lock_version)
    with transaction(county, read_only=True) as connection:
        again = reporting.get_submission(connection, report.submission_id)
        [standing] = [
            each for each in periods.list_filing(connection, again.period_id) if each.code == COUNTY
        ]
    assert (again.state, again.round_no, again.receipt_no) == (SubmissionState.DRAFT, 2, None)
    assert again.standing_receipt_no == filed.receipt_no
    assert standing.period_state is PeriodState.FILED
    assert again.draft_content["contract"][0]["contract_amount"] == "286.5"
    fill(owner, county, again, contract_status="4", contract_amount="300")
    file_for_good(county, city, bureau, report.submission_id)
    amounts = owner.execute(
        "SELECT contract_amount FROM accepted_contract ORDER BY accepted_at"
    ).fetchall()
    assert amounts == [(Decimal("286.50"),), (Decimal("300.00"),)]
    with transaction(bureau, read_only=True) as connection:
        versions = reporting.list_versions(connection, report.submission_id)
        before = reporting.previous_content(connection, report.submission_id)
    assert [version.version_no for version in versions] == [1, 2]
    assert before["contract"][0]["contract_amount"] == "286.5"
    assert owner.execute("SELECT count(*) FROM submission_receipt").fetchone() == (2,)


def reopened(county, submission_id):
    with transaction(county) as connection:
        seen = reporting.get_submission(connection, submission_id)
        decisions.reopen(connection, county, submission_id, seen.lock_version)


def abandoned(actor, submission_id):
    with transaction(actor, action="submission.abandon") as connection:
        seen = reporting.get_submission(connection, submission_id)
        decisions.abandon(connection, actor, submission_id, seen.lock_version)
        return reporting.get_submission(connection, submission_id)


def test_a_change_opened_by_mistake_is_given_up_and_the_receipt_is_the_one_there_was(
    report, owner, county, city, bureau
):
    fill(owner, county, report)
    number = report.submission_id
    file_for_good(county, city, bureau, number)
    with transaction(county, read_only=True) as connection:
        filed = reporting.get_submission(connection, number)
    reopened(county, number)
    with transaction(city) as connection:
        seen = reporting.get_submission(connection, number)
        with pytest.raises(NotPermitted):
            decisions.abandon(connection, city, number, seen.lock_version)
    again = abandoned(county, number)
    for name in ("state", "receipt_no", "receipt_hash", "filed_at", "version_no", "filer_id"):
        assert getattr(again, name) == getattr(filed, name)
    assert again.filed_content == filed.filed_content
    assert owner.execute("SELECT count(*) FROM submission_receipt").fetchone() == (1,)
    assert owner.execute("SELECT count(*) FROM accepted_contract").fetchone() == (1,)
    last = "SELECT action, user_id FROM review_event ORDER BY review_event_id DESC LIMIT 1"
    assert owner.execute(last).fetchone() == ("abandon", county.user_id)
    with transaction(county) as connection, pytest.raises(InvalidAction):
        decisions.abandon(connection, county, number, again.lock_version)


def test_a_change_that_was_returned_can_be_given_up_and_another_be_filed(
    report, owner, county, city, bureau
):
    fill(owner, county, report)
    number = report.submission_id
    file_for_good(county, city, bureau, number)
    reopened(county, number)
    with transaction(county, read_only=True) as connection:
        change = reporting.get_submission(connection, number)
    fill(owner, county, change, contract_amount="999")
    act(county, number, ReviewAction.SUBMIT)
    act(city, number, ReviewAction.RETURN, "金额不对")
    again = abandoned(county, number)
    assert (again.state, again.version_no) == (SubmissionState.FILED, 1)
    assert again.filed_content["contract"][0]["contract_amount"] == "286.5"
    reopened(county, number)
    with transaction(county, read_only=True) as connection:
        change = reporting.get_submission(connection, number)
    fill(owner, county, change, contract_amount="300")
    file_for_good(county, city, bureau, number)
    with transaction(county, read_only=True) as connection:
        versions = reporting.list_versions(connection, number)
    assert [version.version_no for version in versions] == [1, 2, 3]
    receipts = owner.execute("SELECT version_no FROM submission_receipt ORDER BY 1").fetchall()
    assert receipts == [(1,), (3,)]


def test_what_was_filed_opens_again_only_in_its_open_period_and_only_where_forms_allow(
    report, owner, county, city, bureau, submission
):
    fill(owner, county, report)
    file_for_good(county, city, bureau, report.submission_id)
    file_for_good(county, city, bureau, submission.submission_id)
    owner.execute("UPDATE reporting_period SET closed_at = now() WHERE form_code = %s", [FORM])
    for number, error in (
        (report.submission_id, PeriodClosed),
        (submission.submission_id, InvalidAction),
    ):
        with transaction(county, read_only=True) as connection:
            seen = reporting.get_submission(connection, number)
        with transaction(county) as connection, pytest.raises(error):
            decisions.reopen(connection, county, number, seen.lock_version)


def test_without_a_change_the_accepted_contract_stands_and_nothing_new_is_accepted(
    report, owner, county, city, bureau
):
    fill(owner, county, report)
    file_for_good(county, city, bureau, report.submission_id)
    owner.execute("UPDATE reporting_period SET closed_at = now()")
    following = owner.execute(
        "INSERT INTO reporting_period (form_code, name, starts_on, ends_on, deadline_at"
        ", form_version, workflow_version) SELECT form_code, '下季', ends_on + 1, ends_on + 90"
        ", now() + interval '120 days', 1, 1 FROM reporting_period RETURNING period_id"
    ).fetchone()[0]
    fresh = opened(county, following)
    with transaction(county) as connection:
        decisions.submit(
            connection, county, fresh.submission_id, fresh.lock_version, no_change=True
        )
    act(city, fresh.submission_id, ReviewAction.APPROVE)
    act(bureau, fresh.submission_id, ReviewAction.APPROVE)
    assert owner.execute("SELECT count(*) FROM accepted_contract").fetchone() == (1,)


def test_no_change_says_nothing_of_a_plan_that_was_never_reported(report, county):
    content = report.draft_content
    content["form"] |= {"contact_name": "张三", "contact_phone": "13800000000"}
    with transaction(county) as connection, pytest.raises(InvalidContent):
        decisions.submit(
            connection, county, report.submission_id, report.lock_version, no_change=True
        )


def test_a_name_that_differs_from_what_is_known_is_a_hint(report, owner, county, city, bureau):
    fill(owner, county, report)
    file_for_good(county, city, bureau, report.submission_id)
    with transaction(county) as connection:
        context = form_checks.form_context(connection, FORM, COUNTY)
        [version] = reporting.list_versions(connection, report.submission_id)
        content = version.content
        content["contract"][0] |= {"unit1_name": "另一个名称", "unit1_grade": "2"}
        found = form_checks.prepare(connection, load_form(connection, FORM, 1), COUNTY, content)[1]
    assert context.references[uscc(LEAD)]["name"] == "演示规划设计研究院"
    assert {(p.path.rpartition(".")[2], p.severity.value) for p in found} == {
        ("unit1_name", "hint"),
        ("unit1_grade", "hint"),
    }
    assert "登记的名称是“演示规划设计研究院”" in found[0].message
    assert "与名录中的“甲级”不同" in found[1].message


def test_another_county_sees_no_contract_and_every_filer_sees_who_is_known(
    report, owner, county, city, bureau
):
    fill(owner, county, report)
    file_for_good(county, city, bureau, report.submission_id)
    stranger = make_actor(owner, "jinxian", Role.COUNTY, "360124")
    with transaction(stranger, read_only=True) as connection:
        for table in ("filed_contract", "accepted_contract", "submission_receipt"):
            rows = connection.exec_driver_sql(f"SELECT count(*) FROM {table}")
            assert rows.scalar_one() == 0
        assert [unit.uscc for unit in compile_units.list_known(connection)] == [uscc(LEAD)]
