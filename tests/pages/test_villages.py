"""村庄评估填报 as an officer, a county and another township meet it."""

from datetime import date

import pytest

from data_access import bulk_filing, decisions, filing, inbox, village_worklist
from data_access.database import transaction
from data_access.periods import end_of
from domain.access import Role
from domain.workflow import ReviewAction
from tests.actors import COUNTY, make_actor
from tests.pages.reading import own_elements, texts
from tests.reports import act
from tests.villages import (
    add_natural_villages,
    complete,
    open_village,
    open_village_period,
    return_late,
    villages_of,
)


@pytest.fixture
def period_of_year(owner) -> int:
    return open_village_period(owner, 2026)


@pytest.fixture
def villages(owner) -> list[str]:
    """The villages of the first township of the county."""
    codes = villages_of(owner, COUNTY)
    return [code for code in codes if code[:9] == codes[0][:9]]


@pytest.fixture
def officer(owner, villages):
    return make_actor(owner, "officer", Role.TOWNSHIP, villages[0][:9])


def html(page) -> str:
    return " ".join(str(each.value) for each in page.get("html"))


def test_an_officer_sees_his_villages_only_and_what_is_left(
    open_page, officer, villages, period_of_year, owner
):
    page = open_page(officer, "villages")
    assert not page.exception
    assert f"2026年：{len(villages)} 个村中 0 个已报送，{len(villages)} 个待报送" in texts(page)
    shown = html(page)
    assert all(code in shown for code in villages[:20])
    elsewhere = [code for code in villages_of(owner, COUNTY) if code not in villages]
    assert not [code for code in elsewhere if code in shown]


def test_a_village_is_found_by_its_code_and_by_its_state(
    open_page, officer, villages, period_of_year
):
    assert villages[1] in html(open_page(officer, "villages", q=villages[1]))
    assert villages[0] not in html(open_page(officer, "villages", q=villages[1]))
    open_village(officer, period_of_year, villages[0])
    drafts = html(open_page(officer, "villages", state="draft"))
    assert villages[0] in drafts
    assert villages[1] not in drafts


def test_a_village_opens_with_its_form_and_another_townships_does_not(
    open_page, officer, villages, period_of_year, owner
):
    add_natural_villages(owner, villages[0])
    page = open_page(officer, "village", code=villages[0])
    assert not page.exception
    assert [part.key.partition("-3")[0] for part in own_elements(page)] == [
        "place-editor",
        "form-editor-1",
    ]
    elsewhere = next(code for code in villages_of(owner, COUNTY) if code not in villages)
    refused = open_page(officer, "village", code=elsewhere)
    assert "不在您的数据范围内" in refused.error[0].value
    assert owner.execute("SELECT count(*) FROM submission").fetchone() == (1,)


def test_what_is_filled_in_is_filed_together_and_the_rest_says_why(
    officer, villages, period_of_year, owner
):
    for code in villages[:2]:
        add_natural_villages(owner, code)
        opened = open_village(officer, period_of_year, code)
        with transaction(officer) as connection:
            state = filing.read_state(connection, officer, opened.submission_id)
            content = complete(state.content)
            if code == villages[1]:
                content["form"] |= {"hukou_pop": 10}
            filing.save_checked(
                connection, officer, opened.submission_id, content, state.submission.draft_version
            )
    with transaction(officer, read_only=True) as connection:
        waiting = village_worklist.read_held(connection, officer).in_hand()
    told = [
        bulk_filing.submit_seen(
            officer, each.submission_id, each.draft_version, each.lock_version
        )
        for each in waiting
    ]  # fmt: skip
    assert told[0].error is None
    assert "form.hukou_pop" in [problem.path for problem in told[1].problems]
    with transaction(officer, read_only=True) as connection:
        assert [
            each.code for each in village_worklist.read_held(connection, officer).in_hand()
        ] == [villages[1]]


def test_what_came_back_is_not_sent_again_among_others_as_it_was(
    officer, villages, period_of_year, owner
):
    number = return_late(owner, officer, period_of_year, villages[0])

    def send() -> str:
        with transaction(officer, read_only=True) as connection:
            state = filing.read_state(connection, officer, number).submission
        told = bulk_filing.submit_seen(officer, number, state.draft_version, state.lock_version)
        return type(told.error).__name__

    assert send() == "UnchangedSinceReturn"
    with transaction(officer) as connection:
        [remark, *_] = filing.read_state(connection, officer, number).remarks
        decisions.reply(connection, officer, remark.review_remark_id, "已与派出所核对，无误")
    assert send() == "NoneType"  # it was answered, and went to the county


@pytest.mark.parametrize("next_year", [True, False])
def test_what_was_returned_of_a_closed_period_is_found_opened_and_filed_again(
    open_page, officer, villages, period_of_year, owner, next_year
):
    number = return_late(owner, officer, period_of_year, villages[0])
    if next_year:
        open_village_period(owner, 2027)
    listed = html(open_page(officer, "villages"))
    assert "退回待修改（2026年）：1 个村" in listed
    assert f"village?code={villages[0]}&amp;period={period_of_year}" in listed
    page = open_page(officer, "village", code=villages[0], period=str(period_of_year))
    assert not page.exception
    assert "被退回，请按退回意见修改后重新提交" in texts(page)
    assert f"form-editor-{number}" in [part.key.partition("-3")[0] for part in own_elements(page)]
    with transaction(officer, read_only=True) as connection:
        links = [message.link for message in inbox.list_messages(connection)]
    assert f"village?code={villages[0]}&period={period_of_year}" in links
    act(officer, number, ReviewAction.SUBMIT)
    assert "退回待修改" not in html(open_page(officer, "villages"))
    # What nobody began is not begun after its period.
    refused = open_page(officer, "village", code=villages[1], period=str(period_of_year))
    assert refused.error
    assert owner.execute(
        "SELECT count(*) FROM submission WHERE division_code = %s", [villages[1]]
    ).fetchone() == (0,)


@pytest.mark.parametrize(
    ("moment", "words"),
    [
        ("2026-11-24T15:59:59Z", "截止 11月25日 23:59，还有 1 天"),
        ("2026-11-24T16:00:00Z", "截止 11月25日 23:59，今日截止"),
        ("2026-11-25T15:59:59Z", "截止 11月25日 23:59，今日截止"),
        ("2026-11-25T16:00:00Z", "截止 11月25日 23:59，已逾期 1 天"),
    ],
)
def test_the_days_left_are_beijings_on_a_server_in_utc(
    open_page, officer, period_of_year, owner, in_utc, monkeypatch, moment, words
):
    owner.execute("UPDATE reporting_period SET deadline_at = %s", [end_of(date(2026, 11, 25))])
    monkeypatch.setenv("PORTAL_NOW", moment)
    assert words in texts(open_page(officer, "villages"))
