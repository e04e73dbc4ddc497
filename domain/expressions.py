"""Conditions and rules of forms: a small Python-like language that is safe on hostile input.

An expression compares, computes and combines names, numbers, texts and tuples; it calls only the
functions listed here. It is parsed once, against a list of what it may contain, and then either
evaluated (with the operators of simpleeval, which bound what they make) or handed to the browser
as a tree of lists (`tree`), so that a condition means the same on both sides.
"""

import ast
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache, cached_property
from operator import itemgetter

from simpleeval import DEFAULT_OPERATORS, InvalidExpression

from domain.uscc import is_uscc

MAX_LENGTH = 500
MAX_NODES = 200


class BadExpression(ValueError):
    """The expression cannot be read, or asks for what this language does not have."""


class EvaluationFailed(ValueError):
    """The expression was read and failed on these values."""


_Reckon = Callable[[Mapping[str, object]], object]


@dataclass(frozen=True)
class Expression:
    source: str
    body: ast.expr
    names: frozenset[str]

    @cached_property
    def reckon(self) -> _Reckon:
        """The expression as a function of its names: taken apart once, then only called."""
        return _reckoned(self.body)

    def __getstate__(self) -> dict[str, object]:
        # A form is handed to the processes that read files; a function cannot be.
        return {name: value for name, value in vars(self).items() if name != "reckon"}


def _days(start: date, end: date) -> int:
    return (end - start).days


def _round(value: Decimal, digits: int = 0) -> Decimal:
    # A huge number of digits would be a huge computation.
    return round(value, max(0, min(digits, 10)))


_FUNCTIONS: dict[str, Callable[..., object]] = {
    "abs": abs,
    "days": _days,
    "is_uscc": is_uscc,
    "len": len,
    "max": max,
    "min": min,
    "round": _round,
}


def _divide(left: int | Decimal, right: int | Decimal) -> Decimal:
    return Decimal(left) / Decimal(right)


_COMPARISONS: dict[type[ast.cmpop], str] = {
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.In: "in",
    ast.NotIn: "not in",
}
_ARITHMETIC: dict[type[ast.operator], str] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
}
_OPERATORS = {
    kind: DEFAULT_OPERATORS[kind] for kind in (*_COMPARISONS, *_ARITHMETIC, ast.Not, ast.USub)
} | {ast.Div: _divide}
_NODES = (
    ast.BoolOp,
    ast.And,
    ast.Or,
    ast.UnaryOp,
    ast.Not,
    ast.USub,
    ast.BinOp,
    ast.Compare,
    ast.IfExp,
    ast.Call,
    ast.Name,
    ast.Load,
    ast.Constant,
    ast.Tuple,
    *_COMPARISONS,
    *_ARITHMETIC,
)


@cache
def parse(source: str) -> Expression:
    """Return the expression; raise BadExpression for whatever else this language does not have."""
    if len(source) > MAX_LENGTH:
        raise BadExpression(f"longer than {MAX_LENGTH} characters")
    try:
        body = ast.parse(source.strip(), mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        raise BadExpression(str(error)) from error
    nodes = list(ast.walk(body))
    if len(nodes) > MAX_NODES:
        raise BadExpression(f"more than {MAX_NODES} parts")
    called = {id(node.func) for node in nodes if isinstance(node, ast.Call)}
    for node in nodes:
        _refuse_foreign(node)
    names = {n.id for n in nodes if isinstance(n, ast.Name) and id(n) not in called}
    return Expression(source, body, frozenset(names))


def bind(expression: Expression, values: Mapping[str, object]) -> Expression:
    """Return the expression with some of its names replaced by what they stand for.

    >>> sorted(bind(parse("people <= limit"), {"limit": 3}).names)
    ['people']
    """
    if not expression.names & values.keys():
        return expression
    body = _Binder(values).visit(deepcopy(expression.body))
    return Expression(expression.source, body, expression.names - values.keys())


class _Binder(ast.NodeTransformer):
    def __init__(self, values: Mapping[str, object]) -> None:
        self._values = values

    def visit_Name(self, node: ast.Name) -> ast.expr:
        known = node.id in self._values
        return ast.Constant(self._values[node.id]) if known else node  # type: ignore[arg-type]


def _refuse_foreign(node: ast.AST) -> None:
    if not isinstance(node, _NODES):
        raise BadExpression(f"{type(node).__name__} is not part of the language")
    if isinstance(node, ast.Call) and not _is_known_call(node):
        raise BadExpression("only listed functions can be called")
    if isinstance(node, ast.Constant) and not isinstance(
        node.value, str | int | float | bool | None
    ):
        raise BadExpression(f"{type(node.value).__name__} is not part of the language")


def _is_known_call(node: ast.Call) -> bool:
    return isinstance(node.func, ast.Name) and node.func.id in _FUNCTIONS and not node.keywords


def evaluate(expression: Expression, values: Mapping[str, object]) -> object:
    """Return what the expression is worth; raise EvaluationFailed where it is worth nothing.

    Numbers with decimals are Decimal on both sides, so that 0.1 + 0.2 equals 0.3.
    """
    try:
        return expression.reckon(values)
    except (
        InvalidExpression,
        TypeError,
        ValueError,
        ArithmeticError,
        KeyError,
        RecursionError,
    ) as error:
        raise EvaluationFailed(f"{expression.source}: {error}") from error


def _reckoned(node: ast.expr) -> _Reckon:
    """Return a function of the names that is worth what the node is."""
    match node:
        case ast.Constant(value=value):
            known = Decimal(str(value)) if isinstance(value, float) else value
            return lambda names: known
        case ast.Name(id=name):
            return itemgetter(name)
        case ast.BoolOp(op=op, values=parts):
            return _joined([_reckoned(part) for part in parts], until=isinstance(op, ast.Or))
        case ast.Compare():
            return _compared(node)
        case ast.IfExp(test=test, body=body, orelse=orelse):
            choose, first, second = _reckoned(test), _reckoned(body), _reckoned(orelse)
            return lambda names: first(names) if choose(names) else second(names)
        case ast.UnaryOp(op=op, operand=operand):
            act, inner = _OPERATORS[type(op)], _reckoned(operand)
            return lambda names: act(inner(names))
        case ast.BinOp(op=op, left=left, right=right):
            act, one, other = _OPERATORS[type(op)], _reckoned(left), _reckoned(right)
            return lambda names: act(one(names), other(names))
        case ast.Call(func=ast.Name(id=name), args=given):
            called, each = _FUNCTIONS[name], [_reckoned(one) for one in given]
            return lambda names: called(*(one(names) for one in each))
        case ast.Tuple(elts=elements):
            members = [_reckoned(one) for one in elements]
            return lambda names: tuple(one(names) for one in members)
    raise BadExpression(type(node).__name__)


def _joined(parts: Sequence[_Reckon], *, until: bool) -> _Reckon:
    def reckon(names: Mapping[str, object]) -> object:
        value: object = None
        for part in parts:
            value = part(names)
            if bool(value) is until:
                break
        return value

    return reckon


def _compared(node: ast.Compare) -> _Reckon:
    first = _reckoned(node.left)
    pairs = [
        (_OPERATORS[type(op)], _reckoned(right))
        for op, right in zip(node.ops, node.comparators, strict=True)
    ]

    def reckon(names: Mapping[str, object]) -> object:
        left, holds = first(names), True
        for compare, part in pairs:
            right = part(names)
            holds = compare(left, right)
            if not holds:
                break
            left = right
        return holds

    return reckon


def tree(expression: Expression) -> list[object]:
    """Return the expression as nested lists, for the browser.

    >>> tree(parse("state == 'done' and left > 3"))
    ['and', ['compare', ['name', 'state'], ['==', ['const', 'done']]], \
['compare', ['name', 'left'], ['>', ['const', 3]]]]
    """
    return _tree(expression.body)


def _tree(node: ast.AST) -> list[object]:
    match node:
        case ast.BoolOp():
            return ["and" if isinstance(node.op, ast.And) else "or", *map(_tree, node.values)]
        case ast.UnaryOp():
            return ["not" if isinstance(node.op, ast.Not) else "neg", _tree(node.operand)]
        case ast.BinOp():
            return ["compute", _ARITHMETIC[type(node.op)], _tree(node.left), _tree(node.right)]
        case ast.Compare():
            pairs = zip(node.ops, node.comparators, strict=True)
            return [
                "compare",
                _tree(node.left),
                *([_COMPARISONS[type(op)], _tree(right)] for op, right in pairs),
            ]
        case ast.IfExp():
            return ["if", _tree(node.test), _tree(node.body), _tree(node.orelse)]
        case ast.Call(func=ast.Name(id=name)):
            return ["call", name, *map(_tree, node.args)]
        case ast.Tuple():
            return ["list", *map(_tree, node.elts)]
        case ast.Name():
            return ["name", node.id]
        case ast.Constant():
            return ["const", node.value]
    raise BadExpression(type(node).__name__)
