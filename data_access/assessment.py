"""Status assessment, read: matrix, units, indicators, series, and where a figure comes from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from sqlalchemy import Connection

from data_access.indicators import Canonical, get_canonical
from data_access.queries import load_queries
from data_access.rows import fetch_all, fetch_one
from domain.assessment import Level
from domain.errors import NotFound

_SQL = load_queries("assessment")


@dataclass(frozen=True, slots=True)
class AssessedUnit:
    """A city or county that is assessed."""

    code: str
    name: str
    level: str
    kind: str
    parent_code: str
    parent_name: str


@dataclass(frozen=True, slots=True)
class Cell:
    """One unit's indicator in one year; `value` is None where nothing was accepted."""

    division_code: str
    canonical_code: str
    value: Decimal | None
    level: Level
    base_level: Level
    is_breach: bool
    reference: Decimal | None
    reference_kind: str | None
    measure: Decimal | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class UnitLevel:
    """A unit as a whole: its gravest level and how many indicators stand at each."""

    division_code: str
    worst_rank: int
    severe: int
    warn: int
    watch: int
    hint: int
    normal: int
    unrated: int
    no_data: int
    breaches: int

    @property
    def worst(self) -> Level:
        return list(Level)[self.worst_rank + 2]

    @property
    def filled(self) -> int:
        """How many indicators have a value."""
        return self.total - self.no_data

    @property
    def total(self) -> int:
        return (
            self.severe + self.warn + self.watch + self.hint + self.normal
            + self.unrated + self.no_data
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class UnitResult:
    """One indicator of a unit's year, beside the year before and its target."""

    canonical_code: str
    numerator: Decimal | None
    denominator: Decimal | None
    value: Decimal | None
    parts: int | None
    """Of a city and the province: how many of its counties have a value."""
    parts_expected: int | None
    parts_value: Decimal | None
    reference: Decimal | None
    reference_kind: str | None
    measure: Decimal | None
    base_level: Level
    level: Level
    reason: str | None
    is_breach: bool
    previous: Decimal | None
    target_state: str | None
    """None where no target is expected of this indicator, `not_issued` where none was issued."""
    target_year: int | None
    target_value: Decimal | None


@dataclass(frozen=True, slots=True)
class Place:
    """A unit's place among all of its kind that have a value; 1 is the best.

    Place and places are None for who sees a part of the province where the bureau forbids it.
    """

    division_code: str
    canonical_code: str
    value: Decimal | None
    level: Level
    is_breach: bool
    reference: Decimal | None
    reference_kind: str | None
    reason: str | None
    place: int | None
    places: int | None


@dataclass(frozen=True, slots=True)
class Point:
    """One year of a unit's indicator."""

    division_code: str
    canonical_code: str
    report_year: int
    value: Decimal | None
    reference: Decimal | None
    reference_kind: str | None
    level: Level
    is_breach: bool


@dataclass(frozen=True, slots=True)
class FigureRecord:
    """Where a figure comes from: who filed it, who accepted it, and what the layers say."""

    division_code: str
    report_year: int
    canonical_code: str
    rule_version: int
    numerator: Decimal | None
    denominator: Decimal | None
    value: Decimal | None
    level: Level
    base_level: Level
    reason: str | None
    is_breach: bool
    reference: Decimal | None
    reference_kind: str | None
    measure: Decimal | None
    parts: int | None
    parts_expected: int | None
    parts_value: Decimal | None
    source: str | None
    explanation: str | None
    submission_id: int | None
    version_no: int | None
    filed_by_name: str | None
    submitted_at: datetime | None
    accepted_by_name: str | None
    accepted_at: datetime | None
    computed_value: Decimal | None
    """What the layers say, beside what was filed."""
    computed_state: str | None
    computed_at: datetime | None
    formula: str | None
    """The formula that the year is computed by; None for what is filed."""
    formula_version: int | None
    formula_from_year: int | None


@dataclass(frozen=True, slots=True)
class FiledFigure:
    """One filed version of a figure; `accepted_at` is None where it was not accepted."""

    submission_id: int
    version_no: int
    numerator: Decimal | None
    denominator: Decimal | None
    value: Decimal
    source: str | None
    explanation: str | None
    filed_by_name: str
    submitted_at: datetime
    accepted_at: datetime | None
    accepted_by_name: str | None


@dataclass(frozen=True, slots=True)
class Input:
    """A value that a formula was computed from."""

    canonical_code: str
    name: str
    unit: str
    value: Decimal | None


@dataclass(frozen=True, slots=True)
class Explained:
    """A figure with everything that answers "says who"."""

    canonical: Canonical
    record: FigureRecord
    inputs: list[Input] = field(default_factory=list)
    versions: list[FiledFigure] = field(default_factory=list)

    @property
    def sentence(self) -> str:
        """The formula with its values put in: 1 ÷ 2 × 100 = 50."""
        return formula_sentence(self.canonical, self.record, self.inputs)


# WHAT IS ASSESSED


def list_years(connection: Connection) -> list[int]:
    """Return the data years, the first one first; a period files the year before its own."""
    return list(connection.scalars(_SQL["list_years"]))


def rules_of(connection: Connection, year: int) -> int:
    """Return the version of the rules that a data year is assessed under; raise NotFound."""
    version: int | None = connection.scalar(_SQL["rules_of"], {"year": year})
    if version is None:
        raise NotFound(year=year)
    return version


def assess(
    connection: Connection,
    years: Sequence[int] | None = None,
    codes: Sequence[str] | None = None,
    *,
    rule_version: int | None = None,
    raising: bool = False,
) -> int:
    """Compute values and levels of years and codes anew, with all that depends on them.

    None is all of them; under `rule_version` instead of each year's own rules. With `raising`,
    levels of the newest year that changed make warning items. Returns how many results changed.
    """
    return int(
        connection.scalar(
            _SQL["assess"],
            {
                "years": None if years is None else list(years),
                "codes": None if codes is None else list(codes),
                "rules": rule_version,
                "raising": raising,
            },
        )
        or 0
    )


# READING


def list_units(connection: Connection) -> list[AssessedUnit]:
    """Return the units in the actor's scope, by code: each city before its counties."""
    return fetch_all(connection, _SQL["list_units"], AssessedUnit)


def list_cells(
    connection: Connection, year: int, codes: Sequence[str], rule_version: int | None = None
) -> list[Cell]:
    """Return the matrix of a year: one cell a unit and indicator, in no order."""
    return fetch_all(
        connection,
        _SQL["matrix"],
        Cell,
        **_asked(connection, year, rule_version),
        codes=list(codes),
    )


def list_unit_levels(
    connection: Connection, year: int, codes: Sequence[str], rule_version: int | None = None
) -> list[UnitLevel]:
    """Return how each unit stands as a whole, by code."""
    return fetch_all(
        connection,
        _SQL["unit_levels"],
        UnitLevel,
        **_asked(connection, year, rule_version),
        codes=list(codes),
    )


def list_unit_results(
    connection: Connection, division_code: str, year: int, rule_version: int | None = None
) -> list[UnitResult]:
    """Return a unit's year, or the province's, of every indicator that applies."""
    return fetch_all(
        connection,
        _SQL["unit_results"],
        UnitResult,
        **_asked(connection, year, rule_version),
        division_code=division_code,
    )


def list_places(
    connection: Connection, year: int, codes: Sequence[str], rule_version: int | None = None
) -> list[Place]:
    """Return the actor's units by their place in the province, cities and counties apart."""
    return fetch_all(
        connection,
        _SQL["places"],
        Place,
        **_asked(connection, year, rule_version),
        codes=list(codes),
    )


def list_series(
    connection: Connection, divisions: Sequence[str], codes: Sequence[str]
) -> list[Point]:
    """Return every year of indicators of units, each under the rules of its year."""
    return fetch_all(
        connection, _SQL["list_series"], Point, divisions=list(divisions), codes=list(codes)
    )


def explain(
    connection: Connection,
    division_code: str,
    year: int,
    canonical_code: str,
    rule_version: int | None = None,
) -> Explained:
    """Return where a figure comes from; raise NotFound outside the actor's scope."""
    asked = _asked(connection, year, rule_version) | {
        "division_code": division_code,
        "canonical_code": canonical_code,
    }
    record = fetch_one(connection, _SQL["get_record"], FigureRecord, **asked)
    if record is None:
        raise NotFound(division_code=division_code, canonical_code=canonical_code)
    return Explained(
        get_canonical(connection, canonical_code),
        record,
        fetch_all(connection, _SQL["inputs_of"], Input, **asked),
        fetch_all(connection, _SQL["list_versions"], FiledFigure, **asked),
    )


def _asked(connection: Connection, year: int, rule_version: int | None) -> dict[str, object]:
    version = rules_of(connection, year) if rule_version is None else rule_version
    return {"year": year, "rule_version": version}


def formula_sentence(canonical: Canonical, record: FigureRecord, inputs: Sequence[Input]) -> str:
    """Return how a value was computed, with its values put in; '' for what was filed as it is."""
    if record.numerator is not None and record.denominator is not None:
        scale = "" if canonical.scale == 1 else f" × {_text(canonical.scale)}"
        return (
            f"{canonical.numerator_name} {_text(record.numerator)} {canonical.numerator_unit}"
            f" ÷ {canonical.denominator_name} {_text(record.denominator)}"
            f" {canonical.denominator_unit}"
            f"{scale} = {_text(record.value)} {canonical.unit}"
        )
    if record.formula is None:
        return ""
    values: Mapping[str, Decimal | None] = {each.canonical_code: each.value for each in inputs}
    words = record.formula
    for code in sorted(values, key=len, reverse=True):
        words = words.replace(code, _text(values[code]))
    return f"{words.replace('*', '×').replace('/', '÷')} = {_text(record.value)} {canonical.unit}"


def _text(number: Decimal | None) -> str:
    return "未填报" if number is None else f"{number.normalize():f}"
