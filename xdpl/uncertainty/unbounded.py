"""Parameters on a scale without bounds, the one that networks give them on, and back."""

from __future__ import annotations

import numpy as np
import xarray as xr

from xdpl import units
from xdpl.models import Model, Parameter

__all__ = ["UNIFORM_VARIANCE", "from_unbounded", "to_unbounded"]

#: Of what is uniform within its bounds: there a logistic distribution.
UNIFORM_VARIANCE = np.pi**2 / 3.0

# Single precision tells no share nearer to a bound.
_EDGE = 1e-6
_FAR = 500.0


def to_unbounded(parameters: xr.Dataset, model: Model) -> xr.Dataset:
    """Logarithm of the odds of each parameter within its bounds, without units.

    Parameters
    ----------
    parameters : Dataset
        As `Fit.parameters` gives them.
    model : Model

    Returns
    -------
    Dataset
        log((θ - lower) / (upper - θ)) in double precision, of logarithms for a parameter with a
        logarithmic scale. Values nearer to a bound than a millionth of the range count as there.
    """
    found = {}
    for p in model.parameters:
        value = units.magnitude(parameters[p.name]).astype(np.float64)
        low, high = _edges(p)
        share = ((_log(value) if p.scale == "log" else value) - low) / (high - low)
        share = share.clip(_EDGE, 1.0 - _EDGE)
        found[p.name] = _log(share) - _log(1.0 - share)
    return xr.Dataset(found).drop_attrs(deep=False)


def from_unbounded(raw: xr.DataArray, p: Parameter) -> xr.DataArray:
    """Values of a parameter in declared units, the inverse of `to_unbounded`."""
    low, high = _edges(p)
    # Further out it is at the bound in any precision, and the exponential would overflow.
    value = low + (high - low) / (1.0 + _exp(-raw.clip(-_FAR, _FAR)))
    value = _exp(value) if p.scale == "log" else value
    # exp(log(5000)) may be above 5000.
    return value.clip(p.lower, p.upper)


def _edges(p: Parameter) -> tuple[float, float]:
    return (float(np.log(p.lower)), float(np.log(p.upper))) if p.scale == "log" else (p.lower, p.upper)


def _log(array: xr.DataArray) -> xr.DataArray:
    found: xr.DataArray = xr.apply_ufunc(np.log, array, dask="allowed")
    return found


def _exp(array: xr.DataArray) -> xr.DataArray:
    found: xr.DataArray = xr.apply_ufunc(np.exp, array, dask="allowed")
    return found
