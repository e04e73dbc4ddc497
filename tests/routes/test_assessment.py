"""The matrix of the assessment over HTTP: whole, in scope, and grey where nothing was filed."""

import pytest
import streamlit as st
from starlette.applications import Starlette
from starlette.testclient import TestClient

from components.assessment_matrix import COLOURS
from components.map import NO_DATA, rgb
from components.routes import assessment
from components.session import SESSION_COOKIE
from domain.assessment import Level
from tests.actors import COUNTY, session_token
from tests.assessments import accept, assess, open_year
from tests.standing import FAR, NEIGHBOUR

APPLICATION = Starlette(routes=assessment.ROUTES)
MATRIX = "/api/assessment/matrix?set=MNR2019&tier=basic&year=2025"
MAP = "/api/assessment/units.geojson?set=MNR2019&tier=basic&year=2025"


@pytest.fixture
def browser_of(owner):
    """Sign an actor in and return the browser."""
    st.cache_resource.clear()

    def sign_in(actor):
        return TestClient(APPLICATION, cookies={SESSION_COOKIE: session_token(owner, actor)})

    return sign_in


@pytest.fixture(autouse=True)
def year(owner):
    """2025: one county far below its binding target, its neighbour above, all others silent."""
    open_year(owner, 2025)
    for unit in (COUNTY, NEIGHBOUR):
        owner.execute(
            "INSERT INTO indicator_target (division_code, canonical_code, target_year, state"
            ", target_value) VALUES (%s, 'CULT_LAND', 2035, 'issued', 40)",
            [unit],
        )
    accept(owner, 2025, {COUNTY: {"CULT_LAND": "39.5"}, NEIGHBOUR: {"CULT_LAND": "60"}})
    assess(owner)


def read(browser, address):
    return browser.get(address).raise_for_status().json()


def test_the_matrix_has_every_unit_and_every_indicator_that_applies(browser_of, leader, owner):
    shown = read(browser_of(leader), MATRIX)
    [units] = owner.execute(
        "SELECT count(*) FROM division_on(current_date) WHERE level IN ('city', 'county')"
    ).fetchone()
    [indicators] = owner.execute(
        "SELECT count(*) FROM indicator WHERE set_code = 'MNR2019' AND tier = 'basic'"
        " AND is_applicable"
    ).fetchone()
    assert (len(shown["rows"]), len(shown["columns"])) == (units, indicators)
    assert {len(row["levels"]) for row in shown["rows"]} == {indicators}


def test_a_breach_is_red_and_what_is_missing_is_grey(browser_of, leader):
    shown = read(browser_of(leader), MATRIX)
    at = [column["code"] for column in shown["columns"]].index("CULT_LAND")
    rows = {row["code"]: row for row in shown["rows"]}
    assert shown["levels"][int(rows[COUNTY]["levels"][at])] == "严重"
    assert rows[COUNTY]["broken"] == [at]
    assert rows[COUNTY]["values"][at] == 39.5
    assert shown["levels"][int(rows[NEIGHBOUR]["levels"][at])] == "正常"
    assert set(rows[FAR]["levels"]) == {"0"}
    assert rows[FAR]["filled"] == 0


def test_a_county_gets_its_own_row_and_no_other(browser_of, county):
    assert [row["code"] for row in read(browser_of(county), MATRIX)["rows"]] == [COUNTY]


def test_the_map_is_coloured_by_an_indicator_or_by_the_worst(browser_of, leader):
    browser = browser_of(leader)
    for by in ("worst", "CULT_LAND"):
        features = read(browser, f"{MAP}&by={by}")["features"]
        fills = {each["properties"]["code"]: each["properties"]["fill"] for each in features}
        assert fills[COUNTY] == rgb(COLOURS[Level.SEVERE])
        assert fills[FAR] == rgb(COLOURS[Level.NO_DATA])
    narrowed = read(browser, f"{MAP}&city={COUNTY[:4]}00")["features"]
    assert {f["properties"]["code"]: f["properties"]["fill"] for f in narrowed}[FAR] == rgb(NO_DATA)


@pytest.mark.parametrize(
    "address",
    ["?set=NONE&year=2025", "?set=MNR2019&year=1999", "?set=MNR2019&year=x", "?set=MNR2019"],
)
def test_an_address_that_means_nothing_is_refused(browser_of, leader, address):
    answer = browser_of(leader).get(f"/api/assessment/matrix{address}")
    assert answer.status_code == 400
    assert "现状评估" in answer.json()["message"]


def test_a_matrix_comes_once(browser_of, leader):
    browser = browser_of(leader)
    first = browser.get(MATRIX)
    again = browser.get(MATRIX, headers={"if-none-match": first.headers["etag"]})
    assert (first.status_code, again.status_code) == (200, 304)
