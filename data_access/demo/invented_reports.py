"""Reports of a form, invented in the database from codes and one seed: what every form shares.

Copying a quarter of a million rows through Python would take longer than the rest of the demo.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection, TextClause

from data_access.bulk_load import log_load, silently
from data_access.portal_settings import read_settings
from data_access.queries import load_queries

ACTION = "demo.load"
SEED = 20201117
_SQL = load_queries("invented_reports")


@dataclass(frozen=True, slots=True)
class Story:
    """How the reports of a form come about: what is made aside, then what is written, in order."""

    queries: Mapping[str, TextClause]
    prepared: tuple[str, ...]
    written: tuple[str, ...]


def invent(
    owner: Connection, story: Story, today: date, seed: int, **more: object
) -> dict[str, int]:
    """Write the reports with one entry of the trail a table; return how many rows each got."""
    common = {
        "day": today,
        "year": today.year,
        "seed": seed,
        "deadline_day": read_settings(owner).get("period_deadline_day", 25),
        **more,
    }
    for query in _SQL.values():
        owner.execute(query)
    for name in story.prepared:
        owner.execute(story.queries[name], common)
    with silently(owner):
        for name in story.written:
            owner.execute(story.queries[name], common)
    digest = owner.execute(story.queries["digest_versions"]).scalar_one()
    counts = {row.table_name: row.rows for row in owner.execute(story.queries["count_rows"])}
    for table, count in counts.items():
        log_load(owner, table, count, digest, ACTION)
    return counts
