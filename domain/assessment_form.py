"""The form of status assessment: what spans the fields of a row.

What concerns one value stands in the rules (range, change, shares above 100 %).
"""

from collections.abc import Iterator
from decimal import Decimal, InvalidOperation

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

GROUP = "indicator"
ATTACHMENTS = ("现状评估报告", "评估图集")
# How many times one unit is the other: 亩 and 公顷, 公顷 and km2, 万 and 亿, plain and 万.
_MISTAKEN = (Decimal(15), Decimal(100), Decimal(1000), Decimal(10_000), Decimal(1500))
_NEARLY = Decimal("0.1")  # a year's own change beside a mistaken unit


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
    times = mistaken_times(last, now)
    if times is None:
        return
    path = path_of(GROUP, key, "numerator" if row.values.get("is_ratio") else "value")
    unit = row.values.get("unit")
    is_more = bool(now and last and now > last)
    words = f"约为上年值的 {times:f} 倍" if is_more else f"约为上年值的 1/{times:f}"
    message = f"{words}，疑为计量单位有误：本项以“{unit}”计，请核对。"
    yield Problem(path, label_of(form, path, context), message, Severity.HINT, ProblemKind.RULE)


def mistaken_times(last: Decimal | None, now: Decimal | None) -> Decimal | None:
    """Return how many times one figure is the other, where that is the step of a mistaken unit.

    >>> mistaken_times(Decimal("31.2"), Decimal(468)), mistaken_times(Decimal(30), Decimal(33))
    (Decimal('15'), None)
    """
    if not last or not now or last < 0 or now < 0:
        return None
    times = max(last, now) / min(last, now)
    return next((step for step in _MISTAKEN if abs(times - step) <= step * _NEARLY), None)


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
