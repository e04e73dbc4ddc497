"""What the cells of one column of a CSV file mean; thousands of rows say the same few things."""

from contextlib import suppress

from data_access.workbook_values import CellReader, LostDigits
from domain.expressions import BadExpression, EvaluationFailed, evaluate
from domain.form_rules import fill
from domain.form_values import typed_value
from domain.forms import Field, Form

NULL = "\\N"
"""Nothing, as COPY takes it."""
_SPECIAL = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})
_REMEMBERED_AT_MOST = 400_000
_LONGEST_REMEMBERED = 64  # letters; a long text is hardly said twice
_LONGEST_QUOTED = 200


class Memory:
    """How many more values the columns of a file may remember together: about 140 MB of them."""

    def __init__(self, left: int = _REMEMBERED_AT_MOST) -> None:
        self._left = left

    def has_room(self, cell: str) -> bool:
        """Take the room of one value, where there is some."""
        if len(cell) > _LONGEST_REMEMBERED or self._left <= 0:
            return False
        self._left -= 1
        return True


class Column:
    """Understands the cells of one field."""

    def __init__(self, cells: CellReader, form: Form, item: Field, memory: Memory) -> None:
        self._cells, self._form, self._item, self._memory = cells, form, item, memory
        self._rules = [rule for rule in item.rules if _is_of_itself(rule, item)]
        self._faulty: dict[str, tuple[str, str, str]] = {}
        self.known: dict[str, str] = {"": NULL}
        """What a cell means, as COPY takes it; only of cells with nothing wrong."""

    def read(self, cell: str, faults: list[str], problems: list[str]) -> str:
        """Return what a cell means, as COPY takes it; what is wrong goes into the lists."""
        text, fault, problem = understood = self._faulty.get(cell) or self._understood(cell)
        if fault:
            faults.append(fault)
        elif problem:
            problems.append(problem)
        remembered = self._faulty if fault or problem else self.known
        if cell not in remembered and self._memory.has_room(cell):
            if fault or problem:
                self._faulty[cell] = understood
            else:
                self.known[cell] = text
        return text

    def _understood(self, cell: str) -> tuple[str, str, str]:
        item = self._item
        try:
            value = self._cells.value(item, cell)
            typed = typed_value(self._form, item, value)
        except LostDigits as lost:
            return (
                NULL,
                f"{item.label}：“{lost}”已变成科学计数，末尾数字可能丢失。请写出全部数字。",
                "",
            )
        except ValueError as error:
            return NULL, f"{item.label}：{_shortened(cell, str(error))}", ""
        if value is None:
            return NULL, "", ""
        text = str(value).lower() if isinstance(value, bool) else str(value)
        return copied(text), "", self._problem(typed)

    def _problem(self, typed: object) -> str:
        names = {self._item.code: typed}
        for rule in self._rules:
            with suppress(EvaluationFailed):
                if not evaluate(rule.bound, names):
                    return f"{self._item.label}：{fill(rule, names)}"
        return ""


def _shortened(cell: str, sentence: str) -> str:
    """Return a sentence that quotes no more than the beginning of a giant cell."""
    if len(cell) <= _LONGEST_QUOTED:
        return sentence
    return sentence.replace(cell.strip(), f"{cell.strip()[:_LONGEST_QUOTED]}……")


def _is_of_itself(rule: object, item: Field) -> bool:
    """Tell whether a rule asks for nothing but the field: those of several fields wait."""
    try:
        return rule.bound.names == {item.code}  # type: ignore[attr-defined,no-any-return]
    except BadExpression:
        return False


def copied(text: str) -> str:
    """Return a text as COPY takes it."""
    return text if text.isalnum() else text.translate(_SPECIAL).replace("\0", "\ufffd")
