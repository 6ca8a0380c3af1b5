"""Climate indices of a period, as attributes of basins."""

from __future__ import annotations

import numpy as np
import xarray as xr

__all__ = ["climate_indices"]


def climate_indices(
    precipitation: xr.DataArray, temperature: xr.DataArray, demand: xr.DataArray
) -> xr.Dataset:
    """Indices of climate, after Addor et al. (2017), doi:10.5194/hess-21-5293-2017.

    Parameters
    ----------
    precipitation, demand : DataArray, (time, ...)
        Precipitation and potential evapotranspiration in mm d-1.
    temperature : DataArray, (time, ...)
        In degC.

    Returns
    -------
    Dataset, (...)
        Means; aridity (demand over precipitation) and its logarithm; amplitudes of the
        yearly waves of precipitation (relative to its mean) and temperature, and seasonality,
        the former times the cosine of the shift between the two; share of precipitation
        below 0 degC; frequency and mean duration of days of at least five times the mean
        precipitation, and of days below 1 mm; standard deviation and 99th percentile.
    """
    rain = precipitation.mean("time")
    wave_p, wave_t = _wave(precipitation), _wave(temperature)
    high, low = precipitation >= 5.0 * rain, precipitation < 1.0
    aridity = demand.mean("time") / rain
    extreme = precipitation.quantile(0.99, "time").drop_vars("quantile")
    indices: dict[str, tuple[xr.DataArray, str]] = {
        "mean_precipitation": (rain, "mm d-1"),
        "mean_pet": (demand.mean("time"), "mm d-1"),
        "mean_temperature": (temperature.mean("time"), "degC"),
        "aridity": (aridity, "1"),
        "log_aridity": (aridity.copy(data=np.log(aridity.values)), "1"),
        "snow_fraction": (precipitation.where(temperature < 0.0, 0.0).mean("time") / rain, "1"),
        "precipitation_amplitude": (abs(wave_p) / rain, "1"),
        "temperature_amplitude": (abs(wave_t), "K"),
        "seasonality": (_cosine(wave_p, wave_t) * abs(wave_p) / rain, "1"),
        "high_precipitation_frequency": (high.mean("time"), "1"),
        "low_precipitation_frequency": (low.mean("time"), "1"),
        "high_precipitation_duration": (_duration(high), "d"),
        "low_precipitation_duration": (_duration(low), "d"),
        "precipitation_spread": (precipitation.std("time"), "mm d-1"),
        "log_precipitation_quantile": (extreme.copy(data=np.log(extreme.values)), "1"),
    }
    return xr.Dataset({k: v.drop_attrs().assign_attrs(units=u) for k, (v, u) in indices.items()})


def _wave(series: xr.DataArray) -> xr.DataArray:
    """The yearly wave as a complex number, by least squares with a mean."""
    phase = 2.0 * np.pi * series["time"].dt.dayofyear.values / 365.25
    terms = np.stack([np.ones_like(phase), np.cos(phase), np.sin(phase)], axis=1)
    flat = series.transpose("time", ...)
    coefficients = np.linalg.lstsq(terms, flat.values.reshape(len(phase), -1).astype(float), rcond=None)[0]
    wave = (coefficients[1] + 1j * coefficients[2]).reshape(flat.shape[1:])
    return flat.isel(time=0, drop=True).copy(data=wave)


def _cosine(a: xr.DataArray, b: xr.DataArray) -> xr.DataArray:
    """Cosine of the shift between two waves."""
    return a.copy(data=np.cos(np.angle(a.values) - np.angle(b.values)))


def _duration(days: xr.DataArray) -> xr.DataArray:
    """Mean length of the spells of True, in days."""
    starts = (days & ~days.shift(time=1, fill_value=False)).sum("time")
    return days.sum("time") / starts.clip(min=1)
