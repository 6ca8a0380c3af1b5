"""The worst group of dryness of a fit's scores, eager or lazy."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from xdpl.errors import InputErrors
from xdpl.evaluation import dryness_terciles, worst_group
from xdpl.evaluation.declared import METRICS
from xdpl.labelled.host import on_host

__all__ = ["by_dryness"]


def by_dryness(scores: xr.Dataset, dryness: xr.DataArray) -> xr.Dataset:
    """Terciles of dryness, and each metric in the tercile where it is worst.

    Parameters
    ----------
    scores : Dataset
        Metrics over the dims of `dryness`.
    dryness : DataArray
        Potential evapotranspiration over precipitation (1), per site.

    Returns
    -------
    Dataset
        ``dryness_tercile`` and, for each metric, ``worst_<metric>`` and
        ``worst_<metric>_group``; NaN and -1 where there are too few sites for three
        groups. Lazy where an input is, in one task: groups need all sites at once.
    """
    names = [m.name for m in METRICS]
    dims = [str(d) for d in dryness.dims]
    # apply_ufunc drops the attributes of coordinates.
    arrays = [a.drop_vars(a.coords) for a in (on_host(dryness), *(scores[k] for k in names))]

    def block(dryness: np.ndarray, *values: np.ndarray) -> tuple[np.ndarray, ...]:
        return _block(dims, names, dryness, values)

    results = xr.apply_ufunc(
        block,
        *(a.chunk(dict.fromkeys(dims, -1)) if a.chunks is not None else a for a in arrays),
        input_core_dims=[dims] * len(arrays),
        output_core_dims=[dims] + [[]] * (2 * len(names)),
        dask="parallelized",
        output_dtypes=[np.int64] + [np.float64, np.int64] * len(names),
        keep_attrs=False,
    )
    example = _example(scores[names])
    out = xr.Dataset(dict(zip(example, results, strict=True)))
    if scores[names[0]].chunks is not None:
        # Groups need all sites at once; their labels go with the blocks of the scores again.
        tercile = next(iter(example))
        out[tercile] = out[tercile].chunk({d: c for d, c in scores[names[0]].chunksizes.items() if d in dims})
    for name, array in example.items():
        out[name].attrs = array.attrs
    return out


def _block(
    dims: list[str], names: list[str], dryness: np.ndarray, values: tuple[np.ndarray, ...]
) -> tuple[np.ndarray, ...]:
    try:
        terciles = dryness_terciles(xr.DataArray(dryness, dims=dims))
    except InputErrors:  # no three groups of sites
        nothing: tuple[Any, ...] = (np.asarray(np.nan), np.asarray(-1)) * len(names)
        return (np.full(dryness.shape, -1), *nothing)
    worst = worst_group(xr.Dataset({k: (dims, v) for k, v in zip(names, values, strict=True)}), terciles)
    return (terciles.values, *(v.values for k in names for v in (worst[k], worst[f"{k}_group"])))


def _example(scores: xr.Dataset) -> dict[str, xr.DataArray]:
    """The results for three made-up sites: names, order and attributes."""
    sites = xr.Dataset({k: ("site", np.zeros(3), v.attrs) for k, v in scores.items()})
    terciles = dryness_terciles(xr.DataArray(np.arange(3.0), dims="site"))
    worst = worst_group(sites, terciles)
    pairs = {f"worst_{k}": worst[k] for name in scores for k in (str(name), f"{name}_group")}
    return {str(terciles.name): terciles, **pairs}
