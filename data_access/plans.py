"""Plans of a unit: the headline master plan, and the others it declares."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection

from data_access.portal_settings import read_settings
from data_access.queries import load_queries
from data_access.rows import fetch_all, fetch_one
from domain.access import Actor, Role
from domain.clock import today
from domain.errors import InvalidContent, NotFound, NotPermitted
from domain.forms import Context, File, Problem, Row, Severity
from domain.normalisation import normal_text
from domain.progress import Disposition, MilestoneState

_SQL = load_queries("plans")
_LONGEST_NAME = 60
_FILING_ROLES = (Role.CITY, Role.COUNTY)
_ACCEPTED = {
    MilestoneState.COMPLETED: "省级已认定",
    MilestoneState.SKIPPED: "省级已认定跳过",
}


@dataclass(frozen=True, slots=True)
class Plan:
    plan_id: int
    plan_type: str
    plan_type_name: str
    name: str
    is_headline: bool


@dataclass(frozen=True, slots=True)
class PlanType:
    code: str
    name: str


@dataclass(frozen=True, slots=True)
class _Unit:
    code: str
    name: str
    level: str
    kind: str


@dataclass(frozen=True, slots=True)
class _Stage:
    """One stage of one plan; the plan's own facts stand in each of its stages."""

    plan_id: int
    plan_name: str
    plan_type_name: str
    is_headline: bool
    stage_code: str
    stage_order: int
    stage_name: str
    definition: str
    responsible: str
    evidence_items: list[str]
    minimum_days: int | None
    state: str | None
    baseline_on: date | None
    accepted_at: datetime | None


@dataclass(frozen=True, slots=True)
class _File:
    evidence_id: int
    plan_id: int
    stage_code: str
    item: str
    file_name: str
    sha256: str


def list_plans(connection: Connection, division_code: str) -> list[Plan]:
    """Return the unit's plans, the headline plan first."""
    return fetch_all(connection, _SQL["list_plans"], Plan, division_code=division_code)


def list_types(connection: Connection) -> list[PlanType]:
    """Return every type of plan."""
    return fetch_all(connection, _SQL["list_plan_types"], PlanType)


def declarable_types(connection: Connection, division_code: str) -> list[PlanType]:
    """Return the types of plan that a unit of this level may declare beside its master plan."""
    unit = _get_unit(connection, division_code)
    allowed = _setting(connection, "declarable_plan_types").get(unit.level)
    codes = allowed if isinstance(allowed, list) else []
    known = {item.code: item for item in list_types(connection)}
    return [known[code] for code in codes if code in known]


def declare(
    connection: Connection, actor: Actor, division_code: str, plan_type: str, name: str
) -> int:
    """Declare a plan beside the master plan; return its id.

    Raises NotPermitted for who does not file for the unit, NotFound for a type its level does not
    declare, InvalidContent for a missing or overlong name, RuleViolation for one already there.
    """
    _require_filer(actor, division_code)
    if plan_type not in {item.code for item in declarable_types(connection, division_code)}:
        raise NotFound(plan_type=plan_type)
    text = str(normal_text(name) or "")
    if not 1 <= len(text) <= _LONGEST_NAME:
        raise InvalidContent(problems=[_name_problem(text)], count=1)
    return _add(connection, actor, division_code, plan_type, text, is_headline=False)


def ensure_headline(connection: Connection, actor: Actor, division_code: str) -> None:
    """Give the unit its master plan, where it has none yet."""
    _require_filer(actor, division_code)
    unit = _get_unit(connection, division_code)
    plan_type = _setting(connection, "headline_plan_types").get(unit.level)
    plans = list_plans(connection, division_code)
    if not isinstance(plan_type, str) or any(plan.is_headline for plan in plans):
        return
    name = f"{unit.name}国土空间总体规划"
    _add(connection, actor, division_code, plan_type, name, is_headline=True)


def form_context(connection: Connection, division_code: str) -> Context:
    """Return what Form A of the unit is checked against: its plans, stages and files."""
    unit = _get_unit(connection, division_code)
    stages = fetch_all(connection, _SQL["list_stages"], _Stage, division_code=division_code)
    plans = {stage.plan_id: stage for stage in reversed(stages)}
    files: dict[tuple[int, str], list[File]] = defaultdict(list)
    for row in fetch_all(connection, _SQL["list_files"], _File, division_code=division_code):
        file = File(row.evidence_id, row.item, row.file_name, row.sha256)
        files[row.plan_id, row.stage_code].append(file)
    return Context(
        today=today(),
        values={"unit_name": unit.name, "unit_kind": unit.kind, "unit_level": unit.level},
        rows={
            "plan": [_plan_row(plan) for plan in reversed(plans.values())],
            "milestone": [_stage_row(s, files[s.plan_id, s.stage_code]) for s in stages],
        },
    )


def _plan_row(plan: _Stage) -> Row:
    return Row(
        key=str(plan.plan_id),
        label=plan.plan_name,
        identity={"plan_id": plan.plan_id},
        values={"is_headline": plan.is_headline},
        defaults={"disposition": Disposition.COMPILING.value},
        badge=plan.plan_type_name,
        is_open=plan.is_headline,
    )


def _stage_row(stage: _Stage, files: Sequence[File]) -> Row:
    return Row(
        key=f"{stage.plan_id}/{stage.stage_code}",
        label=stage.stage_name,
        identity={"plan_id": stage.plan_id, "stage_code": stage.stage_code},
        parent=("plan", str(stage.plan_id)),
        values={
            "stage_name": stage.stage_name,
            "minimum_days": stage.minimum_days,
            "baseline_on": stage.baseline_on,
        },
        defaults={"state": MilestoneState.NOT_STARTED.value},
        locked=frozenset({"planned_on"} if stage.baseline_on else ()),
        files=tuple(files),
        file_items=tuple(stage.evidence_items),
        hint=f"{stage.definition}。责任单位：{stage.responsible}。",
        badge=_ACCEPTED.get(MilestoneState(stage.state), "") if stage.state else "",
        is_accepted=stage.state is not None,
    )


def _add(
    connection: Connection,
    actor: Actor,
    division_code: str,
    plan_type: str,
    name: str,
    *,
    is_headline: bool,
) -> int:
    parameters = {
        "division_code": division_code,
        "plan_type": plan_type,
        "name": name,
        "is_headline": is_headline,
        "declared_by": actor.user_id,
    }
    return int(connection.execute(_SQL["add_plan"], parameters).scalar_one())


def _require_filer(actor: Actor, division_code: str) -> None:
    if not any(
        grant.division_code == division_code and grant.role in _FILING_ROLES
        for grant in actor.grants
    ):
        raise NotPermitted(division_code=division_code)


def _get_unit(connection: Connection, division_code: str) -> _Unit:
    unit = fetch_one(connection, _SQL["find_unit"], _Unit, day=today(), division_code=division_code)
    if unit is None:
        raise NotFound(division_code=division_code)
    return unit


def _setting(connection: Connection, name: str) -> Mapping[str, object]:
    value = read_settings(connection).get(name)
    return value if isinstance(value, dict) else {}


def _name_problem(name: str) -> Problem:
    message = f"共 {len(name)} 字，最多 {_LONGEST_NAME} 字。" if name else "请填写规划名称。"
    return Problem("plan.name", "规划名称", message, Severity.ERROR)
