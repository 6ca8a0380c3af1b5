"""Learn on real satellite soil moisture: SMAP over the contiguous USA."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import xarray as xr

from xdpl import data
from xdpl.demo.writing import write
from xdpl.evaluation import metrics
from xdpl.fit import Fit
from xdpl.learn import learn
from xdpl.models.vic import VIC
from xdpl.networks import MLP
from xdpl.pet import pet
from xdpl.simulate import simulate

__all__ = [
    "ATTRIBUTES",
    "OTHER_SITES",
    "PLACE",
    "SAME_SITES",
    "TEST",
    "TRAIN",
    "learn_smap",
    "prepare_smap",
    "smap",
]

TRAIN = slice("2015-04-01", "2016-03-31")
TEST = slice("2016-04-01", "2017-03-31")
SOIL = ("sand", "silt", "clay", "bulk_density", "soil_water_capacity", "ndvi")
CLIMATE = (
    "mean_precipitation",
    "mean_temperature",
    "mean_pet",
    "log_aridity",
    "wet_day_fraction",
    "temperature_spread",
    "snow_fraction",
)
PLACE = ("latitude", "longitude")
ATTRIBUTES = (*SOIL, *CLIMATE, *PLACE)
# Model, network and learning rate, chosen on the training year: for another time at the
# same sites, and for other sites. The morning overpass is late in the day of the forcing.
SAME_SITES = (VIC(soil_moisture_at=0.75), MLP(hidden=(256, 256), dropout=0.2), 1e-2)
OTHER_SITES = (VIC(), MLP(hidden=(256, 256), dropout=0.5), 5e-3)


def prepare_smap() -> xr.Dataset:
    """Open `smap_conus412`, add evapotranspiration, climate and place as attributes.

    Returns
    -------
    Dataset, (site, time)
        The two years with soil moisture. The site without soil texture is NaN
        throughout. Climate is that of the training period.
    """
    ds = data.open("smap_conus412").sel(time=slice(None, TEST.stop))
    textured = ds["sand"].notnull()
    ds = ds.where(textured)
    ds["potential_evapotranspiration"] = pet(ds, "fao56")
    past = ds.sel(time=TRAIN)
    rain, temperature = past["pr"], past["tas"] - 273.15
    demand = past["potential_evapotranspiration"]
    climate = {
        "mean_precipitation": (rain.mean("time"), "mm d-1"),
        "mean_temperature": (temperature.mean("time"), "degC"),
        "mean_pet": (demand.mean("time"), "mm d-1"),
        "log_aridity": (np.log(demand.mean("time") / rain.mean("time")), "1"),
        "wet_day_fraction": ((rain > 1.0).mean("time"), "1"),
        "temperature_spread": (temperature.std("time"), "K"),
        "snow_fraction": (rain.where(temperature < 0.0, 0.0).mean("time") / rain.mean("time"), "1"),
    }
    for name, (values, units) in climate.items():
        ds[name] = values
        ds[name].attrs = {"units": units, "comment": f"of {TRAIN.start} to {TRAIN.stop}"}
    for name, coordinate in zip(PLACE, ("lat", "lon"), strict=True):
        ds[name] = ds[coordinate].reset_coords(drop=True).assign_attrs(units="degree")
    return ds.where(textured)


def learn_smap(
    ds: xr.Dataset,
    sites: xr.DataArray | None = None,
    *,
    attributes: Sequence[str] = ATTRIBUTES,
    epochs: int = 150,
    seed: int = 0,
    progress: bool = True,
) -> Fit:
    """Learn VIC on the training year of some sites, with the settings of the documentation.

    Parameters
    ----------
    ds : Dataset
        From `prepare_smap`.
    sites : DataArray of bool, (site,), optional
        Training sites, to predict others; all if not given, to predict another
        time. The two with suspect retrievals never count.
    attributes : sequence of str
    epochs, seed, progress
        As in `xdpl.learn`.
    """
    sound = ds["smap_ok"] == 1
    model, network, learning_rate = SAME_SITES if sites is None else OTHER_SITES
    return learn(
        ds,
        model,
        target="soil_moisture",
        attributes=attributes,
        network=network,
        loss="site_rmse",
        train=TRAIN,
        sites=sound if sites is None else sound & sites,
        learning_rate=learning_rate,
        epochs=epochs,
        seed=seed,
        progress=progress,
    )


def smap(*, out: Path, epochs: int = 150, seed: int = 0, progress: bool = True) -> Fit:
    """Learn on a year of SMAP, print the scores of the next year, write maps and netCDF to `out`."""
    ds = prepare_smap()
    fit = learn_smap(ds, epochs=epochs, seed=seed, progress=progress)
    print(fit)
    observed = ds["soil_moisture"].sel(time=TEST)
    default = simulate(ds, "vic", outputs=["soil_moisture"])["soil_moisture"].sel(time=TEST)
    scores = {"uncalibrated": metrics(default, observed), "learned": fit.evaluate(ds, time=TEST)}
    print(f"\ntest {TEST.start} to {TEST.stop}, median of sites")
    print(f"  {'':14}{'RMSE':>8}{'ubRMSE':>8}{'bias':>8}{'correlation':>13}")
    for name, score in scores.items():
        row = [float(score[k].median()) for k in ("rmse", "ubrmse", "bias", "correlation")]
        print(f"  {name:14}{row[0]:8.4f}{row[1]:8.4f}{row[2]:8.4f}{row[3]:13.3f}")
    theta = fit.parameters(ds)
    write(fit, ds, theta, theta, out)
    return fit
