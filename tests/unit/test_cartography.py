"""Names on the map give way to each other as a cartographer would have them."""

from dataclasses import replace

import pytest

from domain.cartography import Border, Name, borders, fitting, in_tile, world

NAME = Name("360123", "安义县", 115.55, 28.85, priority=0, size=12)
NEAR = replace(NAME, key="360121", text="南昌县", longitude=115.6)
FAR = replace(NAME, key="360733", text="会昌县", longitude=115.79, latitude=25.6)


def kept(names, zoom=6, marks=()):
    return {placed.name.key for placed in fitting(names, zoom, marks)}


def test_names_apart_both_stand():
    assert kept([NAME, FAR]) == {"360123", "360733"}


def test_of_two_that_overlap_the_more_important_stays():
    assert kept([NAME, replace(NEAR, priority=50)]) == {"360121"}


def test_both_stand_once_the_map_is_close_enough():
    assert kept([NAME, NEAR], zoom=11) == {"360123", "360121"}


def test_a_city_is_named_at_every_zoom():
    city = replace(NAME, key="360100", text="南昌市", priority=1e6, is_kept=True)
    late = replace(NEAR, priority=700)
    assert "360100" in kept([city, late], zoom=1, marks=[NAME])


def test_a_name_moves_beside_its_mark():
    mark = replace(NAME, text="◆", size=15)
    [placed] = fitting([replace(NAME, offsets=((0, 0), (0, 16)))], 8, [mark])
    assert placed.offset == (0, 16)


def test_a_name_wider_than_its_division_waits():
    narrow = replace(NAME, room=0.05)
    assert kept([narrow], zoom=6) == set()
    assert kept([narrow], zoom=11) == {"360123"}


@pytest.mark.parametrize("zoom", range(0, 13))
def test_each_name_is_in_one_tile(zoom):
    across, down = world(NAME.longitude, NAME.latitude)
    x, y = int(across * 2**zoom), int(down * 2**zoom)
    assert in_tile(NAME, zoom, x, y)
    assert not in_tile(NAME, zoom, x + 1, y)


def test_a_border_between_two_is_drawn_once_and_by_the_highest_level_that_has_it():
    west = [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 0.0)]
    east = [(1.0, 1.0), (1.0, 0.0), (2.0, 0.0), (1.0, 1.0)]
    around = [(0.0, 0.0), (1.0, 0.0), (2.0, 0.0), (1.0, 1.0), (0.0, 0.0)]
    drawn = borders([[west, east], [around]])
    assert drawn[0] == Border((1.0, 0.0), (1.0, 1.0), level=0)
    assert {(border.start, border.end) for border in drawn[1:]} == {
        ((0.0, 0.0), (1.0, 0.0)),
        ((1.0, 0.0), (2.0, 0.0)),
        ((1.0, 1.0), (2.0, 0.0)),
        ((0.0, 0.0), (1.0, 1.0)),
    }
    assert {border.level for border in drawn[1:]} == {1}
