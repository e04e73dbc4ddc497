"""Loads of many rows by the owner, which stand in the trail as one entry a table."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection

from data_access.queries import load_queries

_SQL = load_queries("bulk_load")


@contextmanager
def one_trail_entry(
    owner: Connection, table: str, row_count: int, digest: str, action: str
) -> Iterator[None]:
    """Let the rows written in this block stand in the trail as one entry."""
    with silently(owner):
        yield
    log_load(owner, table, row_count, digest, action)


@contextmanager
def silently(owner: Connection) -> Iterator[None]:
    """Write no entry for the rows of this block; the caller logs the load."""
    owner.execute(_SQL["begin_bulk_load"])
    yield
    owner.execute(_SQL["end_bulk_load"])


def log_load(owner: Connection, table: str, row_count: int, digest: str, action: str) -> None:
    """Say in the trail that so many rows were loaded, with the SHA-256 of what they hold."""
    entry = {"table_name": table, "row_count": row_count, "digest": digest, "action": action}
    owner.execute(_SQL["log_bulk_load"], entry)
