"""The review queue over HTTP: filtered pages, a whole choice, bulk decisions, kept filters."""

import pytest
from starlette.testclient import TestClient

from data_access import review_queue
from data_access.database import transaction
from domain.access import Role
from domain.review_filter import QueueFilter, QueueOrder
from tests.actors import COUNTY, make_actor
from tests.queues import counties_of, make_waiting
from tests.township import sampling_period, villages_waiting
from tests.villages import villages_of


@pytest.fixture
def waiting(owner, county, city, bureau, period_id) -> list[int]:
    return make_waiting(owner, county.user_id, [period_id], counties_of(owner, "3601"))


@pytest.fixture
def browser(browser_of, waiting, city) -> TestClient:
    return browser_of(city)


def queue(browser, query=""):
    answer = browser.get(f"/api/review/queue?{query}")
    assert answer.status_code == 200, answer.text
    return answer.json()


def ids(browser, query=""):
    return [row["id"] for row in queue(browser, query)["rows"]]


def seen_of(browser, query=""):
    return browser.get(f"/api/review/choice?{query}").json()["seen"]


def test_the_oldest_comes_first_with_what_a_reviewer_wants_to_know(browser, waiting):
    answer = queue(browser)
    assert [row["id"] for row in answer["rows"]] == waiting[::-1]
    assert (answer["waiting"], answer["pages"], answer["overdue"]) == (len(waiting), 1, 0)
    row = answer["rows"][0]
    assert row["form"] == "编制进度"
    assert (row["attachments"], row["new_attachments"], row["seen"]) == (2, 1, 2)
    assert row["parent"] == "南昌市"
    assert row["days_left"] is not None


def test_each_filter_leaves_what_it_says(browser, waiting, owner, period_id):
    owner.execute("UPDATE submission SET round_no = 3 WHERE submission_id = %s", [waiting[0]])
    owner.execute(
        "UPDATE submission SET due_on = current_date - 9 WHERE submission_id = %s", [waiting[1]]
    )
    assert ids(browser, "unit=安义县") == ids(browser, "unit=360123") != []
    assert ids(browser, "unit=南昌市") == waiting[::-1]
    assert ids(browser, "unit=没有的县") == []
    assert ids(browser, "round=3") == [waiting[0]]
    assert ids(browser, "overdue=1") == [waiting[1]]
    assert len(ids(browser, "overdue=0")) == len(waiting) - 1
    assert set(ids(browser, "warned=1")) == {number for number in waiting if number % 7 == 0}
    assert set(ids(browser, "unchanged=1")) == {waiting[4]}
    assert ids(browser, f"period={period_id}") == waiting[::-1]
    assert ids(browser, "step=2") == ids(browser, "form=other") == ids(browser, "period=99") == []
    assert ids(browser, "q=anyi") == waiting[::-1]  # who filed them
    assert ids(browser, "q=360123") == ids(browser, "unit=安义县")
    assert ids(browser, "q=%25") == []


def test_every_order_runs_both_ways(browser, waiting):
    for order in QueueOrder:
        there, back = (ids(browser, f"sort={order}&desc={desc}") for desc in (0, 1))
        assert sorted(there) == sorted(back) == sorted(waiting)
    assert ids(browser, "sort=unit") == waiting


def test_pages_show_each_report_once(browser, waiting, city, monkeypatch):
    monkeypatch.setattr(review_queue, "PAGE_SIZE", 4)
    found = [number for page in (1, 2, 3) for number in ids(browser, f"page={page}")]
    assert found == waiting[::-1]


@pytest.mark.parametrize("query", ["page=-3&sort=x", "period=abc&round=99999999999", "q=%00%5C"])
def test_an_address_that_makes_no_sense_asks_for_nothing(browser, waiting, query):
    assert queue(browser, query)["waiting"] in (0, len(waiting))


def test_all_that_match_come_with_the_version_they_have(browser, waiting):
    assert seen_of(browser) == [[number, 2] for number in waiting[::-1]]
    assert len(seen_of(browser, "unit=安义县")) == 1


def test_a_bulk_return_is_told_shown_to_peers_and_undone(browser, browser_of, waiting, owner):
    body = {"action": "return", "comment": "材料不全", "seen": [*seen_of(browser), [99999, 1]]}
    told = browser.post("/api/review/bulk", json=body).json()
    assert (told["pending"], told["left_out_count"], told["unseen"]) == (len(waiting), 0, 1)
    assert 25 < told["seconds"] <= 30
    assert queue(browser)["recent"][0]["id"] == told["id"]
    peer = browser_of(make_actor(owner, "second", Role.CITY, "360100"))
    assert "已批量退回" in queue(peer)["rows"][0]["pending"]
    assert {row["undo"] for row in queue(peer)["rows"]} == {None}
    assert {row["undo"] for row in queue(browser)["rows"]} == {told["id"]}
    assert queue(peer)["recent"] == []
    assert peer.post(f"/api/review/bulk/{told['id']}/undo", json={}).status_code == 404
    one = browser.post(f"/api/review/bulk/{told['id']}/undo", json={"ids": waiting[:1]}).json()
    assert (one["undone"], one["pending"]) == (1, len(waiting) - 1)
    all_of_it = browser.post(f"/api/review/bulk/{told['id']}/undo", json={}).json()
    assert all_of_it["pending"] == 0
    assert browser.post(f"/api/review/bulk/{told['id']}/undo", json={}).status_code == 409
    assert browser.get(f"/api/review/bulk/{told['id']}").json()["undone"] == len(waiting)


def test_what_is_left_out_is_named(browser, waiting, owner):
    owner.execute("UPDATE submission SET lock_version = 5 WHERE submission_id = %s", [waiting[0]])
    body = {"action": "approve", "seen": [[number, 2] for number in waiting]}
    told = browser.post("/api/review/bulk", json=body).json()
    assert [item["id"] for item in told["left_out"]] == [waiting[0]]
    assert "已有变动" in told["left_out"][0]["why"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"action": "return", "comment": " ", "seen": [[1, 2]]}, 422),
        ({"action": "return", "comment": "长" * 501, "seen": [[1, 2]]}, 422),
        ({"action": "submit", "comment": "x", "seen": [[1, 2]]}, 400),
        ({"action": "approve", "seen": []}, 400),
        ({"action": "approve", "seen": [[1]]}, 400),
        ({"action": "approve", "seen": [[1, "2"]]}, 400),
        ({"action": "approve", "seen": [[2**40, 1]]}, 400),
        ({"action": "approve"}, 400),
    ],
)
def test_a_bad_request_is_refused_with_a_sentence(browser, owner, body, status):
    answer = browser.post("/api/review/bulk", json=body)
    assert answer.status_code == status
    assert answer.json()["message"].endswith("。")
    assert owner.execute("SELECT count(*) FROM bulk_decision").fetchone() == (0,)


def test_kept_filters_are_ones_own(browser, browser_of, owner, waiting):
    kept = {"name": "安义超期", "query": "unit=安义县&overdue=1&page=3&nonsense=1"}
    number = browser.put("/api/review/filters", json=kept).json()["id"]
    again = browser.put("/api/review/filters", json={**kept, "query": "overdue=1"}).json()["id"]
    assert number == again
    saved = queue(browser)["saved"]
    assert [(one["name"], one["query"]) for one in saved] == [("安义超期", "overdue=1")]
    peer = browser_of(make_actor(owner, "second", Role.CITY, "360100"))
    assert queue(peer)["saved"] == []
    assert peer.delete(f"/api/review/filters/{number}").status_code == 404
    assert browser.put("/api/review/filters", json={"name": " ", "query": ""}).status_code == 422
    assert browser.delete(f"/api/review/filters/{number}").status_code == 204
    assert queue(browser)["saved"] == []


def test_neighbours_follow_the_filter(waiting, city):
    with transaction(city, read_only=True) as connection:
        found = review_queue.find_neighbours(
            connection, city, QueueFilter(sort=QueueOrder.UNIT), waiting[1]
        )
        assert (found.place, found.previous_id, found.next_id) == (2, waiting[0], waiting[2])
        narrow = QueueFilter(unit="安义县")
        assert review_queue.find_neighbours(connection, city, narrow, waiting[0]) is None


@pytest.fixture
def villages(owner, county) -> tuple[int, dict[str, int]]:
    """A county's villages that wait for it, in a period that asks for a sample."""
    filer = make_actor(owner, "filer", Role.COUNTY, COUNTY)
    period = sampling_period(owner)
    return period, villages_waiting(owner, period, filer.user_id, villages_of(owner, COUNTY)[:5])


def test_the_queue_of_a_township_says_what_is_drawn_and_how_complete_each_is(
    browser_of, owner, county, villages
):
    browser, (period, ids) = browser_of(county), villages
    owner.execute("UPDATE submission_check SET required = 200, answered = 199")
    asked = f"form=village_evaluation&period={period}&step=1&unit={COUNTY}"
    assert "answers" not in queue(browser, asked)["rows"][0]
    row = queue(browser, f"{asked}&desk=1")["rows"][0]
    assert (row["answers"], row["unanswered"], row["sample"], row["drawn"], row["odd"]) == (
        "99\u00a0%", 1, None, False, []
    )  # fmt: skip
    refused = browser.post(
        "/api/review/bulk", json={"action": "approve", "seen": [[n, 2] for n in ids.values()]}
    )
    assert refused.status_code >= 400
    assert "5 个还没有抽样，不能批量通过" in refused.json()["message"]
