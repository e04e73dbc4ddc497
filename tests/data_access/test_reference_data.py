"""Reference data: another province's files, bad files, and a start that loads nothing twice."""

import json
from collections.abc import Iterator

import psycopg
import pytest

from data_access.migrate import migrate
from data_access.reference_data import import_boundaries, import_divisions, load_all
from domain.errors import InvalidImport

HEAD = "code,name,level,kind,parent_code,prefix\n"
ELSEWHERE = (
    HEAD + "330000,某省,province,省,,33\n"
    "330100,甲市,city,设区市,330000,3301\n"
    "330102,乙区,county,市辖区,330100,330102\n"
    "330122,丙县,county,县,330100,330122\n"
)


@pytest.fixture
def empty(cluster) -> Iterator[psycopg.Connection]:
    """A migrated database without any reference data."""
    with psycopg.connect(f"host={cluster} user=owner dbname=postgres", autocommit=True) as admin:
        admin.execute("CREATE DATABASE portal_empty")
        with psycopg.connect(
            f"host={cluster} user=owner dbname=portal_empty", autocommit=True
        ) as connection:
            migrate(connection)
            yield connection
        admin.execute("DROP DATABASE portal_empty WITH (FORCE)")


def square(code: str, west: float) -> dict[str, object]:
    ring = [[west, 30], [west + 1, 30], [west + 1, 31], [west, 31], [west, 30]]
    return {
        "type": "Feature",
        "properties": {"code": code},
        "geometry": {"type": "Polygon", "coordinates": [ring]},
    }


def boundary_file(folder, *features):
    path = folder / "county_boundary.geojson"
    crs = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::4490"}}
    path.write_text(
        json.dumps({"type": "FeatureCollection", "crs": crs, "features": features}), "utf-8"
    )
    return path


def test_another_province_loads_its_own_files(empty, tmp_path):
    (tmp_path / "admin_division.csv").write_text(ELSEWHERE, "utf-8")
    boundary_file(tmp_path, square("330102", 120), square("330122", 121))
    load_all(empty, tmp_path)
    found = empty.execute("SELECT code, name FROM division_on(current_date) ORDER BY code")
    assert found.fetchall() == [
        ("330000", "某省"),
        ("330100", "甲市"),
        ("330102", "乙区"),
        ("330122", "丙县"),
    ]
    areas = empty.execute("SELECT code, round(ST_Area(boundary)) FROM division_boundary ORDER BY 1")
    assert areas.fetchall() == [("330000", 2), ("330100", 2), ("330102", 1), ("330122", 1)]


def test_second_start_writes_nothing(empty):
    load_all(empty)
    before = empty.execute("SELECT count(*) FROM row_change").fetchone()
    load_all(empty)
    assert empty.execute("SELECT count(*) FROM row_change").fetchone() == before


def test_county_that_becomes_a_city_keeps_its_old_name_on_old_days(owner, tmp_path):
    path = tmp_path / "changed.csv"
    path.write_text(
        "code,name,level,kind,parent_code,prefix,valid_from\n"
        "360000,江西省,province,省,,36,\n360100,南昌市,city,设区市,360000,3601,\n"
        "360123,安义市,county,县级市,360100,360123,2026-07-01\n",
        "utf-8",
    )
    import_divisions(owner, path)
    query = "SELECT name, kind FROM division_on(%s) WHERE code = '360123'"
    assert owner.execute(query, ["2026-06-30"]).fetchone() == ("安义县", "县")
    assert owner.execute(query, ["2026-07-01"]).fetchone() == ("安义市", "县级市")


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ("3301x0,甲市,city,设区市,,3301\n", "第 2 行"),
        ("330100,甲市,city,设区市,,3302\n", "前缀"),
        ("330100,,city,设区市,,3301\n", "缺少名称"),
        ("330100,甲市,city,设区市,330000,3301\n", "不在文件中"),
        ("330100,甲,city,设区市,,3301\n330100,甲,city,设区市,,3301\n", "重复"),
    ],
)
def test_bad_division_is_named_with_its_row_and_nothing_is_written(owner, tmp_path, rows, words):
    path = tmp_path / "bad.csv"
    path.write_text(HEAD + rows, "utf-8")
    with pytest.raises(InvalidImport) as caught:
        import_divisions(owner, path)
    assert any(words in problem for problem in caught.value.details["problems"])
    assert owner.execute("SELECT count(*) FROM admin_division WHERE prefix ~ '^33'").fetchone() == (
        0,
    )


def test_boundary_of_an_unknown_or_repeated_code_is_refused(owner, tmp_path):
    path = boundary_file(
        tmp_path, square("990102", 120), square("360123", 121), square("360123", 5)
    )
    with pytest.raises(InvalidImport) as caught:
        import_boundaries(owner, path)
    problems = " ".join(caught.value.details["problems"])
    assert "“990102”不在行政区划中" in problems
    assert "“360123”重复" in problems
