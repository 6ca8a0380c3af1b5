"""Measurements at towers: soil moisture near the surface to learn from, other variables to be scored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import xarray as xr

from xdpl import data
from xdpl.pet import pet

__all__ = ["DEEP", "Tower", "bondville", "walnut_gulch"]

#: Water content of the second layer of `vic`, m3 m-3: not an output of the model, but made of two.
DEEP = "deep_soil_moisture"

# Temperatures are interpolated over gaps of at most this many days.
_LONGEST_GAP = 15


@dataclass(frozen=True)
class Tower:
    """One or more towers with a common record.

    Parameters
    ----------
    ds : Dataset, (site, time)
        Forcings by their names, and what was observed, each with units; latitude and
        longitude of the sites.
    train, test : slice
        Periods, by dates.
    warmup : int
        Days before the training period that are run but not compared.
    observed : mapping of str to str
        Variables of `ds` that outputs of the model, or ``"deep_soil_moisture"``, are compared with;
        the target among them.
    """

    ds: xr.Dataset
    train: slice
    test: slice
    warmup: int
    observed: Mapping[str, str]


def walnut_gulch() -> Tower:
    """Two towers of semi-arid grass and shrubs in Arizona, US-Wkg and US-Whs, 2007 to 2012.

    Potential evapotranspiration after Hargreaves, since longwave radiation is missing for years. Gaps of
    up to 15 days in the temperatures are interpolated in time, and counted in the attributes; the
    record begins after the one gap in precipitation. Moisture is that at 5 cm, and at 15 cm.
    """
    raw = data.open("walnut_gulch_ameriflux_daily").sel(time=slice("2007-07-15", None))
    temperatures = ["tas", "tasmin", "tasmax"]
    gaps = raw["tas"].isnull().sum("time")
    limit = np.timedelta64(_LONGEST_GAP + 1, "D")
    for name in temperatures:
        filled = raw[name].interpolate_na("time", max_gap=limit)
        raw[name] = filled.astype(raw[name].dtype).assign_attrs(raw[name].attrs)
    extremes = {"air_temperature_min": "tasmin", "air_temperature_max": "tasmax"}
    ds = xr.Dataset(
        {
            "precipitation": raw["pr"],
            "air_temperature": raw["tas"],
            "potential_evapotranspiration": pet(raw, "hargreaves", forcings=extremes),
            "soil_moisture": raw["soil_moisture_5cm"],
            DEEP: raw["soil_moisture_15cm"],
            "evapotranspiration": raw["et_obs"],
        }
    )
    ds["air_temperature"].attrs["comment"] = "days interpolated: " + ", ".join(
        f"{site} {int(days)}" for site, days in zip(gaps["site"].values, gaps.values, strict=True)
    )
    observed = {k: k for k in ("soil_moisture", DEEP, "evapotranspiration")}
    return Tower(ds, slice("2008-01-01", "2009-12-31"), slice("2010-01-01", "2012-12-31"), 170, observed)


def bondville() -> Tower:
    """A tower over maize in Illinois, US-Bo1, 2001: a single summer of soil moisture, no evapotranspiration.

    Days are those of UTC. Potential evapotranspiration after FAO-56, from daily means. From September on
    the moisture in the source may be infilled: the test ends before. The depth of the lower sensor is
    not stated in the source.
    """
    raw = data.open("bondville_2001")
    hourly = raw.drop_dims(["time_obs", "layer"])
    daily = hourly.resample(time="1D").mean()
    for name, variable in hourly.data_vars.items():
        daily[name].attrs = dict(variable.attrs)
    ds = xr.Dataset(
        {
            "precipitation": daily["pr"],
            "air_temperature": daily["tas"],
            "potential_evapotranspiration": pet(daily, "fao56"),
        }
    )
    for name, source in (("soil_moisture", "sm_obs_1"), (DEEP, "sm_obs_2")):
        ds[name] = raw[source].rename(time_obs="time").reindex(time=ds["time"])
        ds[name].attrs = dict(raw[source].attrs)
    place = {k: ("site", [float(raw[k])], dict(raw[k].attrs)) for k in ("lat", "lon")}
    ds = ds.reset_coords(drop=True).expand_dims(site=["US-Bo1"]).assign_coords(place)
    observed = {"soil_moisture": "soil_moisture", DEEP: DEEP}
    return Tower(ds, slice("2001-05-01", "2001-07-15"), slice("2001-07-16", "2001-08-31"), 120, observed)
