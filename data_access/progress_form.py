"""Form A, plan-preparation progress: what its drafts start from, and what its acceptance writes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection

from data_access import contacts, plans
from data_access.queries import load_queries
from data_access.rows import fetch_all
from domain import plan_form
from domain.access import Actor
from domain.forms import Content, Context, Form, Problem
from domain.progress import Disposition, MilestoneState

_SQL = load_queries("progress_form")
FORM_CODE = "plan_progress"
SUMS: Mapping[str, Sequence[str]] = {}
_CONTACT_FIELDS = ("contact_name", "contact_phone", "responsible_name")


@dataclass(frozen=True, slots=True)
class CurrentMilestone:
    """One stage of one plan as the province accepted it last."""

    plan_id: int
    plan_type: str
    plan_name: str
    is_headline: bool
    stage_code: str
    stage_order: int
    stage_name: str
    evidence_items: list[str]
    minimum_days: int | None
    state: MilestoneState
    baseline_on: date | None
    replanned_on: date | None
    replan_reason: str | None
    started_on: date | None
    completed_on: date | None
    skip_reason: str | None
    late_reason: str | None
    evidence_ids: list[int]


@dataclass(frozen=True, slots=True)
class _CurrentDisposition:
    plan_id: int
    disposition: Disposition
    reason: str


@dataclass(frozen=True, slots=True)
class _EvidenceItem:
    evidence_id: int
    plan_id: int
    stage_code: str
    item: str


def list_current_milestones(connection: Connection, division_code: str) -> list[CurrentMilestone]:
    """Return every stage of every plan of a unit as accepted last, the headline plan first."""
    return fetch_all(
        connection, _SQL["current_milestones"], CurrentMilestone, division_code=division_code
    )


def ensure_rows(connection: Connection, actor: Actor, division_code: str) -> None:
    """Give the unit its master plan, where it has none yet."""
    plans.ensure_headline(connection, actor, division_code)


def context(
    connection: Connection, division_code: str, period_start: date | None = None
) -> Context:
    """Return what Form A of the unit is checked against: its plans, stages and files."""
    return plans.form_context(connection, division_code)


def spanning_problems(form: Form, content: Content, context: Context) -> list[Problem]:
    """Return what is wrong or doubtful between the milestones of the plans."""
    return plan_form.problems(form, content, context)


def prefilled(
    connection: Connection, division_code: str, period_start: date | None = None
) -> Content:
    """Return the content a new draft starts from: the accepted values, the last contacts."""
    milestones = list_current_milestones(connection, division_code)
    dispositions = {
        row.plan_id: row
        for row in fetch_all(
            connection,
            _SQL["current_dispositions"],
            _CurrentDisposition,
            division_code=division_code,
        )
    }
    evidence = {
        row.evidence_id: row
        for row in fetch_all(
            connection, _SQL["list_evidence"], _EvidenceItem, division_code=division_code
        )
    }
    return {
        "form": contacts.last_filed_fields(connection, FORM_CODE, division_code, _CONTACT_FIELDS),
        "plan": [
            _plan_row(plan_id, dispositions.get(plan_id))
            for plan_id in dict.fromkeys(row.plan_id for row in milestones)
        ],
        "milestone": [_milestone_row(row, evidence) for row in milestones],
    }


def write_filed(connection: Connection, submission_id: int, version_no: int) -> None:
    """Write the typed rows of a version that was just filed."""
    connection.execute(
        _SQL["write_filed"], {"submission_id": submission_id, "version_no": version_no}
    )


def accept(connection: Connection, versions: Mapping[int, int], user_id: int) -> None:
    """Turn the filed rows of versions into accepted facts, where they say something new."""
    key = {
        "submission_ids": list(versions),
        "version_nos": list(versions.values()),
        "user_id": user_id,
    }
    connection.execute(_SQL["accept_milestones"], key)
    connection.execute(_SQL["accept_dispositions"], key)


def _plan_row(plan_id: int, known: _CurrentDisposition | None) -> dict[str, Any]:
    return {
        "key": str(plan_id),
        "plan_id": plan_id,
        "disposition": known.disposition if known else Disposition.COMPILING,
        "disposition_reason": (known.reason or None) if known else None,
    }


def _milestone_row(row: CurrentMilestone, evidence: dict[int, _EvidenceItem]) -> dict[str, Any]:
    kept = [evidence[number] for number in row.evidence_ids if number in evidence]
    return {
        "key": f"{row.plan_id}/{row.stage_code}",
        "plan_id": row.plan_id,
        "stage_code": row.stage_code,
        "state": row.state,
        "planned_on": _iso(row.baseline_on),
        "replanned_on": _iso(row.replanned_on),
        "replan_reason": row.replan_reason,
        "started_on": _iso(row.started_on),
        "completed_on": _iso(row.completed_on),
        "skip_reason": row.skip_reason,
        "late_reason": row.late_reason,
        "note": None,
        "evidence": {file.item: file.evidence_id for file in kept},
    }


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None
