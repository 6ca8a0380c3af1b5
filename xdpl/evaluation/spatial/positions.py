"""Where the sites of a field are: on the unit sphere, and how far apart on the globe."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from xdpl.labelled.globe import unit_vectors
from xdpl.labelled.place import Kind, find_place, in_degrees

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from xdpl.errors import Problems

__all__ = ["RADIUS", "great_circle", "over_slices", "positions"]

_Array = np.ndarray[Any, np.dtype[Any]]

RADIUS = 6371.0
"""Mean radius of the Earth, km."""

_KINDS: tuple[Kind, ...] = ("latitude", "longitude")


def positions(field: xr.DataArray, problems: Problems) -> tuple[list[xr.DataArray], list[Hashable]]:
    """Latitude and longitude of the sites of a field, and the site dims: those that they have.

    Parameters
    ----------
    field : DataArray
        With both as coordinates along one or more dims.
    problems : Problems
        Takes a note if one is missing, has no units of an angle, or has no dim.

    Returns
    -------
    degrees : list of two DataArray
        In degrees, each over all site dims; empty if a problem was noted.
    dims : list of hashable
    """
    ds = field.coords.to_dataset()
    degrees: list[xr.DataArray] = []
    for kind in _KINDS:
        name = find_place(ds, kind, problems)
        if name is None:
            continue
        if not ds[name].dims:
            problems.add(
                kind,
                expected="one for each of several sites",
                got=f"{name!r} without a dim",
                fix="give a field over sites",
            )
            continue
        variable = in_degrees(ds, name, kind, problems).astype(np.float64)
        degrees.append(xr.DataArray(variable.data, dims=variable.dims))
    if len(degrees) < len(_KINDS):
        return [], []
    together = {d for array in degrees for d in array.dims}
    dims = [d for d in field.dims if d in together]
    sizes = {d: field.sizes[d] for d in dims}
    return [
        array.expand_dims({d: n for d, n in sizes.items() if d not in array.dims}) for array in degrees
    ], dims


def over_slices(
    values: _Array,
    north: _Array,
    east: _Array,
    core: int,
    function: Callable[[_Array, _Array], tuple[float, ...]],
    count: int,
) -> tuple[_Array, ...]:
    """A function of the values (site,) and unit vectors (site, 3) of the known sites of every slice.

    Parameters
    ----------
    values : ndarray, (..., *sites)
    north, east : ndarray, (*sites)
        Degrees; a site where one is NaN is not known.
    core : int
        Number of site axes.
    function : callable
    count : int
        How many numbers it gives.

    Returns
    -------
    tuple of ndarray, (...)
        One for each number.
    """
    outer = values.shape[: values.ndim - core]
    flat = values.reshape(-1, north.size).astype(np.float64)
    places = unit_vectors(np, north.ravel(), east.ravel())
    found = []
    for one in flat:
        known = np.isfinite(one) & np.isfinite(places).all(axis=1)
        found.append(function(one[known], places[known]))
    columns = np.array(found, np.float64).reshape(-1, count).T
    return tuple(column.reshape(outer) for column in columns)


def great_circle(straight: _Array) -> _Array:
    """Distance along a great circle in km, of the straight distance on the unit sphere."""
    distance: _Array = 2.0 * RADIUS * np.arcsin(np.clip(0.5 * straight, 0.0, 1.0))
    return distance
