"""Run kernels over arrays: tiles of sites shared among threads."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from xdpl.engines.canonical import Arrays, Forward
from xdpl.engines.numba import threads
from xdpl.engines.numba.arrays import Tables, adjacent, aligned, side_by_side
from xdpl.engines.numba.kernels import Kernel, kernel
from xdpl.engines.numba.shape import Shape
from xdpl.engines.tracing.order import Order

__all__ = ["Tiling", "backward", "forward"]

# Independent rows in flight; more than that only fills the cache.
_IN_FLIGHT = 8
_EVERY = 16
_CHECKPOINT_BYTES = 2**30


@dataclass(frozen=True)
class Tiling:
    """How a run is divided.

    Parameters
    ----------
    rows : int
        Rows of sites in a tile.
    tiles : int
    every : int
        Steps between states that are kept for the adjoint; 0 keeps none.
    """

    rows: int
    tiles: int
    every: int

    @classmethod
    def of(cls, arrays: Arrays, shape: Shape, every: int | None) -> Tiling:
        """The division of a run; `every=None` chooses by length and memory."""
        vectors = max(1, -(-arrays.sites // shape.lanes))
        share = -(-vectors // threads.count())
        passes = -(-share // max(1, _IN_FLIGHT // arrays.members))
        rows = -(-share // passes)
        if every is None:
            every = _EVERY
            bytes_ = arrays.sites * arrays.members * shape.states * shape.itemsize * arrays.steps
            while bytes_ / every > _CHECKPOINT_BYTES and every < arrays.steps:
                every *= 2
        return cls(rows, -(-vectors // rows), min(every, max(arrays.steps, 1)))

    def checkpoints(self, arrays: Arrays, shape: Shape) -> int:
        """Numbers kept for the adjoint."""
        if self.every == 0:
            return 0
        segments = -(-arrays.steps // self.every)
        return self.tiles * segments * self.rows * arrays.members * shape.states * shape.lanes


def forward(
    order: Order, arrays: Arrays, *, average: bool, every: int | None = 0, progress: bool = False
) -> Forward:
    """Run a model.

    Parameters
    ----------
    order : Order
    arrays : Arrays
    average : bool
        Average the series over members, instead of returning each.
    every : int, optional
        Steps between states kept for the adjoint: 0 keeps none, 1 all, None
        chooses.
    progress : bool
        Show a bar over sites.
    """
    made = kernel(order)
    arrays = adjacent(arrays, order.dtype)
    tiling = Tiling.of(arrays, made.shape, every)
    kept = 1 if average else arrays.members
    series = [np.empty((arrays.steps, kept, arrays.sites), order.dtype) for _ in order.step.series]
    final = [np.empty((arrays.members, arrays.sites), order.dtype) for _ in order.step.states]
    checkpoints = aligned(tiling.checkpoints(arrays, made.shape), order.dtype)
    groups = [arrays.forcings, arrays.parameters, _timeless(arrays.start), _timeless(final), series]
    _call(made, order, arrays, tiling, average, groups, checkpoints, progress)
    return Forward(tuple(series), tuple(final), checkpoints, tiling)


def backward(
    order: Order,
    arrays: Arrays,
    run: Forward,
    d_series: Sequence[np.ndarray | None],
    d_final: Sequence[np.ndarray | None],
    *,
    average: bool,
) -> tuple[list[np.ndarray], list[np.ndarray], list[np.ndarray]]:
    """Adjoint of a run.

    Parameters
    ----------
    order : Order
        With `backward`.
    arrays : Arrays
        Those of the run.
    run : Forward
        Its checkpoints are used.
    d_series : sequence of ndarray or None, (time, member or 1, site)
    d_final : sequence of ndarray or None, (member, site)
        Cotangents; None for zeros.
    average : bool

    Returns
    -------
    d_forcings : list of ndarray, (time, 1, site)
        Empty if the order does not ask for them.
    d_parameters : list of ndarray, (time or 1, member, site)
    d_start : list of ndarray, (member, site)
    """
    made = kernel(order)
    arrays = adjacent(arrays, order.dtype)
    step = order.step
    d_forcings = [
        np.empty((arrays.steps, 1, arrays.sites), order.dtype)
        for _ in (step.forcings if order.forcings else ())
    ]
    d_parameters = [
        np.empty((arrays.steps if name in order.moving else 1, arrays.members, arrays.sites), order.dtype)
        for name in step.parameters
    ]
    d_start = [np.empty((arrays.members, arrays.sites), order.dtype) for _ in step.states]
    into: Sequence[np.ndarray | None] = d_forcings or [None] * len(step.forcings)
    incoming = [[None if a is None else side_by_side(a, order.dtype) for a in g] for g in (d_series, d_final)]
    groups: list[Any] = [arrays.forcings, arrays.parameters, incoming[0], _timeless(incoming[1])]
    groups += [_timeless(d_start), d_parameters, into]
    _call(made, order, arrays, run.tiling, average, groups, run.checkpoints)
    return d_forcings, d_parameters, d_start


def _timeless(arrays: Sequence[np.ndarray | None]) -> list[np.ndarray | None]:
    return [None if a is None else a[None] for a in arrays]


def _call(
    made: Kernel,
    order: Order,
    arrays: Arrays,
    tiling: Tiling,
    average: bool,
    groups: Sequence[Sequence[np.ndarray | None]],
    checkpoints: np.ndarray,
    progress: bool = False,
) -> None:
    tables = Tables(groups)
    size = made.shape.scratch(tiling.rows, arrays.members, tiling.every, backward=order.backward)

    def task(begin: int, end: int) -> None:
        scratch = aligned(size, order.dtype)
        made.call(
            *(begin, end, arrays.sites, arrays.steps, arrays.members, tiling.rows, tiling.every),
            *(average, tables.address, checkpoints.ctypes.data, scratch.ctypes.data),
        )

    threads.run(task, _with_bar(_pieces(tiling.tiles), progress))


def _with_bar(pieces: list[tuple[int, int]], show: bool) -> Collection[tuple[int, int]]:
    if not show:
        return pieces
    from tqdm.auto import tqdm

    bar: Collection[tuple[int, int]] = tqdm(pieces, desc="run", unit="part")
    return bar


def _pieces(tiles: int) -> list[tuple[int, int]]:
    """Ranges of tiles, a few for each thread, so that none waits long for another."""
    number = min(tiles, 4 * threads.count())
    edges = [i * tiles // number for i in range(number + 1)]
    return list(itertools.pairwise(edges))
