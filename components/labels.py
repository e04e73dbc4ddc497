"""Say in Chinese what the portal holds: members of vocabularies, errors, units."""

import re
from collections.abc import Mapping
from datetime import date, datetime
from enum import StrEnum

from components.words import assessment, files, progress, reporting, running
from components.words.constraints import CONSTRAINT_MESSAGES
from components.words.errors import ERROR_MESSAGES
from domain.clock import moment, month_day
from domain.errors import PortalError

LABELS: Mapping[type[StrEnum], Mapping[str, str]] = {
    **reporting.LABELS,
    **progress.LABELS,
    **files.LABELS,
    **assessment.LABELS,
    **running.LABELS,
}

_POWERS = re.compile(r"m([23])(?![0-9A-Za-z])")


def label(member: StrEnum) -> str:
    """Return the word a user reads for a member of a vocabulary."""
    return LABELS[type(member)][member]


def error_message(error: PortalError) -> str:
    """Return the sentence a user reads."""
    sentence = ERROR_MESSAGES.get(type(error), "操作未能完成，请刷新页面后重试。")
    sentence = CONSTRAINT_MESSAGES.get(error.details.get("constraint"), sentence)
    words = {name: _words(value) for name, value in error.details.items()}
    return sentence.format_map(_Lenient(words))


class _Lenient(dict[str, str]):
    """A sentence must come out even where an error forgot a detail."""

    def __missing__(self, name: str) -> str:
        return ""


def _words(value: object) -> str:
    if isinstance(value, StrEnum) and type(value) in LABELS:
        return label(value)
    if isinstance(value, datetime):
        return moment(value)
    if isinstance(value, date):
        return f"{value.year}年{month_day(value)}"
    return str(value)


def unit_text(unit: str) -> str:
    """Return a unit, or a text with units, as it is printed: square and cubic metres raised.

    >>> unit_text("万人/km2"), unit_text("m3/万元"), unit_text("万亩")
    ('万人/km²', 'm³/万元', '万亩')
    """
    return _POWERS.sub(lambda found: f"m{'²' if found[1] == '2' else '³'}", unit)
