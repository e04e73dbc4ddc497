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
