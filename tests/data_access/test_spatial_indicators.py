"""Spatial indicators over layers of known size, and without their layers."""

from decimal import Decimal

import pytest

from data_access import assessment, spatial_indicators
from data_access.database import transaction
from domain.errors import NotPermitted
from tests.actors import COUNTY
from tests.assessments import accept, assess, open_year

# Squares of a kilometre beside each other in the middle of 安义县, laid out in metres.
LAYERS = """
CREATE TABLE plot (plot_id text PRIMARY KEY, "DLBM" text, shape geometry(Polygon, 4490));
CREATE TABLE redline (redline_id text PRIMARY KEY, shape geometry(Polygon, 4490));
CREATE TABLE park (park_id text PRIMARY KEY, shape geometry(Polygon, 4490));
GRANT SELECT ON plot, redline, park TO portal_app;
"""
REGISTER = (
    "INSERT INTO map_layer (layer_code, title, relation_name, geometry_column, key_column"
    ", field_columns, format, min_zoom, max_zoom)"
    " VALUES (%s, %s, %s, 'shape', %s, %s, 'tile', 0, 14)"
)


def square(owner, west, south, size):
    """Return a square in metres from the middle of the county, as WKB in EPSG:4490."""
    [shape] = owner.execute(
        "SELECT ST_AsBinary(ST_Transform(ST_SetSRID(ST_MakeEnvelope(x + %(w)s, y + %(s)s"
        ", x + %(w)s + %(size)s, y + %(s)s + %(size)s), 4548), 4490)) FROM (SELECT"
        " ST_X(middle) AS x, ST_Y(middle) AS y FROM (SELECT ST_Transform(ST_SetSRID("
        "label_at, 4490), 4548) AS middle FROM division_boundary"
        " WHERE code = %(code)s) AS at) AS xy",
        {"w": west, "s": south, "size": size, "code": COUNTY},
    ).fetchone()
    return shape


@pytest.fixture
def layers(owner):
    """Two kilometres of fields, one of built land, half of it in the red line, a park beside it."""
    owner.execute(LAYERS)
    for name, land, west in (("a", "0101", 0), ("b", "0103", 1000), ("c", "0701", 2000)):
        owner.execute(
            "INSERT INTO plot VALUES (%s, %s, ST_SetSRID(ST_GeomFromWKB(%s), 4490))",
            [name, land, square(owner, west, 0, 1000)],
        )
    owner.execute(
        "INSERT INTO redline VALUES ('r', ST_SetSRID(ST_GeomFromWKB(%s), 4490))",
        [square(owner, 2500, 0, 1000)],
    )
    for code, relation, key, fields in (
        ("DLTB", "plot", "plot_id", ["DLBM"]),
        ("STBHHX", "redline", "redline_id", []),
    ):
        owner.execute(REGISTER, [code, code, relation, key, fields])


def computed(owner, code):
    return owner.execute(
        "SELECT state, value FROM computed_indicator_value WHERE canonical_code = %s", [code]
    ).fetchone()


def test_without_its_layer_an_indicator_is_not_connected(owner, bureau):
    with transaction(bureau) as connection:
        spatial_indicators.compute(connection, bureau, 2025, [COUNTY])
    assert computed(owner, "CULT_LAND") == ("not_connected", None)


def test_areas_and_overlaps_are_those_of_the_fixture(owner, bureau, layers):
    with transaction(bureau) as connection:
        spatial_indicators.compute(connection, bureau, 2025, [COUNTY])
    state, fields = computed(owner, "CULT_LAND")
    assert state == "computed"
    assert fields == pytest.approx(Decimal("0.3"), rel=Decimal("0.001"))  # 2 km2 in 万亩
    assert computed(owner, "ERL_BUILT")[1] == pytest.approx(Decimal("0.5"), rel=Decimal("0.001"))
    assert computed(owner, "URB_RUR_BUILT")[1] == pytest.approx(Decimal(1), rel=Decimal("0.001"))
    assert computed(owner, "PARK_5") == ("not_connected", None)


def test_a_service_reaches_as_far_as_its_distance(owner, bureau, layers):
    """A park of 100 m at the edge of a kilometre square: what lies within 300 m of it."""
    owner.execute(
        "INSERT INTO park VALUES ('p', ST_SetSRID(ST_GeomFromWKB(%s), 4490))",
        [square(owner, 1900, 450, 100)],
    )
    owner.execute(REGISTER, ["GGLD", "公园", "park", "park_id", []])
    owner.execute(
        "INSERT INTO map_layer (layer_code, title, relation_name, geometry_column, key_column"
        ", field_columns, filter, format, min_zoom, max_zoom) VALUES ('JZYD', '居住用地', 'plot'"
        ", 'shape', 'plot_id', '{DLBM}', $$\"DLBM\" ^@ '07'$$, 'tile', 0, 14)"
    )
    with transaction(bureau) as connection:
        spatial_indicators.compute(connection, bureau, 2025, [COUNTY])
    # 300 m beyond the park's edge: a rectangle of 300 x 100 and two quarter circles.
    reached = (300 * 100 + 3.14159 * 300**2 / 2) / 1_000_000 * 100
    assert float(computed(owner, "PARK_5")[1]) == pytest.approx(reached, rel=0.01)


def test_what_is_computed_stands_beside_what_is_filed(owner, bureau, layers):
    open_year(owner, 2025)
    accept(owner, 2025, {COUNTY: {"CULT_LAND": "31.2"}}, bureau.user_id)
    assess(owner, "CULT_LAND")
    with transaction(bureau) as connection:
        spatial_indicators.compute(connection, bureau, 2025, [COUNTY])
        told = assessment.explain(connection, COUNTY, 2025, "CULT_LAND")
    assert told.record.value == Decimal("31.2")
    assert told.record.computed_state == "computed"


def test_a_county_computes_nothing(county):
    with pytest.raises(NotPermitted), transaction(county) as connection:
        spatial_indicators.compute(connection, county, 2025, [COUNTY])
