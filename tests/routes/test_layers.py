"""The map's layers over HTTP: small, fresh, and within everyone's scope."""

import gzip
import json
from datetime import timedelta
from itertools import pairwise

import pytest
import streamlit as st
from starlette.applications import Starlette
from starlette.testclient import TestClient

from components.map import NO_DATA, rgb
from components.routes import layers, tiles, village_map
from components.session import SESSION_COOKIE
from domain.clock import today
from tests.actors import CITY, COUNTY, session_token
from tests.standing import FAR, NEIGHBOUR, accept, declare_plan, file_report

APPLICATION = Starlette(routes=[*layers.ROUTES, *tiles.ROUTES, *village_map.ROUTES])
UNITS = "/api/overview/units.geojson"
LIMIT = 150_000  # bytes of a boundary layer on its way


@pytest.fixture
def browser_of(owner):
    """Sign an actor in and return the browser."""
    st.cache_resource.clear()

    def sign_in(actor):
        return TestClient(APPLICATION, cookies={SESSION_COOKIE: session_token(owner, actor)})

    return sign_in


@pytest.fixture
def standing(owner, county, bureau, period_id):
    """Three counties, the first of them 50 days late."""
    for code, completed, late_days in ((COUNTY, 1, 50), (NEIGHBOUR, 13, 0), (FAR, 3, 0)):
        report = file_report(owner, code, period_id, county)
        accept(owner, declare_plan(owner, code), report, bureau, completed, late_days)


def drawn(browser, address=UNITS):
    features = browser.get(address).raise_for_status().json()["features"]
    return {feature["properties"]["code"]: feature["properties"] for feature in features}


@pytest.mark.parametrize("layer", ["county", "city", "province"])
def test_a_boundary_layer_is_small_and_comes_once(browser_of, leader, layer):
    browser = browser_of(leader)
    answer = browser.get(f"/api/layers/{layer}.geojson")
    assert answer.headers["content-encoding"] == "gzip"
    assert int(answer.headers["content-length"]) <= LIMIT
    again = browser.get(
        f"/api/layers/{layer}.geojson", headers={"if-none-match": answer.headers["etag"]}
    )
    assert again.status_code == 304
    assert again.content == b""


def test_borders_run_where_the_divisions_end_each_piece_once(browser_of, leader):
    answer = browser_of(leader).get("/api/borders.json")
    assert int(answer.headers["content-length"]) <= LIMIT
    pieces = {
        frozenset([tuple(piece["start"]), tuple(piece["end"])]): piece["level"]
        for piece in answer.json()
    }
    assert len(pieces) == len(answer.json())
    for level, layer in enumerate(["county", "city", "province"]):
        shapes = browser_of(leader).get(f"/api/layers/{layer}.geojson").json()["features"]
        rings = [
            ring for shape in shapes for polygon in polygons(shape["geometry"]) for ring in polygon
        ]
        ends = {
            frozenset([tuple(start), tuple(end)]) for ring in rings for start, end in pairwise(ring)
        }
        assert {piece for piece, highest in pieces.items() if highest >= level} == ends


def test_borders_of_cities_leave_those_of_counties_out(browser_of, leader):
    every, cities = (
        browser_of(leader).get(f"/api/borders.json?level={level}").json()
        for level in ("county", "city")
    )
    told = {(*piece["start"], *piece["end"], piece["level"]) for piece in cities}
    assert told == {
        (*piece["start"], *piece["end"], piece["level"]) for piece in every if piece["level"] > 0
    }
    assert browser_of(leader).get("/api/borders.json?level=village").status_code == 400


def test_near_by_borders_are_drawn_as_they_are_kept(browser_of, leader):
    simple, full = (
        browser_of(leader).get(f"/api/borders.json{query}").json() for query in ("", "?detail=full")
    )
    for level in range(3):
        several = [sum(piece["level"] == level for piece in pieces) for pieces in (simple, full)]
        assert several[1] > several[0]


def test_the_names_of_cities_come_before_those_of_counties(browser_of, leader):
    names = browser_of(leader).get("/api/village-map/names").json()
    assert [each["level"] for each in names] == sorted(each["level"] for each in names)
    assert {len(each["prefix"]) for each in names} == {4, 6}


MERGE = """
INSERT INTO accepted_disposition (plan_id, division_code, disposition, reason, submission_id
                                , version_no, accepted_by)
SELECT plan_id, division_code, 'merged', '并入市级规划', %s, 1, %s FROM plan WHERE plan_id = %s
"""


def test_a_merged_unit_is_hatched_by_straight_pieces(
    owner, browser_of, leader, county, bureau, period_id
):
    report, plan = file_report(owner, COUNTY, period_id, county), declare_plan(owner, COUNTY)
    owner.execute(MERGE, [report, bureau.user_id, plan])
    accept(owner, plan, report, bureau, 1)
    pieces = browser_of(leader).get("/api/overview/hatch.json").json()
    assert pieces
    for piece in pieces:
        (west, south), (east, north) = piece["start"], piece["end"]
        assert east - west == pytest.approx(north - south, abs=0.003)


def polygons(geometry):
    parts = geometry["coordinates"]
    return parts if geometry["type"] == "MultiPolygon" else [parts]


def test_compressed_and_plain_are_the_same(browser_of, leader):
    browser = browser_of(leader)
    plain = browser.get(UNITS, headers={"accept-encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert json.loads(plain.content) == browser.get(UNITS).json()
    packed = layers.pack(plain.content, "application/geo+json")
    assert gzip.decompress(packed.compressed) == plain.content


def test_a_county_layer_draws_every_county(browser_of, leader):
    assert len(drawn(browser_of(leader), "/api/layers/county.geojson")) == 100


def test_a_layer_gives_the_asked_divisions_alone(browser_of, leader):
    address = f"/api/layers/county.geojson?code={COUNTY}&code={FAR}"
    assert set(drawn(browser_of(leader), address)) == {COUNTY, FAR}


def test_an_unknown_layer_gets_a_sentence(browser_of, leader):
    answer = browser_of(leader).get("/api/layers/county'--.geojson")
    assert answer.status_code == 404
    assert "没有这个图层" in answer.json()["message"]


@pytest.mark.parametrize(
    "query", ["as_of=2026-13-01", "as_of=x", "level=village", "colour_by=rainbow"]
)
def test_an_address_that_cannot_be_read_gets_a_sentence(browser_of, leader, query):
    answer = browser_of(leader).get(f"{UNITS}?{query}")
    assert answer.status_code == 400
    assert "2026-11-22" in answer.json()["message"]


def test_the_leader_sees_every_figure(browser_of, leader, standing):
    units = drawn(browser_of(leader))
    assert len(units) == 100
    assert "滞后 50 天" in units[COUNTY]["since"]
    assert units[FAR]["figure"].startswith("进度")


def test_a_county_sees_names_of_all_and_figures_of_its_own(browser_of, county, standing):
    units = drawn(browser_of(county))
    assert len(units) == 100
    assert units[COUNTY]["figure"].startswith("进度")
    others = [unit for code, unit in units.items() if code != COUNTY]
    assert {unit["figure"] for unit in others} == {""}
    assert all(unit["fill"] == rgb(NO_DATA) for unit in others)
    assert all(unit["name"] for unit in others)


def test_marks_and_names_stay_within_the_scope_too(browser_of, city, owner, standing):
    owner.execute("UPDATE account_grant SET division_code = %s, prefix = %s", [FAR, FAR])
    assert browser_of(city).get("/api/overview/marks.json").json() == []


def test_a_past_day_shows_what_was_accepted_by_then(browser_of, leader, owner, standing):
    day = today() - timedelta(days=2)
    units = drawn(browser_of(leader), f"{UNITS}?as_of={day}")
    assert units[NEIGHBOUR]["figure"] == "进度 0.0\u00a0%"


def test_a_filter_leaves_the_others_plain(browser_of, leader, standing):
    units = drawn(browser_of(leader), f"{UNITS}?city={CITY}")
    assert units[COUNTY]["figure"] != ""
    assert units[FAR]["figure"] == ""


def test_an_acceptance_moves_the_version_and_the_picture(
    browser_of, leader, owner, county, bureau, period_id
):
    browser = browser_of(leader)
    before = browser.get("/api/overview/version").json()["version"]
    etag = browser.get(UNITS).headers["etag"]
    report = file_report(owner, COUNTY, period_id, county)
    accept(owner, declare_plan(owner, COUNTY), report, bureau, completed=5)
    st.cache_resource.clear()  # the version may be a second old
    assert browser.get("/api/overview/version").json()["version"] != before
    assert browser.get(UNITS, headers={"if-none-match": etag}).status_code == 200


def test_every_city_is_named_at_a_low_zoom_and_late_counties_before_others(
    browser_of, leader, standing
):
    browser = browser_of(leader)
    tiles_of_zoom = [(6, x, y) for x in range(51, 54) for y in range(25, 29)]
    names = [
        feature["properties"]["name"]
        for z, x, y in tiles_of_zoom
        for feature in browser.get(f"/api/overview/names/{z}/{x}/{y}").json()["features"]
    ]
    assert len([name for name in names if name.endswith("市")]) >= 11
    assert len(names) == len(set(names))


def test_a_tile_holds_the_names_of_its_place(browser_of, leader):
    browser = browser_of(leader)
    tile = browser.get("/tiles/division_label/7/105/53")
    assert tile.headers["content-type"] == "application/vnd.mapbox-vector-tile"
    assert "南昌县".encode() in tile.content
    assert browser.get("/tiles/division_label/7/0/0").status_code == 204


@pytest.mark.parametrize(
    "address", ["/tiles/division_label/7/999/0", "/tiles/county/7/105/53", "/tiles/none/7/105/53"]
)
def test_a_tile_that_is_none_gets_a_sentence(browser_of, leader, address):
    answer = browser_of(leader).get(address)
    assert answer.status_code == 404
    assert answer.json()["message"].startswith(("没有", "该图层"))


def test_the_registry_alone_makes_a_layer(browser_of, leader, county, owner):
    """A relation with a row in the registry is a layer; its scope column binds it."""
    owner.execute(
        "CREATE TABLE project AS SELECT code AS project_id, name, code AS division_code"
        ", label_at AS location FROM division_label WHERE level = 'county'"
    )
    owner.execute("GRANT SELECT ON project TO portal_app")
    owner.execute(
        "INSERT INTO map_layer (layer_code, title, relation_name, geometry_column, key_column"
        ", field_columns, format, min_zoom, max_zoom, scope_column)"
        " VALUES ('project', '项目', 'project', 'location', 'project_id', '{name}', 'geojson'"
        ", 0, 22, 'division_code')"
    )
    assert len(drawn(browser_of(leader), "/api/layers/project.geojson")) == 100
    assert set(drawn(browser_of(county), "/api/layers/project.geojson")) == {COUNTY}
