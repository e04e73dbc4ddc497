"""Which coordinate system a list is in, and where its places lie: inside their county, or not.

A file says it, or the person does; either may be wrong, and columns may be swapped. What decides
is the ground: the places of a list lie inside the counties that their codes name.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from data_access.village_import_files import refusal

GEOGRAPHIC = (4490, 4326)  # alike to within centimetres: taken as they are
PROJECTED = (4526, 4527, 4547, 4548)
TAKEN = (*GEOGRAPHIC, *PROJECTED)
_DECIMALS = 8  # about 1 mm
_SAMPLE = 500
_MOST = 0.5

Column = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Located:
    """Coordinates as they stand in a file, each with the county that its code names."""

    counties: Sequence[str]
    east: Column
    north: Column

    def sample(self) -> "Located":
        step = max(1, len(self.counties) // _SAMPLE)
        return Located(self.counties[::step], self.east[::step], self.north[::step])

    def known_to(self, shapes: "CountyShapes") -> "Located":
        rows = [row for row, code in enumerate(self.counties) if code in shapes]
        return Located([self.counties[row] for row in rows], self.east[rows], self.north[rows])

    def swapped(self) -> "Located":
        return Located(self.counties, self.north, self.east)


class CountyShapes:
    """The polygons of the counties by code, EPSG:4490."""

    def __init__(self, boundaries: Mapping[str, bytes]) -> None:
        self._shapes: dict[str, Any] = {
            code: shapely.from_wkb(boundary) for code, boundary in boundaries.items()
        }
        shapely.prepare(list(self._shapes.values()))

    def __contains__(self, code: str) -> bool:
        return code in self._shapes

    def hold(
        self, counties: Sequence[str], longitude: Column, latitude: Column
    ) -> NDArray[np.bool_]:
        """Tell for each place whether it lies in its county or on the county's border."""
        held = np.zeros(len(counties), dtype=bool)
        own = np.asarray(counties, dtype=object)
        for code in set(counties) & self._shapes.keys():
            rows = np.flatnonzero(own == code)
            held[rows] = shapely.intersects_xy(self._shapes[code], longitude[rows], latitude[rows])
        return held

    def share_held(self, places: Located, epsg: int) -> float:
        """Return the share of the places that lie in their county if read as `epsg`."""
        degrees = to_degrees(places.east, places.north, epsg)
        return float(self.hold(places.counties, *degrees).mean())

    def share_near(self, places: Located, epsg: int) -> float:
        """Return the share within the box round all counties if read as `epsg`."""
        longitude, latitude = to_degrees(places.east, places.north, epsg)
        west, south, east, north = shapely.total_bounds(list(self._shapes.values()))
        near = (west <= longitude) & (longitude <= east) & (south <= latitude) & (latitude <= north)
        return float(near.mean())


def to_degrees(east: Column, north: Column, epsg: int) -> tuple[Column, Column]:
    """Return longitude and latitude in EPSG:4490, rounded to about a millimetre."""
    if epsg in GEOGRAPHIC:
        return np.round(east, _DECIMALS), np.round(north, _DECIMALS)
    import geopandas  # half a second that files in degrees go without

    with np.errstate(invalid="ignore"):
        points = geopandas.GeoSeries.from_xy(east, north, crs=epsg).to_crs(GEOGRAPHIC[0])
    degrees = shapely.get_coordinates(points.to_numpy())
    return np.round(degrees[:, 0], _DECIMALS), np.round(degrees[:, 1], _DECIMALS)


def settle(path: Path, places: Located, shapes: CountyShapes, said: int | None) -> int:
    """Return the coordinate system to read the places by.

    Raises InvalidImport with a sentence where another system, or the other order of the columns,
    fits and this one does not, or where none can be told.
    """
    if said is not None and said not in TAKEN:
        raise refusal(path, f"不支持坐标系 EPSG:{said}，请换算为 {_listed(TAKEN)} 之一。")
    sample = places.sample()
    if not sample.counties:
        return said or GEOGRAPHIC[0]
    if said is not None and shapes.share_held(sample, said) >= _MOST:
        return said
    fitting = _fitting(sample, shapes)
    if said is None and fitting is not None:
        return fitting
    _refuse_what_fits_otherwise(path, sample, shapes, said, fitting)
    if said is None:
        raise refusal(path, f"看不出坐标系，请用 --crs 指明 {_listed(TAKEN)} 之一。")
    return said


def _refuse_what_fits_otherwise(
    path: Path, sample: Located, shapes: CountyShapes, said: int | None, fitting: int | None
) -> None:
    if fitting is not None:
        raise refusal(
            path,
            f"按 EPSG:{said} 换算，多数位置不在所属县（市、区）内；"
            f"坐标与 EPSG:{fitting} 相符，请核对，或用 --crs {fitting} 指明。",
        )
    if _fitting(sample.swapped(), shapes) is not None:
        raise refusal(
            path,
            "坐标的两列看来颠倒了：前一列应为经度（东坐标），后一列为纬度（北坐标）。"
            "请改正；也可加上（或去掉）--swap-axes。",
        )
    if said is not None and shapes.share_near(sample, said) < _MOST:
        raise refusal(path, f"按 EPSG:{said} 换算，多数位置在全省范围之外，请核对坐标系与坐标。")


def _fitting(sample: Located, shapes: CountyShapes) -> int | None:
    """Return the system that puts most places into their counties, if there is one."""
    shares = {epsg: shapes.share_held(sample, epsg) for epsg in TAKEN}
    best = max(TAKEN, key=lambda epsg: shares[epsg])
    return best if shares[best] >= _MOST else None


def _listed(codes: Sequence[int]) -> str:
    return "、".join(map(str, codes))
