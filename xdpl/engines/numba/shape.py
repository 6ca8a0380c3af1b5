"""The sizes a kernel is compiled for, and the memory it needs."""

from __future__ import annotations

from dataclasses import dataclass

from xdpl.engines.numba.machine import host
from xdpl.engines.tracing.order import Graphs, Order

__all__ = ["Shape"]


@dataclass(frozen=True)
class Shape:
    """Numbers of a compiled step.

    Parameters
    ----------
    states, forcings, parameters, series : int
    constants : int
        Values computed from the parameters before the first step.
    kept : int
        Values that a step leaves for its adjoint.
    moving : bool
        Whether some parameter varies in time.
    lanes : int
    itemsize : int
    """

    states: int
    forcings: int
    parameters: int
    series: int
    constants: int
    kept: int
    moving: bool
    lanes: int
    itemsize: int

    @property
    def dtype(self) -> str:
        """The type of all numbers."""
        return "float32" if self.itemsize == 4 else "float64"

    @classmethod
    def of(cls, order: Order, graphs: Graphs) -> Shape:
        """The sizes of a kernel for this machine."""
        step = order.step
        return cls(
            states=len(step.states),
            forcings=len(step.forcings),
            parameters=len(step.parameters),
            series=len(step.series),
            constants=len(graphs.before.outputs),
            kept=len(graphs.step.outputs) - len(step.states) if order.backward else 0,
            moving=bool(order.moving),
            lanes=host().lanes(order.dtype),
            itemsize=4 if order.dtype == "float32" else 8,
        )

    def scratch(self, rows: int, members: int, every: int, *, backward: bool) -> int:
        """Numbers in the scratch buffer; the loops say what lies where."""
        block = rows * members
        parameters = self.parameters + self.constants
        if backward:
            per_block = (every + 2) * self.states + every * self.kept + parameters + self.parameters
            return (block * per_block + 2 * self.forcings + self.series) * self.lanes
        return (block * (self.states + parameters) + self.forcings + self.series) * self.lanes
