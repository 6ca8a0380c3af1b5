"""ERA5-Land precipitation and temperature over southern Quebec, 1970."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from xdpl.data.prepare.cf import Variable, f4, time, variable
from xdpl.data.prepare.store import Prepared

__all__ = ["prepare"]

_REPOSITORY = "https://github.com/hydrologie/xhydro-testdata@927853564952dd202b48fafe79b4482862f9a3ee"
_FILE = "data/precip_oi/ERA5_land_3_variables_raw_subset.nc"
_DIMS = ("time", "lat", "lon")
_BITS = {"pr": 12, "tasmax": 13, "tasmin": 13, "tas": 13, "evspsblpot": 12}
_SOURCE = {
    "title": "ERA5-Land daily precipitation and temperature, 0.1 degree, 44.1-47.0 N, 75.0-72.1 W (southern "
    "Quebec, northern New York/Vermont), 1970",
    "source_repository": f"{_REPOSITORY} path {_FILE}",
    "source": "ERA5-Land reanalysis (ECMWF / Copernicus Climate Change Service), daily aggregates",
    "license": "Contains modified Copernicus Climate Change Service information; ERA5-Land licence to use "
    "Copernicus products (since 2025 CC-BY-4.0): free use and redistribution with attribution. The "
    "xhydro-testdata repository states no licence of its own.",
    "references": "Munoz Sabater et al. (2021) doi:10.5194/essd-13-4349-2021; "
    "Oudin et al. (2005) doi:10.1016/j.jhydrol.2004.08.026",
    "comment": "lat sorted south to north; lake cells carry ERA5-Land values, no mask in the source",
}


def prepare(root: Path) -> Prepared:
    """Prepare the dataset from the files of the repository at `root`."""
    source = xr.load_dataset(root / _FILE, engine="h5netcdf")
    source = source.transpose("time", "latitude", "longitude").sortby("latitude")
    lats, lons = (np.round(source[name].values, 4) for name in ("latitude", "longitude"))
    ds = xr.Dataset(
        _variables(source, lats),
        coords={
            "time": time(source["time"].values),
            "lat": ("lat", lats, {"units": "degrees_north", "standard_name": "latitude", "axis": "Y"}),
            "lon": ("lon", lons, {"units": "degrees_east", "standard_name": "longitude", "axis": "X"}),
        },
        attrs=_SOURCE,
    )
    return Prepared(ds, bits=_BITS, chunks={"time": 365, "lat": 30, "lon": 30})


def _variables(source: xr.Dataset, lats: npt.NDArray[Any]) -> dict[str, Variable]:
    warmest, coldest, rain = (f4(source[name].values) for name in ("tasmax", "tasmin", "tp"))
    mean = (warmest + coldest) / 2
    evaporation = _oudin(mean, lats, source["time"].dt.dayofyear.values)

    def extreme(values: npt.NDArray[np.float32], which: str) -> Variable:
        return variable(
            _DIMS,
            values,
            "degC",
            f"daily {which} 2 m air temperature (ERA5-Land)",
            "air_temperature",
            cell_methods=f"time: {which}",
            comment="source attribute units = 'mm d-1' is wrong; the values are degrees Celsius",
        )

    return {
        "pr": variable(
            _DIMS,
            rain,
            "mm/day",
            "daily total precipitation (ERA5-Land)",
            "lwe_precipitation_rate",
            cell_methods="time: sum",
        ),
        "tasmax": extreme(warmest, "maximum"),
        "tasmin": extreme(coldest, "minimum"),
        "tas": variable(
            _DIMS,
            mean,
            "degC",
            "daily mean air temperature, DERIVED as (tasmax+tasmin)/2",
            "air_temperature",
            cell_methods="time: mean",
        ),
        "evspsblpot": variable(
            _DIMS,
            f4(evaporation),
            "mm/day",
            "potential evapotranspiration, Oudin et al. (2005), DERIVED here from tas and latitude",
            cell_methods="time: sum",
        ),
    }


def _oudin(
    tas: npt.NDArray[np.floating], lats: npt.NDArray[Any], day_of_year: npt.NDArray[Any]
) -> npt.NDArray[np.float64]:
    """Potential evapotranspiration [mm/day] from temperature (time, lat, lon) [degC].

    Extraterrestrial radiation as in FAO-56 equations 21 and 23-25. Kept here, apart from the PET
    methods of the package, so that a change there leaves the dataset as it is.
    """
    day = 2 * np.pi * np.asarray(day_of_year, "f8")[:, None, None] / 365
    phi = np.deg2rad(np.asarray(lats, "f8"))[None, :, None]
    distance = 1 + 0.033 * np.cos(day)
    declination = 0.409 * np.sin(day - 1.39)
    sunset = np.arccos(np.clip(-np.tan(phi) * np.tan(declination), -1, 1))
    geometry = sunset * np.sin(phi) * np.sin(declination) + np.cos(phi) * np.cos(declination) * np.sin(sunset)
    radiation = 24 * 60 / np.pi * 0.0820 * distance * geometry
    return np.where(tas + 5 > 0, radiation / 2.45 * (tas + 5) / 100, 0.0)
