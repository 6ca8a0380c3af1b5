"""Which parameters lie at their bounds."""

from __future__ import annotations

import json
import numbers
from collections.abc import Hashable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from xdpl import models
from xdpl import units as u
from xdpl.errors import Problems
from xdpl.evaluation.checks import names
from xdpl.evaluation.per_site import reduce_dims
from xdpl.labelled.parameters import resolve

if TYPE_CHECKING:
    from xdpl.models import Model, Parameter

__all__ = ["at_bounds", "share"]

_Array = np.ndarray[Any, np.dtype[Any]]


def at_bounds(
    parameters: xr.Dataset,
    model: str | Model | None = None,
    *,
    margin: float = 0.01,
    dim: Hashable | Sequence[Hashable] | None = None,
) -> xr.Dataset:
    """Fraction of sites at which a parameter lies at one of its bounds.

    Parameters
    ----------
    parameters : Dataset
        Such as `xdpl.calibrate` or `Fit.parameters` give, with units. NaN is left out.
    model : str or Model, optional
        Whose bounds count, and on which scale; the one that the attributes ``model`` and ``model_options``
        of `parameters` name, if not given.
    margin : float
        How near to a bound is at it, as a share of the distance of both; of their logarithms, for a
        parameter with a logarithmic scale. Above 0, below 0.5.
    dim : hashable or sequence of hashable, optional
        Dims of the sites; all dims if not given. Others stay.

    Returns
    -------
    Dataset
        For every parameter of `parameters` the fraction (1) of its known values; NaN where there is none.
        Lazy where `parameters` are.

    Raises
    ------
    InputErrors
        If the model is not known, a name, a unit or a value does not fit its declarations, a dim is
        missing, or `margin` is out of range.
    """
    problems = Problems("at_bounds")
    owner = _model(parameters, model, problems)
    given: Any = margin
    if isinstance(given, bool) or not isinstance(given, numbers.Real) or not 0.0 < float(given) < 0.5:
        problems.add("margin", expected="above 0 and below 0.5", got=repr(margin), fix="margin=0.01")
    problems.raise_if_any()
    theta, defaulted = resolve(owner, parameters, problems)
    own = [p for p in owner.parameters if p.name not in defaulted]
    dims = _dims(dim)
    _check(own, theta, dims, problems)
    problems.raise_if_any()
    out = xr.Dataset()
    for p in own:
        array = theta[p.name]
        sites = list(array.dims) if dims is None else [d for d in array.dims if d in dims]
        kernel = partial(_fraction, p=p, margin=float(margin), core=len(sites))
        (out[p.name],) = reduce_dims(kernel, [array], sites, [np.float64])
        out[p.name].attrs = {
            "units": "1",
            "long_name": f"fraction of sites with {p.name} within {100 * margin:g} % of a bound",
        }
    return u.quantify_like(out.drop_encoding(), *parameters.data_vars.values())


def share(values: _Array, p: Parameter) -> _Array:
    """Where values lie between their bounds, 0 to 1, on the scale of the parameter."""
    if p.scale == "log":
        return np.asarray(np.log(values / p.lower) / np.log(p.upper / p.lower))
    return np.asarray((values - p.lower) / (p.upper - p.lower))


def _fraction(values: _Array, *, p: Parameter, margin: float, core: int) -> _Array:
    axes = tuple(range(values.ndim - core, values.ndim))
    position = share(values.astype(np.float64), p)
    known = ~np.isnan(position)
    near = known & ((position <= margin) | (position >= 1.0 - margin))
    count = known.sum(axis=axes)
    fraction: _Array = np.where(count > 0, near.sum(axis=axes) / np.maximum(count, 1), np.nan)
    return fraction


def _model(parameters: xr.Dataset, model: str | Model | None, problems: Problems) -> Model:
    if model is not None:
        return models.get(model, problems.call)
    name = parameters.attrs.get("model")
    found = (
        None
        if name is None
        else models.restore(name, json.loads(parameters.attrs.get("model_options", "{}")))
    )
    if found is None:
        problems.add(
            "model",
            expected="a model, or a known one in the attributes of the parameters",
            got=repr(name),
            fix="at_bounds(parameters, model)",
        )
        problems.raise_all()
    return found


def _dims(dim: Hashable | Sequence[Hashable] | None) -> list[Hashable] | None:
    if dim is None:
        return None
    return list(dim) if isinstance(dim, Sequence) and not isinstance(dim, str) else [dim]


def _check(
    own: Sequence[Parameter],
    theta: dict[str, xr.DataArray],
    dims: list[Hashable] | None,
    problems: Problems,
) -> None:
    for missing in dims or []:
        if not any(missing in theta[p.name].dims for p in own):
            there = dict.fromkeys(d for p in own for d in theta[p.name].dims)
            problems.add("dim", expected=f"among {names(there)}", got=repr(missing), fix="leave dim out")
