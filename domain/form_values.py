"""Values of a form: their normal form, as it is stored, and their Python type, as rules see it."""

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from decimal import Decimal
from functools import cache

from domain.forms import FORM_GROUP, Content, Field, Form, path_of, rows_of
from domain.normalisation import NORMALISE, is_phone, normal_code

_QUOTED_LENGTH = 30
# Python's own numbers also know 1e5, 1_000 and NaN.
_WHOLE = re.compile(r"[+-]?[0-9]+")
_PLAIN = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?")
_FIGURES = re.compile(r"[+-]?\d[\d,，]*([.．]\d+)?")
_SCIENTIFIC = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?[eE][+-]?[0-9]+")
_LONGEST_NUMBER = 100  # characters; Python itself refuses to read thousands of digits


def normalise(form: Form, content: Content) -> Content:
    """Return the content with every value in its normal form; what is not understood stays."""
    result: Content = {}
    for group in form.groups:
        rows = [
            row | {f.code: normal_value(form, f, row.get(f.code)) for f in form.fields_of(group)}
            for _, row in rows_of(content, group)
        ]
        result[group] = rows[0] if group == FORM_GROUP else rows
    return result


def normal_value(form: Form, item: Field, value: object) -> object:
    """Return one value in the normal form of its data type; empty is None."""
    if value is None:
        return None
    kind = item.data_type
    if isinstance(value, str):
        if not value or value.isspace():
            return None
        if item.unit and kind in ("integer", "decimal"):
            value = _without_unit(value, item.unit)
    if kind == "evidence":
        return _normal_files(value)
    if kind == "code":
        return normal_code(value, form.options(item))
    return NORMALISE[kind](value)


def _without_unit(text: str, unit: str) -> str:
    """Return a number that was typed with the unit of its field, 45% or 1,234 人, without it."""
    plain = text.replace("％", "%").strip()
    number = plain.removesuffix(unit).strip()
    return number if number != plain and _FIGURES.fullmatch(number) else text


def _normal_files(value: object) -> object:
    if not isinstance(value, dict):
        return value
    return {name: number for name, number in value.items() if number is not None} or None


def flatten(form: Form, content: Content) -> dict[str, object]:
    """Return the content as path to normal value."""
    return {
        path: normal_value(form, item, value) for path, item, value in _each_field(form, content)
    }


def changed_by_normalising(form: Form, content: Content) -> dict[str, object]:
    """Return path to normal value of each field that was typed in another form."""
    return {
        path: normal
        for path, item, value in _each_field(form, content)
        if (normal := normal_value(form, item, value)) != value
    }


def _each_field(form: Form, content: Content) -> Iterator[tuple[str, Field, object]]:
    for group in form.groups:
        for key, row in rows_of(content, group):
            for item in form.fields_of(group):
                yield path_of(group, key, item.code), item, row.get(item.code)


def typed_value(form: Form, item: Field, value: object) -> object:
    """Return the value as its Python type; raise ValueError with a sentence that quotes it."""
    normal = normal_value(form, item, value)
    if normal is None:
        return None
    kind = item.data_type
    if kind == "code":
        if normal not in form.options(item):
            choices = "、".join(form.options(item).values())
            raise ValueError(f"“{_quote(normal)}”不在可选范围内，可选：{choices}。")
        return normal
    if kind == "boolean":
        if not isinstance(normal, bool):
            raise ValueError(f"“{_quote(normal)}”无法识别，请选择“是”或“否”。")
        return normal
    typed = _TYPED.get(kind)
    return typed(item, normal) if typed else normal


def _typed_number(item: Field, value: object) -> int | Decimal:
    text, is_whole = str(value), item.data_type == "integer"
    if not (_WHOLE if is_whole else _PLAIN).fullmatch(text):
        raise ValueError(_no_number(text, "整数" if is_whole else "数字"))
    if len(text) > _LONGEST_NUMBER:
        raise ValueError(f"“{_quote(value)}”位数过多（共 {len(text)} 个字符），请核对。")
    number = int(text) if is_whole else Decimal(text)
    digits, decimals = _limits(item.length)
    if digits is None or (is_whole and len(text) <= digits):
        return number
    whole, _, fraction = text.lstrip("+-").partition(".")
    if len(whole.lstrip("0")) > digits - (decimals or 0):
        raise ValueError(f"“{_quote(value)}”位数过多，整数部分最多 {digits - (decimals or 0)} 位。")
    if decimals is not None and len(fraction.rstrip("0")) > decimals:
        raise ValueError(f"“{_quote(value)}”小数位数过多，最多 {decimals} 位。")
    return number


def _no_number(text: str, word: str) -> str:
    if _SCIENTIFIC.fullmatch(text):
        return f"“{_quote(text)}”是科学计数的写法，请写出全部数字，如 100000。"
    return f"“{_quote(text)}”不是{word}，请只填{word}。"


def _typed_date(item: Field, value: object) -> date:
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        raise ValueError(f"“{_quote(value)}”不是日期，请按 2026-03-01 的样式填写。") from None


def _typed_text(item: Field, value: object) -> str:
    text = str(value)
    if "\ufffd" in text:
        raise ValueError("含有无法识别的字符（显示为 \ufffd），请删除后重新填写。")
    if item.data_type == "phone" and not is_phone(text):
        raise ValueError(
            f"“{_quote(text)}”不是电话号码，请填 11 位手机号码，或“区号-号码”的固定电话。"
        )
    limit, _ = _limits(item.length)
    if limit is not None and len(text) > limit:
        raise ValueError(f"共 {len(text)} 字，最多 {limit} 字，请精简。")
    return text


_TYPED: Mapping[str, Callable[[Field, object], object]] = {
    "integer": _typed_number,
    "decimal": _typed_number,
    "date": _typed_date,
    "text": _typed_text,
    "long_text": _typed_text,
    "phone": _typed_text,
}


@cache
def _limits(length: str | None) -> tuple[int | None, int | None]:
    """Return (length or total digits, digits after the point)."""
    first, _, second = (length or "").partition(",")
    return (int(first) if first else None, int(second) if second else None)


def _quote(value: object) -> str:
    text = str(value)
    return text if len(text) <= _QUOTED_LENGTH else f"{text[:_QUOTED_LENGTH]}…"
