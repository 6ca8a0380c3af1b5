"""Parameters of classes of cells, and what is lost within each class."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from xdpl.errors import Problems
from xdpl.evaluation.checks import check_labels
from xdpl.export.classes import check_classes, class_names
from xdpl.export.static import check_static_parameters, plain
from xdpl.export.table import CLASS, CLASS_NAME
from xdpl.labelled.grid import Grid
from xdpl.labelled.host import on_host

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["STATISTICS", "by_class"]

#: What is computed of each parameter and class.
STATISTICS = ("median", "mean", "standard_deviation", "p10", "p90")


def by_class(parameters: xr.Dataset, by: xr.DataArray, *, weights: xr.DataArray | None = None) -> xr.Dataset:
    """Median, mean and spread of parameters over the cells of each class.

    Parameters
    ----------
    parameters : Dataset
        Such as of `Fit.parameters`: over site dims, with units.
    by : DataArray of int
        Class of each cell, over the same dims; negative where there is none. Its CF ``flag_values`` and
        ``flag_meanings`` say which classes there are and name them.
    weights : DataArray, optional
        Of the cells, over dims of `by`, such as their area; above 0 in every class. Equal if not given.

    Returns
    -------
    Dataset
        Every parameter in its units over (statistic, class): ``median``, ``mean``, ``standard_deviation``,
        and ``p10`` and ``p90``, the quantiles of a tenth and nine tenths. The standard deviation divides by
        the sum of weights. Quantiles are values of cells, or the middle of two where just that share of the
        weight is below. Coordinates of the class: its name ``class_name`` and its number of ``cells``. The
        attribute ``variance_within_classes`` of a parameter is the share (1) of its variance over all these
        cells that the means of the classes do not have. Values are computed.

    Raises
    ------
    InputErrors
        If parameters vary in time or have members, or units that cannot be read; if one is NaN in a class;
        if a class has no cell; if labels or weights make no sense.

    Examples
    --------
    >>> import xdpl
    >>> ds = xdpl.data.twin(shape=(3, 4), years=1)
    >>> soil = (ds["sand"] > 50).astype(int)
    >>> theta = ds[["sand", "clay"]]
    >>> classes = xdpl.export.by_class(theta, soil)
    """
    problems = Problems("by_class")
    check_static_parameters(parameters, problems)
    if not check_classes(by, problems):
        problems.raise_all()
    for name, array in {**parameters.data_vars, "weights": weights}.items():
        if array is not None and (extra := [d for d in array.dims if d not in by.dims]):
            problems.add(
                str(name),
                expected=f"dims {by.dims}",
                got=f"a dim {extra[0]!r} too",
                fix="by over all site dims",
            )
    check_labels(problems, "by", parameters, by)
    if weights is not None:
        check_labels(problems, "weights", parameters, weights)
    problems.raise_if_any()
    by = on_host(by).compute()
    names = class_names(by, problems)
    grid = Grid.of(by.to_dataset(name="by"), ["by"])
    labels = grid.flatten(by, np.int64)
    there = plain(parameters)
    values = {str(k): grid.flatten(v) for k, v in there.data_vars.items()}
    weight = np.ones(grid.size) if weights is None else grid.flatten(weights)
    _check_values(values, weight, labels, names, grid, problems)
    problems.raise_if_any()
    return _summary(there, values, weight, labels, names)


def _summary(
    parameters: xr.Dataset,
    values: Mapping[str, np.ndarray],
    weight: np.ndarray,
    labels: np.ndarray,
    names: Mapping[int, str],
) -> xr.Dataset:
    members = [labels == label for label in names]
    out = xr.Dataset(
        coords={
            "statistic": np.array(STATISTICS, dtype=object),
            CLASS: (CLASS, list(names), {"long_name": "label of the class"}),
            CLASS_NAME: (CLASS, np.array(list(names.values()), dtype=object)),
            "cells": (CLASS, [int(m.sum()) for m in members], {"long_name": "number of cells", "units": "1"}),
        }
    )
    for name, all_values in values.items():
        found = np.array([_statistics(all_values[m], weight[m]) for m in members]).T
        said = parameters[name].attrs
        attrs = {k: said[k] for k in ("units", "long_name") if k in said}
        out[name] = (("statistic", CLASS), found, attrs)
        out[name].attrs["variance_within_classes"] = _within(all_values, weight, members)
    out.attrs["title"] = "parameters of classes"
    return out


def _statistics(values: np.ndarray, weight: np.ndarray) -> list[float]:
    # Rounding of the sum must not carry a mean out of the range of values, which have bounds.
    mean = float(np.clip(np.average(values, weights=weight), values.min(), values.max()))
    deviation = float(np.sqrt(np.average((values - mean) ** 2, weights=weight)))
    low, median, high = (_quantile(values, weight, share) for share in (0.1, 0.5, 0.9))
    return [median, mean, deviation, low, high]


def _quantile(values: np.ndarray, weight: np.ndarray, share: float) -> float:
    """Inverse of the weighted distribution, averaged where it is not unique."""
    order = np.argsort(values, kind="stable")
    below = np.cumsum(weight[order])
    wanted = share * below[-1]
    first = int(np.searchsorted(below, wanted * (1.0 - 1e-12)))
    last = int(np.searchsorted(below, wanted * (1.0 + 1e-12), side="right"))
    found = values[order][[first, min(last, len(values) - 1)]]
    return float(0.5 * (found[0] + found[1]))


def _within(values: np.ndarray, weight: np.ndarray, members: list[np.ndarray]) -> float:
    inside = np.logical_or.reduce(members)
    if np.ptp(values[inside]) == 0.0:
        return 0.0
    left = sum(_squares(values[m], weight[m]) for m in members)
    return min(left / _squares(values[inside], weight[inside]), 1.0)


def _squares(values: np.ndarray, weight: np.ndarray) -> float:
    return float(np.sum(weight * (values - np.average(values, weights=weight)) ** 2))


def _check_values(
    values: Mapping[str, np.ndarray],
    weight: np.ndarray,
    labels: np.ndarray,
    names: Mapping[int, str],
    grid: Grid,
    problems: Problems,
) -> None:
    if not names:
        problems.add("by", expected="labels from 0", got="none", fix="label at least one cell")
    for label, name in names.items():
        if not (labels == label).any():
            problems.add(
                "by",
                expected=f"a cell of the class {name!r} ({label})",
                got="none",
                fix="leave it out of flag_values and flag_meanings; its row may come from another table",
            )
    for key, array in {**values, "weights": weight}.items():
        wrong = (labels >= 0) & ~(np.isfinite(array) & ((key != "weights") | (array > 0)))
        if wrong.any():
            first = int(np.flatnonzero(wrong)[0])
            problems.add(
                key,
                expected="weights above 0 in every class" if key == "weights" else "a value in every class",
                got=f"{array[first]:g} at {wrong.sum()} cells, first at {grid.label(first)}",
                fix=f"by.where({'weights > 0' if key == 'weights' else f'theta[{key!r}].notnull()'}, -1)",
            )
