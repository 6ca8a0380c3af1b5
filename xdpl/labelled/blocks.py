"""Labelled arrays to engine arrays and back, one block of sites at a time.

Not `xarray.apply_ufunc`: it moves time last, which for data with time first copies every
block twice in dask, and takes several times as long as the run itself.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import xarray as xr

from xdpl import engines
from xdpl.labelled.flat import LAG, Flat, Kind, Layout, flatten

if TYPE_CHECKING:
    from xdpl.blackbox.failures import Failures
    from xdpl.models import Model

__all__ = ["Inputs", "apply", "lags_of", "over_blocks"]

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
    average: Collection[str] = (),
    time: Any = None,
    failures: Failures | None = None,
) -> tuple[list[xr.DataArray], list[xr.DataArray]]:
    """Run a model over labelled arrays, whatever their dimensions.

    Parameters
    ----------
    model : Model
    forcings : mapping of str to DataArray, (time, ...)
    parameters : mapping of str to DataArray, (...) or (time, ...)
        Dims that no forcing has are those of members.
    initial : mapping of str to DataArray, (...), optional
        Those of routes have a dim `lag` too.
    outputs : sequence of str
    engine : str, optional
    progress : bool
        Show a bar.
    states : bool
        Whether to return the final states.
    average : collection of str
        Dims of members over which series are averaged.
    time : Index, optional
    failures : Failures, optional
        As in `xdpl.engines.run`; of lazy arrays nothing is noted there.

    Returns
    -------
    series : list of DataArray
        In the order of `outputs`; dims of members, then those of the forcings in their order.
    final : list of DataArray
        States after the last step, in declared order, then those of routes; none if not
        asked for.
    """
    kinds: dict[str, Kind] = {}
    if states:
        kinds |= {s.name: "state" for s in model.states}
        for route in model.routes:
            own = any(set(average) & set(parameters[p.name].dims) for p in route.parameters)
            kinds[route.state.name] = "mean route" if average and not own else "route"
    lazy = any(a.chunks is not None for group in (forcings, parameters) for a in group.values())
    run = _Run(model, engine, tuple(outputs), kinds, progress, time, None if lazy else failures)
    shared = {p.name for route in model.routes for p in route.parameters}
    if average:
        shared |= {s.name for s in model.route_states}
    wanted: list[Kind] = [*["series" for _ in outputs], *kinds.values()]  # type: ignore[list-item]
    results = over_blocks(
        run, forcings, parameters, initial, wanted, lags=lags_of(model), average=average, shared=shared
    )
    return results[: len(outputs)], results[len(outputs) :]


def lags_of(model: Model) -> int:
    """Steps that the routes of a model keep; 0 without routes."""
    return max((state.lags for state in model.route_states), default=0)


@dataclass(frozen=True)
class _Run:
    """Runs a model over one block."""

    model: Model
    engine: str | None
    outputs: tuple[str, ...]
    states: Mapping[str, Kind]
    progress: bool
    time: Any
    failures: Failures | None

    def __call__(self, flat: Flat) -> list[Array]:
        if flat.empty:
            series = [flat.missing("series", flat.steps) for _ in self.outputs]
            return series + [flat.missing(k, *self._lead(k)) for k in self.states.values()]
        found, final = engines.run(
            self.engine,
            self.model,
            flat.forcings,
            flat.parameters,
            initial=flat.start or None,
            outputs=self.outputs,
            members=flat.members,
            average=flat.layout.averaged,
            progress=self.progress,
            states=bool(self.states),
            time=self.time,
            failures=self.failures,
        )
        series = [flat.labelled(found[k], "series") for k in self.outputs]
        return series + [flat.labelled(final[k], kind) for k, kind in self.states.items()]

    def _lead(self, kind: Kind) -> tuple[int, ...]:
        return () if kind == "state" else (lags_of(self.model),)


def over_blocks(
    function: Callable[[Flat], list[Array]],
    forcings: Inputs,
    parameters: Inputs,
    initial: Inputs | None,
    kinds: Sequence[Kind],
    *,
    lags: int = 0,
    average: Collection[str] = (),
    shared: Collection[str] = (),
) -> list[xr.DataArray]:
    """Call a function for every block of sites; lazy where an array is, one task for a block.

    Parameters
    ----------
    function : callable
        Takes the arrays of a block, gives one array for every item of `kinds`.
    forcings, parameters, initial
        As in `apply`; all of one floating type.
    kinds : sequence of Kind
        What the results are, and so their dims.
    lags : int
        Steps that routes keep.
    average : collection of str
        Dims of members that are averaged in series.
    shared : collection of str
        Parameters and states that need no member axis.

    Returns
    -------
    list of DataArray
        With coordinates of the dims of members only.
    """
    groups = (forcings, parameters, initial or {})
    arrays = [_whole(a) if lags else a for group in groups for a in group.values()]
    names = tuple(tuple(group) for group in groups)
    layout = Layout.of(
        forcings.values(), arrays, names, average=average, shared=frozenset(shared), routed=lags > 0
    )
    if any(a.chunks is not None for a in arrays):
        results = _lazily(function, arrays, layout, kinds, lags)
    else:
        results = function(flatten(layout, [a.data for a in arrays]))
    known = {str(d) for a in forcings.values() for d in a.dims}.union(layout.lead)
    labels = {d: a.coords[d] for a in arrays for d in a.dims if d not in known and d in a.coords}
    dims = [layout.result(kind) for kind in kinds]
    return [
        xr.DataArray(r, {d: labels[d] for d in ds if d in labels}, ds)
        for r, ds in zip(results, dims, strict=True)
    ]


def _whole(array: xr.DataArray) -> xr.DataArray:
    """With the steps of a route in one chunk."""
    return array.chunk({LAG: -1}) if LAG in array.dims and array.chunks is not None else array


def _lazily(
    function: Callable[[Flat], list[Array]],
    arrays: list[xr.DataArray],
    layout: Layout,
    kinds: Sequence[Kind],
    lags: int,
) -> list[Array]:
    import dask.array
    from dask.array.utils import meta_from_array

    data = [a.data for a in arrays]
    like = next(v for a, v in zip(arrays, data, strict=True) if a.chunks is not None)
    pairs = [item for a, v in zip(arrays, data, strict=True) for item in (v, a.dims)]
    meta = meta_from_array(like, len(layout.order), dtype=like.dtype)
    # Each block holds all results; one after the other is then taken out.
    blocks = dask.array.blockwise(
        _Block(function, layout), layout.order, *pairs, dtype=like.dtype, meta=meta, token="simulate"
    )
    results = []
    for i, kind in enumerate(kinds):
        dims = layout.result(kind)
        results.append(
            dask.array.blockwise(
                _Result(i, len(set(layout.order) - set(dims))),
                dims,
                blocks,
                layout.order,
                new_axes={LAG: lags} if LAG in dims else None,
                dtype=like.dtype,
                meta=meta_from_array(like, len(dims), dtype=like.dtype),
                token="result",
            )
        )
    return results


@dataclass(frozen=True)
class _Block:
    """The work of one task."""

    function: Callable[[Flat], list[Array]]
    layout: Layout

    def __call__(self, *values: Array) -> list[Array]:
        # Of a dim that the block lacks, dask gives a list over its chunks, of which there is one.
        pairs = zip(values, self.layout.dims, strict=True)
        lagged = LAG in self.layout.lead
        return self.function(
            flatten(self.layout, [v[0] if lagged and LAG in dims else v for v, dims in pairs])
        )


@dataclass(frozen=True)
class _Result:
    """Takes one result out of a block, from within a list for every dim that it lacks."""

    number: int
    gone: int

    def __call__(self, block: Any) -> Array:
        for _ in range(self.gone):
            block = block[0]
        return block[self.number]
