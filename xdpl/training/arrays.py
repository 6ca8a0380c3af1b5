"""Arrays for training, gathered from a dataset and checked by value."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from xdpl import units
from xdpl.errors import Problems
from xdpl.labelled.grid import Grid
from xdpl.labelled.series import check_series
from xdpl.networks.scaling import Scaling
from xdpl.training import value_checks
from xdpl.training.request import Inputs
from xdpl.training.statistics import level, scaling, spread

__all__ = ["Arrays", "Period", "gather", "periods"]

Period = tuple[int, int]


@dataclass(frozen=True)
class Arrays:
    """Values of all usable sites.

    Parameters
    ----------
    forcings : dict of str to ndarray, (time, site)
    observed : dict of str to ndarray, (time, site)
        Of each target.
    attributes : ndarray, (site, attribute)
        As the network takes them, but not normalised.
    scaling : Scaling
        Of the training sites and period.
    mean, std : dict of str to ndarray, (site,)
        Mean and standard deviation of each target in the training period.
    typical : dict of str to float
        Median of it over the training sites.
    training, validating : ndarray of bool, (site,)
    kept : ndarray of bool
        Which of all sites these are.
    groups : ndarray of int, (site,), optional
        Position of the label of each site among those of the training sites.
    labels : tuple
        These labels, in order.
    """

    forcings: dict[str, np.ndarray]
    observed: dict[str, np.ndarray]
    attributes: np.ndarray
    scaling: Scaling
    mean: dict[str, np.ndarray]
    std: dict[str, np.ndarray]
    typical: dict[str, float]
    training: np.ndarray
    validating: np.ndarray
    kept: np.ndarray
    groups: np.ndarray | None = None
    labels: tuple[Any, ...] = ()


def periods(ds: xr.Dataset, train: slice | None, validate: slice | xr.DataArray | None) -> dict[str, Period]:
    """First and last time index of the training and validation periods.

    A mask of validation sites is validated over the training period.
    """
    positions = xr.DataArray(np.arange(ds.sizes["time"]), {"time": ds["time"]}, dims="time")

    def span(period: slice | None) -> Period:
        inside = positions if period is None else positions.sel(time=period)
        return int(inside[0]), int(inside[-1])

    spans = {"train": span(train)}
    if validate is not None:
        spans["validate"] = span(validate) if isinstance(validate, slice) else spans["train"]
    return spans


def gather(
    ds: xr.Dataset,
    inputs: Inputs,
    grid: Grid,
    sites: xr.DataArray | None,
    validate: slice | xr.DataArray | None,
    when: dict[str, Period],
    problems: Problems,
    groups: xr.DataArray | None = None,
) -> Arrays:
    """Values of the sites that can be trained on or validated with.

    Raises
    ------
    InputErrors
        Gaps in forcings, some but not all attributes NaN, no observation.
    """
    forcings = {k: grid.flatten(f.data, np.float32) for k, f in inputs.forcings.items()}
    observed = {k: grid.flatten(f.data, np.float32) for k, f in inputs.targets.items()}
    columns = {k: grid.flatten(units.magnitude(v)) for k, v in inputs.attributes.items()}
    chosen = np.ones(grid.size, bool) if sites is None else grid.flatten(sites, bool)
    held = grid.flatten(validate, bool) if isinstance(validate, xr.DataArray) else np.zeros(grid.size, bool)

    missing = {k: ~np.isfinite(v) for k, v in columns.items()}
    land = ~np.logical_and.reduce(list(missing.values()))
    for values in forcings.values():
        land &= ~np.isnan(values).all(axis=0)
    used = land & (chosen | held)
    check_series(forcings, observed, used, inputs.forcings | inputs.targets, grid, problems)
    value_checks.attributes(missing, used, grid, problems)
    whole = used & ~np.logical_or.reduce(list(missing.values()))
    value_checks.positive(columns, whole, inputs, grid, problems)

    first, last = when["train"]
    trained = {k: v[first : last + 1] for k, v in observed.items()}
    training = used & ~held & _seen(trained.values())
    validating = used & held if isinstance(validate, xr.DataArray) else training
    start, stop = when.get("validate", when["train"])
    later = {k: v[start : stop + 1] for k, v in observed.items()}
    validating = validating & _seen(later.values())
    for name, found in inputs.targets.items():
        value_checks.observed(trained[name], training, found.variable, inputs.model, problems)
        if "validate" in when and training.any():
            value_checks.validated(later[name], validating, found.variable, problems)
    keep = training | validating
    labels, positions = value_checks.groups(groups, grid, training, keep, problems)
    problems.raise_if_any()

    attributes = np.stack(list(columns.values()), axis=1)
    if inputs.network.transform == "log":
        attributes[keep] = np.log(attributes[keep])
    std = {k: spread(v, training) for k, v in trained.items()}
    return Arrays(
        {k: v[:, keep] for k, v in forcings.items()},
        {k: v[:, keep] for k, v in observed.items()},
        attributes[keep],
        scaling(inputs, attributes, forcings, trained, training, when["train"]),
        {k: level(v, training)[keep] for k, v in trained.items()},
        {k: v[keep] for k, v in std.items()},
        {k: float(np.median(v[training])) for k, v in std.items()},
        training[keep],
        validating[keep],
        keep,
        None if positions is None else positions[keep],
        labels,
    )


def _seen(series: Iterable[np.ndarray]) -> np.ndarray:
    """Sites where at least one of some series (time, site) has an observation."""
    seen: np.ndarray = np.logical_or.reduce([~np.isnan(v).all(axis=0) for v in series])
    return seen
