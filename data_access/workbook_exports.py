"""Workbooks handed out: what of each unit went into one, kept here (`workbook_scopes`: of which).

Who fills in a unit gets the draft as it stands, a department its own rows of it; anybody else gets
what was filed last. A unit without a report gets what a new draft would start from, and no draft
is made for it.
"""

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from uuid import UUID

from sqlalchemy import Connection

from data_access import file_store, jobs
from data_access.collector import collector_waiting
from data_access.database import transaction
from data_access.forms import load_form
from data_access.jobs import RunningJob
from data_access.portal_settings import read_settings
from data_access.queries import load_queries
from data_access.reporting import load_filers
from data_access.reporting_forms import contexts_of, find_form, prefills_of
from data_access.rows import fetch_all, fetch_one
from data_access.sessions import actor_today
from data_access.workbook_scopes import Period, Scope, Unit, get_period, get_scope, list_units
from data_access.workbook_write import write_workbook
from domain.access import Actor
from domain.errors import NotFound, NotPermitted
from domain.form_texts import mask
from domain.form_values import normalise
from domain.forms import FORM_GROUP, Content, Context, Form, with_all_rows
from domain.jobs import JobKind
from domain.receipts import canonical
from domain.workbook import Stamp, WorkbookUnit
from domain.workflow import SubmissionState, fills, only_contributes

_SQL = load_queries("workbook_exports")
IN_HAND = frozenset({SubmissionState.DRAFT, SubmissionState.RETURNED})
MOST_AT_ONCE = 200  # units: a workbook of more is made by a job
_STEP = 25  # units a job reads between two looks at whether it should stop
_KEPT_DAYS = 180
_FOLDER = "workbooks"
_SUFFIXES = (".xlsx", ".zip")
Progress = Callable[[int, int], None]
"""Is told how many units of how many are done."""


@dataclass(frozen=True, slots=True)
class Report:
    division_code: str
    submission_id: int
    state: SubmissionState
    draft_version: int | None
    draft_content: Content | None
    filed_content: Content | None


@dataclass(frozen=True, slots=True)
class Export:
    """One workbook as it was asked for."""

    export_id: UUID
    form_code: str
    form_version: int
    period_id: int
    scope_name: str
    unit_codes: list[str]
    taken_by: int
    taken_at: datetime
    job_id: int | None
    ready_at: datetime | None


@dataclass(frozen=True, slots=True)
class Handed:
    """What was handed out of one unit."""

    division_code: str
    content: Content


# WHAT IS HANDED OUT


def form_for(connection: Connection, actor: Actor, form_code: str, version: int) -> Form:
    """Return the form as the actor's workbooks have it.

    Who fills rows of his own alone neither reads nor writes what is the unit's as a whole.
    """
    form = load_form(connection, form_code, version)
    if not only_contributes(load_filers(connection, form_code), actor):
        return form
    return replace(form, fields=tuple(f for f in form.fields if f.group != FORM_GROUP))


def begin(connection: Connection, actor: Actor, period: Period, scope: Scope) -> Export:
    """Write down that the actor takes a workbook."""
    row = connection.execute(
        _SQL["add_export"],
        {
            "form_code": period.form_code,
            "form_version": period.form_version,
            "period_id": period.period_id,
            "scope_name": scope.name,
            "unit_codes": [unit.code for unit in scope.units],
            "taken_by": actor.user_id,
        },
    ).one()
    return get_export(connection, row.export_id)


def get_export(connection: Connection, export_id: UUID) -> Export:
    """Return an export; raise NotFound."""
    found = fetch_one(connection, _SQL["find_export"], Export, export_id=export_id)
    if found is None:
        raise NotFound(export_id=export_id)
    return found


def hand_out(
    connection: Connection,
    actor: Actor,
    export: Export,
    period: Period,
    units: Sequence[Unit],
) -> list[WorkbookUnit]:
    """Return the units as they go into the workbook, and keep what each was given."""
    form = form_for(connection, actor, period.form_code, period.form_version)
    filers = load_filers(connection, period.form_code)
    own, codes = find_form(form.form_code), [unit.code for unit in units]
    filed = {code for code in codes if fills(filers, code, actor)}
    for code in sorted(filed):
        own.ensure_rows(connection, actor, code)
    reports = reports_of(connection, period.period_id, codes)
    contexts = contexts_of(connection, form.form_code, codes, period.starts_on)
    prefills = prefills_of(connection, form.form_code, codes, period.starts_on)
    made = [
        _handed(
            actor,
            form,
            unit,
            reports.get(unit.code),
            contexts[unit.code],
            prefills[unit.code],
            files=unit.code in filed,
        )
        for unit in units
    ]
    rows = [
        {
            "export_id": export.export_id,
            "division_code": unit.division_code,
            "submission_id": report.submission_id if report else None,
            "draft_version": unit.draft_version or None,
            "content": canonical(unit.content),
        }
        for unit in made
        for report in [reports.get(unit.division_code)]
    ]
    if rows:
        connection.execute(_SQL["add_unit"], rows)
    return made


def reports_of(connection: Connection, period_id: int, codes: Sequence[str]) -> dict[str, Report]:
    """Return the reports of a period among these units, by unit."""
    rows = fetch_all(
        connection, _SQL["list_reports"], Report, period_id=period_id, codes=list(codes)
    )
    return {row.division_code: row for row in rows}


def standing_content(report: Report | None, prefilled: Content, *, files: bool) -> Content:
    """Return what stands for a unit now: the draft for its filer, what was filed for others.

    A unit without either stands where a new draft would start.
    """
    if report is not None:
        in_draft = files and report.state in IN_HAND
        content = report.draft_content if in_draft else report.filed_content
        if content is not None:
            return content
    return prefilled


def _handed(
    actor: Actor,
    form: Form,
    unit: Unit,
    report: Report | None,
    context: Context,
    prefilled: Content,
    *,
    files: bool,
) -> WorkbookUnit:
    content = standing_content(report, prefilled, files=files)
    may_see = actor.may_see_contact(unit.prefix)

    def shown(given: Content) -> Content:
        complete = with_all_rows(form, normalise(form, given), context)
        return mask(form, complete, may_see_contact=may_see)

    in_draft = files and report is not None and report.state in IN_HAND
    return WorkbookUnit(
        division_code=unit.code,
        unit_name=unit.name,
        parent_name=unit.parent_name,
        draft_version=(report.draft_version or 0) if in_draft and report else 0,
        context=context,
        content=shown(content),
        accepted=shown(prefilled),
    )


def stamp_of(connection: Connection, export: Export, period: Period) -> Stamp:
    """Return what is written into the workbook about where it comes from."""
    return Stamp(
        export_id=str(export.export_id),
        form_code=export.form_code,
        form_version=export.form_version,
        period_id=export.period_id,
        period_name=period.name,
        taken_at=export.taken_at,
        is_demo=bool(read_settings(connection).get("is_demo")),
        deadline_at=period.deadline_at,
    )


def make(actor: Actor, period_id: int, key: str) -> tuple[Path, str]:
    """Make a workbook; return its temporary file, which the caller removes, and its name.

    Raise NotFound for what is not the actor's, NotPermitted for what a job has to make.
    """
    with collector_waiting(), transaction(actor, action="workbook.export") as connection:
        period = get_period(connection, period_id)
        scope = get_scope(connection, actor, period, key)
        if len(scope.units) > MOST_AT_ONCE:
            raise NotPermitted(units=len(scope.units))
        export = begin(connection, actor, period, scope)
        units = hand_out(connection, actor, export, period, scope.units)
        stamp = stamp_of(connection, export, period)
        form = form_for(connection, actor, period.form_code, period.form_version)
    with tempfile.NamedTemporaryFile(suffix=".xlsx", delete=False) as file:
        path = Path(file.name)
    try:
        with collector_waiting():
            write_workbook(form, units, stamp, path)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return path, file_name_of(export, period)


def file_name_of(export: Export, period: Period) -> str:
    """Return what a person calls the file: 编制进度_2026年11月_安义县.xlsx."""
    place = export.scope_name.partition("（")[0]
    if len(export.unit_codes) > 1 and place != export.scope_name:
        place += f"{len(export.unit_codes)}个单位"
    return f"{period.form_title}_{period.name}_{place}.xlsx".replace("/", "-")


# BY A JOB


def request(connection: Connection, actor: Actor, period: Period, scope: Scope) -> Export:
    """Let a job make the workbook; the page shows how far it is, and the file when it is there."""
    export = begin(connection, actor, period, scope)
    job_id = jobs.defer(
        connection,
        JobKind.EXPORT_WORKBOOK,
        {"export_id": str(export.export_id)},
        requested_by=actor,
    )
    set_job(connection, export.export_id, job_id)
    return get_export(connection, export.export_id)


def set_job(connection: Connection, export_id: UUID, job_id: int) -> None:
    """Write down which job makes the file."""
    connection.execute(_SQL["set_job"], {"export_id": export_id, "job_id": job_id})


def set_ready(connection: Connection, export_id: UUID) -> None:
    """Write down that the file is there."""
    connection.execute(_SQL["set_ready"], {"export_id": export_id})


def list_made(connection: Connection, actor: Actor) -> list[Export]:
    """Return the workbooks that a job makes or made for the actor since yesterday."""
    return fetch_all(connection, _SQL["list_made"], Export, user_id=actor.user_id)


def made_path(export_id: UUID, suffix: str = ".xlsx") -> Path:
    """Return where a job puts the workbook, or the archive of CSV."""
    folder = file_store.root() / _FOLDER
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder / f"{export_id}{suffix}"


def open_made(connection: Connection, actor: Actor, export_id: UUID) -> tuple[Path, str]:
    """Return the file a job made for the actor, and its name; raise NotFound."""
    export = get_export(connection, export_id)
    made = [path for path in map(partial(made_path, export_id), _SUFFIXES) if path.is_file()]
    if export.taken_by != actor.user_id or export.ready_at is None or not made:
        raise NotFound(export_id=export_id)
    name = file_name_of(export, get_period(connection, export.period_id))
    return made[0], str(Path(name).with_suffix(made[0].suffix))


def run_job(job: RunningJob, export_id: str) -> None:
    """Make one workbook for whoever asked for it: all of it, or nothing and again."""
    actor = actor_of(job.requested_by)
    with collector_waiting(), transaction(actor, action="workbook.export") as connection:
        export = get_export(connection, UUID(export_id))
        if export.ready_at is not None:
            return
        period = get_period(connection, export.period_id)
        wanted = set(export.unit_codes)
        units = [unit for unit in list_units(connection, period) if unit.code in wanted]
        made = _in_steps(job, units, lambda some: hand_out(connection, actor, export, period, some))
        stamp = stamp_of(connection, export, period)
        form = form_for(connection, actor, period.form_code, period.form_version)
        job.check()
        write_workbook(form, made, stamp, made_path(export.export_id))
        set_ready(connection, export.export_id)
        job.report(connection, len(units), len(units), "已生成")


def _in_steps(
    job: RunningJob, units: Sequence[Unit], read: Callable[[Sequence[Unit]], list[WorkbookUnit]]
) -> list[WorkbookUnit]:
    """Read some units at a time; how far it is, is said beside the transaction that reads."""
    made: list[WorkbookUnit] = []
    for start in range(0, len(units), _STEP):
        with job.transaction() as beside:
            job.report(beside, start, len(units), "正在读取各单位内容")
        made += read(units[start : start + _STEP])
    return made


def actor_of(user_id: int | None) -> Actor:
    """Return who a job works for, with the grants of today; raise NotPermitted for nobody."""
    if user_id is None:
        raise NotPermitted(user_id=user_id)
    with transaction(None, read_only=True) as connection:
        return actor_today(connection, user_id)


def forget_old(connection: Connection) -> None:
    """Remove batches whose time is over, and what was handed out half a year ago."""
    for export_id in connection.scalars(_SQL["remove_old"], {"days": _KEPT_DAYS}):
        for suffix in _SUFFIXES:
            made_path(export_id, suffix).unlink(missing_ok=True)
