"""From a recording of PyTorch operations to a graph."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from xdpl.engines.tracing.graph import CONDITIONS, Builder, Graph, Operand

__all__ = ["to_graph"]

_SAME = {
    **{"abs": "abs", "ceil": "ceil", "cos": "cos", "cosh": "cosh", "exp": "exp", "expm1": "expm1"},
    **{"floor": "floor", "log": "log", "log10": "log10", "log1p": "log1p", "log2": "log2", "neg": "negative"},
    **{"round": "round", "sin": "sin", "sinh": "sinh", "sqrt": "sqrt", "tanh": "tanh", "trunc": "trunc"},
    **{"div": "divide", "maximum": "maximum", "minimum": "minimum", "where": "where"},
    **{"isfinite": "isfinite", "isinf": "isinf", "isnan": "isnan"},
    **{"eq": "equal", "ge": "greater_equal", "gt": "greater", "le": "less_equal", "lt": "less"},
    **{"ne": "not_equal", "logical_and": "logical_and", "logical_not": "logical_not"},
    **{"logical_or": "logical_or", "logical_xor": "logical_xor", "bitwise_and": "logical_and"},
    **{"bitwise_not": "logical_not", "bitwise_or": "logical_or", "bitwise_xor": "logical_xor"},
}
_ALIASES = {"alias", "clone", "detach", "lift_fresh_copy", "_to_copy"}


class _Recorder(Builder):
    """A builder that knows conditions from numbers, and what it has raised to which power."""

    def __init__(self, inputs: Sequence[str]) -> None:
        super().__init__(inputs)
        self._masks: set[Operand] = set()
        self._powers: dict[tuple[str, str], Operand] = {}

    def add(self, op: str, *args: Operand) -> Operand:
        """As in `Builder`."""
        value = super().add(op, *args)
        if op in CONDITIONS:
            self._masks.add(value)
        return value

    def is_mask(self, a: Operand) -> bool:
        """Whether an operand is a condition; a constant that equals its index is not."""
        return isinstance(a, int) and a in self._masks

    def pow(self, x: Operand, y: Operand) -> Operand:
        """`x**y`; where `x**(y + 1)` is known, by a division."""
        shorter = self._look(y)
        # The value with the number 1 is not the constant 1.
        if shorter and shorter[0] == "subtract" and repr(shorter[1][1]) == "1.0":
            known = self._powers.get((repr(x), repr(shorter[1][0])))
            if known is not None:
                above, one = self.add("greater", y, 0.0), self.add("equal", y, 0.0)
                at_zero = self.add("where", above, 0.0, self.add("where", one, 1.0, float("inf")))
                return self.add("where", self.add("equal", x, 0.0), at_zero, self.add("divide", known, x))
        value = self.add("pow", x, y)
        self._powers[repr(x), repr(y)] = value
        return value


def to_graph(module: Any, inputs: Sequence[str], outputs: Sequence[str]) -> Graph:
    """Convert a module recorded by `make_fx`.

    Parameters
    ----------
    module : GraphModule
        Elementwise operations on arrays of one shape.
    inputs, outputs : sequence of str
        Names, in the order of its placeholders and outputs.

    Raises
    ------
    NotImplementedError
        If PyTorch differentiates with an operation that is not known here.
    """
    recorder = _Recorder(inputs)
    values: dict[Any, Operand] = {}
    places = iter(range(len(inputs)))
    results: Sequence[Any] = ()

    def operand(a: Any) -> Any:
        if a is None or isinstance(a, str):
            return a
        return values[a] if a in values else float(a)

    for node in module.graph.nodes:
        if node.op == "placeholder":
            values[node] = next(places)
        elif node.op == "get_attr":
            values[node] = float(getattr(module, node.target))
        elif node.op == "output":
            results = node.args[0]
        else:
            values[node] = _convert(recorder, node, [operand(a) for a in node.args])
            if node.target._opname.endswith("_"):
                # Written in place: later uses of the argument mean the new value.
                values[node.args[0]] = values[node]
    return recorder.build([(name, operand(r)) for name, r in zip(outputs, results, strict=True)])


def _convert(b: _Recorder, node: Any, args: list[Any]) -> Operand:
    name = node.target._opname.removesuffix("_")
    if name in _ALIASES:
        return _number(b, args[0]) if b.is_mask(args[0]) and "dtype" in node.kwargs else args[0]
    if name in _SPECIAL:
        return _SPECIAL[name](b, *args, **{k: v for k, v in node.kwargs.items() if k in ("alpha", "value")})
    if name in _SAME:
        return b.add(_SAME[name], *args)
    msg = f"PyTorch differentiates with {node.target}, which is not known here"
    raise NotImplementedError(msg)


def _number(b: _Recorder, mask: Operand) -> Operand:
    return b.add("where", mask, 1.0, 0.0)


def _add(b: _Recorder, x: Operand, y: Operand, alpha: float = 1.0) -> Operand:
    return b.add("add", x, b.add("multiply", float(alpha), y))


def _sub(b: _Recorder, x: Operand, y: Operand, alpha: float = 1.0) -> Operand:
    return b.add("subtract", x, b.add("multiply", float(alpha), y))


def _mul(b: _Recorder, x: Operand, y: Operand) -> Operand:
    if b.is_mask(x) and b.is_mask(y):
        return b.add("logical_and", x, y)
    x, y = (_number(b, a) if b.is_mask(a) else a for a in (x, y))
    return b.add("multiply", x, y)


def _clamp(b: _Recorder, x: Operand, low: Operand | None = None, high: Operand | None = None) -> Operand:
    return b.add("clip", x, float("-inf") if low is None else low, float("inf") if high is None else high)


def _sgn(b: _Recorder, x: Operand) -> Operand:
    # Zero for NaN, as in torch.
    negative = b.add("where", b.add("less", x, 0.0), -1.0, 0.0)
    return b.add("where", b.add("greater", x, 0.0), 1.0, negative)


def _tanh_backward(b: _Recorder, gradient: Operand, y: Operand) -> Operand:
    return b.add("multiply", gradient, b.add("subtract", 1.0, b.add("multiply", y, y)))


_SPECIAL: dict[str, Callable[..., Operand]] = {
    "add": _add,
    "sub": _sub,
    "rsub": lambda b, x, y, **k: _sub(b, y, x, **k),
    "mul": _mul,
    "pow": lambda b, x, y: b.pow(x, y),
    "reciprocal": lambda b, x: b.add("divide", 1.0, x),
    "clamp": _clamp,
    "clamp_min": lambda b, x, low: _clamp(b, x, low),
    "clamp_max": lambda b, x, high: _clamp(b, x, None, high),
    "sgn": _sgn,
    "sign": _sgn,
    "masked_fill": lambda b, x, mask, value: b.add("where", mask, value, x),
    "scalar_tensor": lambda b, x: float(x),
    "full_like": lambda b, x, value: float(value),
    "zeros_like": lambda b, x: 0.0,
    "ones_like": lambda b, x: 1.0,
    "tanh_backward": _tanh_backward,
}
