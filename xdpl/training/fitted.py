"""From a finished training to a fit."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from xdpl import units
from xdpl.fit.result import Fit
from xdpl.labelled import schema
from xdpl.labelled.grid import Grid
from xdpl.observation.learned import learned
from xdpl.training.arrays import Arrays, Period
from xdpl.training.loop import Outcome
from xdpl.training.request import Inputs, Request
from xdpl.training.trained import Trained

__all__ = ["fitted"]


def fitted(
    inputs: Inputs,
    request: Request,
    arrays: Arrays,
    trained: Trained,
    outcome: Outcome,
    described: dict[str, Any],
    when: dict[str, Period],
    ds: xr.Dataset,
    grid: Grid,
) -> Fit:
    """The fit, with its history and what observation operators learned.

    Parameters
    ----------
    inputs, request, arrays
        What was trained on.
    trained : Trained
        On the host, with its best weights.
    outcome : Outcome
    described : dict
        Settings as plain values.
    when : dict of str to tuple of int
        First and last time index of each period.
    ds : Dataset
    grid : Grid
    """
    dates = ds["time"].dt.strftime("%Y-%m-%d").values
    spans = {name: [str(dates[first]), str(dates[last])] for name, (first, last) in when.items()}
    epochs = np.arange(1, len(outcome.history["loss"]) + 1)
    history = xr.Dataset(
        {k: ("epoch", np.asarray(v, dtype=np.float64)) for k, v in outcome.history.items()}, {"epoch": epochs}
    )
    history["seconds"].attrs["units"] = "s"
    history = history.assign(_history_of_groups(outcome, arrays.labels, epochs))
    held_out = isinstance(request.validate, xr.DataArray)
    settings = {k: v for k, v in described.items() if k not in ("first", "last", "network", "model_hash")} | {
        "train": spans["train"],
        "validate": spans.get("validate"),
        "validation_sites": int(arrays.validating.sum()) if held_out else None,
        "training_sites": int(arrays.training.sum()),
        "stopped": outcome.stopped,
        "best_epoch": outcome.best_epoch + 1,
    }
    if request.gradients is not None and request.runs_model:
        settings |= {"model_runs": outcome.model_runs, "failed_runs": outcome.failed_runs}
    return Fit(
        model=inputs.model,
        network_spec=inputs.network,
        network=trained.network,  # type: ignore[arg-type]
        attributes={k: units.read(v) for k, v in inputs.attributes.items()},
        scaling=arrays.scaling,
        forcings=schema.sources(inputs.forcings.values(), inputs.targets.values()),
        history=history,
        settings=settings,
        operators=inputs.operators,
        observation=_observation(inputs, arrays, trained, grid, ds, described),
    )


def _observation(
    inputs: Inputs, arrays: Arrays, trained: Trained, grid: Grid, ds: xr.Dataset, described: dict[str, Any]
) -> xr.Dataset:
    dates = ds["time"].dt.strftime("%Y-%m-%d").values
    period = [str(dates[described[k]]) for k in ("first", "last")]
    values = trained.observer.values()
    sites = np.flatnonzero(arrays.kept)
    found = learned(inputs.model, inputs.operators, values, sites, grid, period)
    return found.transpose(*ds.dims, missing_dims="ignore")


def _history_of_groups(outcome: Outcome, labels: tuple[int, ...], epochs: np.ndarray) -> xr.Dataset:
    """Losses, weights and cosines of groups over (epoch, group, ...), of whole epochs."""
    count = len(epochs)
    dims = {"loss": ("epoch", "group"), "weight": ("epoch", "group"), "cosine": ("epoch", "group", "other")}
    said = {
        "loss": "loss of each group, mean over updates",
        "weight": "weight of each group before the epoch",
        "cosine": "cosine between the gradients of two groups before the epoch",
    }
    found = {
        f"group_{k}": (dims[k], np.asarray(v[:count], dtype=np.float64), {"long_name": said[k]})
        for k, v in outcome.groups.items()
    }
    coords = {"group": list(labels), "other": list(labels)} if found else {}
    return xr.Dataset(found, {"epoch": epochs} | coords)
