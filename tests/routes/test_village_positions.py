"""Positions over HTTP: examined, corrected, taken back; what is refused says why."""

import pytest
import streamlit as st

from domain.access import Role
from tests.actors import COUNTY, make_actor
from tests.villages import add_natural_villages, villages_of


@pytest.fixture
def village(owner) -> str:
    st.cache_resource.clear()
    code = villages_of(owner, COUNTY)[0]
    add_natural_villages(owner, code)
    return code


@pytest.fixture
def officer(owner, village):
    return make_actor(owner, "officer", Role.TOWNSHIP, village[:9])


def features(browser, village) -> dict[str, dict]:
    found = browser.get(f"/api/villages/{village}.geojson").json()["features"]
    return {
        each["properties"]["code"]: {"at": each["geometry"]["coordinates"], **each["properties"]}
        for each in found
    }


def test_a_correction_and_its_way_back(village, officer, browser_of):
    browser, code = browser_of(officer), f"{village}001"
    longitude, latitude = features(browser, village)[code]["at"]
    asked = {"east": str(longitude + 0.002), "north": f"{latitude}°", "epsg": 4490}
    looked = browser.get(f"/api/villages/{code}/position", params=asked).json()
    assert (looked["in_county"], looked["doubt"], looked["metres"]) == (True, "", 195)
    sent = {**asked, "seen": [longitude, latitude], "reason": ""}
    for _ in range(2):  # an outbox may send twice
        assert browser.put(f"/api/villages/{code}/position", json=sent).status_code == 200
    moved = features(browser, village)[code]
    assert moved["at"] == pytest.approx([longitude + 0.002, latitude])
    assert moved["former"] == [longitude, latitude]
    assert officer.display_name in moved["moved"]
    stale = {**sent, "east": longitude + 0.004}
    assert browser.put(f"/api/villages/{code}/position", json=stale).status_code == 409
    assert browser.delete(f"/api/villages/{code}/position").status_code == 200
    assert features(browser, village)[code]["at"] == [longitude, latitude]
    assert browser.delete(f"/api/villages/{code}/position").json()["message"].endswith("原位置。")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"east": "90", "north": "40"}, "不在所属县（市、区）范围内"),
        ({"east": "这里"}, "坐标无法识别"),
        ({"epsg": 3857}, "坐标无法识别"),
        ({"east": 3_000_000, "north": 20, "epsg": 4490}, "不是经纬度"),
        ({"seen": "?"}, "请求不完整"),
        ({"reason": "很" * 201}, "最多 200 字"),
        ({"far": 0.05}, "请填写理由"),
    ],
)
def test_what_is_refused_says_why(village, officer, browser_of, change, words):
    browser, code = browser_of(officer), f"{village}001"
    longitude, latitude = features(browser, village)[code]["at"]
    east = longitude + change.pop("far", 0.001)
    sent = {"east": east, "north": latitude, "seen": [longitude, latitude], "reason": ""} | change
    answer = browser.put(f"/api/villages/{code}/position", json=sent)
    assert (answer.status_code, words in answer.json()["message"]) in {(422, True), (400, True)}


def test_others_see_where_it_lies_and_not_who_moved_it(owner, village, officer, browser_of):
    code = f"{village}001"
    longitude, latitude = features(browser_of(officer), village)[code]["at"]
    sent = {"east": longitude + 0.001, "north": latitude, "seen": [longitude, latitude]}
    assert browser_of(officer).put(f"/api/villages/{code}/position", json=sent).status_code == 200
    stranger = make_actor(owner, "stranger", Role.COUNTY, "360121")
    seen = features(browser_of(stranger), village)[code]
    assert seen["at"] == pytest.approx([longitude + 0.001, latitude])
    assert {"former", "moved", "reason"} & seen.keys() == set()
    assert browser_of(stranger).put(f"/api/villages/{code}/position", json=sent).status_code == 404
