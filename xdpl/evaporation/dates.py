"""Times and dims of a dataset that potential evapotranspiration needs, and its days of the year."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import xarray as xr

    from xdpl.errors import Problems
    from xdpl.models.base import Forcing

__all__ = ["check_dims", "check_time", "day_of_year"]

_DAY = np.timedelta64(1, "D")


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
