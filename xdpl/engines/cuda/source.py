"""A graph printed as straight-line scalar Python.

Numba compiles the source for a GPU; with other meanings of the same words (see `words`) it runs as plain
Python. Every number in it has the dtype of the kernel: one float64 among float32 would make a GPU compute in
float64, many times slower.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from xdpl.engines.tracing.graph import Graph, Operand

__all__ = ["literal", "print_graph"]

# Products beyond that are longer than the power they replace.
_LARGEST_POWER = 16


def print_graph(graph: Graph, inputs: Sequence[str], prefix: str, dtype: str) -> tuple[list[str], list[str]]:
    """Source of a graph, one assignment per node.

    Parameters
    ----------
    graph : Graph
    inputs : sequence of str
        Expressions of its inputs, one for each: names of local variables.
    prefix : str
        Names of the values that are assigned begin with it.
    dtype : {"float32", "float64"}

    Returns
    -------
    lines : list of str
    outputs : list of str
        Expressions of the outputs: names or constants.
    """
    values = list(inputs)

    def value(a: Operand) -> str:
        return values[a] if isinstance(a, int) else literal(a, dtype)

    lines = []
    for i, node in enumerate(graph.nodes):
        name = f"{prefix}{i}"
        args = [value(a) for a in node.args]
        if node.op == "clip":
            expressions = _clip(name, node.args, args)
        else:
            expressions = [_expression(node.op, node.args, args, dtype)]
        lines += [f"{name} = {expression}" for expression in expressions]
        values.append(name)
    return lines, [value(a) for _, a in graph.outputs]


def literal(number: float, dtype: str) -> str:
    """A constant of the dtype."""
    return f"{dtype}({number!r})"


def _expression(op: str, operands: Sequence[Operand], args: Sequence[str], dtype: str) -> str:
    if op in _INFIX:
        return f"{args[0]} {_INFIX[op]} {args[1]}"
    if op in _FUNCTIONS:
        return f"{_FUNCTIONS[op]}({', '.join(args)})"
    if op in ("minimum", "maximum"):
        return _extreme(op, operands, args)
    if op == "pow":
        return _power(operands[1], args, dtype)
    return _TEMPLATES[op](*args).replace("INF", literal(math.inf, dtype))


def _extreme(op: str, operands: Sequence[Operand], args: Sequence[str]) -> str:
    """The smaller or the larger of two, NaN if either is NaN."""
    if isinstance(operands[0], float):
        operands, args = operands[::-1], args[::-1]
    a, b = args
    wins = "<" if op == "minimum" else ">"
    if isinstance(operands[1], float) and not math.isnan(operands[1]):
        # A constant is no NaN: one comparison, which holds for a NaN of a, is enough.
        loses = ">=" if op == "minimum" else "<="
        return f"cuda.selp(not ({a} {loses} {b}), {a}, {b})"
    return f"cuda.selp(({a} {wins} {b}) | ({a} != {a}), {a}, {b})"


def _clip(name: str, operands: Sequence[Operand], args: Sequence[str]) -> list[str]:
    """Expressions that a name is assigned one after the other; infinite limits are none."""
    expressions = []
    operand, text = operands[0], args[0]
    for op, i in (("maximum", 1), ("minimum", 2)):
        limit = operands[i]
        if not (isinstance(limit, float) and math.isinf(limit)):
            expressions.append(_extreme(op, (operand, limit), (text, args[i])))
            # The second limit is one of the value that the first left, no constant.
            operand, text = 0, name
    return expressions or [text]


def _power(exponent: Operand, args: Sequence[str], dtype: str) -> str:
    x, y = args
    if isinstance(exponent, float) and exponent.is_integer() and abs(exponent) <= _LARGEST_POWER:
        product = _product(x, abs(int(exponent)), dtype)
        return f"{literal(1.0, dtype)} / ({product})" if exponent < 0.0 else product
    return f"power({x}, {y})"


def _product(x: str, count: int, dtype: str) -> str:
    if count < 2:
        return x if count else literal(1.0, dtype)
    half = _product(x, count // 2, dtype)
    square = f"({half}) * ({half})" if count > 3 else f"{half} * {half}"
    return f"{square} * {x}" if count % 2 else square


_INFIX = {
    "add": "+",
    "divide": "/",
    "equal": "==",
    "greater": ">",
    "greater_equal": ">=",
    "less": "<",
    "less_equal": "<=",
    "logical_and": "&",
    "logical_or": "|",
    "logical_xor": "^",
    "multiply": "*",
    "not_equal": "!=",
    "subtract": "-",
}
_FUNCTIONS = {
    **{name: name for name in ("ceil", "cos", "cosh", "exp", "expm1", "floor", "log", "log10", "log1p")},
    **{name: name for name in ("log2", "sin", "sinh", "sqrt", "tanh")},
    **{"abs": "absolute", "round": "nearest", "trunc": "truncate", "where": "cuda.selp"},
}
_TEMPLATES: dict[str, Callable[..., str]] = {
    "isfinite": lambda x: f"absolute({x}) < INF",
    "isinf": lambda x: f"absolute({x}) == INF",
    "isnan": lambda x: f"{x} != {x}",
    "logical_not": lambda x: f"not {x}",
    "negative": lambda x: f"-{x}",
}
