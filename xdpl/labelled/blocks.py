"""Labelled arrays to engine arrays and back, one block of sites at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import xarray as xr

from xdpl import engines
from xdpl.labelled.flat import Flat, flatten
from xdpl.labelled.order import transposed

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
        In the order of `outputs`; time is the last dimension.
    final : list of DataArray
        States after the last step, in declared order; none if not asked for.
    """
    wanted = [s.name for s in model.states] if states else []

    def run(flat: Flat) -> list[Array]:
        if flat.empty:
            return [flat.series(flat.missing(flat.steps))] * len(outputs) + [
                flat.still(flat.missing())
            ] * len(wanted)
        series, final = engines.run(
            engine,
            model,
            flat.forcings,
            flat.parameters,
            initial=flat.start or None,
            outputs=outputs,
            members=flat.members,
            average=False,
            progress=progress,
        )
        return [*(flat.series(series[k]) for k in outputs), *(flat.still(final[k]) for k in wanted)]

    dims = [("time",)] * len(outputs) + [()] * len(wanted)
    results = over_blocks(run, forcings, parameters, initial, dims)
    return results[: len(outputs)], results[len(outputs) :]


def over_blocks(
    function: Callable[[Flat], list[Array]],
    forcings: Inputs,
    parameters: Inputs,
    initial: Inputs | None,
    dims: Sequence[tuple[str, ...]],
    *,
    dtypes: Sequence[Any] | None = None,
) -> list[xr.DataArray]:
    """Call a function for every block of sites; lazy where an array is.

    Parameters
    ----------
    function : callable
        Takes the arrays of a block, gives one array for every item of `dims`.
    forcings, parameters, initial
        As in `apply`.
    dims : sequence of tuple of str
        Dims of the results besides those of sites and members.
    dtypes : sequence of dtype, optional
        Of the results; that of the forcings if not given.
    """
    start = dict(initial or {})
    arrays = [*forcings.values(), *parameters.values(), *start.values()]
    timed = ["time" in a.dims for a in arrays]
    names = (list(forcings), list(parameters), list(start))
    # In the order of their appearance: dims of sites, then those of members, as apply_ufunc has them.
    sites = dict.fromkeys(d for f in forcings.values() for d in f.dims if d != "time")
    order = dict.fromkeys([*sites, *(d for a in arrays for d in a.dims if d != "time")])
    extra = len(order) - len(sites)
    arrays = [transposed(a, [d for d in (*order, "time") if d in a.dims]) for a in arrays]

    def block(*values: Array) -> Array | tuple[Array, ...]:
        results = function(flatten(names, values, timed, extra))
        return tuple(results) if len(results) > 1 else results[0]

    result = xr.apply_ufunc(
        block,
        *arrays,
        input_core_dims=[["time"] if t else [] for t in timed],
        output_core_dims=[list(d) for d in dims],
        dask="parallelized",
        output_dtypes=list(dtypes or [next(iter(forcings.values())).dtype] * len(dims)),
        keep_attrs=False,
    )
    return list(result) if isinstance(result, tuple) else [result]
