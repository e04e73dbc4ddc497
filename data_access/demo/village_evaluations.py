"""Invented evaluations of every village: last year's nearly all filed, this year's in every state.

All of it is made in the database, from the villages' codes and one seed: copying a quarter of a
million rows through Python would take longer than the rest of the demo.
"""

from datetime import date

from sqlalchemy import Connection

from data_access import check_rules
from data_access.administration import owner_transaction
from data_access.portal_settings import read_settings
from data_access.queries import load_queries
from domain import clock

_SQL = load_queries("village_evaluations_demo")
_COUNT = load_queries("villages")
_SEED = 20201117
_ACTION = "demo.load"
_HINT = "per_capita_hint"
_PREPARED = (
    "make_villages",
    "analyze_place",
    "make_plan_states",
    "make_natural_villages",
    "analyze_natural",
    "make_village_evaluations",
    "analyze_village",
    "make_stories",
    "analyze_story",
    "make_content",
)
_WRITTEN = (
    "add_submissions",
    "add_filed",
    "add_accepted_villages",
    "add_accepted_natural_villages",
    "add_events",
    "add_remarks",
    "add_receipts",
    "add_checks",
)


def load(owner_url: str, *, today: date | None = None, seed: int = _SEED) -> int:
    """Load the evaluations in one transaction; return how many reports there are.

    Villages, their places and the people of the demo have to be there.
    """
    with owner_transaction(owner_url, action=_ACTION) as owner:
        return _load(owner, today or clock.today(), seed)


def _per_capita_hint(owner: Connection) -> object:
    """Return the threshold of the one rule that invented evaluations of this year may meet."""
    rules = check_rules.list_rules(owner, "village_evaluation")
    return next(rule.limits[_HINT] for rule in rules if _HINT in rule.limits)


def _load(owner: Connection, today: date, seed: int) -> int:
    settings = read_settings(owner)
    common = {
        "day": today,
        "year": today.year,
        "seed": seed,
        "deadline_day": settings.get("period_deadline_day", 25),
        "per_capita_hint": _per_capita_hint(owner),
    }
    owner.execute(_SQL["set_up"])
    owner.execute(_SQL["make_chance"])
    owner.execute(_SQL["make_office_time"])
    owner.execute(_SQL["add_periods"], common)
    owner.execute(_SQL["make_people"], common)
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
    return int(counts["submission"])
