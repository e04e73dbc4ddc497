"""Each decision tells whose turn it is, in the inbox."""

from data_access import inbox
from data_access.database import transaction
from domain.access import Actor
from domain.workflow import ReviewAction
from tests.reports import act

REPORT = "安义县2026年11月编制进度"


def titles(actor: Actor) -> list[str]:
    with transaction(actor, read_only=True) as connection:
        return [message.title for message in inbox.list_messages(connection)]


def test_report_is_announced_step_by_step_and_its_receipt_to_the_unit(
    submission, county, city, bureau
):
    number = submission.submission_id
    act(county, number, ReviewAction.SUBMIT)
    assert (titles(city), titles(bureau)) == ([f"待审核：{REPORT}"], [])
    act(city, number, ReviewAction.APPROVE)
    assert titles(bureau) == [f"待审核：{REPORT}"]
    act(bureau, number, ReviewAction.APPROVE)
    assert titles(county) == [f"已备案：{REPORT}"]
    with transaction(county, read_only=True) as connection:
        [filed] = inbox.list_messages(connection)
    assert "回执编号 202611-360123-01" in filed.body
    assert filed.link == f"submission?id={number}"


def test_return_reaches_the_unit_with_its_reason(submission, county, city):
    act(county, submission.submission_id, ReviewAction.SUBMIT)
    act(city, submission.submission_id, ReviewAction.RETURN, "公示材料不全")
    with transaction(county, read_only=True) as connection:
        [returned] = inbox.list_messages(connection)
    assert (returned.title, returned.link) == (
        f"已退回：{REPORT}",
        "report?form=plan_progress",
    )
    assert "公示材料不全" in returned.body


def test_withdrawal_concerns_nobody(submission, county, city):
    act(county, submission.submission_id, ReviewAction.SUBMIT)
    act(county, submission.submission_id, ReviewAction.WITHDRAW)
    assert (titles(county), len(titles(city))) == ([], 1)
