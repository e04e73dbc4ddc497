"""Where a village lies is corrected by its officer, inside the county, with its history."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from data_access import village_places, village_positions
from data_access.database import transaction
from data_access.village_import_crs import PROJECTED
from domain.access import Role
from domain.errors import (
    NotFound,
    NotPermitted,
    PositionRefused,
    RuleViolation,
    StaleVersion,
)
from domain.positions import PositionFault, metres_between
from tests.actors import CITY, COUNTY, make_actor
from tests.village_lists import place, projected
from tests.villages import villages_of

FAR = "很久以前标错了"
OUTSIDE = (90.0, 40.0)


@pytest.fixture
def natural(village) -> str:
    return village + "001"


def places_of(actor, village) -> dict[str, village_places.Place]:
    with transaction(actor, read_only=True) as connection:
        return {each.code: each for each in village_places.list_places(connection, village)}


def where(actor, code) -> tuple[float, float]:
    found = places_of(actor, code[:12])[code]
    return found.longitude, found.latitude


def near(actor, code, by: float = 0.001) -> tuple[float, float]:
    longitude, latitude = where(actor, code)
    return round(longitude + by, 8), latitude


def move(actor, code, to, seen=None, reason=""):
    seen = seen or where(actor, code)
    with transaction(actor, action="position.correct") as connection:
        return village_positions.correct(connection, actor, code, to, seen, reason)


def restore(actor, code):
    with transaction(actor, action="position.restore") as connection:
        return village_positions.restore(connection, actor, code)


def test_a_natural_village_moves_and_its_former_place_keeps_its_days(
    owner, officer, village, natural
):
    before, to = where(officer, natural), near(officer, natural)
    done = move(officer, natural, to)
    assert 90 < done.metres < 110
    assert where(officer, natural) == pytest.approx(to)
    former = owner.execute(
        "SELECT ST_X(location), ST_Y(location), valid_from::text FROM natural_village_former"
        " WHERE code = %s",
        [natural],
    ).fetchone()
    assert former == (*before, "2019-01-01")
    trail = owner.execute(
        "SELECT DISTINCT table_name FROM row_change"
        " WHERE action = 'position.correct' AND user_id = %s",
        [officer.user_id],
    ).fetchall()
    assert {name for (name,) in trail} == {
        "position_correction", "natural_village", "natural_village_former",
    }  # fmt: skip


def test_a_village_moves_too_and_one_without_a_place_gets_one(owner, officer, village):
    to = near(officer, village)
    move(officer, village, to)
    assert where(officer, village) == pytest.approx(to)
    known = owner.execute(
        "SELECT count(*), count(valid_to) FROM division_location WHERE division_code = %s",
        [village],
    ).fetchone()
    assert known == (2, 1)
    bare = next(
        code for code in villages_of(owner, COUNTY) if code[:9] == village[:9] and code != village
    )
    with transaction(officer, action="position.correct") as connection:
        village_positions.correct(connection, officer, bare, to, None)
    assert where(officer, bare) == pytest.approx(to)
    with pytest.raises(PositionRefused):
        restore(officer, bare)


def test_outside_the_county_nothing_is_written(owner, officer, natural):
    before = where(officer, natural)
    with pytest.raises(RuleViolation) as refused:
        move(officer, natural, OUTSIDE)
    assert refused.value.details["constraint"] == "position_correction_inside_county"
    assert where(officer, natural) == before
    assert owner.execute("SELECT count(*) FROM position_correction").fetchone() == (0,)


def test_a_long_way_needs_a_reason_and_how_long_is_a_setting(owner, officer, natural):
    far = near(officer, natural, 0.04)
    with pytest.raises(PositionRefused) as refused:
        move(officer, natural, far)
    assert refused.value.details["reason"] is PositionFault.FAR
    move(officer, natural, far, reason=FAR)
    assert places_of(officer, natural[:12])[natural].reason == FAR
    owner.execute("UPDATE portal_setting SET value = '10' WHERE name = 'position_far_km'")
    move(officer, natural, near(officer, natural, -0.04))


def test_out_of_a_township_that_is_drawn_needs_a_reason(owner, officer, village, natural):
    owner.execute(
        "INSERT INTO division_boundary (code, valid_from, boundary, drawn, label_at)"
        " SELECT %s, '2019-01-01', box, box, location FROM natural_village"
        "      , ST_Multi(ST_Expand(location, 0.002)) AS box WHERE code = %s",
        [village[:9], natural],
    )
    move(officer, natural, near(officer, natural))
    with pytest.raises(PositionRefused) as refused:
        move(officer, natural, near(officer, natural, 0.005))
    assert refused.value.details["reason"] is PositionFault.OTHER_TOWNSHIP


def test_corrections_are_taken_back_one_by_one(officer, village, natural):
    first = where(officer, natural)
    second, third = near(officer, natural), near(officer, natural, 0.002)
    move(officer, natural, second)
    move(officer, natural, third)
    assert places_of(officer, village)[natural].moved_by == officer.display_name
    assert restore(officer, natural) == pytest.approx(second)
    assert restore(officer, natural) == pytest.approx(first)
    assert where(officer, natural) == pytest.approx(first)
    assert places_of(officer, village)[natural].moved_at is None
    with pytest.raises(PositionRefused) as refused:
        restore(officer, natural)
    assert refused.value.details["reason"] is PositionFault.NOTHING_TO_RESTORE


def test_sent_twice_it_moves_once_and_seen_too_late_not_at_all(owner, officer, natural):
    seen, to = where(officer, natural), near(officer, natural)
    move(officer, natural, to, seen)
    move(officer, natural, to, seen)
    assert owner.execute("SELECT count(*) FROM position_correction").fetchone() == (1,)
    with pytest.raises(StaleVersion):
        move(officer, natural, near(officer, natural, 0.003), seen)
    assert where(officer, natural) == pytest.approx(to)


def test_who_does_not_file_for_the_village_is_refused(owner, officer, village, natural):
    to, seen = near(officer, natural), where(officer, natural)
    elsewhere = next(c for c in villages_of(owner, COUNTY) if c[:9] != village[:9])
    stranger = make_actor(owner, "stranger", Role.TOWNSHIP, elsewhere[:9])
    with pytest.raises(NotFound):
        move(stranger, natural, to, seen)
    assert places_of(officer, village)[natural].reason == ""
    city = make_actor(owner, "city", Role.CITY, CITY)
    with pytest.raises(NotPermitted):
        move(city, natural, to, seen)
    county = make_actor(owner, "of_county", Role.COUNTY, COUNTY)
    move(county, natural, to, seen)


@pytest.mark.parametrize("role", [Role.TOWNSHIP, Role.CITY])
def test_the_database_refuses_strangers_by_itself(owner, officer, village, natural, role):
    elsewhere = next(c for c in villages_of(owner, COUNTY) if c[:9] != village[:9])
    held = elsewhere[:9] if role is Role.TOWNSHIP else CITY
    other = make_actor(owner, "other", role, held)
    before = where(officer, natural)
    insert = text(
        "INSERT INTO position_correction (code, location, valid_from)"
        " SELECT code, ST_Translate(location, 0.001, 0), current_date"
        "   FROM natural_village WHERE code = :code"
    )
    for statement in (insert, text("UPDATE natural_village SET name = '' WHERE code = :code")):
        with (
            pytest.raises(ProgrammingError, match=r"permission|policy"),
            transaction(other) as connection,
        ):
            connection.execute(statement, {"code": natural})
    assert where(officer, natural) == before


@pytest.mark.parametrize("epsg", PROJECTED)
def test_typed_coordinates_of_every_system_come_out_in_degrees(epsg):
    longitude, latitude = place(2)
    row = {"code": "", "name": "", "longitude": longitude, "latitude": latitude}
    (given,) = projected([row], epsg)
    found = village_positions.read_position(f"{given['X坐标(m)']:.3f} 米", given["Y坐标(m)"], epsg)
    assert metres_between(found, (longitude, latitude)) < 0.01


@pytest.mark.parametrize(
    ("east", "north", "epsg"),
    [("这里", "28.9", 4490), ("115", "", 4490), ("1157", "28", 4490), ("115", "28", 3857)],
)
def test_what_is_no_position_is_refused(east, north, epsg):
    with pytest.raises(PositionRefused):
        village_positions.read_position(east, north, epsg)
