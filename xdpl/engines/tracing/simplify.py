"""Algebra that shortens a graph without changing what it computes.

Nothing here assumes finite values: `x * 0` stays, since it is NaN where `x` is. A division by a constant
becomes a multiplication by its reciprocal, which may differ in the last bit.
"""

from __future__ import annotations

import math
from collections.abc import Callable

__all__ = ["simplify"]

_Args = tuple[int | float, ...]
_Look = Callable[[int | float], tuple[str, _Args] | None]

_COMMUTATIVE = {"add", "multiply", "minimum", "maximum", "equal", "not_equal", "logical_and", "logical_or"}
_FOLD: dict[str, Callable[..., float]] = {
    "add": lambda a, b: a + b,
    "subtract": lambda a, b: a - b,
    "multiply": lambda a, b: a * b,
    "divide": lambda a, b: a / b,
    "pow": lambda a, b: a**b,
    "negative": lambda a: -a,
    "abs": abs,
    "exp": math.exp,
    "expm1": math.expm1,
    "log": math.log,
    "log1p": math.log1p,
    "sqrt": math.sqrt,
    "minimum": min,
    "maximum": max,
}


def simplify(op: str, args: _Args, look: _Look) -> tuple[str, _Args] | int | float:
    """An operation in its simplest form: an operand, or an operation with operands.

    Parameters
    ----------
    op : str
    args : tuple of operand
    look : callable
        Operation and operands of a value, None for inputs and constants.
    """
    folded = _fold(op, args)
    if folded is not None:
        return folded
    rule = _RULES.get(op)
    found = rule(args, look) if rule else None
    if found is not None:
        return simplify(*found, look) if isinstance(found, tuple) else found
    if op in _COMMUTATIVE and _order(args[0]) > _order(args[1]):
        args = args[::-1]
    return op, args


def _fold(op: str, args: _Args) -> float | None:
    """Value of an operation on finite constants; None where it has none."""
    if op not in _FOLD or not all(isinstance(a, float) and math.isfinite(a) for a in args):
        return None
    try:
        value = _FOLD[op](*args)
    except (ArithmeticError, ValueError):
        return None
    return value if isinstance(value, float) else None


def _order(a: int | float) -> tuple[bool, float]:
    return isinstance(a, float), a


_Found = tuple[str, _Args] | int | float | None


def _add(args: _Args, look: _Look) -> _Found:
    a, b = args
    if _is(b, 0.0):
        return a
    if _is(a, 0.0):
        return b
    for x, y in ((a, b), (b, a)):
        inner = look(y)
        if inner and inner[0] == "negative":
            return "subtract", (x, inner[1][0])
    return None


def _subtract(args: _Args, look: _Look) -> _Found:
    a, b = args
    if _is(b, 0.0):
        return a
    if _is(a, 0.0):
        return "negative", (b,)
    inner = look(b)
    if inner and inner[0] == "negative":
        return "add", (a, inner[1][0])
    return None


def _multiply(args: _Args, look: _Look) -> _Found:
    for a, b in (args, args[::-1]):
        if _is(a, 1.0):
            return b
        if _is(a, -1.0):
            return "negative", (b,)
    return None


def _divide(args: _Args, look: _Look) -> _Found:
    a, b = args
    if isinstance(b, float) and b != 0.0 and math.isfinite(1.0 / b):
        return "multiply", (a, 1.0 / b)
    return None


def _negative(args: _Args, look: _Look) -> _Found:
    inner = look(args[0])
    if inner and inner[0] == "negative":
        return inner[1][0]
    if inner and inner[0] == "subtract":
        return "subtract", inner[1][::-1]
    return None


def _pow(args: _Args, look: _Look) -> _Found:
    x, y = args
    if _is(y, 1.0):
        return x
    if _is(y, 2.0):
        return "multiply", (x, x)
    return None


def _where(args: _Args, look: _Look) -> _Found:
    condition, a, b = args
    if isinstance(a, type(b)) and a == b:
        return a
    inner = look(condition)
    if inner and inner[0] == "logical_not":
        return "where", (inner[1][0], b, a)
    # where(c, where(c, x, y), z) takes x where c holds: y is never seen.
    for side, value in ((1, a), (2, b)):
        nested = look(value)
        if nested and nested[0] == "where" and nested[1][0] == condition:
            chosen = nested[1][side]
            return "where", (condition, chosen, b) if side == 1 else (condition, a, chosen)
    return None


def _is(a: int | float, value: float) -> bool:
    return isinstance(a, float) and a == value


_RULES: dict[str, Callable[[_Args, _Look], _Found]] = {
    "add": _add,
    "subtract": _subtract,
    "multiply": _multiply,
    "divide": _divide,
    "negative": _negative,
    "pow": _pow,
    "where": _where,
}
