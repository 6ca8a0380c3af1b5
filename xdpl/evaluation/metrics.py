"""How well simulated values agree with observed ones, per site or pooled."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from xdpl import units as u
from xdpl.errors import Problems
from xdpl.evaluation.checks import check_pair
from xdpl.evaluation.declared import COUNT, METRICS, REFERENCES
from xdpl.evaluation.kernel import compute
from xdpl.labelled.host import on_host
from xdpl.labelled.lookup import in_units

if TYPE_CHECKING:
    from collections.abc import Hashable

__all__ = ["metrics", "pooled"]


def metrics(
    simulated: xr.DataArray, observed: xr.DataArray, *, dim: Hashable = "time", minimum: int = 10
) -> xr.Dataset:
    """Compute the metrics of every site.

    Pairs in which either value is NaN are left out. Arithmetic is in float64. dask-backed input
    stays lazy, one task per block of sites; `dim` is rechunked to one chunk if it has several.

    Parameters
    ----------
    simulated : DataArray
        Dims `dim` and any others, in any order; may have dims that `observed` lacks (a member).
        Values are converted to the units of `observed` where both say their units.
    observed : DataArray
        Same labels as `simulated`. Where it is quantified, so is the result.
    dim : hashable
        The dim to reduce; all others are site dims.
    minimum : int
        Sites with fewer pairs get NaN; at least 2.

    Returns
    -------
    Dataset
        Dims of `simulated` without `dim`. ``rmse``, ``ubrmse``, ``bias`` (simulated minus observed)
        in units of `observed`; ``correlation``, ``nse``, ``kge_2009``, ``kge_2012`` (1);
        ``count``, the number of pairs (1). Undefined values are NaN: correlation and KGE where
        either series is constant, NSE where the observed one is, KGE where the mean observed value
        is zero, ``kge_2012`` also where the mean simulated value is zero.

    Raises
    ------
    InputErrors
        If a dim is missing, labels differ, units do not convert or `minimum` is below 2.

    Notes
    -----
    RMSE, bias, Pearson correlation, NSE and KGE are those of the `scores` library; ``ubrmse`` is its
    RMSE applied to anomalies, each series minus its own mean.

    Source: Entekhabi et al. (2010), ubrmse; Nash and Sutcliffe (1970); Gupta et al. (2009),
    ``kge_2009``; Kling et al. (2012), ``kge_2012``.
    """
    return _evaluate("metrics", simulated, observed, dim, minimum)


def pooled(simulated: xr.DataArray, observed: xr.DataArray, *, minimum: int = 10) -> xr.Dataset:
    """Compute the metrics over all pairs of all dims at once.

    Parameters
    ----------
    simulated, observed : DataArray
        As in `metrics`; any dims.
    minimum : int
        With fewer pairs all metrics are NaN; at least 2.

    Returns
    -------
    Dataset
        The variables of `metrics`, without dims.

    Raises
    ------
    InputErrors
        As `metrics`.

    Notes
    -----
    Variance between sites enters correlation, NSE and KGE, so they are usually higher than those of
    a typical site. Source: as `metrics`.
    """
    return _evaluate("pooled", simulated, observed, None, minimum)


def _evaluate(
    call: str, simulated: xr.DataArray, observed: xr.DataArray, dim: Hashable | None, minimum: int
) -> xr.Dataset:
    problems = Problems(call)
    check_pair(problems, simulated, observed, dim, minimum)
    units, theirs = u.read(observed), u.read(simulated)
    if units is not None and theirs is not None and units != theirs:
        simulated = in_units(simulated, units, problems, subject="simulated")
    problems.raise_if_any()
    sites = [d for d in simulated.dims if dim not in (None, d)]
    # apply_ufunc would compare lazy coordinates by computing them, and drop all their attributes.
    known = {**observed.coords, **simulated.coords}
    coords = {name: coord for name, coord in known.items() if set(coord.dims) <= set(sites)}
    like, simulated, observed = observed, _plain(simulated), _plain(observed)
    if dim is None:
        observed = observed.broadcast_like(simulated)
    core = list(simulated.dims) if dim is None else [dim]
    arrays = xr.apply_ufunc(
        compute,
        simulated,
        observed,
        kwargs={"core": len(core), "minimum": minimum},
        input_core_dims=[core, core],
        output_core_dims=[[]] * (len(METRICS) + 1),
        join="exact",
        keep_attrs=False,
        dask="parallelized",
        output_dtypes=[np.float64] * len(METRICS) + [np.int64],
        dask_gufunc_kwargs={"allow_rechunk": True},
    )
    names = [*(metric.name for metric in METRICS), COUNT]
    found = {name: a.transpose(*sites) for name, a in zip(names, arrays, strict=True)}
    out = _describe(xr.Dataset(found).assign_coords(coords).drop_encoding(), units, minimum)
    return u.quantify_like(out, like)


def _plain(array: xr.DataArray) -> xr.DataArray:
    # Scores are computed on the host.
    return on_host(u.magnitude(array).reset_coords(drop=True))


def _describe(found: xr.Dataset, units: str | None, minimum: int) -> xr.Dataset:
    for metric in METRICS:
        attrs = {"long_name": metric.long_name}
        if not metric.dimensional:
            attrs["units"] = "1"
        elif units is not None:
            attrs["units"] = units
        found[metric.name].attrs = attrs
    found[COUNT].attrs = {"long_name": "number of pairs of simulated and observed", "units": "1"}
    found.attrs = {
        "comment": f"pairs with NaN are left out; NaN where there are fewer than {minimum} pairs",
        "references": REFERENCES,
    }
    return found
