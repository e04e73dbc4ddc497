"""Form B, compile units: what a plan's type is called there, and what spans fields and rows.

What concerns one field stands in the form's description. Here: what differs from what is known of
a compile unit, a qualification that has run out, and one contract number used twice.
"""

from collections.abc import Iterator, Mapping
from datetime import date

from domain.form_texts import text_of
from domain.forms import (
    Content,
    Context,
    Form,
    Problem,
    ProblemKind,
    Severity,
    Values,
    label_of,
    path_of,
    rows_of,
)

GROUP = "contract"
PARTIES = ("unit1", "unit2")
ATTACHMENTS = ("合同扫描件", "资质证书扫描件")
KNOWN_FIELDS = ("name", "type", "grade", "cert_no", "cert_valid", "province")
"""What is known of a compile unit, by the second half of a field's code: unit1_name."""

# Codes of the tables GHLX and GHCJ for the types of plan that Form A knows.
_KINDS = {"MASTER": "11", "DETAIL": "21", "VILLAGE": "22", "SPECIAL": "31"}
_LEVELS = {"province": "1", "city": "2", "county": "3", "town": "4", "township": "4"}


def plan_kind(plan_type: str) -> str | None:
    """Return the code of table GHLX for a type of plan.

    >>> plan_kind("MASTER_COUNTY"), plan_kind("SPECIAL"), plan_kind("OTHER")
    ('11', '31', None)
    """
    return _KINDS.get(plan_type.partition("_")[0])


def plan_level(plan_type: str, unit_level: str) -> str | None:
    """Return the code of table GHCJ: the type says it, or the unit that has it compiled.

    >>> plan_level("MASTER_TOWN", "county"), plan_level("SPECIAL", "city")
    ('4', '2')
    """
    _, _, level = plan_type.partition("_")
    return _LEVELS.get(level.lower() or unit_level)


def problems(form: Form, content: Content, context: Context) -> list[Problem]:
    """Return what is doubtful between the contracts, and beside what is known of their units."""
    found: list[Problem] = []
    numbers: dict[str, str] = {}
    for key, row in rows_of(content, GROUP):
        for party in PARTIES:
            found += _party_problems(form, context, key, row, party)
        number = row.get("contract_no")
        if isinstance(number, str) and number:
            other = numbers.setdefault(number, key)
            if other != key:
                label = _row_label(context, other)
                message = f"合同编号“{number}”与“{label}”的相同，请确认是否为同一合同。"
                found.append(_hint(form, context, key, "contract_no", message))
    return found


def _party_problems(
    form: Form, context: Context, key: str, row: Values, party: str
) -> Iterator[Problem]:
    code = f"{party}_cert_valid"
    valid = _day(row.get(code))
    if valid is not None and valid < context.today:
        message = f"资质有效期至 {valid}，现已过期，请核实是否已换证。"
        yield _hint(form, context, key, code, message)
    known = context.references.get(str(row.get(f"{party}_uscc")))
    if known is None:
        return
    for name in KNOWN_FIELDS:
        yield from _difference(form, context, key, row, known, party, name)


def _difference(
    form: Form,
    context: Context,
    key: str,
    row: Values,
    known: Mapping[str, object],
    party: str,
    name: str,
) -> Iterator[Problem]:
    code = f"{party}_{name}"
    old, new = known.get(name), row.get(code)
    if old is None or new is None or str(old) == str(new):
        return
    text = text_of(form, path_of(GROUP, key, code), old)
    message = f"与名录中的“{text}”不同，确有变更的，经认定后更新名录；否则请核对。"
    if name == "name":
        message = f"该统一社会信用代码登记的名称是“{text}”，请核对代码或名称；确已更名的可以提交。"
    yield _hint(form, context, key, code, message)


def _hint(form: Form, context: Context, key: str, code: str, message: str) -> Problem:
    path = path_of(GROUP, key, code)
    label = label_of(form, path, context)
    return Problem(path, label, message, Severity.HINT, ProblemKind.RULE)


def _row_label(context: Context, key: str) -> str:
    row = context.find_row(GROUP, key)
    return row.label if row else key


def _day(value: object) -> date | None:
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        return None
