"""Which parameters observations can tell, from the sensitivity of the model."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from xdpl import models
from xdpl.labelled.grid import Grid

if TYPE_CHECKING:
    from xdpl.models import Model, Parameter

__all__ = ["standard_errors"]

# Half width of the central difference, as a share of the bounds.
_STEP = 1e-3


def standard_errors(
    ds: xr.Dataset,
    model: str | Model,
    parameters: xr.Dataset,
    *,
    target: str,
    noise: float,
    attributes: Sequence[str],
    time: slice | None = None,
) -> xr.Dataset:
    """Least error with which all sites together tell parameters that follow attributes.

    Parameters
    ----------
    ds : Dataset
        Forcings, attributes, and the observed target under the name of the model
        output; where it is not NaN decides what informs.
    model : str or Model
    parameters : Dataset
        Where to linearise; the truth of a synthetic world, or a fit.
    target : str
        Output of the model that is observed.
    noise : float
        Standard deviation of the observation error, in units of the target.
    attributes : sequence of str
        What the parameters depend on, as a polynomial of second degree.
    time : slice, optional
        Period of the observations.

    Returns
    -------
    Dataset
        One variable per parameter over the site dims: standard error in units of
        the parameter, of its logarithm for a log-scaled one.

    Notes
    -----
    The Cramér-Rao bound for the coefficients of the polynomials. With J the
    sensitivity of a site's series to its parameters, each as a share of its
    bounds, and φ the polynomial terms of its attributes, the information is the
    sum over sites of (φ φᵀ) ⊗ (Jᵀ J) / noise², plus what the bounds alone tell:
    a uniform distribution, of variance 1/12. The error at a site is that of its
    polynomial.
    """
    model = models.get(model, "standard_errors")
    information, grid = _information(ds, model, parameters, target, noise, time)
    terms = _terms(np.stack([grid.flatten(ds[name]) for name in attributes], axis=1))
    count, width = terms.shape[1], len(model.parameters)
    total = np.einsum("sk,sl,sij->kilj", terms, terms, information, optimize=True)
    total = total.reshape(count * width, count * width) + 12.0 * count * np.eye(count * width)
    covariance = np.linalg.inv(total).reshape(count, width, count, width)
    variance = np.einsum("sk,sl,kili->si", terms, terms, covariance, optimize=True)
    out = xr.Dataset()
    for p, column in zip(model.parameters, np.sqrt(variance).T, strict=True):
        low, high = _edges(p)
        log = p.scale == "log"
        out[p.name] = grid.unflatten(column * (high - low))
        out[p.name].attrs = {
            "units": "1" if log else p.units,
            "long_name": f"standard error of {'the logarithm of ' if log else ''}{p.name}",
        }
    return out


def _information(
    ds: xr.Dataset, model: Model, parameters: xr.Dataset, target: str, noise: float, time: slice | None
) -> tuple[np.ndarray, Grid]:
    """Fisher information (site, parameter, parameter) of each site's own series."""
    from xdpl.simulate import simulate

    theta = xr.Dataset({p.name: parameters.get(p.name, xr.DataArray(p.default)) for p in model.parameters})
    for p in model.parameters:
        theta[p.name].attrs = {"units": p.units}
    period = slice(None) if time is None else time
    slopes = []
    for p in model.parameters:
        up, down = (_shift(theta, p, sign * _STEP) for sign in (1, -1))
        runs = [
            simulate(ds, model, t, outputs=[target], dtype=np.float64)[target].sel(time=period)
            for t in (up, down)
        ]
        # A shift that met a bound is shorter: divide by what was really moved.
        slopes.append((runs[0] - runs[1]) / (_share(up[p.name], p) - _share(down[p.name], p)))
    grid = Grid.of(ds, [target])
    seen = grid.flatten(ds[target].sel(time=period).notnull(), bool)
    jacobian = np.stack([grid.flatten(s) for s in slopes], axis=-1) * seen[..., None] / noise
    return np.einsum("tsi,tsj->sij", jacobian, jacobian, optimize=True), grid


def _terms(attributes: np.ndarray) -> np.ndarray:
    """Constant, linear and quadratic terms (site, term), each of mean square one."""
    x = (attributes - attributes.mean(axis=0)) / attributes.std(axis=0)
    pairs = itertools.combinations_with_replacement(range(x.shape[1]), 2)
    columns = [np.ones(len(x)), *x.T, *(x[:, i] * x[:, j] for i, j in pairs)]
    terms = np.stack(columns, axis=1)
    return np.asarray(terms / np.sqrt((terms**2).mean(axis=0)))


def _shift(theta: xr.Dataset, p: Parameter, share: float) -> xr.Dataset:
    """Parameters with one moved by a share of its bounds, inside them."""
    low, high = _edges(p)
    moved = (_scaled(theta[p.name], p) + share * (high - low)).clip(low, high)
    if p.scale == "log":
        moved = xr.apply_ufunc(np.exp, moved)
    return theta.assign({p.name: moved.assign_attrs(units=p.units)})


def _share(value: xr.DataArray, p: Parameter) -> xr.DataArray:
    """Position between the bounds, 0 to 1."""
    low, high = _edges(p)
    return (_scaled(value, p) - low) / (high - low)


def _scaled(value: xr.DataArray, p: Parameter) -> xr.DataArray:
    if p.scale == "linear":
        return value
    logarithm: xr.DataArray = xr.apply_ufunc(np.log, value)
    return logarithm


def _edges(p: Parameter) -> tuple[float, float]:
    return (float(np.log(p.lower)), float(np.log(p.upper))) if p.scale == "log" else (p.lower, p.upper)
