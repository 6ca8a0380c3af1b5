"""A synthetic world whose parameters are known: the embedded default dataset."""

from __future__ import annotations

import json
from collections.abc import Collection

import numpy as np
import xarray as xr

from xdpl.data.truth import RELATIONS, USUAL, true_parameters
from xdpl.data.weather import daily_weather, grid_coordinates, smooth_fields
from xdpl.errors import Problems

__all__ = ["twin"]


def twin(
    shape: tuple[int, int] = (20, 20),
    *,
    years: int = 3,
    seed: int = 0,
    noise: float = 0.02,
    missing: float = 0.5,
    varying: Collection[str] = USUAL,
) -> xr.Dataset:
    """Make a synthetic world in which the model `vic` is the truth.

    Smooth attributes determine some parameters through a known nonlinear
    relation; the model turns synthetic weather into soil moisture, which is
    observed with noise and gaps. Nothing is downloaded.

    Parameters
    ----------
    shape : (int, int)
        Cells along latitude and longitude.
    years : int
        Length of the record, from 2001-01-01.
    seed : int
        The same seed makes the same world.
    noise : float
        Standard deviation of the observation error, m3 m-3.
    missing : float
        Fraction of days without an observation, 0 to below 1.
    varying : collection of str
        Parameters of `vic` that follow the attributes; the others keep their defaults everywhere, where
        a fresh network starts. All 17, ``xdpl.models.get("vic").defaults()``, make a world in which
        nothing is given away.

    Returns
    -------
    Dataset, (time, lat, lon)
        Forcings ``precipitation``, ``air_temperature``,
        ``potential_evapotranspiration``; attributes ``sand``, ``clay``,
        ``ndvi``, ``elevation`` and ``slope`` (which determines nothing);
        ``soil_moisture`` as observed. The truth: ``true_soil_moisture``,
        ``true_evapotranspiration`` (never observed) and one ``true_<parameter>``
        per parameter that is not at its default.

    Raises
    ------
    InputErrors
        If an argument is out of range.

    Examples
    --------
    >>> import xdpl
    >>> ds = xdpl.data.twin(shape=(4, 5), years=1)
    """
    from xdpl.models import get
    from xdpl.simulate import simulate

    _check(shape, years, noise, missing, varying)
    generator = np.random.default_rng(seed)
    days = np.arange("2001-01-01", f"{2001 + years}-01-01", dtype="datetime64[D]")
    time = xr.DataArray(days.astype("M8[ns]"), dims="time")
    coords = {"time": time.assign_attrs(standard_name="time", long_name="time"), **grid_coordinates(shape)}
    ds = xr.Dataset(coords=coords)
    _add_attributes(ds, generator, shape)
    _add_forcings(ds, generator, shape)
    theta = true_parameters(ds, varying)
    sim = simulate(ds, "vic", theta, outputs=["soil_moisture", "evapotranspiration"], dtype=np.float64)
    for name in sim.data_vars:
        ds[f"true_{name}"] = sim[name].astype(np.float32)
    observed = sim["soil_moisture"] + noise * generator.normal(size=sim["soil_moisture"].shape)
    seen = generator.random(sim["soil_moisture"].shape) >= missing
    ds["soil_moisture"] = observed.where(seen).astype(np.float32)
    ds["soil_moisture"].attrs = sim["soil_moisture"].attrs | {
        "long_name": "observed water content of layer 1"
    }
    defaults = get("vic").defaults()
    for name, array in theta.data_vars.items():
        ds[f"true_{name}"] = array
    fixed = {k: v for k, v in defaults.items() if k not in theta}
    call = f"twin(shape={tuple(shape)}, years={years}, seed={seed}, noise={noise}, missing={missing}"
    call += ")" if set(varying) == set(USUAL) else f", varying={tuple(theta.data_vars)})"
    ds.attrs = {
        "title": "Synthetic world with known parameters of the model vic",
        "source": f"xdpl.data.{call}",
        "true_defaults": json.dumps(fixed),
        "Conventions": "CF-1.10",
    }
    return ds


def _check(
    shape: tuple[int, int], years: int, noise: float, missing: float, varying: Collection[str]
) -> None:
    problems = Problems("data.twin")
    if len(shape) != 2 or min(shape) < 1:
        problems.add(
            "shape", expected="two numbers of cells, each at least 1", got=repr(shape), fix="shape=(20, 20)"
        )
    if years < 1:
        problems.add("years", expected="at least 1", got=repr(years), fix="years=3")
    if not noise >= 0:
        problems.add("noise", expected="at least 0", got=repr(noise), fix="noise=0.02")
    if not 0 <= missing < 1:
        problems.add("missing", expected="at least 0 and below 1", got=repr(missing), fix="missing=0.5")
    if isinstance(varying, str) or not set(varying) <= set(RELATIONS):
        problems.add(
            "varying",
            expected=f"names of parameters: {', '.join(RELATIONS)}",
            got=repr(varying),
            fix='varying=("porosity", "cfmax")',
        )
    problems.raise_if_any()


def _add_attributes(ds: xr.Dataset, generator: np.random.Generator, shape: tuple[int, int]) -> None:
    fields = 1.0 / (1.0 + np.exp(-1.8 * smooth_fields(generator, 5, shape, 3.0)))
    east = np.linspace(0.0, 1.0, shape[1])[None, :]
    dims = ("lat", "lon")
    sand = 10.0 + 75.0 * fields[0]
    clay = (100.0 - sand) * (0.15 + 0.65 * fields[1])
    ds["sand"] = (dims, sand, {"units": "percent", "long_name": "sand content of the soil"})
    ds["clay"] = (dims, clay, {"units": "percent", "long_name": "clay content of the soil"})
    ndvi = 0.1 + 0.75 * (0.6 * fields[2] + 0.4 * east)
    ds["ndvi"] = (dims, ndvi, {"units": "1", "long_name": "mean normalised difference vegetation index"})
    ds["elevation"] = (dims, 200.0 + 2000.0 * fields[3], {"units": "m", "standard_name": "surface_altitude"})
    ds["slope"] = (dims, 15.0 * fields[4], {"units": "degree", "long_name": "slope; determines nothing"})


def _add_forcings(ds: xr.Dataset, generator: np.random.Generator, shape: tuple[int, int]) -> None:
    from xdpl.models import get
    from xdpl.pet import pet

    weather = daily_weather(generator, ds["time"], shape)
    # The standard atmosphere cools by 6.5 K per kilometre.
    weather["air_temperature"] = weather["air_temperature"] - 0.0065 * (ds["elevation"].values - 1200.0)
    for declared in get("vic").forcings[:2]:
        attrs = {
            "units": declared.units,
            "standard_name": declared.standard_name,
            "long_name": declared.long_name,
        }
        ds[declared.name] = (("time", "lat", "lon"), weather[declared.name].astype(np.float32), attrs)
    ds["potential_evapotranspiration"] = pet(ds, "oudin")
