"""Trace a step: run it once on symbols."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from xdpl.engines.tracing.graph import Builder, Graph
from xdpl.engines.tracing.symbols import Namespace, Symbol
from xdpl.models.base import Model

__all__ = ["Step", "remembering", "step_of", "trace"]


@dataclass(frozen=True)
class Step:
    """The graph of a step, and which of its inputs and outputs are what.

    Parameters
    ----------
    graph : Graph
        Inputs are states, forcings, parameters in declared order, outputs the new
        states and then the series.
    states, forcings, parameters : tuple of str
        Declared names.
    series : tuple of str
        Names of the outputs that are stored at each time step.
    """

    graph: Graph
    states: tuple[str, ...]
    forcings: tuple[str, ...]
    parameters: tuple[str, ...]
    series: tuple[str, ...]

    def storing(self, series: tuple[str, ...]) -> Step:
        """The step that computes only these series besides the states."""
        chosen = [*(f"next {name}" for name in self.states), *series]
        return Step(self.graph.select(chosen), self.states, self.forcings, self.parameters, series)


def step_of(model: Model, series: Sequence[str]) -> Step:
    """The step of a model that computes these series.

    Traced each time, which takes a millisecond, since what a step uses may change in
    a session; within `remembering`, once.

    Raises
    ------
    UnsupportedOperation
        With the operation, and its line in the step.
    """
    known = _known.get()
    if known is None:
        return trace(model).storing(tuple(series))
    key = (id(model), tuple(series))
    if key not in known:
        known[key] = trace(model).storing(tuple(series))
    return known[key]


_known: ContextVar[dict[tuple[int, tuple[str, ...]], Step] | None] = ContextVar("known steps", default=None)


@contextlib.contextmanager
def remembering() -> Iterator[None]:
    """Within, a step is traced once for each model and its series: for loops that run the same again."""
    token = _known.set({})
    try:
        yield
    finally:
        _known.reset(token)


def trace(model: Model) -> Step:
    """Graph of the step of a model, with every flux and state as a series.

    Raises
    ------
    UnsupportedOperation
        With the operation, and its line in the step.
    """
    names = {
        "states": tuple(d.name for d in model.states),
        "forcings": tuple(d.name for d in model.forcings),
        "parameters": tuple(d.name for d in model.step_parameters),
    }
    inputs = [f"{kind}.{name}" for kind, group in names.items() for name in group]
    builder = Builder(inputs)
    symbols = iter(Symbol(builder, i) for i in range(len(inputs)))
    packed = {
        kind: model.pack(kind, {n: next(symbols) for n in group})  # type: ignore[arg-type]
        for kind, group in names.items()
    }
    states, fluxes = model.step(
        Namespace(builder), packed["states"], packed["forcings"], packed["parameters"]
    )
    series = tuple(model.all_outputs())
    outputs = [(f"next {name}", _operand(builder, states[name])) for name in names["states"]]
    outputs += [(n, _operand(builder, fluxes[n] if n in fluxes else states[n])) for n in series]
    return Step(builder.build(outputs), **names, series=series)


def _operand(builder: Builder, value: Any) -> Any:
    """What an output is: a value of the graph, or a constant."""
    return Namespace(builder).full_like(None, value)._operand
