"""Status assessment: ratios from their parts, targets on their way, levels by rule.

The database computes the same for all units at once (migration 0033); a test compares the two on
every unit. Numbers are Decimal and rounded half up to six places, as the database does.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum

from domain.bands import Band

_SIX_PLACES = Decimal("0.000001")
_MET_WITHOUT_AIM = Decimal(2)  # a floor of nothing is met, however little there is


class Level(StrEnum):
    """How an indicator of a unit stands; in the order of gravity."""

    NO_DATA = "no_data"
    UNRATED = "unrated"
    NORMAL = "normal"
    HINT = "hint"
    WATCH = "watch"
    WARN = "warn"
    SEVERE = "severe"

    @property
    def rank(self) -> int:
        """-2 no data, -1 unrated, 0 normal, 1 to 4 blue, yellow, orange, red."""
        return list(Level).index(self) - 2


class ValueKind(StrEnum):
    QUANTITY = "quantity"
    RATIO = "ratio"
    READING = "reading"
    DERIVED = "derived"


class Attribute(StrEnum):
    BINDING = "binding"
    EXPECTED = "expected"
    SUGGESTED = "suggested"


class Tier(StrEnum):
    BASIC = "basic"
    RECOMMENDED = "recommended"
    PLAN_TARGET = "plan_target"


class Direction(StrEnum):
    HIGHER_BETTER = "higher_better"
    LOWER_BETTER = "lower_better"
    BINDING_FLOOR = "binding_floor"
    BINDING_CEILING = "binding_ceiling"
    RANGE = "range"
    MONITOR = "monitor"
    ZERO_TOLERANCE = "zero_tolerance"


class Measure(StrEnum):
    TARGET_FLOOR = "target_floor"
    TARGET_CEILING = "target_ceiling"
    PATH_FLOOR = "path_floor"
    PATH_CEILING = "path_ceiling"
    RANGE = "range"
    VALUE = "value"
    CHANGE = "change"
    NONE = "none"


class TargetState(StrEnum):
    ISSUED = "issued"
    NOT_ISSUED = "not_issued"


class ReferenceKind(StrEnum):
    TARGET = "target"
    PROVINCE = "province"
    PREVIOUS = "previous"


class Reason(StrEnum):
    """Why a level is not simply what the measure says."""

    NO_TARGET = "no_target"
    NO_PREVIOUS = "no_previous"
    DISPLAY_ONLY = "display_only"
    INCOMPLETE = "incomplete"
    CONSECUTIVE = "consecutive"
    BREACH = "breach"


_BOUND_BY_DIRECTION = frozenset(
    {Direction.BINDING_FLOOR, Direction.BINDING_CEILING, Direction.ZERO_TOLERANCE}
)
_FLOORS = frozenset({Measure.TARGET_FLOOR, Measure.PATH_FLOOR})
_TARGETS = frozenset({Measure.TARGET_FLOOR, Measure.TARGET_CEILING})
_PATHS = frozenset({Measure.PATH_FLOOR, Measure.PATH_CEILING})


def rounded(number: Decimal) -> Decimal:
    """Return the number with six places, half up."""
    return number.quantize(_SIX_PLACES, ROUND_HALF_UP)


# RATIOS AND SUMS


def ratio(
    numerator: Decimal | None, denominator: Decimal | None, scale: Decimal = Decimal(1)
) -> Decimal | None:
    """Return numerator × scale ÷ denominator, or None where a part is missing or nothing is below.

    >>> ratio(Decimal(1), Decimal(2), Decimal(100))
    Decimal('50.000000')
    >>> ratio(Decimal(1), None) is None and ratio(Decimal(1), Decimal(0)) is None
    True
    """
    if numerator is None or not denominator:
        return None
    return rounded(numerator * scale / denominator)


def together(
    parts: Iterable[tuple[Decimal, Decimal]], scale: Decimal = Decimal(1)
) -> Decimal | None:
    """Return the ratio of several units: of their sums, never the mean of their ratios.

    >>> together([(Decimal(1), Decimal(2)), (Decimal(1), Decimal(8))], Decimal(100))
    Decimal('20.000000')
    """
    known = list(parts)
    if not known:
        return None
    return ratio(
        sum((n for n, _ in known), Decimal()), sum((d for _, d in known), Decimal()), scale
    )


# TARGETS


@dataclass(frozen=True, slots=True)
class Target:
    """What a unit is to reach by a year, or that nothing was issued yet."""

    target_year: int
    state: TargetState
    target_value: Decimal | None = None
    base_year: int | None = None
    base_value: Decimal | None = None


def target_of(targets: Sequence[Target], year: int) -> Target | None:
    """Return the target a year is measured by: the next one to come, else the last; None for none.

    >>> both = [Target(2025, TargetState.ISSUED, Decimal(8)), Target(2035, TargetState.NOT_ISSUED)]
    >>> [target_of(both, year).target_year for year in (2020, 2025, 2026, 2040)]
    [2025, 2025, 2035, 2035]
    """
    ordered = sorted(targets, key=lambda each: each.target_year)
    later = [each for each in ordered if each.target_year >= year]
    candidates = later or ordered[-1:]
    return candidates[0] if candidates else None


def due_value(target: Target, year: int) -> Decimal | None:
    """Return what is to be reached in a year: on the straight line from base to target.

    >>> due_value(Target(2025, TargetState.ISSUED, Decimal(60), 2020, Decimal(50)), 2023)
    Decimal('56.000000')
    >>> due_value(Target(2025, TargetState.NOT_ISSUED), 2023) is None
    True
    """
    value, base_year, base = target.target_value, target.base_year, target.base_value
    if value is None or base_year is None or base is None or year >= target.target_year:
        return value
    if year <= base_year:
        return base
    return rounded(base + (value - base) * (year - base_year) / (target.target_year - base_year))


# RULES


@dataclass(frozen=True, slots=True)
class Profile:
    """One model of warning, of one version of the rules."""

    measure: Measure
    blue: Band
    yellow: Band
    orange: Band
    red: Band
    falls_back_on_province: bool = False

    def level(self, measure: Decimal) -> Level:
        """Return the level of a measure."""
        bands = (
            (self.red, Level.SEVERE),
            (self.orange, Level.WARN),
            (self.yellow, Level.WATCH),
            (self.blue, Level.HINT),
        )
        return next((level for band, level in bands if measure in band), Level.NORMAL)


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of one unit's indicator in one year."""

    year: int
    value: Decimal | None
    previous: Decimal | None = None
    target: Target | None = None
    province: Decimal | None = None
    """The province's ratio of the year, for indicators that have one and units below it."""
    is_incomplete: bool = False
    """Whether it is a sum to which some of the parts are missing."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What an indicator brings to its judgement."""

    direction: Direction
    attribute: Attribute | None
    typical_min: Decimal
    typical_max: Decimal
    profile: Profile


@dataclass(frozen=True, slots=True)
class Judgement:
    base_level: Level
    reference: Decimal | None = None
    reference_kind: ReferenceKind | None = None
    measure: Decimal | None = None
    is_breach: bool = False
    reason: Reason | None = None


def judge(rule: Rule, facts: Facts) -> Judgement:
    """Return how a value stands by itself, before earlier years are looked at.

    >>> from domain.bands import parse_band
    >>> floor = Profile(Measure.TARGET_FLOOR, parse_band("[1.01,1.02)"), parse_band("[1.005,1.01)"),
    ...                 parse_band("[1,1.005)"), parse_band("(,1)"))
    >>> land = Rule(Direction.BINDING_FLOOR, Attribute.BINDING, Decimal(0), Decimal(800), floor)
    >>> target = Target(2035, TargetState.ISSUED, Decimal(40))
    >>> [judge(land, Facts(2025, value, target=target)).base_level.value
    ...  for value in (Decimal("39.99"), Decimal("40.1"), Decimal("40.3"), Decimal(45), None)]
    ['severe', 'warn', 'watch', 'normal', 'no_data']
    """
    kind = rule.profile.measure
    reference, reference_kind = _reference(rule.profile, facts)
    measure = _measure(rule, facts, reference)
    reason = _reason(kind, facts, measure)
    if facts.value is None:
        level, breach = Level.NO_DATA, False
    elif facts.is_incomplete or measure is None:
        level, breach = Level.UNRATED, False
    else:
        level = rule.profile.level(measure)
        breach = _breaks(rule, facts, level)
    return Judgement(
        level, reference, reference_kind, measure, breach, Reason.BREACH if breach else reason
    )


def _reference(profile: Profile, facts: Facts) -> tuple[Decimal | None, ReferenceKind | None]:
    reference, kind = None, ReferenceKind.TARGET
    if profile.measure is Measure.CHANGE:
        reference, kind = facts.previous, ReferenceKind.PREVIOUS
    elif profile.measure in _TARGETS and facts.target:
        reference = facts.target.target_value
    elif profile.measure in _PATHS and facts.target:
        reference = due_value(facts.target, facts.year)
    elif profile.measure in _PATHS and profile.falls_back_on_province:
        reference, kind = facts.province, ReferenceKind.PROVINCE
    return reference, None if reference is None else kind


def _measure(rule: Rule, facts: Facts, reference: Decimal | None) -> Decimal | None:
    kind, value = rule.profile.measure, facts.value
    if kind is Measure.NONE or (reference is None and kind not in (Measure.VALUE, Measure.RANGE)):
        return None
    if kind in _FLOORS and reference == 0:
        return _MET_WITHOUT_AIM
    if value is None:
        return None
    if kind is Measure.VALUE:
        return value
    if kind is Measure.RANGE:
        beyond = max(rule.typical_min - value, value - rule.typical_max, Decimal())
        return rounded(beyond / (rule.typical_max - rule.typical_min))
    assert reference is not None
    if kind is Measure.CHANGE:
        return rounded(abs(value - reference) / abs(reference)) if reference else None
    if reference == 0:
        return 1 + value if value > 0 else Decimal()
    return rounded(value / reference)


def _breaks(rule: Rule, facts: Facts, level: Level) -> bool:
    """Tell whether something binding is broken: a limit, or a target whose year has come."""
    if rule.direction in _BOUND_BY_DIRECTION and level is Level.SEVERE:
        return True
    target = facts.target
    if (
        rule.attribute is not Attribute.BINDING
        or rule.profile.measure not in _PATHS
        or target is None
        or target.target_value is None
        or facts.value is None
        or facts.year < target.target_year
    ):
        return False
    if rule.profile.measure is Measure.PATH_FLOOR:
        return facts.value < target.target_value
    return facts.value > target.target_value


def _reason(kind: Measure, facts: Facts, measure: Decimal | None) -> Reason | None:
    if facts.value is None:
        return None
    if facts.is_incomplete:
        return Reason.INCOMPLETE
    if kind is Measure.NONE:
        return Reason.DISPLAY_ONLY
    if measure is None:
        return Reason.NO_PREVIOUS if kind is Measure.CHANGE else Reason.NO_TARGET
    return None


def final_level(judgement: Judgement, earlier: Sequence[Level], yellow_years: int) -> Level:
    """Return the level with what came before: a breach is red, years of yellow rise one level.

    `earlier` are the levels of the years before, each by itself, the last one first.

    >>> final_level(Judgement(Level.WATCH), [Level.WATCH], 2).value
    'warn'
    >>> final_level(Judgement(Level.WATCH), [Level.NORMAL, Level.WATCH], 2).value
    'watch'
    """
    if judgement.is_breach:
        return Level.SEVERE
    run = earlier[: yellow_years - 1]
    if (
        judgement.base_level is Level.WATCH
        and len(run) == yellow_years - 1
        and all(level is Level.WATCH for level in run)
    ):
        return Level.WARN
    return judgement.base_level


def worst(levels: Iterable[Level]) -> Level:
    """Return the gravest level: what a unit is called by; NO_DATA of nothing at all.

    >>> worst([Level.NORMAL, Level.SEVERE, Level.NO_DATA]).value
    'severe'
    """
    return max(levels, key=lambda level: level.rank, default=Level.NO_DATA)
