"""Indicators as they are defined: sets, canonical codes, targets, rules of warning."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from sqlalchemy import Connection

from data_access.queries import load_queries
from data_access.rows import fetch_all
from domain import assessment
from domain.access import Actor, Role
from domain.assessment import Attribute, Direction, Level, Measure, TargetState, Tier, ValueKind
from domain.bands import parse_band
from domain.errors import NotFound, NotPermitted
from domain.target_rows import TargetRow

_SQL = load_queries("indicators")


@dataclass(frozen=True, slots=True)
class IndicatorSet:
    """A standard with its indicators; several are in force side by side."""

    set_code: str
    title: str
    standard: str
    purpose: str
    set_order: int
    valid_from: date
    valid_to: date | None
    basis: str
    basis_note: str


@dataclass(frozen=True, slots=True)
class Indicator:
    """An indicator as one set defines it."""

    indicator_code: str
    set_code: str
    seq: int
    dimension: str
    dimension_2: str | None
    name: str
    unit: str
    tier: Tier
    attribute: str | None
    scope: str | None
    definition: str | None
    formula_text: str | None
    direction: Direction
    typical_min: Decimal | None
    typical_max: Decimal | None
    profile_code: str
    data_departments: list[str]
    related_layers: list[str]
    canonical_code: str
    is_applicable: bool
    basis: str
    value_basis: str
    basis_note: str


@dataclass(frozen=True, slots=True)
class Canonical:
    """What is filed once and shown in every set that has it."""

    canonical_code: str
    name: str
    canonical_order: int
    dimension: str
    value_kind: ValueKind
    unit: str
    decimals: int
    numerator_name: str | None
    numerator_unit: str | None
    denominator_name: str | None
    denominator_unit: str | None
    scale: Decimal | None
    formula: str | None
    formula_inputs: list[str]
    direction: Direction
    attribute: str | None
    profile_code: str
    typical_min: Decimal
    typical_max: Decimal
    data_departments: list[str]
    related_layers: list[str]
    is_share: bool
    """Whether it is a part of a whole, which it cannot exceed."""
    is_basic: bool
    is_applicable: bool
    basis: str
    basis_note: str

    def rule(self, profile: assessment.Profile) -> assessment.Rule:
        """Return what its judgement takes, under one version of the rules."""
        attribute = Attribute(self.attribute) if self.attribute else None
        return assessment.Rule(
            self.direction, attribute, self.typical_min, self.typical_max, profile
        )


@dataclass(frozen=True, slots=True)
class Department:
    department: str
    title: str
    aliases: list[str]


@dataclass(frozen=True, slots=True)
class IndicatorTarget:
    """What a unit is to reach; `not_issued` says that none is to be expected yet."""

    division_code: str
    canonical_code: str
    target_year: int
    state: TargetState
    base_year: int | None = None
    base_value: Decimal | None = None
    target_value: Decimal | None = None
    document_no: str | None = None
    issued_on: date | None = None

    @property
    def rule(self) -> assessment.Target:
        return assessment.Target(
            self.target_year, self.state, self.target_value, self.base_year, self.base_value
        )

    @property
    def typed(self) -> TargetRow:
        """The target as it is typed."""
        return TargetRow(
            self.state,
            _figure(self.target_value),
            str(self.base_year or ""),
            _figure(self.base_value),
            self.document_no or "",
            self.issued_on.isoformat() if self.issued_on else "",
        )


def _figure(number: Decimal | None) -> str:
    return "" if number is None else f"{number.normalize():f}"


@dataclass(frozen=True, slots=True)
class Rules:
    """A version of the rules of warning and the first data year it is for."""

    rule_version: int
    title: str
    valid_from_year: int
    yellow_years: int
    basis: str
    basis_note: str


@dataclass(frozen=True, slots=True)
class WarningProfile:
    rule_version: int
    profile_code: str
    name: str
    measure: Measure
    expression: str | None
    blue: str
    yellow: str
    orange: str
    red: str
    without_target: str
    remark: str
    basis: str
    basis_note: str

    @property
    def rule(self) -> assessment.Profile:
        return assessment.Profile(
            self.measure,
            parse_band(self.blue),
            parse_band(self.yellow),
            parse_band(self.orange),
            parse_band(self.red),
            self.without_target == "province",
        )


@dataclass(frozen=True, slots=True)
class WarningLevel:
    """A level with the working days in which a warning of it is answered."""

    level: Level
    level_rank: int
    name: str
    meaning: str
    working_days: int | None
    responsible: str | None
    escalation_role: str | None


def list_sets(connection: Connection) -> list[IndicatorSet]:
    """Return the sets in their order."""
    return fetch_all(connection, _SQL["list_sets"], IndicatorSet)


def list_indicators(
    connection: Connection, set_code: str | None = None, canonical_code: str | None = None
) -> list[Indicator]:
    """Return the indicators of a set, of a canonical code, or all, in the order of their set."""
    return fetch_all(
        connection,
        _SQL["list_indicators"],
        Indicator,
        set_code=set_code,
        canonical_code=canonical_code,
    )


def list_canonicals(connection: Connection) -> list[Canonical]:
    """Return everything that is filed or derived, in its order."""
    return fetch_all(connection, _SQL["list_canonicals"], Canonical, canonical_code=None)


def get_canonical(connection: Connection, canonical_code: str) -> Canonical:
    """Return one canonical indicator; raise NotFound."""
    for found in fetch_all(
        connection, _SQL["list_canonicals"], Canonical, canonical_code=canonical_code
    ):
        return found
    raise NotFound(canonical_code=canonical_code)


def list_departments(connection: Connection) -> list[Department]:
    """Return the departments that deliver values."""
    return fetch_all(connection, _SQL["list_departments"], Department)


def list_targets(
    connection: Connection, division_code: str | None = None, canonical_code: str | None = None
) -> list[IndicatorTarget]:
    """Return the targets of a unit, of an indicator, or of both, in the actor's scope."""
    return fetch_all(
        connection,
        _SQL["list_targets"],
        IndicatorTarget,
        division_code=division_code,
        canonical_code=canonical_code,
    )


@dataclass(frozen=True, slots=True)
class TargetCount:
    """How many targets of an indicator are entered, 未下达 too, and how many of them are issued."""

    canonical_code: str
    targets: int
    issued: int


def count_targets(connection: Connection) -> dict[str, TargetCount]:
    """Return the counts of each indicator that has a target in the actor's scope, by its code."""
    found = fetch_all(connection, _SQL["count_targets"], TargetCount)
    return {each.canonical_code: each for each in found}


def save_target(connection: Connection, actor: Actor, target: IndicatorTarget) -> None:
    """Issue or change a target; its levels are assessed with `assessment.assess` afterwards.

    Raises NotPermitted for anybody but the planning bureau.
    """
    if not actor.has_role(Role.PLAN_BUREAU):
        raise NotPermitted(canonical_code=target.canonical_code)
    values = {name: getattr(target, name) for name in IndicatorTarget.__slots__}
    connection.execute(_SQL["save_target"], values)


def list_rules(connection: Connection) -> list[Rules]:
    """Return every version of the rules of warning, the first one first."""
    return fetch_all(connection, _SQL["list_rules"], Rules)


def list_profiles(connection: Connection, rule_version: int) -> list[WarningProfile]:
    """Return the models of one version of the rules."""
    return fetch_all(connection, _SQL["list_profiles"], WarningProfile, rule_version=rule_version)


def list_levels(connection: Connection) -> list[WarningLevel]:
    """Return the levels, the lightest first."""
    return fetch_all(connection, _SQL["list_levels"], WarningLevel)
