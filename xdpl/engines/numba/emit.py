"""A graph as straight-line vector instructions."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from xdpl.engines.numba import functions
from xdpl.engines.numba.vector import Vector
from xdpl.engines.tracing.graph import Graph

__all__ = ["emit"]


def emit(v: Vector, graph: Graph, inputs: Sequence[Any]) -> list[Any]:
    """Instructions for a graph.

    Parameters
    ----------
    v : Vector
        Where the instructions go.
    graph : Graph
    inputs : sequence of value
        One per input of the graph; None for one it does not use.

    Returns
    -------
    list of value
        One per output of the graph.
    """
    values = list(inputs)

    def value(a: int | float) -> Any:
        return values[a] if isinstance(a, int) else v.constant(a)

    for node in graph.nodes:
        # An infinite bound of a clip is none.
        args = [
            None if isinstance(a, float) and math.isinf(a) and node.op == "clip" else value(a)
            for a in node.args
        ]
        values.append(_OPERATIONS[node.op](v, *args))
    return [value(a) for _, a in graph.outputs]


def _clip(v: Vector, x: Any, low: Any, high: Any) -> Any:
    x = x if low is None else v.maximum(x, low)
    return x if high is None else v.minimum(x, high)


def _isinf(v: Vector, x: Any) -> Any:
    return v.compare("==", v.absolute(x), v.constant(float("inf")))


def _isfinite(v: Vector, x: Any) -> Any:
    return v.compare("<", v.absolute(x), v.constant(float("inf")))


_OPERATIONS: dict[str, Callable[..., Any]] = {
    "abs": Vector.absolute,
    "add": Vector.add,
    "ceil": Vector.ceil,
    "clip": _clip,
    "cos": functions.cos,
    "cosh": functions.cosh,
    "divide": Vector.div,
    "equal": lambda v, a, b: v.compare("==", a, b),
    "exp": functions.exp,
    "expm1": functions.expm1,
    "floor": Vector.floor,
    "greater": lambda v, a, b: v.compare(">", a, b),
    "greater_equal": lambda v, a, b: v.compare(">=", a, b),
    "isfinite": _isfinite,
    "isinf": _isinf,
    "isnan": Vector.isnan,
    "less": lambda v, a, b: v.compare("<", a, b),
    "less_equal": lambda v, a, b: v.compare("<=", a, b),
    "log": functions.log,
    "log10": functions.log10,
    "log1p": functions.log1p,
    "log2": functions.log2,
    "logical_and": Vector.logical_and,
    "logical_not": Vector.logical_not,
    "logical_or": Vector.logical_or,
    "logical_xor": Vector.logical_xor,
    "maximum": Vector.maximum,
    "minimum": Vector.minimum,
    "multiply": Vector.mul,
    "negative": Vector.neg,
    "not_equal": lambda v, a, b: v.compare("!=", a, b),
    "pow": functions.pow,
    "round": Vector.round,
    "sin": functions.sin,
    "sinh": functions.sinh,
    "sqrt": Vector.sqrt,
    "subtract": Vector.sub,
    "tanh": functions.tanh,
    "trunc": Vector.trunc,
    "where": Vector.select,
}
