"""Evidence: one openable file for each item that a stage names."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from data_access.queries import load_queries
from data_access.rows import fetch_all, fetch_one
from domain.access import Actor, Role
from domain.errors import InvalidAction, NotFound, NotPermitted

_SQL = load_queries("evidence")
_FILING_ROLES = frozenset({Role.CITY, Role.COUNTY})


@dataclass(frozen=True, slots=True)
class Target:
    """What a piece of evidence proves: an item of a stage of a plan."""

    plan_id: int
    stage_code: str
    item: str


@dataclass(frozen=True, slots=True)
class Evidence:
    evidence_id: int
    plan_id: int
    division_code: str
    stage_code: str
    item: str
    sha256: str
    file_name: str
    size: int
    """Bytes."""
    media_type: str
    uploaded_by: int
    uploaded_by_name: str
    uploaded_at: datetime
    removed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Duplicate:
    """The same file standing as other evidence."""

    evidence_id: int
    plan_id: int
    plan_name: str
    division_code: str
    division_name: str
    stage_code: str
    stage_name: str
    item: str
    file_name: str
    uploaded_at: datetime


@dataclass(frozen=True, slots=True)
class _Plan:
    plan_id: int
    division_code: str
    plan_type: str


def check_target(connection: Connection, actor: Actor, target: Target) -> str:
    """Return the division the evidence belongs to.

    Raise NotFound for a plan out of sight or an item its stage does not name, NotPermitted where
    the actor does not file for the plan's unit.
    """
    plan = fetch_one(connection, _SQL["find_plan"], _Plan, plan_id=target.plan_id)
    if plan is None:
        raise NotFound(plan_id=target.plan_id)
    _require_filer(actor, plan.division_code)
    parameters = {
        "stage_code": target.stage_code,
        "item": target.item,
        "plan_type": plan.plan_type,
    }
    if connection.execute(_SQL["find_item"], parameters).first() is None:
        raise NotFound(stage_code=target.stage_code, item=target.item)
    return plan.division_code


def _require_filer(actor: Actor, division_code: str) -> None:
    if not any(
        grant.division_code == division_code and grant.role in _FILING_ROLES
        for grant in actor.grants
    ):
        raise NotPermitted(division_code=division_code)


def add(
    connection: Connection, actor: Actor, target: Target, *, sha256: str, file_name: str
) -> int:
    """Let a stored file stand as evidence; return its id."""
    division_code = check_target(connection, actor, target)
    parameters = {
        "plan_id": target.plan_id,
        "division_code": division_code,
        "stage_code": target.stage_code,
        "item": target.item,
        "sha256": sha256,
        "file_name": file_name,
        "uploaded_by": actor.user_id,
    }
    return int(connection.execute(_SQL["add"], parameters).scalar_one())


def get(connection: Connection, evidence_id: int) -> Evidence:
    """Return one piece of evidence, removed or not; raise NotFound out of the actor's sight."""
    found = fetch_one(connection, _SQL["find"], Evidence, evidence_id=evidence_id)
    if found is None:
        raise NotFound(evidence_id=evidence_id)
    return found


def list_for_plan(connection: Connection, plan_id: int) -> list[Evidence]:
    """Return the plan's evidence that was not removed, stage by stage."""
    return fetch_all(connection, _SQL["list_for_plan"], Evidence, plan_id=plan_id)


def duplicates_of(connection: Connection, evidence_id: int) -> list[Duplicate]:
    """Return where else the same file stands as evidence, as far as the actor may see."""
    return fetch_all(connection, _SQL["duplicates_of"], Duplicate, evidence_id=evidence_id)


def remove(connection: Connection, actor: Actor, evidence_id: int) -> None:
    """Take a piece of evidence off the list; the file and its record stay.

    Raise InvalidAction when a report under review or an accepted milestone relies on it.
    """
    evidence = get(connection, evidence_id)
    _require_filer(actor, evidence.division_code)
    parameters = {"evidence_id": evidence_id, "plan_id": evidence.plan_id}
    if connection.execute(_SQL["is_relied_on"], parameters).scalar_one():
        raise InvalidAction(evidence_id=evidence_id)
    connection.execute(_SQL["remove"], parameters)
