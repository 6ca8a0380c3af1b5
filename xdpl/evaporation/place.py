"""Latitude and day of year of a dataset."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from xdpl import units
from xdpl.labelled import lookup

if TYPE_CHECKING:
    import xarray as xr

    from xdpl.errors import Problems
    from xdpl.models.base import Forcing

__all__ = ["check_dims", "check_time", "day_of_year", "find_latitude", "latitude_in_degrees"]

_DAY = np.timedelta64(1, "D")


def find_latitude(ds: xr.Dataset, mapping: Mapping[str, str], problems: Problems) -> str | None:
    """Name of the latitude: by mapping, then `latitude` or `lat`, then by standard name.

    Parameters
    ----------
    ds : Dataset
    mapping : mapping of declared name to variable name
    problems : Problems
        Takes a note if it is missing or ambiguous.
    """
    explicit = mapping.get("latitude")
    for name in ("latitude", "lat") if explicit is None else (explicit,):
        if name in ds.variables:
            return name
    same = [str(n) for n, v in ds.variables.items() if v.attrs.get("standard_name") == "latitude"]
    if explicit is not None:
        got = f"no variable {explicit!r}"
    elif len(same) == 1:
        return same[0]
    else:
        got = f"{len(same)} with that standard_name: {', '.join(same)}" if same else "none"
    problems.add(
        "latitude",
        expected="a coordinate named 'latitude' or 'lat' or with standard_name 'latitude', in degrees",
        got=got,
        fix='ds = ds.assign_coords(lat=("<dim>", values, {"units": "degrees_north"}))',
    )
    return None


def latitude_in_degrees(ds: xr.Dataset, name: str, problems: Problems) -> xr.Variable:
    """Latitude in degrees.

    Parameters
    ----------
    ds : Dataset
    name : str
        Name of the latitude.
    problems : Problems
        Takes a note of units that are missing or no angle, and of values beyond the poles.
    """
    array = ds[name]
    if units.read(array) is None:
        problems.add(
            "latitude",
            expected="units convertible to 'degrees'",
            got=f"{name!r} without a units attribute",
            fix=f'ds["{name}"].attrs["units"] = "degrees_north"',
        )
        return array.variable.to_base_variable()
    before = len(problems.found)
    latitude = lookup.in_units(array, "degrees", problems, subject="latitude").variable.to_base_variable()
    if len(problems.found) > before:
        return latitude
    if latitude.chunks is None and bool((abs(latitude) > 90.0).any()):
        problems.add(
            "latitude",
            expected="degrees between -90 and 90",
            got=f"{name!r} between {float(latitude.min()):g} and {float(latitude.max()):g}",
            fix=f'correct ds["{name}"], or name another: forcings={{"latitude": "<variable>"}}',
        )
    return latitude


def check_time(ds: xr.Dataset, problems: Problems) -> None:
    """Note a missing time dimension, times without a date and steps under a day.

    Parameters
    ----------
    ds : Dataset
    problems : Problems
    """
    if "time" not in ds.dims:
        problems.add(
            "time",
            expected="a dimension 'time'",
            got=f"dimensions {', '.join(map(str, ds.dims)) or 'none'}",
            fix='ds.rename({"<your time dimension>": "time"})',
        )
        return
    time = ds["time"]
    if "time" not in ds.coords or not (time.dtype.kind == "M" or _is_cftime(time)):
        problems.add(
            "time",
            expected="a coordinate 'time' of dates",
            got=f"values of dtype {time.dtype}" if "time" in ds.coords else "a dimension without coordinate",
            fix="ds = ds.assign_coords(time=pd.date_range(...)), or decode it: xr.decode_cf(ds)",
        )
    elif time.size > 1 and bool((time.diff("time").astype("timedelta64[ns]") < _DAY).any()):
        problems.add(
            "time",
            expected="steps of a day or more, in order",
            got="shorter or backward steps",
            fix='ds.sortby("time").resample(time="1D").mean()',
        )


def check_dims(ds: xr.Dataset, chosen: Mapping[Forcing, str], problems: Problems) -> None:
    """Note a first variable, the temperature, that has no time dimension.

    Parameters
    ----------
    ds : Dataset
    chosen : mapping of Forcing to variable name
    problems : Problems
    """
    for forcing, name in list(chosen.items())[:1]:
        if "time" in ds.dims and "time" not in ds[name].dims:
            problems.add(
                forcing.name,
                expected="a dimension 'time'",
                got=f"{name!r} with dimensions {', '.join(map(str, ds[name].dims)) or 'none'}",
                fix=f'forcings={{"{forcing.name}": "<variable>"}}',
            )


def _is_cftime(time: xr.DataArray) -> bool:
    return time.size > 0 and hasattr(time.values.flat[0], "dayofyr")


def day_of_year(ds: xr.Dataset) -> xr.Variable:
    """Day of the year of each time, 1 to 366, in double precision.

    Parameters
    ----------
    ds : Dataset
        With a coordinate `time` of dates.
    """
    return ds["time"].dt.dayofyear.astype(np.float64).variable
