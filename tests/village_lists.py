"""Lists of villages as a county would send them, in every format."""

import csv
import zipfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import geopandas
import openpyxl
import shapely

from data_access.reference_data import REFERENCE
from tests.actors import COUNTY

Row = dict[str, object]


@cache
def county_shape(code: str = COUNTY) -> shapely.Geometry:
    """Return the polygon of a county in EPSG:4490."""
    counties = geopandas.read_file(REFERENCE / "county_boundary.geojson")
    return counties.set_index("code").geometry[code]


@cache
def village_codes(code: str = COUNTY) -> list[str]:
    """Return the codes of the villages of a county."""
    with (REFERENCE / "admin_division.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return [row["code"] for row in rows if row["level"] == "village" and row["code"][:6] == code]


def place(number: int = 0) -> tuple[float, float]:
    """Return a place well inside the county, another for each number."""
    middle = shapely.get_point(shapely.maximum_inscribed_circle(county_shape()), 0)
    return round(middle.x + number * 0.001, 6), round(middle.y - number * 0.001, 6)


def natural_village(number: int, **values: object) -> Row:
    """Return a good row; `values` replace what stands in it."""
    longitude, latitude = place(number)
    code = f"{village_codes()[number % 3]}{number + 1:03}"
    row = {"code": code, "name": f"老屋{number}", "longitude": longitude, "latitude": latitude}
    return row | values


def write_csv(path: Path, rows: Sequence[Row], encoding: str = "utf-8") -> Path:
    with path.open("w", encoding=encoding, newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def write_workbook(path: Path, rows: Sequence[Row]) -> Path:
    workbook = openpyxl.Workbook()
    sheet = workbook.worksheets[0]
    sheet.append(list(rows[0]))
    for row in rows:
        sheet.append(list(row.values()))
    workbook.save(path)
    return path


def write_features(path: Path, rows: Sequence[Row], epsg: int, encoding: str = "UTF-8") -> Path:
    """Write a GeoPackage, or a Shapefile packed into a zip."""
    frame = geopandas.GeoDataFrame(
        [
            {name: row[name] for name in row if name not in ("longitude", "latitude")}
            for row in rows
        ],
        geometry=[shapely.Point(row["longitude"], row["latitude"]) for row in rows],
        crs=4490,
    ).to_crs(epsg)
    if path.suffix == ".gpkg":
        frame.to_file(path)
        return path
    frame.to_file(path.with_suffix(".shp"), encoding=encoding)
    with zipfile.ZipFile(path, "w") as archive:
        for part in path.parent.glob(f"{path.stem}.*"):
            if part.suffix not in (".zip", ".cpg"):  # many a file comes without its code page
                archive.write(part, f"村庄/{part.name}")
    return path


def projected(rows: Sequence[Row], epsg: int) -> list[Row]:
    """Return the rows with easting and northing instead of degrees."""
    points = geopandas.GeoSeries.from_xy(
        [row["longitude"] for row in rows], [row["latitude"] for row in rows], crs=4490
    ).to_crs(epsg)
    return [
        {"code": row["code"], "name": row["name"], "X坐标(m)": point.x, "Y坐标(m)": point.y}
        for row, point in zip(rows, points, strict=True)
    ]
