"""What the network of a fit reads, found in a dataset and in the units of the training."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from xdpl import units
from xdpl.fit.attributes import find_attributes
from xdpl.fit.observed import observed_targets
from xdpl.labelled import schema
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
    attributes = find_attributes(fit, ds, problems)
    forcings: dict[str, xr.DataArray] = {}
    responses: dict[str, xr.DataArray] = {}
    spec = fit.network_spec
    mapping = mapping or fit.forcings_in(ds)
    if spec.reads_forcings or spec.steps:
        inputs = schema.forcings(ds, fit.model, mapping, problems)
        forcings = {k: f.data for k, f in inputs.items()}
    end = _end(fit, ds, at, problems)
    if spec.steps:
        observed = observed_targets(fit, ds, fit.targets, mapping, problems, fix=_blank(forcings))
        for output, array in observed.items():
            responses[output] = in_units(array, fit.model.output(output).units, problems)
            schema.check_chunks(fit.targets[output], units.magnitude(array), problems)
    problems.raise_if_any()
    return Read(attributes, forcings, responses, end)


def _blank(forcings: Mapping[str, xr.DataArray]) -> Callable[[str, str], str]:
    like = next(iter(forcings), "")
    return lambda output, variable: (
        f'ds["{variable}"] = xr.full_like(ds["{like}"], np.nan), with its units, if nothing was observed'
    )


def _end(fit: Fit, ds: xr.Dataset, at: Any, problems: Problems) -> int:
    """Number of time steps before a date; all of them without one."""
    count = ds.sizes["time"] if "time" in ds.dims else 0
    if at is not None and not fit.network_spec.steps:
        problems.add(
            "at",
            expected="none, of a network without a history",
            got=repr(at),
            fix="leave it out",
        )
    if at is None or not count or problems.found:
        return count
    index = ds.indexes["time"]
    positions = xr.DataArray(np.arange(count), {"time": ds["time"]}, dims="time")
    try:
        after = positions.sel(time=slice(at, None))
        inside = after.size > 0 and positions.sel(time=slice(None, at)).size > 0
    except (KeyError, TypeError, ValueError):
        inside = False
    if not inside:
        problems.add(
            "at",
            expected=f"a date in the record, {index[0]:%Y-%m-%d} to {index[-1]:%Y-%m-%d}",
            got=repr(at) if isinstance(at, str) else str(at),
            fix="leave it out to read what comes before the end of the record",
        )
        return count
    return int(after[0])
