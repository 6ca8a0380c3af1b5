"""Learn streamflow of hundreds of basins: MOPEX, USA."""

from __future__ import annotations

import numpy as np
import xarray as xr

from xdpl import data
from xdpl.demo.climate import climate_indices

__all__ = ["TEST", "TRAIN", "VALIDATE", "attributes_of", "prepare_mopex"]

TRAIN = slice("1970-10-01", "1980-09-30")
TEST = slice("1980-10-01", "1990-09-30")
# Choices are made within the training period: its first seven years against its last three.
CHOOSE = slice("1970-10-01", "1977-09-30")
VALIDATE = slice("1977-10-01", "1980-09-30")
_TABLES = {"soil_texture": "texture", "igbp": "igbp_class", "greenness": "month", "pet_month": "month"}
_SOIL = ("porosity", "theta_upper", "wilting_point", "retention_slope")


def prepare_mopex(climate: slice = TRAIN, *, observed: float = 0.99) -> xr.Dataset:
    """Open `mopex438_1970-1990`: basins with complete forcings and streamflow, with attributes.

    Parameters
    ----------
    climate : slice
        Period of the climate indices.
    observed : float
        Basins are left out unless streamflow is known on more than this fraction of the days.

    Returns
    -------
    Dataset, (time, basin)
        359 basins, if they are to be known on 99 % of the days. Forcings by the names of HBV,
        `streamflow`, and one variable for each attribute, of which `attributes_of` gives the
        names: position, area, soil, land cover, greenness and evapotranspiration of each month,
        climate.
    """
    raw = data.open("mopex438_1970-1990")
    raw = raw.isel(
        basin=np.flatnonzero((raw["forcing_complete"] == 1) & (raw["q_valid_fraction"] > observed))
    )
    raw = raw.transpose("time", ...)
    temperature = 0.5 * (raw["tasmin"] + raw["tasmax"])
    ds = xr.Dataset(
        {
            "precipitation": raw["pr"].assign_attrs(units="mm d-1"),
            "air_temperature": temperature.drop_attrs().assign_attrs(units="degC"),
            "potential_evapotranspiration": raw["evspsblpot"].assign_attrs(units="mm d-1"),
            "streamflow": raw["q"].assign_attrs(units="mm d-1"),
        }
    )
    static: dict[str, tuple[xr.DataArray, str]] = {
        "latitude": (raw["lat"].reset_coords(drop=True), "degree"),
        "longitude": (raw["lon"].reset_coords(drop=True), "degree"),
        "log_area": (xr.apply_ufunc(np.log, raw["area"]), "1"),
        "log_ksat": (xr.apply_ufunc(np.log, raw["ksat"]), "1"),
        **{name: (raw[name], "1") for name in _SOIL},
    }
    for table, dim in _TABLES.items():
        for i, label in enumerate(raw[dim].values):
            static[f"{table}_{label}"] = (raw[table].isel({dim: i}, drop=True), raw[table].attrs["units"])
    past = ds.sel(time=climate)
    indices = climate_indices(
        past["precipitation"], past["air_temperature"], past["potential_evapotranspiration"]
    )
    ds = ds.assign({k: v.drop_attrs(deep=False).assign_attrs(units=u) for k, (v, u) in static.items()})
    return ds.assign(indices.data_vars).drop_vars(["texture", "igbp_class", "month"], errors="ignore")


def attributes_of(ds: xr.Dataset) -> list[str]:
    """Names of the attributes of `prepare_mopex` that differ between basins."""
    static = [str(k) for k, v in ds.data_vars.items() if "time" not in v.dims]
    return [k for k in static if float(ds[k].std()) > 1e-4]
