"""The form of status assessment: its rows, what a draft starts from, what acceptance computes."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from decimal import Decimal

from sqlalchemy import Connection

from data_access import assessment, contacts, indicator_warnings
from data_access.queries import load_queries
from data_access.rows import fetch_all
from domain import assessment_form
from domain.access import Actor
from domain.assessment import ValueKind
from domain.clock import today
from domain.forms import FORM_GROUP, IDENTITY, Content, Context, File, Form, Problem, Row

_SQL = load_queries("assessment_form")
FORM_CODE = "status_assessment"
SUMS: Mapping[str, Sequence[str]] = {}
_CONTACT_FIELDS = ("contact_name", "contact_phone")


@dataclass(frozen=True, slots=True)
class _Indicator:
    canonical_code: str
    name: str
    dimension: str
    value_kind: ValueKind
    unit: str
    numerator_name: str | None
    numerator_unit: str | None
    denominator_name: str | None
    denominator_unit: str | None
    scale: Decimal
    typical_min: Decimal
    typical_max: Decimal
    data_departments: list[str]
    is_share: bool
    is_basic: bool
    last_value: str | None
    is_accepted: bool

    @property
    def is_ratio(self) -> bool:
        return self.value_kind is ValueKind.RATIO

    def facts(self) -> dict[str, object]:
        """Return what the row says of itself, and the names of its rules."""
        return {
            "unit": self.unit,
            "last_value": self.last_value,
            "is_ratio": self.is_ratio,
            "is_share": self.is_share,
            "is_required": self.is_basic,
            "scale": self.scale,
            "typical_min": self.typical_min,
            "typical_max": self.typical_max,
        }

    def hint(self) -> str:
        """Return what a filler has to know: the parts of a ratio, and who has the figures."""
        offices = f"数据部门：{'、'.join(self.data_departments)}"
        if not self.is_ratio:
            return f"单位：{self.unit}；{offices}"
        return (
            f"分子：{self.numerator_name}（{self.numerator_unit}）；"
            f"分母：{self.denominator_name}（{self.denominator_unit}）；{offices}"
        )


@dataclass(frozen=True, slots=True)
class _File:
    evidence_id: int
    item: str
    file_name: str
    sha256: str


@dataclass(frozen=True, slots=True)
class _Figure:
    canonical_code: str
    numerator: str | None
    denominator: str | None
    value: str | None
    source: str | None
    explanation: str | None


def ensure_rows(connection: Connection, actor: Actor, division_code: str) -> None:
    """Make nothing: the indicators are the same for every unit."""


def report_year(connection: Connection, period_start: date | None = None) -> int:
    """Return the data year that is filed in a period, in the newest one for None."""
    if period_start is not None:
        return period_start.year - 1
    asked = {"form_code": FORM_CODE, "day": today()}
    return int(connection.scalar(_SQL["report_year"], asked) or 0)


def context(
    connection: Connection, division_code: str, period_start: date | None = None
) -> Context:
    """Return the indicators that the actor fills for the unit; of a department its own alone."""
    year = report_year(connection, period_start)
    rows = fetch_all(
        connection, _SQL["list_rows"], _Indicator, division_code=division_code, year=year
    )
    return Context(
        today=today(),
        values={"report_year": year},
        rows={
            FORM_GROUP: [_of_unit(connection, division_code)],
            assessment_form.GROUP: [_row(each) for each in rows],
        },
    )


def _of_unit(connection: Connection, division_code: str) -> Row:
    found = fetch_all(
        connection, _SQL["list_files"], _File, division_code=division_code, form_code=FORM_CODE
    )
    files = tuple(File(each.evidence_id, each.item, each.file_name, each.sha256) for each in found)
    return Row("", "", files=files, file_items=assessment_form.ATTACHMENTS)


def _row(indicator: _Indicator) -> Row:
    return Row(
        key=indicator.canonical_code,
        label=indicator.name,
        values=indicator.facts(),
        hint=indicator.hint(),
        badge=indicator.dimension,
        is_open=indicator.is_basic,
        is_accepted=indicator.is_accepted,
    )


def prefilled(
    connection: Connection, division_code: str, period_start: date | None = None
) -> Content:
    """Return what was accepted of the year; before that only where last year's figures came from.

    Last year's figures stand beside, read-only: a new year is not filed by leaving them.
    """
    key = {"division_code": division_code, "year": report_year(connection, period_start)}
    found = fetch_all(connection, _SQL["values_in_force"], _Figure, **key)
    if not found:
        found = fetch_all(connection, _SQL["last_sources"], _Figure, **key)
    fields = contacts.last_filed_fields(connection, FORM_CODE, division_code, _CONTACT_FIELDS)
    return {FORM_GROUP: fields, assessment_form.GROUP: [_prefilled(each) for each in found]}


def _prefilled(figure: _Figure) -> dict[str, object]:
    fields = asdict(figure)
    code = fields.pop("canonical_code")
    return {IDENTITY: code, **{name: value for name, value in fields.items() if value is not None}}


def spanning_problems(form: Form, content: Content, context: Context) -> list[Problem]:
    """Return where a figure looks as if it were in another unit."""
    return assessment_form.problems(form, content, context)


def write_filed(connection: Connection, submission_id: int, version_no: int) -> None:
    """Write the figures of a version that was just filed."""
    connection.execute(
        _SQL["write_filed"], {"submission_id": submission_id, "version_no": version_no}
    )


def accept(connection: Connection, versions: Mapping[int, int], user_id: int) -> None:
    """Take the figures as accepted, compute what depends on them, and tell of new warnings."""
    key = {"submission_ids": list(versions), "version_nos": list(versions.values())}
    changed: dict[int, list[str]] = defaultdict(list)
    for row in connection.execute(_SQL["changed_codes"], key):
        changed[row.report_year].append(row.canonical_code)
    connection.execute(_SQL["accept"], {**key, "user_id": user_id})
    for year, codes in changed.items():
        assessment.assess(connection, [year], codes, raising=True)
    if changed:
        indicator_warnings.tell_raised(connection)
