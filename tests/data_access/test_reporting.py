"""A report's way from draft to 备案, against PostGIS."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from data_access import decisions, drafts, progress, reporting
from data_access.database import transaction
from domain import receipts
from domain.access import Actor, Role
from domain.clock import now, today
from domain.errors import (
    DraftConflict,
    InvalidAction,
    NotFound,
    NotPermitted,
    PeriodClosed,
    RuleViolation,
    StaleVersion,
)
from domain.progress import PeriodState
from domain.workflow import ReviewAction, SubmissionState
from tests.actors import COUNTY, make_actor
from tests.reports import act, opened


def unit_of(actor: Actor):
    with transaction(actor, read_only=True) as connection:
        return progress.get_unit(connection, COUNTY, *progress.moment_of(None))


def test_accepted_report_moves_the_percentage_and_carries_a_receipt(
    submission, county, city, bureau, owner
):
    number = submission.submission_id
    act(county, number, ReviewAction.SUBMIT)
    waiting = unit_of(bureau)
    assert (waiting.accepted_ratio, waiting.pending_ratio) == (0, 0.04)
    assert waiting.period_state is PeriodState.SUBMITTED
    act(city, number, ReviewAction.APPROVE)
    assert unit_of(bureau).accepted_ratio == 0
    moved = act(bureau, number, ReviewAction.APPROVE)
    assert moved.state is SubmissionState.FILED
    accepted = unit_of(bureau)
    assert (accepted.accepted_ratio, accepted.pending_ratio) == (0.04, 0)
    assert (accepted.stage_name, accepted.late_days, accepted.on_time) == ("启动部署", 0, True)
    with transaction(county) as connection:
        filed = reporting.get_submission(connection, number)
        version = reporting.list_versions(connection, number)[0]
    assert filed.receipt_no == f"202611-{COUNTY}-01"
    assert filed.receipt_hash == receipts.receipt_hash(
        filed.receipt_no, version.content_sha256, filed.filed_at
    )
    topics = owner.execute("SELECT topic, subject FROM outbox_event").fetchall()
    assert topics == [("submission.filed", COUNTY)]


def test_what_was_shown_on_a_past_day_stays_as_it_was(submission, county, city, bureau):
    before = now()
    for actor, action in (
        (county, ReviewAction.SUBMIT),
        (city, ReviewAction.APPROVE),
        (bureau, ReviewAction.APPROVE),
    ):
        act(actor, submission.submission_id, action)
    with transaction(bureau, read_only=True) as connection:
        then = progress.get_unit(connection, COUNTY, before, today())
    assert (then.accepted_ratio, then.pending_ratio) == (0, 0)
    assert then.period_state is PeriodState.NOT_FILED


def test_return_opens_a_round_with_reasons_and_replies(submission, county, city):
    number = submission.submission_id
    act(county, number, ReviewAction.SUBMIT)
    path = f"milestone[{submission.draft_content['milestone'][0]['key']}].completed_on"
    act(city, number, ReviewAction.RETURN, "请核对", [(path, "与文件落款日期不一致")])
    with transaction(county) as connection:
        [general, remark] = reporting.list_open_remarks(connection, number)
        decisions.reply(connection, county, remark.review_remark_id, "已改")
    with transaction(city) as connection:
        [_, remark] = reporting.list_open_remarks(connection, number)
        again = reporting.get_submission(connection, number)
    assert (general.field_path, general.reason) == ("", "请核对")
    assert (remark.field_path, remark.reply) == (path, "已改")
    assert (again.state, again.round_no, again.version_no) == (SubmissionState.RETURNED, 2, 1)
    act(county, number, ReviewAction.SUBMIT)
    with transaction(county) as connection:
        assert [v.round_no for v in reporting.list_versions(connection, number)] == [1, 2]


def test_returning_without_a_reason_changes_nothing(submission, county, city):
    act(county, submission.submission_id, ReviewAction.SUBMIT)
    with pytest.raises(RuleViolation) as caught:
        act(city, submission.submission_id, ReviewAction.RETURN, "  ")
    assert caught.value.details == {"constraint": "review_event_return_has_comment"}
    assert unit_of(city).period_state is PeriodState.SUBMITTED


def test_filer_withdraws_before_the_first_decision_and_not_after(submission, county, city):
    number = submission.submission_id
    act(county, number, ReviewAction.SUBMIT)
    act(county, number, ReviewAction.WITHDRAW)
    assert unit_of(county).period_state is PeriodState.NOT_FILED
    act(county, number, ReviewAction.SUBMIT)
    act(city, number, ReviewAction.APPROVE)
    with pytest.raises(NotPermitted):
        act(county, number, ReviewAction.WITHDRAW)


def test_closed_period_gives_no_report_back_that_could_not_be_sent_again(submission, county, owner):
    act(county, submission.submission_id, ReviewAction.SUBMIT)
    owner.execute("UPDATE reporting_period SET closed_at = now()")
    with pytest.raises(PeriodClosed):
        act(county, submission.submission_id, ReviewAction.WITHDRAW)
    assert owner.execute("SELECT state FROM submission").fetchone() == ("submitted",)


def test_closed_period_takes_what_was_returned_and_no_first_report(submission, county, city, owner):
    number = submission.submission_id
    owner.execute("UPDATE reporting_period SET closed_at = now()")
    with pytest.raises(PeriodClosed):
        act(county, number, ReviewAction.SUBMIT)
    owner.execute("UPDATE reporting_period SET closed_at = NULL")
    act(county, number, ReviewAction.SUBMIT)
    act(city, number, ReviewAction.RETURN, "请核对")
    owner.execute("UPDATE reporting_period SET closed_at = now()")
    assert act(county, number, ReviewAction.SUBMIT).state is SubmissionState.SUBMITTED


def test_nobody_skips_the_city(submission, county, bureau):
    act(county, submission.submission_id, ReviewAction.SUBMIT)
    with pytest.raises(NotPermitted):
        act(bureau, submission.submission_id, ReviewAction.APPROVE)


def test_of_two_reviewers_at_once_one_is_told_he_is_late(submission, county, city):
    act(county, submission.submission_id, ReviewAction.SUBMIT)
    with transaction(city) as connection:
        seen = reporting.get_submission(connection, submission.submission_id)

    def attempt(_: int) -> str:
        try:
            with transaction(city) as connection:
                decisions.review(
                    connection, city, seen.submission_id, seen.lock_version, ReviewAction.APPROVE
                )
        except StaleVersion:
            return "late"
        return "saved"

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(attempt, range(2))) == ["late", "saved"]


def test_second_person_on_a_draft_is_told_what_the_first_wrote(submission, county, owner):
    with transaction(county) as connection, pytest.raises(DraftConflict) as caught:
        drafts.save_draft(connection, county, submission.submission_id, {"form": {}}, 1)
    assert caught.value.details["saved_by"] == "anyi先生"
    assert caught.value.details["draft_version"] == 2
    assert caught.value.details["content"]["form"]["contact_name"] == "张三"


def test_draft_of_a_filed_report_cannot_be_saved(submission, county):
    act(county, submission.submission_id, ReviewAction.SUBMIT)
    with transaction(county) as connection, pytest.raises(InvalidAction):
        drafts.save_draft(connection, county, submission.submission_id, {}, 2)


def test_another_county_finds_nothing(submission, owner):
    stranger = make_actor(owner, "jinxian", Role.COUNTY, "360124")
    with transaction(stranger) as connection, pytest.raises(NotFound):
        reporting.get_submission(connection, submission.submission_id)
    with transaction(stranger, read_only=True) as connection:
        assert [u.code for u in progress.list_units(connection, *progress.moment_of(None))] == [
            "360124"
        ]


def test_two_people_opening_at_once_share_one_draft(county, plan_id, period_id):
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(lambda _: opened(county, period_id), range(2))
    assert first.submission_id == second.submission_id


def test_province_sees_all_111_units_and_a_city_its_own(bureau, city, period_id):
    with transaction(bureau, read_only=True) as connection:
        assert len(progress.list_units(connection, *progress.moment_of(None))) == 111
    with transaction(city, read_only=True) as connection:
        units = progress.list_units(connection, *progress.moment_of(None))
    assert {unit.code[:4] for unit in units} == {"3601"}
