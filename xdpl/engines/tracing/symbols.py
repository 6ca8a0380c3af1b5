"""Symbolic arrays: a step that runs on them leaves a graph behind."""

from __future__ import annotations

import linecache
import math
import numbers
import sys
from typing import Any, Literal, NoReturn

import numpy as np

from xdpl.engines.tracing.graph import Builder, Operand

__all__ = ["Namespace", "Symbol", "UnsupportedOperation"]

Kind = Literal["real", "mask"]

_REAL = (
    *("abs", "ceil", "cos", "cosh", "exp", "expm1", "floor", "log", "log10", "log1p", "log2", "negative"),
    *("round", "sin", "sinh", "sqrt", "tanh", "trunc"),
    *("add", "divide", "maximum", "minimum", "multiply", "pow", "subtract"),
)
_COMPARE = ("equal", "greater", "greater_equal", "less", "less_equal", "not_equal")
_LOGICAL = ("logical_and", "logical_not", "logical_or", "logical_xor")
_TEST = ("isfinite", "isinf", "isnan")
_ONE = {*_REAL[: _REAL.index("add")], *_TEST, "logical_not"}


class UnsupportedOperation(TypeError):
    """A step does something that a fused engine cannot do; the engine `array` still runs it."""


def refuse(what: str) -> NoReturn:
    """Raise `UnsupportedOperation` with the line of the step."""
    here = __file__
    frame = sys._getframe(1)
    while frame.f_code.co_filename == here and frame.f_back is not None:
        frame = frame.f_back
    path, line = frame.f_code.co_filename, frame.f_lineno
    source = linecache.getline(path, line).strip()
    msg = f'{path}:{line}: {what}, which fused engines do not have: `{source}`; engine="array" runs it'
    raise UnsupportedOperation(msg)


class Symbol:
    """A value of the graph that is being built.

    Parameters
    ----------
    builder : Builder
    operand : Operand
    kind : {"real", "mask"}
    """

    __slots__ = ("_builder", "_kind", "_operand")

    def __init__(self, builder: Builder, operand: Operand, kind: Kind = "real") -> None:
        self._builder = builder
        self._operand = operand
        self._kind = kind

    def __array_namespace__(self, api_version: str | None = None) -> Namespace:
        return Namespace(self._builder)

    def __bool__(self) -> NoReturn:
        refuse("a decision on the value of an array (if, and, or, not, while)")

    def __getattr__(self, name: str) -> NoReturn:
        if name.startswith("__"):
            raise AttributeError(name)
        refuse(f"the attribute .{name} of an array")

    def __getitem__(self, key: object) -> NoReturn:
        refuse("indexing")

    def __setitem__(self, key: object, value: object) -> NoReturn:
        refuse("writing in place")

    def __len__(self) -> NoReturn:
        refuse("the length of an array")

    def __round__(self, digits: int | None = None) -> NoReturn:
        refuse("Python's round")

    def __array__(self, *args: object, **kwargs: object) -> NoReturn:
        refuse("a conversion to numpy")

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Symbol:
        # An operator with a number of numpy on its left comes here too.
        name = {"power": "pow", "true_divide": "divide"}.get(ufunc.__name__, ufunc.__name__)
        if method != "__call__" or options or name not in (*_ARITHMETIC.values(), *_COMPARE):
            refuse(f"numpy.{ufunc.__name__}")
        # Numbers may come as arrays without dims.
        numbers_ = (v[()] if isinstance(v, np.ndarray) else v for v in inputs)
        recorded: Symbol = getattr(Namespace(self._builder), name)(*numbers_)
        return recorded

    def __float__(self) -> NoReturn:
        refuse("a conversion to a number")

    __int__ = __index__ = __float__

    def __invert__(self) -> Symbol:
        return _record(self._builder, "logical_not", (self,), "mask", "mask")

    def __pos__(self) -> Symbol:
        return self

    __hash__ = object.__hash__


class Namespace:
    """Array-API functions on symbols.

    Parameters
    ----------
    builder : Builder
    """

    # For array_api_compat.array_namespace.
    __name__ = __name__
    pi, e, inf, nan = math.pi, math.e, math.inf, math.nan

    def __init__(self, builder: Builder) -> None:
        self._builder = builder

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Namespace) and self._builder is other._builder

    def __hash__(self) -> int:
        return hash(self._builder)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        refuse(f"xp.{name}")

    def clip(self, x: Any, /, min: Any = None, max: Any = None) -> Any:
        """Limit to [min, max]; either may be None."""
        low = -math.inf if min is None else min
        high = math.inf if max is None else max
        # The bounds that are no bounds are those of None.
        if isinstance(low, numbers.Real) and low == math.inf:
            x, low = self.maximum(x, math.inf), -math.inf
        if isinstance(high, numbers.Real) and high == -math.inf:
            x, high = self.minimum(x, -math.inf), math.inf
        return _record(self._builder, "clip", (x, low, high), "real", "real")

    def where(self, condition: Any, x: Any, y: Any, /) -> Any:
        """Choose by a condition."""
        if not (isinstance(condition, Symbol) and condition._kind == "mask"):
            refuse("xp.where without an elementwise condition")
        kinds = {v._kind for v in (x, y) if isinstance(v, Symbol)}
        if kinds == {"mask"}:
            refuse("xp.where between two conditions")
        operands = (condition._operand, *(_operand(v, "real") for v in (x, y)))
        return Symbol(self._builder, self._builder.add("where", *operands))

    def full_like(self, x: Any, fill_value: float, /, **options: Any) -> Any:
        """One value everywhere."""
        if options:
            refuse("xp.full_like with options")
        return Symbol(self._builder, _operand(fill_value, "real"))

    def zeros_like(self, x: Any, /, **options: Any) -> Any:
        """Zero everywhere."""
        return self.full_like(x, 0.0, **options)

    def ones_like(self, x: Any, /, **options: Any) -> Any:
        """One everywhere."""
        return self.full_like(x, 1.0, **options)

    def sign(self, x: Any, /) -> Any:
        """-1, 0 or 1."""
        return self.where(x > 0.0, 1.0, self.where(x < 0.0, -1.0, 0.0 * x))

    def positive(self, x: Any, /) -> Any:
        """The same value."""
        return x

    def square(self, x: Any, /) -> Any:
        """The product with itself."""
        return self.multiply(x, x)


def _operand(value: Any, kind: Kind) -> Operand:
    if isinstance(value, Symbol):
        if value._kind != kind:
            names = {"real": "a number", "mask": "a condition"}
            refuse(f"{names[value._kind]} where {names[kind]} is needed")
        return value._operand
    if isinstance(value, bool):
        refuse("True or False as a number")
    if isinstance(value, numbers.Real):
        return float(value)
    refuse(f"an operand of type {type(value).__name__}")


def _record(builder: Builder, op: str, args: tuple[Any, ...], takes: Kind, gives: Kind) -> Symbol:
    return Symbol(builder, builder.add(op, *(_operand(a, takes) for a in args)), gives)


def _refused(what: str) -> Any:
    def operator(self: Symbol, *others: Any) -> NoReturn:
        refuse(what)

    return operator


def _function(op: str, takes: Kind, gives: Kind) -> Any:
    count = 1 if op in _ONE else 2

    def function(self: Namespace, /, *args: Any, **options: Any) -> Any:
        if len(args) != count or options:
            refuse(f"xp.{op} with other arguments than {count} array{'s' * (count > 1)}")
        return _record(self._builder, op, args, takes, gives)

    return function


def _operator(op: str, takes: Kind, gives: Kind, swapped: bool = False) -> Any:
    def operator(self: Symbol, *others: Any) -> Any:
        args = (*others, self) if swapped else (self, *others)
        return _record(self._builder, op, args, takes, gives)

    return operator


_KINDS: tuple[tuple[tuple[str, ...], Kind, Kind], ...] = (
    (_REAL, "real", "real"),
    (_COMPARE, "real", "mask"),
    (_TEST, "real", "mask"),
    (_LOGICAL, "mask", "mask"),
)
for _names, _takes, _gives in _KINDS:
    for _name in _names:
        setattr(Namespace, _name, _function(_name, _takes, _gives))

_ARITHMETIC = {"add": "add", "sub": "subtract", "mul": "multiply", "truediv": "divide", "pow": "pow"}
for _op, _name in _ARITHMETIC.items():
    setattr(Symbol, f"__{_op}__", _operator(_name, "real", "real"))
    setattr(Symbol, f"__r{_op}__", _operator(_name, "real", "real", swapped=True))
for _op, _name in {"neg": "negative", "abs": "abs"}.items():
    setattr(Symbol, f"__{_op}__", _operator(_name, "real", "real"))
for _op, _name in zip(("eq", "gt", "ge", "lt", "le", "ne"), _COMPARE, strict=True):
    setattr(Symbol, f"__{_op}__", _operator(_name, "real", "mask"))
for _op, _name in {"and": "logical_and", "or": "logical_or", "xor": "logical_xor"}.items():
    setattr(Symbol, f"__{_op}__", _operator(_name, "mask", "mask"))
    setattr(Symbol, f"__r{_op}__", _operator(_name, "mask", "mask", swapped=True))
for _op, _sign in {
    "floordiv": "//",
    "mod": "%",
    "matmul": "@",
    "divmod": "divmod",
    "lshift": "<<",
    "rshift": ">>",
}.items():
    setattr(Symbol, f"__{_op}__", _refused(f"the operator {_sign}"))
    setattr(Symbol, f"__r{_op}__", _refused(f"the operator {_sign}"))
