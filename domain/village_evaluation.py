"""Village evaluation: what spans the fields of a village and the rows of its natural villages.

What concerns one field stands in the form's description; the limits are a setting of the portal.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from domain.forms import (
    FORM_GROUP,
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

GROUP = "natural_village"
SUMMED = ("hukou_pop", "resident_pop", "households", "construction_area")
"""Fields of both groups: the natural villages together have no more than their village."""
_COUNTED = "natural_cnt"
_SQUARE_METRES = 10_000  # of a hectare
_LISTED_TRADITIONAL = ("1", "2")  # of the nation, of the province
_PROTECTED_CLASS = "3"


@dataclass(frozen=True, slots=True)
class Sum:
    """What the natural villages have together, beside what their village has."""

    field: str
    together: Decimal
    village: Decimal | None
    missing: int
    """Natural villages that say nothing of it yet."""

    @property
    def exceeds(self) -> bool:
        return self.village is not None and self.together > self.village


def sums(content: Content) -> list[Sum]:
    """Return each summed field of the natural villages beside the village's own."""
    (_, village), *_ = rows_of(content, FORM_GROUP)
    rows = [row for _, row in rows_of(content, GROUP)]
    return [_sum(code, village, rows) for code in SUMMED]


def _sum(code: str, village: Values, rows: list[dict[str, object]]) -> Sum:
    known = [number for row in rows if (number := _number(row.get(code))) is not None]
    together = sum(known, Decimal())
    return Sum(code, together, _number(village.get(code)), len(rows) - len(known))


def per_capita(values: Values) -> Decimal | None:
    """Return construction land a registered person, in square metres.

    >>> per_capita({"construction_area": "12.5", "hukou_pop": 1000})
    Decimal('125.00')
    """
    area, people = _number(values.get("construction_area")), _number(values.get("hukou_pop"))
    if area is None or people is None:
        return None
    return round(area * _SQUARE_METRES / max(people, Decimal(1)), 2)


def problems(form: Form, content: Content, context: Context) -> list[Problem]:
    """Return what does not fit between a village and its natural villages, and what is doubtful."""
    (_, village), *_ = rows_of(content, FORM_GROUP)
    found = [*_sum_problems(form, content), *_count_problems(form, village, context)]
    found += _doubts_of_village(form, village, context)
    for group in (FORM_GROUP, GROUP):
        for key, row in rows_of(content, group):
            found += _resident_doubts(form, context, group, key, row)
    return found


def _sum_problems(form: Form, content: Content) -> Iterator[Problem]:
    for each in sums(content):
        item = form.find_field(FORM_GROUP, each.field)
        if item is None or not each.exceeds or each.village is None:
            continue
        message = (
            f"各自然村{item.label}合计 {_text(each.together)} {item.unit or ''}，"
            f"大于行政村的 {_text(each.village)} {item.unit or ''}，请核对。"
        )
        path = path_of(FORM_GROUP, "", each.field)
        yield Problem(path, item.label, message, Severity.ERROR, ProblemKind.RULE)


def _count_problems(form: Form, village: Values, context: Context) -> Iterator[Problem]:
    said, rows = _number(village.get(_COUNTED)), len(context.rows.get(GROUP, ()))
    if said is None or said == rows:
        return
    path = path_of(FORM_GROUP, "", _COUNTED)
    message = f"填报的自然村个数为 {_text(said)}，名录中本村有 {rows} 个自然村，两者应一致。"
    yield Problem(path, label_of(form, path), message, Severity.ERROR, ProblemKind.RULE)


def _doubts_of_village(form: Form, village: Values, context: Context) -> Iterator[Problem]:
    land, limit = per_capita(village), _limit(context.values, "per_capita_hint")
    if land is not None and limit is not None and land > limit:
        message = f"人均村庄建设用地 {_text(land)} 平方米，超过 {_text(limit)} 平方米，请核实。"
        yield _doubt(form, path_of(FORM_GROUP, "", "construction_area"), message)
    listed = village.get("trad_village_level") in _LISTED_TRADITIONAL
    if listed and village.get("village_class") not in (None, _PROTECTED_CLASS):
        message = "国家级、省级传统村落一般划为特色保护类，请核实村庄分类。"
        yield _doubt(form, path_of(FORM_GROUP, "", "village_class"), message)


def _resident_doubts(
    form: Form, context: Context, group: str, key: str, row: Values
) -> Iterator[Problem]:
    percent = _limit(context.values, "resident_percent_hint")
    registered, resident = _number(row.get("hukou_pop")), _number(row.get("resident_pop"))
    if percent is None or registered is None or resident is None:
        return
    times = _limit(context.values, "resident_times_limit")
    wrong = times is not None and resident > times * max(registered, Decimal(1))
    if wrong or resident * 100 <= registered * percent:
        return
    message = (
        f"常住人口 {_text(resident)} 人，超过户籍人口 {_text(registered)} 人的 {_text(percent)}%，"
        "请核实。"
    )
    yield _doubt(form, path_of(group, key, "resident_pop"), message, context)


def _doubt(form: Form, path: str, message: str, context: Context | None = None) -> Problem:
    label = label_of(form, path, context)
    return Problem(path, label, message, Severity.WARNING, ProblemKind.RULE)


def _limit(values: Mapping[str, object], name: str) -> Decimal | None:
    return _number(values.get(name))


def _number(value: object) -> Decimal | None:
    if value is None or isinstance(value, bool):
        return None
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _text(number: Decimal) -> str:
    return f"{number:f}".rstrip("0").rstrip(".") if "." in f"{number:f}" else f"{number:f}"
