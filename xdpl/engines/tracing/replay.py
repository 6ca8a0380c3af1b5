"""Run a graph on arrays of any namespace."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any

from xdpl.engines.tracing.graph import Graph

__all__ = ["replay"]

# What a step writes as an operator is replayed as one: libraries differ in what functions take.
_OPERATORS: dict[str, Callable[..., Any]] = {
    "add": operator.add,
    "subtract": operator.sub,
    "multiply": operator.mul,
    "divide": operator.truediv,
    "pow": operator.pow,
    "negative": operator.neg,
    "equal": operator.eq,
    "not_equal": operator.ne,
    "less": operator.lt,
    "less_equal": operator.le,
    "greater": operator.gt,
    "greater_equal": operator.ge,
}


def replay(graph: Graph, xp: Any) -> Callable[..., tuple[Any, ...]]:
    """The graph as a function of its inputs, arrays of one shape.

    Parameters
    ----------
    graph : Graph
    xp : namespace

    Returns
    -------
    callable
        From one array per input to a tuple of one array per output.
    """

    def function(*inputs: Any) -> tuple[Any, ...]:
        values = list(inputs)

        def value(a: int | float) -> Any:
            return values[a] if isinstance(a, int) else a

        for node in graph.nodes:
            values.append(_apply(xp, node.op, [value(a) for a in node.args], inputs[0]))
        return tuple(value(a) if isinstance(a, int) else xp.full_like(inputs[0], a) for _, a in graph.outputs)

    return function


def _apply(xp: Any, op: str, args: list[Any], like: Any) -> Any:
    if all(isinstance(a, float) for a in args):
        # Python's own arithmetic raises where arrays have NaN, and libraries differ in what functions take.
        args = [xp.full_like(like, a) for a in args]
    if op in _OPERATORS:
        return _OPERATORS[op](*args)
    if op == "clip":
        low, high = (None if isinstance(b, float) and math.isinf(b) else b for b in args[1:])
        return args[0] if low is None and high is None else xp.clip(args[0], low, high)
    if op in ("minimum", "maximum"):
        args = [xp.full_like(like, a) if isinstance(a, float) else a for a in args]
    return getattr(xp, op)(*args)
