"""A workbook of 1,000 rows × 40 columns that came back: read, checked, compared, written.

`batch_figures(portal)` makes a database of its own with a made-up form, and measures what the page
does; `measure(owner_url, portal_url, folder)` is the same for any server.
"""

import os
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import make_url

from domain.forms import Content, Context, Row
from tests.benchmarks.figures import Figure
from tests.benchmarks.portal import BenchPortal
from tests.rules import add_rule

_DATABASE = "bench_batches"
_FORM = "bench_wide"
_UNITS, _ROWS, _COLUMNS = 10, 100, 40
_TYPES = ("text", "date", "decimal", "integer", "boolean", "code", "phone", "long_text")
_VALUES: tuple[tuple[object, object], ...] = (
    ("原文", "新文"), ("2026-03-01", "2026-04-01"), ("12.50", "13.75"), (7, 8),
    (True, False), ("completed", "running"), ("13800000000", "13900000000"), ("说明", "另一说明"),
)  # fmt: skip


def batch_figures(portal: BenchPortal) -> list[Figure]:
    """Measure check, comparison and write of a batch in a database beside the portal's."""
    with tempfile.TemporaryDirectory(prefix="bench-batches-") as folder:
        return measure(portal.owner_url, portal.portal_url, Path(folder))


def measure(owner_url: str, portal_url: str, folder: Path) -> list[Figure]:
    """Measure on the server behind these URLs; files go under `folder`."""
    before = {name: os.environ.get(name) for name in ("PORTAL_DATABASE_URL", "PORTAL_DATA_DIR")}
    from data_access import database, file_store, reporting_forms

    try:
        user_id, period_id = _fill(owner_url)
        os.environ["PORTAL_DATABASE_URL"] = _beside(portal_url)
        os.environ["PORTAL_DATA_DIR"] = str(folder)
        file_store.root.cache_clear()
        database.engine.cache_clear()
        reporting_forms.FORMS[_FORM] = _Wide()  # type: ignore[index]
        return _measured(user_id, period_id, folder)
    finally:
        reporting_forms.FORMS.pop(_FORM, None)  # type: ignore[attr-defined]
        database.engine().dispose()
        database.engine.cache_clear()
        file_store.root.cache_clear()
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value


def _measured(user_id: int, period_id: int, folder: Path) -> list[Figure]:
    from data_access import workbook_apply, workbook_check, workbook_exports, workbook_scopes
    from data_access.database import transaction
    from data_access.forms import load_form
    from data_access.sessions import actor_today
    from data_access.workbook_write import write_workbook
    from tests.workbooks import sent

    with transaction(None, read_only=True) as connection:
        actor = actor_today(connection, user_id)
    with transaction(actor, action="workbook.export") as connection:
        period = workbook_scopes.get_period(connection, period_id)
        scope = workbook_scopes.get_scope(connection, actor, period, "own")
        export = workbook_exports.begin(connection, actor, period, scope)
        units = workbook_exports.hand_out(connection, actor, export, period, scope.units)
        stamp = workbook_exports.stamp_of(connection, export, period)
        form = load_form(connection, _FORM, 1)
    figures = []
    # A month's work touches a part of the cells; the first fill touches every one.
    for every, name in ((10, "a tenth of the cells changed"), (1, "every cell changed")):
        path = folder / f"{every}.xlsx"
        typed = [replace(unit, content=_content(1, every)) for unit in units]
        write_workbook(form, typed, stamp, path)
        sha256 = sent(actor, path)
        began = time.perf_counter()
        batch_id = workbook_check.receive(actor, sha256)
        checked = time.perf_counter() - began
        budget = 1.5 if every > 1 else None
        cells = f"{_UNITS * _ROWS:,} rows × {_COLUMNS}, {name}"
        figures.append(Figure(f"check and compare {cells}", checked, "s", budget))
        began = time.perf_counter()
        with transaction(actor, action="workbook.apply", planned_once=True) as connection:
            workbook_apply.apply(connection, actor, batch_id)
        figures.append(Figure(f"write {cells}", time.perf_counter() - began, "s", 1))
    return figures


class _Wide:
    """A form of many rows that brings nothing of its own."""

    def ensure_rows(self, *_: object) -> None:
        pass

    def context(
        self, connection: object, division_code: str, period_start: object = None
    ) -> Context:
        from domain.clock import today

        rows = [Row(str(n), f"第 {n} 行", values={"limit": 100}) for n in range(_ROWS)]
        return Context(today=today(), rows={"item": rows})

    def prefilled(self, *_: object) -> Content:
        return _content(0, 1)

    def spanning_problems(self, *_: object) -> list[Any]:
        return []


def _content(new: int, every: int) -> Content:
    """Return the content; with `new` each `every`-th cell holds its second value."""

    def value(row: int, column: int) -> object:
        place = row * _COLUMNS + column
        return _VALUES[column % len(_TYPES)][new if place % every == 0 else 0]

    return {
        "item": [
            {"key": str(row)} | {f"f{n:02}": value(row, n) for n in range(_COLUMNS)}
            for row in range(_ROWS)
        ]
    }


def _beside(url: str) -> str:
    return make_url(url).set(database=_DATABASE).render_as_string(hide_password=False)


def _fill(owner_url: str) -> tuple[int, int]:
    """Make the database with its form and clerk; return the clerk and the period."""
    from data_access.migrate import migrate
    from data_access.reference_data import load_all

    with psycopg.connect(owner_url, autocommit=True) as admin:
        admin.execute(f"DROP DATABASE IF EXISTS {_DATABASE} WITH (FORCE)")
        admin.execute(f"CREATE DATABASE {_DATABASE}")
    url = make_url(owner_url).set(drivername="postgresql", database=_DATABASE)
    with psycopg.connect(url.render_as_string(hide_password=False), autocommit=True) as owner:
        migrate(owner)
        load_all(owner)
        return _clerk(owner), _period(owner)


def _clerk(owner: psycopg.Connection) -> int:
    row = owner.execute(
        "INSERT INTO account (username, display_name, password_hash, must_change_password)"
        " VALUES ('bench_clerk', 'bench_clerk', '!', false) RETURNING user_id"
    ).fetchone()
    assert row is not None
    owner.execute(
        "INSERT INTO account_grant (user_id, role, division_code, prefix)"
        " SELECT %s, 'county', code, prefix FROM admin_division WHERE level = 'county'"
        " ORDER BY code LIMIT %s",
        [row[0], _UNITS],
    )
    return int(row[0])


def _period(owner: psycopg.Connection) -> int:
    owner.execute(
        "INSERT INTO form_version (form_code, version, title, unit_levels, code_version"
        ", rule_version, valid_from) SELECT %s, 1, '宽表', '{county}', code_version, 1"
        ", '2020-01-01' FROM form_version WHERE form_code = 'plan_progress' LIMIT 1",
        [_FORM],
    )
    for number in range(_COLUMNS):
        kind = _TYPES[number % len(_TYPES)]
        owner.execute(
            "INSERT INTO form_field (form_code, version, group_code, field_order, field_code"
            ", section, label, data_type, length, code_table, required_when, visible_when, basis)"
            " VALUES (%s, 1, 'item', %s, %s, '', %s, %s, %s, %s, %s, %s, 'assumed')",
            [
                _FORM, number, f"f{number:02}", f"字段 {number}", kind,
                {"text": "60", "decimal": "10,2"}.get(kind),
                "milestone_state" if kind == "code" else None,
                "True" if number % 5 == 0 else None,
                "f05 != 'skipped'" if number % 8 == 7 else None,
            ],
        )  # fmt: skip
        if kind in ("integer", "decimal"):
            add_rule(owner, _FORM, f"item.f{number:02}", f"f{number:02} <= limit")
    row = owner.execute(
        "INSERT INTO reporting_period (form_code, name, starts_on, ends_on, deadline_at"
        ", form_version, workflow_version) VALUES (%s, '2026年11月', '2026-11-01', '2026-11-30'"
        ", now() + interval '3 days', 1, 1) RETURNING period_id",
        [_FORM],
    ).fetchone()
    assert row is not None
    return int(row[0])
