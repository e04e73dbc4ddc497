"""Invented evaluations of every village: last year's nearly all filed, this year's in every state.

All of it is made in the database, from the villages' codes and one seed: copying a quarter of a
million rows through Python would take longer than the rest of the demo.
"""

from datetime import date

from sqlalchemy import Connection

from data_access import check_rules
from data_access.administration import owner_transaction
from data_access.demo.invented_reports import ACTION, SEED, Story, invent
from data_access.queries import load_queries
from domain import clock

_HINT = "per_capita_hint"
_STORY = Story(
    load_queries("village_evaluations_demo"),
    prepared=(
        "add_periods",
        "make_people",
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
    ),
    written=(
        "add_submissions",
        "add_filed",
        "add_accepted_villages",
        "add_accepted_natural_villages",
        "add_events",
        "add_remarks",
        "add_receipts",
        "add_checks",
    ),
)


def load(owner_url: str, *, today: date | None = None, seed: int = SEED) -> int:
    """Load the evaluations in one transaction; return how many reports there are.

    Villages, their places and the people of the demo have to be there.
    """
    with owner_transaction(owner_url, action=ACTION) as owner:
        hint = _per_capita_hint(owner)
        counts = invent(owner, _STORY, today or clock.today(), seed, per_capita_hint=hint)
    return counts["submission"]


def _per_capita_hint(owner: Connection) -> object:
    """Return the threshold of the one rule that invented evaluations of this year may meet."""
    rules = check_rules.list_rules(owner, "village_evaluation")
    return next(rule.limits[_HINT] for rule in rules if _HINT in rule.limits)
