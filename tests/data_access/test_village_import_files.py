"""Lists of villages come in many formats, encodings and coordinate systems; one place is meant."""

import shutil
import zipfile
from pathlib import Path

import numpy as np
import openpyxl
import pandas
import pyogrio
import pytest
import shapely

from data_access import village_import_files
from data_access.village_import_crs import TAKEN, CountyShapes, Located, settle, to_degrees
from data_access.village_import_files import Listing, read_listing
from domain.errors import InvalidImport
from domain.villages import Register
from tests.actors import COUNTY
from tests.village_lists import (
    county_shape,
    natural_village,
    projected,
    write_csv,
    write_features,
    write_workbook,
)

ROWS = [natural_village(number) for number in range(4)]
NATURAL = Register.NATURAL_VILLAGES


@pytest.fixture(scope="module")
def shapes() -> CountyShapes:
    return CountyShapes({COUNTY: shapely.to_wkb(county_shape())})


def located(listing: Listing) -> Located:
    east = np.array([row.east for row in listing.rows])
    north = np.array([row.north for row in listing.rows])
    return Located([COUNTY] * len(listing.rows), east, north)


def places(path: Path, shapes: CountyShapes, epsg: int | None = None) -> tuple[int, np.ndarray]:
    listing = read_listing(path, NATURAL)
    found = located(listing)
    settled = settle(path, found, shapes, listing.epsg if epsg is None else epsg)
    return settled, np.stack(to_degrees(found.east, found.north, settled), axis=1)


def expected() -> np.ndarray:
    return np.array([[row["longitude"], row["latitude"]] for row in ROWS])


def refusal(path: Path, shapes: CountyShapes, epsg: int | None = None) -> str:
    with pytest.raises(InvalidImport) as caught:
        places(path, shapes, epsg)
    [sentence] = caught.value.details["problems"]
    return str(sentence)


@pytest.mark.parametrize("epsg", TAKEN)
@pytest.mark.parametrize(
    ("name", "encoding"), [("a.gpkg", ""), ("a.zip", "UTF-8"), ("a.zip", "GBK")]
)
def test_features_say_their_coordinate_system(tmp_path, shapes, name, encoding, epsg):
    path = write_features(tmp_path / name, ROWS, epsg, encoding)
    settled, found = places(path, shapes)
    assert settled == epsg
    assert np.abs(found - expected()).max() < 2e-8
    listing = read_listing(path, NATURAL)
    assert [(row.code, row.name) for row in listing.rows] == [
        (row["code"], row["name"]) for row in ROWS
    ]


@pytest.mark.parametrize("epsg", [4526, 4527, 4547, 4548])
def test_a_table_in_metres_tells_its_zone_by_where_it_falls(tmp_path, shapes, epsg):
    path = write_csv(tmp_path / "a.csv", projected(ROWS, epsg))
    settled, found = places(path, shapes)
    assert settled == epsg
    assert np.abs(found - expected()).max() < 2e-8


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_a_table_in_any_encoding_reads_the_same(tmp_path, shapes, encoding):
    titles = {
        "code": "自然村代码",
        "name": "自然村名称",
        "longitude": "经度（°）",
        "latitude": "纬度",
    }
    rows = [{titles[field]: value for field, value in row.items()} for row in ROWS]
    path = write_csv(tmp_path / "a.csv", rows, encoding)
    settled, found = places(path, shapes)
    assert settled == 4490
    assert (found == expected()).all()
    assert [row.name for row in read_listing(path, NATURAL).rows] == [row["name"] for row in ROWS]


@pytest.mark.parametrize("delimiter", ["\t", ";"])
def test_a_table_may_be_parted_as_excel_does_it(tmp_path, delimiter):
    path = write_csv(tmp_path / "a.csv", ROWS)
    text = path.read_text(encoding="utf-8").replace(",", delimiter)
    parted = tmp_path / "b.txt"
    parted.write_text(text, encoding="utf-16")
    assert read_listing(parted, NATURAL).rows == read_listing(path, NATURAL).rows


def test_a_workbook_keeps_codes_typed_as_numbers(tmp_path):
    rows = [row | {"code": int(row["code"])} for row in ROWS]
    listing = read_listing(write_workbook(tmp_path / "a.xlsx", rows), NATURAL)
    assert [row.code for row in listing.rows] == [row["code"] for row in ROWS]
    assert [row.row_no for row in listing.rows] == [2, 3, 4, 5]
    assert [row.east for row in listing.rows] == [row["longitude"] for row in ROWS]


def test_several_former_codes_stand_in_one_cell(tmp_path):
    path = write_csv(tmp_path / "a.csv", [ROWS[0] | {"原代码": "360123100200001、360123100200002"}])
    [row] = read_listing(path, NATURAL).rows
    assert row.predecessors == ("360123100200001", "360123100200002")


@pytest.mark.parametrize(
    ("epsg", "words"),
    [(4547, "与 EPSG:4526 相符"), (4527, "与 EPSG:4526 相符"), (4490, "与 EPSG:4526 相符")],
)
def test_a_wrong_system_is_refused_with_the_one_that_fits(tmp_path, shapes, epsg, words):
    path = write_csv(tmp_path / "a.csv", projected(ROWS, 4526))
    assert words in refusal(path, shapes, epsg)


@pytest.mark.parametrize("epsg", [4490, 4526, 4547])
def test_swapped_columns_are_refused_as_such(tmp_path, shapes, epsg):
    rows = ROWS if epsg == 4490 else projected(ROWS, epsg)
    east, north = list(rows[0])[2:]
    swapped = [row | {east: row[north], north: row[east]} for row in rows]
    path = write_csv(tmp_path / "a.csv", swapped)
    assert "颠倒" in refusal(path, shapes)


def test_places_of_another_province_are_refused(tmp_path, shapes):
    rows = [row | {"longitude": 87.6, "latitude": 43.8} for row in ROWS]
    assert "范围之外" in refusal(write_csv(tmp_path / "a.csv", rows), shapes)


def test_an_unknown_system_is_refused_with_those_that_are_taken(tmp_path, shapes):
    path = write_features(tmp_path / "a.gpkg", ROWS, 32650)
    assert "不支持坐标系 EPSG:32650" in refusal(path, shapes)


def test_metres_that_fit_nowhere_ask_for_the_system(tmp_path, shapes):
    rows = [row | {"X坐标(m)": 5.0, "Y坐标(m)": 5.0} for row in projected(ROWS, 4526)]
    assert "--crs" in refusal(write_csv(tmp_path / "a.csv", rows), shapes)


def test_a_file_of_two_layers_asks_which(tmp_path, shapes):
    path = write_features(tmp_path / "two.gpkg", ROWS, 4490)
    write_features(tmp_path / "second.gpkg", ROWS, 4490)
    import geopandas

    geopandas.read_file(tmp_path / "second.gpkg").to_file(path, layer="second")
    assert "second" in refusal(path, shapes)
    assert len(read_listing(path, NATURAL, "second").rows) == 4


def test_what_is_no_single_point_is_named(tmp_path):
    import geopandas

    frame = geopandas.GeoDataFrame(
        [{"code": "1", "name": "甲"}, {"code": "2", "name": None}, {"code": "3", "name": "丙"}],
        geometry=[
            shapely.Point(1, 1).buffer(1),
            None,
            shapely.MultiPoint([(115.5, 28.8)]),
        ],
        crs=4490,
    )
    frame.to_file(tmp_path / "a.gpkg")
    polygon, empty, one = read_listing(tmp_path / "a.gpkg", NATURAL).rows
    assert "点" in polygon.fault
    assert (empty.east, empty.name, empty.fault) == (None, "", "")
    assert (one.east, one.north) == (115.5, 28.8)


def spoil_workbook(folder: Path) -> Path:
    path = folder / "a.xlsx"
    path.write_bytes(b"PK no workbook")
    return path


def spoil_zip(folder: Path) -> Path:
    path = write_features(folder / "a.zip", ROWS, 4490)
    path.write_bytes(path.read_bytes()[:200])
    return path


def spoil_geopackage(folder: Path) -> Path:
    path = folder / "a.gpkg"
    path.write_bytes(b"no database")
    return path


def leave_out_the_table(folder: Path) -> Path:
    write_features(folder / "a.zip", ROWS, 4490)
    shutil.copy(folder / "a.shp", folder / "b.shp")
    return folder / "b.shp"


def latin(folder: Path) -> Path:
    path = folder / "a.csv"
    path.write_bytes(b"code,name\n1,\xff\xff\xff\n")
    return path


def one_long_line(folder: Path) -> Path:
    path = folder / "a.csv"
    path.write_text("代码,名称\n" + "1," * 600_000, encoding="utf-8")
    return path


def one_far_cell(folder: Path) -> Path:
    workbook = openpyxl.Workbook()
    workbook.worksheets[0].append(["代码", "名称"])
    workbook.worksheets[0]["XFD1048576"] = 1
    workbook.save(folder / "a.xlsx")
    return folder / "a.xlsx"


def two_layers(folder: Path) -> Path:
    write_features(folder / "甲.zip", ROWS, 4490)
    write_features(folder / "乙.zip", ROWS, 4490)
    with zipfile.ZipFile(folder / "both.zip", "w") as archive:
        for path in sorted(folder.glob("[甲乙].*")):
            if path.suffix != ".zip":
                archive.write(path, path.name)
    return folder / "both.zip"


def one_name_in_two_folders(folder: Path) -> Path:
    write_features(folder / "a.zip", ROWS, 4490)
    with zipfile.ZipFile(folder / "both.zip", "w") as archive:
        for part in (*folder.glob("a.shp"), *folder.glob("a.shx"), *folder.glob("a.dbf")):
            for where in ("南", "北"):
                archive.write(part, f"{where}/{part.name}")
    return folder / "both.zip"


def only_a_table(folder: Path) -> Path:
    with zipfile.ZipFile(folder / "a.zip", "w") as archive:
        archive.writestr("a.csv", "代码,名称")
    return folder / "a.zip"


def a_column_twice(folder: Path) -> Path:
    path = folder / "a.csv"
    path.write_text("代码,代码,名称\n1,2,村\n", encoding="utf-8")
    return path


def full_width_commas(folder: Path) -> Path:
    path = folder / "a.csv"
    path.write_text("代码，名称\n1，村\n", encoding="utf-8")
    return path


def locked_zip(folder: Path) -> Path:
    path = write_features(folder / "a.zip", ROWS, 4490)
    packed = bytearray(path.read_bytes())
    for mark, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        start = -1
        while (start := packed.find(mark, start + 1)) >= 0:
            packed[start + at] |= 1
    path.write_bytes(packed)
    return path


def table_without_shapes(folder: Path) -> Path:
    frame = pandas.DataFrame(ROWS)
    pyogrio.write_dataframe(frame, folder / "a.gpkg", layer="a")
    return folder / "a.gpkg"


@pytest.mark.parametrize(
    ("spoilt", "words"),
    [
        (one_long_line, "第 2 行超过一百万字"),
        (one_far_cell, "工作表过大"),
        (two_layers, "--layer 指明图层：乙、甲"),
        (one_name_in_two_folders, "北/a、南/a"),
        (only_a_table, "没有 Shapefile"),
        (a_column_twice, "“代码”列出现了两次"),
        (full_width_commas, "请用逗号、制表符或分号分开"),
        (locked_zip, "加了密码"),
        (table_without_shapes, "没有图形"),
        (spoil_workbook, "Excel"),
        (spoil_zip, "压缩包"),
        (spoil_geopackage, "GeoPackage"),
        (leave_out_the_table, ".dbf"),
        (latin, "编码"),
        (lambda folder: write_csv(folder / "a.csv", [{"": ""}]), "文件是空的"),
        (lambda folder: write_csv(folder / "a.doc", ROWS), "请使用 CSV"),
        (lambda folder: write_csv(folder / "a.csv", [{"code": "1"}]), "缺少这些列：自然村名称"),
        (
            lambda folder: write_csv(folder / "a.csv", [{"code": 1, "name": 1, "经度": 1}]),
            "坐标须有两列",
        ),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_in_a_sentence(tmp_path, shapes, spoilt, words):
    assert words in refusal(spoilt(tmp_path), shapes)


def test_more_rows_than_any_province_has_are_refused(tmp_path, shapes, monkeypatch):
    monkeypatch.setattr(village_import_files, "_MOST_ROWS", 3)
    assert "超过 3 行" in refusal(write_csv(tmp_path / "a.csv", ROWS), shapes)
    assert "超过 3 行" in refusal(write_features(tmp_path / "a.gpkg", ROWS, 4490), shapes)


def test_a_giant_cell_is_a_fault_of_its_row_and_kept_short(tmp_path):
    rows = [ROWS[0] | {"name": "长" * 100_000}, ROWS[1]]
    first, second = read_listing(write_csv(tmp_path / "a.csv", rows), NATURAL).rows
    assert "超过 1,000 字" in first.fault
    assert len(first.name) == 60
    assert not second.fault


def test_gb18030_with_its_own_mark_is_read(tmp_path):
    path = write_csv(
        tmp_path / "a.csv", [{"\ufeff代码": "1", "名称": "村", "经度": 1, "纬度": 1}], "gb18030"
    )
    assert [(row.code, row.name) for row in read_listing(path, NATURAL).rows] == [("1", "村")]


def test_one_of_two_layers_of_one_name_is_chosen_by_its_folder(tmp_path):
    path = one_name_in_two_folders(tmp_path)
    assert len(read_listing(path, NATURAL, "南/a").rows) == len(ROWS)
