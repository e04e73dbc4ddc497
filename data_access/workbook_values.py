"""What a cell means in the column of a field: Excel's habits undone, then the form's normal form.

Nothing is guessed away: what is not understood stays as it is, for the check to quote; a number
that lost digits is a fault.
"""

import math
import re
import unicodedata
from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal

from data_access.workbook_cells import DateCell
from data_access.workbook_layout import EXACT_BELOW, shown_codes
from domain.form_values import normal_value
from domain.forms import Field, Form
from domain.normalisation import normal_code

# A spreadsheet writes the sign and two digits: 0E0 is a text of somebody's own.
_SCIENTIFIC = re.compile(r"[+-]?\d+(\.\d+)?[eE]\+\d{2,}")
_DIGITS = re.compile(r"[0-9]+")
_LONGEST_CODE = 30
_BARE_SERIALS = range(20_000, 80_000)
"""Numbers that stand for a day (1954–2119) where nothing says so; 2026 is no day."""
_EPOCHS = {False: date(1899, 12, 30), True: date(1904, 1, 1)}


class LostDigits(ValueError):
    """A long number that Excel has rounded: nobody knows the digits any more."""


class CellReader:
    """Reads the cells of one form; `uses_1904` is how the workbook counts days."""

    def __init__(self, form: Form, *, uses_1904: bool) -> None:
        self._form, self._uses_1904 = form, uses_1904
        self._codes: dict[str, Mapping[str, str]] = {}

    def value(self, item: Field, cell: object) -> object:
        """Return the field's value in its normal form; raise LostDigits."""
        if cell == "" or cell is None:
            return None
        if item.data_type == "boolean" and not isinstance(cell, str):
            return cell
        plain = self._day(cell) if item.data_type == "date" else _plain(item, cell)
        if item.data_type == "code":
            plain = self._code(item, plain)
        return normal_value(self._form, item, plain)

    def _day(self, cell: object) -> object:
        number = _number_of(cell)
        if number is not None and number in _BARE_SERIALS:
            return (_EPOCHS[self._uses_1904] + timedelta(days=int(number))).isoformat()
        return _plain(None, cell)

    def _code(self, item: Field, plain: object) -> object:
        """Return the code of a shown name, or of a code that lost its leading zeros."""
        table = item.code_table or ""
        if table not in self._codes:
            shown = shown_codes(self._form.options(item))
            self._codes[table] = shown
        if isinstance(plain, bool):
            return plain
        text = _without_apostrophe(str(plain))
        code = normal_code(text, self._codes[table])
        return code if code != text else _with_zeros(text, self._form.options(item))


def as_shown(share: float) -> float:
    """Return the number before the sign of a cell that Excel shows as a percentage.

    >>> as_shown(0.07)
    7.0
    """
    return float(Decimal(f"{share:.15g}") * 100) if math.isfinite(share) else share


def text_of_identity(cell: object) -> str:
    """Return the text of a code column: 360121 as a number, full-width, or with an apostrophe."""
    plain = _plain(None, cell)
    folded = unicodedata.normalize("NFKC", str(plain))
    return re.sub(r"\s+", "", _without_apostrophe(folded))


def _plain(item: Field | None, cell: object) -> object:
    """Return a cell's text or whole number; raise LostDigits for a number Excel has rounded."""
    if isinstance(cell, bool):
        return cell
    if isinstance(cell, float):
        return _plain_number(item, cell)
    text = str(cell)
    if isinstance(cell, DateCell):
        return text.removesuffix("T00:00:00").replace("T", " ")
    if item and _SCIENTIFIC.fullmatch(unicodedata.normalize("NFKC", text).strip()):
        raise LostDigits(text)
    if item and item.data_type in ("integer", "decimal", "phone"):
        return _without_apostrophe(text)
    return text


def _plain_number(item: Field | None, number: float) -> object:
    if not math.isfinite(number):
        return str(number)
    if abs(number) >= EXACT_BELOW:
        raise LostDigits(f"{number:.5G}")
    if number.is_integer():
        return int(number)
    # Excel shows and keeps fifteen digits; what stands behind them is the binary fraction.
    text = f"{number:.15g}"
    return float(text) if item and item.data_type == "integer" else _without_exponent(text)


def _without_exponent(text: str) -> str:
    return f"{float(text):.15f}".rstrip("0") if "e" in text else text


def _number_of(cell: object) -> int | None:
    if isinstance(cell, float) and cell.is_integer():
        return int(cell)
    if isinstance(cell, str) and not isinstance(cell, DateCell):
        text = unicodedata.normalize("NFKC", _without_apostrophe(cell)).strip()
        return int(text) if _DIGITS.fullmatch(text) and len(text) == 5 else None
    return None


def _without_apostrophe(text: str) -> str:
    """Take away the mark by which people tell Excel that a number is a text."""
    return re.sub(r"^\s*['‘’＇]", "", text)


def _with_zeros(text: str, options: Mapping[str, str]) -> str:
    if not _DIGITS.fullmatch(text) or text in options or len(text) > _LONGEST_CODE:
        return text
    found = [code for code in options if _DIGITS.fullmatch(code) and int(code) == int(text)]
    return found[0] if len(found) == 1 else text
