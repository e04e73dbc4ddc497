"""Bands of numbers, as the levels of the warning rules have them."""

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Band:
    """Numbers from low to high, each end with or without itself; None is without end."""

    low: Decimal | None
    high: Decimal | None
    with_low: bool = False
    with_high: bool = False
    is_empty: bool = False

    def __contains__(self, number: Decimal) -> bool:
        if self.is_empty:
            return False
        above = self.low is None or number > self.low or (self.with_low and number == self.low)
        below = self.high is None or number < self.high or (self.with_high and number == self.high)
        return above and below


def parse_band(text: str) -> Band:
    """Return the band that the database writes as `[1.01,1.02)` or `empty`.

    >>> Decimal("1.01") in parse_band("[1.01,1.02)"), Decimal("1.02") in parse_band("[1.01,1.02)")
    (True, False)
    >>> Decimal(-5) in parse_band("(,1)"), Decimal(1) in parse_band("empty")
    (True, False)
    """
    if text == "empty":
        return Band(None, None, is_empty=True)
    low, _, high = text[1:-1].partition(",")
    return Band(
        Decimal(low) if low else None,
        Decimal(high) if high else None,
        text.startswith("["),
        text.endswith("]"),
    )
