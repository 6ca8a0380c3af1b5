"""Arrays for training, gathered from a dataset and checked by value."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr

from xdpl import units
from xdpl.errors import Problems
from xdpl.labelled.grid import Grid
from xdpl.training.request import Inputs

__all__ = ["Arrays", "Period", "gather", "periods"]

Period = tuple[int, int]


@dataclass(frozen=True)
class Arrays:
    """Values of all usable sites.

    Parameters
    ----------
    forcings : dict of str to ndarray, (time, site)
    observed : ndarray, (time, site)
    attributes : ndarray, (site, attribute)
        As in the dataset.
    mean, std : ndarray, (attribute,)
        Of the training sites.
    scale : ndarray, (site,)
        Spread of the observations in the training period, with a floor.
    training, validating : ndarray of bool, (site,)
    """

    forcings: dict[str, np.ndarray]
    observed: np.ndarray
    attributes: np.ndarray
    mean: np.ndarray
    std: np.ndarray
    scale: np.ndarray
    training: np.ndarray
    validating: np.ndarray


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
) -> Arrays:
    """Values of the sites that can be trained on or validated with.

    Raises
    ------
    InputErrors
        Gaps in forcings, some but not all attributes NaN, no observation.
    """
    forcings = {k: grid.flatten(f.data, np.float32) for k, f in inputs.forcings.items()}
    observed = grid.flatten(inputs.target.data, np.float32)
    columns = {k: grid.flatten(units.magnitude(v)) for k, v in inputs.attributes.items()}
    chosen = np.ones(grid.size, bool) if sites is None else grid.flatten(sites, bool)
    held = grid.flatten(validate, bool) if isinstance(validate, xr.DataArray) else np.zeros(grid.size, bool)

    missing = {k: ~np.isfinite(v) for k, v in columns.items()}
    land = ~np.logical_and.reduce(list(missing.values()))
    for values in forcings.values():
        land &= ~np.isnan(values).all(axis=0)
    used = land & (chosen | held)
    _check_values(forcings, observed, used, inputs, grid, problems)
    _check_attributes(missing, used, grid, problems)

    first, last = when["train"]
    trained = observed[first : last + 1]
    training = used & ~held & ~np.isnan(trained).all(axis=0)
    validating = used & held if isinstance(validate, xr.DataArray) else training
    if "validate" in when:
        start, stop = when["validate"]
        validating = validating & ~np.isnan(observed[start : stop + 1]).all(axis=0)
    _check_observed(training, validating, "validate" in when, inputs.target.variable, problems)
    problems.raise_if_any()

    keep = training | validating
    attributes = np.stack(list(columns.values()), axis=1)
    mean, std = attributes[training].mean(axis=0), attributes[training].std(axis=0)
    return Arrays(
        {k: v[:, keep] for k, v in forcings.items()},
        observed[:, keep],
        attributes[keep],
        mean,
        # A constant attribute carries nothing; dividing by one keeps it at zero.
        np.where(std > 1e-12 * np.maximum(np.abs(mean), 1.0), std, 1.0),
        _scale(trained, training)[keep],
        training[keep],
        validating[keep],
    )


def _scale(trained: np.ndarray, training: np.ndarray) -> np.ndarray:
    """Standard deviation per site plus a tenth of the typical one of the training sites.

    The floor keeps sites that hardly vary from outweighing all others. Sites
    without observations in the period (held out) take the typical spread.
    """
    observed = ~np.isnan(trained)
    count = np.maximum(observed.sum(axis=0), 1)
    mean = np.where(observed, trained, 0.0).sum(axis=0) / count
    spread = np.sqrt((np.where(observed, trained - mean, 0.0) ** 2).sum(axis=0) / count)
    typical = float(np.median(spread[training]))
    spread = np.where(observed.any(axis=0), spread, typical)
    floor = 0.1 * typical if typical > 0 else 1.0
    return np.asarray(spread + floor)


def _check_values(
    forcings: dict[str, np.ndarray],
    observed: np.ndarray,
    used: np.ndarray,
    inputs: Inputs,
    grid: Grid,
    problems: Problems,
) -> None:
    for name, values in forcings.items():
        gaps = used & np.isnan(values).any(axis=0)
        if gaps.any():
            variable = inputs.forcings[name].variable
            problems.add(
                variable,
                expected="no gaps in time (a site may be NaN throughout)",
                got=f"NaN at some times at {gaps.sum()} sites, first {grid.label(int(np.argmax(gaps)))}",
                fix=f'fill them, or mask the sites: ds.where(ds["{variable}"].notnull().all("time"))',
            )
    variables = {inputs.forcings[k].variable: v for k, v in forcings.items()}
    for variable, values in (variables | {inputs.target.variable: observed}).items():
        infinite = used & np.isinf(values).any(axis=0)
        if infinite.any():
            problems.add(
                variable,
                expected="finite values, or NaN",
                got=f"infinity at {infinite.sum()} sites, first {grid.label(int(np.argmax(infinite)))}",
                fix=f'ds["{variable}"] = ds["{variable}"].where(np.isfinite(ds["{variable}"]))',
            )


def _check_attributes(
    missing: dict[str, np.ndarray], used: np.ndarray, grid: Grid, problems: Problems
) -> None:
    for name, absent in missing.items():
        if (absent & used).any():
            where = int(np.argmax(absent & used))
            problems.add(
                name,
                expected="attributes without NaN or infinity",
                got=f"one at {(absent & used).sum()} of {used.sum()} sites, first {grid.label(where)}",
                fix=f'drop those sites, for example ds = ds.where(ds["{name}"].notnull()), or fill them',
            )


def _check_observed(
    training: np.ndarray, validating: np.ndarray, validated: bool, variable: str, problems: Problems
) -> None:
    if not training.any():
        problems.add(
            variable,
            expected="observations at training sites in the training period",
            got="only NaN",
            fix="choose a train period and sites with observations",
        )
    elif validated and not validating.any():
        problems.add(
            variable,
            expected="observations in the validation period or sites",
            got="only NaN",
            fix="choose another validate",
        )
