"""Snow by degree-days, without a liquid store."""

from __future__ import annotations

from typing import Any

from xdpl.models.base import Parameter, State
from xdpl.models.numerics import positive, ramp

__all__ = ["DEGREE_DAY_FACTOR", "MELT_TEMPERATURE", "SNOWPACK", "degree_day_snow"]

MELT_TEMPERATURE = Parameter("tt", -2.5, 2.5, "degC", 0.0, "temperature of half snowfall, and of melt")
DEGREE_DAY_FACTOR = Parameter("cfmax", 0.5, 10.0, "mm degC-1 d-1", 3.5, "degree-day factor")
SNOWPACK = State("snowpack", "mm", "lwe_thickness_of_surface_snow_amount", "snow water equivalent")

Array = Any


def degree_day_snow(
    xp: Any,
    snowpack: Array,
    precipitation: Array,
    air_temperature: Array,
    tt: Array,
    cfmax: Array,
    *,
    snow_range: float,
    dt: float,
) -> tuple[Array, Array, Array]:
    """Split precipitation, store what is snow, melt by degree-days.

    Parameters
    ----------
    xp : namespace
    snowpack : array
        Snow water equivalent before the step, mm.
    precipitation : array
        Over the step, mm.
    air_temperature, tt : array
        Temperature, and that of half snowfall and of melt, degC.
    cfmax : array
        Degree-day factor, mm degC-1 d-1.
    snow_range : float
        Range of temperature around `tt` over which snowfall turns into rain, above 0, K.
    dt : float
        Time step in days.

    Returns
    -------
    snowpack, rain, melt : array
        Snow water equivalent after the step, rain and melt over the step, mm.
    """
    half = 0.5 * snow_range
    snowfall = precipitation * (1.0 - ramp(xp, air_temperature, tt - half, tt + half))
    snowpack = snowpack + snowfall
    melt = xp.minimum(dt * positive(xp, cfmax * (air_temperature - tt)), snowpack)
    return snowpack - melt, precipitation - snowfall, melt
