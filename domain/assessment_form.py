"""The form of status assessment: what spans the fields of a row.

What concerns one value stands in the rules (range, change, shares above 100 %).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from fractions import Fraction

from domain.forms import (
    Content,
    Context,
    Form,
    Problem,
    ProblemKind,
    Row,
    Severity,
    Values,
    label_of,
    path_of,
    rows_of,
)
from domain.indicator_formulas import other_units

GROUP = "indicator"
ATTACHMENTS = ("现状评估报告", "评估图集")
# How many times one unit is the other where the unit is a compound or not a known one.
_STEPS = tuple(map(Fraction, (15, 100, 1000, 10_000, 1500)))
_NEARLY = Fraction(1, 10)  # a year's own change beside a mistaken unit
_NOTABLE = 5  # times; less than that may be a change


@dataclass(frozen=True, slots=True)
class MistakenUnit:
    """How many times one figure is the other; the unit it looks to be in, where one is known."""

    times: Fraction
    unit: str | None
    is_more: bool

    def sentence(self, before: str, unit: str) -> str:
        """Return it in words, beside what it was compared with and the unit it is to be in."""
        times = f"{round(float(self.times), 1):,}".removesuffix(".0")
        words = f"约为{before}的 {times} 倍" if self.is_more else f"约为{before}的 1/{times}"
        seems = f"（似以“{self.unit}”填报）" if self.unit else ""
        return f"{words}，疑为计量单位有误{seems}：本项以“{unit}”计，请核对。"


def problems(form: Form, content: Content, context: Context) -> list[Problem]:
    """Return where a figure looks as if it were in another unit than last year's."""
    found: list[Problem] = []
    for key, values in rows_of(content, GROUP):
        row = context.find_row(GROUP, key)
        if row is not None:
            found += _unit_doubts(form, context, key, values, row)
    return found


def _unit_doubts(
    form: Form, context: Context, key: str, values: Values, row: Row
) -> Iterator[Problem]:
    last, now = _number(row.values.get("last_value")), _figure(values, row)
    unit = str(row.values.get("unit") or "")
    found = mistaken_unit(last, now, unit)
    if found is None:
        return
    path = path_of(GROUP, key, "numerator" if row.values.get("is_ratio") else "value")
    message = found.sentence("上年值", unit)
    yield Problem(path, label_of(form, path, context), message, Severity.HINT, ProblemKind.RULE)


def mistaken_unit(last: Decimal | None, now: Decimal | None, unit: str) -> MistakenUnit | None:
    """Return in which other unit a figure looks to be, told by last year's; None for none.

    >>> mistaken_unit(Decimal("31.2"), Decimal(20_900), "万亩")
    MistakenUnit(times=Fraction(2000, 3), unit='公顷', is_more=True)
    >>> mistaken_unit(Decimal("31.2"), Decimal("2.1"), "万亩")
    MistakenUnit(times=Fraction(15, 1), unit='万公顷', is_more=False)
    >>> mistaken_unit(Decimal(12), Decimal(12_100), "m2/人")
    MistakenUnit(times=Fraction(1000, 1), unit=None, is_more=True)
    >>> mistaken_unit(Decimal(30), Decimal(33), "万亩")
    """
    if not last or not now or last < 0 or now < 0:
        return None
    found = Fraction(now) / Fraction(last)
    others: dict[Fraction, str | None] = {**dict.fromkeys(_STEPS), **other_units(unit)}
    for step in (*others, *(1 / step for step in _STEPS)):
        times = max(step, 1 / step)
        if times >= _NOTABLE and abs(found / step - 1) <= _NEARLY:
            return MistakenUnit(times, others.get(step), found > 1)
    return None


def _figure(values: Values, row: Row) -> Decimal | None:
    if not row.values.get("is_ratio"):
        return _number(values.get("value"))
    above, below = _number(values.get("numerator")), _number(values.get("denominator"))
    scale = _number(row.values.get("scale"))
    if above is None or not below or scale is None:
        return None
    return above * scale / below


def _number(value: object) -> Decimal | None:
    try:
        found = Decimal(str(value))
    except InvalidOperation:
        return None
    return found if found.is_finite() else None
