"""What a kernel is: the graphs it is made of, and all that decides about its machine code."""

from __future__ import annotations

from dataclasses import dataclass

from xdpl.engines.tracing.adjoint import adjoint
from xdpl.engines.tracing.graph import Graph
from xdpl.engines.tracing.keep import keep
from xdpl.engines.tracing.split import split
from xdpl.engines.tracing.trace import Step

__all__ = ["Graphs", "Order", "graphs"]


@dataclass(frozen=True)
class Order:
    """A kernel that is asked for.

    Parameters
    ----------
    step : Step
        Computing the series that are stored, or whose cotangents come in.
    dtype : {"float32", "float64"}
    moving : frozenset of str
        Parameters that vary in time.
    backward : bool
        The adjoint instead of the forward run.
    forcings : bool
        Whether the adjoint differentiates the forcings.
    """

    step: Step
    dtype: str
    moving: frozenset[str] = frozenset()
    backward: bool = False
    forcings: bool = False


@dataclass(frozen=True)
class Graphs:
    """The parts of a kernel.

    Parameters
    ----------
    before : Graph
        From parameters to constants, once per site.
    step : Graph
        The step; in an adjoint without series, but with what it leaves.
    pull : Graph, optional
        The adjoint of the step.
    """

    before: Graph
    step: Graph
    pull: Graph | None


def graphs(order: Order, *, keeping: bool = False) -> Graphs:
    """The graphs of a kernel, with what is constant in time taken out.

    Parameters
    ----------
    order : Order
    keeping : bool
        In an adjoint, let the step leave costly values for it.
    """
    step = order.step
    still = [f"parameters.{name}" for name in step.parameters if name not in order.moving]
    whole = [step.graph]
    if order.backward:
        whole = [step.storing(()).graph, adjoint(step, forcings=order.forcings)]
        if keeping:
            whole = list(keep(whole[0], whole[1], set(still)))
    before, during = split(whole, still)
    # Kernels hold all parameters in one place, moving ones too.
    before = before.over([f"parameters.{name}" for name in step.parameters])
    return Graphs(before, during[0], during[1] if order.backward else None)
