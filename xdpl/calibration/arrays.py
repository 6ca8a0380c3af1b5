"""Arrays for calibration, gathered from a dataset and checked by value."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr

from xdpl.calibration.request import Inputs, Request
from xdpl.errors import Problems
from xdpl.labelled.choices import after_warmup
from xdpl.labelled.grid import Grid
from xdpl.labelled.series import check_series

__all__ = ["Arrays", "gather"]


@dataclass(frozen=True)
class Arrays:
    """Values of the sites that are calibrated.

    Parameters
    ----------
    keys : ndarray of int, (site,)
        Their positions in the dataset.
    forcings : dict of str to ndarray, (warmup + time, site)
    fixed, start : dict of str to ndarray, (site,)
    observed : ndarray of float64, (time, site)
    warmup : int
    period : tuple of str
        First and last day that is compared.
    time : Index
        Dates of the forcings.
    """

    keys: np.ndarray
    forcings: dict[str, np.ndarray]
    fixed: dict[str, np.ndarray]
    start: dict[str, np.ndarray]
    observed: np.ndarray
    warmup: int
    period: tuple[str, str]
    time: pd.Index


def gather(ds: xr.Dataset, inputs: Inputs, grid: Grid, request: Request, problems: Problems) -> Arrays:
    """Values of the sites that have forcings and observations, and are asked for.

    Raises
    ------
    InputErrors
        Gaps in forcings, infinite values, no observation.
    """
    first, last, warmup = _period(ds, request, problems)
    begin = first - warmup
    dtype = np.dtype(request.dtype)
    span = {"time": slice(begin, last + 1)}
    forcings = {k: grid.flatten(f.data.isel(span), dtype) for k, f in inputs.forcings.items()}
    observed = grid.flatten(inputs.target.data.isel(time=slice(first, last + 1)))
    used = np.ones(grid.size, bool) if request.sites is None else grid.flatten(request.sites, bool)
    for values in forcings.values():
        used &= ~np.isnan(values).all(axis=0)
    given = {k: grid.flatten(v) for k, v in inputs.fixed.items()}
    for values in given.values():
        used &= ~np.isnan(values)
    found = inputs.forcings | {inputs.output: inputs.target}
    check_series(forcings, {inputs.output: observed}, used, found, grid, problems)
    used &= ~np.isnan(observed).all(axis=0)
    if not used.any():
        problems.add(
            inputs.target.variable,
            expected="observations in the training period at sites with forcings",
            got="none",
            fix="another train period, or other sites",
        )
    problems.raise_if_any()
    start = {k: grid.flatten(v) for k, v in inputs.start.items()}
    for p in inputs.model.parameters:
        # A parameter map has no values where it was not made for; the default is as good a start.
        start[p.name] = np.where(np.isnan(start[p.name]), p.default, start[p.name])
    for smaller, larger in inputs.ordering.broken({k: v[used] for k, v in start.items()}):
        problems.add(
            "start",
            expected=f"{smaller.name} of at most {larger.name} at every site, by the order",
            got="more at some",
            fix="begin elsewhere, or leave the order out",
        )
    problems.raise_if_any()
    dates = ds["time"].dt.strftime("%Y-%m-%d").values
    return Arrays(
        np.flatnonzero(used),
        {k: np.ascontiguousarray(v[:, used]) for k, v in forcings.items()},
        {k: v[used] for k, v in given.items()},
        {k: v[used] for k, v in start.items()},
        np.ascontiguousarray(observed[:, used]),
        warmup,
        (str(dates[first]), str(dates[last])),
        ds.indexes["time"][begin : last + 1],
    )


def _period(ds: xr.Dataset, request: Request, problems: Problems) -> tuple[int, int, int]:
    """First and last step that are compared, and the steps before them that warm the states up."""
    positions = xr.DataArray(np.arange(ds.sizes["time"]), {"time": ds["time"]}, dims="time")
    inside = positions if request.train is None else positions.sel(time=request.train)
    last, warmup = int(inside[-1]), int(request.warmup)
    first = after_warmup(int(inside[0]), last, warmup, problems)
    problems.raise_if_any()
    return first, last, warmup
