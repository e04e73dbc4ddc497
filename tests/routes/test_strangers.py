"""Every route of ours asks who is there: a stranger, the wrong role, the wrong county."""

from dataclasses import dataclass, field
from typing import Any

import pytest
import streamlit as st
from starlette.applications import Starlette
from starlette.testclient import TestClient

from components.routes import ROUTES
from data_access import file_store, uploads
from data_access.database import transaction
from domain.access import Role
from tests.actors import COUNTY, PROVINCE, make_actor
from tests.reports import LAUNCH

OTHER_COUNTY = "360121"
LOCK = {"lock_version": 1}
SHA256 = f'"{0:064x}"'
HIDDEN = {403, 404}
OPEN = {200, 204}


@dataclass(frozen=True)
class Case:
    """What a route answers: to the auditor, to another county, to the county whose record it is."""

    address: str
    auditor: set[int]
    other_county: set[int]
    owner: set[int]
    body: dict[str, Any] | None = None
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def is_a_record(self) -> bool:
        return self.auditor is HIDDEN


def of_a_record(address: str, owner: set[int] = OPEN, **given: Any) -> Case:
    return Case(address, auditor=HIDDEN, other_county=HIDDEN, owner=owner, **given)


def of_reviewers(address: str, **given: Any) -> Case:
    return Case(address, auditor=HIDDEN, other_county=OPEN, owner=OPEN, **given)


def of_everyone(address: str) -> Case:
    return Case(address, auditor=OPEN, other_county=OPEN, owner=OPEN)


PUBLIC = {
    *("GET /health", "POST /api/session", "DELETE /api/session"),
    *("POST /phone/sign-in", "GET /phone/worker.js", "GET /phone/assets/{digest}/{name}"),
}
# A new route fails until it has its line here. The lines run from top to bottom on one report:
# reading comes before what changes it.
DRAFT = "/api/drafts/{submission_id}"
TARGET = {
    "form_code": "plan_progress",
    "division_code": COUNTY,
    "group": "milestone",
    "key": "{plan_id}/" + LAUNCH,
    "item": "工作方案",
}
POSITION = f"/api/villages/{COUNTY}100201/position"
CASES = {
    "GET /api/style.json": of_everyone("/api/style.json"),
    "GET /api/topojson/{name}": of_everyone("/api/topojson/world_110m.json"),
    "GET /api/layers/{layer}.geojson": of_everyone("/api/layers/county.geojson"),
    "GET /api/borders.json": of_everyone("/api/borders.json"),
    "GET /tiles/{layer}/{z:int}/{x:int}/{y:int}": of_everyone("/tiles/division_label/7/105/53"),
    "GET /api/village-map/version": of_everyone("/api/village-map/version"),
    "GET /api/village-map/names": of_everyone("/api/village-map/names"),
    "GET /api/overview/version": of_everyone("/api/overview/version"),
    "GET /api/overview/names/{z:int}/{x:int}/{y:int}": of_everyone("/api/overview/names/7/105/53"),
    "GET /api/overview/{name}": of_everyone("/api/overview/units.geojson"),
    "GET /api/villages/{code}.geojson": of_everyone(f"/api/villages/{COUNTY}100201.geojson"),
    # Only whoever files for the village moves it: tests/data_access/test_village_positions.py.
    "GET /api/villages/{code}/position": Case(
        f"{POSITION}?east=115.5&north=28.8", HIDDEN, HIDDEN, {200}
    ),
    "PUT /api/villages/{code}/position": Case(
        POSITION, HIDDEN, HIDDEN, {422}, body={"east": 90, "north": 40, "seen": None}
    ),
    "DELETE /api/villages/{code}/position": Case(POSITION, HIDDEN, HIDDEN, {422}),
    "GET /api/briefing.docx": Case("/api/briefing.docx", {403}, OPEN, OPEN),
    # No year of the assessment is open in this test: tests/routes/test_assessment.py has one.
    "GET /api/assessment/matrix": Case("/api/assessment/matrix", {403}, {400}, {400}),
    "GET /api/assessment/units.geojson": Case("/api/assessment/units.geojson", {403}, {400}, {400}),
    "GET /api/compile-units": Case("/api/compile-units?q=9136", {403}, OPEN, OPEN),
    "GET /api/form-grid/{digest}.js": Case("/api/form-grid/0.js", {403}, OPEN, OPEN),
    f"GET {DRAFT}": of_a_record(DRAFT),
    f"PUT {DRAFT}": of_a_record(DRAFT, body={"draft_version": 1, "content": {}}, owner={200, 409}),
    f"PUT {DRAFT}/replies/{{review_remark_id}}": of_a_record(
        f"{DRAFT}/replies/1", body={"text": "已改"}, owner={404}
    ),
    f"POST {DRAFT}/withdraw": of_a_record(f"{DRAFT}/withdraw", body=LOCK, owner={409}),
    f"POST {DRAFT}/submit": of_a_record(
        f"{DRAFT}/submit", body={**LOCK, "draft_version": 1}, owner={200, 409, 422}
    ),
    # Everyone who reviews has a queue of his own; counties review what their townships file.
    "GET /api/review/queue": of_reviewers("/api/review/queue"),
    "GET /api/review/choice": of_reviewers("/api/review/choice"),
    "POST /api/review/bulk": of_reviewers(
        "/api/review/bulk", body={"action": "approve", "seen": [[1, 1]]}
    ),
    "GET /api/review/bulk/{bulk_decision_id:int}": of_reviewers("/api/review/bulk/1"),
    "POST /api/review/bulk/{bulk_decision_id:int}/undo": Case(
        "/api/review/bulk/1/undo", HIDDEN, {409}, {409}, body={}
    ),
    "PUT /api/review/filters": of_reviewers("/api/review/filters", body={"name": "a", "query": ""}),
    "DELETE /api/review/filters/{saved_filter_id:int}": of_reviewers("/api/review/filters/1"),
    "POST /api/uploads": of_a_record(
        "/api/uploads",
        body={"use": "evidence", "file_name": "a.pdf", "size": 10, **TARGET},
        owner={201},
    ),
    "GET /api/uploads/{upload_id:uuid}": of_a_record("/api/uploads/{upload_id}"),
    "PATCH /api/uploads/{upload_id:uuid}": of_a_record(
        "/api/uploads/{upload_id}", headers={"Upload-Offset": "5"}, owner={409}
    ),
    "DELETE /api/uploads/{upload_id:uuid}": of_a_record("/api/uploads/{upload_id}"),
    # The record is its county's to see; the file itself is not in this test's store.
    "GET /api/evidence/{evidence_id:int}": of_a_record(
        "/api/evidence/{evidence_id}", headers={"If-None-Match": SHA256}, owner={304}
    ),
    "DELETE /api/evidence/{evidence_id:int}": of_a_record(
        "/api/evidence/{evidence_id}", owner={204, 409}
    ),
    # No evaluation of villages is open in this test: tests/routes/test_phone.py has one.
    "GET /phone": of_a_record("/phone", owner={404}),
    "GET /phone/{division_code}": of_a_record("/phone/360123100200", owner={404}),
    "GET /phone/{division_code}/{period_id:int}": of_a_record("/phone/360123100200/1", owner={404}),
    "GET /api/workbooks/{period_id:int}": of_a_record("/api/workbooks/{period_id}?scope=" + COUNTY),
    "GET /api/workbooks/made/{export_id:uuid}": of_a_record(
        "/api/workbooks/made/{upload_id}", owner={404}
    ),
    "GET /api/csv/{batch_id:int}/bad-rows": of_a_record("/api/csv/1/bad-rows", owner={404}),
    "GET /api/workbooks/batches/{batch_id:int}/marked": of_a_record(
        "/api/workbooks/batches/1/marked", owner={404}
    ),
}


@pytest.fixture
def names(owner, submission, county, plan_id, monkeypatch, tmp_path) -> dict[str, object]:
    """What the addresses are filled with: one county's report, upload and evidence."""
    st.cache_data.clear()
    st.cache_resource.clear()
    monkeypatch.setenv("PORTAL_DATA_DIR", str(tmp_path))
    file_store.root.cache_clear()
    with transaction(county) as connection:
        upload_id = uploads.begin(
            connection,
            county,
            use="evidence",
            file_name="a.pdf",
            size=10,
            target={**TARGET, "key": f"{plan_id}/{LAUNCH}"},
        )
    (evidence_id,) = owner.execute(
        "SELECT evidence_id FROM evidence WHERE sha256 = %s", [SHA256.strip('"')]
    ).fetchone()
    return {
        "submission_id": submission.submission_id,
        "plan_id": plan_id,
        "period_id": submission.period_id,
        "upload_id": upload_id,
        "evidence_id": evidence_id,
    }


def ask(browser: TestClient, name: str, names: dict[str, object]) -> int:
    method, case = name.split(" ")[0], CASES[name]
    body = case.body
    if body and "key" in body:
        body = {**body, "key": body["key"].format_map(names)}
    address = case.address.format_map(names)
    return browser.request(method, address, json=body, headers=case.headers).status_code


def test_every_route_is_in_the_table():
    routes = {f"{method} {route.path}" for route in ROUTES for method in route.methods - {"HEAD"}}
    assert routes == set(CASES) | PUBLIC


def test_a_stranger_is_turned_away_everywhere(names, browser_of):
    stranger = browser_of(None)
    assert {name: ask(stranger, name, names) for name in CASES} == dict.fromkeys(CASES, 401)


def test_a_route_alone_turns_the_stranger_away_too(names, owner):
    """The middleware stands in front of the routes; those with records ask by themselves."""
    bare = TestClient(Starlette(routes=ROUTES))
    answers = {name: ask(bare, name, names) for name, case in CASES.items() if case.is_a_record}
    assert answers == dict.fromkeys(answers, 401)


def test_a_session_that_is_over_is_a_stranger(names, browser_of, owner, county):
    browser = browser_of(county)
    owner.execute("UPDATE portal_session SET revoked_at = now()")
    assert {name: ask(browser, name, names) for name in CASES} == dict.fromkeys(CASES, 401)


def test_an_initial_password_opens_no_record(names, browser_of, owner, county):
    owner.execute("UPDATE account SET must_change_password = true")
    browser = browser_of(county)
    answers = {name: ask(browser, name, names) for name, case in CASES.items() if case.is_a_record}
    assert answers == dict.fromkeys(answers, 403)


@pytest.mark.parametrize("who", ["auditor", "other_county", "owner"])
def test_each_route_answers_as_the_table_says(names, browser_of, owner, county, who):
    actor = {
        "auditor": lambda: make_actor(owner, "auditor", Role.SECURITY_AUDITOR, PROVINCE),
        "other_county": lambda: make_actor(owner, "other", Role.COUNTY, OTHER_COUNTY),
        "owner": lambda: county,
    }[who]()
    browser = browser_of(actor)
    answers = {name: ask(browser, name, names) for name in CASES}
    expected = {name: getattr(case, who) for name, case in CASES.items()}
    assert {name: got for name, got in answers.items() if got not in expected[name]} == {}


def test_no_change_is_taken_from_another_site(names, browser_of, county):
    browser = browser_of(county)
    browser.headers["origin"] = "https://elsewhere.example"
    changes = [name for name in CASES if not name.startswith("GET ")]
    assert {name: ask(browser, name, names) for name in changes} == dict.fromkeys(changes, 403)
