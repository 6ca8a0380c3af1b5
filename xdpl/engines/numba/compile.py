"""From the graphs of a step to machine code, through numba."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numba
from numba import types

from xdpl.engines.numba.intrinsics import Output, graph_function
from xdpl.engines.numba.loops import Functions, backward_loop, forward_loop
from xdpl.engines.numba.machine import assemble
from xdpl.engines.numba.moves import moves
from xdpl.engines.numba.shape import Shape
from xdpl.engines.tracing.graph import Graph
from xdpl.engines.tracing.order import Graphs

__all__ = ["compile_kernel"]


def compile_kernel(graphs: Graphs, shape: Shape) -> tuple[bytes, str]:
    """Machine code of a kernel.

    Parameters
    ----------
    graphs : Graphs
    shape : Shape

    Returns
    -------
    code : bytes
        An object file.
    name : str
        Of the function in it.
    """
    number, integer = types.CPointer(getattr(types, shape.dtype)), types.int64
    tables = types.CPointer(types.CPointer(integer))
    signature = types.void(*[integer] * 8, tables, number, number)
    # No fastmath here: its flags would reach into the functions and break their rounding.
    kernel = numba.cfunc(signature, error_model="numpy")(_loop(graphs, shape))
    return assemble(kernel.inspect_llvm()), kernel.native_name


def _loop(graphs: Graphs, s: Shape) -> Any:
    inputs = (s.states, s.forcings, s.parameters)
    states = Output(s.states)

    def function(graph: Graph, sources: Sequence[int], *targets: Output) -> Any:
        return graph_function(graph, sources, targets, s.dtype, s.lanes)

    prepare = function(graphs.before, [s.parameters], Output(s.constants))
    common: dict[str, Any] = moves(s.dtype, s.lanes) | {"prepare": prepare}
    if graphs.pull is None:
        step = function(graphs.step, [*inputs, s.constants], states, Output(s.series, add=True))
        return forward_loop(s, Functions(**common, step=step))
    step = function(graphs.step, [*inputs, s.constants], states, Output(s.kept))
    # Forcings may not be differentiated: then there are no rows of them.
    d_forcings = Output(len(graphs.pull.outputs) - s.states - s.parameters, add=True)
    sources = [*inputs, s.states, s.series, s.kept, s.constants]
    pull = function(graphs.pull, sources, states, Output(s.parameters, add=True), d_forcings)
    return backward_loop(s, Functions(**common, step=step, pull=pull))
