"""The registers as files that the imports read again: divisions, villages, natural villages."""

import csv
from datetime import date
from enum import StrEnum
from pathlib import Path
from tempfile import NamedTemporaryFile

from sqlalchemy import Connection

from data_access.queries import load_queries

_SQL = load_queries("register_export")
_DEMO = "演示数据"
_AT_ONCE = 5_000  # rows


class Exported(StrEnum):
    """What can be written, by its word on the command line."""

    DIVISIONS = "divisions"
    VILLAGES = "villages"
    NATURAL_VILLAGES = "natural-villages"


def export(
    connection: Connection, what: Exported, path: Path, *, day: date, within: str = ""
) -> int:
    """Write a register to a CSV file (UTF-8 with a mark, EPSG:4490, degrees); return its rows.

    Villages are those of `day`, divisions have all their versions; `within` is what their codes
    begin with. The file is there when it is whole; one that was there before is replaced.
    """
    rows = connection.execution_options(yield_per=_AT_ONCE).execute(
        _SQL[what.name.lower()], {"within": within, "day": day, "demo": _DEMO}
    )
    count = 0
    with NamedTemporaryFile(
        "w", encoding="utf-8-sig", newline="", dir=path.parent, delete=False
    ) as file:
        part = Path(file.name)
        try:
            writer = csv.writer(file)
            writer.writerow(rows.keys())
            for some in rows.partitions():
                writer.writerows(some)
                count += len(some)
            part.chmod(0o644)
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
    return count
