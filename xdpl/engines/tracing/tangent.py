"""The tangent of a step: the transpose of its adjoint."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from xdpl.engines.tracing.aten import to_graph
from xdpl.engines.tracing.graph import Graph
from xdpl.engines.tracing.replay import replay

__all__ = ["push", "tangent"]


def push(
    function: Callable[..., tuple[Any, ...]], values: Sequence[Any], directions: Sequence[Any]
) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """Values of a function, and how they change along a direction.

    Parameters
    ----------
    function : callable
        From tensors to a tuple of tensors.
    values, directions : sequence of Tensor
        Where, and which way.

    Returns
    -------
    values, changes : tuple of Tensor

    Notes
    -----
    With J the Jacobian, the adjoint gives u ↦ Jᵀu, which is linear in u; its own adjoint is v ↦ Jv.
    So the rules at ties and kinks are those of the gradients that are learned with; PyTorch's forward
    mode has some of its own.
    """
    # torch is imported here: a run without derivatives does without it.
    import torch

    adjoint: Any = torch.func.vjp(function, *values)
    found, pull = adjoint
    anywhere = tuple(torch.zeros_like(v) for v in found)
    transpose: Any = torch.func.vjp(lambda *u: pull(u), *anywhere)
    return found, transpose[1](tuple(directions))


def tangent(graph: Graph, moved: Sequence[str]) -> Graph:
    """Graph of a function beside its change along a direction.

    Parameters
    ----------
    graph : Graph
    moved : sequence of str
        Inputs that have a direction; the others stay what they are.

    Returns
    -------
    Graph
        Inputs are those of the graph, then the directions (``"d <input>"``); outputs those of the
        graph, then the change of each (``"d <output>"``).

    Raises
    ------
    NotImplementedError
        If PyTorch differentiates with an operation that is not known here.
    """
    import array_api_compat.torch as xp
    import torch
    from torch.fx.experimental.proxy_tensor import make_fx

    function = replay(graph, xp)
    count = len(graph.inputs)
    places = [graph.inputs.index(name) for name in moved]

    def both(*args: Any) -> Any:
        values = list(args[:count])

        def outputs(*chosen: Any) -> tuple[Any, ...]:
            for i, value in zip(places, chosen, strict=True):
                values[i] = value
            return function(*values)

        found, changes = push(outputs, [args[i] for i in places], args[count:])
        return (*found, *changes)

    names = [*graph.inputs, *(f"d {name}" for name in moved)]
    # The values are not used: the step is elementwise and takes no decision on them.
    examples = [torch.full((2,), 0.5, dtype=torch.float64) for _ in names]
    outputs = [name for name, _ in graph.outputs]
    return to_graph(make_fx(both)(*examples), names, [*outputs, *(f"d {name}" for name in outputs)])
