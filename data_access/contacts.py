"""Whom to call: the responsible person and the contact that a unit filed last."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from data_access.queries import load_queries
from data_access.rows import fetch_all
from domain.access import Actor
from domain.form_texts import masked_value
from domain.forms import Field

_SQL = load_queries("contacts")


@dataclass(frozen=True, slots=True)
class ContactLine:
    """One field as this actor may read it; `is_masked` when something of it is hidden."""

    label: str
    value: str
    is_masked: bool


@dataclass(frozen=True, slots=True)
class _FiledField:
    field_code: str
    label: str
    data_type: str
    sensitivity: str
    value: str


def list_contact_lines(
    connection: Connection, actor: Actor, form_code: str, code: str, prefix: str, moment: datetime
) -> list[ContactLine]:
    """Return the responsible person, contact and telephone that the unit had filed by the moment.

    The form says which of them are contacts; these are masked for who need not see them.
    """
    filed = fetch_all(
        connection,
        _SQL["list_contact_fields"],
        _FiledField,
        code=code,
        form_code=form_code,
        moment=moment,
    )
    may_see = actor.may_see_contact(prefix)
    return [_line(each, hidden=each.sensitivity == "contact" and not may_see) for each in filed]


def last_filed_fields(
    connection: Connection, form_code: str, division_code: str, names: Sequence[str]
) -> dict[str, object]:
    """Return these fields of the unit's last report on a form, None where it filed none."""
    key = {"form_code": form_code, "division_code": division_code}
    fields = connection.scalar(_SQL["last_filed_fields"], key) or {}
    return {name: fields.get(name) for name in names}


def _line(filed: _FiledField, *, hidden: bool) -> ContactLine:
    field = Field("form", filed.field_code, filed.label, filed.data_type)
    value = masked_value(field, filed.value) if hidden else filed.value
    return ContactLine(filed.label, value, hidden)
