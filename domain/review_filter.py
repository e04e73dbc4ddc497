"""What a reviewer asks of his queue, as it stands in an address: each filter is a link."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from enum import StrEnum
from urllib.parse import parse_qsl, urlencode

from domain.normalisation import searched

PAGE_SIZE = 50
_LONGEST_TEXT = 60
_LAST_PAGE = 2_000
SAMPLED, UNSEEN, ODD = "sampled", "unseen", "odd"


class QueueOrder(StrEnum):
    SUBMITTED = "submitted"
    DUE = "due"
    UNIT = "unit"
    ROUND = "round"
    CHANGES = "changes"
    WARNINGS = "warnings"


@dataclass(frozen=True, slots=True)
class QueueFilter:
    """Empty fields ask for nothing; `unit` is a city, county or township by name or code.

    `only` is asked of the villages of one period, step and unit: SAMPLED, UNSEEN or ODD. `desk`
    says that the queue stands on the page of townships, which sets form, period, step and unit.
    """

    form: str = ""
    period: int | None = None
    unit: str = ""
    step: int | None = None
    round: int | None = None
    warned: bool | None = None
    overdue: bool | None = None
    unchanged: bool | None = None
    q: str = ""
    only: str = ""
    desk: bool = False
    sort: QueueOrder = QueueOrder.SUBMITTED
    desc: bool = False
    page: int = 1

    @property
    def is_narrow(self) -> bool:
        """Tell whether it leaves anything out."""
        asked = replace(self, sort=QueueOrder.SUBMITTED, desc=False, page=1)
        if self.desk:
            asked = replace(asked, desk=False, form="", period=None, step=None, unit="")
        return asked != QueueFilter()

    def to_query(self) -> str:
        """Return the parameters of an address, without what is as it is anyway.

        >>> QueueFilter(form="plan_progress", warned=True, page=2).to_query()
        'form=plan_progress&warned=1&page=2'
        """
        usual = QueueFilter()
        given = {
            field.name: getattr(self, field.name)
            for field in fields(self)
            if getattr(self, field.name) != getattr(usual, field.name)
        }
        return urlencode({name: _text(value) for name, value in given.items()})


def read_filter(parameters: Mapping[str, str]) -> QueueFilter:
    """Return what an address asks for; what cannot be understood asks for nothing.

    >>> read_filter({"unit": " 安义县 ", "page": "x", "warned": "1", "sort": "due"}).to_query()
    'unit=%E5%AE%89%E4%B9%89%E5%8E%BF&warned=1&sort=due'
    """

    def text(name: str) -> str:
        return parameters.get(name, "").replace("\0", "").strip()[:_LONGEST_TEXT]

    def number(name: str) -> int | None:
        value = text(name)
        return int(value) if value.isascii() and value.isdigit() and len(value) <= 9 else None

    def choice(name: str) -> bool | None:
        return {"1": True, "0": False}.get(text(name))

    order, only = text("sort"), text("only")
    narrowed = number("period") is not None and number("step") is not None and text("unit")
    return QueueFilter(
        form=text("form"),
        period=number("period"),
        unit=text("unit"),
        step=number("step"),
        round=number("round"),
        warned=choice("warned"),
        overdue=choice("overdue"),
        unchanged=choice("unchanged"),
        q=searched(text("q")),
        only=only if narrowed and only in (SAMPLED, UNSEEN, ODD) else "",
        desk=choice("desk") is True,
        sort=QueueOrder(order) if order in set(QueueOrder) else QueueOrder.SUBMITTED,
        desc=choice("desc") is True,
        page=min(max(number("page") or 1, 1), _LAST_PAGE),
    )


def read_query(query: str) -> QueueFilter:
    """Return what a link's parameters ask for."""
    return read_filter(dict(parse_qsl(query[:1000])))


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "1" if value else "0"
    return str(value)
