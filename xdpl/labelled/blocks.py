"""Labelled arrays to engine arrays and back, one block of sites at a time.

Not `xarray.apply_ufunc`: it moves time last, which for data with time first copies every
block twice in dask, and takes several times as long as the run itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import xarray as xr

from xdpl import engines
from xdpl.labelled.flat import Flat, Layout, flatten

if TYPE_CHECKING:
    from xdpl.models import Model

__all__ = ["Inputs", "apply", "over_blocks"]

Array = Any
Inputs = Mapping[str, xr.DataArray]


def apply(
    model: Model,
    forcings: Inputs,
    parameters: Inputs,
    initial: Inputs | None,
    outputs: Sequence[str],
    *,
    engine: str | None = None,
    progress: bool = False,
    states: bool = False,
) -> tuple[list[xr.DataArray], list[xr.DataArray]]:
    """Run a model over labelled arrays, whatever their dimensions.

    Parameters
    ----------
    model : Model
    forcings : mapping of str to DataArray, (time, ...)
    parameters : mapping of str to DataArray, (...) or (time, ...)
        Dims that no forcing has are those of members.
    initial : mapping of str to DataArray, (...), optional
    outputs : sequence of str
    engine : str, optional
    progress : bool
        Show a bar.
    states : bool
        Whether to return the final states.

    Returns
    -------
    series : list of DataArray
        In the order of `outputs`; dims of members, then those of the forcings in their order.
    final : list of DataArray
        States after the last step, in declared order; none if not asked for.
    """
    wanted = tuple(s.name for s in model.states) if states else ()
    run = _Run(model, engine, tuple(outputs), wanted, progress)
    timed = [True] * len(outputs) + [False] * len(wanted)
    results = over_blocks(run, forcings, parameters, initial, timed)
    return results[: len(outputs)], results[len(outputs) :]


@dataclass(frozen=True)
class _Run:
    """Runs a model over one block."""

    model: Model
    engine: str | None
    outputs: tuple[str, ...]
    states: tuple[str, ...]
    progress: bool

    def __call__(self, flat: Flat) -> list[Array]:
        if flat.empty:
            series = [flat.series(flat.missing(flat.steps)) for _ in self.outputs]
            return series + [flat.still(flat.missing()) for _ in self.states]
        found, final = engines.run(
            self.engine,
            self.model,
            flat.forcings,
            flat.parameters,
            initial=flat.start or None,
            outputs=self.outputs,
            members=flat.members,
            average=False,
            progress=self.progress,
        )
        return [*(flat.series(found[k]) for k in self.outputs), *(flat.still(final[k]) for k in self.states)]


def over_blocks(
    function: Callable[[Flat], list[Array]],
    forcings: Inputs,
    parameters: Inputs,
    initial: Inputs | None,
    timed: Sequence[bool],
) -> list[xr.DataArray]:
    """Call a function for every block of sites; lazy where an array is, one task for a block.

    Parameters
    ----------
    function : callable
        Takes the arrays of a block, gives one array for every item of `timed`.
    forcings, parameters, initial
        As in `apply`; all of one floating type.
    timed : sequence of bool
        Which of the results have a time dim.

    Returns
    -------
    list of DataArray
        With coordinates of the dims of members only.
    """
    groups = (forcings, parameters, initial or {})
    arrays = [a for group in groups for a in group.values()]
    layout = Layout.of(forcings.values(), arrays, tuple(tuple(group) for group in groups))
    if any(a.chunks is not None for a in arrays):
        results = _lazily(function, arrays, layout, timed)
    else:
        results = function(flatten(layout, [a.data for a in arrays]))
    labels = {d: a.coords[d] for a in arrays for d in layout.extra if d in a.coords}
    dims = [layout.out if t else layout.out_still for t in timed]
    return [xr.DataArray(r, labels, d) for r, d in zip(results, dims, strict=True)]


def _lazily(
    function: Callable[[Flat], list[Array]], arrays: list[xr.DataArray], layout: Layout, timed: Sequence[bool]
) -> list[Array]:
    import dask.array
    from dask.array.utils import meta_from_array

    data = [a.data for a in arrays]
    like = next(v for a, v in zip(arrays, data, strict=True) if a.chunks is not None)
    pairs = [item for a, v in zip(arrays, data, strict=True) for item in (v, a.dims)]
    meta = meta_from_array(like, len(layout.out), dtype=like.dtype)
    # Each block holds all results; one after the other is then taken out.
    blocks = dask.array.blockwise(
        _Block(function, layout), layout.out, *pairs, dtype=like.dtype, meta=meta, token="simulate"
    )
    return [
        dask.array.blockwise(
            _Result(i, t),
            layout.out if t else layout.out_still,
            blocks,
            layout.out,
            dtype=like.dtype,
            meta=meta_from_array(like, len(layout.out) - (not t), dtype=like.dtype),
            token="result",
        )
        for i, t in enumerate(timed)
    ]


@dataclass(frozen=True)
class _Block:
    """The work of one task."""

    function: Callable[[Flat], list[Array]]
    layout: Layout

    def __call__(self, *values: Array) -> list[Array]:
        return self.function(flatten(self.layout, values))


@dataclass(frozen=True)
class _Result:
    """Takes one result out of a block."""

    number: int
    timed: bool

    def __call__(self, block: Any) -> Array:
        # Where time goes, dask gives a list over its chunks, of which there is one.
        return (block if self.timed else block[0])[self.number]
