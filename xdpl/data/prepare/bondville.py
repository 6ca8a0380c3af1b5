"""Bondville (Illinois) tower: half-hourly forcing 2001 and daily observations of one summer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from xdpl.data.prepare.cf import Variable, f4, time, variable
from xdpl.data.prepare.store import Prepared

__all__ = ["prepare"]

_FORCING = "hrldas/HRLDAS_forcing/run/examples/single_point_MLDAS/bondville.dat"
_OBSERVED = "hrldas/run/examples/single_MLDAS/Bondville_obs_2001.dat"
_SOURCE = {
    "title": "Bondville, Illinois (AmeriFlux US-Bo1): 30-minute forcing 2001 with daily soil moisture, LAI "
    "and SIF observations May-September 2001",
    "featureType": "timeSeries",
    "source_repository": "https://github.com/NCAR/hrldas@cd96df470220f7d7133cdbccd5f9c5355cf173e2 "
    f"paths {_FORCING} and {_OBSERVED}",
    "license": "UCAR HRLDAS licence (royalty-free use, modification and distribution; no sale); observations "
    "originate from AmeriFlux site US-Bo1 (T. Meyers, NOAA)",
    "references": "Xu et al. (2021) JAMES doi:10.1029/2020MS002394",
    "noah_soil_category": "8 (STATSGO silty clay loam)",
    "noah_vegetation_category": "12 (MODIFIED_IGBP_MODIS_NOAH croplands)",
    "comment": "File header also gives deep soil temperature 285.0 K, vegetation fraction 1-96 %.",
}
# Noah's four soil layers, from the header of the forcing file.
_THICKNESS = (0.10, 0.30, 0.60, 1.0)
_MOISTURE = (0.298, 0.294, 0.271, 0.307)
_TEMPERATURE = (266.1, 274.0, 276.9, 279.9)


def prepare(root: Path) -> Prepared:
    """Prepare the dataset from the files of the repository at `root`."""
    times, forcing = _forcing(root / _FORCING)
    observed_times, observed = _observed(root / _OBSERVED)
    layers = np.arange(1, 5, dtype="i1")
    ds = xr.Dataset(
        forcing | observed | _initial(),
        coords={
            "time": time(times, long_name="UTC"),
            "time_obs": ("time_obs", observed_times, {"standard_name": "time"}),
            "layer": ("layer", layers, {"units": "1", "long_name": "soil layer, from the surface"}),
            "lat": ((), 40.01, {"units": "degrees_north", "standard_name": "latitude"}),
            "lon": ((), -88.37, {"units": "degrees_east", "standard_name": "longitude"}),
            "elevation": ((), 218.0, {"units": "m", "standard_name": "surface_altitude"}),
        },
        attrs=_SOURCE,
    )
    return Prepared(ds, time_units="minutes since 2001-01-01")


def _forcing(path: Path) -> tuple[Any, dict[str, Variable]]:
    lines = path.read_text().splitlines()
    head = next(number for number, line in enumerate(lines) if line.startswith("yyyy"))
    data = np.array([line.split() for line in lines[head + 2 :] if line.strip()], "f8")
    date = pd.DataFrame(data[:, :5], columns=["year", "month", "day", "hour", "minute"])
    columns = (
        ("wind", 5, 1, "m/s", "wind speed", "wind_speed"),
        ("tas", 6, 1, "K", "air temperature", "air_temperature"),
        ("huss", 7, 1, "kg/kg", "specific humidity", "specific_humidity"),
        ("ps", 8, 100, "Pa", "surface air pressure", "surface_air_pressure"),
        ("rsds", 9, 1, "W/m^2", "downward shortwave radiation", "surface_downwelling_shortwave_flux_in_air"),
        ("rlds", 10, 1, "W/m^2", "downward longwave radiation", "surface_downwelling_longwave_flux_in_air"),
    )
    made = {
        name: variable("time", f4(data[:, column] * factor), units, what, standard_name)
        for name, column, factor, units, what, standard_name in columns
    }
    made["pr"] = variable(
        "time",
        f4(data[:, 11] * 48),
        "mm/day",
        "precipitation rate (30-minute total x 48)",
        "lwe_precipitation_rate",
        cell_methods="time: mean",
    )
    return pd.to_datetime(date).to_numpy(), made


def _observed(path: Path) -> tuple[Any, dict[str, Variable]]:
    table = pd.read_csv(path, sep=r"\s+").dropna(subset="TIMESTAMP")
    times = pd.to_datetime(table["TIMESTAMP"].astype(int).astype(str), format="%Y%m%d%H").to_numpy()
    table = table.replace(-999, np.nan)

    def moisture(column: str, layer: str = "") -> Variable:
        return variable(
            "time_obs",
            f4(table[column]),
            "m^3/m^3",
            f"observed soil moisture, source column {column}{layer}",
            "volume_fraction_of_condensed_water_in_soil",
            comment="from September on the source values are rounded to 0.01 and may be infilled",
        )

    leaves = "observed leaf area index (maize)"
    glow = "solar-induced fluorescence observation (unit not stated in the source)"
    return times, {
        "sm_obs_1": moisture("SM1", " (surface layer)"),
        "sm_obs_2": moisture("SM2"),
        "lai_obs": variable("time_obs", f4(table["LAI"]), "1", leaves, "leaf_area_index"),
        "sif_obs": variable("time_obs", f4(table["SIF"]), "1", glow),
    }


def _initial() -> dict[str, Variable]:
    return {
        "layer_thickness": variable("layer", f4(_THICKNESS), "m", "Noah soil-layer thickness"),
        "sm_init": variable("layer", f4(_MOISTURE), "m^3/m^3", "initial volumetric soil moisture"),
        "ts_init": variable("layer", f4(_TEMPERATURE), "K", "initial soil temperature"),
    }
