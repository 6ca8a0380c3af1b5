"""From a checked request to a regionalisation: the calibrated sites, gathered and put to a method."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from xdpl import units
from xdpl.errors import Problems, short
from xdpl.labelled import schema
from xdpl.labelled.attrs import parameters_hash
from xdpl.labelled.globe import unit_vectors
from xdpl.labelled.grid import Grid
from xdpl.labelled.parameters import resolve
from xdpl.networks.scaling import Moments
from xdpl.regionalisation.donors import Donors
from xdpl.regionalisation.regression import Regression
from xdpl.regionalisation.request import Inputs, Request, inspect
from xdpl.regionalisation.result import Regionalisation
from xdpl.training import value_checks

if TYPE_CHECKING:
    from xdpl.models import Parameter

__all__ = ["run"]


@dataclass(frozen=True)
class Calibrated:
    """The sites that are learned from.

    Parameters
    ----------
    parameters : list of Parameter
    values : ndarray, (site, parameter)
        In declared units.
    columns : ndarray, (site, column)
        Attributes in the units of the dataset, or positions on the unit sphere.
    """

    parameters: list[Parameter]
    values: np.ndarray
    columns: np.ndarray


def run(ds: xr.Dataset, request: Request) -> Regionalisation:
    """Check, gather, fit; arguments as in `xdpl.regionalise`."""
    given = request.model
    name = given if isinstance(given, str) else getattr(given, "name", short(given))
    problems = Problems(f"regionalise({name!r})")
    inputs = inspect(ds, request, problems)
    # Blocks that are read when they are used can be checked against the bounds only now.
    theta = {k: array.compute() for k, array in inputs.parameters.items()}
    _check_bounds(inputs, theta, problems)
    sites = _gather(ds, request, inputs, theta, problems)
    if request.method == "regression":
        method: Any = Regression.fitted(sites.parameters, sites.values, sites.columns)
    else:
        method = _donors(request, sites)
    by_donors = request.method != "regression"
    settings = {
        "method": request.method,
        "targets": {k: f.variable for k, f in inputs.targets.items()},
        "donors": int(request.donors) if by_donors else None,
        "average": request.average if by_donors else None,
        "members": method.members,
        "training_sites": len(sites.values),
        "parameters_hash": parameters_hash(theta),
    }
    return Regionalisation(
        model=inputs.model,
        method=method,
        attributes={k: units.read(v) for k, v in inputs.attributes.items()},
        forcings=schema.sources(inputs.forcings.values(), inputs.targets.values()),
        settings=settings,
    )


def _donors(request: Request, sites: Calibrated) -> Donors:
    # Positions on the globe are in one unit, and stay in it.
    plain = Moments(np.zeros(3), np.ones(3))
    moments = plain if request.method == "nearest" else Moments.of(sites.columns)
    return Donors.of(
        sites.parameters, sites.values, sites.columns, moments, int(request.donors), request.average
    )


def _gather(
    ds: xr.Dataset, request: Request, inputs: Inputs, theta: dict[str, xr.DataArray], problems: Problems
) -> Calibrated:
    """Values of the sites that are calibrated and chosen.

    Raises
    ------
    InputErrors
        Some but not all attributes NaN, a position unknown, too few sites.
    """
    forcings = [v for f in inputs.forcings.values() for k, v in f.sources.items() if k != "area"]
    # Dims by name, so that a transposed dataset gives the same.
    grid = Grid.of(ds.transpose(*sorted(ds.dims, key=str)), forcings)
    values = np.stack([grid.flatten(v) for v in theta.values()], axis=1)
    columns = {k: grid.flatten(units.magnitude(v)) for k, v in inputs.attributes.items()}
    position = {k: grid.flatten(v) for k, v in inputs.position.items()}
    chosen = np.ones(grid.size, bool) if request.sites is None else grid.flatten(request.sites, bool)
    used = chosen & ~np.isnan(values).any(axis=1)
    missing = {k: ~np.isfinite(v) for k, v in columns.items()}
    if missing:
        used &= ~np.logical_and.reduce(list(missing.values()))
    value_checks.attributes(missing, used, grid, problems)
    value_checks.attributes({k: ~np.isfinite(v) for k, v in position.items()}, used, grid, problems)
    _check_count(request, int(used.sum()), problems)
    problems.raise_if_any()
    if position:
        known_by = unit_vectors(np, *position.values())
    else:
        known_by = np.stack(list(columns.values()), axis=1)
    declared = {p.name: p for p in inputs.model.parameters}
    return Calibrated([declared[name] for name in theta], values[used], known_by[used])


def _check_count(request: Request, count: int, problems: Problems) -> None:
    """Note fewer calibrated sites than the method needs."""
    regression = request.method == "regression"
    needed = 2 if regression else int(request.donors)
    if count >= needed:
        return
    problems.add(
        "sites" if regression or not count else "donors",
        expected=f"at least {needed} sites with calibrated parameters"
        + " and attributes" * bool(request.names),
        got=str(count),
        fix=f"donors={count}, or more calibrated sites"
        if count and not regression
        else "calibrate more sites, or choose others",
    )


def _check_bounds(inputs: Inputs, theta: dict[str, xr.DataArray], problems: Problems) -> None:
    declared = {p.name: p.units for p in inputs.model.parameters}
    with_units = {k: v.assign_attrs(units=declared[k]) for k, v in theta.items()}
    resolve(inputs.model, with_units, problems)
    problems.raise_if_any()
