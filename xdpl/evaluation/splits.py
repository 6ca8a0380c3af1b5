"""Splits of sites, for training and testing apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from xdpl.errors import Problems
from xdpl.evaluation.checks import check_static
from xdpl.evaluation.sites import check_k, label_sites, site_values, sites_of

if TYPE_CHECKING:
    from collections.abc import Hashable

    import xarray as xr

__all__ = ["contiguous_bands", "random_folds"]


def random_folds(template: xr.DataArray, k: int = 5, seed: int = 0) -> xr.DataArray:
    """Deal sites into folds at random.

    Parameters
    ----------
    template : DataArray
        Over site dims. Sites are where it is not NaN, or where it is True if boolean.
    k : int
        Number of folds, at least 2.
    seed : int
        Same seed, same folds, whatever the order of the dims.

    Returns
    -------
    DataArray of int
        ``fold`` over the dims of `template`: 0 to k - 1, sizes equal to within one site;
        -1 where there is no site.

    Raises
    ------
    InputErrors
        If `template` has a time dim, or `k` is below 2 or above the number of sites.

    Notes
    -----
    Neighbours fall into different folds, so this tests interpolation; `contiguous_bands` and
    `contiguous_regions` test extrapolation in space.
    """
    problems = Problems("random_folds")
    check_static(problems, "template", template)
    ordered, valid = sites_of(template)
    check_k(problems, k, valid)
    problems.raise_if_any()
    dealt = np.arange(valid.sum()) % k
    fold = np.random.default_rng(seed).permutation(dealt)
    return label_sites(template, ordered, valid, fold, f"random fold, seed {seed}")


def contiguous_bands(template: xr.DataArray, coord: Hashable, k: int = 5) -> xr.DataArray:
    """Cut sites into bands along a coordinate.

    Parameters
    ----------
    template : DataArray
        As for `random_folds`.
    coord : hashable
        Name of a coordinate of `template` along one or more site dims, such as a longitude (degrees_east).
        A longitude is not wrapped: the cut is where its values jump.
    k : int
        Number of bands, at least 2.

    Returns
    -------
    DataArray of int
        ``fold`` over the dims of `template`: 0 to k - 1 from small to large `coord`, sizes equal to
        within one site; -1 where there is no site. Sites of equal `coord` (a column of a grid) may
        be shared between two neighbouring bands.

    Raises
    ------
    InputErrors
        If `template` has a time dim, `coord` is missing, a scalar or NaN at a site, or `k` is below 2
        or above the number of sites.
    """
    problems = Problems("contiguous_bands")
    check_static(problems, "template", template)
    ordered, valid = sites_of(template)
    check_k(problems, k, valid)
    values = site_values(problems, ordered, valid, coord, "coord")
    problems.raise_if_any()
    band = np.empty(values.size, dtype=np.int64)
    # Stable, so that a shared column is cut once, not shuffled between the two bands.
    band[np.argsort(values, kind="stable")] = np.arange(values.size) * k // values.size
    return label_sites(template, ordered, valid, band, f"band along {coord}")
