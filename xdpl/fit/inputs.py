"""What the network of a fit reads, found in a dataset and in the units of the training."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from xdpl import units
from xdpl.fit.observed import observed_target
from xdpl.labelled import schema
from xdpl.labelled.floats import as_type
from xdpl.labelled.lookup import in_units

if TYPE_CHECKING:
    from xdpl.errors import Problems
    from xdpl.fit.result import Fit

__all__ = ["Read", "read_inputs"]


@dataclass(frozen=True)
class Read:
    """Arrays that go into the network.

    Parameters
    ----------
    attributes : dict of str to DataArray, (...)
    forcings, responses : dict of str to DataArray, (time, ...)
        In declared units; empty where the network does not read them.
    end : int
        Time index that the history ends before.
    """

    attributes: dict[str, xr.DataArray]
    forcings: dict[str, xr.DataArray]
    responses: dict[str, xr.DataArray]
    end: int


def read_inputs(
    fit: Fit, ds: xr.Dataset, at: Any, problems: Problems, mapping: Mapping[str, str] | None = None
) -> Read:
    """Find and convert; arguments as in `Fit.parameters`.

    Raises
    ------
    InputErrors
        With every problem found.
    """
    site_dims = tuple(str(d) for d in ds.dims if d != "time")
    found = schema.static(ds, list(fit.attributes), site_dims, "an attribute", problems)
    attributes = {k: _in_training_units(fit, array, problems) for k, array in found.items()}
    forcings: dict[str, xr.DataArray] = {}
    responses: dict[str, xr.DataArray] = {}
    spec = fit.network_spec
    mapping = mapping or fit.forcings_in(ds)
    if spec.reads_forcings or spec.steps:
        inputs = schema.forcings(ds, fit.model, mapping, problems)
        forcings = {k: f.data for k, f in inputs.items()}
    end = _end(ds, at, problems) if spec.steps else 0
    problems.raise_if_any()
    if spec.steps:
        for output, variable in fit.targets.items():
            fix = f'ds["{variable}"] = xr.full_like(..., np.nan) where nothing was observed'
            array = observed_target(fit, ds, variable, mapping, problems, output=output, fix=fix)
            responses[output] = in_units(array, fit.model.output(output).units, problems)
    problems.raise_if_any()
    return Read(attributes, forcings, responses, end)


def _end(ds: xr.Dataset, at: Any, problems: Problems) -> int:
    """Number of time steps before a date; all of them without one."""
    count = ds.sizes["time"] if "time" in ds.dims else 0
    if at is None or not count or problems.found:
        return count
    index = ds.indexes["time"]
    positions = xr.DataArray(np.arange(count), {"time": ds["time"]}, dims="time")
    try:
        after = positions.sel(time=slice(at, None))
    except (KeyError, TypeError, ValueError):
        after = positions[:0]
    if not after.size:
        problems.add(
            "at",
            expected=f"a date in the record, {index[0]:%Y-%m-%d} to {index[-1]:%Y-%m-%d}",
            got=repr(at),
            fix="leave it out to read what comes before the end of the record",
        )
        return count
    return int(after[0])


def _in_training_units(fit: Fit, array: xr.DataArray, problems: Problems) -> xr.DataArray:
    """An attribute in the units it had in training, double precision."""
    name = str(array.name)
    trained, here = fit.attributes[name], units.read(array)
    plain = as_type(units.magnitude(array), np.dtype(np.float64))
    if trained == here:
        return plain
    if trained is None or here is None:
        problems.add(
            name,
            expected="no units, as in the training" if trained is None else f"units as {trained!r}",
            got=repr(here) if here else "no units attribute",
            fix=f'del ds["{name}"].attrs["units"], once the values are in those of the training'
            if trained is None
            else f'ds["{name}"].attrs["units"] = "<its units>"',
        )
        return plain
    try:
        slope, offset = units.linear(here, trained)
    except units.UnitsError as error:
        problems.add(
            name,
            expected=f"units {trained!r}, those of the training",
            got=f"{here!r} ({error})",
            fix=f'convert ds["{name}"] first',
        )
        return plain
    return plain * slope + offset
