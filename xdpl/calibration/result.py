"""Calibrated parameters as a labelled dataset."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import xarray as xr

from xdpl import units
from xdpl.calibration.arrays import Arrays
from xdpl.calibration.cube import Cube
from xdpl.calibration.objectives import OBJECTIVES
from xdpl.calibration.optimisers.base import Optimiser, Stopped
from xdpl.calibration.request import Inputs
from xdpl.labelled.attrs import provenance, variable_attrs
from xdpl.labelled.grid import Grid

__all__ = ["labelled"]

# Of a site of a result, which is over; the first is that of one without a search.
_MEANINGS = {Stopped.RUNNING: "left_out", Stopped.CLOSED: "interrupted"}


def labelled(
    ds: xr.Dataset,
    inputs: Inputs,
    grid: Grid,
    arrays: Arrays,
    cube: Cube,
    optimiser: Optimiser,
    settings: dict[str, Any],
) -> xr.Dataset:
    """The best parameters of every site; NaN at sites that were not calibrated."""
    known = np.isfinite(optimiser.best_values)
    found = cube.values(optimiser.best_points) | arrays.fixed
    values = {k: np.where(known, v, np.nan) for k, v in found.items()}
    dims = [d for d in next(iter(inputs.forcings.values())).data.dims if d != "time"]

    def placed(v: np.ndarray, missing: float = np.nan) -> xr.DataArray:
        whole = np.full(grid.size, missing, v.dtype)
        whole[arrays.keys] = v
        return grid.unflatten(whole).transpose(*dims)

    out = xr.Dataset(
        {p.name: placed(values[p.name]).assign_attrs(variable_attrs(p)) for p in inputs.model.parameters}
    )
    name = settings["objective"]
    scale = inputs.model.output(inputs.output).units if name == "rmse" else "1"
    objective = placed(np.where(known, optimiser.best_values, np.nan)).assign_attrs(
        units=scale, long_name=f"{OBJECTIVES[name]} of {inputs.output} in the training period"
    )
    evaluations = placed(optimiser.evaluations, 0).assign_attrs(units="1", long_name="runs of the model")
    stopped = placed(optimiser.stopped.astype(np.int8), Stopped.RUNNING).assign_attrs(
        long_name="why no more runs were asked for",
        flag_values=[int(reason) for reason in Stopped],
        flag_meanings=" ".join(_MEANINGS.get(reason, reason.name.lower()) for reason in Stopped),
    )
    out = out.assign_coords(objective=objective, evaluations=evaluations, stopped=stopped)
    title = f"{inputs.model.name} parameters calibrated site by site"
    out.attrs = provenance(title, inputs.model, history=ds.attrs.get("history"))
    out.attrs["calibration"] = json.dumps(settings)
    return units.quantify_like(out.drop_encoding(), *(ds[v] for v in inputs.variables))
