"""Priors of a request: found in the dataset, and what departures from them cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
import xarray as xr
from torch import Tensor

from xdpl.errors import Problems, short
from xdpl.labelled import schema
from xdpl.labelled.grid import Grid
from xdpl.labelled.lookup import in_units, size_in_units
from xdpl.priors import Prior

if TYPE_CHECKING:
    from xdpl.models import Model, Parameter

__all__ = ["PRIOR", "Departures", "Known", "departures", "inspect_priors"]

#: Among what is simulated: no output of a model has such a name.
PRIOR = "prior penalty"


@dataclass(frozen=True)
class Known:
    """A prior with the variables it names, in declared units.

    Parameters
    ----------
    prior : Prior
    parameter : Parameter
    mean, sd : float or DataArray
        Over site dims.
    """

    prior: Prior
    parameter: Parameter
    mean: float | xr.DataArray
    sd: float | xr.DataArray


def inspect_priors(
    ds: xr.Dataset, given: Any, model: Model, site_dims: tuple[str, ...], problems: Problems
) -> dict[str, Known]:
    """The prior of each parameter that has one, checked without computing.

    Parameters
    ----------
    ds : Dataset
    given : mapping of str to Prior, optional
    model : Model
    site_dims : tuple of str
    problems : Problems
        Takes a note of what is no parameter, no prior, and of variables that do not go with them.
    """
    declared = {p.name: p for p in model.parameters}
    fix = 'priors={"<parameter>": xdpl.priors.Normal("<variable>", sd=0.05)}'
    if given is not None and not isinstance(given, Mapping):
        problems.add("priors", expected="a mapping of parameters to priors", got=short(given), fix=fix)
        return {}
    known = {}
    for name, prior in (given or {}).items():
        if name not in declared:
            expected = f"parameters of {model.name!r}: {', '.join(declared) or 'there are none'}"
            problems.add("priors", expected=expected, got=repr(name), fix="leave it out")
        elif not isinstance(prior, Prior):
            expected = "a prior of xdpl.priors"
            problems.add(f"priors[{name!r}]", expected=expected, got=short(prior), fix=fix)
        else:
            p = declared[name]
            mean = _found(ds, prior.mean, p.units, site_dims, problems)
            sd = _found(ds, prior.sd, "1" if prior.logarithmic else p.units, site_dims, problems, spread=True)
            known[name] = Known(prior, p, mean, sd)
    return known


def _found(
    ds: xr.Dataset,
    value: float | str,
    units: str,
    site_dims: tuple[str, ...],
    problems: Problems,
    *,
    spread: bool = False,
) -> float | xr.DataArray:
    if not isinstance(value, str):
        return value
    array = schema.static(ds, [value], site_dims, "a variable of a prior", problems).get(value)
    if array is None:
        return float("nan")
    return size_in_units(array, units, problems) if spread else in_units(array, units, problems)


class Departures(torch.nn.Module):
    """What parameters cost that depart from their priors.

    Parameters
    ----------
    known : mapping of str to tuple of (ndarray (site,), ndarray (site,), bool, float)
        Mean, NaN where nothing is known, standard deviation, whether both are of logarithms, and weight.
    unit : float
        What a cost of one counts in the loss.
    """

    def __init__(self, known: Mapping[str, tuple[np.ndarray, np.ndarray, bool, float]], unit: float) -> None:
        super().__init__()
        self.unit = unit
        self.names = tuple(known)
        self.logarithmic = {k: v[2] for k, v in known.items()}
        self.weights = {k: v[3] for k, v in known.items()}
        for name, (mean, sd, _, _) in known.items():
            there = np.isfinite(mean) & np.isfinite(sd)
            for what, array, empty in (("mean", mean, 0.0), ("sd", sd, np.inf)):
                filled = torch.tensor(np.where(there, array, empty), dtype=torch.float32)
                self.register_buffer(f"{what}_{name}", filled, persistent=False)

    def forward(self, values: Mapping[str, Tensor], sites: Tensor) -> Tensor:
        """Cost (series,) of parameters ([time,] [member,] series) at some sites (series,)."""
        cost = torch.zeros_like(getattr(self, f"mean_{self.names[0]}")[sites])
        for name in self.names:
            mean, sd = (getattr(self, f"{what}_{name}")[sites] for what in ("mean", "sd"))
            value = values[name]
            departure = ((value.log() if self.logarithmic[name] else value) - mean) / sd
            squares = (departure**2).flatten(0, -2) if value.ndim > 1 else departure[None] ** 2
            cost = cost + self.weights[name] * squares.mean(dim=0)
        return self.unit * cost


def departures(
    known: Mapping[str, Known], grid: Grid, kept: np.ndarray, unit: float, problems: Problems
) -> Departures | None:
    """Priors as a module, of the sites that are used; None without any.

    Raises
    ------
    InputErrors
        If a standard deviation is not above 0, a mean has no logarithm, or none is within bounds.
    """
    found = {}
    for name, k in known.items():
        mean, sd = (_flat(v, grid)[kept] for v in (k.mean, k.sd))
        _check(k, mean, sd, problems)
        with np.errstate(invalid="ignore", divide="ignore"):
            centre = np.log(mean) if k.prior.logarithmic else mean
        found[name] = centre, sd, k.prior.logarithmic, k.prior.weight
    problems.raise_if_any()
    return Departures(found, unit) if found else None


def _flat(value: float | xr.DataArray, grid: Grid) -> np.ndarray:
    return grid.flatten(value) if isinstance(value, xr.DataArray) else np.full(grid.size, value)


def _check(known: Known, mean: np.ndarray, sd: np.ndarray, problems: Problems) -> None:
    p, prior = known.parameter, known.prior
    there = ~np.isnan(mean)
    subject = f"priors[{p.name!r}]"
    inside = (mean >= p.lower) & (mean <= p.upper)
    if not inside.any():
        got = "NaN at all sites" if not there.any() else f"{mean[there].min():g} to {mean[there].max():g}"
        expected = f"a mean within {p.lower:g} to {p.upper:g} {p.units}"
        problems.add(subject, expected=expected, got=got, fix="check its units and its values")
    if prior.logarithmic and (mean[there] <= 0).any():
        got = f"{mean[there].min():g} and others"
        problems.add(subject, expected="means above 0", got=got, fix="xdpl.priors.Normal, or NaN there")
    wrong = there & ~(np.isfinite(sd) & (sd > 0))
    if wrong.any():
        got = f"others at {wrong.sum()} of {wrong.size} sites"
        problems.add(subject, expected="standard deviations above 0", got=got, fix="NaN as the mean there")
