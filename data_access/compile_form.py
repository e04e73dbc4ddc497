"""Form B, compile units: what its drafts start from, and what its acceptance writes."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection

from data_access import compile_units, contacts, plans
from data_access.queries import load_queries
from data_access.rows import fetch_all
from domain import compile_form
from domain.access import Actor
from domain.clock import today
from domain.forms import Content, Context, File, Form, Problem, Row

_SQL = load_queries("compile_form")
FORM_CODE = "compile_unit"
SUMS: Mapping[str, Sequence[str]] = {}
_CONTACT_FIELDS = ("contact_name", "contact_phone")


@dataclass(frozen=True, slots=True)
class _PlanRow:
    plan_id: int
    plan_type: str
    plan_type_name: str
    name: str
    is_headline: bool
    county_code: str
    county_name: str
    unit_level: str
    progress_stage: str | None
    is_accepted: bool

    def facts(self) -> dict[str, object]:
        """Return what the row says of itself: its read-only fields."""
        return {
            "county_code": self.county_code,
            "county_name": self.county_name,
            "plan_type": compile_form.plan_kind(self.plan_type),
            "plan_level": compile_form.plan_level(self.plan_type, self.unit_level),
            "plan_name": self.name,
            "progress_stage": self.progress_stage,
        }


@dataclass(frozen=True, slots=True)
class _File:
    evidence_id: int
    row_key: str
    item: str
    file_name: str
    sha256: str


@dataclass(frozen=True, slots=True)
class _Contract:
    plan_id: int
    fields: dict[str, Any]


def ensure_rows(connection: Connection, actor: Actor, division_code: str) -> None:
    """Give the unit its master plan, where it has none yet: each plan is a row here."""
    plans.ensure_headline(connection, actor, division_code)


def context(
    connection: Connection, division_code: str, period_start: date | None = None
) -> Context:
    """Return what Form B of the unit is checked against: its plans, files and known units."""
    files: dict[str, list[File]] = defaultdict(list)
    for row in _files(connection, division_code):
        files[row.row_key].append(File(row.evidence_id, row.item, row.file_name, row.sha256))
    rows = _plan_rows(connection, division_code)
    return Context(
        today=today(),
        rows={compile_form.GROUP: [_row(row, files[str(row.plan_id)]) for row in rows]},
        references={unit.uscc: unit.fields() for unit in compile_units.list_known(connection)},
    )


def _row(plan: _PlanRow, files: Sequence[File]) -> Row:
    return Row(
        key=str(plan.plan_id),
        label=plan.name,
        identity={"plan_id": plan.plan_id},
        values=plan.facts(),
        files=tuple(files),
        file_items=compile_form.ATTACHMENTS,
        badge=plan.plan_type_name,
        is_open=plan.is_headline,
        is_accepted=plan.is_accepted,
    )


def spanning_problems(form: Form, content: Content, context: Context) -> list[Problem]:
    """Return what is doubtful between the contracts, and beside what is known of their units."""
    return compile_form.problems(form, content, context)


def prefilled(
    connection: Connection, division_code: str, period_start: date | None = None
) -> Content:
    """Return the content a new draft starts from: the accepted contracts, the last contacts."""
    found = fetch_all(connection, _SQL["current_contracts"], _Contract, division_code=division_code)
    known = {contract.plan_id: contract.fields for contract in found}
    items = {file.evidence_id: file.item for file in _files(connection, division_code)}
    fields = contacts.last_filed_fields(connection, FORM_CODE, division_code, _CONTACT_FIELDS)
    rows = _plan_rows(connection, division_code)
    return {
        "form": {**fields, "note": None},
        compile_form.GROUP: [_prefilled(row, known.get(row.plan_id, {}), items) for row in rows],
    }


def _prefilled(plan: _PlanRow, known: dict[str, Any], items: dict[int, str]) -> dict[str, Any]:
    own = {name: value for name, value in known.items() if name not in _COLUMNS_OF_THE_CORE}
    files = {items[number]: number for number in known.get("evidence_ids", ()) if number in items}
    return {
        "key": str(plan.plan_id),
        "plan_id": plan.plan_id,
        **own,
        **plan.facts(),
        "attachments": files or None,
    }


_COLUMNS_OF_THE_CORE = frozenset(
    {
        "submission_id",
        "version_no",
        "division_code",
        "plan_id",
        "evidence_ids",
        "accepted_by",
        "accepted_at",
    }
)


def write_filed(connection: Connection, submission_id: int, version_no: int) -> None:
    """Write the typed rows of a version that was just filed."""
    connection.execute(
        _SQL["write_filed"], {"submission_id": submission_id, "version_no": version_no}
    )


def accept(connection: Connection, versions: Mapping[int, int], user_id: int) -> None:
    """Turn the filed contracts into accepted facts, and know the units they name."""
    key = {"submission_ids": list(versions), "version_nos": list(versions.values())}
    connection.execute(_SQL["know_units"], key)
    connection.execute(_SQL["accept_contracts"], {**key, "user_id": user_id})


def _plan_rows(connection: Connection, division_code: str) -> list[_PlanRow]:
    return fetch_all(
        connection, _SQL["list_rows"], _PlanRow, day=today(), division_code=division_code
    )


def _files(connection: Connection, division_code: str) -> list[_File]:
    return fetch_all(
        connection, _SQL["list_files"], _File, division_code=division_code, form_code=FORM_CODE
    )
