"""MOPEX: daily data and attributes of 438 US basins, 1970-10-01 to 1990-09-30."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from xdpl.data.prepare.cf import Variable, f4, flag, lat, lon, time, variable
from xdpl.data.prepare.mopex_daily import Daily, read_daily
from xdpl.data.prepare.mopex_static import IGBP, TEXTURES, position, static
from xdpl.data.prepare.store import Prepared

__all__ = ["prepare"]

_START, _END = "1970-10-01", "1990-09-30"
_SOURCE = {
    "title": "MOPEX: daily precipitation, PET, temperature, streamflow and attributes of 438 US basins, "
    f"{_START} to {_END}",
    "featureType": "timeSeries",
    "institution": "NOAA National Weather Service, Office of Hydrologic Development",
    "source_repository": "https://github.com/feng-ecohydro/MOPEX@5f1fbb6a4fa7b120be36d366c1b1b7781f95d51e "
    "paths Us_438_Daily, Basin_characteristics",
    "source": "MOPEX US data set, ftp/https hydrology.nws.noaa.gov/pub/gcip/mopex/US_Data/",
    "license": "Public domain (work of the US Government, NOAA/NWS; streamflow USGS). The mirror repository "
    "states no licence of its own.",
    "references": "Duan et al. (2006) doi:10.1016/j.jhydrol.2005.07.031; Schaake, Cong & Duan (2006) US "
    "MOPEX data set, IAHS Publ. 307; Farnsworth et al. (1982) NOAA TR NWS 33",
}
_COMMENT = (
    "Cleaning: P/PET/Q <= -98.9 and every negative Q set to NaN; Tmin and Tmax swapped on days with "
    "Tmin>Tmax; days with T outside (-60,50)/(-60,40) degC (sentinel -99 F and spikes) replaced by linear "
    "interpolation in time; values rounded to 0.01 mm/day (P, PET), 0.001 mm/day (Q), 0.1 degC "
    "(temperature). Full source period is 1948-2003. "
)
_STEPS = {
    "pr": ("i2", 0.01),
    "evspsblpot": ("i2", 0.01),
    "tasmax": ("i2", 0.1),
    "tasmin": ("i2", 0.1),
    "q": ("i4", 0.001),
}


def prepare(root: Path) -> Prepared:
    """Prepare the dataset from the files of the repository at `root`.

    The basins are those with a daily file there.
    """
    files = sorted((root / "Us_438_Daily").glob("*.dly"))
    ids = [path.stem for path in files]
    daily = read_daily(files, _START, _END)
    tables = root / "Basin_characteristics"
    lats, lons = position(tables, ids)
    names = {"long_name": "USGS gauge number", "cf_role": "timeseries_id"}
    ds = xr.Dataset(
        _series(daily) | _flags(daily) | static(tables, ids),
        coords={
            "time": time(pd.date_range(_START, _END)),
            "basin": ("basin", np.array(ids, dtype=object), names),
            "lat": lat("basin", lats),
            "lon": lon("basin", lons),
            "texture": ("texture", _labels(TEXTURES), {"long_name": "USDA soil texture class"}),
            "igbp_class": ("igbp_class", _labels(IGBP), {"long_name": "IGBP land-cover class"}),
            "month": ("month", np.arange(1, 13, dtype="i1"), {"long_name": "month of year", "units": "1"}),
        },
        attrs=_SOURCE | {"comment": _COMMENT + str(daily.cleaned)},
    )
    return Prepared(ds, steps=_STEPS, chunks={"basin": 16, "time": ds.sizes["time"]})


def _labels(names: str) -> Any:
    return np.array(names.split(), dtype=object)


def _series(daily: Daily) -> dict[str, Variable]:
    dims = ("basin", "time")
    rain = "mean areal precipitation (NWS Hydrology Laboratory)"
    evaporation = (
        "climatological potential evaporation (NOAA Freewater Evaporation Atlas; same seasonal cycle "
        "every year)"
    )
    flow = "observed streamflow per unit catchment area (USGS NWIS)"
    day_sum, day_mean = {"cell_methods": "time: sum"}, {"cell_methods": "time: mean"}

    def extreme(values: Any, which: str) -> Variable:
        what = f"daily {which} air temperature"
        return variable(dims, values, "degC", what, "air_temperature", cell_methods=f"time: {which}")

    return {
        "pr": variable(dims, daily.rain, "mm/day", rain, "lwe_precipitation_rate", **day_sum),
        "evspsblpot": variable(dims, daily.evaporation, "mm/day", evaporation, **day_sum),
        "tasmax": extreme(daily.warmest, "maximum"),
        "tasmin": extreme(daily.coldest, "minimum"),
        "q": variable(dims, daily.flow, "mm/day", flow, **day_mean),
    }


def _flags(daily: Daily) -> dict[str, Variable]:
    both = np.isfinite(daily.flow) & np.isfinite(daily.rain)
    wetter = [
        bool(days.any()) and rain[days].mean() > flow[days].mean()
        for days, rain, flow in zip(both, daily.rain, daily.flow, strict=True)
    ]
    complete = (np.isfinite(daily.rain) & np.isfinite(daily.evaporation)).all(axis=1)
    return {
        "water_balance_ok": flag(
            "basin",
            wetter,
            "1 where mean P exceeds mean Q over the days with both in this file (0 also where the basin has "
            "no streamflow in this file)",
            "no yes",
        ),
        "forcing_complete": flag(
            "basin", complete, "1 where precipitation and PET have no gap in this file", "no yes"
        ),
        "q_valid_fraction": variable(
            "basin",
            f4(np.isfinite(daily.flow).mean(axis=1)),
            "1",
            "fraction of days with observed streamflow in this file",
        ),
    }
