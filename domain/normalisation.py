"""What was typed or pasted, brought into one form: pure functions, one for each data type.

A value that cannot be understood comes back as it was, so that the check can quote it; nothing is
clamped, rounded or dropped.
"""

import re
import string
import unicodedata
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal, InvalidOperation

_MOST_DIGITS = 100  # of a whole number: what is longer stays a text, for the check to quote
_BROKEN = re.compile("[\x00\ud800-\udfff\ufffe\uffff]")
_DATE = re.compile(
    r"(\d{4})\s*(?:-|/|\.|年)\s*(\d{1,2})\s*(?:-|/|\.|月)\s*(\d{1,2})\s*(?:日|号)?"
    r"(?:[T ]\s*00:00(?::00(?:\.0+)?)?)?"
)
_ISO_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_DATE_DIGITS = re.compile(r"(\d{4})(\d{2})(\d{2})")
_THOUSANDS = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d+)?")
_NUMBER = re.compile(r"[+-]?\d{1,30}(\.\d{1,30})?")
# Nearly every value that is read was written in its normal form: to see that costs next to nothing.
_NORMAL_DECIMAL = re.compile(r"-?(?:0|[1-9][0-9]{0,29})(?:\.[0-9]{0,29}[1-9])?")
_WIDE = {ord(sign) + 0xFEE0: sign for sign in string.digits + string.ascii_letters}
_DASHES = str.maketrans("－—–‐−", "-----")
_MOBILE = re.compile(r"1\d{10}")
_LANDLINE = re.compile(r"0\d{2,3}-?\d{7,8}(-\d{1,6})?")


def normal_text(value: object) -> object:
    """Trim, also ideographic spaces; what no database can hold becomes a visible mark."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        return value
    # Nothing broken is printable; to ask is far cheaper than to search each of thousands of cells.
    return (value if value.isprintable() else _BROKEN.sub("\ufffd", value)).strip()


def searched(text: str) -> str:
    """Return what is searched for: full-width digits and letters as plain ones, trimmed.

    >>> searched("　３６０１２３"), searched("石桥（上）")
    ('360123', '石桥（上）')
    """
    return text.translate(_WIDE).strip()


def normal_date(value: object) -> object:
    """Turn 2026年3月1日, 2026/3/1, 20260301 and their full-width forms into 2026-03-01.

    >>> normal_date("２０２６年3月1日"), normal_date("2026-02-30")
    ('2026-03-01', '2026-02-30')
    """
    if isinstance(value, str) and _ISO_DATE.fullmatch(value):
        return value
    text = _half_width(value)
    found = _DATE.fullmatch(text) or _DATE_DIGITS.fullmatch(text)
    if found is None:
        return normal_text(value)
    try:
        return date(*map(int, found.groups())).isoformat()
    except ValueError:
        return normal_text(value)


def normal_integer(value: object) -> object:
    """Turn 1,234 and full-width digits into a whole number."""
    if type(value) is int:
        return value
    number = _number(value)
    is_whole = number is not None and number.adjusted() < _MOST_DIGITS
    if number is None or not is_whole or number != number.to_integral_value():
        return normal_text(value) if isinstance(value, str) else value
    return int(number)


def normal_decimal(value: object) -> object:
    """Turn a number into its text, exactly: a binary fraction would change the last digit.

    Zeros that say nothing go: 1234.50 typed and 1234.5 from a workbook are one value.

    >>> normal_decimal("1,234.50"), normal_decimal(3), normal_decimal("约 3")
    ('1234.5', '3', '约 3')
    """
    if isinstance(value, str) and _NORMAL_DECIMAL.fullmatch(value):
        return value if value != "-0" else "0"
    number = _number(value)
    if number is None:
        return normal_text(value)
    text = f"{number:f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text == "-0" else text


def normal_phone(value: object) -> object:
    """Take out spaces and make the dashes one kind; an eleven-digit number may be grouped."""
    text = _half_width(value).translate(_DASHES)
    text = re.sub(r"\s+", "", text)
    digits = text.replace("-", "")
    text = digits if _MOBILE.fullmatch(digits) else text
    return text if is_phone(text) else normal_text(value)


def normal_boolean(value: object) -> object:
    """Turn 是 and 否 into true and false."""
    if isinstance(value, bool):
        return value
    text = str(normal_text(value)).lower()
    return {"是": True, "否": False, "true": True, "false": False}.get(text, value)


def normal_code(value: object, names: Mapping[str, str]) -> object:
    """Turn the name of a code into the code; `names` is code to name.

    >>> normal_code("（ 已 完成）", {"1": "(已完成)"})
    '1'
    """
    if isinstance(value, str) and value in names:
        return value
    text = normal_text(value)
    if not isinstance(text, str) or text in names:
        return text
    by_name = {name: code for code, name in names.items()}
    return by_name[text] if text in by_name else _by_folded(names).get(_folded(text), text)


def _by_folded(names: Mapping[str, str]) -> dict[str, str]:
    """Return each folded code and name that means one code only."""
    found: dict[str, set[str]] = {}
    for code, name in names.items():
        found.setdefault(_folded(code), set()).add(code)
        found.setdefault(_folded(name), set()).add(code)
    return {folded: codes.pop() for folded, codes in found.items() if len(codes) == 1}


def _folded(text: str) -> str:
    return re.sub(r"\s+", "", unicodedata.normalize("NFKC", text))


NORMALISE: Mapping[str, Callable[[object], object]] = {
    "text": normal_text,
    "long_text": normal_text,
    "integer": normal_integer,
    "decimal": normal_decimal,
    "date": normal_date,
    "boolean": normal_boolean,
    "phone": normal_phone,
}


def is_phone(text: str) -> bool:
    """Tell whether this is a mobile number, or a landline with its area code."""
    return bool(_MOBILE.fullmatch(text) or _LANDLINE.fullmatch(text))


def _half_width(value: object) -> str:
    text = normal_text(value)
    return unicodedata.normalize("NFKC", text).strip() if isinstance(text, str) else ""


def _number(value: object) -> Decimal | None:
    if isinstance(value, bool):
        return None
    text = re.sub(r"\s+", "", _half_width(value)).translate(_DASHES)
    if _THOUSANDS.fullmatch(text):
        text = text.replace(",", "")
    try:
        return Decimal(text) if _NUMBER.fullmatch(text) else None
    except InvalidOperation:
        return None
