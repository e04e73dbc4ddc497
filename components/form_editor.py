"""The form component: what the browser needs to draw a form, and the element that draws it.

The element is given a number and asks /api/drafts for everything else, so a rerun of the page
costs nothing and never disturbs what somebody is typing.
"""

import hashlib
import json
from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

from data_access.workbook_layout import sheet_names
from domain.access import Actor
from domain.expressions import BadExpression, parse, tree
from domain.form_options import excluded_options
from domain.form_values import flatten
from domain.forms import (
    EXPLANATION,
    FORM_GROUP,
    UNDELIVERED,
    Content,
    Context,
    Field,
    Form,
    Problem,
    Row,
    label_of,
    rows_of,
)

FIELD = "field"
"""The parameter of an address that names the field to go to, by its path."""
_NEARLY_A_YEAR = timedelta(days=360)
_ASKED = "form-editor-asked"
_ASSETS = Path(__file__).parents[1] / "assets"
_SCRIPTS = (
    "upload.js",
    "form_parts.js",
    "lookup_field.js",
    "form_state.js",
    "form_fields.js",
    "form_sums.js",
    "form_editor.js",
)
_STYLES = ("theme.css", "form_editor.css", "lookup_field.css")
_GRID_SCRIPTS = (
    "form_grid_clipboard.js",
    "form_grid_table.js",
    "form_grid_cell.js",
    "form_grid_bars.js",
    "form_grid.js",
)


def editor_script() -> str:
    """Return the script that draws a form of cards and asks for the grid when it is opened."""
    return "\n".join((_ASSETS / name).read_text("utf-8") for name in _SCRIPTS)


def editor_style() -> str:
    """Return the style sheet of the form."""
    return "\n".join((_ASSETS / name).read_text("utf-8") for name in _STYLES)


_element = st.components.v2.component("form_editor", css=editor_style(), js=editor_script())


def form_editor(actor: Actor, submission_id: int, revision: int, page: int = 0) -> bool:
    """Draw the form of a submission; tell whether it was filed or withdrawn in this run.

    `revision` is the submission's lock_version: the element reads everything anew when it moves,
    or when `page` (anything else that changed on this page, such as a declared plan) does.
    """
    result = _element(
        key=f"form-editor-{submission_id}",
        data={
            "submission_id": submission_id,
            "user_id": actor.user_id,
            "revision": revision,
            "page": page,
            "grid_url": grid_url(),
            "asked": _asked_field(submission_id),
        },
        on_moved_change=_noted,
    )
    return result.moved is not None


def _asked_field(submission_id: int) -> dict[str, Any] | None:
    """Return the field that the address asked for, numbered: the browser goes there once."""
    if path := st.query_params.pop(FIELD, ""):
        number = st.session_state.get(_ASKED, {}).get("number", 0) + 1
        st.session_state[_ASKED] = {"of": submission_id, "path": path[:200], "number": number}
    asked: dict[str, Any] | None = st.session_state.get(_ASKED)
    return asked if asked and asked["of"] == submission_id else None


@cache
def grid_script() -> str:
    """Return the grid with its style as one module, which the browser asks for on opening it."""
    style = json.dumps((_ASSETS / "form_grid.css").read_text("utf-8"))
    scripts = [(_ASSETS / name).read_text("utf-8") for name in _GRID_SCRIPTS]
    return "\n".join([f"const GRID_STYLE = {style};", *scripts])


@cache
def grid_digest() -> str:
    """Return what tells one version of the grid's script from another, so that it may be kept."""
    return hashlib.sha256(grid_script().encode()).hexdigest()[:16]


def grid_url() -> str:
    """Return the address of the grid's script."""
    return f"/api/form-grid/{grid_digest()}.js"


def _noted() -> None:
    """Let the trigger rerun the page, which reads the new state."""


def describe(form: Form) -> dict[str, Any]:
    """Return the form as the browser draws it; conditions are trees, never text to run."""
    titles = sheet_names(form)
    return {
        "title": form.title,
        "groups": [
            {
                "code": group,
                "title": titles[group],
                "fields": [_field(form, item) for item in form.fields_of(group)],
            }
            for group in form.groups
        ],
    }


def _field(form: Form, item: Field) -> dict[str, Any]:
    return {
        "code": item.code,
        "label": item.label,
        "type": item.data_type,
        "section": item.section,
        "unit": item.unit,
        "options": list(form.options(item).items()),
        "required": _condition(item.required_when),
        "visible": _condition(item.visible_when),
        "help": item.help,
        "read_only": item.read_only,
        "explains": item.code == EXPLANATION,
        "kind": item.lookup,
        "lookup": item.lookup,
    }


def _condition(expression: str | None) -> list[object] | None:
    """Return the tree of a condition; one that cannot be read is reported by the check."""
    try:
        return tree(parse(expression)) if expression else None
    except BadExpression:
        return None


def describe_rows(form: Form, context: Context) -> dict[str, Any]:
    """Return what is known about the rows beside what is typed into them."""
    return {
        group: [
            _row(row) | {"excluded": excluded_options(form, context, group, row)} for row in rows
        ]
        for group, rows in context.rows.items()
    }


def _row(row: Row) -> dict[str, Any]:
    return {
        "key": row.key,
        "label": row.label,
        "identity": dict(row.identity),
        "parent": row.parent,
        "values": describe_values(row.values),
        "locked": sorted(row.locked),
        "files": [{"id": f.file_id, "item": f.item, "name": f.name} for f in row.files],
        "file_items": row.file_items,
        "hint": row.hint,
        "badge": row.badge,
        "is_open": row.is_open,
    }


def describe_values(values: Mapping[str, object]) -> dict[str, object]:
    """Return names for conditions as JSON: dates as ISO texts, nothing for the undelivered."""
    plain = {name: None if value is UNDELIVERED else value for name, value in values.items()}
    return {name: _as_json(value) for name, value in plain.items()}


def _as_json(value: object) -> object:
    if isinstance(value, date):
        return value.isoformat()
    return str(value) if isinstance(value, Decimal) else value


def describe_problems(problems: list[Problem]) -> list[dict[str, str]]:
    """Return problems as JSON."""
    return [
        {
            "path": problem.path,
            "label": problem.label,
            "message": problem.message,
            "severity": problem.severity.value,
            "kind": problem.kind.value,
        }
        for problem in problems
    ]


def labels(form: Form, content: Content, context: Context) -> dict[str, str]:
    """Return what a person calls each field of the content."""
    return {path: label_of(form, path, context) for path in flatten(form, content)}


def taken_over(starts_on: date, ends_on: date) -> str:
    """Return what a value is marked with that was accepted before the period and still stands."""
    return "沿用上年" if ends_on - starts_on > _NEARLY_A_YEAR else "沿用上次"


def accepted_values(form: Form, content: Content, context: Context) -> dict[str, object]:
    """Return path to value of the form and of each row that the province accepted before."""
    accepted = {
        group: [row for key, row in rows_of(content, group) if _is_accepted(context, group, key)]
        for group in form.groups
        if group != FORM_GROUP
    }
    if context.is_accepted:
        return flatten(form, accepted | {FORM_GROUP: content.get(FORM_GROUP, {})})
    values = flatten(form, accepted)
    return {path: values[path] for path in values if not path.startswith(f"{FORM_GROUP}.")}


def _is_accepted(context: Context, group: str, key: str) -> bool:
    row = context.find_row(group, key)
    return row is not None and row.is_accepted
