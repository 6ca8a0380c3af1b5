"""Parameters on a scale without bounds, the one that networks give them on, and back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from xdpl import units
from xdpl.labelled.host import on_host
from xdpl.models import Model, Parameter
from xdpl.models.ordering import Ordering
from xdpl.networks.bounded import ParameterNetwork

if TYPE_CHECKING:
    from xdpl.fit import Fit

__all__ = ["UNIFORM_VARIANCE", "from_unbounded", "in_order", "ordering_of", "to_unbounded"]

#: Of what is uniform within its bounds: there a logistic distribution.
UNIFORM_VARIANCE = np.pi**2 / 3.0

# Single precision tells no share nearer to a bound.
_EDGE = 1e-6
_FAR = 500.0


def to_unbounded(parameters: xr.Dataset, model: Model, ordering: Ordering | None = None) -> xr.Dataset:
    """Logarithm of the odds of each parameter within its bounds, without units.

    Parameters
    ----------
    parameters : Dataset
        As `Fit.parameters` gives them.
    model : Model
    ordering : Ordering, optional
        What keeps an order: of it the place in the room that smaller ones leave.

    Returns
    -------
    Dataset
        log((θ - lower) / (upper - θ)) in double precision, of logarithms for a parameter with a
        logarithmic scale. Values nearer to a bound than a millionth of the range count as there.
    """
    found = {}
    values = {
        p.name: on_host(units.magnitude(parameters[p.name])).astype(np.float64) for p in model.parameters
    }
    if ordering:
        values |= _ordered(values, ordering, ordering.invert)
    for p in model.parameters:
        value = values[p.name]
        low, high = _edges(p)
        share = ((_log(value) if p.scale == "log" else value) - low) / (high - low)
        share = share.clip(_EDGE, 1.0 - _EDGE)
        found[p.name] = _log(share) - _log(1.0 - share)
    return xr.Dataset(found).drop_attrs(deep=False)


def ordering_of(fit: Fit) -> Ordering:
    """What keeps an order in a fit."""
    network = fit.network
    return network.columns.ordering if isinstance(network, ParameterNetwork) else Ordering()


def in_order(values: Mapping[str, xr.DataArray], ordering: Ordering) -> dict[str, xr.DataArray]:
    """Parameters within bounds as they are in their order; others are untouched."""
    return dict(values) | (_ordered(values, ordering, ordering.apply) if ordering else {})


def _ordered(
    values: Mapping[str, xr.DataArray],
    ordering: Ordering,
    change: Callable[[Mapping[str, Any]], dict[str, Any]],
) -> dict[str, xr.DataArray]:
    names = [p.name for p in ordering.sequence]
    arrays = dict(zip(names, xr.broadcast(*(values[name] for name in names)), strict=True))
    changed = change({name: array.data for name, array in arrays.items()})
    # A DataArray of the same labels and dims as it had.
    return {name: arrays[name].copy(data=changed[name]).transpose(*values[name].dims, ...) for name in names}


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
