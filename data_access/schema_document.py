"""Print the schema as a page: every table, column and constraint with its Chinese name."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any

from sqlalchemy import Connection


def schema_markdown(connection: Connection) -> str:
    """Return docs/schema.md as the database describes itself."""
    lines = [
        "# Schema",
        "",
        "Printed from the catalogue by `./portal docs`; a test compares it. Time is `timestamptz`,",
        "shares are ratios from 0 to 1, geometry is EPSG:4490 unless its name says otherwise.",
    ]
    columns = connection.exec_driver_sql(_COLUMNS).all()
    promises = {row[0]: row[1] for row in connection.exec_driver_sql(_CONSTRAINTS)}
    for (table, title), rows in groupby(columns, key=lambda row: (row[0], row[1])):
        lines += _table_lines(table, title, rows, promises.get(table, []))
    return "\n".join(lines) + "\n"


def _table_lines(
    name: str, title: str, rows: Iterable[Sequence[Any]], promises: list[str]
) -> Iterator[str]:
    yield from ("", f"## {name}", "", title or "", "")
    yield from ("| column | type | 说明 |", "|---|---|---|")
    for _, _, column, data_type, optional, comment in rows:
        mark = " ?" if optional else ""
        yield f"| `{column}` | {data_type}{mark} | {comment or ''} |"
    if promises:
        yield ""
        yield "Promises: " + ", ".join(f"`{promise}`" for promise in promises) + "."


_OURS = """
       pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
 WHERE nspname = 'public' AND relkind IN ('r', 'v')
   AND relname !~ '^(procrastinate|spatial_ref_sys|geometry_columns|geography_columns)'
"""
_COLUMNS = f"""
SELECT ours.relname, obj_description(ours.oid, 'pg_class'), attname
     , format_type(atttypid, atttypmod), NOT attnotnull, col_description(ours.oid, attnum)
  FROM (SELECT pg_class.oid, relname FROM {_OURS}) AS ours
  JOIN pg_attribute ON attrelid = ours.oid AND attnum > 0 AND NOT attisdropped
 ORDER BY ours.relname COLLATE "C", attnum
"""  # noqa: S608 - constants of this module
_CONSTRAINTS = f"""
SELECT ours.relname, array_agg(CAST(conname AS text) ORDER BY conname COLLATE "C")
  FROM (SELECT pg_class.oid, relname FROM {_OURS}) AS ours
  JOIN pg_constraint ON conrelid = ours.oid AND contype IN ('c', 'x', 'u', 't')
 GROUP BY ours.relname
"""  # noqa: S608 - constants of this module
