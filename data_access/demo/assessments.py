"""Invented figures of the status assessment: five years of every unit, targets, what they raise.

All of it is made in the database from codes and one seed, as the village evaluations are.
"""

from datetime import date

from sqlalchemy import Connection

from data_access.administration import owner_transaction
from data_access.portal_settings import read_settings
from data_access.queries import load_queries
from domain import clock

_SQL = load_queries("assessments_demo")
_SHARED = load_queries("village_evaluations_demo")
_COUNT = load_queries("villages")
_SEED = 20201117
_ACTION = "demo.load"
_PREPARED = (
    "make_units",
    "make_kinds",
    "make_figures",
    "make_cities",
    "index_figures",
    "analyze_figures",
    "make_stories",
    "make_content",
)
_WRITTEN = (
    "add_targets",
    "add_submissions",
    "add_filed",
    "add_accepted",
    "add_events",
    "add_receipts",
    "analyze_values",
    "assess_all",
)


def load(owner_url: str, *, today: date | None = None, seed: int = _SEED) -> int:
    """Load the figures in one transaction; return how many were accepted.

    The people of the demo have to be there.
    """
    with owner_transaction(owner_url, action=_ACTION) as owner:
        return _load(owner, today or clock.today(), seed)


def _load(owner: Connection, today: date, seed: int) -> int:
    common = {
        "day": today,
        "year": today.year,
        "seed": seed,
        "deadline_day": read_settings(owner).get("period_deadline_day", 25),
    }
    for name in ("set_up", "make_chance", "make_office_time"):
        owner.execute(_SHARED[name])
    owner.execute(_SQL["add_periods"], common)
    for name in _PREPARED:
        owner.execute(_SQL[name], common)
    owner.execute(_COUNT["begin_bulk_load"])
    for name in _WRITTEN:
        owner.execute(_SQL[name], common)
    owner.execute(_COUNT["end_bulk_load"])
    digest = owner.execute(_SQL["digest_versions"]).scalar_one()
    counts = {row.table_name: row.rows for row in owner.execute(_SQL["count_rows"])}
    for table, count in counts.items():
        entry = {"table_name": table, "row_count": count, "digest": digest, "action": _ACTION}
        owner.execute(_COUNT["log_bulk_load"], entry)
    return int(counts["accepted_indicator_value"])
