"""What a model needs against what a dataset has: found, converted, checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from xdpl import units
from xdpl.labelled import lookup
from xdpl.models import Model

if TYPE_CHECKING:
    import xarray as xr

    from xdpl.errors import Problems

__all__ = ["Found", "as_float", "check_labels", "check_time", "forcings", "found", "static", "step_in_days"]


@dataclass(frozen=True)
class Found:
    """One input of a model as found in a dataset.

    Parameters
    ----------
    variable : str
        Name in the dataset.
    units : str or None
        Units it has there.
    data : DataArray
        Values in the declared units, without attributes.
    """

    variable: str
    units: str | None
    data: xr.DataArray


def forcings(
    ds: xr.Dataset, model: Model, mapping: Mapping[str, str] | None, problems: Problems
) -> dict[str, Found]:
    """Find and convert every forcing of a model; problems are noted, not raised."""
    result = {}
    names = lookup.find(ds, model.forcings, mapping, problems)
    for declared in model.forcings:
        if declared.name not in names:
            continue
        variable = names[declared.name]
        array = ds[variable]
        if "time" not in array.dims:
            problems.add(
                variable,
                expected="a dimension 'time'",
                got=f"dims {array.dims}",
                fix=f'rename it, for example ds.rename({{"{array.dims[0] if array.dims else "t"}": "time"}})',
            )
            continue
        result[declared.name] = found(ds, variable, declared.units, problems)
    if result:
        check_time(ds, model, problems)
        _check_chunks(result, problems)
    return result


def found(ds: xr.Dataset, variable: str, declared_units: str, problems: Problems) -> Found:
    """One variable in the units a model computes in."""
    array = ds[variable]
    return Found(variable, units.read(array), lookup.in_units(array, declared_units, problems))


def static(
    ds: xr.Dataset, names: list[str], site_dims: tuple[str, ...], what: str, problems: Problems
) -> dict[str, xr.DataArray]:
    """Variables without time on the site dimensions, for example attributes."""
    result = {}
    for name in names:
        if name not in ds.variables:
            problems.add(
                name,
                expected=f"{what} in the dataset",
                got="no such variable",
                fix=f"name some of {', '.join(str(v) for v in ds.data_vars if 'time' not in ds[v].dims)}",
            )
            continue
        extra = [str(d) for d in ds[name].dims if d not in site_dims]
        if extra:
            problems.add(
                name,
                expected=f"{what} with dims among {site_dims}",
                got=f"dims {ds[name].dims}",
                fix=f'reduce it, for example ds["{name}"].mean({extra})',
            )
            continue
        result[name] = ds[name]
    return result


def check_labels(
    subject: str,
    a: xr.DataArray | xr.Dataset,
    b: xr.DataArray | xr.Dataset,
    problems: Problems,
    *,
    fix: str,
    expected: str = "the labels of the dataset along its dims",
) -> None:
    """Note coordinates of shared dims that differ: values belong to labels, not positions."""
    import xarray as xr

    try:
        xr.align(a, b, join="exact", copy=False)
    except ValueError as error:
        problems.add(
            subject,
            expected=expected,
            got=str(error).splitlines()[0],
            fix=fix,
        )


def step_in_days(ds: xr.Dataset) -> np.ndarray:
    """Length of every time step of a dataset, in days; shape (time - 1,)."""
    index = ds.indexes["time"]
    return np.array([d.total_seconds() for d in index[1:] - index[:-1]]) / 86400.0


def check_time(ds: xr.Dataset, model: Model, problems: Problems) -> None:
    """Note a time axis that is missing, not increasing, irregular or of another step."""
    index = ds.indexes.get("time")
    if index is None or not hasattr(index, "month"):
        problems.add(
            "time",
            expected="a coordinate of dates along 'time'",
            got="none" if index is None else f"values of dtype {index.dtype}",
            fix='ds = ds.assign_coords(time=xr.date_range("2000-01-01", periods=ds.sizes["time"]))',
        )
        return
    if not len(index):
        problems.add("time", expected="at least one step", got="none", fix="select a period that ds covers")
    steps = step_in_days(ds)
    if steps.size and (steps <= 0).any():
        where = index[int(np.argmax(steps <= 0)) + 1]
        problems.add(
            "time",
            expected="strictly increasing dates",
            got=f"a step back or a repeat at {where}",
            fix='ds = ds.sortby("time").drop_duplicates("time")',
        )
    elif steps.size and not np.allclose(steps, model.dt, rtol=1e-6):
        odd = int(np.argmax(~np.isclose(steps, model.dt, rtol=1e-6)))
        regular = np.allclose(steps, steps[0])
        problems.add(
            "time",
            expected=f"a step of {model.dt:g} days everywhere",
            got=f"{steps[odd]:g} days after {index[odd]}",
            fix=f'ds.resample(time="{model.dt:g}D"), or give the model dt={steps[0]:g}'
            if regular
            else f'ds = ds.resample(time="{model.dt:g}D").asfreq() and fill the gaps yourself',
        )


def _check_chunks(inputs: Mapping[str, Found], problems: Problems) -> None:
    for f in inputs.values():
        chunks = dict(f.data.chunksizes) if f.data.chunks else {}
        if len(chunks.get("time", ())) > 1:
            problems.add(
                f.variable,
                expected="time in one chunk, since the state runs through it",
                got=f"{len(chunks['time'])} chunks along time",
                fix="ds = ds.chunk(time=-1)",
            )


def as_float(array: xr.DataArray, dtype: Any = None) -> xr.DataArray:
    """Floating values: `dtype` if given, else as they are, integers as float64."""
    if dtype is not None:
        return array.astype(dtype, copy=False)
    return array if array.dtype.kind == "f" else array.astype(np.float64)
