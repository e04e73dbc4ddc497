"""Formulas of derived indicators: numbers computed from other indicators of the unit and year.

A formula adds, subtracts, multiplies and divides; its names are canonical codes. It is checked when
it is saved: every name known, units that fit together, no division by what may be zero, no circle.
"""

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from domain.expressions import (
    BadExpression,
    EvaluationFailed,
    Expression,
    evaluate,
    parse,
    tree,
)

_Dimension = tuple[tuple[str, int], ...]
# Of each unit: what it is a multiple of, and how many.
_UNITS: dict[str, tuple[str, int, Fraction]] = {
    "m": ("m", 1, Fraction(1)),
    "mm": ("m", 1, Fraction(1, 1000)),
    "km": ("m", 1, Fraction(1000)),
    "m2": ("m", 2, Fraction(1)),
    "万m2": ("m", 2, Fraction(10**4)),
    "ha": ("m", 2, Fraction(10**4)),
    "公顷": ("m", 2, Fraction(10**4)),
    "亩": ("m", 2, Fraction(2000, 3)),
    "万亩": ("m", 2, Fraction(20_000_000, 3)),
    "km2": ("m", 2, Fraction(10**6)),
    "百km2": ("m", 2, Fraction(10**8)),
    "万公顷": ("m", 2, Fraction(10**8)),
    "m3": ("m", 3, Fraction(1)),
    "万m3": ("m", 3, Fraction(10**4)),
    "亿m3": ("m", 3, Fraction(10**8)),
    "人": ("人", 1, Fraction(1)),
    "千人": ("人", 1, Fraction(10**3)),
    "万人": ("人", 1, Fraction(10**4)),
    "10万人": ("人", 1, Fraction(10**5)),
    "万人次": ("人次", 1, Fraction(10**4)),
    "元": ("元", 1, Fraction(1)),
    "万元": ("元", 1, Fraction(10**4)),
    "亿元": ("元", 1, Fraction(10**8)),
    "亿美元": ("美元", 1, Fraction(10**8)),
    "吨标煤": ("吨标煤", 1, Fraction(1)),
    "万吨标煤": ("吨标煤", 1, Fraction(10**4)),
    "吨": ("吨", 1, Fraction(1)),
    "万吨": ("吨", 1, Fraction(10**4)),
}
_PURE: dict[str, Fraction] = {
    "%": Fraction(1, 100),
    "‰": Fraction(1, 1000),
    "倍": Fraction(1),
    "1:x": Fraction(1),
    "": Fraction(1),
}


@dataclass(frozen=True, slots=True)
class Named:
    """An indicator as a formula names it; `formula` where it is derived itself."""

    name: str
    unit: str
    typical_min: Decimal
    typical_max: Decimal
    formula: str | None = None


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit of measure: powers of what cannot be taken apart, and how many of them it is."""

    dimension: _Dimension
    factor: Fraction

    def times(self, other: "Unit", power: int = 1) -> "Unit":
        powers = dict(self.dimension)
        for base, exponent in other.dimension:
            powers[base] = powers.get(base, 0) + power * exponent
        left = tuple(sorted((base, exponent) for base, exponent in powers.items() if exponent))
        return Unit(left, self.factor * other.factor**power)


@dataclass(frozen=True, slots=True)
class Expanded:
    """A formula down to what is filed: its tree for the database, and the codes it needs."""

    tree: list[object]
    inputs: frozenset[str]


class _Fault(ValueError):
    """A sentence about what is wrong with the formula."""


def unit_of(text: str) -> Unit:
    """Return the unit of measure; what is not known is a unit of its own kind.

    >>> unit_of("m2/人").dimension, unit_of("km/百km2").factor
    ((('m', 2), ('人', -1)), Fraction(1, 100000))
    """
    above, _, below = text.partition("/")
    unit = _simple_unit(above)
    return unit.times(_simple_unit(below), -1) if below else unit


def other_units(text: str) -> dict[Fraction, str]:
    """Return the other units that measure the same, by how many of each make one of this unit.

    >>> others = other_units("万亩")
    >>> others[Fraction(10_000)], others[Fraction(2000, 3)], others[Fraction(1, 15)]
    ('亩', '公顷', '万公顷')
    """
    base, power, factor = _UNITS.get(text, (text, 1, Fraction(1)))
    return {
        factor / other: name
        for name, (kind, exponent, other) in _UNITS.items()
        if (kind, exponent) == (base, power) and other != factor
    }


def _simple_unit(text: str) -> Unit:
    if text in _PURE:
        return Unit((), _PURE[text])
    base, power, factor = _UNITS.get(text, (text, 1, Fraction(1)))
    return Unit(((base, power),), factor)


def value(formula: str, values: Mapping[str, Decimal | None]) -> Decimal | None:
    """Return what a formula is worth, or None where something it names is missing.

    >>> water = {"WATER_TOTAL": Decimal("2.4"), "POP_RESIDENT": Decimal(80)}
    >>> value("WATER_TOTAL * 10000 / POP_RESIDENT", water)
    Decimal('300.0')
    >>> value("WATER_TOTAL / POP_RESIDENT", {"WATER_TOTAL": None, "POP_RESIDENT": Decimal(80)})
    """
    expression = parse(formula)
    if any(values.get(name) is None for name in expression.names):
        return None
    try:
        found = evaluate(expression, values)
    except EvaluationFailed:
        return None
    return Decimal(str(found))


def problems(code: str, formula: str, known: Mapping[str, Named]) -> list[str]:
    """Return a sentence for each thing that is wrong with the formula of an indicator.

    >>> known = {
    ...     "AREA": Named("用地面积", "km2", Decimal(5), Decimal(9)),
    ...     "PEOPLE": Named("人口", "万人", Decimal(0), Decimal(9)),
    ...     "PER_HEAD": Named("人均用地", "m2/人", Decimal(5), Decimal(9)),
    ... }
    >>> problems("PER_HEAD", "AREA * 100 / (PEOPLE + 1 - 1) / NOTHING", known)
    ['计算式中的“NOTHING”不是指标代码。']
    >>> problems("PER_HEAD", "AREA * 100 / PEOPLE", known)
    ['除数“人口”的合理区间 0 至 9 含零，可能除以零；请改用不会为零的指标。']
    >>> problems("AREA", "PER_HEAD * PEOPLE", {**known, "PER_HEAD": Named(
    ...     "人均用地", "m2/人", Decimal(5), Decimal(9), "AREA * 100 / PEOPLE")})
    ['计算式成环：AREA → PER_HEAD → AREA。']
    >>> land = Named("面积", "km2", Decimal(5), Decimal(9))
    >>> problems("MEAN", "(NORTH + SOUTH) / 2", dict.fromkeys(("MEAN", "NORTH", "SOUTH"), land))
    []
    """
    try:
        expression = parse(formula)
        _refuse_strangers(expression, known)
        _refuse_circle(code, formula, known)
        _range_of(expression.body, known)
        _check_unit(code, expression, known)
    except BadExpression as error:
        return [f"计算式无法识别（{error}），只能用加减乘除、括号、数和指标代码。"]
    except _Fault as fault:
        return [str(fault)]
    return []


def _refuse_strangers(expression: Expression, known: Mapping[str, Named]) -> None:
    for node in ast.walk(expression.body):
        allowed = ast.BinOp | ast.UnaryOp | ast.Name | ast.Constant | ast.operator | ast.unaryop
        if not isinstance(node, allowed | ast.expr_context) or isinstance(node, ast.Not):
            raise BadExpression(type(node).__name__)
        if isinstance(node, ast.Constant) and not _is_number(node.value):
            raise BadExpression(str(node.value))
    unknown = sorted(expression.names - known.keys())
    if unknown:
        raise _Fault(f"计算式中的“{'、'.join(unknown)}”不是指标代码。")
    if not expression.names:
        raise _Fault("计算式没有用到任何指标。")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _refuse_circle(code: str, formula: str, known: Mapping[str, Named]) -> None:
    def walk(name: str, text: str | None, path: tuple[str, ...]) -> None:
        if text is None:
            return
        for used in sorted(parse(text).names):
            if used in path:
                raise _Fault(f"计算式成环：{' → '.join((*path, used))}。")
            walk(used, known[used].formula if used in known else None, (*path, used))

    walk(code, formula, (code,))


# RANGES: what a part of the formula may be worth, from the plausible ranges of its names.


def _range_of(node: ast.expr, known: Mapping[str, Named]) -> tuple[Decimal, Decimal]:
    match node:
        case ast.Constant(value=number):
            return Decimal(str(number)), Decimal(str(number))
        case ast.Name(id=name):
            return known[name].typical_min, known[name].typical_max
        case ast.UnaryOp(operand=operand):
            low, high = _range_of(operand, known)
            return -high, -low
        case ast.BinOp(left=left, op=op, right=right):
            return _combined(op, _range_of(left, known), _range_of(right, known), right, known)
    raise BadExpression(type(node).__name__)


def _combined(
    op: ast.operator,
    left: tuple[Decimal, Decimal],
    right: tuple[Decimal, Decimal],
    divisor: ast.expr,
    known: Mapping[str, Named],
) -> tuple[Decimal, Decimal]:
    match op:
        case ast.Add():
            return left[0] + right[0], left[1] + right[1]
        case ast.Sub():
            return left[0] - right[1], left[1] - right[0]
        case ast.Mult():
            ends = [a * b for a in left for b in right]
            return min(ends), max(ends)
    if right[0] <= 0 <= right[1]:
        raise _Fault(_zero_sentence(divisor, right, known))
    ends = [a / b for a in left for b in right]
    return min(ends), max(ends)


def _zero_sentence(
    divisor: ast.expr, spread: tuple[Decimal, Decimal], known: Mapping[str, Named]
) -> str:
    name = known[divisor.id].name if isinstance(divisor, ast.Name) else ast.unparse(divisor)
    if not any(spread):
        return f"除数“{name}”恒为零，不能相除。"
    return (
        f"除数“{name}”的合理区间 {spread[0]:f} 至 {spread[1]:f} 含零，可能除以零；"
        "请改用不会为零的指标。"
    )


# UNITS


def _check_unit(code: str, expression: Expression, known: Mapping[str, Named]) -> None:
    found, wanted = _unit_in(expression.body, known), unit_of(known[code].unit)
    if found.dimension != wanted.dimension:
        raise _Fault(
            f"计算式得到的是{_words(found)}，与“{known[code].name}”的单位“{known[code].unit}”不符。"
        )
    if found.factor != wanted.factor:
        times = _number(found.factor / wanted.factor)
        raise _Fault(f"计算式与单位“{known[code].unit}”相差 {times} 倍，请乘以换算系数 {times}。")


def _unit_in(node: ast.expr, known: Mapping[str, Named]) -> Unit:
    match node:
        case ast.Constant():
            return Unit((), Fraction(1))
        case ast.Name(id=name):
            return unit_of(known[name].unit)
        case ast.UnaryOp(operand=operand):
            return _unit_in(operand, known)
        case ast.BinOp(left=left, op=ast.Add() | ast.Sub(), right=right):
            return _same_unit(left, right, known)
        case ast.BinOp(left=left, op=op, right=right):
            power = -1 if isinstance(op, ast.Div) else 1
            unit = _unit_in(left, known).times(_unit_in(right, known), power)
            return _converted(unit, left, right, power)
    raise BadExpression(type(node).__name__)


def _same_unit(left: ast.expr, right: ast.expr, known: Mapping[str, Named]) -> Unit:
    first, second = _unit_in(left, known), _unit_in(right, known)
    if _is_whole(left, second):
        return second
    if first != second and not _is_whole(right, first):
        raise _Fault(
            f"“{ast.unparse(left)}”与“{ast.unparse(right)}”单位不同"
            f"（{_words(first)}、{_words(second)}），不能相加减；请先换算。"
        )
    return first


def _is_whole(node: ast.expr, unit: Unit) -> bool:
    """Tell whether a number is all of what a share is taken of: 100 beside a percentage."""
    if not isinstance(node, ast.Constant) or unit.dimension:
        return False
    return Fraction(str(node.value)) * unit.factor == 1


def _converted(unit: Unit, left: ast.expr, right: ast.expr, power: int) -> Unit:
    """A number that multiplies or divides may convert the unit: 1 km2 is 100 公顷."""
    factor = unit.factor
    if isinstance(left, ast.Constant) and left.value and _converts(left.value):
        factor /= Fraction(str(left.value))
    if isinstance(right, ast.Constant) and right.value and _converts(right.value):
        is_mean = power == -1 and right.value == _count_terms(left)
        factor /= 1 if is_mean else Fraction(str(right.value)) ** power
    return Unit(unit.dimension, factor)


def _converts(number: object) -> bool:
    """Tell whether a number is a step between units of measure; others only multiply.

    >>> [_converts(number) for number in (10000, 0.01, 15, 1500, 2, 12, 365)]
    [True, True, True, True, False, False, False]
    """
    rest = Fraction(str(number))
    return any(_is_power_of_ten(rest / step) for step in (1, Fraction(3, 2), Fraction(2, 3)))


def _is_power_of_ten(number: Fraction) -> bool:
    longer = max(number.numerator, number.denominator)
    return min(number.numerator, number.denominator) == 1 and str(longer).strip("0") == "1"


def _count_terms(node: ast.expr) -> int:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub):
        return _count_terms(node.left) + _count_terms(node.right)
    return 1


def _words(unit: Unit) -> str:
    if not unit.dimension:
        return "纯数"
    return "·".join(
        base if exponent == 1 else f"{base}^{exponent}" for base, exponent in unit.dimension
    )


def _number(times: Fraction) -> str:
    if times.denominator == 1:
        return str(times.numerator)
    return f"{float(times):.10g}"


def expanded(code: str, formula: str, known: Mapping[str, Named]) -> Expanded:
    """Return the formula with derived names replaced by their own formulas, down to what is filed.

    >>> known = {"A": Named("甲", "km2", Decimal(1), Decimal(2)),
    ...          "B": Named("乙", "km2", Decimal(1), Decimal(2), "A * 2")}
    >>> sorted(expanded("C", "B / A", known).inputs)
    ['A']
    """
    body = tree(parse(formula))
    inputs: set[str] = set()

    def replaced(node: list[object]) -> list[object]:
        if node[0] == "name":
            inner = known[str(node[1])].formula
            if inner is not None and node[1] != code:
                return replaced(tree(parse(inner)))
            inputs.add(str(node[1]))
            return node
        return [replaced(part) if isinstance(part, list) else part for part in node]

    return Expanded(replaced(body), frozenset(inputs))
