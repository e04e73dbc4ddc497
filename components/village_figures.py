"""What a list of villages is asked by: a figure of the overview, its numerator and denominator."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from urllib.parse import urlencode

from components.labels import label
from components.map import percent
from domain.forms import FORM_GROUP, Form
from domain.village_overview import (
    ACCEPTED,
    ASKED,
    NEEDING_PLAN,
    WITH_PLAN,
    Counts,
    Key,
    Share,
)
from domain.workflow import SubmissionState

PAGE = "village_overview"
SERVICES = (
    "hard_road",
    "garbage_collected",
    "broadband",
    "bus",
    "village_office",
    "culture_square",
    "clinic",
    "elder_care",
    "primary_school",
    "kindergarten",
)
HAZARDS = {"any": "有任一隐患", "geohazard": "有地质灾害隐患点", "flood": "受洪涝威胁"}
_CODED = ("village_class", "plan_status", "eval_conclusion", "plan_type", "tap_water", "sewage")
_CONCLUDED = "已有评估结论的村"
_PLAIN = {
    "asked": "应报村",
    "unreported": "未报村",
    "in_time": "按时报送的村",
    "accepted": "已认定村",
}


@dataclass(frozen=True, slots=True)
class Figure:
    """What a list of villages is behind: its name, its count, and what that is a part of."""

    measure: str
    codes: tuple[str, ...]
    title: str
    part: Decimal
    whole: Decimal | None
    whole_title: str
    whole_opens: str
    """What the list of the whole is asked by; '' for none."""


def figure_of(text: str, counts: Counts, form: Form) -> Figure:
    """Return the figure that an address asks for, such as plan_status:1,2; all villages if none."""
    measure, _, rest = text.partition(":")
    codes = tuple(rest.split(",")) if rest else ()
    title = _title(measure, codes, form)
    if title is None:
        return figure_of("asked", counts, form)
    if measure == "asked":
        return Figure(measure, codes, title, counts.of(ASKED), None, "", "")
    if measure == "unreported":
        part, whole = counts.not_reported, ASKED
    else:
        part = counts.of(*((measure, code) for code in codes or ("",)))
        whole = ASKED if measure in ("state", "in_time", "accepted") else ACCEPTED
    asked = {ASKED: ("应报村", "asked"), ACCEPTED: ("已认定村", "accepted")}[whole]
    if measure == "plan_status" and codes == tuple(code for _, code in WITH_PLAN):
        return Figure(
            measure, codes, title, part, counts.of(*NEEDING_PLAN), "需编村", asks(NEEDING_PLAN)
        )
    if measure == "service":
        answered = counts.of(("answered", codes[0]))
        return Figure(
            measure, codes, title, part, answered, "已填报此项的村", f"answered:{codes[0]}"
        )
    if measure == "eval_conclusion" and title != _CONCLUDED:
        every = f"{measure}:{','.join(names_of(form, measure))}"
        return Figure(measure, codes, title, part, counts.total(measure), _CONCLUDED, every)
    return Figure(measure, codes, title, part, counts.of(whole), *asked)


def _title(measure: str, codes: tuple[str, ...], form: Form) -> str | None:
    if measure in _PLAIN:
        return _PLAIN[measure] if not codes else None
    if measure == "state" and len(codes) == 1 and codes[0] in set(SubmissionState):
        return f"{label(SubmissionState(codes[0]))}的村"
    if measure == "hazard" and len(codes) == 1 and codes[0] in HAZARDS:
        return f"{HAZARDS[codes[0]]}的村"
    if measure in ("service", "answered") and len(codes) == 1 and codes[0] in SERVICES:
        said = "是" if measure == "service" else "已填报此项的村"
        return f"{label_of(form, codes[0])}：{said}"
    names = names_of(form, measure) if measure in _CODED else {}
    if not codes or not set(codes) <= set(names):
        return None
    if measure == "eval_conclusion" and codes == tuple(names):
        return _CONCLUDED
    if measure == "plan_status" and codes == tuple(code for _, code in WITH_PLAN):
        return "已有规划的村"
    if measure == "plan_status" and codes == tuple(code for _, code in NEEDING_PLAN):
        return "需编规划的村"
    return f"{label_of(form, measure)}为“{'、'.join(names[code] for code in codes)}”的村"


def label_of(form: Form, code: str) -> str:
    """Return the label of a field, without its question word."""
    item = form.find_field(FORM_GROUP, code)
    return (item.label if item else code).replace("是否", "")


def names_of(form: Form, code: str) -> Mapping[str, str]:
    """Return the names of the codes of a field."""
    item = form.find_field(FORM_GROUP, code)
    return form.codes[item.code_table] if item and item.code_table else {}


def asks(keys: Sequence[Key]) -> str:
    """Return what an address asks for the villages of the keys."""
    return f"{keys[0][0]}:{','.join(code for _, code in keys)}"


def ratio_sentence(figure: Figure) -> str:
    """Return the numerator, the denominator and their ratio."""
    if figure.whole is None:
        return f"共 {figure.part:,} 个村。"
    ratio = percent(Share(figure.part, figure.whole).ratio)
    return f"{figure.title} {figure.part:,} ÷ {figure.whole_title} {figure.whole:,} = {ratio}。"


def address(query: Mapping[str, str]) -> str:
    """Return the address of this page with what it is to show."""
    return f"{PAGE}?{urlencode(query)}" if query else PAGE
