"""Run kernels over arrays on a GPU: one thread for each site and member."""

from __future__ import annotations

import contextlib
import math
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from xdpl.engines.canonical import Arrays, Forward
from xdpl.engines.cuda.kernels import Kernel, kernel, simulated
from xdpl.engines.cuda.library import Library, library_of
from xdpl.engines.tracing.order import Order

__all__ = ["Segments", "backward", "forward"]

Array = Any

_BLOCK = 128
# Numba calls grids of fewer blocks too small, which a run over few sites cannot help.
_LARGE_GRID = 128


@dataclass(frozen=True)
class Segments:
    """How the steps of a run are divided.

    Parameters
    ----------
    every : int
        Steps between states that are kept for the adjoint; 0 keeps none.
    """

    every: int

    @classmethod
    def of(cls, steps: int, every: int | None) -> Segments:
        """The division of a run; None for what takes the least memory.

        The adjoint needs the states kept by the run, and room for those within a segment.
        """
        if every is None:
            every = max(1, round(math.sqrt(steps)))
        return cls(min(every, max(steps, 1)))

    def count(self, steps: int) -> int:
        """Segments whose first states are kept."""
        return -(-steps // self.every) if self.every else 0


def forward(
    order: Order,
    arrays: Arrays,
    *,
    average: bool,
    every: int | None = 0,
    progress: bool = False,
    block: int = _BLOCK,
) -> Forward:
    """Run a model.

    Parameters
    ----------
    order : Order
    arrays : Arrays
        Of torch or cupy, all on one GPU; of numpy or torch in numba's simulator.
    average : bool
        Average the series over members, instead of returning each.
    every : int, optional
        Steps between states kept for the adjoint: 0 keeps none, 1 all, None
        chooses what takes the least memory.
    progress : bool
        Nothing to show: a run is one launch.
    block : int
        Threads in a block.
    """
    with _Run(order, arrays, block) as run:
        segments = Segments.of(arrays.steps, every)
        series = run.empty(arrays.steps, arrays.members, names=order.step.series)
        final = run.empty(arrays.members, names=order.step.states)
        kept = run.empty(segments.count(arrays.steps), len(final), arrays.members, names=("kept",))[0]
        if arrays.steps == 0:
            final = [run.library.copy(a, (arrays.members, arrays.sites)) for a in arrays.start]
        run.launch(
            {"forcing": arrays.forcings, "parameter": arrays.parameters, "start": _timeless(arrays.start)},
            {"series": series, "final": final},
            {"checkpoints": kept},
            {"every": segments.every or arrays.steps, "keep": int(segments.every > 0)},
        )
        if average and arrays.members > 1:
            series = [run.library.mean(a) for a in series]
    return Forward(tuple(series), tuple(final), kept, segments)


def backward(
    order: Order,
    arrays: Arrays,
    run: Forward,
    d_series: Sequence[Array | None],
    d_final: Sequence[Array | None],
    *,
    average: bool,
    block: int = _BLOCK,
) -> tuple[list[Array], list[Array], list[Array]]:
    """Adjoint of a run.

    Parameters
    ----------
    order : Order
        With `backward`.
    arrays : Arrays
        Those of the run.
    run : Forward
        Its checkpoints are used.
    d_series : sequence of array or None, (time, member or 1, site)
    d_final : sequence of array or None, (member, site)
        Cotangents; None for zeros.
    average : bool
    block : int
        Threads in a block.

    Returns
    -------
    d_forcings : list of array, (time, 1, site)
        Empty if the order does not ask for them.
    d_parameters : list of array, (time or 1, member, site)
    d_start : list of array, (member, site)

    Raises
    ------
    ValueError
        If the run kept no states.
    """
    every, members = run.tiling.every, arrays.members
    if every == 0:
        msg = "the run kept no states for its adjoint"
        raise ValueError(msg)
    with _Run(order, arrays, block) as this:
        d_forcings, d_parameters, d_start = this.gradients()
        none = this.library.zeros((1, 1, arrays.sites), order.dtype)
        d_final = [none[0] if a is None else a for a in d_final]
        if arrays.steps == 0:
            d_start = [this.library.copy(a, (members, arrays.sites)) for a in d_final]
            d_parameters = [this.library.zeros(a.shape, order.dtype) for a in d_parameters]
        scratch = this.empty(every - 1, len(d_start), members, names=("scratch",))[0]
        this.launch(
            {
                "forcing": arrays.forcings,
                "parameter": arrays.parameters,
                "d_series": [none if a is None else a for a in d_series],
                "d_final": _timeless(d_final),
            },
            {"d_start": d_start, "d_parameter": d_parameters, "d_forcing": d_forcings},
            {"checkpoints": run.checkpoints, "scratch": scratch},
            {"every": every, "weight": np.dtype(order.dtype).type(1 / members if average else 1)},
        )
        if members > 1:
            d_forcings = [this.library.sum(a) for a in d_forcings]
    return d_forcings, d_parameters, d_start


class _Run(contextlib.ExitStack):
    """One launch of a kernel, on the device of its arrays.

    Parameters
    ----------
    order : Order
    arrays : Arrays
    block : int
    """

    def __init__(self, order: Order, arrays: Arrays, block: int) -> None:
        super().__init__()
        self.order = order
        self.arrays = arrays
        self.block = block
        self.library: Library = library_of(arrays.forcings[0])
        self.enter_context(self.library.device())

    def empty(self, *dims: int, names: Sequence[str]) -> list[Array]:
        """Uninitialised arrays over these dims and the sites, one per name."""
        return [self.library.empty((*dims, self.arrays.sites), self.order.dtype) for _ in names]

    def gradients(self) -> tuple[list[Array], list[Array], list[Array]]:
        """Arrays for the gradients of forcings (of each member), parameters and first states."""
        step, steps, members = self.order.step, self.arrays.steps, self.arrays.members
        lengths = [steps if name in self.order.moving else 1 for name in step.parameters]
        return (
            self.empty(steps, members, names=step.forcings if self.order.forcings else ()),
            [self.empty(n, members, names=("parameter",))[0] for n in lengths],
            self.empty(members, names=step.states),
        )

    def launch(
        self,
        read: Mapping[str, Sequence[Array]],
        written: Mapping[str, Sequence[Array]],
        kept: Mapping[str, Array],
        numbers: Mapping[str, Any],
    ) -> None:
        """Launch the kernel on the caller's stream, if there is anything to do."""
        sites, steps, members = self.arrays.sites, self.arrays.steps, self.arrays.members
        if 0 in (sites, steps, members):
            return
        with _device(self.library.number()):
            made = kernel(self.order)
            values = {"sites": sites, "steps": steps, "members": members, **numbers}
            for kind, group in read.items():
                for k, a in enumerate(group):
                    values |= self._input(f"{kind}{k}", a)
            for kind, group in written.items():
                values |= {f"{kind}{k}": self.library.view(a) for k, a in enumerate(group)}
            # An empty array has no address. It is not used, and another stands in for it.
            full = next(a for group in written.values() for a in group)
            values |= {k: self.library.view(full if 0 in a.shape else a) for k, a in kept.items()}
            configured = _configured(made, -(-sites * members // self.block), self.block, self.library)
            configured(*(values[name] for name in made.arguments.names))

    def _input(self, name: str, a: Array) -> dict[str, Any]:
        """An array (time or 1, member or 1, site) and its strides; what has length 1 is repeated."""
        a = self.library.adjacent(a, self.order.dtype)
        time, member = (
            s if n > 1 else 0 for n, s in zip(a.shape[:2], self.library.strides(a)[:2], strict=True)
        )
        return {name: self.library.view(a), f"{name}_time": time, f"{name}_member": member}


def _timeless(arrays: Sequence[Array]) -> list[Array]:
    return [a[None] for a in arrays]


def _device(number: int) -> contextlib.AbstractContextManager[Any]:
    from numba import cuda

    device: contextlib.AbstractContextManager[Any] = cuda.gpus[number]
    return contextlib.nullcontext() if simulated() else device


def _configured(made: Kernel, blocks: int, block: int, library: Library) -> Any:
    """The kernel with its grid, on the caller's stream."""
    from numba import cuda

    address = library.stream()
    # The default stream is that of numba: it has no address to wrap.
    stream = cuda.external_stream(address) if address else 0
    if blocks >= _LARGE_GRID:
        return made.launch[blocks, block, stream]
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Grid size")
        return made.launch[blocks, block, stream]
