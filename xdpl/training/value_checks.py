"""Checks of values, which take a look at the data: attributes missing, nothing observed."""

from __future__ import annotations

import numpy as np
import xarray as xr

from xdpl.errors import Problems
from xdpl.labelled.grid import Grid
from xdpl.models import Model, NetworkOnly
from xdpl.training.request import Inputs

__all__ = ["attributes", "groups", "observed", "positive", "validated"]


def attributes(missing: dict[str, np.ndarray], used: np.ndarray, grid: Grid, problems: Problems) -> None:
    """Note attributes (site,) that are missing at used sites."""
    for name, absent in missing.items():
        if (absent & used).any():
            where = int(np.argmax(absent & used))
            problems.add(
                name,
                expected="attributes without NaN or infinity",
                got=f"one at {(absent & used).sum()} of {used.sum()} sites, first {grid.label(where)}",
                fix=f'drop those sites, for example ds = ds.where(ds["{name}"].notnull()), or fill them',
            )


def groups(
    given: xr.DataArray | None, grid: Grid, training: np.ndarray, keep: np.ndarray, problems: Problems
) -> tuple[tuple[int, ...], np.ndarray | None]:
    """Labels of the training sites, and the position of every site's among them; -1 where it is not used.

    Used sites without a group, or in one that is not trained on, are noted.
    """
    if given is None:
        return (), None
    labels = grid.flatten(given, np.int64)
    known = np.unique(labels[training])
    wrong = keep & ((labels < 0) | ~np.isin(labels, known))
    if wrong.any():
        first = int(np.argmax(wrong))
        problems.add(
            "groups",
            expected="at every site a label of a group that is trained on, 0 or more",
            got=f"{labels[first]} at {grid.label(first)}, {wrong.sum()} such sites of {keep.sum()}",
            fix="sites=groups >= 0",
        )
    return tuple(map(int, known)), np.searchsorted(known, labels)


def positive(
    columns: dict[str, np.ndarray], used: np.ndarray, inputs: Inputs, grid: Grid, problems: Problems
) -> None:
    """Note attributes (site,) without a logarithm, where the network takes one."""
    if inputs.network.transform != "log":
        return
    for name, values in columns.items():
        wrong = used & ~(np.nan_to_num(values) > 0)
        if wrong.any():
            problems.add(
                name,
                expected="attributes above zero, for power relations",
                got=f"{values[wrong][0]:g} at {grid.label(int(np.argmax(wrong)))}",
                fix='TransferFunction(form="linear"), or leave the attribute out',
            )


def observed(
    trained: np.ndarray, training: np.ndarray, variable: str, model: Model, problems: Problems
) -> None:
    """Note a target (time, site) in the training period without an observation, or of the wrong sign."""
    values = trained[:, training]
    if np.isnan(values).all():
        problems.add(
            variable,
            expected="observations at training sites in the training period",
            got="only NaN",
            fix="choose a train period and sites with observations",
        )
    elif isinstance(model, NetworkOnly) and model.positive and np.nanmean(values) <= 0:
        problems.add(
            variable,
            expected="observations with a mean above zero, for a network whose series are positive",
            got=f"a mean of {np.nanmean(values):g}",
            fix="NetworkOnly(like, positive=False)",
        )


def validated(held: np.ndarray, validating: np.ndarray, variable: str, problems: Problems) -> None:
    """Note a target (time, site) without an observation in the validation period and at its sites."""
    if np.isnan(held[:, validating]).all():
        problems.add(
            variable,
            expected="observations in the validation period or sites",
            got="only NaN",
            fix="choose another validate",
        )
