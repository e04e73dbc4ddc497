"""What a password must be like: the policy, and passwords that the portal makes up itself."""

import secrets
import string
from enum import StrEnum

from domain.errors import WeakPassword

SHORTEST = 10
LONGEST_BYTES = 72  # bcrypt reads no further
_FEWEST_CLASSES = 3
_FEWEST_CHARACTERS = 5
# No l, I, 1, O or 0: a password is read out over the telephone.
_LOWER = "abcdefghijkmnpqrstuvwxyz"
_UPPER = "ABCDEFGHJKLMNPQRSTUVWXYZ"
_DIGITS = "23456789"
_SYMBOLS = "-+=@#%"
_COMMON = (
    "password", "passw0rd", "p@ssw0rd", "p@ssword", "qwerty", "1qaz2wsx", "1qaz@wsx", "qazwsx",
    "123456", "654321", "111111", "888888", "666666", "abc123", "abcd1234", "iloveyou",
    "woaini", "admin123", "admin@123", "welcome", "letmein", "test1234", "zaq12wsx", "asdfgh",
)  # fmt: skip


class PasswordFault(StrEnum):
    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"
    TOO_FEW_CLASSES = "too_few_classes"
    CONTAINS_USERNAME = "contains_username"
    COMMON = "common"
    REPEATED = "repeated"
    SAME_AS_BEFORE = "same_as_before"


def password_fault(password: str, username: str) -> PasswordFault | None:
    """Return the first thing wrong with a password, or None."""
    lowered = password.lower()
    faults = {
        PasswordFault.TOO_SHORT: len(password) < SHORTEST,
        PasswordFault.TOO_LONG: len(password.encode()) > LONGEST_BYTES,
        PasswordFault.CONTAINS_USERNAME: bool(username) and username.lower() in lowered,
        PasswordFault.COMMON: any(word in lowered for word in _COMMON),
        PasswordFault.REPEATED: len(set(password)) < _FEWEST_CHARACTERS,
        PasswordFault.TOO_FEW_CLASSES: _count_classes(password) < _FEWEST_CLASSES,
    }
    return next((fault for fault, holds in faults.items() if holds), None)


def check_password(password: str, username: str) -> None:
    """Raise WeakPassword when the password does not meet the policy."""
    fault = password_fault(password, username)
    if fault:
        raise WeakPassword(reason=fault)


def make_password(length: int = 14) -> str:
    """Return a random password that meets the policy: four classes, no look-alikes."""
    classes = (_LOWER, _UPPER, _DIGITS, _SYMBOLS)
    while True:
        letters = [secrets.choice("".join(classes)) for _ in range(length)]
        made = "".join(letters)
        if password_fault(made, "") is None and _count_classes(made) == len(classes):
            return made


def _count_classes(password: str) -> int:
    plain = string.ascii_lowercase, string.ascii_uppercase, string.digits
    found = sum(any(character in each for character in password) for each in plain)
    return found + any(character not in "".join(plain) for character in password)
