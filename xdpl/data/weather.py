"""Seeded synthetic weather and smooth fields on a latitude-longitude grid."""

from __future__ import annotations

import numpy as np
import xarray as xr

__all__ = ["daily_weather", "grid_coordinates", "smooth_fields"]


def grid_coordinates(shape: tuple[int, int]) -> dict[str, xr.DataArray]:
    """Latitude and longitude of a grid of half-degree cells."""
    lat = 35.0 + 0.5 * np.arange(shape[0])
    lon = -105.0 + 0.5 * np.arange(shape[1])
    return {
        "lat": xr.DataArray(
            lat,
            dims="lat",
            attrs={"units": "degrees_north", "standard_name": "latitude", "long_name": "latitude"},
        ),
        "lon": xr.DataArray(
            lon,
            dims="lon",
            attrs={"units": "degrees_east", "standard_name": "longitude", "long_name": "longitude"},
        ),
    }


def smooth_fields(
    generator: np.random.Generator, count: int, shape: tuple[int, int], length: float, modes: int = 48
) -> np.ndarray:
    """Gaussian random fields with a squared-exponential correlation.

    Parameters
    ----------
    generator : Generator
    count : int
        Number of independent fields.
    shape : (int, int)
    length : float
        Correlation length in cells.
    modes : int
        Random Fourier features per field.

    Returns
    -------
    ndarray, (count, *shape)
        Mean 0, variance 1.

    References
    ----------
    Rahimi and Recht (2007), Random features for large-scale kernel machines.
    """
    rows, columns = np.meshgrid(np.arange(shape[0]), np.arange(shape[1]), indexing="ij")
    waves = generator.normal(size=(2, modes)) / length
    phases = generator.uniform(0, 2 * np.pi, modes)
    features = np.sqrt(2.0 / modes) * np.cos(
        rows[..., None] * waves[0] + columns[..., None] * waves[1] + phases
    )
    weights = generator.normal(size=(count, modes))
    return np.einsum("ijm,cm->cij", features, weights)


def daily_weather(
    generator: np.random.Generator, time: xr.DataArray, shape: tuple[int, int]
) -> dict[str, np.ndarray]:
    """Precipitation (mm d-1) and air temperature (degC), each (time, *shape).

    Wet days follow a latent field that persists from day to day and moves
    smoothly in space; the west is drier than the east and the north colder
    than the south.
    """
    days = time.sizes["time"]
    season = 2 * np.pi * (time.dt.dayofyear.values - 1) / 365.25
    north = np.linspace(-1.0, 1.0, shape[0])[:, None]
    east = np.linspace(-1.0, 1.0, shape[1])[None, :]

    latent = _persistent(smooth_fields(generator, days, shape, 6.0), 0.55)
    wetness = 0.35 * east + 0.15 * smooth_fields(generator, 1, shape, 8.0)[0]
    threshold = 0.75 - wetness + 0.25 * np.cos(season)[:, None, None]
    precipitation = 13.0 * np.maximum(latent - threshold, 0.0) ** 1.4

    spell = _persistent(smooth_fields(generator, days, shape, 10.0), 0.75)
    mean = 11.0 - 6.0 * north + 0.0 * east
    amplitude = 13.0 + 2.0 * north
    temperature = mean - amplitude * np.cos(season)[:, None, None] + 3.5 * spell
    return {"precipitation": precipitation, "air_temperature": temperature}


def _persistent(noise: np.ndarray, memory: float) -> np.ndarray:
    """Make independent daily fields persist: a first-order autoregression of variance 1."""
    out = np.empty_like(noise)
    out[0] = noise[0]
    for day in range(1, len(noise)):
        out[day] = memory * out[day - 1] + np.sqrt(1 - memory**2) * noise[day]
    return out
