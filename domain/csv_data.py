"""Rows of a form as CSV: one file for each group, known by its columns, in any order.

A file is made by the portal or by another program. A row is known by its code alone; what is not
understood keeps its row out, with its number and a sentence, and holds up none of the others.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

STAMP = "下载编号"
"""The column that names what the portal handed out; a file may come without it."""
LOST_CODE = "代码“{found}”已变成科学计数，末尾数字已丢失。请把该列设为文本后重新填写。"
WRONG_CODE = (
    "代码“{found}”共 {length} 个字符，须为 {digits} 位数字；可能丢了 0，请从下载的文件中复制。"
)
NO_CODE = "没有代码，无法判断是哪一行，请补上代码。"
WRONG_CELLS = (
    "列数与标题不一致（应为 {expected} 列，实为 {found} 列），可能是引号或逗号有误，"
    "请对照标题检查这一行。"
)
MORE_UNREAD = "已列出 {count} 处问题，该行其余内容未再核对，请先改正。"


class CsvRefusal(StrEnum):
    """Why a whole file is not taken."""

    EMPTY = "empty"
    NOT_TEXT = "not_text"
    NO_CODES = "no_codes"
    NO_FIELDS = "no_fields"
    TWICE = "twice"
    TOO_MANY_ROWS = "too_many_rows"
    TOO_LARGE = "too_large"
    DAMAGED = "damaged"
    OTHER_EXPORT = "other_export"


class CsvState(StrEnum):
    CHECKING = "checking"
    OPEN = "open"
    APPLYING = "applying"
    APPLIED = "applied"
    DISCARDED = "discarded"
    REFUSED = "refused"


class CsvReason(StrEnum):
    """Why a row is not taken; what is not understood has a sentence of its own instead."""

    NOT_UNDERSTOOD = "not_understood"
    UNKNOWN_UNIT = "unknown_unit"
    NOT_YOURS = "not_yours"
    NOT_IN_HAND = "not_in_hand"
    UNKNOWN_ROW = "unknown_row"
    DUPLICATE = "duplicate"


@dataclass(frozen=True, slots=True)
class CsvKey:
    """What says which row of a group this is: the code in the column of one read-only field."""

    group: str
    field: str
    digits: int


@dataclass(frozen=True, slots=True)
class CsvFile:
    """One file as it was read."""

    name: str
    group: str
    encoding: str
    columns: tuple[str, ...]
    """Codes of the fields that it has."""
    row_count: int
    unread: tuple[str, ...] = ()
    """Titles of columns that are no fields, or that the portal says itself."""


@dataclass(frozen=True, slots=True)
class CsvCounts:
    """How many rows, and for those that change something how many cells."""

    rows: int = 0
    unchanged: int = 0
    new: int = 0
    changed: int = 0
    conflicting: int = 0
    undecided: int = 0
    mine: int = 0
    refused: int = 0
    problems: int = 0

    @property
    def to_write(self) -> int:
        return self.new + self.changed + self.mine

    @classmethod
    def of(cls, counted: Mapping[str, int]) -> "CsvCounts":
        """Return counts from what was kept of them."""
        return cls(**{name: int(counted.get(name, 0)) for name in cls.__slots__})
