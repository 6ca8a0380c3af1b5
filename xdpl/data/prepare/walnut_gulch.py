"""Walnut Gulch (Arizona): daily data of two semi-arid AmeriFlux towers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr

from xdpl.data.prepare.cf import Variable, f4, lat, lon, time, variable
from xdpl.data.prepare.store import Prepared

__all__ = ["prepare"]

_REPOSITORY = "https://github.com/UW-Hydro/VIC_sample_data@997fc6bdc423cba72dac7895098d636172179967"
_SITES = {"WKG": "US-Wkg", "WHS": "US-Whs"}
_COLUMNS = (
    "year month day PREC Tmax Tmin Tair SWdown LWdown RH Patm Wind ET Tsdep1 Tsdep2 Tsdep3 Tsdep4 Tsdep5 "
    "SM1 SM2 SM3 SM4 SM5 Tsoil1 Tsoil2 Tsoil3 Tsoil4 Tsoil5 SWnet LWnet H LE FG"
).split()
_PARTIAL = "daily mean of the hours with data; days with few hours are not screened"
_RESOLUTION = "source resolution 0.01"
_WATER = "volume_fraction_of_condensed_water_in_soil"
_SW = "surface_downwelling_shortwave_flux_in_air"
_LW = "surface_downwelling_longwave_flux_in_air"
_ET = ("evapotranspiration (eddy covariance)", "lwe_water_evaporation_rate")

# name, source column, units, long name, standard name, further attributes
_VARIABLES: tuple[tuple[str, str, str, str, str, dict[str, str]], ...] = (
    ("pr", "PREC", "mm/day", "precipitation", "lwe_precipitation_rate", {"cell_methods": "time: sum"}),
    ("tasmax", "Tmax", "degC", "maximum air temperature", "air_temperature", {}),
    ("tasmin", "Tmin", "degC", "minimum air temperature", "air_temperature", {}),
    ("tas", "Tair", "degC", "mean air temperature", "air_temperature", {}),
    (
        "rsds",
        "SWdown",
        "W/m^2",
        "downward shortwave radiation",
        _SW,
        {"comment": f"{_PARTIAL}; values above 450 W/m^2 (partial days) set to NaN"},
    ),
    ("rlds", "LWdown", "W/m^2", "downward longwave radiation", _LW, {"comment": _PARTIAL}),
    ("hurs", "RH", "percent", "relative humidity", "relative_humidity", {}),
    ("ps", "Patm", "Pa", "air pressure", "surface_air_pressure", {}),
    ("wind", "Wind", "m/s", "wind speed", "wind_speed", {}),
    ("et_obs", "ET", "mm/day", *_ET, {}),
    ("soil_moisture_5cm", "SM1", "m^3/m^3", "soil moisture at 5 cm", _WATER, {"comment": _RESOLUTION}),
    ("soil_moisture_15cm", "SM2", "m^3/m^3", "soil moisture at 15 cm", _WATER, {"comment": _RESOLUTION}),
    ("soil_temperature_5cm", "Tsoil1", "degC", "soil temperature at 5 cm", "soil_temperature", {}),
    ("soil_temperature_15cm", "Tsoil2", "degC", "soil temperature at 15 cm", "soil_temperature", {}),
    ("hfss", "H", "W/m^2", "sensible heat flux", "surface_upward_sensible_heat_flux", {}),
    ("hfls", "LE", "W/m^2", "latent heat flux", "surface_upward_latent_heat_flux", {}),
    ("hfg", "FG", "W/m^2", "ground heat flux", "downward_heat_flux_in_soil", {}),
)
_SOURCE = {
    "title": "Walnut Gulch (Arizona): daily tower meteorology, soil moisture, ET and energy fluxes at US-Wkg "
    "(2004-2012) and US-Whs (2007-2012)",
    "featureType": "timeSeries",
    "source_repository": f"{_REPOSITORY} path obs/WalnutGulch/AMERIFLUX/*/stdfmt/*.stdfmt.daily.txt",
    "license": "AmeriFlux L2 V006/V004 (2013) data policy: freely available, inform/acknowledge PI R. Scott "
    "(USDA-ARS); current AmeriFlux releases carry their own licence per site (check ameriflux.lbl.gov; "
    "CC-BY-4.0 expected). Repository: GPL-2.0.",
    "references": "Scott et al. (2015) doi:10.1002/2015JG003181; VIC_sample_data docs/WalnutGulch.md",
    "comment": "-9999 -> NaN. SWnet/LWnet (all zero in the source) and layers 3-5 (all missing) dropped. "
    "Daily file has Tmax, Tmin after PREC although the documentation lists the hourly columns only.",
}


def prepare(root: Path) -> Prepared:
    """Prepare the dataset from the files of the repository at `root`."""
    tables = [_table(root / f"obs/WalnutGulch/AMERIFLUX/{s}/stdfmt/{s}.stdfmt.daily.txt") for s in _SITES]
    # The first tower has the longer record.
    tables[1] = tables[1].reindex(tables[0].index)
    height = {"units": "m", "standard_name": "surface_altitude"}
    name = {"cf_role": "timeseries_id", "long_name": "AmeriFlux site"}
    ds = xr.Dataset(
        {row[0]: _variable(tables, *row[1:]) for row in _VARIABLES},
        coords={
            "time": time(tables[0].index),
            "site": ("site", np.array(list(_SITES.values()), dtype=object), name),
            "lat": lat("site", [31.7365, 31.7438]),
            "lon": lon("site", [-109.9419, -110.0522]),
            "elevation": ("site", f4([1531.0, 1370.0]), height),
        },
        attrs=_SOURCE,
    )
    return Prepared(ds)


def _table(path: Path) -> pd.DataFrame:
    table = pd.read_csv(path, sep=r"\s+", header=None, names=_COLUMNS)
    table.index = pd.DatetimeIndex(pd.to_datetime(table[["year", "month", "day"]]), name="time")
    table = table.drop(columns=["year", "month", "day"])
    return table.where(table > -9000)


def _variable(
    tables: list[pd.DataFrame], column: str, units: str, what: str, standard_name: str, attrs: dict[str, str]
) -> Variable:
    values: npt.NDArray[np.float32] = f4(
        [table[column] * (1000 if column == "Patm" else 1) for table in tables]
    )
    if column == "SWdown":
        values = np.where(values > 450, np.nan, values).astype("f4")
    return variable(("site", "time"), values, units, what, standard_name, **attrs)
