"""Targets as they are typed into a table: a target for each row, or a sentence on what is wrong."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation

from domain.assessment import TargetState

_LONGEST = 20  # digits of a figure
_LONGEST_DOCUMENT = 60  # characters
_FIRST_YEAR, _LAST_YEAR = 2000, 2100


@dataclass(frozen=True, slots=True)
class TargetRow:
    """A row as typed."""

    state: TargetState | None
    value: str = ""
    base_year: str = ""
    base_value: str = ""
    document_no: str = ""
    issued_on: str = ""


@dataclass(frozen=True, slots=True)
class TargetEntry:
    """What a row says, read."""

    state: TargetState
    target_value: Decimal | None
    base_year: int | None
    base_value: Decimal | None
    document_no: str | None
    issued_on: date | None


class RowFault(ValueError):
    """A sentence about what is wrong with a row."""


def read_target_year(text: str) -> int:
    """Return a typed target year; raise RowFault.

    >>> read_target_year(" 2035 年")
    2035
    """
    return _year("目标年", text.strip().removesuffix("年"))


def read_row(
    row: TargetRow, target_year: int, unit: str, low: Decimal, is_share: bool
) -> TargetEntry:
    """Return what a row says; raise RowFault with a sentence.

    `low` is the lower end of the indicator's plausible range: below zero is only what can be there.
    A share of a whole is at most 100 %.

    >>> bounds = ("%", Decimal(0), True)
    >>> read_row(TargetRow(TargetState.ISSUED, "40.5%"), 2035, *bounds).target_value
    Decimal('40.5')
    >>> read_row(TargetRow(TargetState.ISSUED, "4050"), 2035, *bounds)
    Traceback (most recent call last):
    domain.target_rows.RowFault: 目标值 4050% 超过 100%，请核对。
    >>> read_row(TargetRow(None, "40"), 2035, *bounds)
    Traceback (most recent call last):
    domain.target_rows.RowFault: 请选择状态：已下达或未下达。
    """
    if row.state is None:
        raise RowFault("请选择状态：已下达或未下达。")
    value = _number("目标值", row.value, unit, low, is_share)
    base_value = _number("基期值", row.base_value, unit, low, is_share)
    base_year = _year("基期年", row.base_year) if row.base_year.strip() else None
    if row.state is TargetState.ISSUED and value is None:
        raise RowFault("已下达的目标须填写目标值。")
    if row.state is TargetState.NOT_ISSUED and value is not None:
        raise RowFault("填了目标值，请将状态改为已下达。")
    if (base_year is None) != (base_value is None):
        raise RowFault("基期年与基期值须同时填写。")
    if base_year is not None and base_year >= target_year:
        raise RowFault(f"基期年 {base_year} 应早于目标年 {target_year}。")
    document_no = row.document_no.strip()
    if len(document_no) > _LONGEST_DOCUMENT:
        raise RowFault(f"文号最多 {_LONGEST_DOCUMENT} 字。")
    return TargetEntry(
        row.state, value, base_year, base_value, document_no or None, _day(row.issued_on)
    )


def _number(name: str, text: str, unit: str, low: Decimal, is_share: bool) -> Decimal | None:
    plain = text.strip().replace(",", "").replace("，", "")
    if unit == "%":
        plain = plain.removesuffix("%")
    if not plain:
        return None
    try:
        number = Decimal(plain)
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite() or len(plain) > _LONGEST:
        raise RowFault(f"{name}“{text.strip()[:_LONGEST]}”不是数，请只填数字。")
    if number < 0 <= low:
        raise RowFault(f"{name}不能小于 0。")
    if is_share and number > 100:
        raise RowFault(f"{name} {plain}% 超过 100%，请核对。")
    return number


def _day(text: str) -> date | None:
    plain = text.strip().replace("/", "-").replace(".", "-")
    if not plain:
        return None
    try:
        year, month, day = (int(part) for part in plain.split("-"))
        return date(year, month, day)
    except ValueError:
        raise RowFault(f"下达日期“{text.strip()[:12]}”应如 2025-06-30。") from None


def _year(name: str, text: str) -> int:
    plain = text.strip()
    if not (plain.isascii() and plain.isdigit() and _FIRST_YEAR <= int(plain) <= _LAST_YEAR):
        raise RowFault(f"{name}“{plain[:8]}”应为四位年份，如 2035。")
    return int(plain)
