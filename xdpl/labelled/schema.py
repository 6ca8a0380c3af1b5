"""What a model needs against what a dataset has: found, converted, checked."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from xdpl import models, units
from xdpl.errors import Problems
from xdpl.labelled import lookup
from xdpl.labelled.area import per_area
from xdpl.labelled.floats import type_name
from xdpl.models import Model

if TYPE_CHECKING:
    import xarray as xr

__all__ = [
    "Found",
    "check_chunks",
    "check_labels",
    "check_time",
    "forcings",
    "found",
    "present",
    "sources",
    "static",
    "step_in_days",
]


@dataclass(frozen=True)
class Found:
    """One input of a model as found in a dataset.

    Parameters
    ----------
    sources : dict of str to str
        Declared name to variable: of the input itself or of those it is the mean of,
        and of the ``area`` that a volume flow was divided by.
    units : str or None
        Units it has there.
    data : DataArray
        Values in the declared units, without attributes.
    """

    sources: dict[str, str]
    units: str | None
    data: xr.DataArray

    @property
    def variable(self) -> str:
        """Name in the dataset; of several, all of them."""
        return ", ".join(v for k, v in self.sources.items() if k != "area")

    @property
    def area(self) -> str:
        """The variable a volume flow was divided by; empty if it is none."""
        return self.sources.get("area", "")


def forcings(
    ds: xr.Dataset,
    model: Model,
    mapping: Mapping[str, str] | None,
    problems: Problems,
    *,
    convert: bool = True,
) -> dict[str, Found]:
    """Find and convert every forcing of a model; problems are noted, not raised.

    Without `convert` no value is looked at, also of arrays that are read when they are used.
    """
    result = {}
    names = lookup.find(ds, model.forcings, mapping, problems, also=("area",))
    for declared in model.forcings:
        if declared.name not in names:
            continue
        sources = names[declared.name]
        if all(_has_time(ds[variable], problems) for variable in sources.values()):
            hit = found(ds, sources, declared.units, mapping, problems, convert=convert)
            result[declared.name] = hit
    if result:
        check_time(ds, model, problems)
        for variable in dict.fromkeys(v for f in result.values() for v in f.sources.values()):
            check_chunks(variable, units.magnitude(ds[variable]), problems)
    return result


def present(ds: xr.Dataset, model: str | Model, *_: Any, forcings: Any = None, **__: Any) -> list[str]:
    """Forcings of a model that a dataset has; arguments are those of a run, problems are not noted."""
    scratch = Problems("tree")
    return list(lookup.find(ds, models.get(model, scratch.call).forcings, forcings, scratch, also=("area",)))


def _has_time(array: xr.DataArray, problems: Problems) -> bool:
    if "time" not in array.dims:
        problems.add(
            str(array.name),
            expected="a dimension 'time'",
            got=f"dims {array.dims}",
            fix="select times with a slice or a list, so that the dimension stays"
            if "time" in array.coords
            else f'rename it, for example ds.rename({{"{array.dims[0] if array.dims else "t"}": "time"}})',
        )
    return "time" in array.dims


def found(
    ds: xr.Dataset,
    sources: Mapping[str, str],
    declared_units: str,
    mapping: Mapping[str, str] | None,
    problems: Problems,
    *,
    convert: bool = True,
) -> Found:
    """One input in the units a model computes in; the mean of its sources if there are several.

    Parameters
    ----------
    ds : Dataset
    sources : mapping of str to str
        As `lookup.find` gives them.
    declared_units : str
    mapping : mapping of str to str, optional
        May name the area that a volume flow is divided by, as ``"area"``.
    problems : Problems
        Takes a note of units or an area that are missing or do not convert.
    """
    parts, areas = [], {}
    for variable in sources.values():
        _check_type(ds[variable], problems)
        array, area = per_area(ds, variable, declared_units, mapping, problems, convert=convert)
        if convert:
            array = lookup.in_units(array, declared_units, problems)
        else:
            lookup.check_units(array, declared_units, problems)
        parts.append(array)
        if area:
            areas["area"] = area
    said = dict.fromkeys(str(units.read(ds[v])) for v in sources.values() if units.read(ds[v]) is not None)
    data = _mean(parts) if convert else parts[0]
    return Found({**sources, **areas}, ", ".join(said) or None, data)


def _check_type(array: xr.DataArray, problems: Problems) -> None:
    name = type_name(array)
    if not name.startswith(("float32", "float64", "int", "uint")):
        problems.add(
            str(array.name),
            expected="float32, float64 or whole numbers",
            got=name,
            fix=f'ds["{array.name}"] = ds["{array.name}"].astype("float32")',
        )


def _mean(parts: list[xr.DataArray]) -> xr.DataArray:
    data = parts[0]
    for part in parts[1:]:
        data = data + part
    return data if len(parts) == 1 else (data / len(parts)).drop_attrs()


def sources(forcings: Iterable[Found], targets: Iterable[Found]) -> dict[str, str]:
    """Which variable was what, the area of the target among them, so that scoring does the same."""
    named = {k: v for f in forcings for k, v in f.sources.items()}
    areas = [f.area for f in targets if f.area]
    return named | ({"area": areas[0]} if areas else {})


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


def step_in_days(ds: xr.Dataset | xr.DataArray, dim: Hashable = "time") -> np.ndarray:
    """Length of every step along a dim of dates, in days; one less than the dim is long."""
    index = ds.indexes[dim]
    if index.dtype.kind == "M":
        days: np.ndarray = np.diff(index.values) / np.timedelta64(1, "D")
        return days
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
            fix=f'ds = ds.resample(time="{model.dt:g}D").mean(), or give the model dt={steps[0]:g}'
            if regular
            else f'ds = ds.resample(time="{model.dt:g}D").asfreq() and fill the gaps yourself',
        )


def check_chunks(name: str, array: xr.DataArray, problems: Problems, *, of: str = "ds") -> None:
    """Note a lazy array with several chunks along time."""
    chunks = dict(array.chunksizes) if array.chunks else {}
    if len(chunks.get("time", ())) > 1:
        problems.add(
            name,
            expected="time in one chunk, since the state runs through it",
            got=f"{len(chunks['time'])} chunks along time",
            fix=f"{of} = {of}.chunk(time=-1)",
        )
