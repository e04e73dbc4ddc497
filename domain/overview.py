"""What the overview says about a set of units: groups, funnel, the late ones, classes of colour.

Merged units stand apart everywhere; what is filed and not yet accepted is never ranked.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from domain.progress import Lateness, LatenessLimits, UnitProgress, has_reached, mean

LATE = (Lateness.YELLOW, Lateness.ORANGE, Lateness.RED)


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage of the headline plans, in their common order."""

    stage_order: int
    name: str
    is_milestone: bool


@dataclass(frozen=True, slots=True)
class FunnelStep:
    """How many units have reached a stage, of those that compile a plan of their own."""

    stage: Stage
    reached: int
    standing: int
    """Units whose furthest accepted stage is this one."""


@dataclass(frozen=True, slots=True)
class Group:
    """Units that are ranked together: a city with its counties, or a kind."""

    key: str
    name: str
    units: int
    mean_ratio: float | None
    mean_pending: float
    approved: int
    late: int


def late_units(units: Iterable[UnitProgress], limits: LatenessLimits) -> list[UnitProgress]:
    """Return the late units, the latest first."""
    late = [unit for unit in units if unit.lateness(limits) in LATE]
    return sorted(late, key=lambda unit: (-unit.late_days, unit.code))


def funnel(units: Iterable[UnitProgress], stages: Sequence[Stage]) -> list[FunnelStep]:
    """Return for each stage how many units have come that far."""
    orders = [unit.stage_order for unit in units if not unit.is_merged]
    return [
        FunnelStep(
            stage=stage,
            reached=sum(order >= stage.stage_order for order in orders),
            standing=orders.count(stage.stage_order),
        )
        for stage in stages
    ]


def rank(
    units: Iterable[UnitProgress],
    group_of: Callable[[UnitProgress], tuple[str, str]],
    limits: LatenessLimits,
    *,
    approved_stage: str,
) -> list[Group]:
    """Return the groups that `group_of` (key, name) makes, the furthest first, none left out."""
    members: dict[tuple[str, str], list[UnitProgress]] = {}
    for unit in units:
        members.setdefault(group_of(unit), []).append(unit)
    groups = [
        _group(key, name, group, limits, approved_stage) for (key, name), group in members.items()
    ]
    return sorted(groups, key=lambda group: (-(group.mean_ratio or 0), group.key))


def _group(
    key: str, name: str, units: list[UnitProgress], limits: LatenessLimits, approved_stage: str
) -> Group:
    compiling = [unit for unit in units if not unit.is_merged]
    return Group(
        key=key,
        name=name,
        units=len(compiling),
        mean_ratio=mean(unit.accepted_ratio for unit in compiling),
        mean_pending=mean(unit.pending_ratio for unit in compiling) or 0.0,
        approved=sum(has_reached(unit, approved_stage) for unit in compiling),
        late=len(late_units(compiling, limits)),
    )


def ratio_class(ratio: float) -> int:
    """Return the class 0–5 of a ratio 0–1: five fifths, and the top one for what is complete.

    >>> [ratio_class(ratio) for ratio in (0, 0.19, 0.2, 0.99, 1)]
    [0, 0, 1, 4, 5]
    """
    return min(int(ratio * 5 + 1e-9), 5)


def milestone_class(stage_order: int, milestones: Sequence[Stage]) -> int:
    """Return how many milestones lie at or before the stage: 0 before the first."""
    return sum(milestone.stage_order <= stage_order for milestone in milestones)
