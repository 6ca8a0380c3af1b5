"""From labelled arrays to plain ones, site by site, and back."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from xdpl import units as u
from xdpl.evaluation.checks import check_pair
from xdpl.evaluation.declared import COUNT
from xdpl.evaluation.kernel import compute
from xdpl.labelled.host import on_host
from xdpl.labelled.lookup import in_units

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence

    from xdpl.errors import Problems
    from xdpl.evaluation.declared import Metric

__all__ = ["evaluate", "reduce_dims"]


def evaluate(
    problems: Problems,
    simulated: xr.DataArray,
    observed: xr.DataArray,
    dims: tuple[Hashable, ...] | None,
    minimum: int,
    *,
    metrics: tuple[Metric, ...],
    formulas: Callable[..., dict[str, Any]],
    references: str,
) -> xr.Dataset:
    """Metrics over `dims` and the number of pairs, as a described dataset.

    Parameters
    ----------
    problems : Problems
        Raised here if it has any.
    simulated, observed : DataArray
        As in `xdpl.evaluation.metrics`.
    dims : tuple of hashable, or None
        Those to reduce; None for all.
    minimum : int
        With fewer pairs metrics are NaN.
    metrics : tuple of Metric
    formulas : callable
        As in `compute`.
    references : str
        Attribute of the result.
    """
    check_pair(problems, simulated, observed, dims[0] if dims else None, minimum)
    units, theirs = u.read(observed), u.read(simulated)
    if units is not None and theirs is not None and units != theirs:
        simulated = in_units(simulated, units, problems, subject="simulated")
    problems.raise_if_any()
    like = observed
    if dims is None:
        dims = simulated.dims
        observed = _plain(observed).broadcast_like(_plain(simulated))
    names = [*(metric.name for metric in metrics), COUNT]
    kernel = partial(compute, core=len(dims), minimum=minimum, formulas=formulas, names=names[:-1])
    dtypes = [np.float64] * len(metrics) + [np.int64]
    arrays = reduce_dims(kernel, [simulated, observed], dims, dtypes)
    found = xr.Dataset(dict(zip(names, arrays, strict=True))).drop_encoding()
    return u.quantify_like(_describe(found, metrics, references, units, minimum), like)


def reduce_dims(
    function: Callable[..., Any],
    arrays: Sequence[xr.DataArray],
    dims: Sequence[Hashable],
    dtypes: Sequence[Any],
) -> list[xr.DataArray]:
    """Apply a function of plain arrays that reduces `dims`, lazily where an array is lazy.

    Parameters
    ----------
    function : callable
        Takes arrays whose trailing axes are `dims`, gives a tuple of arrays without those.
    arrays : sequence of DataArray
        Lazy, quantified or on a GPU; the first has the dims of all.
    dims : sequence of hashable
        Rechunked to one chunk where they have several.
    dtypes : sequence of dtype
        Of the results.

    Returns
    -------
    list of DataArray
        Dims of the first array without `dims`, in its order, with the coordinates of all of them.
    """
    sites = [d for d in arrays[0].dims if d not in dims]
    # apply_ufunc would compare lazy coordinates by computing them, and drop all their attributes.
    known = {name: coord for array in reversed(arrays) for name, coord in array.coords.items()}
    coords = {name: coord for name, coord in known.items() if set(coord.dims) <= set(sites)}
    results = xr.apply_ufunc(
        function,
        *map(_plain, arrays),
        input_core_dims=[list(dims)] * len(arrays),
        output_core_dims=[[]] * len(dtypes),
        join="exact",
        keep_attrs=False,
        dask="parallelized",
        output_dtypes=list(dtypes),
        dask_gufunc_kwargs={"allow_rechunk": True},
    )
    results = results if isinstance(results, tuple) else (results,)
    return [array.transpose(*sites).assign_coords(coords) for array in results]


def _plain(array: xr.DataArray) -> xr.DataArray:
    # Scores are computed on the host.
    return on_host(u.magnitude(array).reset_coords(drop=True))


def _describe(
    found: xr.Dataset, metrics: tuple[Metric, ...], references: str, units: str | None, minimum: int
) -> xr.Dataset:
    for metric in metrics:
        attrs = {"long_name": metric.long_name}
        if not metric.dimensional:
            attrs["units"] = metric.units
        elif units is not None:
            attrs["units"] = units
        found[metric.name].attrs = attrs
    found[COUNT].attrs = {"long_name": "number of pairs of simulated and observed", "units": "1"}
    found.attrs = {
        "comment": f"pairs with NaN are left out; NaN where there are fewer than {minimum} pairs",
        "references": references,
    }
    return found
