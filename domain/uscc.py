"""The unified social credit code of an organisation (统一社会信用代码, GB 32100-2015)."""

import re

_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_SHAPE = re.compile(f"[{_ALPHABET}]{{18}}")
_WEIGHTS = tuple(pow(3, position, 31) for position in range(17))


def check_character(body: str) -> str:
    """Return the 18th character for the first 17.

    >>> check_character("91350100M000100Y4")
    '3'
    """
    weighted = sum(
        _ALPHABET.index(sign) * weight for sign, weight in zip(body, _WEIGHTS, strict=True)
    )
    return _ALPHABET[-weighted % 31]


def is_uscc(text: object) -> bool:
    """Tell whether the text is such a code with the right check character.

    >>> is_uscc("91350100M000100Y43"), is_uscc("91350100M000100Y44"), is_uscc("9135")
    (True, False, False)
    """
    if not isinstance(text, str) or not _SHAPE.fullmatch(text):
        return False
    return check_character(text[:17]) == text[17]
