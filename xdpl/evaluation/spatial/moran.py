"""Do neighbours resemble each other? Moran's I of a static field."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from xdpl import units as u
from xdpl.errors import Problems
from xdpl.evaluation.per_site import reduce_dims
from xdpl.evaluation.sites import check_integer
from xdpl.evaluation.spatial.positions import over_slices, positions

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["morans_i"]

_Array = np.ndarray[Any, np.dtype[Any]]

# Straight distances on the unit sphere that differ by less are equal, but for rounding: 6 mm.
_TIE = 1e-9


def morans_i(field: xr.DataArray, *, neighbours: int = 8) -> xr.DataArray:
    """Moran's I of a field: how much sites resemble those nearest to them.

    Parameters
    ----------
    field : DataArray
        With latitude and longitude among its coordinates, found by name (``lat``, ``latitude``) or
        standard name, in degrees. The dims that these have are those of the sites; for
        each index of all others (a member, a seed, time) there is one result.
    neighbours : int
        How many sites are near, at least 1; those that are as far as the last of them count too, so
        that the result does not depend on the order of the sites.

    Returns
    -------
    DataArray
        ``morans_i`` (1): about 1 for a smooth field, -1 / (n - 1) expected of values without
        any order at n sites, below it where neighbours differ. NaN where the field is constant or known at
        no more than `neighbours` sites. Lazy where `field` is.

    Raises
    ------
    InputErrors
        If latitude or longitude is missing or not in degrees, or `neighbours` is no integer from 1.

    Notes
    -----
    I = n / W Σᵢ Σⱼ wᵢⱼ zᵢ zⱼ / Σᵢ zᵢ², with z the values less their mean. The weights are those of the
    nearest sites along great circles, row-standardised: wᵢⱼ is one over the number of neighbours of i for
    these, 0 for all others, and W = n. Sites where the field or their position is NaN are left out before
    neighbours are sought.

    A smooth field is no evidence that its values are right.

    Source: Moran (1950), doi:10.2307/2332142.
    """
    problems = Problems("morans_i")
    degrees, dims = positions(field, problems)
    check_integer(problems, "neighbours", neighbours, 1)
    problems.raise_if_any()
    kernel = partial(_kernel, core=len(dims), neighbours=int(neighbours))
    (found,) = reduce_dims(kernel, [field, *degrees], dims, [np.float64])
    found.attrs = {
        "units": "1",
        "long_name": f"Moran's I with the {neighbours} nearest neighbours",
        "references": "Moran 1950, doi:10.2307/2332142",
    }
    return u.quantify_like(found.to_dataset(name="morans_i"), field)["morans_i"].drop_encoding()


def _kernel(values: _Array, north: _Array, east: _Array, *, core: int, neighbours: int) -> _Array:
    (found,) = over_slices(values, north, east, core, partial(_index, neighbours=neighbours), 1)
    return found


def _index(values: _Array, places: _Array, *, neighbours: int) -> tuple[float]:
    if values.size <= neighbours:
        return (np.nan,)
    z = values - values.mean()
    square = float((z**2).sum())
    # A constant has a mean that is off by rounding.
    if square <= values.size * (1e-12 * np.abs(values).max()) ** 2:
        return (np.nan,)
    sites, near = _pairs(places, neighbours)
    count = np.bincount(sites, minlength=values.size)
    sums = np.bincount(sites, weights=z[near], minlength=values.size)
    return (float((z * sums / count).sum() / square),)


def _pairs(places: _Array, neighbours: int) -> tuple[_Array, _Array]:
    """Sites and their neighbours, pair by pair."""
    from scipy.spatial import cKDTree

    tree = cKDTree(places)
    distances, _ = tree.query(places, k=neighbours + 1)
    near = tree.query_ball_point(places, distances[:, -1] + _TIE)
    sites = np.repeat(np.arange(len(places)), [len(some) for some in near])
    others = np.concatenate([np.asarray(some, np.int64) for some in near])
    apart = sites != others
    return sites[apart], others[apart]
