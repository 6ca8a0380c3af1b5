"""Labelled arrays for programs: what goes in as datasets, what comes out as plain arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from xdpl.blackbox.task import Failure, Task
from xdpl.labelled.attrs import variable_attrs

if TYPE_CHECKING:
    import pandas as pd

    from xdpl.models import BlackBox

__all__ = ["arrays", "datasets"]


def datasets(task: Task, model: BlackBox) -> tuple[xr.Dataset, xr.Dataset]:
    """Forcings and parameters of a task as a program takes them, with units as attributes.

    Returns
    -------
    forcings : Dataset, (time[, site])
    parameters : Dataset, ([site])
    """
    site = ("site",) if task.batch else ()
    forcings = xr.Dataset(coords={"time": task.time})
    for forcing in model.forcings:
        values = task.forcings[forcing.name]
        whole = values if task.batch else values[:, 0]
        forcings[forcing.name] = (("time", *site), whole, variable_attrs(forcing))
    parameters = xr.Dataset()
    for parameter in model.parameters:
        values = task.parameters[parameter.name]
        parameters[parameter.name] = (site, values if task.batch else values[0], variable_attrs(parameter))
    return forcings, parameters


def arrays(outputs: Any, names: Sequence[str], forcings: xr.Dataset) -> dict[str, np.ndarray]:
    """Outputs of a program, checked against the forcings it had; extra ones are left alone.

    Parameters
    ----------
    outputs : Dataset or mapping of str to DataArray or array
    names : sequence of str
        Of what is declared.
    forcings : Dataset, (time[, site])

    Returns
    -------
    dict of str to ndarray of float64, (time, run)

    Raises
    ------
    Failure
        If an output is missing, or has another shape, other dates, or no numbers.
    """
    if not isinstance(outputs, xr.Dataset | Mapping):
        msg = f"outputs are a {type(outputs).__name__}, not a Dataset or a mapping of arrays"
        raise Failure(msg)
    found = {}
    for name in names:
        if name not in outputs:
            msg = f"no output {name!r}; there are {', '.join(map(str, outputs)) or 'none'}"
            raise Failure(msg)
        found[name] = _array(name, outputs[name], forcings)
    return found


def _array(name: str, value: Any, forcings: xr.Dataset) -> np.ndarray:
    dims = ("time", "site") if "site" in forcings.dims else ("time",)
    if isinstance(value, xr.DataArray):
        if set(value.dims) != set(dims):
            msg = f"output {name!r} has dims {value.dims}, not {dims}"
            raise Failure(msg)
        index = value.indexes.get("time")
        if index is not None and not _same(index, forcings.indexes["time"]):
            msg = f"output {name!r} has other dates than the forcings"
            raise Failure(msg)
        value = value.transpose(*dims).values
    try:
        values = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError) as error:
        msg = f"output {name!r} has no numbers: {error}"
        raise Failure(msg) from error
    shape = tuple(forcings.sizes[d] for d in dims)
    if values.shape != shape:
        msg = f"output {name!r} has shape {values.shape}, not {shape} {dims}"
        raise Failure(msg)
    return values.reshape(shape[0], -1)


def _same(a: pd.Index, b: pd.Index) -> bool:
    """Whether dates are the same; files give those of cftime back as those of numpy."""
    return a.equals(b) or [str(date) for date in a] == [str(date) for date in b]
