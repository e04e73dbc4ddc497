"""Groups, funnel and classes of the overview, against counts made by hand."""

from dataclasses import replace
from datetime import date

import pytest

from components.map import (
    ColourBy,
    Level,
    Palette,
    Picture,
    clicked_code,
    deck,
    tooltip_lines,
)
from data_access.layers import Extent
from domain.overview import Stage, funnel, late_units, milestone_class, rank, ratio_class
from domain.progress import Disposition, Lateness, LatenessLimits
from tests.standing import UNIT

LIMITS = LatenessLimits(yellow=15, orange=45)
STAGES = [Stage(1, "启动部署", True), Stage(7, "征求意见", False), Stage(13, "批复", True)]
MILESTONES = tuple(stage for stage in STAGES if stage.is_milestone)
LATE = replace(
    UNIT, code="360121", late_days=50, late_since=date(2026, 10, 3), late_stage_name="公示"
)
MERGED = replace(UNIT, code="360102", disposition=Disposition.MERGED, late_days=90)
DONE = replace(UNIT, code="360733", parent_code="360700", stage_order=13, stage_name="批复",
               accepted_ratio=0.94)  # fmt: skip
UNPLANNED = replace(UNIT, code="360734", planned_stages=0, late_days=0)
PICTURE = Picture(Level.COUNTY, ColourBy.RATIO, None, "360100", None, "1")
UNITS = [UNIT, LATE, MERGED, DONE, UNPLANNED]


def test_the_latest_come_first_and_merged_units_are_never_late():
    later = replace(LATE, code="360900", late_days=51)
    assert [unit.code for unit in late_units([*UNITS, later], LIMITS)] == ["360900", "360121"]


def test_the_funnel_counts_who_has_come_that_far():
    assert [(step.reached, step.standing) for step in funnel(UNITS, STAGES)] == [
        (4, 0),
        (4, 3),
        (1, 1),
    ]


def test_the_ranking_is_by_what_is_accepted_and_leaves_merged_units_out():
    groups = rank(UNITS, lambda unit: (unit.parent_code, ""), LIMITS, approved_stage="批复")
    assert [(g.key, g.units, g.approved, g.late) for g in groups] == [
        ("360700", 1, 1, 0),
        ("360100", 3, 0, 1),
    ]
    assert groups[1].mean_ratio == pytest.approx(0.5)


def test_pending_work_does_not_move_a_rank():
    eager = replace(UNIT, code="1", parent_code="a", pending_ratio=0.4)
    steady = replace(UNIT, code="2", parent_code="b", accepted_ratio=0.51, pending_ratio=0)
    groups = rank([eager, steady], lambda unit: (unit.parent_code, ""), LIMITS, approved_stage="")
    assert [group.key for group in groups] == ["b", "a"]


@pytest.mark.parametrize(("ratio", "expected"), [(0, 0), (0.6, 3), (0.999, 4), (1.0, 5)])
def test_only_what_is_complete_gets_the_last_colour(ratio, expected):
    assert ratio_class(ratio) == expected


@pytest.mark.parametrize(("order", "expected"), [(0, 0), (1, 1), (12, 1), (13, 2), (14, 2)])
def test_a_stage_belongs_to_the_milestone_before_it(order, expected):
    assert milestone_class(order, MILESTONES) == expected


@pytest.mark.parametrize("colour_by", list(ColourBy))
def test_the_legend_counts_every_unit_once(colour_by):
    legend = Palette(colour_by, LIMITS, MILESTONES).legend(UNITS)
    assert sum(swatch.count for swatch in legend) == len(UNITS)
    assert legend[-1].hatched


def test_lateness_shows_by_a_mark_as_well_as_by_colour():
    palette = Palette(ColourBy.LATENESS, LIMITS, MILESTONES)
    degrees = [replace(LATE, late_days=days) for days in (0, 5, 20, 50)]
    marks = [palette.symbol_of(unit) for unit in degrees]
    assert len(set(marks)) == len({palette.colour_of(unit) for unit in degrees}) == 4
    assert palette.symbol_of(MERGED) == ""


def test_the_tooltip_says_since_when():
    assert tooltip_lines(LATE, LIMITS)["since"] == "“公示”自 2026-10-03 起滞后 50 天"
    assert UNPLANNED.lateness(LIMITS) is Lateness.UNPLANNED
    assert tooltip_lines(UNPLANNED, LIMITS)["since"] == "未定计划完成日期"


def test_nothing_on_the_map_is_asked_of_another_server():
    description = deck(PICTURE, Extent(113.6, 24.5, 118.5, 30.1), 1100, 560).to_json()
    assert "http" not in description
    assert "/api/style.json" in description


def test_the_view_holds_the_whole_extent():
    view = deck(PICTURE, Extent(113.6, 24.5, 118.5, 30.1), 1100, 560).initial_view_state
    assert 512 * 2**view.zoom / 360 * (118.5 - 113.6) < 1100
    assert 24.5 < view.latitude < 30.1


@pytest.mark.parametrize("selection", [{}, {"objects": {}}, {"objects": {"units": []}}])
def test_a_click_beside_the_map_opens_nothing(selection):
    assert clicked_code(selection) is None
