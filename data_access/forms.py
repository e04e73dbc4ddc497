"""Forms as the tables describe them, and who is told when a description is broken."""

import logging
from collections import defaultdict
from dataclasses import dataclass

from sqlalchemy import Connection

from data_access.change_listener import Topic, mark
from data_access.check_rules import current_set, rules_by_field
from data_access.inbox import IN_APP
from data_access.queries import load_queries
from data_access.rows import fetch_all, fetch_one
from domain.access import Role
from domain.clock import today
from domain.errors import NotFound
from domain.form_rules import BrokenRule
from domain.forms import Field, Form, Rule
from domain.supervision import Notice

_SQL = load_queries("forms")
_LOG = logging.getLogger(__name__)
_LOADED: dict[tuple[str, int, int | None], tuple[int, Form]] = {}
_TOLD: set[tuple[object, ...]] = set()


@dataclass(frozen=True, slots=True)
class _Version:
    form_code: str
    version: int
    title: str
    code_version: str


@dataclass(frozen=True, slots=True)
class _Field:
    group_code: str
    field_code: str
    section: str
    label: str
    data_type: str
    length: str | None
    unit: str | None
    code_table: str | None
    required_when: str | None
    visible_when: str | None
    help: str | None
    sensitivity: str
    column_name: str | None
    read_only: bool
    lookup: str | None


@dataclass(frozen=True, slots=True)
class _Code:
    table_code: str
    code: str
    name: str


def load_form(
    connection: Connection, form_code: str, version: int, rule_version: int | None = None
) -> Form:
    """Return one version of a form with its rules as they stand now, or in a past rule set.

    It is read once, and again when a rule was changed or reference data was loaded.
    """
    marked, key = mark(Topic.FORMS), (form_code, version, rule_version)
    known = _LOADED.get(key)
    if known is None or known[0] != marked:
        known = _LOADED[key] = marked, _read_form(connection, *key)
    return known[1]


def forget_forms() -> None:
    """Read every form anew, at once: for tests that change one."""
    _LOADED.clear()
    _TOLD.clear()


def _read_form(
    connection: Connection, form_code: str, version: int, rule_version: int | None
) -> Form:
    head = fetch_one(
        connection, _SQL["get_form_version"], _Version, form_code=form_code, version=version
    )
    if head is None:
        raise NotFound(form_code=form_code, version=version)
    fields = fetch_all(
        connection, _SQL["list_fields"], _Field, form_code=form_code, version=version
    )
    if rule_version is None:
        rule_version = current_set(connection, form_code)
    rules = rules_by_field(connection, form_code, rule_version)
    codes: dict[str, dict[str, str]] = defaultdict(dict)
    for row in fetch_all(connection, _SQL["list_codes"], _Code, code_version=head.code_version):
        codes[row.table_code][row.code] = row.name
    return Form(
        form_code=head.form_code,
        version=head.version,
        title=head.title,
        code_version=head.code_version,
        rule_version=rule_version,
        fields=tuple(
            _field(row, rules.get((row.group_code, row.field_code), ())) for row in fields
        ),
        codes=dict(codes),
    )


def _field(row: _Field, rules: tuple[Rule, ...]) -> Field:
    return Field(
        group=row.group_code,
        code=row.field_code,
        label=row.label,
        data_type=row.data_type,
        section=row.section,
        length=row.length,
        unit=row.unit,
        code_table=row.code_table,
        required_when=row.required_when,
        visible_when=row.visible_when,
        rules=rules,
        help=row.help,
        sensitivity=row.sensitivity,
        column_name=row.column_name,
        read_only=row.read_only,
        lookup=row.lookup,
    )


def log_broken(broken: BrokenRule) -> None:
    """Log a rule that cannot be evaluated: where nothing may be written to the database."""
    _LOG.error("form rule cannot be evaluated: %r", broken)


def tell_owner(connection: Connection, broken: BrokenRule) -> None:
    """Log a rule that cannot be evaluated and put it into the information centre's inbox.

    Once a day and process: a form with a thousand rows would repeat it a thousand times.
    """
    field_code = broken.path.rpartition(".")[2]
    news = (broken.form_code, broken.version, field_code, broken.expression, today())
    if news in _TOLD:
        return
    _TOLD.add(news)
    log_broken(broken)
    title = f"表单校验规则有误：{broken.form_code} 第 {broken.version} 版 {field_code}"
    body = f"规则“{broken.expression}”无法计算（{broken.reason}），相关字段显示为“未校验”。"
    notices = [
        Notice(Role.INFORMATION_CENTRE, code, title, body)
        for code in connection.scalars(_SQL["list_top_divisions"], {"day": today()})
    ]
    IN_APP.send(connection, notices)
