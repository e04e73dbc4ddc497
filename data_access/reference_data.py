"""Load the reference data that a province starts with: divisions, boundaries, stages, forms.

Everything goes in by upsert, so the same call serves a new installation, an upgrade and another
province's files. Values an administrator changed in the portal (settings) are left alone.
"""

import csv
import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import shapely
from psycopg import sql

from data_access import rule_reference
from domain.errors import InvalidImport

if TYPE_CHECKING:
    import geopandas

REFERENCE = Path(__file__).parent / "reference"
# Parents before children; a setting that exists keeps its value.
_TABLES = (
    "calendar_day",
    "plan_stage",
    "weight_version",
    "stage_weight",
    "form_version",
    "form_field",
    "workflow_step",
    "code_item",
    "map_layer",
    "data_department",
    "indicator_set",
    "indicator_canonical",
    "indicator",
    "assessment_rules",
    "warning_profile",
    "warning_level",
    "spatial_indicator",
)
# What the planning bureau makes versions of and sets itself: a file adds to it and changes nothing.
_BUREAUS = frozenset({"assessment_rules", "warning_profile", "warning_level"})
_FIRST_DAY = date(2019, 1, 1)
# About 1 km: what a picture of a province can show, and what keeps picking fast.
_DRAWN_TOLERANCE_DEGREES = 0.01
_Load = Callable[[psycopg.Connection[Any], Path], object]


def load_all(connection: psycopg.Connection[Any], own: Path | None = None) -> None:
    """Load every reference table, in one transaction: files of `own` before this package's.

    Another province keeps its files in a folder of its own, by the same names.
    """

    def source(name: str) -> Path:
        return own / name if own and (own / name).exists() else REFERENCE / name

    with connection.transaction():
        _once(connection, source("admin_division.csv"), import_divisions)
        _once(connection, source("county_boundary.geojson"), import_boundaries)
        for table in _TABLES:
            load = _add_missing if table in _BUREAUS else _OF_TABLE.get(table, _upsert)
            _once(connection, source(f"{table}.csv"), load)
        _once(connection, source("check_rule.csv"), _load_rules)
        _once(connection, source("portal_setting.csv"), _add_missing)


def _once(connection: psycopg.Connection[Any], path: Path, load: _Load) -> None:
    """Load the file unless this very content was loaded before: a later start stays short."""
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    known = connection.execute(
        "SELECT sha256 FROM reference_file WHERE name = %s", [path.name]
    ).fetchone()
    if known == (digest,):
        return
    load(connection, path)
    connection.execute(
        "INSERT INTO reference_file (name, sha256) VALUES (%s, %s)"
        " ON CONFLICT (name) DO UPDATE SET sha256 = excluded.sha256, loaded_at = now()",
        [path.name, digest],
    )


def import_divisions(connection: psycopg.Connection[Any], path: Path) -> int:
    """Load divisions (code, name, level, kind, parent_code, prefix) and return how many.

    Optional columns `valid_from` and `valid_to` (ISO dates) carry former names and merged units.
    Raises InvalidImport with a sentence for each bad row; then nothing is written.
    """
    rows = _read_csv(path)
    problems = list(_division_problems(rows))
    if problems:
        raise InvalidImport(file=path.name, problems=problems)
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL app.bulk_load = 'on'")
        cursor.execute(_DIVISION_STAGING)
        with cursor.copy("COPY division_staging FROM STDIN") as copy:
            for row in rows:
                copy.write_row(
                    (
                        row["code"],
                        row["name"],
                        row["level"],
                        row["kind"],
                        row["parent_code"] or None,
                        row["prefix"],
                        row.get("valid_from") or _FIRST_DAY,
                        row.get("valid_to") or None,
                    )
                )
        cursor.execute(_TAKE_DIVISIONS)
        _log_bulk_load(cursor, "admin_division", len(rows), path, "division.import")
    return len(rows)


def import_boundaries(connection: psycopg.Connection[Any], path: Path) -> int:
    """Load county polygons (properties `code`; any CRS geopandas knows) and return how many.

    Boundaries of cities and of the province are unions of their counties. What is drawn is
    simplified as one coverage, so that neighbours keep their common border. EPSG:4490.
    Raises InvalidImport for unknown codes, duplicates and polygons that are not valid.
    """
    import geopandas  # half a second and 100 MB, which a start without new boundaries goes without

    counties = geopandas.read_file(path).to_crs(4490)
    parents = dict(
        connection.execute("SELECT code, parent_code FROM division_on(current_date)").fetchall()
    )
    problems = list(_boundary_problems(counties, parents))
    if problems:
        raise InvalidImport(file=path.name, problems=problems)
    shapes = counties.set_index("code")[["geometry"]]
    shapes["drawn"] = shapely.coverage_simplify(
        shapes.geometry.to_numpy(), _DRAWN_TOLERANCE_DEGREES
    )
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL app.bulk_load = 'on'")
        for code, boundary, drawn in _with_unions(shapes, parents):
            cursor.execute(_TAKE_BOUNDARY, _boundary_row(code, boundary, drawn))
        _log_bulk_load(cursor, "division_boundary", len(shapes), path, "boundary.import")
    return len(shapes)


def _read_csv(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def _division_problems(rows: Sequence[dict[str, str]]) -> Iterator[str]:
    if not rows or not {"code", "name", "level", "kind", "parent_code", "prefix"} <= set(rows[0]):
        yield "文件须含 code、name、level、kind、parent_code、prefix 各列。"
        return
    codes = {row["code"] for row in rows}
    seen: set[tuple[str, str]] = set()
    for number, row in enumerate(rows, start=2):
        key = (row["code"], row.get("valid_from") or "")
        if not row["code"].isdigit() or not row["code"].startswith(row["prefix"] or "?"):
            yield f"第 {number} 行：代码“{row['code']}”须为数字，并以前缀“{row['prefix']}”开头。"
        if key in seen:
            yield f"第 {number} 行：代码“{row['code']}”重复。"
        if not row["name"].strip():
            yield f"第 {number} 行：缺少名称。"
        if row["parent_code"] and row["parent_code"] not in codes:
            yield f"第 {number} 行：上级代码“{row['parent_code']}”不在文件中。"
        seen.add(key)


def _boundary_problems(
    counties: "geopandas.GeoDataFrame", parents: dict[str, str | None]
) -> Iterator[str]:
    if "code" not in counties:
        yield "要素须有 code 属性（区划代码）。"
        return
    for code in counties["code"][counties["code"].duplicated()]:
        yield f"代码“{code}”重复。"
    for code, shape in zip(counties["code"], counties.geometry, strict=True):
        if code not in parents:
            yield f"代码“{code}”不在行政区划中。"
        if shape is None or shape.is_empty or not shape.is_valid:
            yield f"代码“{code}”的图形为空或有自相交。"


def _with_unions(
    shapes: "geopandas.GeoDataFrame", parents: dict[str, str | None]
) -> Iterator[tuple[str, Any, Any]]:
    """Yield code, boundary and drawn boundary of every polygon, and of all above it."""
    level: dict[str, tuple[Any, Any]] = {
        str(code): (boundary, drawn)
        for code, boundary, drawn in zip(
            shapes.index, shapes.geometry, shapes["drawn"], strict=True
        )
    }
    while level:
        yield from ((code, *pair) for code, pair in level.items())
        above: dict[str, list[tuple[Any, Any]]] = {}
        for code, pair in level.items():
            if parent := parents.get(code):
                above.setdefault(parent, []).append(pair)
        level = {
            code: (
                shapely.union_all([boundary for boundary, _ in pairs]),
                shapely.union_all([drawn for _, drawn in pairs]),
            )
            for code, pairs in above.items()
        }


def _boundary_row(code: str, boundary: Any, drawn: Any) -> dict[str, object]:
    centre = shapely.get_point(shapely.maximum_inscribed_circle(drawn, tolerance=0.005), 0)
    return {
        "code": code,
        "valid_from": _FIRST_DAY,
        "boundary": shapely.to_wkb(boundary),
        "drawn": shapely.to_wkb(drawn),
        "label_at": shapely.to_wkb(centre),
    }


def _load_rules(connection: psycopg.Connection[Any], path: Path) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL app.bulk_load = 'on'")
        count = rule_reference.load(connection, path)
        _log_bulk_load(cursor, "check_rule", count, path, "reference.load")


def _load_canonicals(connection: psycopg.Connection[Any], path: Path) -> None:
    """Load the indicators; a formula that the bureau changed stays as it left it."""
    _upsert(connection, path)
    connection.execute("SELECT take_released_formulas()")


_OF_TABLE: dict[str, _Load] = {"indicator_canonical": _load_canonicals}


def _add_missing(connection: psycopg.Connection[Any], path: Path) -> None:
    _upsert(connection, path, keep=True)


def _upsert(connection: psycopg.Connection[Any], path: Path, *, keep: bool = False) -> None:
    """Copy a CSV into the table of its name: new keys are added, known ones updated."""
    table = path.stem
    with path.open(encoding="utf-8", newline="") as file:
        columns = next(csv.reader(file))
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    target = sql.Identifier(table)
    with connection.cursor() as cursor:
        cursor.execute(
            sql.SQL(
                "CREATE TEMP TABLE staging ON COMMIT DROP AS SELECT {} FROM {} WITH NO DATA"
            ).format(names, target)
        )
        copy_in = sql.SQL("COPY staging ({}) FROM STDIN WITH (FORMAT csv, HEADER)").format(names)
        with cursor.copy(copy_in) as copy:
            copy.write(path.read_bytes())
        keys = _primary_key(cursor, table)
        cursor.execute("SET LOCAL app.bulk_load = 'on'")
        cursor.execute(_upsert_statement(target, columns, keys, names, keep=keep))
        count = cursor.rowcount
        cursor.execute("DROP TABLE staging")
        _log_bulk_load(cursor, table, count, path, "reference.load")


def _primary_key(cursor: psycopg.Cursor[Any], table: str) -> list[str]:
    cursor.execute(
        "SELECT attname FROM pg_index"
        " JOIN pg_attribute ON attrelid = indrelid AND attnum = ANY (indkey)"
        " WHERE indrelid = CAST(%s AS regclass) AND indisprimary",
        [table],
    )
    return [name for (name,) in cursor.fetchall()]


def _upsert_statement(
    target: sql.Identifier,
    columns: Sequence[str],
    keys: Iterable[str],
    names: sql.Composed,
    *,
    keep: bool,
) -> sql.Composed:
    key_names = list(keys)
    changing = [column for column in columns if column not in key_names]
    assignments = sql.SQL(", ").join(
        sql.SQL("{0} = excluded.{0}").format(sql.Identifier(column)) for column in changing
    )
    action = (
        sql.SQL("NOTHING") if keep or not changing else sql.SQL("UPDATE SET {}").format(assignments)
    )
    return sql.SQL("INSERT INTO {} ({}) SELECT {} FROM staging ON CONFLICT ({}) DO {}").format(
        target, names, names, sql.SQL(", ").join(map(sql.Identifier, key_names)), action
    )


def _log_bulk_load(
    cursor: psycopg.Cursor[Any], table: str, count: int, path: Path, action: str
) -> None:
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    cursor.execute("SELECT log_bulk_load(%s, %s, %s, %s)", [table, count, digest, action])


_DIVISION_STAGING = """
CREATE TEMP TABLE division_staging (
    code text, name text, level text, kind text, parent_code text, prefix text
  , valid_from date, valid_to date
) ON COMMIT DROP
"""

# A version that starts on the same day is corrected; a later one ends the one before it.
_TAKE_DIVISIONS = """
INSERT INTO admin_division (code, level, prefix)
SELECT DISTINCT ON (code) code, level, prefix FROM division_staging ORDER BY code, valid_from DESC
    ON CONFLICT (code) DO UPDATE SET level = excluded.level, prefix = excluded.prefix
 WHERE (admin_division.level, admin_division.prefix) <> (excluded.level, excluded.prefix);

UPDATE admin_division_version AS open
   SET valid_to = staging.valid_from
  FROM division_staging AS staging
 WHERE open.code = staging.code AND open.valid_from < staging.valid_from
   AND (open.valid_to IS NULL OR open.valid_to > staging.valid_from);

INSERT INTO admin_division_version (code, valid_from, valid_to, name, kind, parent_code)
SELECT code, valid_from, valid_to, name, kind, parent_code FROM division_staging
    ON CONFLICT (code, valid_from) DO UPDATE
   SET valid_to = excluded.valid_to, name = excluded.name, kind = excluded.kind
     , parent_code = excluded.parent_code
"""

_TAKE_BOUNDARY = """
INSERT INTO division_boundary (code, valid_from, boundary, drawn, label_at)
VALUES (%(code)s, %(valid_from)s
      , ST_Multi(ST_SetSRID(CAST(%(boundary)s AS geometry), 4490))
      , ST_Multi(ST_SetSRID(CAST(%(drawn)s AS geometry), 4490))
      , ST_SetSRID(CAST(%(label_at)s AS geometry), 4490))
    ON CONFLICT (code, valid_from) DO UPDATE
   SET boundary = excluded.boundary, drawn = excluded.drawn, label_at = excluded.label_at
"""
