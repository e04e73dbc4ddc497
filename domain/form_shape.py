"""Whether what was sent is content of a form at all; form_rules asks what it must meet then."""

from collections.abc import Iterator
from typing import Any

from domain.forms import (
    FORM_GROUP,
    IDENTITY,
    Content,
    Context,
    Form,
    Problem,
    ProblemKind,
    Row,
    Severity,
    path_of,
    rows_of,
)


def unfit(form: Form, content: object, context: Context) -> list[Problem]:
    """Return what makes this no content of this form at all: unknown groups, rows, fields, shapes.

    The page never sends such a thing, so it is refused as a whole and nothing is stored.
    """
    if not isinstance(content, dict):
        return [_unfit("", "内容不是一份表。")]
    problems = [_unfit(str(g), "表中没有这个分组。") for g in content if g not in form.groups]
    for group in form.groups:
        shape = dict if group == FORM_GROUP else list
        if not isinstance(content.get(group, shape()), shape):
            problems.append(_unfit(group, "分组的内容不完整。"))
            continue
        problems += _unfit_rows(form, content, group, context)
    return problems


def _unfit_rows(form: Form, content: Content, group: str, context: Context) -> Iterator[Problem]:
    rows = rows_of(content, group)
    if group != FORM_GROUP and len({key for key, _ in rows}) < len(content.get(group, [])):
        yield _unfit(group, "有重复或无法识别的行。")
    for key, values in rows:
        row = context.find_row(group, key)
        if group != FORM_GROUP and row is None:
            yield _unfit(f"{group}[{key}]", "该行不属于本单位，请刷新页面后重试。")
            continue
        yield from _unfit_fields(form, group, key, values, row)


def _unfit_fields(
    form: Form, group: str, key: str, values: dict[str, Any], row: Row | None
) -> Iterator[Problem]:
    identity = {IDENTITY: key, **(row.identity if row else {})} if group != FORM_GROUP else {}
    for code, value in values.items():
        item = form.find_field(group, code)
        if item is None:
            if code not in identity or identity[code] != value:
                yield _unfit(path_of(group, key, code), "表中没有这个字段。")
        elif not _is_scalar(value) and not (item.data_type == "evidence" and _is_files(value)):
            yield _unfit(path_of(group, key, code), "字段的内容无法识别。")


def _unfit(path: str, message: str) -> Problem:
    return Problem(path, path, message, Severity.ERROR, ProblemKind.FORMAT)


def _is_scalar(value: object) -> bool:
    return value is None or isinstance(value, str | int | float | bool)


def _is_files(value: object) -> bool:
    return isinstance(value, dict) and all(
        isinstance(name, str) and (number is None or type(number) is int)
        for name, number in value.items()
    )
