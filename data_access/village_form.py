"""The form of village evaluation: its facts, what a draft starts from, what acceptance writes."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection

from data_access.queries import load_queries
from data_access.rows import fetch_all, fetch_one, write
from domain import village_evaluation
from domain.access import Actor
from domain.clock import today
from domain.errors import NotFound
from domain.forms import FORM_GROUP, IDENTITY, Content, Context, File, Form, Problem, Row

_SQL = load_queries("village_form")
FORM_CODE = "village_evaluation"
SUMS: Mapping[str, Sequence[str]] = {village_evaluation.GROUP: village_evaluation.SUMMED}
_DIGITS = 12  # of a village's code, with which those of its natural villages begin


@dataclass(frozen=True, slots=True)
class _Village:
    """The names are those of the form's read-only fields."""

    village_code: str
    village_name: str
    town_code: str
    town_name: str
    county_code: str
    city_code: str
    longitude: str | None
    latitude: str | None
    inside_county: bool | None
    report_year: int | None
    is_accepted: bool


@dataclass(frozen=True, slots=True)
class _NaturalVillage:
    natural_code: str
    natural_name: str
    longitude: str
    latitude: str
    inside_county: bool | None
    is_accepted: bool


@dataclass(frozen=True, slots=True)
class _File:
    evidence_id: int
    division_code: str
    row_key: str
    item: str
    file_name: str
    sha256: str


_Files = Mapping[str, Sequence[File]]
"""Files of a village by the key of their row, '' for the village itself."""


@dataclass(frozen=True, slots=True)
class _Described:
    """A village as `_Village`, its natural villages as `_NaturalVillage`, its files as `_File`."""

    village: dict[str, Any]
    natural_villages: list[dict[str, Any]]
    files: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class _Last:
    """What was accepted last of a village, with its files by the key of their row."""

    division_code: str
    fields: dict[str, Any]
    natural_villages: list[dict[str, Any]] | None
    files: dict[str, dict[str, int]] | None


def ensure_rows(connection: Connection, actor: Actor, division_code: str) -> None:
    """Make nothing: natural villages come from their register."""


def context(
    connection: Connection, division_code: str, period_start: date | None = None
) -> Context:
    """Return what a village's evaluation is checked against; raise NotFound for no village."""
    day = today()
    key = {"form_code": FORM_CODE, "division_code": division_code}
    found = fetch_one(connection, _SQL["describe_village"], _Described, day=day, **key)
    if found is None:
        raise NotFound(division_code=division_code)
    files = _by_row(_File(**file) for file in found.files)
    village = _of_year(found.village, period_start)
    return _context(village, found.natural_villages, files[division_code], day)


def contexts(
    connection: Connection, codes: Sequence[str], period_start: date | None = None
) -> dict[str, Context]:
    """Return what the evaluations of many villages are checked against, by village."""
    if not codes:
        return {}
    day = today()
    villages = fetch_all(
        connection,
        _SQL["list_villages"],
        _Village,
        day=day,
        form_code=FORM_CODE,
        codes=list(codes),
    )
    natural: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for each in fetch_all(
        connection,
        _SQL["list_natural_villages_of"],
        _NaturalVillage,
        day=day,
        codes=[village.village_code for village in villages],
        county_codes=[village.county_code for village in villages],
        first=min(codes),
        last=max(codes),
    ):
        natural[each.natural_code[:_DIGITS]].append(asdict(each))
    key = {"codes": list(codes), "form_code": FORM_CODE}
    files = _by_row(fetch_all(connection, _SQL["list_files"], _File, **key))
    return {
        code: _context(_of_year(asdict(village), period_start), natural[code], files[code], day)
        for village in villages
        for code in [village.village_code]
    }


def _of_year(village: dict[str, Any], period_start: date | None) -> dict[str, Any]:
    return village | {"report_year": period_start.year} if period_start else village


def _by_row(found: Iterable[_File]) -> Mapping[str, _Files]:
    files: dict[str, dict[str, list[File]]] = defaultdict(lambda: defaultdict(list))
    for each in found:
        file = File(each.evidence_id, each.item, each.file_name, each.sha256)
        files[each.division_code][each.row_key].append(file)
    return files


def _context(
    village: dict[str, Any], natural: Sequence[Mapping[str, Any]], files: _Files, day: date
) -> Context:
    facts = village | {"report_year": village["report_year"] or day.year}
    return Context(
        today=day,
        values=facts,
        rows={
            FORM_GROUP: [_of_village(files.get("", ()))],
            village_evaluation.GROUP: [
                _row(each, files.get(each["natural_code"], ())) for each in natural
            ],
        },
        is_accepted=village["is_accepted"],
    )


def _of_village(files: Sequence[File]) -> Row:
    """Return what is attached to the village itself: the form is one row without a key."""
    return Row("", "", files=tuple(files), file_items=village_evaluation.ATTACHMENTS)


def _row(village: Mapping[str, Any], files: Sequence[File]) -> Row:
    return Row(
        key=village["natural_code"],
        label=village["natural_name"],
        values=village,
        files=tuple(files),
        file_items=village_evaluation.NATURAL_ATTACHMENTS,
        hint=village["natural_code"],
        is_accepted=village["is_accepted"],
    )


def spanning_problems(form: Form, content: Content, context: Context) -> list[Problem]:
    """Return nothing: what must hold between the rows stands in the rules."""
    return []


def prefilled(
    connection: Connection, division_code: str, period_start: date | None = None
) -> Content:
    """Return the content a new draft starts from: what the province accepted last."""
    return prefills(connection, [division_code], period_start)[division_code]


def prefills(
    connection: Connection, codes: Sequence[str], period_start: date | None = None
) -> dict[str, Content]:
    """Return the contents that new drafts of many villages start from, by village.

    It is what was accepted last before the period's year, with the files that it named.
    """
    key = {"codes": list(codes), "before": period_start.year if period_start else None}
    last = fetch_all(connection, _SQL["last_villages"], _Last, form_code=FORM_CODE, **key)
    by_village = {each.division_code: each for each in last}
    return {code: _prefilled(by_village.get(code)) for code in codes}


def _prefilled(last: _Last | None) -> Content:
    if last is None:
        return {"form": {}, village_evaluation.GROUP: []}
    files = last.files or {}
    return {
        "form": _content(last.fields, _OF_VILLAGE) | _attached(files.get("")),
        village_evaluation.GROUP: [
            {
                IDENTITY: fields["natural_code"],
                **_content(fields, _OF_NATURAL_VILLAGE),
                **_attached(files.get(fields["natural_code"])),
            }
            for fields in last.natural_villages or ()
        ],
    }


def _attached(files: Mapping[str, int] | None) -> dict[str, Any]:
    """Return last year's files as this year names them: the same ones, without a copy."""
    return {village_evaluation.ATTACHED: dict(files)} if files else {}


# What the tables keep beside the fields of the form.
_OF_NATURAL_VILLAGE = frozenset(
    {"submission_id", "version_no", "division_code", "report_year", "accepted_by", "accepted_at"}
)
_OF_VILLAGE = _OF_NATURAL_VILLAGE | {"per_capita_construction"}


def _content(fields: Mapping[str, Any], others: frozenset[str]) -> dict[str, Any]:
    return {
        name: _plain(value)
        for name, value in fields.items()
        if name not in others and value is not None
    }


def _plain(value: object) -> object:
    """Return a value as content has it: what had decimals is a text without needless zeros."""
    if isinstance(value, float):
        value = Decimal(str(value))
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    return value


def write_filed(connection: Connection, submission_id: int, version_no: int) -> None:
    """Write the typed rows of a version that was just filed, all in one statement."""
    write(connection, _SQL["write_filed"], submission_id=submission_id, version_no=version_no)


def accept(connection: Connection, versions: Mapping[int, int], user_id: int) -> None:
    """Turn the filed rows of versions into what the province accepted of the year."""
    key = {
        "submission_ids": list(versions),
        "version_nos": list(versions.values()),
        "user_id": user_id,
    }
    connection.execute(_SQL["accept_villages"], key)
    connection.execute(_SQL["accept_natural_villages"], key)
