"""What the demo takes from the reference data: divisions, stages, workflow, form, calendar."""

import re
from dataclasses import dataclass
from datetime import date
from typing import Any

import psycopg

from data_access.demo.people import Division
from data_access.demo.reports import FormVersions
from data_access.demo.timelines import Stage
from data_access.queries import load_queries
from domain.access import Role
from domain.workflow import Workflow, WorkflowStep

_SQL = load_queries("demo")
_FORM = "plan_progress"
_COMPILE_FORM = "compile_unit"
_PARAMETER = re.compile(r":([a-z_]+)")


@dataclass(frozen=True, slots=True)
class CompileForm:
    """The form of the compile units: its versions, the kinds of unit it asks, its periods."""

    versions: FormVersions
    unit_kinds: list[str]
    period_months: int


@dataclass(frozen=True, slots=True)
class Reference:
    """The reference data in force on the day of the load."""

    divisions: list[Division]
    stages: list[Stage]
    workflow: Workflow
    versions: FormVersions
    unit_levels: list[str]
    compile_unit: CompileForm
    holidays: dict[date, bool]
    numbers: dict[str, int]

    def stages_of(self, plan_type: str) -> list[Stage]:
        return [stage for stage in self.stages if stage.plan_type == plan_type]


def ask(cursor: psycopg.Cursor[Any], name: str, **parameters: object) -> psycopg.Cursor[Any]:
    """Run a named query of demo.sql on the owner's own connection."""
    return cursor.execute(_PARAMETER.sub(r"%(\1)s", _SQL[name].text), parameters)


def read_reference(cursor: psycopg.Cursor[Any], today: date) -> Reference:
    """Read the reference data as of `today`."""
    versions, (unit_levels, *_) = _form(cursor, _FORM)
    compile_versions, (_, unit_kinds, months) = _form(cursor, _COMPILE_FORM)
    return Reference(
        divisions=[Division(*row) for row in ask(cursor, "list_divisions", day=today)],
        stages=[Stage(*row) for row in ask(cursor, "list_stages")],
        workflow=_workflow(cursor, versions.workflow_version),
        versions=versions,
        unit_levels=unit_levels,
        compile_unit=CompileForm(compile_versions, unit_kinds, months),
        holidays=dict(ask(cursor, "list_calendar").fetchall()),
        numbers=dict(ask(cursor, "list_numbers").fetchall()),
    )


def _form(cursor: psycopg.Cursor[Any], form_code: str) -> tuple[FormVersions, list[Any]]:
    version, rule, code, workflow, prefix, *others = ask(
        cursor, "get_form", form_code=form_code
    ).fetchall()[0]
    return FormVersions(form_code, version, rule, code, workflow, prefix), others


def _workflow(cursor: psycopg.Cursor[Any], version: int) -> Workflow:
    steps = ask(cursor, "list_steps", form_code=_FORM, version=version)
    return Workflow(
        _FORM,
        version,
        (Role.CITY, Role.COUNTY),
        tuple(
            WorkflowStep(number, name, Role(role), scope, tuple(skipped), days)
            for number, name, role, scope, skipped, days in steps
        ),
    )
