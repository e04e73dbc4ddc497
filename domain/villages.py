"""Villages by their national codes, and what a list of them would change.

A village (行政村) has 12 digits: county 6, township 3, village 3. A natural village (自然村) has
those of its village and 3 of its own. A code is given once and never again.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum

from domain.normalisation import normal_text

_COUNTY_DIGITS = 6
_BLANKS = re.compile(r"[\s\ufeff]+")
_MARKS = "'‘’=\""
"""What people and programs put before a number so that a spreadsheet leaves its digits alone."""
_WRITTEN_AS_NUMBER = re.compile(r"^([0-9]+)\.0+$")
Position = tuple[float, float]
"""Longitude and latitude, degrees of EPSG:4490."""


class Register(Enum):
    """The two lists: how many digits a code has, and how many of them are the code above."""

    VILLAGES = (12, 9)
    NATURAL_VILLAGES = (15, 12)

    @property
    def digits(self) -> int:
        return self.value[0]

    @property
    def parent_digits(self) -> int:
        return self.value[1]


@dataclass(frozen=True, slots=True)
class Village:
    """A village or natural village as a list names it, or as the portal knows it."""

    code: str
    name: str
    position: Position | None


@dataclass(frozen=True, slots=True)
class Change:
    """What was known and what the list says: another name, another place, or both."""

    before: Village
    after: Village

    @property
    def is_renamed(self) -> bool:
        return self.before.name != self.after.name

    @property
    def is_placed(self) -> bool:
        """Tell whether this is its first position."""
        return self.before.position is None and self.after.position is not None

    @property
    def is_moved(self) -> bool:
        return self.before.position not in (None, self.after.position)


@dataclass(frozen=True, slots=True)
class Comparison:
    """What a list would change, each in the order of the codes."""

    added: tuple[Village, ...]
    changed: tuple[Change, ...]
    unchanged: tuple[Village, ...]
    missing: tuple[Village, ...]

    @property
    def placed(self) -> list[Village]:
        return [change.after for change in self.changed if change.is_placed]

    @property
    def moved(self) -> list[Village]:
        return [change.after for change in self.changed if change.is_moved]

    @property
    def renamed(self) -> list[Village]:
        return [change.after for change in self.changed if change.is_renamed]


def compare(
    listed: Iterable[Village], known: Mapping[str, Village], holds: Iterable[str]
) -> Comparison:
    """Compare a list, each code once, with what is known.

    `holds` are the prefixes whose villages the list should name: what it leaves out is missing. A
    village listed without a position keeps the one it has.
    """
    by_code = {village.code: village for village in sorted(listed, key=_code)}
    pairs = [
        (known[code], _with_known_position(village, known[code]))
        for code, village in by_code.items()
        if code in known
    ]
    prefixes = tuple(holds)
    return Comparison(
        added=tuple(village for code, village in by_code.items() if code not in known),
        changed=tuple(Change(before, after) for before, after in pairs if before != after),
        unchanged=tuple(after for before, after in pairs if before == after),
        missing=tuple(
            known[code]
            for code in sorted(known)
            if code not in by_code and code.startswith(prefixes)
        ),
    )


def _code(village: Village) -> str:
    return village.code


def _with_known_position(listed: Village, known: Village) -> Village:
    position = known.position if listed.position is None else listed.position
    return Village(listed.code, listed.name, position)


def normal_code(value: object) -> str:
    """Return a code as it was meant: full-width digits, blanks, Excel's number, marks of a text.

    >>> normal_code("３６０１２３１００２０１"), normal_code(360123100201.0), normal_code("'0123 ")
    ('360123100201', '360123100201', '0123')
    >>> normal_code('’360123100201'), normal_code('="360123100201"')
    ('360123100201', '360123100201')

    What cannot be understood comes back as it was, so that the check can quote it.
    """
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    text = unicodedata.normalize("NFKC", str(normal_text(value) or ""))
    text = _BLANKS.sub("", text).lstrip(_MARKS).rstrip("\"'")
    return _WRITTEN_AS_NUMBER.sub(r"\1", text)


def county_of(code: str) -> str:
    """Return the code of the county that a code lies in.

    >>> county_of("360123100201")
    '360123'
    """
    return code[:_COUNTY_DIGITS]
