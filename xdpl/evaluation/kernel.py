"""Metrics of plain arrays; the `scores` library computes all it has."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["compute", "formulas"]

_Array = np.ndarray[Any, np.dtype[Any]]
_PAIR = "pair"


def compute(
    simulated: _Array,
    observed: _Array,
    *,
    core: int,
    minimum: int,
    formulas: Callable[[_Array, _Array], dict[str, _Array]],
    names: Sequence[str],
) -> tuple[_Array, ...]:
    """Metrics over the last `core` axes, in the order of `names`, then the number of pairs.

    Parameters
    ----------
    simulated, observed : array
        Broadcastable; NaN marks a missing value.
    core : int
        Number of trailing axes to reduce.
    minimum : int
        Sites with fewer pairs get NaN.
    formulas : callable
        From two float64 arrays (site, pair), both NaN outside of pairs, to a value per site
        for every name; each site has at least `minimum` pairs.
    names : sequence of str

    Returns
    -------
    tuple of float64 arrays, the last int64
    """
    sim, obs = np.broadcast_arrays(simulated.astype(np.float64), observed.astype(np.float64))
    shape = sim.shape[: sim.ndim - core]
    flat = (math.prod(shape), math.prod(sim.shape[sim.ndim - core :]))
    sim, obs = sim.reshape(flat), obs.reshape(flat)
    pair = ~(np.isnan(sim) | np.isnan(obs))
    count = pair.sum(axis=1, dtype=np.int64)
    enough = count >= minimum
    values = {name: np.full(flat[0], np.nan) for name in names}
    if enough.any():
        # numpy warns of sites of NaN only, and what xarray does to hush it is not safe in threads.
        sim, obs, pair = sim[enough], obs[enough], pair[enough]
        # Infinite input is a diverged run: it shows as inf or NaN, not as a warning.
        with np.errstate(all="ignore"):
            found = formulas(_masked(sim, pair), _masked(obs, pair))
        for name in names:
            values[name][enough] = found[name]
    return (*(values[name].reshape(shape) for name in names), count.reshape(shape))


def _masked(values: _Array, keep: _Array) -> _Array:
    # In one layout, so that sums do not depend on how the input lay in memory.
    return np.ascontiguousarray(np.where(keep, values, np.nan))


def formulas(simulated: _Array, observed: _Array) -> dict[str, _Array]:
    """`METRICS` of every site; arguments as `compute` gives them."""
    from scores.continuous import additive_bias, kge, nse, rmse
    from scores.continuous.correlation import pearsonr

    sim, obs = (xr.DataArray(values, dims=("site", _PAIR)) for values in (simulated, observed))
    mean_sim, mean_obs = sim.mean(_PAIR), obs.mean(_PAIR)
    both = _varies(sim, mean_sim) & _varies(obs, mean_obs)
    related = sim.where(both)
    found = {
        "rmse": rmse(sim, obs, reduce_dims=_PAIR),
        # sqrt(rmse² - bias²) would lose digits where the bias is large.
        "ubrmse": rmse(sim - mean_sim, obs - mean_obs, reduce_dims=_PAIR),
        "bias": additive_bias(sim, obs, reduce_dims=_PAIR),
        "correlation": pearsonr(related, obs, reduce_dims=_PAIR),
        # `scores` warns, and gives -inf, where the observations are constant.
        "nse": nse(sim, obs.where(_varies(obs, mean_obs)), reduce_dims=[_PAIR]),
        "kge_2009": kge(related.where(mean_obs != 0), obs, reduce_dims=_PAIR, method="2009"),
        "kge_2012": kge(
            related.where((mean_obs != 0) & (mean_sim != 0)), obs, reduce_dims=_PAIR, method="2012"
        ),
    }
    return {name: np.asarray(value.values) for name, value in found.items()}


def _varies(x: xr.DataArray, mean: xr.DataArray) -> xr.DataArray:
    # The variance of a constant such as 0.1 is 1e-34, not 0; that of tiny values underflows to 0.
    return (x.max(_PAIR) > x.min(_PAIR)) & (((mean - x) * (mean - x)).mean(_PAIR) != 0)
