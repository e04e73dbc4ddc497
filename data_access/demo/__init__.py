"""An invented history of the whole province, from one seed: what a new portal shows.

Everything here is made up but the divisions, and the portal says so on every screen. The same
seed and day give the same rows; the passwords alone are random each time.
"""

import hashlib
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import psycopg

from data_access.demo.bulk import TABLES, Rows, first_ids
from data_access.demo.province import Province
from data_access.demo.reference import ask, read_reference

_SEED = 20201117


@dataclass(frozen=True, slots=True)
class DemoSummary:
    """What was loaded: rows by table, and a digest that is the same for a seed and a day."""

    counts: dict[str, int]
    digest: str


def load(
    owner_connection: psycopg.Connection[Any], data_dir: Path, *, today: date, seed: int = _SEED
) -> DemoSummary:
    """Load the demo into an empty database, in one transaction, and write demo_accounts.csv.

    Nothing happens later than the first minute of `today`. Evidence goes to `data_dir`/uploads.
    """
    with owner_connection.transaction(), owner_connection.cursor() as cursor:
        cursor.execute("SET LOCAL TimeZone = 'Asia/Shanghai'")
        rows = Rows(first_ids(cursor))
        Province(rows, read_reference(cursor, today), data_dir, today, seed).tell()
        cursor.execute("SET LOCAL app.bulk_load = 'on'")
        cursor.execute("SET LOCAL default_toast_compression = 'lz4'")  # half the time of pglz
        digests = rows.copy_into(cursor)
        cursor.execute("SET LOCAL app.bulk_load = 'off'")
        ask(cursor, "mark_as_demo")
    digests.pop("account")  # its passwords are random
    joined = "".join(f"{table}:{digest};" for table, digest in digests.items())
    return DemoSummary(
        {table: rows.count(table) for table in TABLES}, hashlib.sha256(joined.encode()).hexdigest()
    )
