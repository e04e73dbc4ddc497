"""Read a list of villages from CSV, XLSX, GeoPackage or Shapefile, by the usual column names."""

import codecs
import csv
import math
import re
import shutil
import tempfile
import unicodedata
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from data_access.csv_cells import encoding_of
from data_access.workbook_archive import Limits, inspect
from domain.errors import InvalidImport, WorkbookRefused
from domain.normalisation import normal_decimal, normal_text
from domain.villages import Register, normal_code
from domain.workbook import Refusal

if TYPE_CHECKING:
    import geopandas

# What a column may be called; compared without case, blanks and what stands in parentheses.
_NAMES: Mapping[Register, Mapping[str, tuple[str, ...]]] = {
    Register.VILLAGES: {
        "code": ("code", "village_code", "xzcdm", "行政村代码", "村代码", "代码", "编码"),
        "name": ("name", "village_name", "xzcmc", "行政村名称", "行政村", "村名", "名称"),
        "parent_code": ("parent_code", "township_code", "xzdm", "乡镇代码", "上级代码"),
        "kind": ("kind", "类型"),
    },
    Register.NATURAL_VILLAGES: {
        "code": ("code", "natural_village_code", "zrcdm", "自然村代码", "代码", "编码"),
        "name": ("name", "natural_village_name", "zrcmc", "自然村名称", "自然村", "名称"),
        "parent_code": ("parent_code", "village_code", "xzcdm", "行政村代码", "上级代码"),
    },
}
_COMMON_NAMES: Mapping[str, tuple[str, ...]] = {
    "longitude": ("longitude", "lon", "lng", "jd", "经度"),
    "latitude": ("latitude", "lat", "wd", "纬度"),
    "east": ("x", "x坐标", "东坐标", "easting"),
    "north": ("y", "y坐标", "北坐标", "northing"),
    "predecessors": ("predecessors", "former_code", "ydm", "原代码"),
}
_PARTS_OF_A_SHAPEFILE = {".shp", ".shx", ".dbf", ".prj", ".cpg"}
_LARGEST = 500 * 1024 * 1024
_MOST_ROWS = 500_000
"""Three times the villages of a province: what is read stays in memory, half a gigabyte of it."""
_LONGEST_LINE = _BLOCK = 1 << 20
_LONGEST_CELL = 1_000
_LONGEST_CODE = 40
_LONGEST_NAME = 60
_TITLES_SHOWN, _TITLE_SHOWN = 30, 30
_WORKBOOK = Limits(size=200_000_000, unpacked=800_000_000, cells=5_000_000, notes=5_000_000)
_GEOGRAPHIC = 4490
_BETWEEN_CODES = re.compile(r"[,，;；、\s]+")


@dataclass(frozen=True, slots=True)
class ListedRow:
    """One row as it stands in the file; east and north as its coordinate system means them."""

    row_no: int
    code: str
    name: str
    parent_code: str
    kind: str
    predecessors: tuple[str, ...]
    east: float | None
    north: float | None
    fault: str


@dataclass(frozen=True, slots=True)
class Listing:
    """The rows of a file, and the EPSG code it names for its coordinates, if any."""

    rows: list[ListedRow]
    has_positions: bool
    epsg: int | None


def read_listing(path: Path, register: Register, layer: str | None = None) -> Listing:
    """Read the file; `layer` is the sheet or layer where there are several.

    Raises InvalidImport with a sentence for a file that cannot be read at all.
    """
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise refusal(path, "请使用 CSV、XLSX、GeoPackage（gpkg）或 Shapefile（zip）文件。")
    if path.stat().st_size > _LARGEST:
        raise refusal(path, "文件超过 500 MB，请按县拆分后重试。")
    return reader(path, register, layer)


def refusal(path: Path, sentence: str) -> InvalidImport:
    """Return the error that refuses the whole file, with its sentence."""
    return InvalidImport(file=path.name, problems=[sentence])


def _read_csv(path: Path, register: Register, layer: str | None) -> Listing:
    encoding = encoding_of(lambda: path.open("rb"))
    if encoding is None:
        raise refusal(path, "文件编码既不是 UTF-8 也不是 GBK，请另存为“CSV UTF-8”。")
    with path.open(encoding=encoding, newline="") as file:
        lines = csv.reader(_bounded(path, file), delimiter=_delimiter(path, encoding))
        try:
            return _table(path, register, ((lines.line_num, line) for line in lines))
        except (csv.Error, UnicodeError) as error:
            raise refusal(
                path,
                f"第 {lines.line_num} 行不是规范的 CSV（引号不成对、有乱码，或一格超过十万字），"
                "请重新导出。",
            ) from error


def _bounded(path: Path, file: IO[str]) -> Iterator[str]:
    """Yield the lines; refuse one that no list of villages has before all of it is in memory."""
    for number, line in enumerate(iter(lambda: file.readline(_LONGEST_LINE), ""), start=1):
        if len(line) >= _LONGEST_LINE:
            raise refusal(path, f"第 {number} 行超过一百万字，请核对换行和引号后重新导出。")
        yield line


def _delimiter(path: Path, encoding: str) -> str:
    """Return what parts the titles: Excel's Unicode text has tabs, its CSV may have semicolons."""
    with path.open(encoding=encoding) as file:
        titles = next((line for line in _bounded(path, file) if line.strip()), "")
    return max(",\t;", key=titles.count)


def _read_workbook(path: Path, register: Register, layer: str | None) -> Listing:
    from python_calamine import CalamineError, CalamineWorkbook

    try:
        inspect(path, _WORKBOOK)
        workbook = CalamineWorkbook.from_path(path)
        name = _chosen(path, workbook.sheet_names, layer, "工作表")
        rows = workbook.get_sheet_by_name(name).iter_rows()
    except WorkbookRefused as refused:
        if refused.details["reason"] in (Refusal.TOO_MANY_CELLS, Refusal.UNPACKS_TOO_LARGE):
            raise refusal(
                path, "工作表过大（超过 500 万个单元格），请删去空行空列或拆分。"
            ) from None
        raise refusal(
            path, "文件不是可以打开的 Excel 工作簿，或加了密码、含有宏和外部链接，请另存为 xlsx。"
        ) from refused
    except CalamineError as error:
        raise refusal(path, "文件不是可以打开的 Excel 工作簿。") from error
    return _table(path, register, enumerate(rows, start=1))


def _chosen(path: Path, names: Sequence[str], wanted: str | None, word: str) -> str:
    if wanted is None and len(names) == 1:
        return names[0]
    if wanted in names:
        return str(wanted)
    raise refusal(path, f"请用 --layer 指明{word}：{'、'.join(names) or '文件中没有'}。")


def _table(path: Path, register: Register, lines: Iterable[tuple[int, Sequence[Any]]]) -> Listing:
    filled = ((number, line) for number, line in lines if any(map(normal_text, line)))
    _, header = next(filled, (0, ()))
    if not header:
        raise refusal(path, "文件是空的，请检查是否导出成功。")
    columns = _columns(path, register, [str(title) for title in header])
    named = (
        (number, {field: line[at] for field, at in columns.items() if at < len(line)})
        for number, line in filled
    )
    if "longitude" in columns:
        rows = _rows(named, "longitude", "latitude")
        return Listing(_taken(path, rows), True, _GEOGRAPHIC)
    return Listing(_taken(path, _rows(named, "east", "north")), "east" in columns, None)


def _taken(path: Path, rows: Iterable[ListedRow]) -> list[ListedRow]:
    taken = list(islice(rows, _MOST_ROWS + 1))
    if len(taken) > _MOST_ROWS:
        raise refusal(path, f"文件超过 {_MOST_ROWS:,} 行，请核对；确有这么多时请按县拆分。")
    return taken


def _columns(path: Path, register: Register, titles: Sequence[str]) -> dict[str, int]:
    """Return where each of our columns stands; of two names that fit, the more telling one."""
    plain = [_plain(title) for title in titles]
    places = {
        field: next(plain.index(name) for name in names if name in plain)
        for field, names in {**_NAMES[register], **_COMMON_NAMES}.items()
        if any(name in plain for name in names)
    }
    missing = [field for field in ("code", "name") if field not in places]
    if missing:
        words = "、".join(_first_chinese(_NAMES[register][field]) for field in missing)
        raise refusal(path, f"文件缺少这些列：{words}；现有的列是：{_some(titles)}。")
    for title in (titles[at] for at in places.values()):
        if plain.count(_plain(title)) > 1:
            raise refusal(path, f"“{title}”列出现了两次，请只保留一列。")
    for pair in (("longitude", "latitude"), ("east", "north")):
        if len(places.keys() & pair) == 1:
            raise refusal(path, "坐标须有两列：经度和纬度，或东坐标和北坐标。")
    return places


def _some(titles: Sequence[str]) -> str:
    shown = [title[:_TITLE_SHOWN] for title in titles[:_TITLES_SHOWN]]
    if len(shown) == 1:
        return f"{shown[0]}（列与列之间请用逗号、制表符或分号分开）"
    return "、".join(shown) + ("等" if len(titles) > _TITLES_SHOWN else "") or "没有"


def _first_chinese(names: Sequence[str]) -> str:
    return next(name for name in names if not name.isascii())


def _plain(title: str) -> str:
    text = unicodedata.normalize("NFKC", title).lower()
    return re.sub(r"\(.*?\)|[\s\ufeff]", "", text)


def _rows(
    lines: Iterable[tuple[int, Mapping[str, Any]]], east: str, north: str
) -> Iterator[ListedRow]:
    for number, values in lines:
        read = {field: _coordinate(values.get(field)) for field in (east, north)}
        fault = "".join(
            f"坐标“{str(values[field])[:_LONGEST_CODE]}”不是数字。"
            for field, coordinate in read.items()
            if coordinate is None and normal_text(values.get(field)) not in (None, "")
        )
        if not fault and (read[east] is None) != (read[north] is None):
            fault = "坐标只填了一个，须两个都有或都没有。"
        yield _row(number, values, read[east], read[north], fault)


def _coordinate(value: object) -> float | None:
    try:
        number = float(str(normal_decimal(value)))
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _row(
    number: int, values: Mapping[str, Any], east: float | None, north: float | None, fault: str
) -> ListedRow:
    if any(len(value) > _LONGEST_CELL for value in values.values() if isinstance(value, str)):
        fault += f"有单元格超过 {_LONGEST_CELL:,} 字，请核对引号和换行。"
        values = {
            field: value[:_LONGEST_CELL] if isinstance(value, str) else value
            for field, value in values.items()
        }
    former = str(normal_text(values.get("predecessors")) or "")
    return ListedRow(
        row_no=number,
        code=normal_code(values.get("code"))[:_LONGEST_CODE],
        name=str(normal_text(values.get("name")) or "")[:_LONGEST_NAME],
        parent_code=normal_code(values.get("parent_code"))[:_LONGEST_CODE],
        kind=str(normal_text(values.get("kind")) or "")[:_LONGEST_NAME],
        predecessors=tuple(normal_code(code) for code in _BETWEEN_CODES.split(former) if code),
        east=east,
        north=north,
        fault=fault,
    )


def _read_geopackage(path: Path, register: Register, layer: str | None) -> Listing:
    import geopandas  # half a second that the other commands go without
    from pyogrio.errors import DataLayerError, DataSourceError

    try:
        names = list(geopandas.list_layers(path)["name"])
        return _features(path, register, path, layer=_chosen(path, names, layer, "图层"))
    except (DataSourceError, DataLayerError) as error:
        raise refusal(path, "文件不是可以打开的 GeoPackage。") from error


def _read_zip(path: Path, register: Register, layer: str | None) -> Listing:
    try:
        with zipfile.ZipFile(path) as archive, tempfile.TemporaryDirectory() as folder:
            return _read_unpacked(path, register, _unpack(path, archive, layer, Path(folder)))
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise refusal(path, "压缩包已损坏，或不是 zip 文件。") from error
    except (RuntimeError, NotImplementedError) as error:
        raise refusal(path, "压缩包加了密码，或压缩方式不通用，请重新打包为普通的 zip。") from error


def _unpack(path: Path, archive: zipfile.ZipFile, layer: str | None, folder: Path) -> Path:
    """Unpack one layer under a name of our own: names inside may be anything."""
    entries = [entry for entry in archive.infolist() if not entry.is_dir()]
    if sum(entry.file_size for entry in entries) > _LARGEST:
        raise refusal(path, "压缩包解开后超过 500 MB，请拆分后重试。")
    stems = sorted(
        Path(entry.filename).with_suffix("") for entry in entries if _suffix(entry) == ".shp"
    )
    if not stems:
        raise refusal(path, "压缩包中没有 Shapefile（shp）；CSV 和 XLSX 请解压后再导入。")
    # Two folders may each hold a layer of one name: then the folder is part of it.
    are_named = len({stem.name for stem in stems}) == len(stems)
    names = {stem.name if are_named else stem.as_posix(): stem for stem in stems}
    chosen = names[_chosen(path, list(names), layer, "图层")]
    for entry in entries:
        is_part = Path(entry.filename).with_suffix("") == chosen
        if is_part and _suffix(entry) in _PARTS_OF_A_SHAPEFILE:
            with (
                archive.open(entry) as packed,
                (folder / f"layer{_suffix(entry)}").open("wb") as part,
            ):
                shutil.copyfileobj(packed, part)
    return folder / "layer.shp"


def _suffix(entry: zipfile.ZipInfo) -> str:
    return Path(entry.filename).suffix.lower()


def _read_shapefile(path: Path, register: Register, layer: str | None) -> Listing:
    return _read_unpacked(path, register, path)


def _read_unpacked(path: Path, register: Register, shapefile: Path) -> Listing:
    from pyogrio.errors import DataLayerError, DataSourceError

    absent = [part for part in (".dbf", ".shx") if not shapefile.with_suffix(part).exists()]
    if absent:
        raise refusal(path, f"缺少 Shapefile 的 {'、'.join(absent)} 文件，请连同一起打包。")
    try:
        return _features(path, register, shapefile, encoding=_table_encoding(shapefile))
    except (DataSourceError, DataLayerError, UnicodeDecodeError) as error:
        raise refusal(path, "Shapefile 打不开，或字段名、文字的编码有误。") from error


def _table_encoding(shapefile: Path) -> str:
    """Return how the texts are written: what .cpg says is often missing, and sometimes wrong."""
    with shapefile.with_suffix(".dbf").open("rb") as file:
        file.seek(int.from_bytes(file.read(10)[8:], "little"))
        decoder = codecs.getincrementaldecoder("utf-8")()
        try:
            while block := file.read(_BLOCK):
                decoder.decode(block)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return "GB18030"
    return "UTF-8"


def _features(path: Path, register: Register, source: Path, **how: Any) -> Listing:
    """Read the columns that a list of villages has, and none of the others."""
    import geopandas
    import pyogrio

    said = pyogrio.read_info(source, **how)
    if said["features"] > _MOST_ROWS:
        raise refusal(path, f"文件超过 {_MOST_ROWS:,} 行，请核对；确有这么多时请按县拆分。")
    titles = [str(title) for title in said["fields"]]
    columns = _columns(path, register, titles)
    if said["geometry_type"] is None:
        raise refusal(path, "图层没有图形，只是一张表；请导出带点位的图层，或另存为 CSV。")
    wanted = [titles[at] for at in columns.values()]
    frame = geopandas.read_file(source, columns=list(dict.fromkeys(wanted)), **how)
    known = frame.astype(object).where(frame.notna(), None)
    fields = {field: known[titles[at]].tolist() for field, at in columns.items()}
    rows = [
        _feature(number, {field: values[number - 1] for field, values in fields.items()}, shape)
        for number, shape in enumerate(frame.geometry, start=1)
    ]
    return Listing(rows, True, _epsg(path, frame))


def _feature(number: int, values: Mapping[str, Any], shape: Any) -> ListedRow:
    if shape is None or shape.is_empty:
        return _row(number, values, None, None, "")
    points = list(getattr(shape, "geoms", [shape]))
    if len(points) > 1 or points[0].geom_type != "Point":
        return _row(number, values, None, None, "图形须是一个点。")
    return _row(number, values, points[0].x, points[0].y, "")


def _epsg(path: Path, frame: "geopandas.GeoDataFrame") -> int | None:
    if frame.crs is None:
        return None
    epsg = frame.crs.to_epsg() or frame.crs.to_epsg(min_confidence=25)
    if epsg is None:
        raise refusal(path, f"认不出文件的坐标系“{frame.crs.name}”，请用 --crs 指明。")
    return int(epsg)


_READERS = {
    ".csv": _read_csv,
    ".txt": _read_csv,
    ".xlsx": _read_workbook,
    ".gpkg": _read_geopackage,
    ".zip": _read_zip,
    ".shp": _read_shapefile,
}
