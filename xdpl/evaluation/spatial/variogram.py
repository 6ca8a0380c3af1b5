"""How much of a field changes from one site to the next: the nugget of its variogram."""

from __future__ import annotations

import numbers
from functools import partial
from typing import Any

import numpy as np
import xarray as xr

from xdpl import units as u
from xdpl.errors import Problems
from xdpl.evaluation.per_site import reduce_dims
from xdpl.evaluation.sites import check_integer
from xdpl.evaluation.spatial.positions import great_circle, over_slices, positions

__all__ = ["nugget"]

_Array = np.ndarray[Any, np.dtype[Any]]

# Fewer classes tell no curve of three coefficients.
_FEWEST = 3
# Lengths that are tried, evenly on a logarithmic scale: neighbours differ by 1 to 3 %.
_LENGTHS = 200
# Sites whose distances to all others are held at once.
_TILE = 512


def nugget(field: xr.DataArray, *, classes: int = 15, furthest: float | None = None) -> xr.Dataset:
    """Nugget of the variogram of a field, as a fraction of its sill.

    Parameters
    ----------
    field : DataArray
        As for `xdpl.evaluation.morans_i`.
    classes : int
        Number of classes of distance, of equal width; at least 3.
    furthest : float, optional
        Largest distance of a pair, km; half the largest distance of known sites, if not given.

    Returns
    -------
    Dataset
        ``nugget_fraction`` (1), from 0, a field that is continuous at the distances of its sites, to 1, one
        without any order; ``correlation_length`` (km) of the model that was fitted, within the distances
        that tell it. Dims of `field` but those of the sites. NaN where the field is constant,
        or fewer than three classes have pairs. Lazy where `field` is.

    Raises
    ------
    InputErrors
        If latitude or longitude is missing or not in degrees, or an option is out of range.

    Notes
    -----
    The experimental semivariogram, γ(h) = ½ mean of (zᵢ - zⱼ)² over all pairs whose great-circle distance
    is in a class, at the mean distance h of its pairs, is fitted with the exponential model

        γ(h) = c₀ + c₁ (1 - exp(-h / L)),    c₀ ≥ 0, c₁ ≥ 0,

    by least squares, weighted by the number of pairs. L is the best of 200 lengths from the mean distance
    of the first class, below which a structure is no different from a nugget, to the largest distance. The
    nugget fraction is c₀ / (c₀ + c₁). Sites where the field or their position is NaN are left out.

    A smooth field is no evidence that its values are right.

    Source: Matheron (1963), doi:10.2113/gsecongeo.58.8.1246.
    """
    problems = Problems("nugget")
    degrees, dims = positions(field, problems)
    check_integer(problems, "classes", classes, _FEWEST)
    given: Any = furthest
    wrong = isinstance(given, bool) or not isinstance(given, numbers.Real) or not float(given) > 0.0
    if given is not None and wrong:
        problems.add("furthest", expected="a distance above 0 km", got=repr(furthest), fix="furthest=1000.0")
    problems.raise_if_any()
    kernel = partial(_kernel, core=len(dims), classes=int(classes), furthest=furthest)
    fraction, length = reduce_dims(kernel, [field, *degrees], dims, [np.float64, np.float64])
    fraction.attrs = {"units": "1", "long_name": "nugget of the variogram as a fraction of its sill"}
    length.attrs = {"units": "km", "long_name": "correlation length of the exponential variogram"}
    out = xr.Dataset({"nugget_fraction": fraction, "correlation_length": length}).drop_encoding()
    out.attrs = {
        "comment": f"exponential model, least squares weighted by pairs in {classes} classes of distance",
        "references": "Matheron 1963, doi:10.2113/gsecongeo.58.8.1246",
    }
    return u.quantify_like(out, field)


def _kernel(
    values: _Array, north: _Array, east: _Array, *, core: int, classes: int, furthest: float | None
) -> tuple[_Array, _Array]:
    function = partial(_fitted, classes=classes, furthest=furthest)
    fraction, length = over_slices(values, north, east, core, function, 2)
    return fraction, length


def _fitted(values: _Array, places: _Array, *, classes: int, furthest: float | None) -> tuple[float, float]:
    """Nugget fraction and length of the values of one slice."""
    if values.size < 2 or np.ptp(values) == 0.0:
        return np.nan, np.nan
    limit = 0.5 * _largest(places) if furthest is None else float(furthest)
    if limit == 0.0:
        # All at one place.
        return np.nan, np.nan
    # Of unit variance: tolerances of the fit are absolute in older versions of scipy.
    values = (values - values.mean()) / values.std()
    distance, gamma, pairs = _semivariogram(values, places, classes, limit)
    if distance.size < _FEWEST:
        return np.nan, np.nan
    return _fit(distance, gamma, pairs, limit)


def _tiles(places: _Array) -> Any:
    """Great-circle distances, km, of some sites to all that come after the first of them."""
    for start in range(0, len(places), _TILE):
        tile = places[start : start + _TILE]
        apart = np.sqrt(((tile[:, None, :] - places[None, start:, :]) ** 2).sum(axis=-1))
        yield start, great_circle(apart)


def _largest(places: _Array) -> float:
    return max(float(distance.max()) for _, distance in _tiles(places))


def _semivariogram(
    values: _Array, places: _Array, classes: int, limit: float
) -> tuple[_Array, _Array, _Array]:
    """Mean distance, semivariance and number of pairs of the classes that have pairs."""
    sums = np.zeros((3, classes))
    for start, distance in _tiles(places):
        rows, columns = np.triu_indices(distance.shape[0], 1, distance.shape[1])
        h = distance[rows, columns]
        # A pair at the largest distance itself is in the last class.
        within = h <= limit
        place = np.minimum((h[within] / limit * classes).astype(np.int64), classes - 1)
        squares = (values[start + rows[within]] - values[start + columns[within]]) ** 2
        for i, weights in enumerate((h[within], 0.5 * squares, None)):
            sums[i] += np.bincount(place, weights, minlength=classes)
    some = sums[2] > 0
    pairs = sums[2, some]
    return sums[0, some] / pairs, sums[1, some] / pairs, pairs


def _fit(distance: _Array, gamma: _Array, pairs: _Array, limit: float) -> tuple[float, float]:
    """The model is linear but for its length: every length has its best coefficients."""
    from scipy.optimize import nnls

    root = np.sqrt(pairs / pairs.sum())
    shortest = min(float(distance[0]), limit)
    best = (np.inf, np.nan, np.nan)
    for length in np.geomspace(max(shortest, 1e-6 * limit), limit, _LENGTHS):
        columns = np.stack([np.ones_like(distance), -np.expm1(-distance / length)], axis=1)
        (c0, c1), misfit = nnls(root[:, None] * columns, root * gamma)
        if misfit < best[0] and c0 + c1 > 0.0:
            best = (misfit, c0 / (c0 + c1), length)
    return best[1], best[2]
