"""Headline figures from units, against counts made by hand."""

from dataclasses import replace
from datetime import date

import pytest

from domain.progress import (
    Disposition,
    Lateness,
    LatenessLimits,
    PeriodState,
    lateness_of,
    summarise,
)
from tests.standing import UNIT

LIMITS = LatenessLimits(yellow=15, orange=45)


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        (-3, Lateness.ON_TIME),
        (0, Lateness.ON_TIME),
        (1, Lateness.YELLOW),
        (15, Lateness.YELLOW),
        (16, Lateness.ORANGE),
        (45, Lateness.ORANGE),
        (46, Lateness.RED),
    ],
)
def test_lateness_changes_colour_after_15_and_45_days(days, expected):
    assert lateness_of(days, LIMITS) is expected


def test_merged_units_are_outside_averages_and_late_lists():
    merged = replace(
        UNIT,
        disposition=Disposition.MERGED,
        accepted_ratio=0.0,
        late_days=99,
        late_since=date(2026, 1, 1),
    )
    summary = summarise([UNIT, merged], LIMITS)
    assert summary.mean_ratio == 0.5
    assert summary.lateness == {Lateness.ON_TIME: 1, Lateness.MERGED: 1}
    assert (summary.units, summary.merged) == (2, 1)


def test_returned_report_is_not_filed_until_it_is_filed_again():
    units = [UNIT, replace(UNIT, period_state=PeriodState.RETURNED)]
    assert summarise(units, LIMITS).completeness.ratio == 0.5
    units[1] = replace(units[1], period_state=PeriodState.SUBMITTED, on_time=False)
    summary = summarise(units, LIMITS)
    assert (summary.completeness.ratio, summary.timeliness.ratio) == (1.0, 0.5)


def test_unit_without_accepted_dates_is_unplanned_and_not_on_time():
    assert replace(UNIT, planned_stages=0).lateness(LIMITS) is Lateness.UNPLANNED


def test_approved_counts_units_at_the_stage_or_past_it():
    units = [
        UNIT,
        replace(UNIT, stage_name="批复", stage_order=13),
        replace(UNIT, stage_name="汇交备案入库", stage_order=14),
    ]
    assert summarise(units, LIMITS, approved_stage="批复").approved == 2


def test_nothing_to_average_is_missing_and_not_zero():
    assert summarise([], LIMITS).mean_ratio is None
    assert summarise([], LIMITS).completeness.ratio is None
