"""A figure of the villages' overview and the list behind it say the same numerator and whole."""

from decimal import Decimal

import pytest

from components.village_figures import figure_of
from domain.village_overview import ACCEPTED, Counts
from tests.forms import reference_form

PLANS = {"1": 14, "2": 2, "3": 2, "4": 7, "5": 6}


@pytest.mark.parametrize(
    ("asked", "part", "whole", "whole_title"),
    [
        ("plan_status:1", 14, 31, "已认定村"),
        ("plan_status:5", 6, 31, "已认定村"),
        ("plan_status:1,2", 16, 25, "需编村"),
        ("plan_status:1,2,3,4", 25, 31, "已认定村"),
    ],
)
def test_a_state_of_the_plan_is_a_part_of_what_was_accepted(asked, part, whole, whole_title):
    amounts = {("plan_status", code): Decimal(count) for code, count in PLANS.items()}
    counts = Counts(amounts | {ACCEPTED: Decimal(31)})
    figure = figure_of(asked, counts, reference_form("village_evaluation", "村庄评估"))
    assert (figure.part, figure.whole, figure.whole_title) == (part, whole, whole_title)


@pytest.mark.parametrize(
    ("asked", "whole_opens"),
    [
        ("service:hard_road", "answered:hard_road"),
        ("eval_conclusion:1", "eval_conclusion:1,2,3,4,5"),
        ("plan_status:1,2", "plan_status:1,2,3,4"),
        ("village_class:1", "accepted"),
        ("accepted", "asked"),
    ],
)
def test_every_whole_opens_its_own_list(asked, whole_opens):
    amounts = {
        ("accepted", ""): 31, ("asked", ""): 40, ("service", "hard_road"): 9,
        ("answered", "hard_road"): 20, ("eval_conclusion", "1"): 5, ("eval_conclusion", "4"): 6,
    } | {("plan_status", code): count for code, count in PLANS.items()}  # fmt: skip
    counts = Counts({key: Decimal(amount) for key, amount in amounts.items()})
    form = reference_form("village_evaluation", "村庄评估")
    figure = figure_of(asked, counts, form)
    assert figure.whole_opens == whole_opens
    assert figure_of(whole_opens, counts, form).part == figure.whole
