"""Tiles of villages: counts that add up, answers within scope, sessions, and how old they get."""

from collections.abc import Callable, Iterator

import pandas
import pyogrio
import pytest
import streamlit as st
from sqlalchemy import text
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.testclient import TestClient

from components.routes import tiles, village_map
from components.routes.tiles import TilesFirst
from components.session import SESSION_COOKIE
from components.tile_store import TILES
from data_access.change_listener import is_listening, listening
from data_access.database import transaction
from domain.access import Role
from domain.clock import today
from tests.actors import PROVINCE, make_actor, session_token
from tests.patience import wait_until
from tests.standing import NEIGHBOUR
from tests.villages import open_village_period, villages_of

COUNTY = "360123"
LAYERS = ("village", "natural_village")
FRESH = 10.0  # seconds in which a filed village shows
POINTS = 3  # natural villages of each village here
LARGEST = 150_000  # bytes
ANSWERS = {"state", "village_class", "eval_conclusion", "geohazard_level"}


def application() -> Starlette:
    routes = [*tiles.ROUTES, *village_map.ROUTES]
    return Starlette(routes=routes, middleware=[Middleware(TilesFirst)])


@pytest.fixture
def villages(owner) -> list[str]:
    """Villages of two counties with a place, each with natural villages around it."""
    codes = [code for county in (COUNTY, NEIGHBOUR) for code in villages_of(owner, county)[:20]]
    owner.execute(
        "INSERT INTO division_location (division_code, location, valid_from)"
        " SELECT village.code, ST_Translate(label_at, number * 0.01 - 0.1, number * 0.003)"
        "      , '2019-01-01'"
        "   FROM unnest(%s::text[]) WITH ORDINALITY AS village (code, number)"
        "   JOIN division_boundary AS boundary ON boundary.code = left(village.code, 6)",
        [codes],
    )
    owner.execute(
        "INSERT INTO natural_village (code, name, location, valid_from)"
        " SELECT division_code || to_char(number, 'FM000'), '上湾', "
        "        ST_Translate(location, number * 0.004, 0), valid_from"
        "   FROM division_location CROSS JOIN generate_series(1, %s) AS number",
        [POINTS],
    )
    period = open_village_period(owner, today().year)
    owner.execute(
        "INSERT INTO submission (form_code, period_id, division_code, state)"
        " SELECT 'village_evaluation', %s, code, 'draft' FROM unnest(%s::text[]) AS code",
        [period, codes],
    )
    return codes


@pytest.fixture
def browser_of(owner) -> Iterator[Callable[..., TestClient]]:
    """Sign an actor in and return the browser, in one event loop as in a portal."""
    st.cache_resource.clear()
    TILES.clear()
    with listening(), TestClient(application()) as client:
        assert is_listening(10)

        def sign_in(actor):
            client.cookies.set(SESSION_COOKIE, session_token(owner, actor))
            return client

        yield sign_in


@pytest.fixture
def read(tmp_path):
    """Read a tile as a table of its features."""

    def read_tile(body: bytes) -> pandas.DataFrame:
        path = tmp_path / "tile.pbf"
        path.write_bytes(body)
        features = pyogrio.read_dataframe(f"MVT:{path}", read_geometry=False)
        if "mvt_id" in features:
            features["key"] = features["mvt_id"].astype("Int64").astype(str)
        return features

    return read_tile


def drawn(browser, read, layer: str, zoom: int) -> pandas.DataFrame:
    """Return every feature of a layer at a zoom, of all tiles that have any."""
    tables = []
    for x, y in around(zoom):
        answer = browser.get(f"/tiles/{layer}/{zoom}/{x}/{y}")
        if answer.status_code == 200:
            assert len(answer.content) <= LARGEST
            tables.append(read(answer.content))
    return pandas.concat(tables)


def around(zoom: int) -> list[tuple[int, int]]:
    """Return the tiles over the two counties."""
    west, east, north, south = 6700 // 2 ** (13 - zoom), 6760 // 2 ** (13 - zoom), 3390, 3430
    rows = range(north // 2 ** (13 - zoom), south // 2 ** (13 - zoom) + 1)
    return [(x, y) for x in range(west, east + 1) for y in rows]


@pytest.mark.parametrize("layer", LAYERS)
def test_counts_of_every_low_zoom_add_up_to_all(browser_of, read, leader, villages, layer):
    browser = browser_of(leader)
    total = len(villages) * (1 if layer == "village" else POINTS)
    for zoom in range(9):
        counts = drawn(browser, read, layer, zoom)
        assert set(counts[["points", "in_scope", "draft"]].sum()) == {total}, zoom


def test_counts_follow_a_natural_village_that_ends(owner, villages):
    owner.execute(
        "UPDATE natural_village SET valid_to = '2026-01-01', end_reason = '搬迁' WHERE code = %s",
        [villages[0] + "001"],
    )
    counted, stands = owner.execute(
        "SELECT (SELECT sum(points) FROM village_grid WHERE layer_code = 'natural_village')"
        "     , (SELECT count(*) FROM natural_village WHERE valid_to IS NULL)"
    ).fetchone()
    assert counted == stands == len(villages) * POINTS - 1


def test_a_village_is_drawn_under_its_new_name(browser_of, read, owner, leader, villages):
    browser = browser_of(leader)
    assert "新名村" not in set(drawn(browser, read, "village", 13)["name"])
    owner.execute(
        "UPDATE admin_division_version SET name = '新名村' WHERE code = %s", [villages[0]]
    )

    def renamed() -> bool:
        names = drawn(browser, read, "village", 13).set_index("key")["name"]
        return names[villages[0]] == "新名村"

    wait_until(renamed, FRESH)


def test_the_state_is_of_the_current_period_alone(browser_of, read, owner, leader, villages):
    owner.execute(
        "UPDATE village_sign SET village_class = '1', accepted_year = 2019"
        " WHERE division_code = ANY (%s)",
        [villages],
    )
    period = open_village_period(owner, today().year + 1)
    owner.execute(
        "UPDATE reporting_period SET opened_at = now() - interval '1 minute' WHERE period_id = %s",
        [period],
    )
    features = drawn(browser_of(leader), read, "village", 10)
    assert set(features["village_class"]) == {"1"}
    assert "state" not in features


@pytest.mark.parametrize("zoom", [5, 8])
def test_a_circle_takes_the_colour_of_most_of_its_villages(
    browser_of, read, owner, leader, villages, zoom
):
    owner.execute(
        "UPDATE submission SET state = 'submitted', step_no = 1 WHERE division_code = ANY (%s)",
        [villages[:2] + villages[20:22]],
    )
    owner.execute(
        "UPDATE village_sign SET geohazard_level = '3' WHERE division_code = ANY (%s)",
        [villages[:3] + villages[20:23]],
    )
    circles = drawn(browser_of(leader), read, "village", zoom)
    assert (circles["of_state"] <= circles["in_scope"]).all()
    assert "draft" in set(circles["state"])
    # Who has no level is not a level: the few that have one give the colour.
    levels = circles[circles["geohazard_level"].notna()]
    assert set(levels["geohazard_level"]) == {"3"}
    assert levels["of_geohazard_level"].sum() == 6


def test_points_have_their_names_where_there_is_room(browser_of, read, leader, villages):
    browser = browser_of(leader)
    far = drawn(browser, read, "natural_village", 10)
    assert set(far["key"]) == {f"{code}{number:03}" for code in villages for number in (1, 2, 3)}
    assert "name" not in far
    near = drawn(browser, read, "natural_village", 13)
    assert set(near["name"]) == {"上湾"}


@pytest.mark.parametrize("zoom", [6, 9, 13])
def test_a_county_sees_all_places_and_no_answers_of_another(
    browser_of, read, county, villages, zoom
):
    features = drawn(browser_of(county), read, "village", zoom)
    if zoom > 8:
        assert set(features["key"]) == set(villages)
        others = features[~features["key"].str.startswith(COUNTY)]
        assert others[list(ANSWERS & set(others))].isna().all(axis=None)
        own = features[features["key"].str.startswith(COUNTY)]
        assert set(own["state"]) == {"draft"}
    else:
        assert features["points"].sum() == len(villages)
        assert features["in_scope"].sum() == features["draft"].sum() == len(villages) / 2


def test_what_the_leader_saw_is_not_shown_to_a_county(browser_of, read, leader, county, villages):
    seen = drawn(browser_of(leader), read, "village", 10)
    assert seen["state"].notna().all()
    assert drawn(browser_of(county), read, "village", 10)["state"].notna().sum() == 20


def test_a_department_sees_all_places_and_no_answers(browser_of, read, owner, leader, villages):
    """Its grant is on the province as the leader's is, and so would be the tiles in memory."""
    department = make_actor(owner, "water", Role.DEPARTMENT, PROVINCE)
    assert drawn(browser_of(leader), read, "village", 10)["state"].notna().all()
    features = drawn(browser_of(department), read, "village", 10)
    assert set(features["key"]) == set(villages)
    assert features[list(ANSWERS & set(features))].isna().all(axis=None)
    with transaction(department, read_only=True) as connection:
        for relation in ("village_sign", "village_rollup"):
            assert connection.scalar(text(f"SELECT count(*) FROM {relation}")) == 0
    with transaction(leader, read_only=True) as connection:
        assert connection.scalar(text("SELECT count(*) FROM village_sign"))


def test_a_stranger_and_a_revoked_session_get_no_tile(browser_of, owner, leader, villages):
    browser = browser_of(leader)
    address = "/tiles/village/8/209/106"
    assert browser.get(address).status_code in (200, 204)
    owner.execute("UPDATE portal_session SET revoked_at = now()")
    assert wait_until(lambda: browser.get(address).status_code == 401, 2) < 1
    browser.cookies.clear()
    assert browser.get(address).status_code == 401


def test_a_filed_village_shows_within_seconds_and_others_stay(
    browser_of, read, owner, leader, villages
):
    browser = browser_of(leader)
    before = browser.get("/api/village-map/version").json()["version"]
    assert set(drawn(browser, read, "village", 10)["state"]) == {"draft"}
    tags = {at: browser.get(f"/tiles/village/13/{at[0]}/{at[1]}") for at in around(13)[:1]}
    owner.execute(
        "UPDATE submission SET state = 'submitted', step_no = 1 WHERE division_code = %s",
        [villages[0]],
    )

    def shows() -> bool:
        states = drawn(browser, read, "village", 10).set_index("key")["state"]
        return states[villages[0]] == "submitted" and states[villages[1]] == "draft"

    wait_until(shows, FRESH)
    assert browser.get("/api/village-map/version").json()["version"] != before
    for (x, y), tile in tags.items():
        assert browser.get(f"/tiles/village/13/{x}/{y}").content == tile.content


def test_a_tile_that_did_not_change_is_not_sent_again(browser_of, leader, villages):
    browser = browser_of(leader)
    first = next(
        answer
        for x, y in around(9)
        if (answer := browser.get(f"/tiles/village/9/{x}/{y}")).status_code == 200
    )
    again = browser.get(first.url, headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
