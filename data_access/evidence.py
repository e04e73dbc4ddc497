"""Evidence: one openable file for each item that a row of a form names."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from data_access.queries import load_queries
from data_access.reporting import load_filers
from data_access.reporting_forms import find_form
from data_access.rows import fetch_all, fetch_one
from domain.access import Actor
from domain.errors import InvalidAction, NotFound, NotPermitted
from domain.forms import Row
from domain.workflow import filing_role

_SQL = load_queries("evidence")


@dataclass(frozen=True, slots=True)
class Target:
    """What a piece of evidence proves: an item of a row of a unit's form."""

    form_code: str
    division_code: str
    group_code: str
    row_key: str
    item: str


@dataclass(frozen=True, slots=True)
class Evidence:
    evidence_id: int
    form_code: str
    group_code: str
    row_key: str
    plan_id: int | None
    division_code: str
    stage_code: str | None
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
    form_title: str
    plan_id: int | None
    plan_name: str
    division_code: str
    division_name: str
    stage_code: str | None
    stage_name: str
    item: str
    file_name: str
    uploaded_at: datetime


def check_target(connection: Connection, actor: Actor, target: Target) -> Row:
    """Return the row that the evidence belongs to.

    Raise NotFound for a row out of sight or an item it does not name, NotPermitted where the
    actor does not file for the row's unit.
    """
    context = find_form(target.form_code).context(connection, target.division_code)
    row = context.find_row(target.group_code, target.row_key)
    if row is None:
        raise NotFound(row_key=target.row_key)
    _require_filer(connection, actor, target.form_code, target.division_code)
    if target.item not in row.file_items:
        raise NotFound(row_key=target.row_key, item=target.item)
    return row


def _require_filer(
    connection: Connection, actor: Actor, form_code: str, division_code: str
) -> None:
    if filing_role(load_filers(connection, form_code), division_code, actor) is None:
        raise NotPermitted(division_code=division_code)


def add(
    connection: Connection, actor: Actor, target: Target, *, sha256: str, file_name: str
) -> int:
    """Let a stored file stand as evidence; return its id."""
    row = check_target(connection, actor, target)
    parameters = {
        "form_code": target.form_code,
        "division_code": target.division_code,
        "group_code": target.group_code,
        "row_key": target.row_key,
        "plan_id": row.identity.get("plan_id"),
        "stage_code": row.identity.get("stage_code"),
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
    """Return the evidence of the plan's stages that was not removed, stage by stage."""
    return fetch_all(connection, _SQL["list_for_plan"], Evidence, plan_id=plan_id)


def duplicates_of(connection: Connection, evidence_id: int) -> list[Duplicate]:
    """Return where else the same file stands as evidence, as far as the actor may see."""
    return fetch_all(connection, _SQL["duplicates_of"], Duplicate, evidence_id=evidence_id)


def remove(connection: Connection, actor: Actor, evidence_id: int) -> None:
    """Take a piece of evidence off the list; the file and its record stay.

    Raise InvalidAction when a report under review or an accepted one relies on it.
    """
    evidence = get(connection, evidence_id)
    _require_filer(connection, actor, evidence.form_code, evidence.division_code)
    parameters = {"evidence_id": evidence_id}
    if connection.execute(_SQL["is_relied_on"], parameters).scalar_one():
        raise InvalidAction(evidence_id=evidence_id)
    connection.execute(_SQL["remove"], parameters)
