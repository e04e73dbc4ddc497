"""The names that a rule may use beside fields and facts: sums and counts of rows, the last values.

`<group>_count`, `<group>_sum_<field>`, `<group>_missing_<field>` for each group of rows;
`last_<field>` for what was accepted before of the same row; `holds_<code>` for another rule of the
same group, in lower case.
"""

from dataclasses import dataclass
from enum import Enum, auto

from domain.forms import FORM_GROUP, LAST, Field, Form

HOLDS = "holds_"
_NUMBERS = ("integer", "decimal")


class Kind(Enum):
    COUNT = auto()
    SUM = auto()
    MISSING = auto()
    LAST = auto()


@dataclass(frozen=True, slots=True)
class Derived:
    kind: Kind
    group: str
    field: Field | None = None


def find_derived(form: Form, group: str, name: str) -> Derived | None:
    """Return what a name of a rule of the group stands for, None for no such name."""
    if name.startswith(LAST):
        item = form.find_field(group, name.removeprefix(LAST))
        return Derived(Kind.LAST, group, item) if item else None
    for rows in form.groups:
        if rows != FORM_GROUP and name.startswith(f"{rows}_"):
            found = _of_rows(form, rows, name.removeprefix(f"{rows}_"))
            if found:
                return found
    return None


def _of_rows(form: Form, group: str, name: str) -> Derived | None:
    if name == "count":
        return Derived(Kind.COUNT, group)
    for kind, word in ((Kind.SUM, "sum_"), (Kind.MISSING, "missing_")):
        item = form.find_field(group, name.removeprefix(word)) if name.startswith(word) else None
        if item and (kind is Kind.MISSING or item.data_type in _NUMBERS):
            return Derived(kind, group, item)
    return None


def rule_of(name: str) -> str | None:
    """Return the code of the rule whose verdict the name is.

    >>> rule_of("holds_cz106"), rule_of("hukou_pop")
    ('CZ106', None)
    """
    return name.removeprefix(HOLDS).upper() if name.startswith(HOLDS) else None
