"""The demo's villages: as many as were reported, inside their counties, named as villages are."""

import csv
import json
import re
import statistics
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random

import psycopg
import pytest

from data_access import __main__ as commands
from data_access.demo import villages
from data_access.demo.village_names import name_natural_villages
from data_access.installation import lacks_villages
from data_access.reference_data import REFERENCE

TOTAL = 138_389
VILLAGES = 14_807


@pytest.fixture(scope="module")
def loaded(cluster: Path, template: str) -> Iterator[psycopg.Connection]:
    """A database with the demo's villages and nothing else of the demo."""
    name = "portal_villages"
    with psycopg.connect(f"host={cluster} user=owner dbname=postgres", autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
        villages.load(f"postgresql://owner@/{name}?host={cluster}")
        with psycopg.connect(
            f"host={cluster} user=owner dbname={name}", autocommit=True
        ) as connection:
            connection.execute("ANALYZE natural_village, division_location")
            yield connection
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


def ask(connection: psycopg.Connection, query: str) -> list[tuple]:
    return connection.execute(query).fetchall()


def test_every_village_has_a_place_and_at_least_one_natural_village(loaded):
    assert ask(loaded, "SELECT count(*) FROM division_location") == [(VILLAGES,)]
    assert ask(loaded, "SELECT count(*), count(DISTINCT division_code) FROM natural_village") == [
        (TOTAL, VILLAGES)
    ]


def test_status_counts_every_village(loaded, cluster, monkeypatch, tmp_path, capsys):
    url = f"postgresql://owner@/portal_villages?host={cluster}"
    monkeypatch.setenv("PORTAL_DATABASE_URL", url)
    monkeypatch.setenv("PORTAL_DATA_DIR", str(tmp_path))
    assert commands.main(["status", "--json"]) == 0
    status = json.loads(capsys.readouterr().out)
    assert status["administrative_villages"] == VILLAGES
    assert status["natural_villages"] == TOTAL


def test_the_counties_add_up_to_the_number_that_was_reported(loaded):
    with (REFERENCE / "admin_division.csv").open(encoding="utf-8", newline="") as file:
        own = Counter(row["code"][:6] for row in csv.DictReader(file) if row["level"] == "village")
    found = ask(
        loaded,
        "SELECT left(code, 6), count(*), count(DISTINCT division_code) FROM natural_village"
        " GROUP BY 1",
    )
    assert sum(natural for _, natural, _ in found) == TOTAL
    assert {county: number for county, _, number in found} == own


def test_most_villages_have_about_nine_and_none_more_than_eighty(loaded):
    sizes = [
        size
        for (size,) in ask(loaded, "SELECT count(*) FROM natural_village GROUP BY division_code")
    ]
    assert statistics.median(sizes) == 9
    assert max(sizes) == 80
    assert sum(size > 40 for size in sizes) > 20


@pytest.mark.parametrize("table", ["natural_village", "division_location"])
def test_no_place_lies_outside_its_county(loaded, table):
    outside = ask(
        loaded,
        f"SELECT count(*) FROM {table} JOIN division_boundary AS boundary"
        "    ON boundary.code = left(division_code, 6)"
        " WHERE NOT ST_Covers(boundary.boundary, location)",
    )
    assert outside == [(0,)]


def test_natural_villages_lie_round_their_village(loaded):
    [(nearest, farthest)] = ask(
        loaded,
        "SELECT min(metres), max(metres) FROM ("
        "SELECT ST_Distance(CAST(village.location AS geography)"
        "                 , CAST(place.location AS geography)) AS metres"
        "  FROM natural_village AS village JOIN division_location AS place USING (division_code)"
        ") AS apart",
    )
    assert 290 < nearest < 400
    assert 2_000 < farthest < 2_550


def test_natural_villages_of_a_township_lie_together(loaded):
    """The nearest other township's seat is mostly farther than one's own."""
    [(own,)] = ask(
        loaded,
        "WITH seat AS (SELECT left(division_code, 9) AS township, ST_Centroid(ST_Collect(location))"
        " AS place FROM division_location WHERE division_code ^@ '360123' GROUP BY 1)"
        " SELECT avg(CASE WHEN left(division_code, 9) = nearest.township THEN 1 ELSE 0 END)"
        "  FROM natural_village CROSS JOIN LATERAL (SELECT township FROM seat"
        "       ORDER BY place <-> location LIMIT 1) AS nearest"
        " WHERE division_code ^@ '360123'",
    )
    assert own > 0.75


def test_what_tiles_read_is_the_same_place(loaded):
    [(apart,)] = ask(
        loaded,
        "SELECT max(ST_Distance(location_3857, ST_Transform(location, 3857)))"
        " FROM natural_village WHERE code ^@ '3601'",
    )
    assert apart == 0


def test_names_differ_within_a_village_and_sound_like_villages(loaded):
    repeated = ask(
        loaded,
        "SELECT code FROM (SELECT min(code) AS code FROM natural_village"
        " GROUP BY division_code, name HAVING count(*) > 1) AS twice",
    )
    assert repeated == []
    names = {name for (name,) in ask(loaded, "SELECT DISTINCT name FROM natural_village")}
    assert all(re.fullmatch("[一-龥]{2,5}", name) for name in names)
    assert {"上屋", "下屋", "老屋里", "刘家", "塘背"} <= names


def test_the_south_says_house_where_the_north_says_family():
    def houses(southness: float) -> int:
        names = name_natural_villages(Random(1), 400, southness)
        return sum(bool(re.search("(?<!家)屋(坑|背|排|塅)?$", name)) for name in names)

    assert houses(1.0) > 5 * houses(0.0)


def test_everything_invented_says_so_and_stands_in_the_trail(loaded):
    assert ask(loaded, "SELECT DISTINCT is_demo FROM natural_village") == [(True,)]
    assert ask(loaded, "SELECT DISTINCT is_demo FROM division_location") == [(True,)]
    entries = ask(
        loaded,
        "SELECT table_name, CAST(after ->> 'row_count' AS integer) FROM row_change"
        " WHERE action = 'demo.load' ORDER BY table_name",
    )
    assert entries == [("division_location", VILLAGES), ("natural_village", TOTAL)]


@pytest.mark.parametrize(
    ("condition", "index"),
    [
        ("code ^@ '360123'", "natural_village_current"),
        ("location_3857 && ST_TileEnvelope(10, 840, 427)", "natural_village_location_3857"),
    ],
)
def test_lists_and_tiles_read_an_index(loaded, condition, index):
    query = f"EXPLAIN SELECT name FROM natural_village WHERE valid_to IS NULL AND {condition}"
    assert any(index in line for (line,) in ask(loaded, query))


def test_a_seed_makes_one_province(loaded, cluster):
    with villages.owner_transaction(f"postgresql://owner@/portal_villages?host={cluster}") as owner:
        counties = villages.list_counties(owner)[:3]
    assert villages.invent(counties, 7) == villages.invent(counties, 7)
    assert villages.invent(counties, 8) != villages.invent(counties, 7)


def test_only_a_demo_lacks_villages(owner):
    assert not lacks_villages(owner)
    owner.execute("UPDATE portal_setting SET value = 'true' WHERE name = 'is_demo'")
    assert lacks_villages(owner)


def test_with_its_villages_a_demo_lacks_nothing(loaded):
    with loaded.transaction(force_rollback=True):
        loaded.execute("UPDATE portal_setting SET value = 'true' WHERE name = 'is_demo'")
        assert not lacks_villages(loaded)
