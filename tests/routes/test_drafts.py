"""Drafts over HTTP: saved while typing, told of conflicts, filed, answered, refused."""

import pytest

from components.form_editor import grid_url
from data_access import reporting
from data_access.database import transaction
from data_access.forms import forget_forms
from domain.access import Role
from domain.workflow import ReviewAction
from tests.actors import make_actor
from tests.reports import LAUNCH, act
from tests.rules import add_rule


@pytest.fixture(autouse=True)
def forms_read_anew():
    forget_forms()
    yield
    forget_forms()


@pytest.fixture
def url(submission) -> str:
    return f"/api/drafts/{submission.submission_id}"


@pytest.fixture
def browser(browser_of, county):
    return browser_of(county)


def save(browser, url, state, **form):
    content = state["content"] | {"form": state["content"]["form"] | form}
    return browser.put(url, json={"content": content, "draft_version": state["draft_version"]})


def test_reading_brings_everything_the_page_draws(browser, url):
    state = browser.get(url).json()
    assert [group["code"] for group in state["form"]["groups"]] == ["form", "plan", "milestone"]
    assert len(state["content"]["milestone"]) == len(state["rows"]["milestone"]) == 14
    assert state["can"] == {"save": True, "submit": True, "no_change": True, "withdraw": False}
    row = state["rows"]["milestone"][0]
    assert (row["label"], row["file_items"]) == ("启动部署", ["工作方案", "领导小组文件"])
    assert [file["name"] for file in row["files"]] == ["a.pdf", "a.pdf"]
    label = f"milestone[{row['key']}].completed_on"
    assert state["labels"][label] == "启动部署 · 实际完成日期"


def test_saving_answers_after_commit_with_normal_forms_and_problems(browser, url, owner):
    state = browser.get(url).json()
    answer = save(browser, url, state, contact_phone="１３９ ００００ ００００", contact_name="")
    saved = answer.json()
    assert answer.status_code == 200
    assert saved["normal"]["form.contact_phone"] == "13900000000"
    assert saved["draft_version"] == state["draft_version"] + 1
    missing = {problem["path"] for problem in saved["problems"] if problem["kind"] == "missing"}
    assert "form.contact_name" in missing
    stored = owner.execute("SELECT content -> 'form' ->> 'contact_phone' FROM submission_draft")
    assert stored.fetchone() == ("13900000000",)


def test_the_second_of_two_is_told_who_and_gets_both_versions(browser_of, owner, browser, url):
    other = make_actor(owner, "lisi", Role.COUNTY, "360123")
    state = browser.get(url).json()
    assert save(browser_of(other), url, state, work_summary="李四写的").status_code == 200
    late = save(browser, url, state, work_summary="我写的")
    assert late.status_code == 409
    told = late.json()
    assert (told["error"], told["saved_by"]) == ("DraftConflict", "lisi先生")
    assert told["content"]["form"]["work_summary"] == "李四写的"
    again = save(browser, url, state | {"draft_version": told["draft_version"]}, work_summary="我")
    assert again.status_code == 200


def test_what_is_saved_after_its_period_is_kept_and_told_that_it_cannot_be_filed(
    browser, url, owner
):
    state = browser.get(url).json()
    assert state["too_late"] == ""
    owner.execute("UPDATE reporting_period SET closed_at = now()")
    saved = save(browser, url, state, work_summary="迟了").json()
    assert "不再接收首次报送" in saved["too_late"]
    again = browser.get(url).json()
    assert again["content"]["form"]["work_summary"] == "迟了"
    assert "不再接收首次报送" in again["too_late"]
    assert again["can"] == {"save": True, "submit": False, "no_change": False, "withdraw": False}


def test_what_cannot_be_read_is_stored_as_typed_and_named(browser, url):
    state = browser.get(url).json()
    state["content"]["milestone"][1]["planned_on"] = "明年三月"
    saved = save(browser, url, state).json()
    key = state["content"]["milestone"][1]["key"]
    path = f"milestone[{key}].planned_on"
    [problem] = [p for p in saved["problems"] if (p["path"], p["kind"]) == (path, "format")]
    assert "“明年三月”不是日期" in problem["message"]
    assert browser.get(url).json()["content"]["milestone"][1]["planned_on"] == "明年三月"


@pytest.mark.parametrize(
    "content",
    [
        {"form": {"nobody": 1}},
        {"milestone": [{"key": "1/x"}]},
        {"form": 1},
        "text",
        None,
    ],
)
def test_what_is_no_content_of_the_form_changes_nothing(browser, url, content):
    before = browser.get(url).json()
    body = {"content": content, "draft_version": before["draft_version"]}
    answer = browser.put(url, json=body)
    assert answer.status_code == 422
    assert answer.json()["problems"]
    assert browser.get(url).json()["draft_version"] == before["draft_version"]


@pytest.mark.parametrize("body", [b"", b"[1]", b"{", b'{"content": {}}', b"[" * 100_000])
def test_a_broken_request_gets_a_sentence(browser, url, body):
    answer = browser.put(url, content=body)
    assert answer.status_code == 400
    assert answer.json()["message"].endswith("请刷新页面后重试。")


def test_an_endless_request_is_cut_off(browser, url):
    assert browser.put(url, content=b" " * (2 * 1024 * 1024 + 1)).status_code == 413


@pytest.mark.parametrize("number", ["0", "-1", "x", "9" * 30, "１"])
def test_a_report_that_is_none_is_not_found(browser, submission, number):
    assert browser.get(f"/api/drafts/{number}").status_code == 404


def test_submitting_files_what_was_seen(browser, url):
    state = browser.get(url).json()
    body = {
        "lock_version": state["submission"]["lock_version"],
        "draft_version": state["draft_version"],
    }
    save(browser, url, state, work_summary="又改了")
    unseen = browser.post(f"{url}/submit", json=body)
    assert (unseen.status_code, unseen.json()["error"]) == (409, "DraftConflict")
    body["draft_version"] += 1
    filed = browser.post(f"{url}/submit", json=body)
    assert filed.json()["state"] == "submitted"
    state = browser.get(url).json()
    assert state["can"] == {"save": False, "submit": False, "no_change": False, "withdraw": True}
    stale = browser.post(f"{url}/withdraw", json={"lock_version": 1})
    assert (stale.status_code, stale.json()["error"]) == (409, "StaleVersion")
    taken = browser.post(
        f"{url}/withdraw", json={"lock_version": state["submission"]["lock_version"]}
    )
    assert taken.json()["state"] == "draft"


def test_submitting_with_problems_says_them_beside_their_fields(browser, url):
    state = browser.get(url).json()
    row = state["content"]["milestone"][0]
    row["completed_on"] = "2099-01-01"
    version = save(browser, url, state, contact_name=None).json()["draft_version"]
    body = {"lock_version": 1, "draft_version": version}
    answer = browser.post(f"{url}/submit", json=body)
    assert answer.status_code == 422
    told = {problem["path"]: problem["message"] for problem in answer.json()["problems"]}
    assert told["form.contact_name"] == "请填写填报联系人。"
    assert "晚于今天" in told[f"milestone[{row['key']}].completed_on"]
    assert browser.get(url).json()["submission"]["state"] == "draft"


def test_no_change_files_the_accepted_values_whatever_the_draft_holds(browser, url, owner):
    assert browser.get(url).json()["can"]["no_change"] is True
    body = {"lock_version": 1, "draft_version": 0, "no_change": True}
    assert browser.post(f"{url}/submit", json=body).json()["state"] == "submitted"
    filed = owner.execute("SELECT no_change, content FROM submission_version").fetchone()
    assert filed[0] is True
    [launch] = [row for row in filed[1]["milestone"] if row["stage_code"] == LAUNCH]
    assert launch["state"] == "not_started"


def test_a_reply_stands_beside_its_reason(browser, url, submission, county, city):
    number = submission.submission_id
    act(county, number, ReviewAction.SUBMIT)
    act(city, number, ReviewAction.RETURN, "请核对", [("form.contact_name", "请填全名")])
    state = browser.get(url).json()
    assert [remark["label"] for remark in state["remarks"]] == ["总体意见", "填报联系人"]
    assert (state["returned"]["reviewer"], state["returned"]["comment"]) == ("nanchang先生", "")
    reply = f"{url}/replies/{state['remarks'][1]['id']}"
    assert browser.put(reply, json={"text": "已改为全名"}).status_code == 200
    assert browser.get(url).json()["remarks"][1]["reply"] == "已改为全名"
    assert browser.put(reply, json={"text": "长" * 501}).status_code == 422
    assert browser.put(reply, json={"text": 5}).status_code == 400


def test_a_report_that_came_back_carries_what_was_sent(browser, url, submission, county, city):
    assert browser.get(url).json()["sent_back"] == {}
    number = submission.submission_id
    act(county, number, ReviewAction.SUBMIT)
    assert browser.get(url).json()["sent_back"] == {}
    act(city, number, ReviewAction.RETURN, "请核对")
    state = browser.get(url).json()
    sent = state["content"]["form"]["contact_name"]
    save(browser, url, state, contact_name="改后的联系人")
    state = browser.get(url).json()
    assert state["content"]["form"]["contact_name"] == "改后的联系人"
    assert state["sent_back"]["form.contact_name"] == sent


def test_a_broken_rule_is_seen_not_blocking_and_told_to_its_owner(browser, url, owner):
    add_rule(owner, "plan_progress", "form.contact_name", "contact_name <= nobody")
    state = browser.get(url).json()
    saved = save(browser, url, state, work_summary="改").json()
    [problem] = [p for p in saved["problems"] if p["path"] == "form.contact_name"]
    assert (problem["severity"], "未校验" in problem["message"]) == ("unchecked", True)
    save(browser, url, state | {"draft_version": saved["draft_version"]}, work_summary="再改")
    told = owner.execute("SELECT role, body FROM inbox_message").fetchall()
    assert [(role, "contact_name <= nobody" in body) for role, body in told] == [
        ("information_centre", True)
    ]
    body = {"lock_version": 1, "draft_version": saved["draft_version"] + 1}
    assert browser.post(f"{url}/submit", json=body).json()["state"] == "submitted"


WRITES = [
    ("PUT", "", {"content": {}, "draft_version": 1}),
    ("POST", "/submit", {"lock_version": 1, "draft_version": 1}),
    ("POST", "/withdraw", {"lock_version": 1}),
    ("PUT", "/replies/1", {"text": "x"}),
]


@pytest.mark.parametrize(("method", "path", "body"), [("GET", "", None), *WRITES])
def test_strangers_wrong_roles_and_other_counties_are_refused(
    browser_of, owner, url, bureau, method, path, body
):
    other = make_actor(owner, "jinxian", Role.COUNTY, "360124")
    for actor, status in ((None, 401), (bureau, 403), (other, 404)):
        answer = browser_of(actor).request(method, url + path, json=body)
        assert (answer.status_code, bool(answer.json()["message"])) == (status, True)


@pytest.mark.parametrize(("method", "path", "body"), WRITES[:2])
def test_a_city_reads_its_county_and_does_not_file_for_it(
    browser_of, url, city, county, method, path, body
):
    browser = browser_of(city)
    assert browser.get(url).json()["can"]["save"] is False
    if path == "":
        body = {"content": {"form": {}}, "draft_version": 2}
    body = body | {"draft_version": 2}
    assert browser.request(method, url + path, json=body).status_code == 403
    with transaction(county, read_only=True) as connection:
        number = int(url.rpartition("/")[2])
        assert reporting.get_submission(connection, number).state == "draft"


def test_another_site_cannot_save(browser, url):
    headers = {"Sec-Fetch-Site": "cross-site"}
    answer = browser.put(url, json={"content": {}, "draft_version": 1}, headers=headers)
    assert answer.status_code == 403


def test_the_script_of_the_grid_is_kept_for_good_under_the_address_of_its_version(browser):
    given = browser.get(grid_url())
    assert "createGrid" in given.text
    assert "immutable" in given.headers["cache-control"]
    older = browser.get("/api/form-grid/0.js")
    assert (older.text, older.headers["cache-control"]) == (given.text, "no-store")
