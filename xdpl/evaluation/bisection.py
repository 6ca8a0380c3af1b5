"""Contiguous regions of nearly equal size, by recursive bisection of the sites."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np

from xdpl.errors import Problems
from xdpl.evaluation.checks import check_static
from xdpl.evaluation.sites import check_k, label_sites, site_values, sites_of

if TYPE_CHECKING:
    from collections.abc import Hashable

    import xarray as xr

__all__ = ["contiguous_regions"]

_Array = np.ndarray[Any, np.dtype[Any]]


def contiguous_regions(
    template: xr.DataArray, lat: Hashable = "lat", lon: Hashable = "lon", k: int = 7
) -> xr.DataArray:
    """Cut sites into compact regions of equal size.

    Parameters
    ----------
    template : DataArray
        As for `random_folds`.
    lat, lon : hashable
        Names of coordinates of `template` along one or more site dims: latitude (degrees_north) and
        longitude (degrees_east). A longitude is not wrapped: the cut is where its values jump.
    k : int
        Number of regions, at least 2.

    Returns
    -------
    DataArray of int
        ``fold`` over the dims of `template`: 0 to k - 1, sizes equal to within one site; -1 where
        there is no site. Whatever the order of the dims, the labels are the same.

    Raises
    ------
    InputErrors
        If `template` has a time dim, a coordinate is missing, a scalar or NaN at a site, latitudes
        are outside -90 to 90, or `k` is below 2 or above the number of sites.

    Notes
    -----
    Recursive coordinate bisection (Berger and Bokhari, 1987, doi:10.1109/TC.1987.1676942): sites are
    cut across their longer extent, a longitude counting by the cosine of the mean latitude, into two
    parts with as many sites as half of the regions need, and so on. So any `k` will do, and any two
    regions lie on two sides of a parallel or a meridian. Sites that lie exactly on it, such as a row of a
    grid, may be shared between the two.
    """
    problems = Problems("contiguous_regions")
    check_static(problems, "template", template)
    ordered, valid = sites_of(template)
    check_k(problems, k, valid)
    north = site_values(problems, ordered, valid, lat, "lat")
    east = site_values(problems, ordered, valid, lon, "lon")
    problems.raise_if_any()
    if np.abs(north).max() > 90:
        problems.add(
            "lat",
            expected="latitudes from -90 to 90 degrees_north",
            got=f"{north.min():g} to {north.max():g}",
            fix="name the latitude, or assign_coords(lat=...) in degrees",
        )
        problems.raise_all()
    region = np.empty(north.size, dtype=np.int64)
    _cut(np.arange(north.size), north, east, _sizes(north.size, k), 0, region)
    return label_sites(template, ordered, valid, region, "contiguous region")


def _sizes(sites: int, k: int) -> list[int]:
    edges = [sites * i // k for i in range(k + 1)]
    return [stop - start for start, stop in itertools.pairwise(edges)]


def _cut(sites: _Array, north: _Array, east: _Array, sizes: list[int], first: int, region: _Array) -> None:
    """Label `sites` with regions of these sizes, from `first` on, in place."""
    if len(sizes) == 1:
        region[sites] = first
        return
    tall = np.ptp(north[sites])
    wide = np.ptp(east[sites]) * np.cos(np.radians(north[sites].mean()))
    along, across = (north, east) if tall >= wide else (east, north)
    # Ties in order of the other coordinate, so that a shared row is cut once.
    order = sites[np.lexsort((across[sites], along[sites]))]
    half = len(sizes) // 2
    at = sum(sizes[:half])
    _cut(order[:at], north, east, sizes[:half], first, region)
    _cut(order[at:], north, east, sizes[half:], first + half, region)
