"""Invented figures of the status assessment: five years of every unit, targets, what they raise.

All of it is made in the database from codes and one seed, as the village evaluations are.
"""

from datetime import date

from data_access.administration import owner_transaction
from data_access.demo.invented_reports import ACTION, SEED, Story, invent
from data_access.queries import load_queries
from domain import clock

_STORY = Story(
    load_queries("assessments_demo"),
    prepared=(
        "add_periods",
        "make_units",
        "make_kinds",
        "make_figures",
        "make_cities",
        "index_figures",
        "analyze_figures",
        "make_stories",
        "make_content",
    ),
    written=(
        "add_targets",
        "add_province_targets",
        "add_submissions",
        "add_filed",
        "add_accepted",
        "add_events",
        "add_receipts",
        "analyze_values",
        "assess_all",
    ),
)


def load(owner_url: str, *, today: date | None = None, seed: int = SEED) -> int:
    """Load the figures in one transaction; return how many were accepted.

    The people of the demo have to be there.
    """
    with owner_transaction(owner_url, action=ACTION) as owner:
        counts = invent(owner, _STORY, today or clock.today(), seed)
    return counts["accepted_indicator_value"]
