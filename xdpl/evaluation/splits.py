"""Splits of sites, for training and testing apart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from xdpl.errors import Problems
from xdpl.evaluation.checks import check_static, names

if TYPE_CHECKING:
    from collections.abc import Hashable

__all__ = ["contiguous_bands", "random_folds"]

_Array = np.ndarray[Any, np.dtype[Any]]


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
    Neighbours fall into different folds, so this tests interpolation; `contiguous_bands` tests
    extrapolation in space.
    """
    problems = Problems("random_folds")
    check_static(problems, "template", template)
    ordered, valid = _sites(template)
    _check_k(problems, k, valid)
    problems.raise_if_any()
    dealt = np.arange(valid.sum()) % k
    fold = np.random.default_rng(seed).permutation(dealt)
    return _label(template, ordered, valid, fold, f"random fold, seed {seed}")


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
    ordered, valid = _sites(template)
    _check_k(problems, k, valid)
    values = _values(problems, ordered, valid, coord)
    problems.raise_if_any()
    band = np.empty(values.size, dtype=np.int64)
    # Stable, so that a shared column is cut once, not shuffled between the two bands.
    band[np.argsort(values, kind="stable")] = np.arange(values.size) * k // values.size
    return _label(template, ordered, valid, band, f"band along {coord}")


def _sites(template: xr.DataArray) -> tuple[xr.DataArray, _Array]:
    # Dims by name, so that a transposed template gives the same labels.
    ordered = template.transpose(*sorted(template.dims, key=str))
    valid = ordered if ordered.dtype == bool else ordered.notnull()
    return ordered, np.asarray(valid.values)


def _check_k(problems: Problems, k: int, valid: _Array) -> None:
    sites = int(valid.sum())
    if not 2 <= k <= sites:
        problems.add(
            "k", expected=f"2 to {sites}, the number of sites", got=str(k), fix="fewer folds or more sites"
        )


def _label(
    template: xr.DataArray, ordered: xr.DataArray, valid: _Array, fold: _Array, long_name: str
) -> xr.DataArray:
    labels = np.full(ordered.shape, -1, dtype=np.int64)
    labels[valid] = fold
    attrs = {"long_name": f"{long_name}; -1 where there is no site"}
    found = xr.DataArray(labels, ordered.coords, ordered.dims, "fold", attrs)
    return found.transpose(*template.dims).drop_encoding()


def _values(problems: Problems, ordered: xr.DataArray, valid: _Array, coord: Hashable) -> _Array:
    if coord not in ordered.coords or not ordered.coords[coord].ndim:
        along = names(c for c, a in ordered.coords.items() if a.ndim)
        problems.add(
            "coord",
            expected="a coordinate along site dims",
            got=f"{coord!r}, {'a scalar' if coord in ordered.coords else 'not a coordinate'}",
            fix=f"one of: {along}; or template.assign_coords(...)",
        )
        return np.empty(0)
    along_sites = ordered.coords[coord].broadcast_like(ordered).transpose(*ordered.dims)
    unknown = int(along_sites.isnull().values[valid].sum())
    if unknown:
        problems.add(
            "coord",
            expected=f"{coord!r} known at every site",
            got=f"missing at {unknown} sites",
            fix=f'template.where(template["{coord}"].notnull())',
        )
    return np.asarray(along_sites.values[valid])
