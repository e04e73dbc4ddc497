"""What a benchmark measured: a figure beside its budget, and what it stands beside."""

from collections.abc import Iterable
from dataclasses import dataclass
from unicodedata import east_asian_width


@dataclass(frozen=True, slots=True)
class Figure:
    name: str
    value: float
    unit: str
    budget: float | None = None
    at_least: bool = False
    """The budget is a floor, not a ceiling."""
    beside: str = ""
    """What the same run measured of a peer or of the floor."""

    @property
    def holds(self) -> bool | None:
        """Tell whether the figure is within its budget; None without one."""
        if self.budget is None:
            return None
        return self.value >= self.budget if self.at_least else self.value <= self.budget


def table(figures: Iterable[Figure]) -> str:
    """Return the figures as lines of a table."""
    lines = [("figure", "measured", "budget", "", "beside it in the same run")]
    words = {True: "ok", False: "OVER", None: ""}
    for figure in figures:
        sign = "≥" if figure.at_least else "≤"
        budget = f"{sign} {figure.budget:g} {figure.unit}" if figure.budget is not None else ""
        measured = f"{figure.value:,.4g} {figure.unit}"
        lines.append((figure.name, measured, budget, words[figure.holds], figure.beside))
    widths = [max(_width(line[column]) for line in lines) for column in range(4)]
    return "\n".join(
        "  ".join(_padded(cell, width) for cell, width in zip(line, [*widths, 0], strict=True))
        for line in lines
    )


def _width(text: str) -> int:
    return sum(2 if east_asian_width(letter) in "WF" else 1 for letter in text)


def _padded(text: str, width: int) -> str:
    return text + " " * (width - _width(text))


def percentile(values: Iterable[float], share: float) -> float:
    """Return the value below which `share` (0–1) of the values lie."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, round(share * (len(ordered) - 1)))]
