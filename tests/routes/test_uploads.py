"""Uploads and evidence over HTTP: resumed, refused with a sentence, served to whom it concerns."""

import asyncio
import hashlib
from uuid import UUID

import pytest
from starlette.testclient import TestClient

from components.session import SESSION_COOKIE
from data_access import file_store
from data_access.uploads import receiving
from domain.access import Role
from tests.actors import make_actor
from tests.files import docx, pdf, picture
from tests.reports import wanted_file

pytestmark = pytest.mark.usefixtures("store")


@pytest.fixture
def client(browser_of, county):
    return browser_of(county)


@pytest.fixture
def target(owner, plan_id):
    return wanted_file(owner, plan_id)


def begin(client, target, content, name="批复 1.pdf"):
    answer = client.post(
        "/api/uploads",
        json={"use": "evidence", "file_name": name, "size": len(content), **target},
    )
    return answer.headers.get("location"), answer


def send(client, target, content, name="批复 1.pdf"):
    place, _ = begin(client, target, content, name)
    return client.patch(place, content=content, headers={"Upload-Offset": "0"})


def test_file_sent_in_two_pieces_becomes_evidence(client, target):
    content = pdf("页" * 2000)
    place, answer = begin(client, target, content)
    assert (answer.status_code, answer.json()["offset"]) == (201, 0)
    first = client.patch(place, content=content[:4000], headers={"Upload-Offset": "0"})
    assert (first.json()["finished"], first.headers["upload-offset"]) == (False, "4000")
    head = client.head(place)
    assert (head.headers["upload-offset"], head.headers["upload-length"]) == (
        "4000",
        str(len(content)),
    )
    last = client.patch(place, content=content[4000:], headers={"Upload-Offset": "4000"}).json()
    assert last["finished"]
    assert last["result"]["sha256"] == hashlib.sha256(content).hexdigest()
    assert client.get(place).json()["result"] == last["result"]


def test_wrong_offset_is_told_where_to_go_on(client, target):
    place, _ = begin(client, target, pdf())
    answer = client.patch(place, content=b"x", headers={"Upload-Offset": "7"})
    assert (answer.status_code, answer.headers["upload-offset"]) == (409, "0")
    assert client.patch(place, content=b"x").status_code == 400


def test_second_request_at_once_is_refused(client, county, target):
    content = pdf()
    place, answer = begin(client, target, content)
    with receiving(county, UUID(answer.json()["upload_id"]), 0):
        second = client.patch(place, content=content, headers={"Upload-Offset": "0"})
    assert (second.status_code, second.json()["reason"]) == (409, "busy")
    assert client.patch(place, content=content, headers={"Upload-Offset": "0"}).status_code == 200


def test_cut_connection_keeps_what_came(client, target, application):
    content = pdf("页" * 2000)
    place, _ = begin(client, target, content)
    events = [
        {"type": "http.request", "body": content[:3000], "more_body": True},
        {"type": "http.disconnect"},
    ]

    async def receive():
        return events.pop(0)

    async def send_nothing(message):
        pass

    cookie = f"{SESSION_COOKIE}={client.cookies[SESSION_COOKIE]}".encode()
    scope = {
        "type": "http",
        "method": "PATCH",
        "path": place,
        "raw_path": place.encode(),
        "root_path": "",
        "scheme": "http",
        "query_string": b"",
        "headers": [(b"upload-offset", b"0"), (b"cookie", cookie), (b"host", b"testserver")],
        "client": ("127.0.0.1", 1),
        "server": ("testserver", 80),
        "http_version": "1.1",
    }
    asyncio.run(application(scope, receive, send_nothing))
    assert client.head(place).headers["upload-offset"] == "3000"
    rest = client.patch(place, content=content[3000:], headers={"Upload-Offset": "3000"})
    assert rest.json()["result"]["sha256"] == hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize(
    ("name", "content", "status", "words"),
    [
        ("批复.exe", b"MZ", 415, "不接收这种类型"),
        ("旧文.doc", b"x", 422, "另存为 xlsx"),
        ("空.pdf", b"", 422, "没有内容"),
    ],
)
def test_what_is_not_taken_is_refused_before_it_is_sent(
    client, target, name, content, status, words
):
    _, answer = begin(client, target, content, name)
    assert answer.status_code == status
    assert words in answer.json()["message"]


def test_too_large_is_refused_before_it_is_sent(client, target):
    answer = client.post(
        "/api/uploads", json={"use": "evidence", "file_name": "a.pdf", "size": 1 << 40, **target}
    )
    assert answer.status_code == 413
    assert "超过允许的大小" in answer.json()["message"]


def test_damaged_file_is_refused_with_a_sentence_and_gone(client, store, target):
    place, _ = begin(client, target, pdf()[:-30])
    answer = client.patch(place, content=pdf()[:-30], headers={"Upload-Offset": "0"})
    assert answer.status_code == 422
    assert answer.json()["message"] == "文件未能上传：文件已损坏，无法打开，请重新导出后再传。"
    assert [path for path in store.rglob("*") if path.is_file()] == []
    assert client.head(place).status_code == 404


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"use": "evidence"}', b"x" * 20_000])
def test_request_that_says_nothing_is_refused(client, body):
    answer = client.post("/api/uploads", content=body)
    assert answer.status_code in (400, 413)
    assert answer.json()["message"].endswith("。")


@pytest.mark.parametrize("size", ["1e999", "NaN", '"viel"', "null"])
def test_size_that_is_no_number_is_refused(client, size):
    body = f'{{"use": "evidence", "file_name": "a.pdf", "size": {size}}}'
    assert client.post("/api/uploads", content=body).status_code == 400


def test_cancelled_upload_is_gone(client, target):
    place, _ = begin(client, target, pdf())
    assert client.delete(place).status_code == 204
    assert client.delete(place).status_code == 404
    assert client.patch(place, content=b"x", headers={"Upload-Offset": "0"}).status_code == 404


def test_same_file_twice_is_flagged(client, target):
    first = send(client, target, pdf()).json()["result"]
    second = send(client, target, pdf()).json()["result"]
    assert [one["evidence_id"] for one in second["also_used_for"]] == [first["evidence_id"]]


def test_picture_is_shown_and_never_acts(client, target):
    content = picture()
    evidence_id = send(client, target, content, "公示 照片.png").json()["result"]["evidence_id"]
    answer = client.get(f"/api/evidence/{evidence_id}")
    assert answer.content == content
    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["content-disposition"] == (
        f'inline; filename="evidence-{evidence_id}.png"; '
        "filename*=UTF-8''%E5%85%AC%E7%A4%BA%20%E7%85%A7%E7%89%87.png"
    )
    assert "sandbox" in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_office_file_is_only_ever_saved(client, target):
    evidence_id = send(client, target, docx(), "说明.docx").json()["result"]["evidence_id"]
    answer = client.get(f"/api/evidence/{evidence_id}")
    assert answer.headers["content-disposition"].startswith("attachment")


def test_evidence_is_served_in_parts_and_not_twice(client, target):
    content = pdf()
    result = send(client, target, content).json()["result"]
    place = f"/api/evidence/{result['evidence_id']}"
    part = client.get(place, headers={"Range": "bytes=5-9"})
    assert (part.status_code, part.content) == (206, content[5:10])
    assert part.headers["content-range"] == f"bytes 5-9/{len(content)}"
    known = client.get(place, headers={"If-None-Match": f'"{result["sha256"]}"'})
    assert (known.status_code, known.content) == (304, b"")
    saved = client.get(place, params={"download": "1"})
    assert saved.headers["content-disposition"].startswith("attachment")


def test_evidence_is_open_above_and_closed_beside(owner, client, browser_of, city, leader, target):
    place = f"/api/evidence/{send(client, target, pdf()).json()['result']['evidence_id']}"
    neighbour = make_actor(owner, "nanchangxian", Role.COUNTY, "360121")
    auditor = make_actor(owner, "auditor", Role.SECURITY_AUDITOR, "360000")
    assert [browser_of(actor).get(place).status_code for actor in (city, leader)] == [200, 200]
    assert [browser_of(actor).get(place).status_code for actor in (neighbour, auditor)] == [
        404,
        404,
    ]
    assert browser_of(neighbour).delete(place).status_code == 404


def test_lost_file_says_whom_to_ask(client, target):
    result = send(client, target, pdf()).json()["result"]
    file_store.stored_path(result["sha256"]).unlink()
    answer = client.get(f"/api/evidence/{result['evidence_id']}")
    assert (answer.status_code, "信息中心" in answer.json()["message"]) == (404, True)


def test_removed_evidence_is_still_readable(client, leader, browser_of, target):
    place = f"/api/evidence/{send(client, target, pdf()).json()['result']['evidence_id']}"
    assert browser_of(leader).delete(place).status_code == 403
    assert client.delete(place).status_code == 204
    assert client.get(place).status_code == 200


def test_stranger_reaches_nothing(application):
    stranger = TestClient(application)
    nowhere = "/api/uploads/00000000-0000-0000-0000-000000000000"
    answers = [
        stranger.post("/api/uploads", json={}),
        stranger.get(nowhere),
        stranger.patch(nowhere, content=b"x"),
        stranger.delete(nowhere),
        stranger.get("/api/evidence/1"),
        stranger.delete("/api/evidence/1"),
    ]
    assert {answer.status_code for answer in answers} == {401}


def test_nobody_goes_on_with_the_upload_of_another(client, browser_of, leader, target):
    place, _ = begin(client, target, pdf())
    other = browser_of(leader)
    assert other.get(place).status_code == 404
    assert other.patch(place, content=pdf(), headers={"Upload-Offset": "0"}).status_code == 404


def test_change_from_another_site_is_refused(client, target):
    answer = client.post("/api/uploads", json={}, headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403
