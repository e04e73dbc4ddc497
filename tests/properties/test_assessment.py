"""What holds for every judgement, whatever is filed; tests/data_access has the database's part."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from domain.assessment import (
    Attribute,
    Direction,
    Facts,
    Judgement,
    Level,
    Measure,
    Profile,
    Rule,
    Target,
    TargetState,
    final_level,
    judge,
    ratio,
    together,
    worst,
)
from domain.bands import parse_band

YEARS = (2024, 2025)
AMOUNTS = st.decimals("0.01", 500, places=2)
PARTS = st.tuples(AMOUNTS, AMOUNTS)
VALUES = st.decimals(-500, 500, places=2)
TARGETS = st.one_of(
    st.none(),
    st.just(Target(2025, TargetState.NOT_ISSUED)),
    st.builds(
        Target,
        st.sampled_from(YEARS),
        st.just(TargetState.ISSUED),
        AMOUNTS,
        st.just(2020),
        AMOUNTS,
    ),
)
PROFILES = {
    measure: Profile(measure, *map(parse_band, bands), falls_back_on_province=True)
    for measure, bands in {
        Measure.TARGET_FLOOR: ("[1.01,1.02)", "[1.005,1.01)", "[1,1.005)", "(,1)"),
        Measure.TARGET_CEILING: ("[0.9,0.95)", "[0.95,0.98)", "[0.98,1]", "(1,)"),
        Measure.PATH_FLOOR: ("[0.95,1)", "[0.9,0.95)", "[0.8,0.9)", "(,0.8)"),
        Measure.PATH_CEILING: ("(1,1.05]", "(1.05,1.1]", "(1.1,1.2]", "(1.2,)"),
        Measure.RANGE: ("(0,0.1]", "(0.1,0.2]", "(0.2,0.3]", "(0.3,)"),
        Measure.VALUE: ("empty", "empty", "empty", "(0,)"),
        Measure.CHANGE: ("(0.1,0.2]", "(0.2,0.3]", "(0.3,0.5]", "(0.5,)"),
        Measure.NONE: ("empty", "empty", "empty", "empty"),
    }.items()
}
RULES = st.builds(
    Rule,
    st.sampled_from(Direction),
    st.none() | st.sampled_from(Attribute),
    st.just(Decimal(0)),
    st.just(Decimal(100)),
    st.sampled_from(list(PROFILES.values())),
)
FACTS = st.builds(
    Facts,
    st.sampled_from(YEARS),
    st.none() | VALUES,
    st.none() | VALUES,
    TARGETS,
    st.none() | AMOUNTS,
    st.booleans(),
)
EARLIER = st.lists(st.sampled_from(Level), max_size=4)


@given(st.lists(PARTS, min_size=1, max_size=12), st.sampled_from([1, 100, 10_000]))
def test_a_ratio_of_sums_lies_between_the_ratios_of_the_parts(parts, scale):
    ratios = [ratio(above, below, Decimal(scale)) for above, below in parts]
    assert min(ratios) <= together(parts, Decimal(scale)) <= max(ratios)


@given(RULES, FACTS, EARLIER, st.integers(2, 5))
def test_what_is_missing_has_no_level_whatever_the_rule(rule, facts, earlier, yellow_years):
    level = final_level(judge(rule, facts), earlier, yellow_years)
    assert (level is Level.NO_DATA) == (facts.value is None)


@given(
    st.sampled_from([Measure.PATH_FLOOR, Measure.PATH_CEILING]),
    AMOUNTS,
    AMOUNTS,
    EARLIER,
    st.lists(st.sampled_from(Level), max_size=9),
)
def test_a_missed_binding_target_is_red_whatever_else_is_good(measure, value, aim, earlier, others):
    target = Target(2025, TargetState.ISSUED, aim, 2020, Decimal(1))
    rule = Rule(
        Direction.HIGHER_BETTER, Attribute.BINDING, Decimal(0), Decimal(500), PROFILES[measure]
    )
    judged = judge(rule, Facts(2025, value, target=target))
    missed = value < aim if measure is Measure.PATH_FLOOR else value > aim
    assert judged.is_breach == missed
    if missed:
        level = final_level(judged, earlier, 2)
        assert worst([*others, level]) is Level.SEVERE


@given(st.builds(Judgement, st.sampled_from(Level), is_breach=st.just(True)), EARLIER)
def test_no_earlier_year_makes_a_breach_lighter(judged, earlier):
    assert final_level(judged, earlier, 2) is Level.SEVERE
