"""What the leader reads of village evaluations: counts by division and year, and their shares.

A share keeps its numerator and denominator; where nothing was counted there is none.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

Key = tuple[str, str]
"""What is counted, and the code or field within it, '' for none."""

ASKED: Key = ("asked", "")
IN_TIME: Key = ("in_time", "")
ACCEPTED: Key = ("accepted", "")
FILED: Key = ("state", "filed")
SUBMITTED: Key = ("state", "submitted")
RETURNED: Key = ("state", "returned")
HAZARD: Key = ("hazard", "any")
NATURAL: Key = ("natural", "accepted")
_WITH_PLAN = ("1", "2")  # approved, or compiled and waiting for approval
_NEEDING_PLAN = (*_WITH_PLAN, "3", "4")  # all but 无需编制


@dataclass(frozen=True, slots=True)
class Share:
    """A part of a whole, both kept."""

    part: Decimal
    whole: Decimal

    @property
    def ratio(self) -> float | None:
        """The part of the whole from 0 to 1; None where there is no whole.

        >>> Share(Decimal(465), Decimal(532)).ratio
        0.8740601503759399
        >>> Share(Decimal(0), Decimal(0)).ratio
        """
        return float(self.part / self.whole) if self.whole else None


@dataclass(frozen=True, slots=True)
class Counts:
    """The counts of one division in one year, or of several together."""

    amounts: Mapping[Key, Decimal] = field(default_factory=dict)

    def of(self, *keys: Key) -> Decimal:
        """Return how much was counted under the keys together; what never occurred is none."""
        return sum((self.amounts.get(key, Decimal(0)) for key in keys), Decimal(0))

    def codes(self, measure: str) -> dict[str, Decimal]:
        """Return the counts of each code of a measure."""
        return {code: amount for (name, code), amount in self.amounts.items() if name == measure}

    def total(self, measure: str) -> Decimal:
        """Return the counts of all codes of a measure."""
        return sum(self.codes(measure).values(), Decimal(0))

    @property
    def completeness(self) -> Share:
        return Share(self.of(FILED), self.of(ASKED))

    @property
    def timeliness(self) -> Share:
        return Share(self.of(IN_TIME), self.of(ASKED))

    @property
    def not_reported(self) -> Decimal:
        """Villages of which nothing was submitted, or only a draft begun."""
        return self.of(ASKED) - self.of(FILED, SUBMITTED, RETURNED)

    @property
    def plan_coverage(self) -> Share:
        """Villages with a plan of those that need one, among the accepted evaluations."""
        return Share(self.of(*plan_keys(_WITH_PLAN)), self.of(*plan_keys(_NEEDING_PLAN)))

    @property
    def hazards(self) -> Share:
        return Share(self.of(HAZARD), self.of(ACCEPTED))


def plan_keys(codes: Iterable[str]) -> tuple[Key, ...]:
    """Return the keys of plan states."""
    return tuple(("plan_status", code) for code in codes)


WITH_PLAN = plan_keys(_WITH_PLAN)
NEEDING_PLAN = plan_keys(_NEEDING_PLAN)


@dataclass(frozen=True, slots=True)
class Amount:
    """One sum of one division and year."""

    division_code: str
    report_year: int
    measure: str
    code: str
    amount: Decimal


def counts_of(amounts: Iterable[Amount]) -> dict[tuple[str, int], Counts]:
    """Return the counts by division and year."""
    found: dict[tuple[str, int], dict[Key, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    for each in amounts:
        found[each.division_code, each.report_year][each.measure, each.code] += each.amount
    return {key: Counts(dict(amounts)) for key, amounts in found.items()}


@dataclass(frozen=True, slots=True)
class Place:
    """A division that the overview shows."""

    code: str
    name: str
    level: str
    prefix: str
    parent_code: str


@dataclass(frozen=True, slots=True)
class Standing:
    """A division's villages in a year: its counts, the year before, and the parts below it."""

    place: Place
    year: int
    now: Counts
    before: Counts
    """The year before; nothing where nothing was asked then."""
    parts: tuple[tuple[Place, Counts], ...]
